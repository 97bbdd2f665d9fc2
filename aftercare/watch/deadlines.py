"""By when somebody is called, by the location's own hours, closed days and public holidays."""

from __future__ import annotations

from datetime import datetime, timedelta

from clinic.places.models import Location
from treatments.diary.hours import Hours

LOOKED_AHEAD = timedelta(days=31)


def next_working_day(at: datetime, place: Location) -> datetime:
    """The end of the opening hours of the next day on which the location is open.

    Of a location that stays closed for a month: the same time a day later, for a person to decide.
    """
    today = at.astimezone(place.zone).date()
    hours = Hours.of(place, today, today + LOOKED_AHEAD)
    for ahead in range(1, LOOKED_AHEAD.days + 1):
        if (span := hours.opening(today + timedelta(days=ahead))) is not None:
            return span.end
    return at + timedelta(days=1)


def is_open(at: datetime, place: Location) -> bool:
    """Whether somebody answers the location's ordinary phone."""
    today = at.astimezone(place.zone).date()
    span = Hours.of(place, today, today).opening(today)
    return span is not None and span.start <= at < span.end
