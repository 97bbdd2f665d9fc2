"""When the watch asks, what it asks, and what an answer means."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.watch.schedule import STEPS, due_times
from aftercare.watch.signs import BY_CODE, SIGNS, asked_at, colour_of, is_emergency
from patients.messages.quiet import USUAL, outside_quiet_hours
from treatments.catalogue.models import AdverseEventType

PARIS = ZoneInfo("Europe/Paris")
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1))  # noqa: DTZ001


def test_seven_questions_from_four_hours_to_twelve_weeks() -> None:
    treated = datetime(2026, 5, 11, 8, tzinfo=UTC)
    assert {step: due - treated for step, due in due_times(treated, PARIS).items()} == STEPS
    assert STEPS["12w"] == timedelta(days=84)


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
def test_quiet_hours_delay_and_never_more_than_a_night(naive: datetime, name: str) -> None:
    moment, zone = naive.replace(tzinfo=UTC), ZoneInfo(name)
    moved = outside_quiet_hours(moment, zone)
    assert timedelta(0) <= moved - moment <= timedelta(hours=12)
    assert USUAL.end <= moved.astimezone(zone).time() < USUAL.start
    assert time(8) == USUAL.end


@pytest.mark.parametrize("step", STEPS)
def test_the_worst_signs_are_asked_every_time(step: str) -> None:
    assert {"vision", "breathing", "infection"} <= {sign.code for sign in asked_at(step)}


def test_lumps_are_asked_about_while_mycobacteria_may_show() -> None:
    assert {step for step in STEPS if any(s.code == "lump" for s in asked_at(step))} == {
        "7d",
        "2w",
        "6w",
        "12w",
    }


def test_no_sign_is_green_and_the_most_urgent_decides() -> None:
    urgency = {BY_CODE["bruise"].event: "routine", BY_CODE["pigment"].event: "review"}
    assert colour_of([], urgency) == "green"
    assert colour_of(["bruise"], urgency) == "green"
    assert colour_of(["bruise", "pigment"], urgency) == "amber"
    urgency[BY_CODE["infection"].event] = "same-day"
    assert colour_of(["bruise", "infection"], urgency) == "red"
    assert not is_emergency(["infection"], urgency)


def test_an_event_the_catalogue_no_longer_has_is_taken_as_an_emergency() -> None:
    assert colour_of(["lump"], {}) == "red"
    assert is_emergency(["lump"], {})


@pytest.mark.django_db
def test_every_sign_stands_for_an_event_of_the_catalogue() -> None:
    known = set(AdverseEventType.objects.current().values_list("code", flat=True))
    assert {sign.event for sign in SIGNS} - known == set()
