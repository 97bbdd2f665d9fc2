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


class Needs(NamedTuple):
    """When a visit needs whom and what."""

    patient: Span
    practitioner: Span
    room: Span
    device: Span


class Shape(NamedTuple):
    """How a visit is made up: the patient's whole time, of it the preparation before the
    practitioner and the device are needed, and the cleaning of room and device after it.
    """

    length: timedelta
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)

    def needs(self, start: datetime) -> Needs:
        """The spans of a visit that starts then."""
        hands_on, end = start + self.before, start + self.length
        clean = end + self.after
        return Needs(
            Span(start, end), Span(hands_on, end), Span(start, clean), Span(hands_on, clean)
        )


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


def outside(whole: Span, inside: Iterable[Span]) -> list[Span]:
    """What is left of `whole` without the spans of `inside`, by time."""
    left, start = [], whole.start
    for span in sorted(inside):
        if span.start > start:
            left.append(Span(start, min(span.start, whole.end)))
        start = max(start, span.end)
        if start >= whole.end:
            return left
    left.append(Span(start, whole.end))
    return left


@dataclass(frozen=True)
class Busy:
    """What cannot be had: for each practitioner, room and device their spans, and the patient's.

    Off duty and blocked are busy too. `devices` is None where a visit needs none.
    """

    practitioners: Mapping[int, list[Span]]
    rooms: Mapping[int, list[Span]]
    patient: list[Span] = field(default_factory=list)
    devices: Mapping[int, list[Span]] | None = None


def free_starts(
    hours: Span, busy: Busy, shape: Shape, *, after: datetime, step: timedelta = STEP
) -> Iterable[Offer]:
    """Each start inside the hours, from `after` on, at which a practitioner, a room, a device if
    one is needed and the patient are free for as long as the visit needs each; the earliest first,
    one offer per practitioner.

    Starts lie on multiples of `step` counted from opening. A length of zero or less has none.
    """
    if shape.length <= timedelta(0):
        return
    start = hours.start
    while start + shape.length <= hours.end:
        needs = shape.needs(start)
        if start >= after and _free(busy.patient, needs.patient) and _equipped(busy, needs):
            for practitioner, taken in busy.practitioners.items():
                if _free(taken, needs.practitioner):
                    yield Offer(start, practitioner)
        start += step


def _equipped(busy: Busy, needs: Needs) -> bool:
    return _any_free(busy.rooms, needs.room) and (
        busy.devices is None or _any_free(busy.devices, needs.device)
    )


def _free(taken: list[Span], wanted: Span) -> bool:
    # Written out: it is asked for every quarter of an hour of every person and thing.
    first, last = wanted
    return not any(start < last and first < end for start, end in taken)


def _any_free(things: Mapping[int, list[Span]], wanted: Span) -> bool:
    return any(_free(taken, wanted) for taken in things.values())
