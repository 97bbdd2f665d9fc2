"""What may be done to a consultation note: start it, save the draft, sign it, add a later word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.intake.facts import latest_history
from patients.registry.models import Patient
from treatments.consultations.missing import missing_parts
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.diary.models import Appointment
from treatments.screening.actions import screen_patient, unanswered
from treatments.screening.engine import Proposal, Verdict

DRAFT_FIELDS = (
    "concern",
    "indications",
    "areas",
    "examination",
    "fitzpatrick",
    "fitzpatrick_answers",
    "discussion",
    "alternatives",
    "decision",
)


class StaleDraft(ActionRefused):
    """Somebody has saved this draft since it was opened; nothing was overwritten."""


@transaction.atomic
def start_consultation(
    *, by: Staff, patient: Patient, location: Location, appointment: Appointment | None = None
) -> Consultation:
    """A draft for this visit; the one already begun, where there is one."""
    Patient.objects.select_for_update().get(pk=patient.pk)
    if appointment is not None and appointment.patient_id != patient.pk:
        raise ActionRefused(_("This appointment belongs to someone else."))
    begun = _already_begun(by, patient, appointment)
    if begun is not None:
        return begun
    return Consultation.objects.create(
        patient=patient, location=location, appointment=appointment, practitioner=by
    )


def _already_begun(
    by: Staff, patient: Patient, appointment: Appointment | None
) -> Consultation | None:
    if appointment is not None:
        return Consultation.objects.filter(appointment=appointment).first()
    return Consultation.objects.filter(
        patient=patient, practitioner=by, appointment=None, signed_at=None
    ).first()


@transaction.atomic
def save_consultation(
    *, by: Staff, consultation: Consultation, revision: int, values: Mapping[str, Any]
) -> Consultation:
    """Keep the draft. `revision` is the one the writer saw; an older one is refused, not merged."""
    note = _locked_draft(consultation)
    if note.revision != revision:
        raise StaleDraft(
            _(
                "This note was changed elsewhere since you opened it. Nothing was overwritten: "
                "your text is still on this page, but it is not saved."
            )
        )
    for name in DRAFT_FIELDS:
        if name in values:
            setattr(note, name, values[name])
    note.revision += 1
    note.save()
    return note


@transaction.atomic
def sign_consultation(
    *, by: Staff, consultation: Consultation, at: datetime | None = None
) -> Consultation:
    """Close the note with the verdicts of this moment. Refused while a part is missing."""
    at = at or timezone.now()
    note = _locked_draft(consultation)
    for field, message in missing_parts(note).items():
        raise ActionRefused(message, field=field)
    verdicts = screen_note(consultation=note, at=at)
    _refuse_against_screening(note, verdicts)
    history = latest_history(note.patient)
    note.screening = [_frozen(verdict) for verdict in verdicts]
    note.history_version = history.version if history else None
    note.signed_at, note.signed_by = at, by
    note.revision += 1
    note.save()
    return note


@transaction.atomic
def add_addendum(
    *, by: Staff, consultation: Consultation, text: str, reason: str
) -> ConsultationAddendum:
    """A later word on a signed note, with the reason for it."""
    note = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not note.is_signed:
        raise ActionRefused(_("This note is still a draft: change it directly."))
    if not text.strip():
        raise ActionRefused(_("Write the addendum."), field="text")
    if not reason.strip():
        raise ActionRefused(_("Say why the addendum is written."), field="reason")
    return ConsultationAddendum.objects.create(
        consultation=note, text=text.strip(), reason=reason.strip(), written_by=by
    )


def screen_note(*, consultation: Consultation, at: datetime) -> list[Verdict]:
    """What the patient's history says about the areas of this note."""
    proposal = Proposal(
        substances=[],
        techniques=[],
        areas=list(consultation.areas),
        uses_current=False,
        country=consultation.location.country_id,
    )
    return screen_patient(
        patient=consultation.patient,
        proposal=proposal,
        at=at,
        zone=consultation.location.zone,
        skin_type=consultation.fitzpatrick,
    )


def _locked_draft(consultation: Consultation) -> Consultation:
    note = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if note.is_signed:
        raise ActionRefused(_("This note is signed and closed. Write an addendum instead."))
    return note


def _refuse_against_screening(note: Consultation, verdicts: list[Verdict]) -> None:
    """ "Suitable" and an unanswered stop contradict each other; the physician settles which."""
    if note.decision == Consultation.Decision.SUITABLE and unanswered(verdicts):
        raise ActionRefused(
            _(
                "Screening has a verdict that nobody has answered. Record the physician's reason "
                "there, or choose another decision."
            ),
            field="decision",
        )


def _frozen(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON; dates as text, lazy texts in the language of the signer."""
    return {
        name: value if isinstance(value, bool | int) or value is None else str(value)
        for name, value in asdict(verdict).items()
    }
