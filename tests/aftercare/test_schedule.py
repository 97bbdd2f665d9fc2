"""When the watch asks, what it asks, and what an answer means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.watch.schedule import due_times, steps_of
from aftercare.watch.signs import as_asked, colour_of, fitting, is_emergency, words_of
from patients.messages.quiet import USUAL, Quiet, is_quiet, outside_quiet_hours
from treatments.catalogue.loading import read
from treatments.catalogue.models import AdverseEventType, CheckInSign, CheckInTime

PARIS = ZoneInfo("Europe/Paris")
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1))  # noqa: DTZ001
STEPS = {"4h": 4, "24h": 24, "72h": 72, "7d": 168, "2w": 336, "6w": 1008, "12w": 2016}
TREATED = datetime(2026, 5, 11, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """A time of the catalogue."""

    step: str
    hours: int
    applies_to: str = "base"
    is_skipped: bool = False


BASE = [Row(step, hours) for step, hours in STEPS.items()]
SIGNS = [CheckInSign(**row) for row in read("check-in-signs")]


def test_the_shipped_plan_asks_seven_times_from_four_hours_to_twelve_weeks() -> None:
    """DOMAIN.md section 8: +4 h, +24 h, +72 h, +7 d, then +2, +6, +12 weeks."""
    rows = [CheckInTime(**row) for row in read("check-in-times")]
    due = due_times(TREATED, PARIS, steps_of(rows, []))
    assert [(row.step, at - TREATED) for row, at in due] == [
        (step, timedelta(hours=hours)) for step, hours in STEPS.items()
    ]


def test_a_techniques_own_time_goes_before_the_base_one() -> None:
    own = Row("4h", 6, "technique:jet")
    of_group = Row("4h", 8, "technique:papule")
    jet = ["technique:jet", "technique:papule"]
    assert steps_of([*BASE, own, of_group], [jet])[0] == own
    assert steps_of([*BASE, of_group], [jet])[0] == of_group
    assert steps_of([*BASE, own], [["technique:point"]])[0] == BASE[0]
    extra = Row("48h", 48, "technique:jet")
    assert extra in steps_of([*BASE, extra], [jet])
    assert extra not in steps_of([*BASE, extra], [["technique:point"]])


def test_of_several_techniques_the_most_careful_one_counts() -> None:
    left_out = Row("4h", 4, "technique:jet", is_skipped=True)
    later = Row("72h", 96, "technique:jet")
    rows = [*BASE, left_out, later]
    alone = steps_of(rows, [["technique:jet"]])
    assert [row.step for row in alone][:2] == ["24h", "72h"]
    assert later in alone
    both = steps_of(rows, [["technique:jet"], ["technique:point"]])
    assert {row.step: row.hours for row in both} == STEPS


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2026-05-11T18:59:00+00:00", "2026-05-11T18:59:00+00:00"),
        ("2026-05-11T19:00:00+00:00", "2026-05-12T06:00:00+00:00"),
        ("2026-05-11T23:30:00+00:00", "2026-05-12T06:00:00+00:00"),
        ("2026-05-12T05:59:00+00:00", "2026-05-12T06:00:00+00:00"),
        # The night of the change to summer time: 08:00 on the wall is 06:00 UTC, not 07:00.
        ("2026-03-28T22:00:00+00:00", "2026-03-29T06:00:00+00:00"),
    ],
)
def test_nobody_is_asked_at_night(asked: str, expected: str) -> None:
    moved = outside_quiet_hours(datetime.fromisoformat(asked), PARIS)
    assert moved == datetime.fromisoformat(expected)


@given(MOMENTS, st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata"]))
def test_a_question_is_never_early_never_at_night_and_at_most_a_night_late(
    naive: datetime, name: str
) -> None:
    treated, zone = naive.replace(tzinfo=UTC), ZoneInfo(name)
    quiet = Quiet(time(20), time(9))
    for row, due in due_times(treated, zone, BASE, quiet):
        wanted = treated + timedelta(hours=row.hours)
        assert wanted <= due <= wanted + timedelta(hours=14)
        assert not is_quiet(due, zone, quiet)


@given(MOMENTS)
def test_the_quiet_hours_of_the_location_are_those_that_count(naive: datetime) -> None:
    treated = naive.replace(tzinfo=UTC)
    never = Quiet(time(1), time(1))
    assert all(
        due == treated + timedelta(hours=row.hours)
        for row, due in due_times(treated, PARIS, BASE, never)
    )
    assert never != USUAL


def asked(selectors: set[str], hours: int) -> set[str]:
    return {row.code for row in fitting(SIGNS, {"base", *selectors}, hours)}


def test_what_is_asked_fits_the_day() -> None:
    """DOMAIN.md section 6: occlusion shows within days, mycobacteria from the first week on."""
    assert {"vision", "breathing", "skin-colour", "bruise"} <= asked(set(), 4)
    assert "lump" not in asked(set(), 72)
    assert "lump" in asked(set(), 168)
    assert "lump" in asked(set(), 2016)
    assert "skin-colour" not in asked(set(), 1008)
    assert {"vision", "breathing", "chest-pain", "infection", "lump"} <= asked(set(), 2016)


@pytest.mark.parametrize(
    ("selector", "hours", "sign"),
    [
        ("substance:botulinum-toxin", 336, "toxin-spread"),
        ("substance:deoxycholic-acid", 72, "uneven-smile"),
        ("substance:phosphatidylcholine", 1008, "fat-knots"),
        ("anaesthetic", 4, "numbness-signs"),
        ("technique:point-deep", 72, "fat-skin"),
    ],
)
def test_what_is_asked_fits_what_was_done(selector: str, hours: int, sign: str) -> None:
    assert sign in asked({selector}, hours)
    assert sign not in asked(set(), hours)


def test_the_most_urgent_signs_are_asked_first() -> None:
    order = [row.code for row in fitting(SIGNS, {"base", "anaesthetic"}, 4)]
    assert order[:3] == ["vision", "breathing", "chest-pain"]
    assert order[-1] == "redness"


def test_a_sign_is_kept_as_it_was_asked() -> None:
    [kept] = as_asked([row for row in SIGNS if row.code == "lump"])
    assert kept["event"] == "mycobacteria"
    assert words_of(kept).startswith("There is a new lump")
    assert words_of({**kept, "fr": "", "en": "Lump"}) == "Lump"


def test_no_sign_is_green_and_the_most_urgent_decides() -> None:
    urgency = {"bruise": "routine", "hyperpigmentation": "review", "abscess": "same-day"}
    assert colour_of([], urgency) == "green"
    assert colour_of(["bruise"], urgency) == "green"
    assert colour_of(["bruise", "hyperpigmentation"], urgency) == "amber"
    assert colour_of(["bruise", "abscess"], urgency) == "red"
    assert not is_emergency(["abscess"], urgency)


def test_an_event_the_catalogue_no_longer_has_is_taken_as_an_emergency() -> None:
    assert colour_of(["mycobacteria"], {}) == "red"
    assert is_emergency(["mycobacteria"], {})


@pytest.mark.django_db
def test_every_sign_stands_for_an_event_of_the_catalogue() -> None:
    known = set(AdverseEventType.objects.current().values_list("code", flat=True))
    assert {sign.event for sign in SIGNS} <= known
