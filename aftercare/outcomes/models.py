"""A course as it was summed up on paper."""

from __future__ import annotations

from django.db import models

from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.plans.models import Plan


class CourseSummary(Record):
    """A plan and what came of it, as a PDF: the trace of who took it out, and when."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="course_summaries")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="summaries")
    document = models.OneToOneField(Document, models.PROTECT, related_name="course_summary")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = "patient_id"
    closed_when = "true"
    objects = OfPatientQuerySet["CourseSummary"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["plan", "-id"], name="course_summary_of_plan")]

    def __str__(self) -> str:
        return f"course summary {self.pk}"
