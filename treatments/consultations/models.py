"""The consultation note: concern, examination, skin type, discussion, decision."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.diary.models import Appointment


class Consultation(Record):
    """One consultation. A draft until `signed_at`; then only addenda.

    `screening` keeps the verdicts shown at signing, with the rules of that day.
    `revision` rises with each save, so two people editing one draft are told.
    """

    class Decision(models.TextChoices):
        SUITABLE = "suitable", _("Suitable")
        NOT_SUITABLE = "not_suitable", _("Not suitable")
        REFER = "refer", _("Refer")
        THINK = "think", _("Think it over")

    class Fitzpatrick(models.IntegerChoices):
        I = 1, "I"  # noqa: E741
        II = 2, "II"
        III = 3, "III"
        IV = 4, "IV"
        V = 5, "V"
        VI = 6, "VI"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consultations")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    appointment = models.OneToOneField(
        Appointment, models.PROTECT, null=True, blank=True, related_name="consultation"
    )
    practitioner = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    concern = models.TextField(_("concern, in the patient's words"), max_length=4000, blank=True)
    indications = ArrayField(models.SlugField(max_length=60), default=list, blank=True)
    areas = ArrayField(models.SlugField(max_length=80), default=list, blank=True)
    examination = models.TextField(_("examination"), max_length=8000, blank=True)
    fitzpatrick = models.PositiveSmallIntegerField(
        _("skin type (Fitzpatrick)"), choices=Fitzpatrick, null=True, blank=True
    )
    fitzpatrick_answers = models.JSONField(null=True, blank=True)
    discussion = models.TextField(_("what was explained"), max_length=8000, blank=True)
    alternatives = models.TextField(_("alternatives discussed"), max_length=4000, blank=True)
    decision = models.CharField(_("decision"), max_length=14, choices=Decision, blank=True)
    screening = models.JSONField(default=list)
    history_version = models.PositiveIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    closed_when = "signed_at IS NOT NULL"
    merge_moves = models.Q(signed_at__isnull=True)
    objects = OfPatientQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-created_at"], name="consultation_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(signed_at__isnull=True)
                | (
                    ~models.Q(decision="")
                    & ~models.Q(concern="")
                    & models.Q(fitzpatrick__isnull=False, signed_by__isnull=False)
                ),
                name="consultation_signed_is_complete",
            )
        ]

    def __str__(self) -> str:
        return f"consultation {self.pk}"

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None


class ConsultationAddendum(Record):
    """A later word on a signed note; the note itself stays as it was."""

    consultation = models.ForeignKey(Consultation, models.PROTECT, related_name="addenda")
    text = models.TextField(_("addendum"), max_length=4000)
    reason = models.CharField(_("reason"), max_length=300)
    written_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = "consultation_id>treatments_consultation.patient_id"
    closed_when = "true"

    class Meta:
        verbose_name_plural = "consultation addenda"
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"addendum to {self.consultation_id}"
