"""A message row: due, claimed, sent, failed or uncertain; the proof of what went out."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient


class MessageQuerySet(OfPatientQuerySet["Message"]):
    def due(self, at: datetime) -> MessageQuerySet:
        """What a worker may claim by `at`, oldest first.

        Pending and due, and not resting after a failed try; or claimed by a worker that died before
        it began to send.
        """
        rested = models.Q(lease_until__isnull=True) | models.Q(lease_until__lte=at)
        pending = models.Q(state=Message.State.PENDING, due_at__lte=at) & rested
        abandoned = models.Q(
            state=Message.State.CLAIMED, sending_since__isnull=True, lease_until__lte=at
        )
        return self.filter(pending | abandoned).order_by("due_at", "pk")

    def lost(self, at: datetime) -> MessageQuerySet:
        """Claimed by a worker that died while sending: nobody knows what became of them."""
        return self.filter(
            state=Message.State.CLAIMED, sending_since__isnull=False, lease_until__lte=at
        )

    def troubled(self) -> MessageQuerySet:
        """Failed or uncertain, and not yet dealt with by a person; newest first."""
        return self.filter(
            state__in=[Message.State.FAILED, Message.State.UNCERTAIN], settled_at__isnull=True
        ).order_by("-pk")


class Message(Record):
    """One e-mail or SMS to one patient. `key` makes it unique: asking twice makes one row.

    The subject never holds personal data. `uncertain` is a send whose outcome nobody knows:
    shown to the desk, never sent again by itself.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        CLAIMED = "claimed", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNCERTAIN = "uncertain", _("Not known whether sent")
        CANCELLED = "cancelled", _("Cancelled")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="messages")
    kind = models.SlugField(max_length=40)
    key = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=5, choices=Channel)
    language = models.CharField(max_length=8)
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sending_since = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    audit_exclude = ("body",)
    merge_moves = models.Q(state__in=["pending", "claimed"]) | models.Q(
        state__in=["failed", "uncertain"], settled_at__isnull=True
    )
    merge_returns = models.Q()
    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["pending", "claimed"]),
                name="message_due",
            ),
            models.Index(fields=["patient", "-due_at"], name="message_of_patient"),
            models.Index(
                fields=["-id"],
                condition=models.Q(state__in=["failed", "uncertain"], settled_at__isnull=True),
                name="message_troubled",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False),
                name="message_sent_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_troubled(self) -> bool:
        """Whether a person must look at it."""
        return self.settled_at is None and self.state in (self.State.FAILED, self.State.UNCERTAIN)

    @property
    def message_id(self) -> str:
        """The Message-ID header: the same for every attempt at this row."""
        return f"<message-{self.pk}@clinic.invalid>"
