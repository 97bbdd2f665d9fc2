"""The sheet: the strictest advice wins and is said once, with this patient's own times."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aftercare.sheets.compose import (
    DATE_ONLY_FROM_HOURS,
    Frame,
    Treatment,
    compose,
    filled,
    merge,
    numbers_kept,
    spoken,
    strictest,
    until,
)

PARIS = ZoneInfo("Europe/Paris")
FACE = Treatment(frozenset({"face"}), frozenset({"nappage"}), frozenset({"prp"}), anaesthetic=True)
LAST_DAY = {"en": "the end of {day}", "fr": "{day} inclus"}


@dataclass(frozen=True)
class Advice:
    code: str
    topic: str
    applies_to: str = "base"
    section: str = "avoid"
    hours: int | None = None
    position: int = 0
    version: int = 1
    texts: dict[str, str] = field(default_factory=lambda: {"en": "Not until {until}."})

    def text_in(self, language: str) -> tuple[str, str]:
        own = self.texts.get(language)
        return (own, language) if own else (self.texts["en"], "en")


def lines(
    *blocks: Advice, at: datetime = datetime(2026, 5, 11, 16, tzinfo=UTC), language: str = "en"
) -> list[str]:
    frame = Frame(at, PARIS, language, LAST_DAY, {"phone": "01 23"})
    return [line["text"] for line in compose(blocks, FACE, frame)]


def test_the_strictest_wins_and_is_said_once() -> None:
    sauna = [
        Advice("base-sauna", "heat", hours=24),
        Advice("face-sauna", "heat", applies_to="area:face", hours=72),
        Advice("prp-sauna", "heat", applies_to="substance:prp", hours=48),
    ]
    assert [block.code for block in strictest(sauna)] == ["face-sauna"]
    assert lines(*sauna) == ["Not until Thursday 14 May, 18:00."]
    assert {block.code for block in merge(sauna)[0].unsaid} == {"base-sauna", "prp-sauna"}


def test_a_prohibition_without_an_end_is_the_strictest() -> None:
    never = Advice("never", "heat", texts={"en": "Never."})
    assert lines(Advice("a", "heat", hours=2000), never) == ["Never."]


def test_what_is_normal_prefers_to_say_until_when() -> None:
    vague = Advice("a", "bumps", section="normal", texts={"en": "Small bumps."})
    assert lines(vague, Advice("b", "bumps", section="normal", hours=72)) == [
        "Not until Thursday 14 May, 18:00."
    ]


def test_a_merged_line_stands_where_its_first_block_would() -> None:
    said = strictest(
        [
            Advice("base-sun", "sun", hours=48, position=10),
            Advice("base-alcohol", "alcohol", hours=48, position=20),
            Advice("needle-sun", "sun", applies_to="technique:nappage", hours=240, position=300),
        ]
    )
    assert [block.code for block in said] == ["needle-sun", "base-alcohol"]


def test_blocks_of_other_areas_and_substances_stay_out() -> None:
    assert lines(Advice("scalp", "wash", applies_to="area:scalp", hours=99)) == []


def test_the_same_topic_may_be_said_in_two_sections() -> None:
    assert (
        len(lines(Advice("a", "bruise", section="normal"), Advice("b", "bruise", section="call")))
        == 2
    )


def test_times_are_written_in_the_language_of_their_text() -> None:
    both = {"en": "Not until {until}.", "fr": "Pas avant le {until}."}
    assert lines(Advice("a", "sun", hours=48, texts=both), language="fr") == [
        "Pas avant le mercredi 13 mai, 18:00."
    ]
    assert lines(Advice("a", "sun", hours=48), language="fr") == [
        "Not until Wednesday 13 May, 18:00."
    ]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ar", "يوم الأربعاء 13 مايو، الساعة 18:00"),
        ("he", "יום רביעי 13 במאי, בשעה 18:00"),
        ("es", "miércoles 13 de mayo, 18:00"),
    ],
)
def test_days_are_named_in_further_languages(language: str, words: str) -> None:
    assert spoken(datetime(2026, 5, 13, 18, tzinfo=PARIS), 48, language) == words


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("اتصل على +33 1 23 45 67 89 غدا", "اتصل على \u2068+33 1 23 45 67 89\u2069 غدا"),
        ("+33123456789", "\u2068+33123456789\u2069"),
        ("01.23.45.67.89", "\u206801.23.45.67.89\u2069"),
        ("ב־2026-11-27", "ב־\u20682026-11-27\u2069"),
        ("10 إلى 15 دقيقة، SPF 50", "10 إلى 15 دقيقة، SPF 50"),
    ],
)
def test_numbers_in_groups_are_not_turned_round(typed: str, kept: str) -> None:
    assert numbers_kept(typed) == kept


def test_what_is_put_into_a_text_from_right_to_left_keeps_its_direction() -> None:
    call = {"en": "Call {phone}.", "ar": "اتصل على {phone}."}
    assert lines(Advice("a", "call", texts=call), language="ar") == ["اتصل على \u206801 23\u2069."]
    assert lines(Advice("a", "call", texts=call)) == ["Call 01 23."]


def test_from_a_week_on_the_whole_last_day_is_named() -> None:
    assert lines(Advice("a", "sun", hours=240)) == ["Not until the end of Thursday 21 May."]


def test_a_value_is_never_taken_for_a_placeholder() -> None:
    words = {"phone": "{until}", "until": "now"}
    assert filled("{phone} {until} {nothing} {", words) == "{until} now {nothing} {"


@pytest.mark.parametrize(
    ("treated", "hours", "expected"),
    [
        # Clocks go forward on 29 March 2026: 24 real hours later it is an hour later on the wall.
        (datetime(2026, 3, 28, 17, tzinfo=UTC), 24, "2026-03-29T19:00:00+02:00"),
        # Clocks go back on 25 October 2026.
        (datetime(2026, 10, 24, 16, tzinfo=UTC), 24, "2026-10-25T17:00:00+01:00"),
        (datetime(2026, 5, 11, 16, 1, tzinfo=UTC), 8, "2026-05-12T02:15:00+02:00"),
        # 02:15 comes twice in that night: the second one would be read as the first.
        (datetime(2026, 10, 24, 17, 15, tzinfo=UTC), 8, "2026-10-25T03:00:00+01:00"),
        # The first of the two may stand: read as the second it is only stricter.
        (datetime(2026, 10, 24, 16, 15, tzinfo=UTC), 8, "2026-10-25T02:15:00+02:00"),
        (datetime(2026, 3, 22, 16, tzinfo=UTC), 168, "2026-03-30T00:00:00+02:00"),
        (datetime(2026, 5, 11, 22, tzinfo=UTC), 168, "2026-05-19T00:00:00+02:00"),
    ],
)
def test_hours_are_real_hours_rounded_up(treated: datetime, hours: int, expected: str) -> None:
    assert until(treated, hours, PARIS).isoformat() == expected


def test_a_day_that_begins_at_one_ends_the_day_before_it() -> None:
    """In Cairo summer time begins at midnight: Friday 24 April 2026 begins at one."""
    cairo = ZoneInfo("Africa/Cairo")
    end = until(datetime(2026, 4, 16, 12, tzinfo=UTC), 168, cairo)
    assert end.isoformat() == "2026-04-24T01:00:00+03:00"
    assert spoken(end, 168, "en", LAST_DAY["en"]) == "the end of Thursday 23 April"


ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name))
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1))  # noqa: DTZ001


@given(MOMENTS, st.integers(1, 2016), ZONES)
@example(datetime(2026, 10, 24, 17, 15), 8, "Europe/Paris")  # noqa: DTZ001
@example(datetime(2026, 4, 16, 12), 168, "Africa/Cairo")  # noqa: DTZ001
def test_no_reading_of_the_clock_ends_early(naive: datetime, hours: int, name: str) -> None:
    """Whatever the zone does in between, and whichever of two equal clock times is meant."""
    zone, treated = ZoneInfo(name), naive.replace(tzinfo=UTC)
    end, real = until(treated, hours, zone), treated + timedelta(hours=hours)
    assert end.tzinfo is zone
    readings = [end.replace(tzinfo=None, fold=fold).replace(tzinfo=zone) for fold in (0, 1)]
    assert all(one.astimezone(UTC) >= real for one in readings)
    late = end.astimezone(UTC) - real
    assert late < (timedelta(hours=26) if hours >= DATE_ONLY_FROM_HOURS else timedelta(hours=2))
    if hours < DATE_ONLY_FROM_HOURS:
        assert end.minute % 15 == 0 or end.utcoffset() % timedelta(minutes=15)  # type: ignore[operator]


@given(MOMENTS, st.integers(DATE_ONLY_FROM_HOURS, 2016), ZONES)
@example(datetime(2026, 4, 16, 12), 168, "Africa/Cairo")  # noqa: DTZ001
def test_the_last_day_named_is_the_one_the_hours_end_on(
    naive: datetime, hours: int, name: str
) -> None:
    """It is never a day too few: the moment itself still lies in it, or is the midnight before."""
    zone, treated = ZoneInfo(name), naive.replace(tzinfo=UTC)
    real = (treated + timedelta(hours=hours)).astimezone(zone)
    end = until(treated, hours, zone)
    last = (end.astimezone(UTC) - timedelta(minutes=1)).astimezone(zone).date()
    assert spoken(end, hours, "en") == f"{last:%A} {last.day} {last:%B}"
    assert last == real.date() or (
        real.time() == datetime.min.time() and last == real.date() - timedelta(days=1)
    )


@given(MOMENTS, st.integers(1, 2015), ZONES)
def test_more_hours_never_end_sooner(naive: datetime, hours: int, name: str) -> None:
    zone, treated = ZoneInfo(name), naive.replace(tzinfo=UTC)
    assert until(treated, hours + 1, zone) >= until(treated, hours, zone)


SELECTORS = ["base", "area:face", "technique:nappage", "substance:prp", "anaesthetic"]
BLOCKS = st.lists(
    st.builds(
        Advice,
        code=st.uuids().map(str),
        topic=st.sampled_from("abc"),
        section=st.sampled_from(["avoid", "do", "normal", "call"]),
        applies_to=st.sampled_from([*SELECTORS, "area:scalp", "substance:zinc"]),
        hours=st.none() | st.integers(1, 400),
        position=st.integers(0, 50),
    ),
    max_size=16,
)


def bound(block: Advice) -> float:
    """For how long, an open end counting as for ever where something is asked of the patient."""
    open_end = math.inf if block.section in ("avoid", "do") else 0
    return open_end if block.hours is None else block.hours


@given(BLOCKS, st.randoms(use_true_random=False))
def test_merging_keeps_each_topic_once_with_its_strictest(blocks: list[Advice], random) -> None:  # type: ignore[no-untyped-def]
    frame = Frame(datetime(2026, 5, 11, 16, tzinfo=UTC), PARIS, "en", LAST_DAY, {})
    said = compose(blocks, FACE, frame)
    chosen = [block for block in blocks if block.applies_to in SELECTORS]
    keys = [(line["section"], line["topic"]) for line in said]
    assert sorted(keys) == sorted({(block.section, block.topic) for block in chosen})
    by_code = {block.code: block for block in blocks}
    for line in said:
        same = [b for b in chosen if (b.section, b.topic) == (line["section"], line["topic"])]
        assert bound(by_code[line["block"]]) == max(map(bound, same))
    shuffled = random.sample(blocks, len(blocks))
    assert compose(shuffled, FACE, frame) == said
