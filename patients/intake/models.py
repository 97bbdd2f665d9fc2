"""Medical history as versions: each submission is a row; the newest submitted one counts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient


class HistoryQuerySet(OfPatientQuerySet["History"]):
    def submitted(self) -> HistoryQuerySet:
        """Those the patient (or the desk for them) has handed in and that count, newest first."""
        return self.handed_in().filter(withdrawn_at__isnull=True)

    def handed_in(self) -> HistoryQuerySet:
        """Those and the withdrawn ones, newest first."""
        return self.filter(submitted_at__isnull=False).order_by("-version")


class History(Record):
    """One version of what a patient said about their health.

    `conditions`, `medicines` and `allergies` hold codes of the catalogue (contraindication
    conditions, medicine groups, allergens); `answers` keeps the questionnaire word for word.
    An empty `allergies` with `no_known_allergies` true means "none known"; false means not asked.
    `withdrawn_at`: taken together from two files whose merge was undone, so it counts no more.
    """

    class Origin(models.TextChoices):
        LINK = "link", _("by the patient's link")
        DESK = "desk", _("typed at the clinic")
        MERGE = "merge", _("taken together from two files")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="histories")
    version = models.PositiveIntegerField()
    origin = models.CharField(max_length=10, choices=Origin)
    answers = models.JSONField(default=dict)
    conditions = ArrayField(models.SlugField(), default=list, blank=True)
    medicines = ArrayField(models.SlugField(), default=list, blank=True)
    allergies = ArrayField(models.SlugField(), default=list, blank=True)
    no_known_allergies = models.BooleanField(default=False)
    other_allergies = models.CharField(_("other allergies"), max_length=500, blank=True)
    medicines_text = models.CharField(_("medicines taken"), max_length=2000, blank=True)
    weight_kg = models.DecimalField(
        _("weight"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    pregnant = models.BooleanField(_("pregnant or breastfeeding"), null=True)
    fear_of_needles = models.BooleanField(_("fear of needles"), default=False)
    cold_sores = models.BooleanField(_("cold sores"), default=False)
    expectations = models.TextField(_("what you hope for"), max_length=2000, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    signed_name = models.CharField(_("signed as"), max_length=200, blank=True)
    reviewed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "submitted_at IS NOT NULL"
    closed_except = ("reviewed_by_id", "reviewed_at", "withdrawn_at")
    objects = HistoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "histories"
        constraints = [
            models.UniqueConstraint(fields=["patient", "version"], name="history_version_once"),
            models.UniqueConstraint(
                fields=["patient"],
                condition=models.Q(submitted_at__isnull=True),
                name="history_one_draft",
            ),
            models.CheckConstraint(
                condition=models.Q(weight_kg__isnull=True)
                | models.Q(weight_kg__gte=2, weight_kg__lte=400),
                name="history_weight_possible",
                violation_error_message=_("A weight is between 2 and 400 kg."),
            ),
        ]

    def __str__(self) -> str:
        return f"history {self.version} of {self.patient_id}"
