"""Booking, moving, cancelling, and the status of the day.

The database refuses what overlaps. A booking is written with ON CONFLICT DO NOTHING, so that of
many at once each but one learns that the time is gone, without a deadlock and without an error.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location, Room
from patients.registry.models import Patient
from treatments.diary.contention import broken_constraint, trying_again
from treatments.diary.models import LONGEST_SERVICE, Appointment, Service
from treatments.diary.slots import Span, opening
from treatments.diary.transitions import MOVABLE, may_follow

BUSY = gettext_lazy("The diary is very busy right now. Please try again.")
LATEST_ENTRY = timedelta(hours=12)
"""How long after its start a visit may still be put into the diary."""
ROUNDS = 4
PRACTITIONER, ROOM, PATIENT = "practitioner", "room", "patient"
TAKEN_BY_CONSTRAINT = {
    "practitioner_not_twice": PRACTITIONER,
    "room_not_twice": ROOM,
    "patient_not_twice": PATIENT,
}

OVERLAPPING = """
    a.starts_at > %(earliest)s AND a.starts_at < %(end)s AND a.ends_at > %(start)s
    AND a.status NOT IN ('cancelled', 'no_show') AND a.id <> %(apart_from)s
"""
# In SQL because every booking asks it: composed by the ORM it took longer to write than to answer.
CANDIDATES = f"""
SELECT kind, id, busy FROM (
    SELECT 'practitioner' AS kind, s.id, s.name AS title, EXISTS (
        SELECT FROM treatments_appointment a WHERE a.practitioner_id = s.id AND {OVERLAPPING}
    ) AS busy
    FROM clinic_staff s JOIN clinic_membership m ON m.staff_id = s.id
    WHERE m.location_id = %(location)s AND s.role = 'practitioner' AND s.is_active
    UNION ALL
    SELECT 'room', r.id, r.name, EXISTS (
        SELECT FROM treatments_appointment a WHERE a.room_id = r.id AND {OVERLAPPING}
    )
    FROM clinic_room r WHERE r.location_id = %(location)s AND r.is_active
    UNION ALL
    SELECT 'patient', p.id, p.family_name, EXISTS (
        SELECT FROM treatments_appointment a WHERE a.patient_id = p.id AND {OVERLAPPING}
    )
    FROM patients_patient p WHERE p.id = %(patient)s
) AS candidates ORDER BY kind, title, id
"""  # noqa: S608  (made of constants)


class Taken(ActionRefused):
    """The time is not free; a form may offer others."""


@dataclass(frozen=True)
class _Wish:
    """What is to be reserved. An id of None means any."""

    location: Location
    patient_id: int
    span: Span
    practitioner_id: int | None
    room_id: int | None
    apart_from: int | None = None


@trying_again(BUSY)
def book(
    *,
    by: Staff | None,
    location: Location,
    patient: Patient,
    service: Service,
    starts_at: datetime,
    practitioner: Staff | int | None,
    room: Room | int | None = None,
    idempotency_key: uuid.UUID | None = None,
    at: datetime | None = None,
) -> Appointment:
    """Book; a practitioner or room of None is any that is free, an id must belong to the location.

    The same key again answers with the same appointment. Raises `Taken` naming who or what is
    taken, and `ActionRefused` outside the opening hours, long past, or for a key used otherwise.
    """
    span = Span(starts_at, starts_at + timedelta(minutes=service.minutes))
    _refuse_bad_time(location, span, at or timezone.now())
    wish = _Wish(location, patient.pk, span, _id(practitioner), _id(room))
    row = Appointment(
        location=location,
        patient=patient,
        service=service,
        starts_at=span.start,
        ends_at=span.end,
        booked_by=by,
        idempotency_key=idempotency_key or uuid.uuid4(),
    )
    try:
        return _insert(row, wish)
    except Taken:
        if idempotency_key is None:
            raise
        earlier = Appointment.objects.filter(idempotency_key=idempotency_key).first()
        if earlier is None:
            raise
        return _same(earlier, row)


def _id(thing: Staff | Room | int | None) -> int | None:
    return thing if thing is None or isinstance(thing, int) else thing.pk


def _insert(row: Appointment, wish: _Wish) -> Appointment:
    """Each round chooses among what is free now; who loses it to someone else chooses anew."""
    for _round in range(ROUNDS):
        with transaction.atomic():
            row.practitioner_id, row.room_id = _choose(wish)
            Appointment.objects.bulk_create([row], ignore_conflicts=True)
            if stored := Appointment.objects.filter(idempotency_key=row.idempotency_key).first():
                return _same(stored, row)
    raise Taken(_("This time has just been taken."))


def _same(stored: Appointment, asked: Appointment) -> Appointment:
    alike = ("location_id", "patient_id", "service_id", "starts_at")
    if any(getattr(stored, name) != getattr(asked, name) for name in alike):
        raise ActionRefused(_("This form was already used for another appointment. Open it anew."))
    return stored


def _refuse_bad_time(location: Location, span: Span, at: datetime) -> None:
    day = span.start.astimezone(location.zone).date()
    hours = opening(day, location.opens_at, location.closes_at, location.zone)
    if not hours.holds(span):
        raise ActionRefused(
            _("%(place)s is open from %(opens)s to %(closes)s; this visit would not fit in.")
            % {
                "place": location.name,
                "opens": f"{location.opens_at:%H:%M}",
                "closes": f"{location.closes_at:%H:%M}",
            },
            field="time",
        )
    if span.start < at - LATEST_ENTRY:
        raise ActionRefused(_("This time is more than 12 hours past."), field="date")


def _choose(wish: _Wish) -> tuple[int, int]:
    """A free practitioner and a free room, as of now; one query. Raises `Taken`."""
    free: dict[str, list[int]] = {PRACTITIONER: [], ROOM: [], PATIENT: []}
    known: dict[str, list[int]] = {PRACTITIONER: [], ROOM: [], PATIENT: []}
    for kind, pk, busy in _candidates(wish):
        known[kind].append(pk)
        if not busy:
            free[kind].append(pk)
    for kind, wanted in ((PRACTITIONER, wish.practitioner_id), (ROOM, wish.room_id)):
        if wanted is not None and wanted not in known[kind]:
            raise ActionRefused(_not_here(kind), field=kind)
    wanted_free = (
        wish.practitioner_id in free[PRACTITIONER] if wish.practitioner_id else free[PRACTITIONER]
    )
    room_free = wish.room_id in free[ROOM] if wish.room_id else free[ROOM]
    if not (wanted_free and room_free and free[PATIENT]):
        raise Taken(_in_the_way(wish))
    return wish.practitioner_id or free[PRACTITIONER][0], wish.room_id or free[ROOM][0]


def _not_here(kind: str) -> str:
    if kind == PRACTITIONER:
        return _("This practitioner does not work at this location.")
    return _("This room is not at this location, or not in use.")


def _candidates(wish: _Wish) -> list[tuple[str, int, bool]]:
    """(kind, id, busy) of every practitioner and room of the location, and of the patient."""
    values: dict[str, int | datetime] = {
        "location": wish.location.pk,
        "patient": wish.patient_id,
        "earliest": wish.span.start - LONGEST_SERVICE,
        "start": wish.span.start,
        "end": wish.span.end,
        "apart_from": wish.apart_from or 0,
    }
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, values)
        found: list[tuple[str, int, bool]] = cursor.fetchall()
    return found


def _overlapping(wish: _Wish) -> Any:
    live = Appointment.objects.live().overlapping(wish.span.start, wish.span.end)
    return live.exclude(pk=wish.apart_from) if wish.apart_from else live


def _in_the_way(wish: _Wish) -> str:
    """Who or what is taken, in words; names only what the desk may see at its own location."""
    clashes = list(_overlapping(wish).select_related("practitioner", "room").order_by("starts_at"))
    zone = wish.location.zone
    said = []
    for clash in clashes:
        when = {
            "start": f"{clash.starts_at.astimezone(zone):%H:%M}",
            "end": f"{clash.ends_at.astimezone(zone):%H:%M}",
        }
        if clash.practitioner_id == wish.practitioner_id:
            said.append(
                _("%(who)s is already booked from %(start)s to %(end)s.")
                % {"who": clash.practitioner.name, **when}
            )
        if clash.patient_id == wish.patient_id:
            said.append(
                _("The patient already has an appointment from %(start)s to %(end)s.") % when
            )
        if clash.room_id == wish.room_id:
            said.append(
                _("%(what)s is already taken from %(start)s to %(end)s.")
                % {"what": clash.room.name, **when}
            )
    return " ".join(dict.fromkeys(said)) or _nobody_free(wish)


def _nobody_free(wish: _Wish) -> str:
    if wish.practitioner_id is None:
        return _("No practitioner is free at this time, or no room.")
    return _("No room is free at this time.")


@trying_again(BUSY)
def move(
    *,
    by: Staff | None,
    appointment: Appointment,
    starts_at: datetime,
    practitioner: Staff | int | None,
    room: Room | int | None = None,
    at: datetime | None = None,
) -> Appointment:
    """Give an appointment another time, practitioner or room; its length stays.

    Only what is booked or confirmed can move, and a confirmation is then asked for again. Raises
    `Taken` and `ActionRefused` as `book` does.
    """
    try:
        with transaction.atomic():
            row: Appointment = Appointment.objects.select_for_update().get(pk=appointment.pk)
            if row.status not in MOVABLE:
                raise ActionRefused(_("Only an appointment still to come can be moved."))
            span = Span(starts_at, starts_at + (row.ends_at - row.starts_at))
            _refuse_bad_time(row.location, span, at or timezone.now())
            wish = _Wish(
                row.location, row.patient_id, span, _id(practitioner), _id(room), apart_from=row.pk
            )
            row.practitioner_id, row.room_id = _choose(wish)
            if row.starts_at != span.start:
                row.status = Appointment.Status.BOOKED
            row.starts_at, row.ends_at = span
            row.save(
                update_fields=["practitioner", "room", "starts_at", "ends_at", "status"],
            )
    except IntegrityError as error:
        raise _refusal(error) from error
    return row


def _refusal(error: IntegrityError) -> Taken:
    """The exclusion constraint's no, in words. Any other constraint is a fault and raised again."""
    kind = TAKEN_BY_CONSTRAINT.get(broken_constraint(error))
    if kind is None:
        raise error
    words = {
        PRACTITIONER: _("The practitioner is already booked at that time."),
        ROOM: _("The room is already taken at that time."),
        PATIENT: _("The patient already has an appointment at that time."),
    }
    return Taken(words[kind])


