"""The plan: indication, areas, technique, mix with strengths, phases and dates."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import NO_CODES, Area, Product, Protocol, Technique
from treatments.consultations.models import Consultation


class Side(models.TextChoices):
    """The patient's own side."""

    NONE = "none", _("midline")
    LEFT = "left", _("left")
    RIGHT = "right", _("right")
    BOTH = "both", _("both sides")


SYRINGES = ("A", "B", "C", "D", "E", "F", "G", "H")
"""What the syringes of one session are called, as on the bench."""
FIRST_SYRINGE = "A"


class Plan(Record):
    """A course of sessions. Accepting fixes its areas and mix; a change is a new plan.

    `indication` is what it is mainly for, `also_for` what else. `copied_from`: the earlier plan of
    the same patient that it began as.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACCEPTED = "accepted", _("Accepted")
        FINISHED = "finished", _("Finished")
        STOPPED = "stopped", _("Stopped")
        DECLINED = "declined", _("Declined")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="plans")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    consultation = models.ForeignKey(
        Consultation, models.PROTECT, null=True, blank=True, related_name="plans"
    )
    protocol = models.ForeignKey(Protocol, models.PROTECT, null=True, blank=True, related_name="+")
    copied_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="copies"
    )
    indication = models.SlugField(_("indication"), max_length=60)
    also_for = ArrayField(
        models.SlugField(max_length=60), default=list, blank=True, db_default=NO_CODES
    )
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    stop_reason = models.CharField(_("reason for stopping"), max_length=300, blank=True)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "(accepted_at IS NOT NULL OR state = 'declined')"
    closed_except = ("state", "stop_reason")
    merge_moves = models.Q(state="draft")
    objects = OfPatientQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-created_at"], name="plan_of_patient"),
            models.Index(
                fields=["location", "-accepted_at"],
                condition=models.Q(accepted_at__isnull=False),
                name="plan_accepted_at_place",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "declined"], accepted_at__isnull=True)
                | models.Q(
                    state__in=["accepted", "finished", "stopped"], accepted_at__isnull=False
                ),
                name="plan_in_force_was_accepted",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="declined", stop_reason=""),
                name="plan_declined_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def indications(self) -> list[str]:
        """Everything it is for, the main one first."""
        return [self.indication, *self.also_for]


PLAN_CLOSED = "plan_id>treatments_plan:(accepted_at IS NOT NULL OR state = 'declined')"
PLAN_PATIENT = "plan_id>treatments_plan.patient_id"


class Phase(Record):
    """A stretch of the course: how many sessions, and the days between them."""

    class Kind(models.TextChoices):
        INDUCTION = "induction", _("Induction")
        CONSOLIDATION = "consolidation", _("Consolidation")
        MAINTENANCE = "maintenance", _("Maintenance")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="phases")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=14, choices=Kind)
    sessions = models.PositiveSmallIntegerField(_("number of sessions"))
    gap_min_days = models.PositiveSmallIntegerField(_("at least this many days between"))
    gap_max_days = models.PositiveSmallIntegerField(_("at most this many days between"))

    audit_patient = PLAN_PATIENT
    closed_by = PLAN_CLOSED

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="phase_position_once"),
            models.CheckConstraint(
                condition=models.Q(sessions__gte=1, sessions__lte=60), name="phase_has_sessions"
            ),
            models.CheckConstraint(
                condition=models.Q(gap_min_days__gte=1)
                & models.Q(gap_max_days__gte=models.F("gap_min_days")),
                name="phase_gaps_in_order",
                violation_error_message=_("The longest gap cannot be shorter than the shortest."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sessions} x {self.gap_min_days}-{self.gap_max_days} days"


class PlanArea(Record):
    """What is planned for one area: technique, depth, needle, spacing, mL per point, and the
    syringe that holds its mix."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="areas")
    area = models.ForeignKey(Area, models.PROTECT, related_name="+")
    side = models.CharField(_("side"), max_length=5, choices=Side, default=Side.NONE)
    technique = models.ForeignKey(Technique, models.PROTECT, related_name="+")
    depth_mm = models.DecimalField(_("depth"), max_digits=4, decimal_places=2)
    spacing_mm = models.DecimalField(
        _("spacing"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    ml_per_point = models.DecimalField(_("volume per point"), max_digits=5, decimal_places=3)
    points = models.PositiveSmallIntegerField(_("points in all"))
    needle_gauge = models.PositiveSmallIntegerField(_("needle gauge"), null=True, blank=True)
    needle_mm = models.DecimalField(
        _("needle length"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    syringe = models.CharField(
        _("syringe"), max_length=1, default=FIRST_SYRINGE, db_default=FIRST_SYRINGE
    )

    audit_patient = PLAN_PATIENT
    closed_by = PLAN_CLOSED

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "area", "side"],
                name="plan_area_once",
                violation_error_message=_("This area is already in the plan."),
            ),
            models.CheckConstraint(
                condition=models.Q(depth_mm__gt=0, depth_mm__lte=40, ml_per_point__gte=0),
                name="plan_area_figures_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(syringe__in=SYRINGES), name="plan_area_syringe_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area_id} {self.side}"


class MixLine(Record):
    """A product of the mix in one syringe, in mL per session, from one session to another."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="mix")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    ml = models.DecimalField(_("volume"), max_digits=6, decimal_places=2)
    from_session = models.PositiveSmallIntegerField(_("from session"), default=1)
    to_session = models.PositiveSmallIntegerField(_("to session"), null=True, blank=True)
    syringe = models.CharField(
        _("syringe"), max_length=1, default=FIRST_SYRINGE, db_default=FIRST_SYRINGE
    )

    audit_patient = PLAN_PATIENT
    closed_by = PLAN_CLOSED

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ml__gt=0, ml__lte=100), name="mix_line_volume_possible"
            ),
            models.CheckConstraint(
                condition=models.Q(syringe__in=SYRINGES), name="mix_line_syringe_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.ml} mL"


class StopRule(Record):
    """When the course ends before its last session.

    No effect: after `after_sessions` sessions, read from the scale `scale` where one is named, by
    at least `least_percent` better than at first; else a person judges. `words`: the rule in the
    clinician's own, which only a person can find met.
    """

    class Kind(models.TextChoices):
        NO_EFFECT = "no-effect", _("no effect after a number of sessions")
        ADVERSE = "adverse", _("an adverse event")
        WISH = "wish", _("the patient’s wish")
        OTHER = "other", _("another reason, in words")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="stop_rules")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    after_sessions = models.PositiveSmallIntegerField(
        _("after this many sessions"), null=True, blank=True
    )
    scale = models.SlugField(_("scale"), max_length=80, blank=True)
    least_percent = models.PositiveSmallIntegerField(_("at least"), null=True, blank=True)
    words = models.CharField(_("in words"), max_length=300, blank=True)

    audit_patient = PLAN_PATIENT
    closed_by = PLAN_CLOSED

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="stop_rule_position_once"),
            models.CheckConstraint(
                condition=models.Q(kind="no-effect", after_sessions__gte=1)
                | (~models.Q(kind="no-effect") & models.Q(after_sessions__isnull=True)),
                name="stop_rule_no_effect_after_sessions",
                violation_error_message=_("Say after how many sessions."),
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="other", words=""), name="stop_rule_other_in_words"
            ),
            models.CheckConstraint(
                condition=models.Q(least_percent__isnull=True)
                | (models.Q(least_percent__gte=1, least_percent__lte=100) & ~models.Q(scale="")),
                name="stop_rule_percent_of_a_scale",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.plan_id}"


class StopAnswer(Record):
    """Why a course goes on although a stop rule was met: who said so, after which session.

    `fact` is what the rule was met by, so that the next fact asks again.
    """

    rule = models.ForeignKey(StopRule, models.PROTECT, related_name="answers")
    after_session = models.PositiveSmallIntegerField()
    fact = models.CharField(max_length=300)
    reason = models.CharField(_("reason for going on"), max_length=300)
    decided_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    audit_patient = "rule_id>treatments_stoprule.plan_id>treatments_plan.patient_id"
    closed_when = "true"

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "fact"], name="stop_answer_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="stop_answer_has_reason"),
        ]

    def __str__(self) -> str:
        return f"answer to {self.rule_id}"
