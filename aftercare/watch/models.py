"""The watch: check-ins from four hours to twelve weeks, and the calls they ask for."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from aftercare.watch.signs import BY_CODE
from clinic.access.models import Staff
from clinic.records import Record
from patients.messages.models import Message
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.sessions.models import Session

SILENT_AFTER = timedelta(hours=48)
STEP_NAMES = {
    "4h": _("4 hours after"),
    "24h": _("1 day after"),
    "72h": _("3 days after"),
    "7d": _("1 week after"),
    "2w": _("2 weeks after"),
    "6w": _("6 weeks after"),
    "12w": _("12 weeks after"),
}


class CheckInQuerySet(OfPatientQuerySet["CheckIn"]):
    def due(self, at: datetime) -> CheckInQuerySet:
        """Planned, not yet opened, and due by `at`."""
        return self.filter(state=CheckIn.State.PLANNED, due_at__lte=at).order_by("due_at", "pk")

    def silent(self, at: datetime) -> CheckInQuerySet:
        """Asked two days ago or earlier and not answered, newest first."""
        return self.filter(state=CheckIn.State.OPEN, due_at__lte=at - SILENT_AFTER).order_by(
            "-due_at", "-pk"
        )


class CheckIn(Record):
    """One question-and-answer after a session. Silence is shown as silence, never as well-being."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        OPEN = "open", _("Sent, no answer yet")
        ANSWERED = "answered", _("Answered")
        CANCELLED = "cancelled", _("Cancelled")

    class Colour(models.TextChoices):
        GREEN = "green", _("As expected")
        AMBER = "amber", _("Call by the next working day")
        RED = "red", _("Call now")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="check_ins")
    session = models.ForeignKey(Session, models.PROTECT, related_name="check_ins")
    step = models.SlugField(max_length=10)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    message = models.OneToOneField(
        Message, models.PROTECT, null=True, blank=True, related_name="check_in"
    )
    answers = models.JSONField(null=True, blank=True)
    signs = ArrayField(models.SlugField(), default=list, blank=True)
    note = models.CharField(_("anything else"), max_length=1000, blank=True)
    colour = models.CharField(max_length=6, choices=Colour, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "state = 'answered'"
    merge_moves = models.Q(state__in=["planned", "open"])
    objects = CheckInQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="planned"), name="check_in_due"
            ),
            models.Index(fields=["patient", "due_at"], name="check_in_of_patient"),
            models.Index(
                fields=["-due_at"], condition=models.Q(state="open"), name="check_in_unanswered"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["session", "step"], name="check_in_step_once"),
            models.CheckConstraint(
                condition=~models.Q(state="answered")
                | (models.Q(answered_at__isnull=False) & ~models.Q(colour="")),
                name="check_in_answer_has_colour",
            ),
        ]

    @property
    def step_name(self) -> str:
        """How long after the session, in words."""
        return str(STEP_NAMES.get(self.step, self.step))

    @property
    def said(self) -> list[str]:
        """What the patient ticked, in the language in force."""
        return [str(BY_CODE[code].text) for code in self.signs]

    def __str__(self) -> str:
        return f"check-in {self.step} of session {self.session_id}"


class CallQuerySet(OfPatientQuerySet["Call"]):
    def waiting(self) -> CallQuerySet:
        """Not done yet: red before amber, oldest first."""
        return self.filter(done_at__isnull=True).order_by("-is_red", "created_at")


class Call(Record):
    """Someone must speak to this patient: opened by an answer, closed by its outcome."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="calls")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    check_in = models.OneToOneField(CheckIn, models.PROTECT, related_name="call")
    is_red = models.BooleanField()
    due_at = models.DateTimeField()
    taken_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    taken_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(_("outcome"), max_length=2000, blank=True)
    done_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "done_at IS NOT NULL"
    merge_moves = models.Q(done_at__isnull=True)
    objects = CallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["location", "due_at"],
                condition=models.Q(done_at__isnull=True),
                name="call_waiting",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True)
                | (~models.Q(outcome="") & models.Q(done_by__isnull=False)),
                name="call_done_has_outcome",
            )
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"
