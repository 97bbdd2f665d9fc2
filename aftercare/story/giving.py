"""The whole record as it goes to the patient."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from aftercare.story.printing import record_of
from aftercare.story.proof import evidence_of_record
from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.registry.models import Patient


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
