"""What patients ask about their data, what was decided, and the copies that were made."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient

ANSWER_DAYS = 30
"""An answer is owed within a month (GDPR, article 12(3)); the shortest one that is never late."""


class ExportQuerySet(OfPatientQuerySet["Export"]):
    def to_work(self, at: datetime) -> ExportQuerySet:
        """Those that a worker may take up now, oldest first."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
        return self.filter(free, state=Export.State.ASKED).order_by("pk")

    def on_their_way(self) -> ExportQuerySet:
        """Asked for and not yet made."""
        return self.filter(state=Export.State.ASKED)

    def ready(self, at: datetime) -> ExportQuerySet:
        """Those that can be fetched."""
        return self.filter(state=Export.State.READY, expires_at__gt=at)

    def to_erase(self, at: datetime) -> ExportQuerySet:
        """Those whose time to be fetched is over."""
        return self.filter(state=Export.State.READY, expires_at__lte=at).order_by("pk")


class Export(Record):
    """A copy of everything about one patient: a ZIP made by a worker, fetched within a few days.

    It is kept encrypted in `pieces` of bounded size under `file_name`; `document` is the whole
    record as PDF that goes into it. Without `asked_by` the patient asked for it themselves.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        ERASED = "erased", _("No longer kept")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exports")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    asked_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=8)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="exports"
    )
    file_name = models.CharField(max_length=60, unique=True, editable=False)
    pieces = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    contents = models.JSONField(default=dict)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    audit_patient = "patient_id"
    audit_exclude = ("file_name",)
    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("copy of the data")
        verbose_name_plural = _("copies of the data")
        indexes = [
            models.Index(fields=["patient", "-id"], name="export_of_patient"),
            models.Index(
                fields=["id"], condition=Q(state__in=["asked", "ready"]), name="export_to_work"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(state="asked"),
                name="export_one_at_a_time",
                violation_error_message=_("A copy is being made already."),
            ),
            models.CheckConstraint(
                condition=~Q(state="ready")
                | (~Q(sha256="") & Q(pieces__gte=1) & Q(expires_at__isnull=False)),
                name="export_ready_has_pieces",
            ),
        ]

    def __str__(self) -> str:
        return f"export {self.public_id}"

    def stored_name(self, piece: int) -> str:
        """Where a piece is stored; they count from 0."""
        return f"{self.file_name}-{piece}"


class RightsRequestQuerySet(OfPatientQuerySet["RightsRequest"]):
    def waiting(self) -> RightsRequestQuerySet:
        """Not decided yet, the one that is owed first at the top."""
        return self.filter(decided_at__isnull=True).order_by("created_at", "pk")


class RightsRequest(Record):
    """A patient asks that something be corrected, no longer used, or erased; a person decides.

    What was asked stays in the patient's words, and the answer beside it. `subject`: what a
    correction is about.
    """

    class Kind(models.TextChoices):
        CORRECTION = "correction", _("Correct something")
        RESTRICTION = "restriction", _("Use my data no longer, but keep them")
        ERASURE = "erasure", _("Erase my data")

    class Subject(models.TextChoices):
        NAME = "name", _("My name")
        BIRTH_DATE = "birth-date", _("My date of birth")
        CONTACT = "contact", _("My e-mail address or phone number")
        HISTORY = "history", _("My medical history")
        TREATMENT = "treatment", _("What is written about a visit or a treatment")
        OTHER = "other", _("Something else")

    class Answer(models.TextChoices):
        GRANTED = "granted", _("Done")
        PARTLY = "partly", _("Done in part")
        REFUSED = "refused", _("Not done")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="rights_requests")
    kind = models.CharField(_("what is asked"), max_length=12, choices=Kind)
    subject = models.CharField(_("what it is about"), max_length=12, choices=Subject, blank=True)
    words = models.TextField(_("in the patient’s words"), max_length=2000)
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    due_on = models.DateField(_("answer owed by"))
    answer = models.CharField(_("answer"), max_length=8, choices=Answer, blank=True)
    answer_words = models.TextField(_("what was done, or why not"), max_length=2000, blank=True)
    kept = models.JSONField(default=list)
    gone = models.JSONField(default=list)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    audit_exclude = ("words", "answer_words")
    closed_when = "decided_at IS NOT NULL"
    merge_moves = Q(decided_at__isnull=True)
    objects = RightsRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request about one’s data")
        verbose_name_plural = _("requests about one’s data")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(decided_at__isnull=True),
                name="rights_request_waiting",
            ),
            models.Index(fields=["patient", "-id"], name="rights_request_of_patient"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="rights_request_has_words"),
            models.CheckConstraint(
                condition=(Q(kind="correction") & ~Q(subject=""))
                | (~Q(kind="correction") & Q(subject="")),
                name="rights_request_subject_of_correction",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, answer="")
                | (
                    Q(decided_at__isnull=False, decided_by__isnull=False)
                    & ~Q(answer="")
                    & ~Q(answer_words="")
                ),
                name="rights_request_decided_says_why",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True) | Q(decided_at__gte=F("created_at")),
                name="rights_request_decided_after_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def days_left(self, today: date) -> int:
        """Days until the answer is owed; below zero it is late."""
        left: timedelta = self.due_on - today
        return left.days
