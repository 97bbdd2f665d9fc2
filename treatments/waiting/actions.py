"""The waiting list's verbs: wait, offer, answer, book, and what the beat does by itself.

Whoever changes an entry locks it first, then its offer, then the appointment; so an answer and
the end of an offer come one after the other, and the first of them counts.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.wake import wake
from patients.registry.models import Patient
from treatments.diary import actions as diary
from treatments.diary.contention import broken_constraint
from treatments.diary.models import Appointment, FreedTime
from treatments.diary.transitions import MOVABLE
from treatments.waiting.letters import queue_offer
from treatments.waiting.models import WaitingEntry, WaitingOffer

WORK_TASK = "treatments.work_waiting_list"
WISHES = (
    "service",
    "practitioner",
    "weekdays",
    "earliest",
    "latest",
    "from_date",
    "until_date",
    "notice_hours",
    "note",
    "instead_of",
)


def add_entry(
    *, by: Staff | None, patient: Patient, location: Location, **wishes: Any
) -> WaitingEntry:
    """Put a patient on the list. Raises `ActionRefused` when they wait for this already."""
    return _keep(WaitingEntry(patient=patient, location=location, made_by=by), wishes)


@transaction.atomic
def change_entry(*, by: Staff, entry: WaitingEntry, **wishes: Any) -> WaitingEntry:
    """Other wishes. Raises `ActionRefused` for one that is booked or withdrawn."""
    row = _locked(entry)
    if row.state not in WaitingEntry.CURRENT:
        raise ActionRefused(_("This entry is closed. Add the patient to the list again."))
    return _keep(row, wishes)


def _keep(row: WaitingEntry, wishes: dict[str, Any]) -> WaitingEntry:
    for name in WISHES:
        setattr(row, name, wishes[name])
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if broken_constraint(error) != "waits_once_for_a_service":
            raise
        raise ActionRefused(
            _("The patient is already waiting for this."), field="service"
        ) from error
    return row


def _locked(entry: WaitingEntry) -> WaitingEntry:
    related = ("patient", "location", "service", "instead_of", "appointment")
    row: WaitingEntry = (
        WaitingEntry.objects.select_for_update(of=("self",))
        .select_related(*related)
        .get(pk=entry.pk)
    )
    return row


@transaction.atomic
def withdraw(*, by: Staff | None, entry: WaitingEntry, at: datetime) -> WaitingEntry:
    """Take someone off the list; a time that is held for them is free again."""
    row = _locked(entry)
    if row.state not in WaitingEntry.CURRENT:
        return row
    _take_back(row, by, at)
    row.state = WaitingEntry.State.WITHDRAWN
    row.save(update_fields=["state"])
    return row


def _take_back(row: WaitingEntry, by: Staff | None, at: datetime) -> None:
    offer = WaitingOffer.objects.open().select_for_update().filter(entry=row).first()
    if offer is not None:
        _close(offer, WaitingOffer.Answer.TAKEN_BACK, by, at)


@transaction.atomic
def end_offer(*, offer: WaitingOffer, answer: str, at: datetime) -> None:
    """End an offer, whose row is locked, without a booking; the entry waits again."""
    _close(offer, answer, None, at)
    WaitingEntry.objects.filter(pk=offer.entry_id, state=WaitingEntry.State.OFFERED).update(
        state=WaitingEntry.State.WAITING
    )


def _close(offer: WaitingOffer, answer: str, by: Staff | None, at: datetime) -> None:
    """End an offer without a booking; its time is free for the next one."""
    offer.answer, offer.answered_at, offer.answered_by = answer, at, by
    offer.save(update_fields=["answer", "answered_at", "answered_by"])
    held = Appointment.objects.select_for_update().get(pk=offer.appointment_id)
    if held.status == Appointment.Status.HELD:
        diary.cancel(by=by, appointment=held, reason=str(WaitingOffer.Answer(answer).label))
    _note_freed(offer.freed_id, look_at=at)
    wake(WORK_TASK)


def _note_freed(pk: int | None, **values: datetime) -> None:
    """When a freed time is looked at next, or that it needs nobody any more."""
    if pk is not None:
        FreedTime.objects.filter(pk=pk).update(**values)


# ---- offering ----------------------------------------------------------------------------------


@transaction.atomic
def offer_time(
    *,
    by: Staff | None,
    entry: WaitingEntry,
    starts_at: datetime,
    practitioner: Staff | int,
    at: datetime,
    freed: FreedTime | None = None,
) -> WaitingOffer:
    """Hold a time for one who waits, and send them the offer.

    Raises `Taken` and `ActionRefused` as `book` does, and when they hold an offer already, are
    booked, cannot be reached, or the time begins before they could answer.
    """
    row = _locked(entry)
    _refuse_not_waiting(row)
    expires_at = at + timedelta(minutes=row.location.hold_minutes)
    if starts_at <= expires_at:
        raise ActionRefused(_("This time begins too soon to wait for an answer."))
    _refuse_what_may_not_move(row, starts_at, practitioner, at)
    held = diary.book(
        by=by,
        location=row.location,
        patient=row.patient,
        service=row.service,
        starts_at=starts_at,
        practitioner=practitioner,
        held=True,
        at=at,
    )
    offer = WaitingOffer.objects.create(
        entry=row,
        patient=row.patient,
        appointment=held,
        freed=freed,
        expires_at=expires_at,
        sent_by=by,
    )
    offer.message = queue_offer(offer, at=at)
    if offer.message is None:
        raise ActionRefused(
            _("No message about free times reaches this patient, or they want none.")
        )
    offer.save(update_fields=["message"])
    row.state = WaitingEntry.State.OFFERED
    row.save(update_fields=["state"])
    return offer


class _Undo(Exception):
    """Everything since the trial began is to be forgotten."""


def _refuse_what_may_not_move(
    row: WaitingEntry, starts_at: datetime, practitioner: Staff | int, at: datetime
) -> None:
    """Try out the move that an answer would make, so that nothing is offered that must then be
    refused: a session of a course keeps its gap.
    """
    later = _to_move(row)
    if later is None:
        return
    try:
        with transaction.atomic():
            diary.move(
                by=None, appointment=later, starts_at=starts_at, practitioner=practitioner, at=at
            )
            raise _Undo
    except _Undo:
        return


def _refuse_not_waiting(row: WaitingEntry) -> None:
    if row.state == WaitingEntry.State.OFFERED:
        raise ActionRefused(_("A time is already being held for this patient."))
    if row.state != WaitingEntry.State.WAITING:
        raise ActionRefused(_("This patient is no longer waiting."))


@transaction.atomic
def book_waiting(
    *,
    by: Staff,
    entry: WaitingEntry,
    starts_at: datetime,
    practitioner: Staff | int | None,
    at: datetime,
    key: uuid.UUID | None = None,
    freed: FreedTime | None = None,
) -> Appointment:
    """The desk has phoned and they take it. A time held for them otherwise is free again.

    The same key again answers with the same appointment. Raises as `book` does, and when somebody
    else has booked them meanwhile.
    """
    row = _locked(entry)
    if row.appointment is not None:
        again = key is not None and row.appointment.idempotency_key == key
        moved = row.appointment_id == row.instead_of_id and row.appointment.starts_at == starts_at
        if again or moved:
            return row.appointment
        raise ActionRefused(_("This patient has already been booked from the list."))
    if row.state not in WaitingEntry.CURRENT:
        raise ActionRefused(_("This patient is no longer waiting."))
    _take_back(row, by, at)
    if (later := _to_move(row)) is not None:
        made = diary.move(
            by=by, appointment=later, starts_at=starts_at, practitioner=practitioner, at=at
        )
    else:
        made = diary.book(
            by=by,
            location=row.location,
            patient=row.patient,
            service=row.service,
            starts_at=starts_at,
            practitioner=practitioner,
            idempotency_key=key,
            at=at,
        )
    _settle(row, made, by)
    _note_freed(freed.pk if freed else None, settled_at=at)
    return made


def _to_move(row: WaitingEntry) -> Appointment | None:
    """The visit that they have already, when it can be moved to the earlier time: it stays the
    same one, with its place in a course and in the patient's own calendar.
    """
    later = row.instead_of
    if later is None or later.status not in MOVABLE or later.service_id != row.service_id:
        return None
    return later


def _settle(row: WaitingEntry, made: Appointment, by: Staff | None) -> None:
    """Booked: off the list; a later visit of another kind that this one replaces is given up."""
    row.state, row.appointment = WaitingEntry.State.BOOKED, made
    row.save(update_fields=["state", "appointment"])
    later = row.instead_of
    if later is not None and later.pk != made.pk and later.status in MOVABLE:
        with translation.override(row.location.language):
            reason = _("Has an earlier time from the waiting list.")
        diary.cancel(by=by, appointment=later, reason=reason)


# ---- answers -----------------------------------------------------------------------------------


@transaction.atomic
def accept(*, offer: WaitingOffer, at: datetime, by: Staff | None = None) -> Appointment:
    """The patient takes the time, by link or, with `by`, on the phone; again changes nothing.

    Raises `ActionRefused` when the time to answer is over or the offer was taken back.
    """
    entry = _locked(offer.entry)
    row = _locked_offer(offer)
    if row.answer == WaitingOffer.Answer.ACCEPTED:
        return entry.appointment or row.appointment
    if not row.is_open(at) or row.appointment.status not in (
        Appointment.Status.HELD,
        *MOVABLE,
    ):
        raise ActionRefused(_over(by))
    made = row.appointment
    if made.status == Appointment.Status.HELD:
        made = _take(entry, made, by, at)
    row.answer, row.answered_at, row.answered_by = WaitingOffer.Answer.ACCEPTED, at, by
    row.save(update_fields=["answer", "answered_at", "answered_by"])
    _settle(entry, made, by)
    _note_freed(row.freed_id, settled_at=at)
    return made


def _take(row: WaitingEntry, held: Appointment, by: Staff | None, at: datetime) -> Appointment:
    """The held time becomes a visit, or the visit that they have moves to it."""
    later = _to_move(row)
    if later is None:
        return diary.set_status(by=by, appointment=held, status=Appointment.Status.BOOKED, at=at)
    with translation.override(row.location.language):
        diary.cancel(by=by, appointment=held, reason=_("Their visit was moved to this time."))
    return diary.move(
        by=by,
        appointment=later,
        starts_at=held.starts_at,
        practitioner=held.practitioner_id,
        at=at,
    )


def _over(by: Staff | None) -> str:
    """To the patient kindly, to the desk shortly."""
    if by is not None:
        return _("This offer is over; the time is no longer held.")
    return _(
        "This time is no longer held for you. You are still on the waiting list, and we write "
        "again when another time is free."
    )


def _locked_offer(offer: WaitingOffer) -> WaitingOffer:
    row: WaitingOffer = (
        WaitingOffer.objects.select_for_update(of=("self",))
        .select_related("appointment")
        .get(pk=offer.pk)
    )
    return row


@transaction.atomic
def decline(
    *, offer: WaitingOffer, at: datetime, by: Staff | None = None, leave: bool = False
) -> WaitingOffer:
    """The patient does not take it; with `leave` they no longer wait. Again changes nothing.

    Raises `ActionRefused` when it is already accepted.
    """
    entry = _locked(offer.entry)
    row = _locked_offer(offer)
    if row.answer == WaitingOffer.Answer.ACCEPTED:
        raise ActionRefused(_("You have already taken this time."))
    if row.answer == WaitingOffer.Answer.NONE:
        _close(row, WaitingOffer.Answer.DECLINED, by, at)
    if entry.state in WaitingEntry.CURRENT:
        entry.state = WaitingEntry.State.WITHDRAWN if leave else WaitingEntry.State.WAITING
        entry.save(update_fields=["state"])
    return row


@transaction.atomic
def take_back(*, by: Staff, offer: WaitingOffer, at: datetime) -> WaitingOffer:
    """The desk needs the time otherwise; it is offered to nobody else by itself."""
    entry = _locked(offer.entry)
    row = _locked_offer(offer)
    if row.answer != WaitingOffer.Answer.NONE:
        raise ActionRefused(_("This offer is already answered or over."))
    _close(row, WaitingOffer.Answer.TAKEN_BACK, by, at)
    _note_freed(row.freed_id, settled_at=at)
    entry.state = WaitingEntry.State.WAITING
    entry.save(update_fields=["state"])
    return row


@transaction.atomic
def leave_free(*, by: Staff, freed: FreedTime, at: datetime) -> None:
    """The desk does not offer this time any more."""
    FreedTime.objects.filter(pk=freed.pk, settled_at__isnull=True).update(settled_at=at)
