"""Consent: exactly what was read and signed, and what it covers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.plans.models import Plan

NOTHING = Value([], models.JSONField())


class Consent(Record):
    """A consent for one plan. `html` is the text the patient read, `statements` what they ticked.

    `text_sha256` is the hash of both, see `treatments.consents.text.text_hash`.
    It covers the substance, technique and area codes frozen in it, and nothing else.
    `screening` keeps the verdicts on the plan at the moment of signing, by the rules of that day,
    and `history_version` the history that they read.
    The signature is `signature_svg` with its strokes, or `typed_name` alone.
    """

    class Method(models.TextChoices):
        DRAWN = "drawn", _("drawn")
        TYPED = "typed", _("typed name")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="consents")
    language = models.CharField(max_length=8)
    template_version = models.CharField(max_length=20)
    html = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    substances = ArrayField(models.SlugField(max_length=80), default=list)
    techniques = ArrayField(models.SlugField(max_length=80), default=list)
    areas = ArrayField(models.SlugField(max_length=80), default=list)
    statements = models.JSONField(default=list)
    ready_to_read_at = models.DateTimeField()
    prepared_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_name = models.CharField(_("name of the signer"), max_length=200, blank=True)
    method = models.CharField(max_length=6, choices=Method, blank=True)
    signature_svg = models.TextField(blank=True)
    signature_strokes = models.JSONField(null=True, blank=True)
    signed_on_device = models.CharField(max_length=20, blank=True)
    countersigned_at = models.DateTimeField(null=True, blank=True)
    countersigned_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+"
    )
    document = models.OneToOneField(
        Document, models.PROTECT, null=True, blank=True, related_name="consent"
    )
    screening = models.JSONField(default=list, blank=True, db_default=NOTHING)
    history_version = models.PositiveIntegerField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawal_reason = models.CharField(max_length=500, blank=True)

    audit_patient = "patient_id"
    audit_exclude = ("html", "signature_svg", "signature_strokes")
    # A draft plan goes along, and with it what was prepared to be signed for it.
    merge_moves = models.Q(signed_at__isnull=True, plan__accepted_at__isnull=True)
    closed_when = "signed_at IS NOT NULL"
    closed_except = (
        "countersigned_at",
        "countersigned_by_id",
        "document_id",
        "withdrawn_at",
        "withdrawal_reason",
    )
    objects = OfPatientQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-created_at"], name="consent_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(signed_at__isnull=True)
                | (~models.Q(signed_name="") & ~models.Q(method="") & ~models.Q(text_sha256="")),
                name="consent_signed_is_complete",
            ),
            models.CheckConstraint(
                condition=~models.Q(method="drawn") | ~models.Q(signature_svg=""),
                name="consent_drawn_has_drawing",
            ),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"
