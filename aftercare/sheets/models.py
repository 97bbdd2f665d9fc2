"""The aftercare sheet given to one patient after one session, as it was given."""

from __future__ import annotations

from django.db import models

from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.sessions.models import Session


class Sheet(Record):
    """`content` holds the composed advice: sections with lines, each with its block and version."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="sheets")
    session = models.OneToOneField(Session, models.PROTECT, related_name="sheet")
    language = models.CharField(max_length=8)
    content = models.JSONField()
    document = models.OneToOneField(Document, models.PROTECT, related_name="sheet")
    first_read_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "true"
    closed_except = ("first_read_at",)
    objects = OfPatientQuerySet.as_manager()

    def __str__(self) -> str:
        return f"sheet {self.pk}"
