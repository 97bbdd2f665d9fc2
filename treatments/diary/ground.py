"""What a page of the diary stands on besides its appointments: who works where and when, the rooms,
what is blocked, and a stamp that changes with anything shown. One statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from clinic.access.permissions import Role
from clinic.places.models import Location, LocationDay
from treatments.diary.hours import Hours
from treatments.diary.models import Block
from treatments.diary.slots import Span

BLOCKS = """
    FROM treatments_block b
    LEFT JOIN clinic_staff bs ON bs.id = b.staff_id
    LEFT JOIN clinic_room br ON br.id = b.room_id
    LEFT JOIN clinic_device bd ON bd.id = b.device_id
    WHERE b.starts_at < %(end)s AND b.ends_at > %(start)s AND (
        b.location_id = %(location)s OR b.staff_id IN (
            SELECT m.staff_id FROM clinic_membership m WHERE m.location_id = %(location)s
        )
    )
"""
# The three columns that `hours_from` reads: the opening and working hours of some days.
HOURS = """
    (SELECT json_agg(json_build_array(d.day, d.opens_at, d.closes_at, d.reason))
     FROM clinic_locationday d
     WHERE d.location_id = %(location)s AND d.day BETWEEN %(first)s AND %(last)s),
    (SELECT json_agg(json_build_array(w.staff_id, w.weekday, w.starts_at, w.ends_at))
     FROM clinic_workinghours w WHERE w.location_id = %(location)s),
    (SELECT json_agg(json_build_array(h.staff_id, h.day, h.starts_at, h.ends_at))
     FROM clinic_dayhours h
     WHERE h.location_id = %(location)s AND h.day BETWEEN %(first)s AND %(last)s)
"""
# What a card shows of its own row. A name or a history that changes is seen at the next loading.
STAMP = f"""
md5(concat(
    (SELECT string_agg(concat_ws(' ', a.id, a.status, a.starts_at, a.ends_at, a.practitioner_from,
        a.room_until, a.practitioner_id, a.room_id, a.service_id, a.overlap_reason = ''), ','
        ORDER BY a.id)
     FROM treatments_appointment a
     WHERE a.location_id = %(location)s AND a.starts_at >= %(start)s AND a.starts_at < %(end)s),
    (SELECT string_agg(concat_ws(' ', b.id, b.starts_at, b.ends_at), ',' ORDER BY b.id) {BLOCKS})
))
"""  # noqa: S608  (made of constants)
# In SQL because each opening of the diary asks it: ten tables in one statement, without models.
GROUND = f"""
SELECT
    {STAMP},
    (SELECT json_agg(json_build_array(s.id, s.name) ORDER BY s.name)
     FROM clinic_staff s JOIN clinic_membership m ON m.staff_id = s.id
     WHERE m.location_id = %(location)s AND s.role = %(role)s AND s.is_active),
    (SELECT json_agg(json_build_array(r.id, r.name) ORDER BY r.name)
     FROM clinic_room r WHERE r.location_id = %(location)s AND r.is_active),
    (SELECT json_agg(json_build_array(b.id, b.kind, b.starts_at, b.ends_at, b.staff_id, b.room_id,
        b.device_id, coalesce(bs.name, br.name, concat_ws(' ', bd.make, bd.model)), b.reason,
        b.location_id = %(location)s)
        ORDER BY b.starts_at, b.id) {BLOCKS}),
    {HOURS}
"""  # noqa: S608  (made of constants)


@dataclass(frozen=True)
class Blocked:
    """A block as shown: times in the location's zone; `name` is empty for the whole location.

    One of a person made at another location is shown without its reason, and cannot be lifted here.
    """

    pk: int
    kind: str
    starts: datetime
    ends: datetime
    staff_id: int | None
    room_id: int | None
    device_id: int | None
    name: str
    reason: str
    is_here: bool

    @property
    def word(self) -> str:
        """What kind of block it is, in words."""
        return str(Block.Kind(self.kind).label)

    @property
    def is_of_all(self) -> bool:
        return not (self.staff_id or self.room_id or self.device_id)


@dataclass(frozen=True)
class Ground:
    """Practitioners and rooms as (id, name), by name."""

    stamp: str
    practitioners: list[tuple[int, str]]
    rooms: list[tuple[int, str]]
    blocks: list[Blocked]
    hours: Hours


def ground_of(location: Location, first: date, span: Span) -> Ground:
    """Of the days from `first` whose whole hours are `span`."""
    last = (span.end - timedelta(microseconds=1)).astimezone(location.zone).date()
    values: dict[str, Any] = {
        "location": location.pk,
        "role": Role.PRACTITIONER.value,
        "start": span.start,
        "end": span.end,
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(GROUND, values)
        stamp, practitioners, rooms, blocks, *hours = cursor.fetchone()
    return Ground(
        stamp,
        [(pk, name) for pk, name in practitioners or []],
        [(pk, name) for pk, name in rooms or []],
        [_blocked(location, row) for row in blocks or []],
        hours_from(location, *hours),
    )


def stamp_of(location_id: int, span: Span) -> str:
    """The stamp alone: another one means that something shown has changed."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"location": location_id, "start": span.start, "end": span.end}
        cursor.execute(f"SELECT {STAMP}", values)
        return str(cursor.fetchone()[0])


def _blocked(location: Location, row: list[Any]) -> Blocked:
    pk, kind, starts, ends, staff, room, device, name, reason, is_here = row
    start, end = (datetime.fromisoformat(t).astimezone(location.zone) for t in (starts, ends))
    shown = reason if is_here else ""
    return Blocked(pk, kind, start, end, staff, room, device, name or "", shown, is_here)


def hours_from(
    location: Location,
    days: list[Any] | None,
    weekly: list[Any] | None,
    single: list[Any] | None,
) -> Hours:
    """The columns of `HOURS` as the pure rules take them."""
    hours = Hours(location)
    for day, opens, closes, reason in days or []:
        when = date.fromisoformat(day)
        times = {"opens_at": _time(opens), "closes_at": _time(closes)}
        hours.days[when] = LocationDay(location=location, day=when, reason=reason, **times)
    for staff, weekday, starts, ends in weekly or []:
        week = hours.weekly.setdefault(staff, {})
        week.setdefault(weekday, []).append((time.fromisoformat(starts), time.fromisoformat(ends)))
    for staff, day, starts, ends in single or []:
        worked = [(time.fromisoformat(starts), time.fromisoformat(ends))] if starts and ends else []
        hours.single[staff, date.fromisoformat(day)] = worked
    return hours


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None
