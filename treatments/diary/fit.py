"""Which booked appointments no longer fit: the hours, the blocks, who and what they were booked on.

Pure rules over light rows, and the queries that gather them: always the same few, however many
appointments there are. The same answer serves the question before a change and the list after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.models import Membership, Staff
from clinic.places.models import Device, Location, Room
from clinic.places.stranding import Concerned, Stranding
from treatments.diary.actions import BUSY
from treatments.diary.blocks import wait_for_bookings
from treatments.diary.contention import trying_again
from treatments.diary.forms import service_name
from treatments.diary.hours import Hours
from treatments.diary.models import Appointment, Block, Service
from treatments.diary.slots import Span
from treatments.diary.transitions import MOVABLE


class Reason(Enum):
    """Why an appointment cannot take place as it is booked."""

    CLOSED = "the location is closed"
    OFF_DUTY = "the practitioner does not work then"
    AWAY = "the practitioner is away"
    PRACTITIONER_GONE = "the practitioner no longer works here in this role"
    ROOM_BLOCKED = "the room is out of service"
    ROOM_GONE = "the room is not in use"
    ROOM_KIND = "the visit needs another kind of room"
    DEVICE_BLOCKED = "the device is out of service"
    DEVICE_GONE = "the device is not in use"
    DEVICE_KIND = "the visit needs another kind of device"


class Booked(NamedTuple):
    """What a rule must know of an appointment; ids and times, no names."""

    pk: int
    location_id: int
    practitioner_id: int
    room_id: int
    device_id: int | None
    service_id: int
    starts_at: datetime
    ends_at: datetime
    practitioner_from: datetime | None
    room_until: datetime | None
    overlap_reason: str
    created_at: datetime

    @property
    def patient_span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def practitioner_span(self) -> Span:
        return Span(self.practitioner_from or self.starts_at, self.ends_at)

    @property
    def room_span(self) -> Span:
        return Span(self.starts_at, self.room_until or self.ends_at)

    @property
    def device_span(self) -> Span:
        return Span(self.practitioner_from or self.starts_at, self.room_until or self.ends_at)


class Person(NamedTuple):
    """Someone's role, and the locations where they work; none once they are not active."""

    role: str
    places: frozenset[int]


class Thing(NamedTuple):
    """A room or a device in use; those not in use are not there at all."""

    kind: str


class Want(NamedTuple):
    """What a service asks for; empty: anything."""

    role: str
    room_kind: str
    device_kind: str


class Closed(NamedTuple):
    """A block, and when it was made."""

    span: Span
    created_at: datetime


Blocks = dict[int, list[Closed]]


@dataclass
class Facts:
    """Everything an appointment has to fit to."""

    hours: Mapping[int, Hours]
    people: Mapping[int, Person]
    rooms: Mapping[int, Thing]
    devices: Mapping[int, Thing]
    wants: Mapping[int, Want]
    away: Blocks = field(default_factory=lambda: defaultdict(list))
    rooms_blocked: Blocks = field(default_factory=lambda: defaultdict(list))
    devices_blocked: Blocks = field(default_factory=lambda: defaultdict(list))
    places_blocked: Blocks = field(default_factory=lambda: defaultdict(list))
    _open: dict[tuple[int, date], Span | None] = field(default_factory=dict)
    _worked: dict[tuple[int, int, date], list[Span]] = field(default_factory=dict)

    def opening(self, place: int, day: date) -> Span | None:
        """When a location is open; each day is worked out once."""
        key = (place, day)
        if key not in self._open:
            self._open[key] = self.hours[place].opening(day)
        return self._open[key]

    def worked(self, place: int, person: int, day: date) -> list[Span]:
        """When a person works there on a day."""
        key = (place, person, day)
        if key not in self._worked:
            self._worked[key] = self.hours[place].working(person, day)
        return self._worked[key]


def reasons(row: Booked, facts: Facts) -> list[Reason]:
    """Why it does not fit; nothing where it does.

    What was booked over hours and blocks on purpose is held to later blocks only.
    """
    return [*_of_time(row, facts), *_of_people_and_things(row, facts)]


