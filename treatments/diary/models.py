"""The diary: services and appointments. Nobody and nothing is booked twice, by the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient

LONGEST_SERVICE = timedelta(hours=8)
"""By constraint; so what began earlier than that before a moment is over."""


class Service(models.Model):
    """What can be booked, and how long it takes."""

    class Kind(models.TextChoices):
        CONSULTATION = "consultation", _("Consultation")
        SESSION = "session", _("Treatment session")
        REVIEW = "review", _("Review")

    kind = models.CharField(max_length=12, choices=Kind)
    name_en = models.CharField(max_length=80)
    name_fr = models.CharField(max_length=80)
    minutes = models.PositiveSmallIntegerField(default=45)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=5, minutes__lte=480), name="service_length_possible"
            )
        ]

    def __str__(self) -> str:
        return self.name_en


class TimeSpan(Func):
    """[start, end) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


def _span() -> TimeSpan:
    return TimeSpan("starts_at", "ends_at", RangeBoundary(inclusive_lower=True))


class AppointmentQuerySet(OfPatientQuerySet["Appointment"]):
    def live(self) -> AppointmentQuerySet:
        """Those that hold their time: not cancelled and not a no-show."""
        return self.exclude(status__in=Appointment.GIVEN_UP)

    def between(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Starting in [start, end), by time."""
        return self.filter(starts_at__gte=start, starts_at__lt=end).order_by("starts_at", "pk")

    def overlapping(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Sharing any moment of [start, end). The earliest start lets an index help."""
        return self.filter(
            starts_at__gt=start - LONGEST_SERVICE, starts_at__lt=end, ends_at__gt=start
        )


class Appointment(Record):
    """A patient, a practitioner and a room for a stretch of time."""

    class Status(models.TextChoices):
        BOOKED = "booked", _("Booked")
        CONFIRMED = "confirmed", _("Confirmed")
        ARRIVED = "arrived", _("Arrived")
        IN_ROOM = "in_room", _("In room")
        DONE = "done", _("Done")
        NO_SHOW = "no_show", _("No-show")
        CANCELLED = "cancelled", _("Cancelled")

    GIVEN_UP = (Status.CANCELLED, Status.NO_SHOW)

    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="appointments")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments")
    practitioner = models.ForeignKey(Staff, models.PROTECT, related_name="appointments")
    room = models.ForeignKey("clinic.Room", models.PROTECT, related_name="appointments")
    service = models.ForeignKey(Service, models.PROTECT, related_name="appointments")
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    status = models.CharField(max_length=10, choices=Status, default=Status.BOOKED)
    cancel_reason = models.CharField(max_length=300, blank=True)
    booked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    idempotency_key = models.UUIDField(null=True, blank=True, unique=True)

    audit_patient = "patient_id"
    objects = AppointmentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["location", "starts_at"], name="appointment_by_day"),
            models.Index(fields=["practitioner", "starts_at"], name="appointment_by_practitioner"),
            models.Index(fields=["patient", "-starts_at"], name="appointment_by_patient"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="appointment_ends_after_it_starts",
                violation_error_message=_("The end must be after the start."),
            ),
            ExclusionConstraint(
                name="practitioner_not_twice",
                expressions=[
                    (_span(), RangeOperators.OVERLAPS),
                    ("practitioner", RangeOperators.EQUAL),
                ],
                condition=~Q(status__in=["cancelled", "no_show"]),
                violation_error_message=_("The practitioner is already booked at that time."),
            ),
            ExclusionConstraint(
                name="room_not_twice",
                expressions=[(_span(), RangeOperators.OVERLAPS), ("room", RangeOperators.EQUAL)],
                condition=~Q(status__in=["cancelled", "no_show"]),
                violation_error_message=_("The room is already taken at that time."),
            ),
            ExclusionConstraint(
                name="patient_not_twice",
                expressions=[(_span(), RangeOperators.OVERLAPS), ("patient", RangeOperators.EQUAL)],
                condition=~Q(status__in=["cancelled", "no_show"]),
                violation_error_message=_("The patient already has an appointment at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"appointment {self.pk}"
