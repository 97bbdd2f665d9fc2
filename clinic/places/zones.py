"""The rules of a time zone as a calendar file tells them (RFC 5545, 3.6.5).

Written here rather than taken from the icalendar library, whose changes to summer time begin too
late by the gap they make: RFC 5545 counts an onset on the clock that runs until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=200)
def vtimezone(name: str, first_year: int, last_year: int) -> Timezone:
    """A zone's clock from the start of one year to the end of another, change by change."""
    zone = ZoneInfo(name)
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    told = Timezone()
    told.add("tzid", name)
    told.add_component(_observance(zone, start, start))
    for moment in changes(zone, start, datetime(last_year + 1, 1, 1, tzinfo=UTC)):
        told.add_component(_observance(zone, moment - MINUTE, moment))
    return told


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Each moment in [start, end) from which the clock differs from UTC by another amount."""
    day = start
    while day < end:
        following = min(day + DAY, end)
        if _offset(zone, day) != _offset(zone, following):
            yield _first(zone, day, following)
        day = following


def _first(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first full minute with the offset of `after`."""
    while after - before > MINUTE:
        middle = before + (after - before) // 2
        middle = middle.replace(second=0, microsecond=0)
        if middle in (before, after):
            break
        same = _offset(zone, middle) == _offset(zone, before)
        before, after = (middle, after) if same else (before, middle)
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _observance(zone: ZoneInfo, before: datetime, onset: datetime) -> Any:
    there = onset.astimezone(zone)
    was = _offset(zone, before)
    part = TimezoneDaylight() if there.dst() else TimezoneStandard()
    part.add("dtstart", (onset + was).replace(tzinfo=None))
    part.add("tzoffsetfrom", was)
    part.add("tzoffsetto", _offset(zone, onset))
    part.add("tzname", there.tzname() or "")
    return part
