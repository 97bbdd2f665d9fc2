"""A score: one scale, answered once for a patient."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import Scale


class ScoreQuerySet(OfPatientQuerySet["Score"]):
    """Scores, of one person or of one record."""

    def closed(self) -> ScoreQuerySet:
        """Those of signed records, oldest first: what a plot may show."""
        return self.filter(closed_at__isnull=False).order_by("taken_at", "pk")


class Score(Record):
    """A scale as answered: open with its draft, closed with the record it was taken for.

    `scale` is the version that was answered. `value` is empty while an item is missing, which only
    an open score may be. The record it belongs to stands above this room; its code is not imported.
    """

    class Side(models.TextChoices):
        NONE = "", _("no side")
        LEFT = "left", _("left")
        RIGHT = "right", _("right")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="scores")
    scale = models.ForeignKey(Scale, models.PROTECT, related_name="scores")
    side = models.CharField(_("side"), max_length=5, choices=Side, blank=True)
    answers = models.JSONField(default=dict)
    value = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    taken_at = models.DateTimeField()
    taken_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    consultation = models.ForeignKey(
        "treatments.Consultation", models.PROTECT, null=True, blank=True, related_name="scores"
    )
    session = models.ForeignKey(
        "treatments.Session", models.PROTECT, null=True, blank=True, related_name="scores"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "closed_at IS NOT NULL"
    closed_by = "consultation_id>treatments_consultation:signed_at IS NOT NULL"
    merge_moves = models.Q(closed_at__isnull=True)
    objects = ScoreQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "taken_at"], name="score_of_patient")]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "scale", "side"],
                condition=models.Q(consultation__isnull=False),
                name="score_once_in_a_note",
            ),
            models.UniqueConstraint(
                fields=["session", "scale", "side"],
                condition=models.Q(session__isnull=False),
                name="score_once_in_a_session",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(value__isnull=False),
                name="score_closed_has_value",
            ),
            models.CheckConstraint(
                condition=models.Q(consultation__isnull=True) | models.Q(session__isnull=True),
                name="score_of_one_record",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scale_id}: {self.value}"
