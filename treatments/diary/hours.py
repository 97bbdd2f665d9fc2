"""When a location is open and who works there, for some days: three queries, then pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time

from clinic.places.holidays import holiday
from clinic.places.models import DayHours, Location, LocationDay, WorkingHours
from treatments.diary.slots import Span, opening

TimeSpans = list[tuple[time, time]]


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
        return cls.of_all([location], first, last)[location.pk]

    @classmethod
    def of_all(cls, locations: Iterable[Location], first: date, last: date) -> dict[int, Hours]:
        """The same for several locations, by their ids; three queries for all of them."""
        found = {location.pk: cls(location) for location in locations}
        span = {"location__in": list(found), "day__range": (first, last)}
        for entry in LocationDay.objects.filter(**span):
            found[entry.location_id].days[entry.day] = entry
        for row in WorkingHours.objects.filter(location__in=list(found)):
            week = found[row.location_id].weekly.setdefault(row.staff_id, defaultdict(list))
            week[row.weekday].append((row.starts_at, row.ends_at))
        for day in DayHours.objects.filter(**span):
            worked = [(day.starts_at, day.ends_at)] if day.starts_at and day.ends_at else []
            found[day.location_id].single[day.staff_id, day.day] = worked
        return found

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
        spans = sorted(opening(day, start, end, self.location.zone) for start, end in times)
        inside = (Span(max(s.start, hours.start), min(s.end, hours.end)) for s in _joined(spans))
        return [span for span in inside if span.start < span.end]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans by time, those that touch made one: nobody leaves between two of them."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
