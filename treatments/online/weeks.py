"""The free times of a week as a patient sees them: by day, within the clinic's rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from treatments.diary.free import Free, free_times
from treatments.diary.visit import Visit
from treatments.online.models import VisitRequest
from treatments.online.rules import window

WEEK = 7
SEARCHED = 28
"""Days searched for the first free time when a week has none."""
NOON, EVENING = time(12), time(17)


@dataclass
class Day:
    """A day with its free times, in three parts."""

    day: date
    morning: list[Free] = field(default_factory=list)
    afternoon: list[Free] = field(default_factory=list)
    evening: list[Free] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.morning) + len(self.afternoon) + len(self.evening)

    def add(self, free: Free) -> None:
        """Put a time where it belongs."""
        at = free.start.time()
        part = self.morning if at < NOON else self.afternoon if at < EVENING else self.evening
        part.append(free)


def free_of(request: VisitRequest, first: date, days: int, at: datetime) -> list[Free]:
    """What is free for a request from a day on, within the notice and the days ahead."""
    allowed = window(request.location, at)
    moved = request.moves
    found = free_times(
        location=request.location,
        day=first,
        visit=Visit.of_appointment(moved) if moved else Visit.of_service(request.service),
        after=allowed.start,
        practitioner_id=request.practitioner_id,
        patient_id=request.patient_id,
        days=days,
        apart_from=moved.pk if moved else None,
    )
    return [free for free in found if free.starts_at <= allowed.end]


def week_of(request: VisitRequest, first: date, at: datetime) -> list[Day]:
    """Seven days from `first`, each with its free times."""
    days = {first + timedelta(days=n): Day(first + timedelta(days=n)) for n in range(WEEK)}
    for free in free_of(request, first, WEEK, at):
        days[free.start.date()].add(free)
    return list(days.values())


def first_free(request: VisitRequest, after: date, at: datetime) -> date | None:
    """The first day from `after` on that has a free time, if it is not too far off."""
    return next((free.start.date() for free in free_of(request, after, SEARCHED, at)), None)
