"""The whole record as it goes to the patient, and when care was last given."""

from __future__ import annotations

from datetime import date

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercare.story.printing import record_of
from aftercare.story.proof import evidence_of_record
from aftercare.watch.models import CheckIn
from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.registry.models import Patient
from treatments.consultations.models import Consultation
from treatments.diary.models import Appointment
from treatments.sessions.models import Session


def write_record(*, patient: Patient, language: str, by: str) -> Document:
    """Queue the whole record without its photos, which go beside it, in the language in force."""
    record = record_of(patient, with_photos=False)
    page = {"language": language, "printed_by": by, **record}
    return request_document(
        patient=patient,
        kind=Document.Kind.RECORD,
        title=_("Whole record, copy for the patient"),
        language=language,
        html=render_to_string("pdf/record.html", page),
        by=by,
        evidence=evidence_of_record(patient, by),
    )


def last_care(files: list[int]) -> date | None:
    """The last day of a session, a note, a visit that took place, or an answer after one."""
    moments = [
        _newest(Session.objects.filter(patient__in=files), "started_at"),
        _newest(Consultation.objects.filter(patient__in=files), "created_at"),
        _newest(
            Appointment.objects.filter(patient__in=files, status=Appointment.Status.DONE),
            "starts_at",
        ),
        _newest(
            CheckIn.objects.filter(patient__in=files, answered_at__isnull=False), "answered_at"
        ),
    ]
    return max((day for day in moments if day), default=None)


def _newest(rows: object, field: str) -> date | None:
    ordered = rows.order_by(f"-{field}")  # type: ignore[attr-defined]
    moment = ordered.values_list(field, flat=True).first()
    return timezone.localdate(moment) if moment else None
