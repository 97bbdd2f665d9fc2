"""The diary: services, appointments and blocked time.

Nobody and nothing is booked twice, by the database.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.places.models import Room
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient

LONGEST_SERVICE = timedelta(hours=10)
"""With cleaning, by constraint; so what began earlier than that before a moment is over."""


class Service(models.Model):
    """What can be booked, and how long it takes."""

    class Kind(models.TextChoices):
        CONSULTATION = "consultation", _("Consultation")
        SESSION = "session", _("Treatment session")
        REVIEW = "review", _("Review")

    kind = models.CharField(max_length=12, choices=Kind)
    name_en = models.CharField(max_length=80)
    name_fr = models.CharField(max_length=80)
    minutes = models.PositiveSmallIntegerField(_("minutes for the patient"), default=45)
    before_minutes = models.PositiveSmallIntegerField(
        _("of these, preparation before the practitioner comes"), default=0, db_default=0
    )
    after_minutes = models.PositiveSmallIntegerField(
        _("minutes of cleaning after the patient has left"), default=0, db_default=0
    )
    role = models.CharField(
        _("done by"),
        max_length=12,
        choices=Role,
        default=Role.PRACTITIONER,
        db_default=Role.PRACTITIONER,
    )
    room_kind = models.CharField(
        _("kind of room"), max_length=12, choices=Room.Kind, blank=True, default="", db_default=""
    )
    device_kind = models.CharField(
        _("kind of device"), max_length=40, blank=True, default="", db_default=""
    )
    is_online = models.BooleanField(
        _("patients may book it themselves"), default=False, db_default=False
    )
    adults_only = models.BooleanField(
        _("toxin or filler: where the law says so, from 18"), default=False
    )
    is_active = models.BooleanField(_("can be booked"), default=True)

    audit_always = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=5, minutes__lte=480),
                name="service_length_possible",
                violation_error_message=_("A visit takes from 5 minutes to 8 hours."),
            ),
            models.CheckConstraint(
                condition=Q(before_minutes__lt=F("minutes")),
                name="service_preparation_within_visit",
                violation_error_message=_("The preparation must be shorter than the visit."),
            ),
            models.CheckConstraint(
                condition=Q(after_minutes__lte=120),
                name="service_cleaning_possible",
                violation_error_message=_("Cleaning takes two hours at most."),
            ),
        ]

    def __str__(self) -> str:
        return self.name_en


class TimeSpan(Func):
    """[start, end) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


def _span(start: Any = "starts_at", end: Any = "ends_at") -> TimeSpan:
    return TimeSpan(start, end, RangeBoundary(inclusive_lower=True))


def _hands_on() -> Coalesce:
    """When the practitioner and the device are first needed."""
    return Coalesce("practitioner_from", "starts_at")


def _room_again() -> Coalesce:
    """When the room and the device are clean again."""
    return Coalesce("room_until", "ends_at")


HOLDS = ~Q(status__in=["cancelled", "no_show"])
GUARDED = HOLDS & Q(overlap_reason="")
"""What was booked over on purpose is kept out of the constraints, never out of the checks."""


