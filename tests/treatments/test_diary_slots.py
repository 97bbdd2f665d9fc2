"""Free times, against a model that looks at every minute; clocks that change; transitions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treatments.diary.models import Appointment
from treatments.diary.slots import (
    Busy,
    NoSuchTimeError,
    Shape,
    Span,
    free_starts,
    instant,
    opening,
    whole_day,
)
from treatments.diary.transitions import ALLOWED, MOVABLE, NEXT, may_follow

PARIS = ZoneInfo("Europe/Paris")
DAYS = st.sampled_from([date(2026, 5, 19), date(2026, 3, 29), date(2026, 10, 25)])
START = datetime(2026, 5, 19, tzinfo=UTC)


def minutes(day_start: datetime, spans: list[Span]) -> set[int]:
    """Every minute of the spans, counted from the day's start."""
    return {
        minute
        for span in spans
        for minute in range(
            int((span.start - day_start).total_seconds()) // 60,
            int((span.end - day_start).total_seconds()) // 60,
        )
    }


def naive(hours: Span, busy: Busy, length: int, after: datetime) -> list[tuple[datetime, int]]:
    """The same question, asked of every minute."""
    taken = {pk: minutes(hours.start, spans) for pk, spans in busy.practitioners.items()}
    rooms = [minutes(hours.start, spans) for spans in busy.rooms.values()]
    patient = minutes(hours.start, busy.patient)
    found = []
    day_length = int((hours.end - hours.start).total_seconds()) // 60
    for start in range(0, day_length - length + 1, 15):
        wanted = set(range(start, start + length))
        moment = hours.start + timedelta(minutes=start)
        if moment < after or wanted & patient or all(wanted & room for room in rooms):
            continue
        found += [(moment, pk) for pk, theirs in taken.items() if not wanted & theirs]
    return found


@st.composite
def days(draw: st.DrawFn) -> tuple[Span, Busy, int, datetime]:
    day = draw(DAYS)
    hours = opening(day, time(draw(st.integers(0, 9))), time(draw(st.integers(10, 23))), PARIS)
    begins = st.integers(-60, 14 * 60)

    def spans() -> list[Span]:
        made = []
        for start in draw(st.lists(begins, max_size=6)):
            first = hours.start + timedelta(minutes=start)
            made.append(Span(first, first + timedelta(minutes=draw(st.integers(1, 120)))))
        return made

    busy = Busy(
        {pk: spans() for pk in range(1, draw(st.integers(1, 3)) + 1)},
        {pk: spans() for pk in range(draw(st.integers(0, 2)))},
        spans(),
    )
    after = hours.start + timedelta(minutes=draw(st.integers(-30, 600)))
    return hours, busy, draw(st.integers(5, 180)), after


@settings(max_examples=150, deadline=None)
@given(days())
def test_free_starts_are_those_of_the_naive_model(case: tuple[Span, Busy, int, datetime]) -> None:
    hours, busy, length, after = case
    offers = free_starts(hours, busy, Shape(timedelta(minutes=length)), after=after)
    assert [tuple(offer) for offer in offers] == naive(hours, busy, length, after)


def test_no_length_no_offer() -> None:
    hours = Span(START, START + timedelta(hours=8))
    assert list(free_starts(hours, Busy({1: []}, {1: []}), Shape(timedelta(0)), after=START)) == []


def test_touching_spans_do_not_overlap() -> None:
    first = Span(START, START + timedelta(minutes=30))
    assert not first.overlaps(Span(first.end, first.end + timedelta(minutes=30)))
    assert first.overlaps(Span(first.start, first.start + timedelta(minutes=1)))


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 5, 19), 24), (date(2026, 10, 25), 25)]
)
def test_a_day_is_as_long_as_its_clock_says(day: date, hours: int) -> None:
    span = whole_day(day, PARIS)
    assert span.end - span.start == timedelta(hours=hours)


def test_opening_hours_follow_the_clock_not_the_sun() -> None:
    winter = opening(date(2026, 3, 28), time(8), time(20), PARIS)
    summer = opening(date(2026, 3, 29), time(8), time(20), PARIS)
    assert winter.start.hour == 7
    assert summer.start.hour == 6


def test_a_skipped_time_is_refused_and_of_a_double_one_the_first_is_meant() -> None:
    with pytest.raises(NoSuchTimeError):
        instant(date(2026, 3, 29), time(2, 30), PARIS)
    assert instant(date(2026, 10, 25), time(2, 30), PARIS) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_the_table_of_transitions_is_whole() -> None:
    statuses = set(Appointment.Status.values)
    assert set(ALLOWED) == statuses
    for status, following in ALLOWED.items():
        assert set(following) <= statuses - {status}
    assert all(may_follow(status, following) for status, following in NEXT.items())
    assert all("cancelled" in ALLOWED[status] for status in MOVABLE)
    assert not may_follow("done", "cancelled")
    assert not may_follow("nonsense", "done")
