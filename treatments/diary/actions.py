"""Booking, moving, cancelling, and the status of the day.

The database refuses what overlaps. A booking is written with ON CONFLICT DO NOTHING, so that of
many at once each but one learns that the time is gone, without a deadlock and without an error.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.errors import ActionRefused
from clinic.places.models import Location, Room
from patients.registry.models import Patient
from treatments.diary.candidates import Taken, Wish, choose, in_the_way_of
from treatments.diary.contention import broken_constraint, insert_unless_taken, trying_again
from treatments.diary.hooks import ask_before_moving
from treatments.diary.models import Appointment, FreedTime, Service
from treatments.diary.notices import hold_back, news_due
from treatments.diary.trace import trace_of
from treatments.diary.transitions import MOVABLE, may_follow
from treatments.diary.visit import Visit

BUSY = gettext_lazy("The diary is very busy right now. Please try again.")
LATEST_ENTRY = timedelta(hours=12)
"""How long after its start a visit may still be put into the diary."""
ADULT = 18
SECOND_THOUGHTS = timedelta(minutes=3)
"""How long a freed time is left alone: a slip of the hand is undone within it."""
SHORTEST, LONGEST = 5, 480
"""Minutes of a visit."""
ROUNDS = 20
"""Each lost one means that somebody else got a practitioner, room or device meanwhile."""
MOVED_FIELDS = (
    "practitioner",
    "room",
    "device",
    "starts_at",
    "ends_at",
    "practitioner_from",
    "room_until",
    "overlap_reason",
    "status",
    "sequence",
    "notice_due_at",
)
TAKEN_WORDS = {
    "practitioner_not_twice": gettext_lazy("The practitioner is already booked at that time."),
    "room_not_twice": gettext_lazy("The room is already taken at that time."),
    "device_not_twice": gettext_lazy("The device is already taken at that time."),
    "patient_not_twice": gettext_lazy("The patient already has an appointment at that time."),
    "not_in_blocked_time": gettext_lazy("This time has just been blocked."),
    "visit_within_plan": gettext_lazy("The course has no session left for this appointment."),
}
"""By the constraint that said no."""


class Changed(ActionRefused):
    """Someone else has changed the appointment since the person saw it."""

    def __init__(self, row: Appointment) -> None:
        when = row.starts_at.astimezone(row.location.zone)
        super().__init__(
            _(
                "Someone has changed this appointment meanwhile: it is now on %(day)s at %(time)s "
                "with %(who)s (%(status)s). Nothing was moved."
            )
            % {
                "day": f"{when:%d-%b-%Y}",
                "time": f"{when:%H:%M}",
                "who": row.practitioner.name,
                "status": row.get_status_display(),
            }
        )


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
    overlap_reason: str = "",
    directed_by: Staff | None = None,
    held: bool = False,
    at: datetime | None = None,
) -> Appointment:
    """Book; a practitioner or room of None is any that is free, an id must belong to the location.

    With `held` the time is only kept, for one to whom it is offered. The same key again answers
    with the same appointment. A reason books over what is taken, off duty or closed, where the
    location allows that; never a patient twice.

    Raises `Taken` naming who or what is taken, and `ActionRefused` outside the hours, long past,
    under the age of 18 where the law says so without a doctor's direction, or for a key used
    otherwise.
    """
    _refuse_long_past(starts_at, at or timezone.now())
    _refuse_minor(location, patient, service, starts_at, directed_by)
    wish = Wish(
        location,
        patient.pk,
        starts_at,
        Visit.of_service(service),
        _id(practitioner),
        _id(room),
        over_what_is_taken=_may_overlap(location, overlap_reason),
    )
    row = Appointment(
        location=location,
        patient=patient,
        service=service,
        booked_by=by,
        idempotency_key=idempotency_key or uuid.uuid4(),
        overlap_reason=_kept(overlap_reason),
        directed_by=directed_by,
        status=Appointment.Status.HELD if held else Appointment.Status.BOOKED,
        notice_due_at=None if held else news_due(at),
    )
    _put_times(row, wish)
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


def _put_times(row: Appointment, wish: Wish) -> None:
    """The times when whom and what is needed; none of its own where it is the patient's."""
    needs, shape = wish.needs, wish.visit.shape
    row.starts_at, row.ends_at = needs.patient
    row.practitioner_from = needs.practitioner.start if shape.before else None
    row.room_until = needs.room.end if shape.after else None


