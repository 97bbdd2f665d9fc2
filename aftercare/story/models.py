"""A printing: which record was made into which document, for whom."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.sessions.models import Session


class Printing(Record):
    """One session, or without one the whole record, as a PDF. `with_photos`: pictures, not a list.

    The row is the trace of who took a record out; the document may be asked for again.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="printings")
    session = models.ForeignKey(
        Session, models.PROTECT, null=True, blank=True, related_name="printings"
    )
    with_photos = models.BooleanField(_("with the photos"), default=False)
    document = models.OneToOneField(Document, models.PROTECT, related_name="printing")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = "patient_id"
    closed_when = "true"
    objects = OfPatientQuerySet["Printing"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-id"], name="printing_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(session__isnull=True) | models.Q(with_photos=False),
                name="printing_photos_of_whole_record",
            )
        ]

    def __str__(self) -> str:
        return f"printing {self.pk}"
