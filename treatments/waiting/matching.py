"""Who of those waiting could take a free time, the best first. Pure: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from treatments.diary.slots import STEP, Span
from treatments.waiting.models import WaitingEntry

MOST_UNUSED = timedelta(minutes=15)
"""A visit that leaves more than that of a freed time unused comes after one that does not."""


class Time(NamedTuple):
    """A free time with the practitioner who has it, on the clock of its location."""

    span: Span
    practitioner_id: int
    zone: ZoneInfo


class Match(NamedTuple):
    """Someone who waits, and when their visit would start."""

    entry: WaitingEntry
    starts_at: datetime


def length_of(entry: WaitingEntry) -> timedelta:
    """How long the visit takes that is waited for."""
    return timedelta(minutes=entry.service.minutes)


def wants(entry: WaitingEntry, visit: Span, zone: ZoneInfo) -> bool:
    """Whether a visit lies on the days and in the hours wanted, and is sooner than the one held."""
    starts, ends = (moment.astimezone(zone) for moment in visit)
    day = starts.date()
    if day < entry.from_date or (entry.until_date is not None and day > entry.until_date):
        return False
    if entry.weekdays and day.weekday() not in entry.weekdays:
        return False
    if entry.earliest is not None and starts.time() < entry.earliest:
        return False
    if entry.latest is not None and (ends.date() > day or ends.time() > entry.latest):
        return False
    return entry.instead_of is None or visit.start < entry.instead_of.starts_at


def start_in(entry: WaitingEntry, time: Time, at: datetime) -> datetime | None:
    """The first start in a free time that suits: wanted, long enough, with the notice needed."""
    if entry.practitioner_id not in (None, time.practitioner_id):
        return None
    soonest = at + timedelta(hours=entry.notice_hours)
    for start in _starts(time.span, length_of(entry)):
        if start >= soonest and wants(entry, Span(start, start + length_of(entry)), time.zone):
            return start
    return None


def _starts(span: Span, length: timedelta) -> Iterator[datetime]:
    start = span.start
    while start + length <= span.end:
        yield start
        start += STEP


def matches(entries: Iterable[WaitingEntry], time: Time, at: datetime) -> list[Match]:
    """Those whom a time suits: who fills it before who leaves much of it unused, then who has
    waited longest.
    """
    found = [
        Match(entry, start) for entry in entries if (start := start_in(entry, time, at)) is not None
    ]
    return sorted(found, key=lambda match: (_unused(match, time), match.entry.created_at))


def _unused(match: Match, time: Time) -> bool:
    return time.span.end - time.span.start - length_of(match.entry) > MOST_UNUSED
