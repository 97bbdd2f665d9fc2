"""Which times of the coming days are free: the rows behind `slots`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db.models import Q

from clinic.access.models import Staff
from clinic.places.models import Location, Room
from treatments.diary.models import Appointment
from treatments.diary.slots import Busy, Span, free_starts, opening, whole_day

DAYS_AHEAD = 14


class Free(NamedTuple):
    """A free time as offered; `start` as the location's clock shows it, without a zone.

    Naive on purpose: a template would convert an aware time to the server's zone.
    """

    start: datetime
    practitioner_id: int
    practitioner: str

    @property
    def value(self) -> str:
        """As the booking form gets it back."""
        return f"{self.start:%Y-%m-%dT%H:%M}|{self.practitioner_id}"


def free_times(
    *,
    location: Location,
    day: date,
    length: timedelta,
    after: datetime,
    practitioner_id: int | None = None,
    patient_id: int | None = None,
    days: int = 1,
    apart_from: int | None = None,
) -> Iterator[Free]:
    """Free times from `after` on, over `days` days from `day`; three queries in all.

    Each time comes once, with the first free practitioner. `apart_from` is an appointment that is
    about to be moved, whose own time is free for it.
    """
    zone = location.zone
    names = dict(Staff.objects.practising_at(location.pk).values_list("pk", "name"))
    wanted = [pk for pk in names if practitioner_id in (None, pk)]
    rooms = list(
        Room.objects.filter(location=location, is_active=True).values_list("pk", flat=True)
    )
    span = Span(whole_day(day, zone).start, whole_day(day + timedelta(days=days - 1), zone).end)
    busy = _busy(span, wanted, rooms, patient_id, apart_from)
    seen: set[datetime] = set()
    for number in range(days):
        hours = opening(day + timedelta(days=number), location.opens_at, location.closes_at, zone)
        for offer in free_starts(hours, busy, length, after=after):
            if offer.start not in seen:
                seen.add(offer.start)
                yield Free(
                    offer.start.astimezone(zone).replace(tzinfo=None),
                    offer.practitioner,
                    names[offer.practitioner],
                )


def next_free(count: int, **wanted: object) -> list[Free]:
    """The first few free times within `DAYS_AHEAD` days."""
    return list(islice(free_times(days=DAYS_AHEAD, **wanted), count))  # type: ignore[arg-type]


def _busy(
    span: Span,
    practitioners: list[int],
    rooms: list[int],
    patient_id: int | None,
    apart_from: int | None,
) -> Busy:
    busy = Busy({pk: [] for pk in practitioners}, {pk: [] for pk in rooms}, [])
    concerned = Q(practitioner__in=practitioners) | Q(room__in=rooms) | Q(patient=patient_id)
    rows = (
        Appointment.objects.live().overlapping(*span).filter(concerned).exclude(pk=apart_from or 0)
    )
    for who, room, patient, start, end in rows.values_list(
        "practitioner_id", "room_id", "patient_id", "starts_at", "ends_at"
    ):
        taken = Span(start, end)
        if who in busy.practitioners:
            busy.practitioners[who].append(taken)
        if room in busy.rooms:
            busy.rooms[room].append(taken)
        if patient == patient_id:
            busy.patient.append(taken)
    return busy
