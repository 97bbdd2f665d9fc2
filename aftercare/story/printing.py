"""What a printed session and a printed record say: read once, in few queries, then fixed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from aftercare.safety.models import AdverseEvent
from aftercare.story.shown import SessionShown, scores_shown, session_shown
from aftercare.watch.models import Call
from clinic.places.models import Location
from patients.intake.facts import Line, lines
from patients.intake.models import Confirmation, History
from patients.photos.gallery import Day, by_day
from patients.photos.models import Photo
from patients.photos.naming import Names
from patients.registry.models import Patient, files_of
from treatments.consents.models import Consent
from treatments.consultations.models import Consultation
from treatments.consultations.reading import note_facts
from treatments.plans.models import Plan
from treatments.scales.models import Score
from treatments.screening.models import Override
from treatments.sessions.models import Session
from treatments.sessions.page import settings_said

INKS = ("#0b6b6b", "#a3341f", "#2457a6", "#6b3fa0", "#8a5600", "#1a7340")
"""The marks of a map on paper, by shape; as on the screen in its light colours."""


@dataclass(frozen=True)
class SyringeSheet:
    """How a syringe was made up, and its figures as they were signed."""

    row: Any
    figures: dict[str, Any] | None


@dataclass(frozen=True)
class SessionSheet:
    """A session with everything that its paper says."""

    session: Session
    shown: SessionShown
    settings: dict[int, Sequence[tuple[str, str]]]
    syringes: Sequence[SyringeSheet]
    zone: ZoneInfo
    inks: Sequence[str] = INKS


def sheets_of(sessions: Any) -> list[SessionSheet]:
    """Sessions as paper has them, in their order. The queries do not grow with the sessions."""
    rows = sessions.select_related(
        "patient", "plan", "location__country", "practitioner", "signed_by", "consent"
    ).prefetch_related(
        "treated_areas__area",
        "treated_areas__technique",
        "treated_areas__device",
        "treated_areas__modality",
        "treated_areas__syringe",
        "mix__lot__product",
        "mix__syringe",
        "anaesthesia__anaesthetic",
        "anaesthesia__lot",
        "syringes__prepared_by",
        "addenda__written_by",
        "check_ins",
    )
    return [_sheet(row) for row in rows.defer("consent__html", "consent__signature_svg")]


def session_of(pk: int) -> SessionSheet:
    """One session as paper has it."""
    return sheets_of(Session.objects.filter(pk=pk))[0]


def _sheet(session: Session) -> SessionSheet:
    signed = {one["label"]: one for one in session.totals.get("syringes", [])}
    return SessionSheet(
        session=session,
        shown=session_shown(session),
        settings={row.pk: settings_said(row) for row in session.treated_areas.all()},
        syringes=[SyringeSheet(row, signed.get(row.label)) for row in session.syringes.all()],
        zone=session.location.zone,
    )


@dataclass(frozen=True)
class NoteSheet:
    """A note section by section; empty ones left out."""

    note: Consultation
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class HistorySheet:
    """One version of what the patient said."""

    history: History
    lines: Sequence[Line]


def record_of(patient: Patient, *, with_photos: bool) -> dict[str, Any]:
    """The whole record for its template, from first to last."""
    files, names = files_of(patient), Names()
    place = _place(patient)
    return {
        "patient": patient,
        "location": place,
        "zone": place.zone,
        "printed_at": timezone.localtime(timezone=place.zone),
        "earlier_files": [f"P{pk:06d}" for pk in files[1:]],
        "histories": _histories(files),
        "confirmations": _of(Confirmation, files).order_by("confirmed_at"),
        "overrides": _of(Override, files).select_related("decided_by").order_by("pk"),
        "notes": _notes(files),
        "plans": _of(Plan, files)
        .select_related("made_by")
        .prefetch_related("areas__area", "areas__technique", "phases", "mix__product")
        .order_by("created_at"),
        "consents": _of(Consent, files)
        .filter(signed_at__isnull=False)
        .select_related("plan", "countersigned_by")
        .defer("html", "signature_svg", "signature_strokes")
        .order_by("signed_at"),
        "scores": _scores(files, names, place.zone),
        "sheets": sheets_of(_of(Session, files).order_by("started_at", "pk")),
        "photo_days": _photo_days(files, names, place.zone),
        "with_photos": with_photos,
        "events": _of(AdverseEvent, files)
        .select_related("kind")
        .prefetch_related("addenda__written_by")
        .order_by("onset_at", "pk"),
        "calls": _of(Call, files)
        .filter(done_at__isnull=False)
        .select_related("done_by", "check_in")
        .order_by("done_at"),
    }


def _of(model: Any, files: Sequence[int]) -> Any:
    return model.objects.filter(patient_id__in=files)


def _place(patient: Patient) -> Location:
    """Whose letterhead it has: where the patient was treated last, else registered first."""
    last = (
        Session.objects.filter(patient=patient)
        .select_related("location__country")
        .order_by("-started_at")
        .first()
    )
    if last:
        return last.location
    first = patient.registrations.select_related("location__country").order_by("pk")[0]
    place: Location = first.location
    return place


def _histories(files: Sequence[int]) -> list[HistorySheet]:
    rows = (
        _of(History, files)
        .filter(submitted_at__isnull=False)
        .select_related("typed_by", "reviewed_by")
        .defer("signature_svg", "signature_strokes")
        .order_by("submitted_at")
    )
    return [HistorySheet(row, [one for one in lines(row) if one.value]) for row in rows]


def _notes(files: Sequence[int]) -> list[NoteSheet]:
    rows = (
        _of(Consultation, files)
        .select_related("practitioner", "signed_by", "location")
        .prefetch_related("addenda__written_by")
        .order_by("created_at")
    )
    return [NoteSheet(row, [fact for fact in note_facts(row) if fact[1]]) for row in rows]


def _scores(files: Sequence[int], names: Names, zone: ZoneInfo) -> list[tuple[datetime, str, str]]:
    rows: Iterable[Score] = (
        _of(Score, files)
        .filter(closed_at__isnull=False)
        .select_related("scale")
        .order_by("taken_at")
    )
    return [
        (row.taken_at.astimezone(zone), *said)
        for row in rows
        for said in scores_shown([row], names)
    ]


def _photo_days(files: Sequence[int], names: Names, zone: ZoneInfo) -> list[Day]:
    """The photos that the record may show, from first to last."""
    shown = Photo.objects.filter(patient_id__in=files).shown().newest_first()
    return by_day(names.name(shown), zone)[::-1]
