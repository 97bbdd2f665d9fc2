"""The session: preparation, the injection map, doses and lots, observation, signature."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import Anaesthetic, Area, Lot, Modality, Technique
from treatments.consents.models import Consent
from treatments.diary.models import Appointment
from treatments.mixes.models import Syringe
from treatments.plans.models import Plan, Side

LONGEST = timedelta(hours=3)
SETTINGS = (
    "voltage_v",
    "current_ma",
    "carrier_khz",
    "envelope_hz",
    "polarity",
    "electrode_cm2",
    "gel",
)
"""What a needle-free device is set to: V, mA, kHz, Hz, + or −, cm², and the gel's name."""


class Session(Record):
    """One treatment. A draft until `signed_at`; then only addenda.

    `totals` keeps what was computed at signing: per substance in its unit, lidocaine from all
    routes in mg with the limit for the weight used. `discarded_ml` is of all syringes together.
    `saved_as` is what the page called its last save that arrived, by which it knows its own when
    the answer was lost.
    """

    class Photos(models.TextChoices):
        TAKEN = "taken", _("taken")
        DECLINED = "declined", _("the patient declined")
        NOT_NEEDED = "not-needed", _("not needed today")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="sessions")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="sessions")
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="sessions")
    appointment = models.OneToOneField(
        Appointment, models.PROTECT, null=True, blank=True, related_name="session"
    )
    practitioner = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    history_version = models.PositiveIntegerField()
    weight_kg = models.DecimalField(
        _("weight"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    started_at = models.DateTimeField()
    identity_checked_at = models.DateTimeField(null=True, blank=True)
    history_confirmed_at = models.DateTimeField(null=True, blank=True)
    photos = models.CharField(
        _("photos"), max_length=10, choices=Photos, blank=True, default="", db_default=""
    )
    antiseptic = models.CharField(_("skin antiseptic"), max_length=120, blank=True)
    cleansed_at = models.DateTimeField(null=True, blank=True)
    discarded_ml = models.DecimalField(
        _("discarded"), max_digits=6, decimal_places=2, null=True, blank=True
    )
    observation = models.TextField(_("observation"), max_length=4000, blank=True)
    adverse_events = models.CharField(_("adverse events"), max_length=500, blank=True)
    soothing = models.CharField(_("soothing"), max_length=200, blank=True)
    screening = models.JSONField(default=list)
    pulse_bpm = models.PositiveSmallIntegerField(_("pulse"), null=True, blank=True)
    systolic_mmhg = models.PositiveSmallIntegerField(_("systolic"), null=True, blank=True)
    diastolic_mmhg = models.PositiveSmallIntegerField(_("diastolic"), null=True, blank=True)
    needles_changed = models.PositiveSmallIntegerField(_("needles used"), null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    next_due_on = models.DateField(_("next session due"), null=True, blank=True)
    totals = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(null=True, blank=True)
    saved_as = models.CharField(max_length=36, blank=True, default="", db_default="")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    closed_when = "signed_at IS NOT NULL"
    care_at = "started_at"
    objects = OfPatientQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-started_at"], name="session_of_patient"),
            models.Index(fields=["location", "-started_at", "-id"], name="session_at_place"),
            models.Index(
                fields=["practitioner", "-started_at", "-id"], name="session_of_practitioner"
            ),
            # Who, where and when of many sessions, without reading what was written in them.
            models.Index(
                fields=["id"],
                include=["started_at", "patient", "location"],
                name="session_in_brief",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="session_number_once_per_plan"),
            models.CheckConstraint(
                condition=models.Q(signed_at__isnull=True)
                | (
                    ~models.Q(adverse_events="")
                    & ~models.Q(antiseptic="")
                    & models.Q(signed_by__isnull=False)
                ),
                name="session_signed_is_complete",
            ),
            models.CheckConstraint(
                condition=models.Q(discarded_ml__isnull=True) | models.Q(discarded_ml__gte=0),
                name="session_discarded_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(released_at__isnull=True)
                | models.Q(released_at__gte=models.F("started_at")),
                name="session_released_after_start",
                violation_error_message=_("The patient cannot leave before the session began."),
            ),
            models.CheckConstraint(
                condition=models.Q(systolic_mmhg__isnull=True)
                | models.Q(diastolic_mmhg__isnull=True)
                | models.Q(systolic_mmhg__gt=models.F("diastolic_mmhg")),
                name="session_pressure_in_order",
                violation_error_message=_("The upper pressure is above the lower one."),
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None

    @property
    def withdrawn_at(self) -> datetime | None:
        """When the patient withdrew the consent while this session was under way; else None."""
        moment = self.consent.withdrawn_at
        if moment is None or moment < self.started_at:
            return None
        return moment if self.signed_at is None or moment <= self.signed_at else None

    @property
    def treated_at(self) -> datetime | None:
        """When the treatment ended, from which aftercare counts; None before the signature.

        The signature's time, but never more than `LONGEST` after the start: a record signed the
        next morning was not treated then.
        """
        return min(self.signed_at, self.started_at + LONGEST) if self.signed_at else None


SESSION_CLOSED = "session_id>treatments_session:signed_at IS NOT NULL"
SESSION_PATIENT = "session_id>treatments_session.patient_id"


class Anaesthesia(Record):
    """A numbing cream on the skin: grams, area in cm², when it went on and came off."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="anaesthesia")
    anaesthetic = models.ForeignKey(Anaesthetic, models.PROTECT, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="+")
    grams = models.DecimalField(_("grams"), max_digits=5, decimal_places=2)
    area_cm2 = models.DecimalField(_("area"), max_digits=6, decimal_places=1)
    on_at = models.DateTimeField()
    off_at = models.DateTimeField(null=True, blank=True)

    audit_patient = SESSION_PATIENT
    closed_by = SESSION_CLOSED

    class Meta:
        verbose_name_plural = "anaesthesia"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(grams__gt=0, area_cm2__gt=0), name="anaesthesia_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(off_at__isnull=True) | models.Q(off_at__gte=models.F("on_at")),
                name="anaesthesia_off_after_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grams} g"


class MixComponent(Record):
    """What was drawn into a syringe from one lot, in mL.

    Sessions from before there were several syringes name none: all of it went into one.
    """

    # The indexes of the two are among those below, which hold more.
    session = models.ForeignKey(Session, models.CASCADE, related_name="mix", db_index=False)
    syringe = models.ForeignKey(
        Syringe, models.CASCADE, null=True, blank=True, related_name="components"
    )
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses", db_index=False)
    ml = models.DecimalField(_("volume"), max_digits=6, decimal_places=2)

    audit_patient = SESSION_PATIENT
    closed_by = SESSION_CLOSED

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["lot"], include=["session", "syringe"], name="mix_of_lot"),
            models.Index(fields=["session"], include=["syringe", "lot"], name="mix_of_session"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "syringe", "lot"],
                condition=models.Q(syringe__isnull=False),
                name="mix_lot_once_per_syringe",
            ),
            models.UniqueConstraint(
                fields=["session", "lot"],
                condition=models.Q(syringe__isnull=True),
                name="mix_lot_once_without_syringe",
            ),
            models.CheckConstraint(condition=models.Q(ml__gt=0), name="mix_volume_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id} {self.ml} mL"


class TreatedArea(Record):
    """Points in one area: technique, depth, needle, mL per point.

    `points` is a list of [x, y] with 0 <= x, y <= 1 of the chart's viewBox: where it was done.
    `intended` is where the grid, the last session or the plan meant it to be. `extra_ml` is volume
    that is not counted per point, as the film of an epidermal nappage. `settings`: what a
    needle-free device was set to, by the names of `SETTINGS`.
    """

    class Method(models.TextChoices):
        HAND = "hand", _("by hand")
        GUN = "gun", _("mesogun")
        DEVICE = "device", _("needle-free device")

    session = models.ForeignKey(Session, models.CASCADE, related_name="treated_areas")
    area = models.ForeignKey(Area, models.PROTECT, related_name="+")
    side = models.CharField(_("side"), max_length=5, choices=Side, default=Side.NONE)
    chart = models.SlugField(max_length=40)
    technique = models.ForeignKey(Technique, models.PROTECT, related_name="+")
    method = models.CharField(_("given"), max_length=6, choices=Method, default=Method.HAND)
    device = models.ForeignKey(
        "clinic.Device", models.PROTECT, null=True, blank=True, related_name="+"
    )
    modality = models.ForeignKey(Modality, models.PROTECT, null=True, blank=True, related_name="+")
    programme = models.CharField(
        _("programme"), max_length=80, blank=True, default="", db_default=""
    )
    minutes = models.DecimalField(
        _("minutes"), max_digits=5, decimal_places=1, null=True, blank=True
    )
    settings = models.JSONField(default=dict, blank=True, db_default={})
    syringe = models.ForeignKey(
        Syringe, models.SET_NULL, null=True, blank=True, related_name="areas"
    )
    depth_mm = models.DecimalField(_("depth"), max_digits=4, decimal_places=2)
    spacing_mm = models.DecimalField(
        _("spacing"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    margin_mm = models.DecimalField(
        _("margin"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    is_staggered = models.BooleanField(_("staggered rows"), default=False)
    needle_gauge = models.PositiveSmallIntegerField(_("needle gauge"), null=True, blank=True)
    needle_mm = models.DecimalField(
        _("needle length"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    ml_per_point = models.DecimalField(_("volume per point"), max_digits=5, decimal_places=3)
    extra_ml = models.DecimalField(
        _("volume without points"), max_digits=6, decimal_places=2, default=Decimal(0)
    )
    points = models.JSONField(default=list, blank=True)
    intended = models.JSONField(default=list, blank=True, db_default=[])

    audit_patient = SESSION_PATIENT
    closed_by = SESSION_CLOSED

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["session", "area", "side"], name="treated_area_once"),
            models.CheckConstraint(
                condition=models.Q(
                    depth_mm__gt=0, depth_mm__lte=40, ml_per_point__gte=0, extra_ml__gte=0
                ),
                name="treated_area_figures_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(minutes__isnull=True)
                | models.Q(minutes__gt=0, minutes__lte=180),
                name="treated_area_minutes_possible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area_id} {self.side}"


class SessionAddendum(Record):
    """A later word on a signed session; the session itself stays as it was."""

    session = models.ForeignKey(Session, models.PROTECT, related_name="addenda")
    text = models.TextField(_("addendum"), max_length=4000)
    reason = models.CharField(_("reason"), max_length=300)
    written_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = SESSION_PATIENT
    closed_when = "true"

    class Meta:
        verbose_name_plural = "session addenda"
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"addendum to {self.session_id}"
