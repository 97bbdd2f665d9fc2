"""Which times of the coming days are free: the rows behind `slots`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from django.db.models import Q

from clinic.access.models import Staff
from clinic.places.models import Device, Location, Room
from treatments.diary.held import Held
from treatments.diary.hours import Hours
from treatments.diary.models import Appointment, Block
from treatments.diary.slots import Busy, Span, free_starts, outside, whole_day
from treatments.diary.visit import Visit

DAYS_AHEAD = 14


class Free(NamedTuple):
    """A free time as offered; `start` as the location's clock shows it, without a zone.

    Naive on purpose: a template would convert an aware time to the server's zone.
    """

    start: datetime
    practitioner_id: int
    practitioner: str
    starts_at: datetime

    @property
    def day(self) -> str:
        """As a date box takes it."""
        return f"{self.start:%Y-%m-%d}"

    @property
    def clock(self) -> str:
        """As a time box takes it, and as it is shown."""
        return f"{self.start:%H:%M}"

    @property
    def value(self) -> str:
        """As the booking form gets it back."""
        return f"{self.start:%Y-%m-%dT%H:%M}|{self.practitioner_id}"


def free_times(
    *,
    location: Location,
    day: date,
    visit: Visit,
    after: datetime,
    practitioner_id: int | None = None,
    patient_id: int | None = None,
    days: int = 1,
    apart_from: int | Collection[int] | None = None,
    with_each: bool = False,
) -> Iterator[Free]:
    """Free times from `after` on, over `days` days from `day`; a constant number of queries.

    Each time comes once, with the first free practitioner, or `with_each` who is free. `apart_from`
    are appointments about to be moved, whose own time is free for them. `Free.starts_at` is the
    same time in UTC.
    """
    zone, last = location.zone, day + timedelta(days=days - 1)
    names = dict(Staff.objects.working_at(location.pk, visit.role).values_list("pk", "name"))
    wanted = [pk for pk in names if practitioner_id in (None, pk)]
    span = Span(whole_day(day, zone).start, whole_day(last, zone).end)
    hours = Hours.of(location, day, last)
    busy = _busy(location, span, wanted, visit, patient_id, apart_from)
    seen: set[datetime] = set()
    for number in range(days):
        today = day + timedelta(days=number)
        open_hours = hours.opening(today)
        if open_hours is None:
            continue
        on_duty = _on_duty(busy, hours, open_hours, today)
        for offer in free_starts(open_hours, on_duty, visit.shape, after=after):
            if with_each or offer.start not in seen:
                seen.add(offer.start)
                yield Free(
                    offer.start.astimezone(zone).replace(tzinfo=None),
                    offer.practitioner,
                    names[offer.practitioner],
                    offer.start,
                )


def free_days(*, day: date, **wanted: Any) -> Iterator[list[Free]]:
    """The free times of each of `DAYS_AHEAD` days from `day` that has any, as they are asked for.

    The first day is read alone: it mostly has enough, and a day is read in no time.
    """
    if first := list(free_times(day=day, **wanted)):
        yield first
    rest = free_times(day=day + timedelta(days=1), days=DAYS_AHEAD - 1, **wanted)
    for _day, times in groupby(rest, key=lambda free: free.start.date()):
        yield list(times)


def next_free(count: int, *, day: date, **wanted: Any) -> list[Free]:
    """The first few free times within `DAYS_AHEAD` days from `day`."""
    return list(islice(chain.from_iterable(free_days(day=day, **wanted)), count))


def _on_duty(busy: Busy, hours: Hours, open_hours: Span, day: date) -> Busy:
    """The same, with those who are off duty on that day busy."""
    practitioners = {
        pk: taken + outside(open_hours, hours.working(pk, day))
        for pk, taken in busy.practitioners.items()
    }
    return Busy(practitioners, busy.rooms, busy.patient, busy.devices)


def _busy(
    location: Location,
    span: Span,
    practitioners: list[int],
    visit: Visit,
    patient_id: int | None,
    apart_from: int | Collection[int] | None,
) -> Busy:
    """Appointments and blocks of all who come into question."""
    moving = [apart_from] if isinstance(apart_from, int) else list(apart_from or ())
    rooms = Room.objects.filter(location=location, is_active=True)
    if visit.room_kind:
        rooms = rooms.filter(kind=visit.room_kind)
    busy = Busy(
        {pk: [] for pk in practitioners},
        {pk: [] for pk in rooms.values_list("pk", flat=True)},
        [],
        _devices(location, visit),
    )
    devices = busy.devices or {}
    concerned = (
        Q(practitioner__in=practitioners)
        | Q(room__in=list(busy.rooms))
        | Q(device__in=list(devices))
        | Q(patient=patient_id)
    )
    rows = Appointment.objects.live().overlapping(*span).filter(concerned).exclude(pk__in=moving)
    for held in map(Held._make, rows.values_list(*Held._fields)):
        if held.practitioner_id in busy.practitioners:
            busy.practitioners[held.practitioner_id].append(held.practitioner)
        if held.room_id in busy.rooms:
            busy.rooms[held.room_id].append(held.room)
        if held.device_id and held.device_id in devices:
            devices[held.device_id].append(held.device)
        if held.patient_id == patient_id:
            busy.patient.append(held.patient)
    _add_blocks(busy, location, span)
    return busy


def _devices(location: Location, visit: Visit) -> dict[int, list[Span]] | None:
    if not visit.device_kind:
        return None
    devices = Device.objects.filter(location=location, is_active=True, kind=visit.device_kind)
    return {pk: [] for pk in devices.values_list("pk", flat=True)}


def _add_blocks(busy: Busy, location: Location, span: Span) -> None:
    """A block of the whole location keeps its people away; so nothing can be booked in it."""
    mine = Q(location=location) | Q(staff__in=list(busy.practitioners))
    for block in Block.objects.overlapping(*span).filter(mine):
        taken = Span(block.starts_at, block.ends_at)
        if block.staff_id:
            keeps = [busy.practitioners.get(block.staff_id)]
        elif block.room_id:
            keeps = [busy.rooms.get(block.room_id)]
        elif block.device_id:
            keeps = [(busy.devices or {}).get(block.device_id)]
        else:
            keeps = [busy.patient]
        for spans in keeps:
            if spans is not None:
                spans.append(taken)