def _of_time(row: Booked, facts: Facts) -> Iterator[Reason]:
    day = row.starts_at.astimezone(facts.hours[row.location_id].location.zone).date()
    if not row.overlap_reason:
        opening = facts.opening(row.location_id, day)
        if opening is None or not opening.holds(row.patient_span):
            yield Reason.CLOSED
        elif not any(
            span.holds(row.practitioner_span)
            for span in facts.worked(row.location_id, row.practitioner_id, day)
        ):
            yield Reason.OFF_DUTY
    for blocks, key, span, reason in (
        (facts.places_blocked, row.location_id, row.patient_span, Reason.CLOSED),
        (facts.away, row.practitioner_id, row.practitioner_span, Reason.AWAY),
        (facts.rooms_blocked, row.room_id, row.room_span, Reason.ROOM_BLOCKED),
        (facts.devices_blocked, row.device_id, row.device_span, Reason.DEVICE_BLOCKED),
    ):
        if any(_keeps_out(block, row, span) for block in blocks.get(key or 0, ())):
            yield reason


def _keeps_out(block: Closed, row: Booked, span: Span) -> bool:
    known_when_booked = row.overlap_reason and block.created_at <= row.created_at
    return block.span.overlaps(span) and not known_when_booked


def _of_people_and_things(row: Booked, facts: Facts) -> Iterator[Reason]:
    want = facts.wants[row.service_id]
    person = facts.people.get(row.practitioner_id)
    if person is None or person.role != want.role or row.location_id not in person.places:
        yield Reason.PRACTITIONER_GONE
    room = facts.rooms.get(row.room_id)
    if room is None:
        yield Reason.ROOM_GONE
    elif want.room_kind and room.kind != want.room_kind:
        yield Reason.ROOM_KIND
    device = facts.devices.get(row.device_id) if row.device_id else None
    if row.device_id and device is None:
        yield Reason.DEVICE_GONE
    elif want.device_kind and (device is None or device.kind != want.device_kind):
        yield Reason.DEVICE_KIND


def misfits(concerned: Concerned, at: datetime) -> dict[int, list[Reason]]:
    """The appointments from `at` on that can still be moved and no longer fit, by time, and why;
    ten queries at most.
    """
    rows = _booked(concerned, at)
    if not rows:
        return {}
    facts = _facts(rows, at)
    found = ((row.pk, reasons(row, facts)) for row in rows)
    return {pk: why for pk, why in found if why}


def _booked(concerned: Concerned, at: datetime) -> list[Booked]:
    rows = Appointment.objects.filter(status__in=MOVABLE, starts_at__gte=at)
    if concerned.location:
        rows = rows.filter(location=concerned.location)
    if concerned.staff:
        rows = rows.filter(practitioner=concerned.staff)
    if concerned.room:
        rows = rows.filter(room=concerned.room)
    if concerned.device:
        rows = rows.filter(device=concerned.device)
    if concerned.service:
        rows = rows.filter(service=concerned.service)
    values = rows.order_by("starts_at", "pk").values_list(*Booked._fields)
    return [Booked._make(row) for row in values.iterator(chunk_size=5_000)]


def _facts(rows: list[Booked], at: datetime) -> Facts:
    """What these appointments have to fit to."""
    places = Location.objects.filter(pk__in={row.location_id for row in rows})
    first, last = at.date() - timedelta(days=1), rows[-1].starts_at.date() + timedelta(days=1)
    facts = Facts(
        hours=Hours.of_all(places, first, last),
        people=_people({row.practitioner_id for row in rows}),
        rooms=_things(Room, {row.room_id for row in rows}),
        devices=_things(Device, {row.device_id for row in rows if row.device_id}),
        wants={
            pk: Want(*asked)
            for pk, *asked in Service.objects.filter(
                pk__in={row.service_id for row in rows}
            ).values_list("pk", "role", "room_kind", "device_kind")
        },
    )
    _add_blocks(facts, at)
    return facts


def _people(wanted: set[int]) -> dict[int, Person]:
    places: dict[int, set[int]] = defaultdict(set)
    members = Membership.objects.filter(staff__in=wanted)
    for staff, location in members.values_list("staff", "location"):
        places[staff].add(location)
    people = Staff.objects.filter(pk__in=wanted, is_active=True).values_list("pk", "role")
    return {pk: Person(role, frozenset(places[pk])) for pk, role in people}


