"""What a patient does by link: ask for a time, confirm it, move or cancel what they have."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.messages.codes import send_code
from patients.portal.codes import use_code
from patients.registry.models import Patient
from treatments.diary import actions as diary
from treatments.diary.hooks import ReasonWanted
from treatments.diary.models import Appointment, Service
from treatments.online.models import VisitRequest
from treatments.online.rules import MOST_TO_COME, may_change, window

BETWEEN_CODES = timedelta(seconds=60)
"""A second wish for a code within it is a double click, and gets the first code."""
CONFIRMATION_LASTS = timedelta(minutes=30)
"""Whose time was taken while they typed the code chooses another without a new one."""


def call_us(location: Location) -> ActionRefused:
    """The refusal of everything that is too late for a link."""
    return ActionRefused(
        _("This can no longer be changed here. Please call us: %(phone)s")
        % {"phone": location.phone}
    )


def _not_online(location: Location) -> ActionRefused:
    return ActionRefused(_("Please call us to book: %(phone)s") % {"phone": location.phone})


@transaction.atomic
def ask_for_visit(
    *,
    patient: Patient,
    location: Location,
    service: Service,
    practitioner: Staff | None,
    at: datetime,
) -> VisitRequest:
    """Begin to book. Raises `ActionRefused` where the clinic does not offer this by link."""
    known = location.registrations.filter(patient=patient).exists()
    if not (known and location.online_booking and service.is_online and service.is_active):
        raise _not_online(location)
    return VisitRequest.objects.create(
        patient=patient,
        location=location,
        service=service,
        practitioner=practitioner,
        created_at=at,
    )


@transaction.atomic
def ask_to_move(*, appointment: Appointment, at: datetime) -> VisitRequest:
    """Begin to move one's own visit. Raises `ActionRefused` when it is too late for that."""
    if not may_change(appointment, appointment.location, at):
        raise call_us(appointment.location)
    return VisitRequest.objects.create(
        patient=appointment.patient,
        location=appointment.location,
        service=appointment.service,
        practitioner=appointment.practitioner,
        moves=appointment,
        created_at=at,
    )


@transaction.atomic
def take_anyone(*, request: VisitRequest) -> VisitRequest:
    """Any practitioner will do."""
    row = _locked(request)
    row.practitioner = None
    row.save(update_fields=["practitioner"])
    return row


@transaction.atomic
def choose_time(*, request: VisitRequest, starts_at: datetime, at: datetime) -> VisitRequest:
    """Note the time chosen; nothing is booked yet. Raises `ActionRefused` outside the rules."""
    row = _locked(request)
    _refuse_outside(row, starts_at, at)
    row.starts_at = starts_at
    row.save(update_fields=["starts_at"])
    return row


def _locked(request: VisitRequest) -> VisitRequest:
    """The request as it is now; none that has been carried out."""
    related = ("location__country", "patient", "service", "practitioner", "moves")
    row: VisitRequest = (
        VisitRequest.objects.select_for_update(of=("self",))
        .select_related(*related)
        .get(pk=request.pk)
    )
    if row.appointment_id is not None:
        raise ActionRefused(_("This is already booked."))
    return row


def _refuse_outside(row: VisitRequest, starts_at: datetime, at: datetime) -> None:
    if not row.location.online_booking:
        raise _not_online(row.location)
    allowed = window(row.location, at)
    if starts_at < allowed.start:
        raise ActionRefused(
            _("This is too soon to book here. Please call us: %(phone)s")
            % {"phone": row.location.phone}
        )
    if starts_at > allowed.end:
        raise ActionRefused(
            _("This is too far ahead to book here. Please call us: %(phone)s")
            % {"phone": row.location.phone}
        )


@transaction.atomic
def send_request_code(*, request: VisitRequest, channel: str, at: datetime) -> VisitRequest:
    """Send the code that confirms a new visit; asked twice at once, once."""
    row = _locked(request)
    if row.code is not None and row.code.created_at > at - BETWEEN_CODES:
        return row
    row.code = send_code(patient=row.patient, channel=channel, at=at)
    row.save(update_fields=["code"])
    return row


