"""Which times of the coming days are free: the rows behind `slots`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from django.db.models import Q

from clinic.access.models import Staff
from clinic.places.models import Device, Location, Room
from treatments.diary.held import Held
from treatments.diary.hours import Hours
from treatments.diary.models import LONGEST_SERVICE, Appointment, Block
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


@dataclass(frozen=True)
class Ground:
    """Who and what comes into question for a visit at a location, and when it is open: what is
    read once, however many days are looked at.
    """

    location: Location
    visit: Visit
    names: dict[int, str]
    rooms: list[int]
    devices: list[int] | None
    hours: Hours

    @classmethod
    def of(cls, location: Location, visit: Visit, day: date, days: int) -> Ground:
        """Over `days` days from `day`; six queries at most."""
        staff = Staff.objects.working_at(location.pk, visit.role)
        rooms = Room.objects.filter(location=location, is_active=True)
        if visit.room_kind:
            rooms = rooms.filter(kind=visit.room_kind)
        return cls(
            location=location,
            visit=visit,
            names=dict(staff.values_list("pk", "name")),
            rooms=list(rooms.values_list("pk", flat=True)),
            devices=_devices(location, visit),
            hours=Hours.of(location, day, day + timedelta(days=days - 1)),
        )


@dataclass(frozen=True)
class Wanted:
    """What a visit asks for. `apart_from`: appointments about to be moved, whose own time is free
    for them.
    """

    after: datetime
    practitioner_id: int | None = None
    patient_id: int | None = None
    apart_from: int | Collection[int] | None = None
    with_each: bool = False


def free_times(
    *, location: Location, day: date, visit: Visit, days: int = 1, **wanted: Any
) -> Iterator[Free]:
    """Free times from `Wanted.after` on, over `days` days; a constant number of queries.

    Each time comes once, with the first free practitioner, or `with_each` who is free.
    `Free.starts_at` is the same time in UTC.
    """
    yield from _times(Ground.of(location, visit, day, days), day, days, Wanted(**wanted))


def free_days(
    *, location: Location, day: date, visit: Visit, **wanted: Any
) -> Iterator[list[Free]]:
    """The free times of each of `DAYS_AHEAD` days from `day` that has any, as they are asked for.

    The visits of the first day are read alone: it mostly has enough.
    """
    ground, asked = Ground.of(location, visit, day, DAYS_AHEAD), Wanted(**wanted)
    if first := list(_times(ground, day, 1, asked)):
        yield first
    rest = _times(ground, day + timedelta(days=1), DAYS_AHEAD - 1, asked)
    for _day, times in groupby(rest, key=lambda free: free.start.date()):
        yield list(times)


def _times(ground: Ground, day: date, days: int, wanted: Wanted) -> Iterator[Free]:
    """Two queries: the visits and the blocks of those days."""
    zone = ground.location.zone
    last = whole_day(day + timedelta(days=days - 1), zone).end
    busy = _busy(ground, Span(whole_day(day, zone).start, last), wanted)
    seen: set[datetime] = set()
    for number in range(days):
        today = day + timedelta(days=number)
        open_hours = ground.hours.opening(today)
        if open_hours is None:
            continue
        of_day = _of_day(busy, ground.hours, open_hours, today)
        for offer in free_starts(open_hours, of_day, ground.visit.shape, after=wanted.after):
            if wanted.with_each or offer.start not in seen:
                seen.add(offer.start)
                yield Free(
                    offer.start.astimezone(zone).replace(tzinfo=None),
                    offer.practitioner,
                    ground.names[offer.practitioner],
                    offer.start,
                )


def next_free(count: int, *, day: date, **wanted: Any) -> list[Free]:
    """The first few free times within `DAYS_AHEAD` days from `day`."""
    return list(islice(chain.from_iterable(free_days(day=day, **wanted)), count))


def _of_day(busy: Busy, hours: Hours, open_hours: Span, day: date) -> Busy:
    """What of it concerns one day; those who are off duty on that day are busy."""
    # Cleaning after the last visit may reach beyond the opening hours, but no visit begins then.
    near = Span(open_hours.start, open_hours.end + LONGEST_SERVICE)

    def of_day(known: Mapping[int, list[Span]]) -> dict[int, list[Span]]:
        return {pk: [span for span in taken if span.overlaps(near)] for pk, taken in known.items()}

    practitioners = {
        pk: taken + outside(open_hours, hours.working(pk, day))
        for pk, taken in of_day(busy.practitioners).items()
    }
    devices = None if busy.devices is None else of_day(busy.devices)
    return Busy(practitioners, of_day(busy.rooms), of_day({0: busy.patient})[0], devices)


def _busy(ground: Ground, span: Span, wanted: Wanted) -> Busy:
    """Appointments and blocks of all who come into question."""
    moving = wanted.apart_from
    apart = [moving] if isinstance(moving, int) else list(moving or ())
    practitioners = [pk for pk in ground.names if wanted.practitioner_id in (None, pk)]
    devices: dict[int, list[Span]] = {pk: [] for pk in ground.devices or ()}
    busy = Busy(
        {pk: [] for pk in practitioners},
        {pk: [] for pk in ground.rooms},
        [],
        None if ground.devices is None else devices,
    )
    concerned = (
        Q(practitioner__in=practitioners)
        | Q(room__in=ground.rooms)
        | Q(device__in=list(devices))
        | Q(patient=wanted.patient_id)
    )
    rows = Appointment.objects.live().overlapping(*span).filter(concerned).exclude(pk__in=apart)
    for held in map(Held._make, rows.values_list(*Held._fields)):
        if held.practitioner_id in busy.practitioners:
            busy.practitioners[held.practitioner_id].append(held.practitioner)
        if held.room_id in busy.rooms:
            busy.rooms[held.room_id].append(held.room)
        if held.device_id and held.device_id in devices:
            devices[held.device_id].append(held.device)
        if held.patient_id == wanted.patient_id:
            busy.patient.append(held.patient)
    _add_blocks(busy, ground.location, span)
    return busy


def _devices(location: Location, visit: Visit) -> list[int] | None:
    if not visit.device_kind:
        return None
    devices = Device.objects.filter(location=location, is_active=True, kind=visit.device_kind)
    return list(devices.values_list("pk", flat=True))


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
