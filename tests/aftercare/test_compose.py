"""The sheet: the strictest advice wins and is said once, with this patient's own times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.sheets.compose import Treatment, compose, strictest, until

PARIS = ZoneInfo("Europe/Paris")
FACE = Treatment(frozenset({"face"}), frozenset({"nappage"}), frozenset({"prp"}), anaesthetic=True)


@dataclass(frozen=True)
class Advice:
    code: str
    topic: str
    applies_to: str = "base"
    section: str = "avoid"
    hours: int | None = None
    position: int = 0
    version: int = 1
    text: str = "Not until {until}."

    def said(self, field: str, language: str | None = None) -> str:
        return self.text


def lines(
    *blocks: Advice, at: datetime = datetime(2026, 5, 11, 16, tzinfo=UTC), language: str = "en"
) -> list[str]:
    composed = compose(blocks, FACE, treated_at=at, zone=PARIS, language=language)
    return [line["text"] for line in composed]


def test_the_strictest_wins_and_is_said_once() -> None:
    sauna = [
        Advice("base-sauna", "heat", hours=24),
        Advice("face-sauna", "heat", applies_to="area:face", hours=72),
        Advice("prp-sauna", "heat", applies_to="substance:prp", hours=48),
    ]
    assert [block.code for block in strictest(sauna)] == ["face-sauna"]
    assert lines(*sauna) == ["Not until Thursday 14 May, 18:00."]


def test_blocks_of_other_areas_and_substances_stay_out() -> None:
    assert lines(Advice("scalp", "wash", applies_to="area:scalp", hours=99)) == []


def test_the_same_topic_may_be_said_in_two_sections() -> None:
    assert (
        len(lines(Advice("a", "bruise", section="normal"), Advice("b", "bruise", section="call")))
        == 2
    )


def test_times_are_written_in_the_patients_language() -> None:
    block = Advice("a", "sun", hours=48)
    assert lines(block, language="fr") == ["Not until mercredi 13 mai, 18:00."]


def test_from_a_week_on_the_day_alone_is_named() -> None:
    assert lines(Advice("a", "sun", hours=240)) == ["Not until Thursday 21 May."]


@pytest.mark.parametrize(
    ("treated", "hours", "expected"),
    [
        # Clocks go forward on 29 March 2026: 24 real hours later it is an hour later on the wall.
        (datetime(2026, 3, 28, 17, tzinfo=UTC), 24, "2026-03-29T19:00:00+02:00"),
        # Clocks go back on 25 October 2026.
        (datetime(2026, 10, 24, 16, tzinfo=UTC), 24, "2026-10-25T17:00:00+01:00"),
        (datetime(2026, 5, 11, 16, 1, tzinfo=UTC), 8, "2026-05-12T02:15:00+02:00"),
    ],
)
def test_hours_are_real_hours_rounded_up(treated: datetime, hours: int, expected: str) -> None:
    assert until(treated, hours, PARIS).isoformat() == expected


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001
    st.integers(1, 2000),
)
def test_a_restriction_never_ends_early_nor_a_quarter_late(naive: datetime, hours: int) -> None:
    treated = naive.replace(tzinfo=UTC)
    end = until(treated, hours, PARIS)
    assert timedelta(0) <= end - (treated + timedelta(hours=hours)) < timedelta(minutes=15)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 300) | st.none()), max_size=12))
def test_merging_keeps_each_topic_once_with_its_longest_hours(
    drawn: list[tuple[str, int | None]],
) -> None:
    blocks = [Advice(f"{i}", topic, hours=hours) for i, (topic, hours) in enumerate(drawn)]
    merged = strictest(blocks)
    assert sorted(block.topic for block in merged) == sorted({topic for topic, _ in drawn})
    for block in merged:
        assert (block.hours or 0) == max(h or 0 for t, h in drawn if t == block.topic)