def is_confirmed(request: VisitRequest, at: datetime) -> bool:
    """Whether it needs no code any more: to move is a proved patient's own right."""
    if request.moves_id is not None:
        return True
    given = request.confirmed_at
    return given is not None and given > at - CONFIRMATION_LASTS


def confirm(*, request: VisitRequest, digits: str, at: datetime) -> None:
    """Take the code. Raises `ActionRefused` for one that is wrong, old, locked or not asked for."""
    if wrong := _confirm(request, digits, at):
        raise ActionRefused(wrong, field="code")


@transaction.atomic
def _confirm(request: VisitRequest, digits: str, at: datetime) -> str:
    """What is wrong, or nothing. The row is locked: a double click uses the code once."""
    row = (
        VisitRequest.objects.select_for_update(of=("self",))
        .select_related("code")
        .get(pk=request.pk)
    )
    if is_confirmed(row, at):
        return ""
    if row.code is None:
        return _("Ask for a code first.")
    wrong = use_code(code=row.code, digits=digits, at=at)
    if not wrong:
        row.confirmed_at = at
        row.save(update_fields=["confirmed_at"])
    return wrong


@transaction.atomic
def carry_out(*, request: VisitRequest, at: datetime) -> Appointment:
    """Book or move as asked; once, however often it is called.

    Raises `Taken` when the time has gone meanwhile, and `ActionRefused` without a confirmation,
    outside the clinic's rules or the law. Nothing of the request is lost by it.
    """
    related = ("location__country", "patient", "service", "moves__location__country")
    row: VisitRequest = (
        VisitRequest.objects.select_for_update(of=("self",))
        .select_related(*related)
        .get(pk=request.pk)
    )
    if row.appointment is not None:
        return row.appointment
    if row.starts_at is None:
        raise ActionRefused(_("Choose a time first."))
    if not is_confirmed(row, at):
        raise ActionRefused(_("Enter the code first."), field="code")
    _refuse_outside(row, row.starts_at, at)
    if row.moves is None:
        row.appointment = _book(row, row.starts_at, at)
    else:
        row.appointment = _move(row, row.moves, row.starts_at, at)
    row.save(update_fields=["appointment"])
    return row.appointment


def _book(row: VisitRequest, starts_at: datetime, at: datetime) -> Appointment:
    Patient.objects.select_for_update(no_key=True).get(pk=row.patient_id)
    own = Appointment.objects.live().filter(patient=row.patient, booked_by__isnull=True)
    if own.filter(starts_at__gt=at).count() >= MOST_TO_COME:
        raise _not_online(row.location)
    return diary.book(
        by=None,
        location=row.location,
        patient=row.patient,
        service=row.service,
        starts_at=starts_at,
        practitioner=row.practitioner_id,
        idempotency_key=row.public_id,
        at=at,
    )


def _move(
    row: VisitRequest, appointment: Appointment, starts_at: datetime, at: datetime
) -> Appointment:
    fresh = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if not may_change(fresh, row.location, at):
        raise call_us(row.location)
    try:
        return diary.move(
            by=None,
            appointment=fresh,
            starts_at=starts_at,
            practitioner=row.practitioner_id,
            at=at,
        )
    except ReasonWanted as wanted:
        raise ActionRefused(
            _("This time does not fit your course. Choose another one, or call us: %(phone)s")
            % {"phone": row.location.phone}
        ) from wanted


@transaction.atomic
def cancel_own(*, appointment: Appointment, at: datetime) -> Appointment:
    """Cancel one's own visit; again changes nothing. Raises `ActionRefused` when it is too late."""
    fresh: Appointment = (
        Appointment.objects.select_for_update(of=("self",))
        .select_related("location")
        .get(pk=appointment.pk)
    )
    if fresh.status == Appointment.Status.CANCELLED:
        return fresh
    if not may_change(fresh, fresh.location, at):
        raise call_us(fresh.location)
    with translation.override(fresh.location.language):
        reason = _("Cancelled by the patient, by link.")
    return diary.cancel(by=None, appointment=fresh, reason=reason)
