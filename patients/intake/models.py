"""Medical history as versions: each submission is a row; the newest submitted one counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient

if TYPE_CHECKING:
    from datetime import datetime

EMPTY_OBJECT = Value({}, models.JSONField())
EMPTY_LIST = Value([], models.JSONField())


class Signing(models.TextChoices):
    """How somebody put their name to what they said."""

    DRAWN = "drawn", _("signed by hand")
    TYPED = "typed", _("typed name")
    TOLD = "told", _("told to the staff, not signed")


class HistoryQuerySet(OfPatientQuerySet["History"]):
    def submitted(self) -> HistoryQuerySet:
        """Those the patient (or the desk for them) has handed in and that count, newest first."""
        return self.handed_in().filter(withdrawn_at__isnull=True)

    def handed_in(self) -> HistoryQuerySet:
        """Those and the withdrawn ones, newest first."""
        return self.filter(submitted_at__isnull=False).order_by("-version")

    def to_review(self) -> HistoryQuerySet:
        """The newest version of each file in use that no practitioner has read; oldest first."""
        newer = self.model._default_manager.filter(
            patient=OuterRef("patient"),
            version__gt=OuterRef("version"),
            submitted_at__isnull=False,
            withdrawn_at__isnull=True,
        )
        return self.filter(
            ~Exists(newer),
            submitted_at__isnull=False,
            withdrawn_at__isnull=True,
            reviewed_at__isnull=True,
            patient__merged_into__isnull=True,
        ).order_by("submitted_at", "pk")


class History(Record):
    """One version of what a patient said about their health.

    `conditions`, `medicines` and `allergies` hold codes of the catalogue (contraindication
    conditions, medicine groups, allergens); `answers` keeps the questionnaire word for word.
    An empty `allergies` with `no_known_allergies` true means "none known"; false means not asked.
    `pregnant` and `breastfeeding` None mean not asked; `pregnancy_applies` False that the patient
    said that neither can concern them. Before there was `breastfeeding`, `pregnant` held both.
    `details`: what was said about a code, `{code: {"on": "2026-03-01", "text": "..."}}`.
    `procedures`: earlier aesthetic treatments, `[{"kind", "on": "2025" or "2025-11", "what",
    "problem"}]`. `psychology`: `{"bddq": [seven answers], "cops": total}`, see `bddq.py`.
    `review_changes` is what was new to the reviewer: `[[name, before, after], ...]`.
    `withdrawn_at`: taken together from two files whose merge was undone, so it counts no more.
    """

    class Origin(models.TextChoices):
        LINK = "link", _("by the patient's link")
        TABLET = "tablet", _("by the patient, on the clinic's tablet")
        DESK = "desk", _("typed at the clinic")
        MERGE = "merge", _("taken together from two files")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="histories")
    version = models.PositiveIntegerField()
    origin = models.CharField(max_length=10, choices=Origin)
    answers = models.JSONField(default=dict)
    conditions = ArrayField(models.SlugField(), default=list, blank=True)
    medicines = ArrayField(models.SlugField(), default=list, blank=True)
    allergies = ArrayField(models.SlugField(), default=list, blank=True)
    details = models.JSONField(default=dict, blank=True, db_default=EMPTY_OBJECT)
    procedures = models.JSONField(default=list, blank=True, db_default=EMPTY_LIST)
    psychology = models.JSONField(default=dict, blank=True, db_default=EMPTY_OBJECT)
    no_known_allergies = models.BooleanField(default=False)
    other_allergies = models.CharField(_("other allergies"), max_length=500, blank=True)
    allergy_reaction = models.CharField(
        _("what happened"), max_length=500, blank=True, default="", db_default=""
    )
    medicines_text = models.CharField(_("medicines taken"), max_length=2000, blank=True)
    weight_kg = models.DecimalField(
        _("weight"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    pregnancy_applies = models.BooleanField(_("pregnancy can concern them"), null=True, blank=True)
    pregnant = models.BooleanField(_("pregnant"), null=True, blank=True)
    breastfeeding = models.BooleanField(_("breastfeeding"), null=True, blank=True)
    fear_of_needles = models.BooleanField(_("fear of needles"), default=False)
    cold_sores = models.BooleanField(_("cold sores"), default=False)
    expectations = models.TextField(_("what you hope for"), max_length=2000, blank=True)
    typed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    signed_name = models.CharField(_("signed as"), max_length=200, blank=True)
    signed_how = models.CharField(
        max_length=6, choices=Signing, blank=True, default="", db_default=""
    )
    signature_svg = models.TextField(blank=True, default="", db_default="")
    signature_strokes = models.JSONField(null=True, blank=True)
    reviewed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.CharField(
        _("note of the review"), max_length=1000, blank=True, default="", db_default=""
    )
    review_changes = models.JSONField(default=list, blank=True, db_default=EMPTY_LIST)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    audit_exclude = ("signature_svg", "signature_strokes")
    closed_when = "submitted_at IS NOT NULL"
    care_at = "submitted_at"
    closed_except = (
        "reviewed_by_id",
        "reviewed_at",
        "review_note",
        "review_changes",
        "withdrawn_at",
    )
    objects = HistoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "histories"
        indexes = [
            models.Index(
                fields=["submitted_at"],
                condition=Q(
                    submitted_at__isnull=False, reviewed_at__isnull=True, withdrawn_at__isnull=True
                ),
                name="history_to_review",
            )
        ]
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
            models.CheckConstraint(
                condition=~models.Q(signed_how="drawn") | ~models.Q(signature_svg=""),
                name="history_drawn_has_drawing",
            ),
        ]

    def __str__(self) -> str:
        return f"history {self.version} of {self.patient_id}"

    @property
    def is_signed(self) -> bool:
        """Whether the patient has put their name to it; not what staff wrote down by telephone."""
        return bool(self.signed_name) and self.signed_how != Signing.TOLD


class ConfirmationQuerySet(OfPatientQuerySet["Confirmation"]):
    def of(self, history: History) -> ConfirmationQuerySet:
        """Those of one version, newest first."""
        return self.filter(history=history).order_by("-confirmed_at", "-pk")


class Confirmation(Record):
    """The patient's signature under "nothing has changed", for one version of the history."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="history_confirmations")
    history = models.ForeignKey(History, models.PROTECT, related_name="confirmations")
    confirmed_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    origin = models.CharField(max_length=10, choices=History.Origin)
    signed_name = models.CharField(_("signed as"), max_length=200)
    signed_how = models.CharField(max_length=6, choices=Signing)
    signature_svg = models.TextField(blank=True)
    signature_strokes = models.JSONField(null=True, blank=True)
    taken_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    audit_exclude = ("signature_svg", "signature_strokes")
    closed_when = "true"
    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-confirmed_at"], name="confirmation_of_patient")
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(signed_name=""), name="confirmation_has_name"
            ),
            models.CheckConstraint(
                condition=~models.Q(signed_how="drawn") | ~models.Q(signature_svg=""),
                name="confirmation_drawn_has_drawing",
            ),
        ]

    def __str__(self) -> str:
        return f"confirmation of history {self.history_id}"
