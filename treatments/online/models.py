"""A patient's request for a time, made by link: from the choice to the appointment."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models

from clinic.access.models import Staff
from clinic.records import Record
from patients.portal.models import Code
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.diary.models import Appointment, Service


class VisitRequestQuerySet(OfPatientQuerySet["VisitRequest"]):
    def usable(self, at: datetime) -> VisitRequestQuerySet:
        """Begun not too long ago to be gone on with."""
        return self.filter(created_at__gt=at - VisitRequest.LIFE)


class VisitRequest(Record):
    """What a patient asks for, kept on the server: the address holds nothing but `public_id`.

    A `practitioner` of None is any. `moves` is the appointment that is to have another time; a new
    visit has none and is confirmed by `code`. `confirmed_at` is when the code was right.
    `appointment` is what came of it.
    """

    LIFE = timedelta(hours=12)

    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="requests")
    location = models.ForeignKey("clinic.Location", models.CASCADE, related_name="+")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    practitioner = models.ForeignKey(Staff, models.CASCADE, null=True, blank=True, related_name="+")
    moves = models.ForeignKey(Appointment, models.CASCADE, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField(null=True, blank=True)
    code = models.ForeignKey(Code, models.SET_NULL, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    appointment = models.ForeignKey(
        Appointment, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    audit_patient = "patient_id"
    objects = VisitRequestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-created_at"], name="request_of_patient")]

    def __str__(self) -> str:
        return f"request {self.pk}"
