"""A patient's link: secret, short-lived, proved by the birth date; only its hash is kept."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient


class LinkQuerySet(OfPatientQuerySet["Link"]):
    def usable(self, at: datetime) -> LinkQuerySet:
        """Neither expired, replaced nor locked after too many wrong birth dates."""
        return self.filter(
            expires_at__gt=at, revoked_at__isnull=True, wrong_answers__lt=Link.MOST_WRONG_ANSWERS
        )


class Link(Record):
    """The way into a patient's own pages.

    `opens` limits it to some of them: names of URLs with spaces between, the first of them the page
    to come back to. Such a link is for a tablet of the clinic, and its proof was given there.
    """

    MOST_WRONG_ANSWERS = 5

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    wrong_answers = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    opens = models.TextField(blank=True, default="", db_default="")

    audit_patient = "patient_id"
    audit_exclude = ("token_hash",)
    objects = LinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"link {self.pk}"

    @property
    def pages(self) -> list[str]:
        """The names of the URLs it is limited to; none: it opens everything of the patient's."""
        return self.opens.split()