def _things(model: type[Room] | type[Device], wanted: set[int]) -> dict[int, Thing]:
    rows = model._default_manager.filter(pk__in=wanted, is_active=True)
    return {pk: Thing(kind) for pk, kind in rows.values_list("pk", "kind")}


def _add_blocks(facts: Facts, at: datetime) -> None:
    mine = Q(location__in=list(facts.hours)) | Q(staff__in=list(facts.people))
    for row in Block.objects.filter(mine, ends_at__gt=at):
        for blocks, key in (
            (facts.away, row.staff_id),
            (facts.rooms_blocked, row.room_id),
            (facts.devices_blocked, row.device_id),
            (facts.places_blocked, row.location_id),
        ):
            if key is not None:
                blocks[key].append(Closed(Span(row.starts_at, row.ends_at), row.created_at))
                break


@contextmanager
def asking_first(concerned: Concerned, known: Collection[int]) -> Iterator[None]:
    """The check that `clinic.places.stranding` asks for. No booking is written meanwhile, so one
    that was made between the question and the answer is asked about as well.
    """
    with transaction.atomic():
        _wait()
        at = timezone.now()
        before = misfits(concerned, at).keys()
        yield
        left = {pk: why for pk, why in misfits(concerned, at).items() if pk not in before}
        if not left.keys() <= set(known):
            words = _("Booked appointments would no longer fit. Move them, or change it anyway.")
            raise Stranding(left_behind(left), words)


@trying_again(BUSY)
@transaction.atomic
def _wait() -> None:
    wait_for_bookings()


class Left(NamedTuple):
    """An appointment that no longer fits, ready to be shown; times without a zone, as the
    location's clock shows them.
    """

    pk: int
    location_id: int
    location: str
    patient_id: int
    patient_number: str
    patient: str
    starts: datetime
    ends: datetime
    service: str
    practitioner: str
    room: str
    why: list[str]

    @property
    def clock(self) -> str:
        return f"{self.starts:%H:%M}"


def left_behind(found: Mapping[int, list[Reason]], first: int | None = None) -> list[Left]:
    """The details of misfits, by time; one query."""
    related = ("patient", "practitioner", "room", "service", "location", "device")
    pks = list(found)[:first]
    rows = Appointment.objects.filter(pk__in=pks).select_related(*related)
    return [_left(row, found[row.pk]) for row in rows.order_by("starts_at", "pk")]


def _left(row: Appointment, why: list[Reason]) -> Left:
    zone = row.location.zone
    return Left(
        pk=row.pk,
        location_id=row.location_id,
        location=row.location.name,
        patient_id=row.patient_id,
        patient_number=row.patient.number,
        patient=f"{row.patient.family_name.upper()}, {row.patient.given_name}",
        starts=row.starts_at.astimezone(zone).replace(tzinfo=None),
        ends=row.ends_at.astimezone(zone).replace(tzinfo=None),
        service=service_name(row.service),
        practitioner=row.practitioner.name,
        room=row.room.name,
        why=[_said(reason, row) for reason in why],
    )


def _said(reason: Reason, row: Appointment) -> str:
    """Why, in words with names."""
    words = {
        Reason.CLOSED: gettext_lazy("%(place)s is closed then."),
        Reason.OFF_DUTY: gettext_lazy("%(who)s does not work then."),
        Reason.AWAY: gettext_lazy("%(who)s is away."),
        Reason.PRACTITIONER_GONE: gettext_lazy("%(who)s no longer does this here."),
        Reason.ROOM_BLOCKED: gettext_lazy("%(room)s is out of service."),
        Reason.ROOM_GONE: gettext_lazy("%(room)s is not in use."),
        Reason.ROOM_KIND: gettext_lazy("%(room)s is not the kind of room this needs."),
        Reason.DEVICE_BLOCKED: gettext_lazy("%(device)s is out of service."),
        Reason.DEVICE_GONE: gettext_lazy("%(device)s is not in use."),
        Reason.DEVICE_KIND: gettext_lazy("No device of the kind this needs is booked with it."),
    }
    return str(words[reason]) % {
        "place": row.location.name,
        "who": row.practitioner.name,
        "room": row.room.name,
        "device": f"{row.device.make} {row.device.model}" if row.device else "",
    }
