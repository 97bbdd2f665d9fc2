"""What a patient has been told of an appointment, and holding back what has ceased to be true."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from clinic.records import Record
from patients.messages.actions import hold_back as hold_back_messages
from patients.messages.kinds import Kind
from patients.messages.models import Message
from patients.registry.models import OfPatientQuerySet
from treatments.diary.models import Appointment

UNDO = timedelta(minutes=3)
"""So long nothing is said of a change: one taken back at once says nothing at all."""
NEWS = (Kind.CONFIRMATION, Kind.CHANGE, Kind.CANCELLATION, Kind.NO_SHOW)


class NoticeQuerySet(OfPatientQuerySet["Notice"]):
    def standing(self) -> NoticeQuerySet:
        """Those that were not held back."""
        return self.filter(held_back_at__isnull=True)

    def news(self) -> NoticeQuerySet:
        """What was said of whether and when, as opposed to reminders of it; newest first."""
        return self.standing().filter(kind__in=NEWS).order_by("-pk")


class Notice(Record):
    """That a patient was told something of an appointment: when it was to be, by which message.

    One message may tell of several. None is no message: it was said in another way, or the patient
    has no address or does not want it. `lead` is a reminder's hours before the visit, else 0.
    """

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="notices")
    message = models.ForeignKey(
        Message, models.PROTECT, null=True, blank=True, related_name="notices"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    lead = models.PositiveSmallIntegerField(default=0, db_default=0)
    starts_at = models.DateTimeField()
    sequence = models.PositiveIntegerField()
    held_back_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "appointment_id>treatments_appointment.patient_id"
    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "kind", "lead", "sequence"],
                condition=Q(held_back_at__isnull=True),
                name="notice_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of appointment {self.appointment_id}"


def news_due(at: datetime | None = None) -> datetime:
    """When a change made at this moment is told."""
    return (at or timezone.now()) + UNDO


def hold_back(appointment: int, *, at: datetime | None = None) -> int:
    """Cancel whatever waits to be said of an appointment; how many messages.

    Called in the transaction that changes it, whose row the caller has locked. What one of these
    messages was also to say of other appointments is said anew.
    """
    said = Notice.objects.standing().filter(appointment=appointment)
    waiting = list(
        said.filter(message__in=Message.objects.waiting()).values_list("message", flat=True)
    )
    held = hold_back_messages(messages=[pk for pk in waiting if pk]) if waiting else []
    if held:
        now = at or timezone.now()
        together = Notice.objects.standing().filter(message__in=held)
        others = set(
            together.exclude(appointment=appointment).values_list("appointment", flat=True)
        )
        together.update(held_back_at=now)
        Appointment.objects.filter(pk__in=others).update(notice_due_at=news_due(now))
    return len(held)
