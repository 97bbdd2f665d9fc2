"""The consultation note: concern, examination, skin type, discussion, decision."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.diary.models import Appointment

HOLD = timedelta(minutes=10)
"""A draft is its writer's for this long after the last save; then anyone may go on with it."""
EMPTY_LIST = models.Value([], models.JSONField())
EMPTY_DICT = models.Value({}, models.JSONField())


class ConsultationQuerySet(OfPatientQuerySet["Consultation"]):
    """Notes, signed or not."""

    def unsigned_of(self, staff: Staff) -> ConsultationQuerySet:
        """The drafts that a person has begun or last wrote, oldest first."""
        mine = models.Q(practitioner=staff) | models.Q(editor=staff)
        return self.filter(mine, signed_at__isnull=True).order_by("created_at", "pk")


class Consultation(Record):
    """One consultation. A draft until `signed_at`; then only addenda.

    `screening` keeps the verdicts shown at signing, with the rules of that day.
    `revision` rises with each save; `sections` says for each section in which save it last changed,
    by whom and when, so that two writers disturb each other only where they wrote the same.
    `findings`: a list of {area, side, signs, words}. `explained`: risk lines as {code, version}.
    `origins`: sections that a template or an earlier note filled and nobody has looked at yet.
    `editor`: who last wrote here; see `holder`.
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
    findings = models.JSONField(default=list, db_default=EMPTY_LIST)
    scales = models.JSONField(default=list, db_default=EMPTY_LIST)
    explained = models.JSONField(default=list, db_default=EMPTY_LIST)
    discussion = models.TextField(_("what was explained"), max_length=8000, blank=True)
    alternatives = models.TextField(_("alternatives discussed"), max_length=4000, blank=True)
    alternatives_named = models.JSONField(default=list, db_default=EMPTY_LIST)
    decision = models.CharField(_("decision"), max_length=14, choices=Decision, blank=True)
    decision_reason = models.TextField(
        _("reason"), max_length=2000, blank=True, default="", db_default=""
    )
    refer_to = models.CharField(
        _("referred to"), max_length=200, blank=True, default="", db_default=""
    )
    think_until = models.DateField(_("to think it over until"), null=True, blank=True)
    advice = models.TextField(_("advice"), max_length=4000, blank=True, default="", db_default="")
    origins = models.JSONField(default=dict, db_default=EMPTY_DICT)
    sections = models.JSONField(default=dict, db_default=EMPTY_DICT)
    screening = models.JSONField(default=list)
    history_version = models.PositiveIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)
    editor = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    editing_since = models.DateTimeField(null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    closed_when = "signed_at IS NOT NULL"
    care_at = "created_at"
    merge_moves = models.Q(signed_at__isnull=True)
    objects = ConsultationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-created_at"], name="consultation_of_patient"),
            models.Index(
                fields=["practitioner", "created_at"],
                condition=models.Q(signed_at__isnull=True),
                name="consultation_unsigned",
            ),
            models.Index(
                fields=["editor"],
                condition=models.Q(signed_at__isnull=True),
                name="consultation_unsigned_editor",
            ),
        ]
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

    def holder(self, at: datetime) -> Staff | None:
        """Who is writing here at this moment, if anyone."""
        if self.is_signed or self.edited_at is None or at - self.edited_at > HOLD:
            return None
        return self.editor

    def is_held_from(self, staff: Staff, at: datetime) -> bool:
        """Somebody else is writing here: look, copy, or take over."""
        return self.holder(at) is not None and self.editor_id != staff.pk


class ChartMark(Record):
    """A mark on a chart of the note: a line, an outline or a pin, and what it stands for.

    `key` is made where it was drawn, so that sending the same mark twice keeps one. `points` are
    fractions of the chart's width and height.
    """

    class Kind(models.TextChoices):
        LINE = "line", _("line")
        OUTLINE = "outline", _("outline")
        PIN = "pin", _("pin")

    consultation = models.ForeignKey(Consultation, models.CASCADE, related_name="marks")
    key = models.UUIDField()
    chart = models.SlugField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind)
    sign = models.SlugField(max_length=40, blank=True)
    words = models.CharField(_("words"), max_length=200, blank=True)
    points = models.JSONField(default=list)

    audit_patient = "consultation_id>treatments_consultation.patient_id"
    closed_by = "consultation_id>treatments_consultation:signed_at IS NOT NULL"

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "key"], name="chart_mark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.chart}"


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