class AppointmentQuerySet(OfPatientQuerySet["Appointment"]):
    def live(self) -> AppointmentQuerySet:
        """Those that hold their time: not cancelled and not a no-show."""
        return self.exclude(status__in=Appointment.GIVEN_UP)

    def between(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Starting in [start, end), by time."""
        return self.filter(starts_at__gte=start, starts_at__lt=end).order_by("starts_at", "pk")

    def overlapping(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Holding anything in any moment of [start, end), be it the room while it is cleaned. The
        earliest start lets an index help.
        """
        near = self.filter(starts_at__gt=start - LONGEST_SERVICE, starts_at__lt=end)
        return near.filter(_cleaned_after(start))

    def needing_practitioner(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Whose practitioner is needed in any moment of [start, end)."""
        return self.filter(_begins_before(end), ends_at__gt=start)

    def needing_room(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Whose room is needed in any moment of [start, end)."""
        return self.filter(_cleaned_after(start), starts_at__lt=end)

    def needing_device(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Whose device is needed in any moment of [start, end)."""
        return self.filter(_begins_before(end), _cleaned_after(start))


def _begins_before(end: datetime) -> Q:
    """That practitioner and device are needed before `end`."""
    return Q(practitioner_from__lt=end) | Q(practitioner_from__isnull=True, starts_at__lt=end)


def _cleaned_after(start: datetime) -> Q:
    """That room and device are not clean again by `start`."""
    return Q(room_until__gt=start) | Q(room_until__isnull=True, ends_at__gt=start)


class Appointment(Record):
    """A patient, a practitioner and a room for a stretch of time, and a device where one is used.

    The patient is there from `starts_at` to `ends_at`. The practitioner and the device are needed
    from `practitioner_from` on (None: from the start), the room and the device until `room_until`
    (None: to the end). One that is `held` keeps its time for a patient to whom it is offered, until
    they answer or the offer ends. `overlap_reason` says why it was booked over what was taken, and
    `directed_by` names the doctor who directed a treatment that the law keeps from the age of 18.

    From `notice_due_at` on the patient is told what is new of it, if anything is (see telling.py);
    None: nothing is. `sequence` counts its changes, as calendars ask (RFC 5545, 3.8.7.4).
    """

    class Status(models.TextChoices):
        BOOKED = "booked", _("Booked")
        CONFIRMED = "confirmed", _("Confirmed")
        ARRIVED = "arrived", _("Arrived")
        IN_ROOM = "in_room", _("In room")
        DONE = "done", _("Done")
        NO_SHOW = "no_show", _("No-show")
        CANCELLED = "cancelled", _("Cancelled")
        HELD = "held", _("Held")

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
    device = models.ForeignKey(
        "clinic.Device", models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    practitioner_from = models.DateTimeField(null=True, blank=True)
    room_until = models.DateTimeField(null=True, blank=True)
    overlap_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    directed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    booked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    idempotency_key = models.UUIDField(null=True, blank=True, unique=True)
    sequence = models.PositiveIntegerField(default=0, db_default=0)
    notice_due_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    care_at = "CASE WHEN status = 'done' THEN starts_at END"
    merge_moves = Q(status__in=["held", "booked", "confirmed", "arrived", "in_room"])
    objects = AppointmentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["location", "starts_at"], name="appointment_by_day"),
            models.Index(fields=["practitioner", "starts_at"], name="appointment_by_practitioner"),
            models.Index(fields=["patient", "-starts_at"], name="appointment_by_patient"),
            models.Index(
                fields=["notice_due_at"],
                condition=Q(notice_due_at__isnull=False),
                name="appointment_news",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="appointment_ends_after_it_starts",
                violation_error_message=_("The end must be after the start."),
            ),
            models.CheckConstraint(
                condition=Q(practitioner_from__isnull=True)
                | Q(practitioner_from__gte=F("starts_at"), practitioner_from__lt=F("ends_at")),
                name="appointment_preparation_within_visit",
            ),
            models.CheckConstraint(
                condition=Q(room_until__isnull=True) | Q(room_until__gte=F("ends_at")),
                name="appointment_room_until_end",
            ),
            ExclusionConstraint(
                name="practitioner_not_twice",
                expressions=[
                    (_span(_hands_on()), RangeOperators.OVERLAPS),
                    ("practitioner", RangeOperators.EQUAL),
                ],
                condition=GUARDED,
                violation_error_message=_("The practitioner is already booked at that time."),
            ),
            ExclusionConstraint(
                name="room_not_twice",
                expressions=[
                    (_span(end=_room_again()), RangeOperators.OVERLAPS),
                    ("room", RangeOperators.EQUAL),
                ],
                condition=GUARDED,
                violation_error_message=_("The room is already taken at that time."),
            ),
            ExclusionConstraint(
                name="device_not_twice",
                expressions=[
                    (_span(_hands_on(), _room_again()), RangeOperators.OVERLAPS),
                    ("device", RangeOperators.EQUAL),
                ],
                condition=GUARDED & Q(device__isnull=False),
                violation_error_message=_("The device is already taken at that time."),
            ),
            ExclusionConstraint(
                name="patient_not_twice",
                expressions=[(_span(), RangeOperators.OVERLAPS), ("patient", RangeOperators.EQUAL)],
                condition=HOLDS,
                violation_error_message=_("The patient already has an appointment at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"appointment {self.pk}"

    @property
    def hands_on_at(self) -> datetime:
        """When the practitioner and the device are first needed."""
        return self.practitioner_from or self.starts_at

    @property
    def clean_at(self) -> datetime:
        """When the room and the device are clean again."""
        return self.room_until or self.ends_at


class BlockQuerySet(models.QuerySet["Block"]):
    def overlapping(self, start: datetime, end: datetime) -> BlockQuerySet:
        """Sharing any moment of [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)

    def visible_to(self, user: Staff) -> BlockQuerySet:
        """Those of a staff member's locations."""
        return self.filter(location__in=user.place_ids)


class Block(models.Model):
    """Time in which nothing new can be booked, for a person, a room, a device or a whole location.

    A person's block holds wherever they work; `location` is where it is shown and whose clock it
    was written by. The database keeps appointments out of it (see migration 0003); one that was
    booked before stays, and is listed until it has been moved.
    """

    class Kind(models.TextChoices):
        PAUSE = "pause", _("Blocked")
        LEAVE = "leave", _("Leave")
        OUT_OF_SERVICE = "out_of_service", _("Out of service")
        CLOSED = "closed", _("Closed")

    location = models.ForeignKey("clinic.Location", models.CASCADE, related_name="blocks")
    staff = models.ForeignKey(Staff, models.CASCADE, null=True, blank=True, related_name="blocks")
    room = models.ForeignKey(
        "clinic.Room", models.CASCADE, null=True, blank=True, related_name="blocks"
    )
    device = models.ForeignKey(
        "clinic.Device", models.CASCADE, null=True, blank=True, related_name="blocks"
    )
    kind = models.CharField(max_length=14, choices=Kind, default=Kind.PAUSE)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    audit_always = True
    objects = BlockQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["location", "ends_at"], name="block_of_location"),
            models.Index(fields=["staff", "ends_at"], name="block_of_person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="block_ends_after_it_starts",
                violation_error_message=_("The end must be after the start."),
            ),
            models.CheckConstraint(
                condition=Q(staff__isnull=True, room__isnull=True)
                | Q(staff__isnull=True, device__isnull=True)
                | Q(room__isnull=True, device__isnull=True),
                name="block_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.pk}"


class FreedTimeQuerySet(models.QuerySet["FreedTime"]):
    def open(self, at: datetime) -> FreedTimeQuerySet:
        """Still to come, and nobody has said that it may stay free; the soonest first."""
        return self.filter(settled_at__isnull=True, starts_at__gt=at).order_by("starts_at", "pk")

    def still_free(self) -> FreedTimeQuerySet:
        """Whose practitioner has not been booked or held in it again."""
        live = Appointment.objects.live().filter(
            practitioner=OuterRef("practitioner_id"),
            starts_at__gt=OuterRef("starts_at") - LONGEST_SERVICE,
            starts_at__lt=OuterRef("ends_at"),
            ends_at__gt=OuterRef("starts_at"),
        )
        return self.filter(~Exists(live))

    def visible_to(self, user: Staff) -> FreedTimeQuerySet:
        """Those of a staff member's locations."""
        return self.filter(location__in=user.place_ids)


class FreedTime(models.Model):
    """A time that an appointment has given up: cancelled, or moved away.

    `look_at` is when it is next to be looked at by the waiting list: a few minutes after it came
    free, so that a slip that is undone offers nothing to anyone.
    """

    location = models.ForeignKey("clinic.Location", models.CASCADE, related_name="freed_times")
    practitioner = models.ForeignKey(Staff, models.CASCADE, related_name="freed_times")
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="freed_times")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    freed_at = models.DateTimeField()
    look_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    audit_always = True
    objects = FreedTimeQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(
                fields=["look_at"], condition=Q(settled_at__isnull=True), name="freed_time_to_look"
            ),
            models.Index(
                fields=["location", "starts_at"],
                condition=Q(settled_at__isnull=True),
                name="freed_time_of_place",
            ),
            models.Index(fields=["appointment"], name="freed_time_of_appointment"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="freed_time_ends_after_it_starts"
            )
        ]

    def __str__(self) -> str:
        return f"freed time {self.pk}"
