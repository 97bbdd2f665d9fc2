"""When a location is open and who works there, for some days: three queries, then pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache

from holidays import country_holidays

from clinic.places.models import DayHours, Location, LocationDay, WorkingHours
from treatments.diary.slots import Span, opening

TimeSpans = list[tuple[time, time]]


@lru_cache(maxsize=256)
def holidays_of(country: str, region: str, year: int, language: str) -> dict[date, str]:
    """The public holidays of a year by the `holidays` library; none for a country it lacks.

    A region that the library lacks is left out, a language likewise.
    """
    for subdivision in (region or None, None):
        for spoken in (language or None, None):
            try:
                found = country_holidays(
                    country, subdiv=subdivision, years=year, language=spoken, expand=False
                )
            except NotImplementedError:
                continue
            return dict(found)
    return {}


def holiday(location: Location, day: date, language: str = "") -> str:
    """The name of the public holiday on which this location is closed, or nothing."""
    if not location.closes_on_holidays:
        return ""
    days = holidays_of(location.country_id, location.holiday_region, day.year, language)
    return days.get(day, "")


def usual_opening(location: Location, day: date) -> Span | None:
    """The hours of a day without an entry of its own; None when closed."""
    if day.weekday() in location.closed_weekdays or holiday(location, day):
        return None
    return opening(day, location.opens_at, location.closes_at, location.zone)


@dataclass
class Hours:
    """Opening and working hours of some days; ask `of` for them."""

    location: Location
    days: dict[date, LocationDay] = field(default_factory=dict)
    weekly: dict[int, dict[int, TimeSpans]] = field(default_factory=dict)
    single: dict[tuple[int, date], TimeSpans] = field(default_factory=dict)

    @classmethod
    def of(cls, location: Location, first: date, last: date) -> Hours:
        """The hours from `first` to `last`, both included; three queries."""
        hours = cls(location)
        span = {"location": location, "day__range": (first, last)}
        hours.days = {row.day: row for row in LocationDay.objects.filter(**span)}
        for row in WorkingHours.objects.filter(location=location):
            week = hours.weekly.setdefault(row.staff_id, defaultdict(list))
            week[row.weekday].append((row.starts_at, row.ends_at))
        for day in DayHours.objects.filter(**span):
            worked = [(day.starts_at, day.ends_at)] if day.starts_at and day.ends_at else []
            hours.single[day.staff_id, day.day] = worked
        return hours

    def opening(self, day: date) -> Span | None:
        """When the location is open; None when closed."""
        entry = self.days.get(day)
        if entry is None:
            return usual_opening(self.location, day)
        if entry.opens_at is None or entry.closes_at is None:
            return None
        return opening(day, entry.opens_at, entry.closes_at, self.location.zone)

    def working(self, staff_id: int, day: date) -> list[Span]:
        """When a person works here, inside the opening hours; nothing when off or closed."""
        hours = self.opening(day)
        if hours is None:
            return []
        times = self.single.get((staff_id, day))
        if times is None:
            week = self.weekly.get(staff_id)
            if week is None:
                return [hours]
            times = week.get(day.weekday(), [])
        spans = (opening(day, start, end, self.location.zone) for start, end in times)
        inside = (Span(max(s.start, hours.start), min(s.end, hours.end)) for s in spans)
        return [span for span in inside if span.start < span.end]
