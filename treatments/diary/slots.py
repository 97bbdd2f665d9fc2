"""Free times of a day. Pure: instants in UTC; the wall clock is the location's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=15)


class Span(NamedTuple):
    """From `start` up to, not including, `end`; both aware."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        """Whether they share any moment; spans that touch do not."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Span) -> bool:
        """Whether the other lies wholly inside."""
        return self.start <= other.start and other.end <= self.end


class Offer(NamedTuple):
    """A time that is free, with the practitioner who has it."""

    start: datetime
    practitioner: int


class NoSuchTimeError(ValueError):
    """The clocks jump over this wall-clock time."""


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, when the location's clock shows `at`.

    Where the clock shows it twice (the hour after summer time ends) the first one is meant.
    Raises `NoSuchTimeError` where it is skipped.
    """
    moment = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != datetime.combine(day, at):
        raise NoSuchTimeError(f"{day} {at} in {zone.key}")
    return moment


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the location's day begins, in UTC; the first moment of it where 00:00 is skipped."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def whole_day(day: date, zone: ZoneInfo) -> Span:
    """The 23, 24 or 25 hours of a day."""
    return Span(midnight(day, zone), midnight(day + timedelta(days=1), zone))


def opening(day: date, opens: time, closes: time, zone: ZoneInfo) -> Span:
    """Opening hours of a day; a bound that the clocks skip is where they land."""
    start, end = (datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for at in (opens, closes))
    return Span(start, end)


@dataclass(frozen=True)
class Busy:
    """What is taken: for each practitioner and room their spans, and those of the patient."""

    practitioners: Mapping[int, list[Span]]
    rooms: Mapping[int, list[Span]]
    patient: list[Span] = field(default_factory=list)


def free_starts(
    hours: Span, busy: Busy, length: timedelta, *, after: datetime, step: timedelta = STEP
) -> Iterable[Offer]:
    """Each start inside the hours, from `after` on, at which a practitioner, a room and the
    patient are all free for the whole length; the earliest first, one offer per practitioner.

    Starts lie on multiples of `step` counted from opening. A length of zero or less has none.
    """
    if length <= timedelta(0):
        return
    start = hours.start
    while start + length <= hours.end:
        wanted = Span(start, start + length)
        if start >= after and _free(busy.patient, wanted) and _any_free(busy.rooms, wanted):
            for practitioner, taken in busy.practitioners.items():
                if _free(taken, wanted):
                    yield Offer(start, practitioner)
        start += step


def _free(taken: list[Span], wanted: Span) -> bool:
    return not any(span.overlaps(wanted) for span in taken)


def _any_free(rooms: Mapping[int, list[Span]], wanted: Span) -> bool:
    return any(_free(taken, wanted) for taken in rooms.values())
