"""Which half hours are taken, so that the story asks the diary only for times it can give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from aftercare.demo.ground import Place
from clinic.access.models import Staff
from treatments.diary.slots import opening

HALF_HOUR = timedelta(minutes=30)


def half_hours(place: Place, day: date) -> list[datetime]:
    """When each half hour of a location's day begins, in UTC."""
    where = place.location
    hours = opening(day, where.opens_at, where.closes_at, where.zone)
    count = int((hours.end - hours.start) / HALF_HOUR)
    return [hours.start + number * HALF_HOUR for number in range(count)]


class Agenda:
    """Half hours by practitioner, by room and by patient."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, int, datetime]] = set()

    def take(
        self,
        place: Place,
        practitioner: Staff,
        patient_id: int,
        minutes: int,
        starts: list[datetime],
    ) -> datetime | None:
        """Take the first of `starts` that is free for everyone and inside the day; else None."""
        keys = [
            ("practitioner", practitioner.pk),
            ("room", place.room_of(practitioner).pk),
            ("patient", patient_id),
        ]
        for start in starts:
            wanted = {(*key, half) for key in keys for half in _covered(start, minutes)}
            if wanted.isdisjoint(self._taken) and _closes_after(place, start, minutes):
                self._taken |= wanted
                return start
        return None

    def busy(self, practitioner: Staff, day: list[datetime]) -> int:
        """How many half hours of a day a practitioner has given away."""
        return sum(("practitioner", practitioner.pk, half) in self._taken for half in day)


def _covered(start: datetime, minutes: int) -> Iterator[datetime]:
    for number in range(-(-minutes // 30)):
        yield start + number * HALF_HOUR


def _closes_after(place: Place, start: datetime, minutes: int) -> bool:
    local = start.astimezone(place.location.zone)
    end = local + timedelta(minutes=minutes)
    return end.date() == local.date() and end.time() <= place.location.closes_at


def near(day: list[datetime], wanted: time, place: Place) -> list[datetime]:
    """The half hours of a day, those nearest to a wall-clock time first."""

    def apart(start: datetime) -> int:
        local = start.astimezone(place.location.zone)
        return abs(local.hour * 60 + local.minute - wanted.hour * 60 - wanted.minute)

    return sorted(day, key=apart)