def _insert(row: Appointment, wish: Wish) -> Appointment:
    """Each round chooses among what is free now; who loses it to someone else chooses anew."""
    for _round in range(ROUNDS):
        try:
            with transaction.atomic():
                row.practitioner_id, row.room_id, row.device_id = choose(wish)
                if insert_unless_taken(row):
                    return row
                mine = Appointment.objects.filter(idempotency_key=row.idempotency_key)
                if stored := mine.first():
                    return _same(stored, row)
        except IntegrityError as error:
            # Blocked between the choice and the writing; the next choice knows.
            if broken_constraint(error) != "not_in_blocked_time":
                raise
    raise Taken(_("This time has just been taken."))


def _same(stored: Appointment, asked: Appointment) -> Appointment:
    alike = ("location_id", "patient_id", "service_id", "starts_at")
    if any(getattr(stored, name) != getattr(asked, name) for name in alike):
        raise ActionRefused(_("This form was already used for another appointment. Open it anew."))
    return stored


def _refuse_long_past(starts_at: datetime, at: datetime) -> None:
    if starts_at < at - LATEST_ENTRY:
        raise ActionRefused(_("This time is more than 12 hours past."), field="date")


def _refuse_minor(
    location: Location,
    patient: Patient,
    service: Service,
    starts_at: datetime,
    directed_by: Staff | None,
) -> None:
    """Toxin and filler under 18 where the law forbids to book it (England: Act 2021, ch. 19)."""
    if not (service.adults_only and location.country.adults_only_toxin_filler):
        return
    if patient.age_on(starts_at.astimezone(location.zone).date()) >= ADULT:
        return
    if directed_by is None:
        raise ActionRefused(
            _("Under 18, the law here forbids to book this without a doctor’s direction."),
            field="service",
        )
    if not (directed_by.role == Role.PRACTITIONER and directed_by.registration_number):
        raise ActionRefused(_("Only a registered practitioner can direct this."), field="service")


def _kept(reason: str) -> str:
    """A reason as it is stored: 300 characters at most."""
    return reason.strip()[:300]


def _may_overlap(location: Location, reason: str) -> bool:
    if not reason.strip():
        return False
    if not location.allows_overlap:
        raise ActionRefused(_("This location does not allow to book over what is taken."))
    return True


