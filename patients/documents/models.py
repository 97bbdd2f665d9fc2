"""A document row: its words are fixed when it is asked for; the worker makes the PDF."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient


class SealCertificate(models.Model):
    """A certificate with which the clinic has sealed: so a key of former years is still known.

    `fingerprint` is the SHA-256 of `certificate` (DER).
    """

    fingerprint = models.CharField(max_length=64, unique=True)
    certificate = models.BinaryField()
    first_used_at = models.DateTimeField(default=timezone.now)

    audit_always = True

    def __str__(self) -> str:
        return self.fingerprint


class DocumentQuerySet(OfPatientQuerySet["Document"]):
    def to_render(self, at: datetime) -> DocumentQuerySet:
        """Waiting, or left behind by a worker whose lease has run out; oldest first."""
        abandoned = models.Q(state=Document.State.RENDERING, lease_until__lte=at)
        return self.filter(models.Q(state=Document.State.QUEUED) | abandoned).order_by(
            "created_at", "pk"
        )

    def for_patient(self) -> DocumentQuerySet:
        """What is the patient's to keep: ready, and of a kind that is given out."""
        return self.filter(
            state=Document.State.READY,
            kind__in=[Document.Kind.CONSENT, Document.Kind.SHEET, Document.Kind.LETTER],
        ).order_by("-ready_at")

    def with_content(self, sha256: str) -> DocumentQuerySet:
        """Those that are kept with exactly this content."""
        return self.filter(sha256=sha256, state=Document.State.READY)

    def failed(self) -> DocumentQuerySet:
        """Those that someone must look at, newest first."""
        return self.filter(state=Document.State.FAILED).order_by("-created_at")


class Document(Record):
    """`html` is the whole document as it will be rendered; `sha256` is that of the stored PDF.

    The words and whose they are stay from the first moment on, by trigger; once it is ready all of
    it stays. `seal` is the certificate of the seal, none for a document from before there were any.
    The stored file is encrypted; `file_name` is a random name that says nothing. It is chosen with
    the row, so however often a worker begins anew there is one file.
    """

    class Kind(models.TextChoices):
        CONSENT = "consent", _("Consent")
        SHEET = "sheet", _("Aftercare sheet")
        SESSION = "session", _("Session record")
        RECORD = "record", _("Whole record")
        LETTER = "letter", _("Letter")
        EVENT = "event", _("Adverse event report")
        COURSE = "course", _("Course summary")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RENDERING = "rendering", _("Rendering")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="documents")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    title = models.CharField(max_length=200)
    language = models.CharField(max_length=8)
    html = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    file_name = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(null=True, blank=True)
    pages = models.PositiveSmallIntegerField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    seal = models.ForeignKey(
        SealCertificate, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_by = models.CharField(max_length=200)

    audit_patient = "patient_id"
    audit_exclude = ("html",)
    closed_when = "state = 'ready'"
    objects = DocumentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["queued", "rendering"]),
                name="document_to_render",
            ),
            models.Index(
                fields=["-created_at"],
                condition=models.Q(state="failed"),
                name="document_failed",
            ),
            models.Index(
                fields=["sha256"],
                condition=models.Q(state="ready"),
                name="document_by_content",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="ready") | ~models.Q(sha256="", file_name=""),
                name="document_ready_has_file",
            ),
            models.UniqueConstraint(
                fields=["file_name"],
                condition=~models.Q(file_name=""),
                name="document_file_is_its_own",
                violation_error_message=_("This file belongs to another document."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def is_on_its_way(self) -> bool:
        """Whether a worker still has it to do."""
        return self.state in (self.State.QUEUED, self.State.RENDERING)

    @property
    def download_name(self) -> str:
        """A name that says what kind of paper it is and whose file it belongs to."""
        return f"{self.kind}-{self.patient.number}.pdf"
