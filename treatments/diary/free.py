"""Which times of the coming days are free: the rows behind `slots`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from django.db import connection

from clinic.places.models import Location
from treatments.diary.ground import HOURS, hours_from
from treatments.diary.held import HELD, LIVE, Held
from treatments.diary.hours import Hours
from treatments.diary.models import LONGEST_SERVICE
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


# In SQL because every refusal of a booking asks both: composed by the ORM they took as long as
# everything else about it.
COMES_INTO_QUESTION = f"""
SELECT
    (SELECT json_agg(json_build_array(s.id, s.name) ORDER BY s.name, s.id)
     FROM clinic_staff s JOIN clinic_membership m ON m.staff_id = s.id
     WHERE m.location_id = %(location)s AND s.role = %(role)s AND s.is_active),
    (SELECT json_agg(json_build_array(r.id, r.name, r.kind) ORDER BY r.name, r.id)
     FROM clinic_room r WHERE r.location_id = %(location)s AND r.is_active),
    (SELECT json_agg(v.id ORDER BY v.make, v.model, v.id) FROM clinic_device v
     WHERE v.location_id = %(location)s AND v.is_active AND v.kind = %(device_kind)s),
    (SELECT json_agg(json_build_array(b.starts_at, b.ends_at, b.staff_id, b.room_id, b.device_id))
     FROM treatments_block b
     WHERE b.starts_at < %(end)s AND b.ends_at > %(start)s AND (
         b.location_id = %(location)s OR b.staff_id IN (
             SELECT m.staff_id FROM clinic_membership m WHERE m.location_id = %(location)s
         )
     )),
    {HOURS}
"""  # noqa: S608  (made of constants)
TAKEN = f"""
SELECT {HELD} FROM treatments_appointment a WHERE {LIVE} AND a.id <> ALL(%(apart)s)
    AND (a.practitioner_id = ANY(%(practitioners)s) OR a.room_id = ANY(%(rooms)s)
        OR a.device_id = ANY(%(devices)s) OR a.patient_id = %(patient)s)
"""  # noqa: S608  (made of constants)


@dataclass(frozen=True)
class Ground:
    """Who and what comes into question for a visit at a location, when it is open and what is
    blocked: what is read once, however many days are looked at. `rooms` are all that are in use,
    by name, with their kind.
    """

    location: Location
    visit: Visit
    names: dict[int, str]
    rooms: dict[int, tuple[str, str]]
    devices: list[int] | None
    blocks: list[tuple[Span, int | None, int | None, int | None]]
    hours: Hours

    @classmethod
    def of(cls, location: Location, visit: Visit, day: date, days: int = DAYS_AHEAD) -> Ground:
        """Over `days` days from `day`; one query."""
        last = day + timedelta(days=days - 1)
        values: dict[str, Any] = {
            "location": location.pk,
            "role": visit.role,
            "device_kind": visit.device_kind,
            "start": whole_day(day, location.zone).start,
            "end": whole_day(last, location.zone).end,
            "first": day,
            "last": last,
        }
        with connection.cursor() as cursor:
            cursor.execute(COMES_INTO_QUESTION, values)
            people, rooms, devices, blocks, *hours = cursor.fetchone()
        return cls(
            location=location,
            visit=visit,
            names=dict(people or []),
            rooms={pk: (name, kind) for pk, name, kind in rooms or []},
            devices=(devices or []) if visit.device_kind else None,
            blocks=[(_span(begins, ends), *whose) for begins, ends, *whose in blocks or []],
            hours=hours_from(location, *hours),
        )

    @property
    def fitting(self) -> list[int]:
        """The rooms of the kind that the visit needs."""
        needed = self.visit.room_kind
        return [pk for pk, (_name, kind) in self.rooms.items() if not needed or kind == needed]


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


def free_days(ground: Ground, day: date, **wanted: Any) -> Iterator[list[Free]]:
    """The free times of each of `DAYS_AHEAD` days from `day` that has any, as they are asked for.

    The ground is that of all these days. The visits of the first are read alone: it mostly has
    enough.
    """
    asked = Wanted(**wanted)
    if first := list(_times(ground, day, 1, asked)):
        yield first
    rest = _times(ground, day + timedelta(days=1), DAYS_AHEAD - 1, asked)
    for _day, times in groupby(rest, key=lambda free: free.start.date()):
        yield list(times)


def _times(ground: Ground, day: date, days: int, wanted: Wanted) -> Iterator[Free]:
    """One query: the visits of those days."""
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


def next_free(
    count: int, *, location: Location, day: date, visit: Visit, **wanted: Any
) -> list[Free]:
    """The first few free times within `DAYS_AHEAD` days from `day`."""
    ground = Ground.of(location, visit, day)
    return list(islice(chain.from_iterable(free_days(ground, day, **wanted)), count))


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
        {pk: [] for pk in ground.fitting},
        [],
        None if ground.devices is None else devices,
    )
    values: dict[str, Any] = {
        "earliest": span.start - LONGEST_SERVICE,
        "start": span.start,
        "end": span.end,
        "apart": apart,
        "practitioners": practitioners,
        "rooms": list(busy.rooms),
        "devices": list(devices),
        "patient": wanted.patient_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, values)
        rows = cursor.fetchall()
    for held in map(Held._make, rows):
        if held.practitioner_id in busy.practitioners:
            busy.practitioners[held.practitioner_id].append(held.practitioner)
        if held.room_id in busy.rooms:
            busy.rooms[held.room_id].append(held.room)
        if held.device_id and held.device_id in devices:
            devices[held.device_id].append(held.device)
        if held.patient_id == wanted.patient_id:
            busy.patient.append(held.patient)
    _add_blocks(busy, ground, span)
    return busy


def _add_blocks(busy: Busy, ground: Ground, span: Span) -> None:
    """A block of the whole location keeps its people away; so nothing can be booked in it."""
    for taken, staff, room, device in ground.blocks:
        if not taken.overlaps(span):
            continue
        if staff:
            spans = busy.practitioners.get(staff)
        elif room:
            spans = busy.rooms.get(room)
        elif device:
            spans = (busy.devices or {}).get(device)
        else:
            spans = busy.patient
        if spans is not None:
            spans.append(taken)


def _span(begins: str, ends: str) -> Span:
    return Span(datetime.fromisoformat(begins), datetime.fromisoformat(ends))
