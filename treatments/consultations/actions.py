"""What may be done to a consultation note: start it, save the draft, sign it, add a later word."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from treatments.consultations.marks import MarkChange, keep_marks
from treatments.consultations.missing import missing_parts
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.consultations.sections import SECTIONS
from treatments.diary.models import Appointment
from treatments.scales.actions import ScoreEntry, close_scores, keep_scores, read_answers
from treatments.screening.actions import screen_patient, unanswered
from treatments.screening.engine import Proposal, Verdict

MOST_FINDINGS = 40


class StaleDraft(ActionRefused):
    """Somebody has changed these sections since the draft was opened; nothing was overwritten."""

    def __init__(self, sections: Sequence[str]) -> None:
        self.sections = list(sections)
        super().__init__(
            _(
                "This note was changed elsewhere since you opened it. Nothing was overwritten: "
                "your text is still on this page, but it is not saved."
            )
        )


class HeldElsewhere(ActionRefused):
    """Somebody else is writing in this note; one may look, copy, or take over."""

    def __init__(self, note: Consultation) -> None:
        self.note = note
        said = _("%(name)s is writing in this note. Take it over to save what you wrote.")
        super().__init__(said % {"name": note.editor.name if note.editor else ""})


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
    *,
    by: Staff,
    consultation: Consultation,
    revision: int,
    values: Mapping[str, Any],
    changed: Collection[str] | None = None,
    scores: Sequence[ScoreEntry] | None = None,
    marks: MarkChange | None = None,
    at: datetime | None = None,
) -> Consultation:
    """Keep the draft, section by section.

    `revision` is the one the writer saw; `changed` names the sections they wrote in, None for all.
    A section that somebody else has changed since is refused (`StaleDraft`), and nothing of the
    call is kept; the others go in beside theirs. Marks of a drawing never clash. Raises
    `HeldElsewhere` while another person is writing.
    """
    at = at or timezone.now()
    note = locked_draft(consultation)
    if note.is_held_from(by, at):
        raise HeldElsewhere(note)
    touched = [name for name in SECTIONS if _differs(note, name, values, scores)]
    touched = [name for name in touched if changed is None or name in changed]
    _refuse_stale(note, touched, revision)
    _refuse_findings(values)
    drawn = marks is not None and keep_marks(note, marks)
    if "scales" in touched and scores is not None:
        keep_scores(by=by, patient=note.patient, entries=scores, at=at, consultation_id=note.pk)
    for name in touched:
        write_section(note, name, {k: v for k, v in values.items() if k in SECTIONS[name]}, by, at)
        note.origins.pop(name, None)
    if touched or drawn:
        keep_revision(note, by, at)
    return note


def write_section(
    note: Consultation, section: str, values: Mapping[str, Any], by: Staff, at: datetime
) -> None:
    """Set the fields of a section on a locked draft, and note in which save that was."""
    for name, value in values.items():
        setattr(note, name, value)
    note.sections[section] = {"r": note.revision + 1, "by": by.name, "at": at.isoformat()}


def keep_revision(note: Consultation, by: Staff, at: datetime) -> None:
    """Save the draft as its next revision; the writer holds it from now."""
    if note.editor_id != by.pk or note.holder(at) is None:
        note.editor, note.editing_since = by, at
    note.edited_at = at
    note.revision += 1
    note.save()


def _differs(
    note: Consultation,
    section: str,
    values: Mapping[str, Any],
    scores: Sequence[ScoreEntry] | None,
) -> bool:
    if any(name in values and values[name] != getattr(note, name) for name in SECTIONS[section]):
        return True
    if section != "scales" or scores is None:
        return False
    rows = note.scores.select_related("scale")
    kept = {(row.scale.code, row.side): read_answers(row.answers) for row in rows}
    return kept != {(e.scale.code, e.side): dict(e.answers) for e in scores if e.answers}


def _refuse_stale(note: Consultation, touched: Sequence[str], revision: int) -> None:
    if revision == note.revision:
        return
    theirs = [name for name in touched if note.sections.get(name, {}).get("r", 0) > revision]
    if theirs or revision > note.revision:
        raise StaleDraft(theirs or list(touched))


def _refuse_findings(values: Mapping[str, Any]) -> None:
    rows = values.get("findings", ())
    if len(rows) > MOST_FINDINGS:
        raise ActionRefused(_("At most %(most)s areas.") % {"most": MOST_FINDINGS}, field="areas")
    places = [(row["area"], row["side"]) for row in rows]
    if len(set(places)) < len(places):
        raise ActionRefused(_("Each area and side once."), field="areas")


@transaction.atomic
def take_over(*, by: Staff, consultation: Consultation, at: datetime | None = None) -> Consultation:
    """Go on with a draft that another person is writing; they are told at their next save."""
    at = at or timezone.now()
    note = locked_draft(consultation)
    if note.is_held_from(by, at):
        note.editor, note.editing_since, note.edited_at = by, at, at
        note.save(update_fields=["editor", "editing_since", "edited_at"])
    return note


@transaction.atomic
def sign_consultation(
    *, by: Staff, consultation: Consultation, at: datetime | None = None
) -> Consultation:
    """Close the note with its scores and the verdicts of this moment. Refused while a part is
    missing, and while another person is writing."""
    at = at or timezone.now()
    note = locked_draft(consultation)
    if note.is_held_from(by, at):
        raise HeldElsewhere(note)
    for field, message in missing_parts(note, at.astimezone(note.location.zone).date()).items():
        raise ActionRefused(message, field=field)
    verdicts = screen_note(consultation=note, at=at)
    _refuse_against_screening(note, verdicts)
    close_scores(scores=list(note.scores.select_related("scale")), at=at)
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


def locked_draft(consultation: Consultation) -> Consultation:
    rows = Consultation.objects.select_for_update(of=("self",)).select_related("editor")
    note = rows.get(pk=consultation.pk)
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
