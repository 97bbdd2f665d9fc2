"""Who and what could serve a visit, and what keeps them from it: one statement for each booking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.holidays import holiday
from clinic.places.models import Location, LocationDay
from treatments.diary.held import HELD, LIVE, Held
from treatments.diary.hours import usual_opening
from treatments.diary.models import LONGEST_SERVICE, Appointment, Block
from treatments.diary.slots import Needs, Span, opening
from treatments.diary.visit import Visit

PRACTITIONER, ROOM, DEVICE, PATIENT, PLACE = "practitioner", "room", "device", "patient", "place"
FREE, BUSY, BLOCKED, OFF = "free", "busy", "blocked", "off"
OWN, CHANGED = "own", "changed"
"""Of a location: the day has hours of its own; its usual ones are not those the caller knows."""
END_OF_DAY = "24:00"
"""What the clock shows, for hours of one day, of a moment on a later day: later than any of them.
"""
# The lock that a booking takes anyway when it is written, taken before anything is read: whoever
# changes hours, people or rooms meanwhile (diary/fit.py) waits for it, and it for them. In the same
# round trip.
LOCK = "LOCK TABLE treatments_appointment IN ROW EXCLUSIVE MODE"
# The function is in candidates.sql.
CANDIDATES = """
SELECT * FROM treatments_candidates(
    _location => %(location)s, _patient => %(patient)s, _room => %(room)s,
    _apart_from => %(apart_from)s, _role => %(role)s, _room_kind => %(room_kind)s,
    _device_kind => %(device_kind)s, _earliest => %(earliest)s, _start => %(start)s,
    _hands_on => %(hands_on)s, _end => %(end)s, _clean => %(clean)s, _day => %(day)s,
    _weekday => %(weekday)s, _clock_from => %(clock_from)s, _clock_until => %(clock_until)s,
    _opens => %(opens)s, _closes => %(closes)s, _closed_weekdays => %(closed_weekdays)s,
    _closes_on_holidays => %(closes_on_holidays)s, _holiday_region => %(holiday_region)s,
    _country => %(country)s, _zone => %(zone)s
)
"""
IN_THE_WAY = f"""
SELECT {HELD}, s.name, r.name
FROM treatments_appointment a
JOIN clinic_staff s ON s.id = a.practitioner_id JOIN clinic_room r ON r.id = a.room_id
WHERE {LIVE} AND a.id <> %(apart_from)s AND (
    a.patient_id = %(patient)s OR a.practitioner_id = %(practitioner)s OR a.room_id = %(room)s
)
ORDER BY a.starts_at
"""  # noqa: S608  (made of constants)


class Taken(ActionRefused):
    """The time is not free; a form may offer others."""


class Chosen(NamedTuple):
    """Who and what a visit gets."""

    practitioner: int
    room: int
    device: int | None


@dataclass(frozen=True)
class Wish:
    """What is to be reserved. An id of None means any."""

    location: Location
    patient_id: int
    starts_at: datetime
    visit: Visit
    practitioner_id: int | None
    room_id: int | None
    apart_from: int | None = None
    over_what_is_taken: bool = False

    @property
    def needs(self) -> Needs:
        return self.visit.shape.needs(self.starts_at)


States = dict[str, dict[int, str]]


def choose(wish: Wish) -> Chosen:
    """A practitioner, a room and a device that are free as of now; one query.

    Raises `Taken` naming who or what is taken, and `ActionRefused` outside the hours. A wish for
    what is taken gets it all the same, but never a patient twice, nor what is not here at all.
    """
    states = _states(wish)
    for kind, wanted in ((PRACTITIONER, wish.practitioner_id), (ROOM, wish.room_id)):
        if wanted is not None and wanted not in states[kind]:
            raise ActionRefused(_not_here(kind), field=kind)
    if FREE not in states[PATIENT].values():
        raise Taken(_in_the_way(wish, states) or _("This time has just been taken."))
    if not wish.over_what_is_taken:
        _refuse_closed(wish, states)
    return Chosen(
        _one(wish, states, PRACTITIONER, wish.practitioner_id),
        _one(wish, states, ROOM, wish.room_id),
        _one(wish, states, DEVICE, None) if wish.visit.device_kind else None,
    )


def _one(wish: Wish, states: States, kind: str, wanted: int | None) -> int:
    """The one asked for, or the first that is free."""
    known = states[kind]
    free = [pk for pk, state in known.items() if state == FREE and wanted in (None, pk)]
    if free:
        return free[0]
    if wish.over_what_is_taken and known:
        return wanted or next(iter(known))
    raise Taken(_in_the_way(wish, states) or _none_free(wish, kind, known.get(wanted or 0, "")))


def _states(wish: Wish) -> States:
    """kind -> id -> state, of every person and thing that comes into question."""
    needs, zone = wish.needs, wish.location.zone
    local = needs.patient.start.astimezone(zone)

    def clock(moment: datetime) -> str:
        there = moment.astimezone(zone)
        return there.time().isoformat() if there.date() == local.date() else END_OF_DAY

    values: dict[str, Any] = {
        "location": wish.location.pk,
        "patient": wish.patient_id,
        "room": wish.room_id or 0,
        "role": wish.visit.role,
        "room_kind": wish.visit.room_kind,
        "device_kind": wish.visit.device_kind,
        "earliest": needs.patient.start - LONGEST_SERVICE,
        "start": needs.patient.start,
        "hands_on": needs.practitioner.start,
        "end": needs.patient.end,
        "clean": needs.room.end,
        "day": local.date(),
        "weekday": local.weekday(),
        "clock_from": clock(needs.practitioner.start),
        "clock_until": clock(needs.patient.end),
        "opens": wish.location.opens_at,
        "closes": wish.location.closes_at,
        "closed_weekdays": wish.location.closed_weekdays,
        "closes_on_holidays": wish.location.closes_on_holidays,
        "holiday_region": wish.location.holiday_region,
        "country": wish.location.country_id,
        "zone": wish.location.timezone,
        "apart_from": wish.apart_from or 0,
    }
    states: States = {kind: {} for kind in (PRACTITIONER, ROOM, DEVICE, PATIENT, PLACE)}
    with connection.cursor() as cursor:
        cursor.execute(f"{LOCK}; {CANDIDATES}", values)
        cursor.nextset()
        for kind, pk, state in cursor.fetchall():
            states[kind][pk] = state
    return states


def _refuse_closed(wish: Wish, states: States) -> None:
    """Outside the opening hours of that day, or while the whole location is blocked."""
    state, span = states[PLACE][wish.location.pk], wish.needs.patient
    if state == CHANGED:
        raise Taken(_("The opening hours have just been changed. Please look again."))
    if state == BLOCKED:
        raise Taken(_in_the_way(wish, states) or _("This time has just been taken."))
    day = span.start.astimezone(wish.location.zone).date()
    hours = _own_hours(wish, day) if state == OWN else usual_opening(wish.location, day)
    if hours is None or not hours.holds(span):
        raise ActionRefused(_closed_words(wish, hours), field="time")


def _own_hours(wish: Wish, day: date) -> Span | None:
    entry = LocationDay.objects.get(location=wish.location, day=day)
    if entry.opens_at is None or entry.closes_at is None:
        return None
    return opening(day, entry.opens_at, entry.closes_at, wish.location.zone)


def _closed_words(wish: Wish, hours: Span | None) -> str:
    place, zone = wish.location, wish.location.zone
    if hours is None:
        named = holiday(place, wish.starts_at.astimezone(zone).date(), get_language() or "")
        if named:
            return _("%(place)s is closed on that day (%(holiday)s).") % {
                "place": place.name,
                "holiday": named,
            }
        return _("%(place)s is closed on that day.") % {"place": place.name}
    return _("%(place)s is open from %(opens)s to %(closes)s; this visit would not fit in.") % {
        "place": place.name,
        "opens": f"{hours.start.astimezone(zone):%H:%M}",
        "closes": f"{hours.end.astimezone(zone):%H:%M}",
    }


def _not_here(kind: str) -> str:
    if kind == PRACTITIONER:
        return _("This practitioner does not work at this location.")
    return _("This room is not at this location, or not in use.")


def in_the_way_of(row: Appointment) -> str:
    """What holds the time of a visit that had given it up, in words; nothing where it is free."""
    wish = Wish(
        row.location,
        row.patient_id,
        row.starts_at,
        Visit.of_appointment(row),
        row.practitioner_id,
        row.room_id,
        apart_from=row.pk,
    )
    said = [*_appointments_in_the_way(wish), *_blocks_in_the_way(wish, row.device_id)]
    if row.device_id is not None:
        said += _devices_in_the_way(wish, Q(device=row.device_id))
    return _joined(said)


def _in_the_way(wish: Wish, states: States) -> str:
    """Who or what is taken or away, in words; only what the desk may see at its own location."""
    said = _appointments_in_the_way(wish)
    if any(BLOCKED in kind.values() for kind in states.values()):
        said += _blocks_in_the_way(wish, None)
    return _joined(said)


def _joined(said: list[str]) -> str:
    """Each sentence once."""
    return " ".join(dict.fromkeys(said))


def _appointments_in_the_way(wish: Wish) -> list[str]:
    needs, said, clock = wish.needs, [], _clock(wish.location)
    values: dict[str, Any] = {
        "earliest": needs.room.start - LONGEST_SERVICE,
        "start": needs.room.start,
        "end": needs.room.end,
        "patient": wish.patient_id,
        "practitioner": wish.practitioner_id,
        "room": wish.room_id,
        "apart_from": wish.apart_from or 0,
    }
    with connection.cursor() as cursor:
        cursor.execute(IN_THE_WAY, values)
        rows = cursor.fetchall()
    for *fields, who, room in rows:
        held = Held(*fields)
        if held.practitioner_id == wish.practitioner_id and held.practitioner.overlaps(
            needs.practitioner
        ):
            said.append(
                _("%(who)s is already booked from %(start)s to %(end)s.")
                % {"who": who, **clock(held.practitioner)}
            )
        if held.patient_id == wish.patient_id and held.patient.overlaps(needs.patient):
            said.append(
                _("The patient already has an appointment from %(start)s to %(end)s.")
                % clock(held.patient)
            )
        if held.room_id == wish.room_id and held.room.overlaps(needs.room):
            said.append(
                _("%(what)s is already taken from %(start)s to %(end)s.")
                % {"what": room, **clock(held.room)}
            )
    return said


def _devices_in_the_way(wish: Wish, devices: Q) -> list[str]:
    """Of which of these devices a visit has need, and until when."""
    span = wish.needs.device
    rows = Appointment.objects.live().overlapping(*span).needing_device(*span)
    rows = rows.exclude(pk=wish.apart_from or 0).filter(devices, device__isnull=False)
    return [
        _("%(what)s is already taken from %(start)s to %(end)s.")
        % {
            "what": str(row.device),
            **_clock(wish.location)(Visit.of_appointment(row).shape.needs(row.starts_at).device),
        }
        for row in rows.select_related("device", "service").order_by("starts_at")
    ]


def _blocks_in_the_way(wish: Wish, device: int | None) -> list[str]:
    needs, said = wish.needs, []
    whole_place = Q(
        location=wish.location, staff__isnull=True, room__isnull=True, device__isnull=True
    )
    concerned = Q(staff=wish.practitioner_id) if wish.practitioner_id else Q(pk__in=[])
    if wish.room_id:
        concerned |= Q(room=wish.room_id)
    if device is not None:
        concerned |= Q(device=device)
    blocks = Block.objects.overlapping(needs.room.start, needs.room.end)
    for block in blocks.filter(concerned | whole_place).prefetch_related("staff", "room", "device"):
        span = Span(block.starts_at, block.ends_at)
        thing = block.staff or block.room or block.device
        if not span.overlaps(_needed(needs, block)):
            continue
        said.append(
            _("%(what)s: %(kind)s from %(start)s to %(end)s.")
            % {
                "what": str(thing or wish.location),
                "kind": block.get_kind_display(),
                **_clock(wish.location)(span),
            }
        )
    return said


def _needed(needs: Needs, block: Block) -> Span:
    """The time of a visit that a block of this kind keeps out."""
    if block.staff_id:
        return needs.practitioner
    if block.device_id:
        return needs.device
    return needs.room if block.room_id else needs.patient


def _clock(location: Location) -> Callable[[Span], dict[str, str]]:
    """The bounds of a span on the location's clock, with the day where it is more than one."""

    def said(span: Span) -> dict[str, str]:
        start, end = (moment.astimezone(location.zone) for moment in span)
        shape = "H:i" if start.date() == end.date() else "j M H:i"
        return {"start": date_format(start, shape), "end": date_format(end, shape)}

    return said


def _none_free(wish: Wish, kind: str, state: str) -> str:
    if kind == PRACTITIONER and wish.practitioner_id is not None and state == OFF:
        name = Staff.objects.values_list("name", flat=True).get(pk=wish.practitioner_id)
        return _("%(who)s does not work at this time.") % {"who": name}
    if kind == DEVICE:
        no_device = _("No device of the kind that this visit needs is free at this time.")
        would_do = Q(
            device__location=wish.location,
            device__kind=wish.visit.device_kind,
            device__is_active=True,
        )
        return " ".join([no_device, *_devices_in_the_way(wish, would_do)])
    if kind == ROOM and wish.practitioner_id is not None:
        return _("No room is free at this time.")
    return _("No practitioner is free at this time, or no room.")