@trying_again(BUSY)
def set_status(
    *, by: Staff | None, appointment: Appointment, status: str, at: datetime | None = None
) -> Appointment:
    """Go on to another status; the same one again changes nothing. Raises `ActionRefused`."""
    try:
        with transaction.atomic():
            row: Appointment = Appointment.objects.select_for_update().get(pk=appointment.pk)
            if row.status == status:
                return row
            _refuse_bad_status(row, status, at or timezone.now())
            row.status = status
            if status != Appointment.Status.CANCELLED:
                row.cancel_reason = ""
            row.save(update_fields=["status", "cancel_reason"])
    except IntegrityError as error:
        raise _refusal(error) from error
    return row


def _refuse_bad_status(row: Appointment, status: str, at: datetime) -> None:
    if status not in Appointment.Status.values:
        raise ActionRefused(_("This status does not exist."))
    if status == Appointment.Status.CANCELLED:
        raise ActionRefused(_("Say why it is cancelled."), field="reason")
    if not may_follow(row.status, status):
        raise ActionRefused(
            _("An appointment that is “%(now)s” cannot become “%(then)s”.")
            % {"now": row.get_status_display(), "then": Appointment.Status(status).label}
        )
    if status == Appointment.Status.NO_SHOW and at < row.starts_at:
        raise ActionRefused(_("The appointment has not begun yet."))


@trying_again(BUSY)
@transaction.atomic
def cancel(*, by: Staff | None, appointment: Appointment, reason: str) -> Appointment:
    """Cancel with a reason; the time is free again. Raises `ActionRefused`."""
    row: Appointment = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if row.status == Appointment.Status.CANCELLED:
        return row
    if not reason.strip():
        raise ActionRefused(_("Say why it is cancelled."), field="reason")
    if not may_follow(row.status, Appointment.Status.CANCELLED):
        raise ActionRefused(
            _("An appointment that is “%(now)s” cannot be cancelled.")
            % {"now": row.get_status_display()}
        )
    row.status = Appointment.Status.CANCELLED
    row.cancel_reason = reason.strip()[:300]
    row.save(update_fields=["status", "cancel_reason"])
    return row
