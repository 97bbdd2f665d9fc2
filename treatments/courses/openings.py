"""The free times that a course is proposed from, read as the search asks for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from clinic.places.models import Location
from treatments.diary.free import Free, free_times
from treatments.diary.visit import Visit


@dataclass
class Openings:
    """Free times of one location for one patient's visit, each day read once.

    `apart_from` are appointments that are about to move, whose own time is free for them.
    """

    location: Location
    visit: Visit
    patient_id: int
    after: datetime
    practitioner_id: int | None = None
    apart_from: Collection[int] = ()
    known: dict[date, list[Free]] = field(default_factory=dict)

    def __call__(self, first: date, last: date) -> Mapping[date, Sequence[Free]]:
        """The days from `first` to `last`, both included; a constant number of queries, or none."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        if unread := [day for day in days if day not in self.known]:
            self._read(unread[0], unread[-1])
        return {day: self.known[day] for day in days}

    def _read(self, first: date, last: date) -> None:
        count = (last - first).days + 1
        read: dict[date, list[Free]] = {first + timedelta(days=n): [] for n in range(count)}
        found = free_times(
            location=self.location,
            day=first,
            days=count,
            visit=self.visit,
            after=self.after,
            practitioner_id=self.practitioner_id,
            patient_id=self.patient_id,
            apart_from=self.apart_from,
            with_each=True,
        )
        for one in found:
            read[one.start.date()].append(one)
        self.known |= read