@trying_again(BUSY)
def move(
    *,
    by: Staff | None,
    appointment: Appointment,
    starts_at: datetime,
    practitioner: Staff | int | None,
    room: Room | int | None = None,
    minutes: int | None = None,
    overlap_reason: str = "",
    gap_reason: str | None = "",
    seen: str = "",
    at: datetime | None = None,
) -> Appointment:
    """Give an appointment another time, practitioner, room or length (`minutes`, 5 to 480).

    Only what is booked or confirmed can move, and a confirmation is then asked for again. A reason
    books over what is taken, as in `book`. `gap_reason` is a practitioner's for leaving the gap of
    a course; None leaves the question to the caller, who moves the whole course. Raises `Taken` and
    `ActionRefused` as `book` does, `ReasonWanted`, and `Changed` where `seen`, the trace of the row
    as the person saw it, is no longer its trace.
    """
    if minutes is not None and not SHORTEST <= minutes <= LONGEST:
        raise ActionRefused(_("A visit takes from 5 minutes to 8 hours."), field="time")
    try:
        with transaction.atomic():
            row: Appointment = Appointment.objects.select_for_update().get(pk=appointment.pk)
            if seen and seen != trace_of(row):
                raise Changed(row)
            if row.status not in MOVABLE:
                raise ActionRefused(_("Only an appointment still to come can be moved."))
            _refuse_long_past(starts_at, at or timezone.now())
            _refuse_minor(row.location, row.patient, row.service, starts_at, row.directed_by)
            visit = Visit.of_appointment(row)
            wish = Wish(
                row.location,
                row.patient_id,
                starts_at,
                visit if minutes is None else visit.lasting(timedelta(minutes=minutes)),
                _id(practitioner),
                _id(room),
                apart_from=row.pk,
                over_what_is_taken=_may_overlap(row.location, overlap_reason),
            )
            before = (row.practitioner_id, row.starts_at, row.ends_at)
            row.practitioner_id, row.room_id, row.device_id = choose(wish)
            if row.starts_at != starts_at:
                row.status = Appointment.Status.BOOKED
            if before[:2] != (row.practitioner_id, starts_at):
                _free(row, *before)
            row.overlap_reason = _kept(overlap_reason)
            _put_times(row, wish)
            if gap_reason is not None:
                ask_before_moving(by=by, appointment=row, reason=gap_reason.strip())
            _is_news(row, at)
            row.save(update_fields=MOVED_FIELDS)
    except IntegrityError as error:
        raise _refusal(error) from error
    return row


def _is_news(row: Appointment, at: datetime | None) -> None:
    """What was to be said of it before is held back, and the patient told how it stands now."""
    row.sequence += 1
    row.notice_due_at = news_due(at)
    hold_back(row.pk, at=at)


def _refusal(error: IntegrityError) -> Taken:
    """The database's no, in words. Any other constraint is a fault and raised again."""
    words = TAKEN_WORDS.get(broken_constraint(error))
    if words is None:
        raise error
    return Taken(str(words))


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
            _refuse_taken_since(row)
            if row.status == Appointment.Status.CANCELLED:
                row.freed_times.filter(settled_at__isnull=True).update(settled_at=timezone.now())
            was, row.status = row.status, status
            if status != Appointment.Status.CANCELLED:
                row.cancel_reason = ""
            if was == Appointment.Status.HELD or (
                (was in Appointment.GIVEN_UP) != (status in Appointment.GIVEN_UP)
            ):
                _is_news(row, at)
            elif was in MOVABLE and status not in MOVABLE:
                # Whoever is here needs no reminder of coming.
                hold_back(row.pk, at=at)
            row.save(update_fields=["status", "cancel_reason", "sequence", "notice_due_at"])
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


def _refuse_taken_since(row: Appointment) -> None:
    """What was booked over on purpose is in no constraint; so a cancelled visit asks for it."""
    if row.status == Appointment.Status.CANCELLED and (said := in_the_way_of(row)):
        raise Taken(said)


@trying_again(BUSY)
@transaction.atomic
def cancel(
    *, by: Staff | None, appointment: Appointment, reason: str, at: datetime | None = None
) -> Appointment:
    """Cancel with a reason; the time is free again, and what waited to be said of it is held back.

    Raises `ActionRefused`.
    """
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
    if row.status != Appointment.Status.HELD:
        _free(row, row.practitioner_id, row.starts_at, row.ends_at)
    row.status = Appointment.Status.CANCELLED
    row.cancel_reason = _kept(reason)
    _is_news(row, at)
    row.save(update_fields=["status", "cancel_reason", "sequence", "notice_due_at"])
    return row


def _free(row: Appointment, practitioner_id: int, starts_at: datetime, ends_at: datetime) -> None:
    """Note that a time to come is free again, for those who wait for one."""
    now = timezone.now()
    if starts_at <= now:
        return
    FreedTime.objects.create(
        location_id=row.location_id,
        practitioner_id=practitioner_id,
        appointment=row,
        starts_at=starts_at,
        ends_at=ends_at,
        freed_at=now,
        look_at=now + SECOND_THOUGHTS,
    )
