"""The waiting list: who would come at once if a time were free, and the times they were offered."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.places.models import Weekday
from clinic.records import Record
from patients.messages.kinds import Refusal
from patients.messages.models import OptOut
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.diary.models import Appointment, AppointmentQuerySet, FreedTime, Service


class WaitingEntryQuerySet(OfPatientQuerySet["WaitingEntry"]):
    def current(self) -> WaitingEntryQuerySet:
        """Still wanting a time: waiting, or holding an offer."""
        return self.filter(state__in=WaitingEntry.CURRENT)

    def waiting(self) -> WaitingEntryQuerySet:
        """Those who may be offered a time now: the longest waiting first."""
        return self.filter(state=WaitingEntry.State.WAITING).order_by("created_at", "pk")

    def with_booking(self) -> WaitingEntryQuerySet:
        """Each with `has_booking`: whether a visit of the service was booked since they wait."""
        return self.annotate(has_booking=Exists(_booked_since()))

    def unmet(self) -> WaitingEntryQuerySet:
        """Not those who have been booked otherwise since they wait."""
        return self.filter(~Exists(_booked_since()))

    def reachable(self) -> WaitingEntryQuerySet:
        """Of patients with an address that a message can go to, who do not refuse offers."""
        refused = OptOut.objects.filter(
            patient=OuterRef("patient_id"), kind__in=[Refusal.OFFER, Refusal.EVERYTHING]
        )
        return self.exclude(patient__email="", patient__phone="").filter(~Exists(refused))


def _booked_since() -> AppointmentQuerySet:
    """The live visits of an entry's service that were made after it."""
    return (
        Appointment.objects.live()
        .exclude(status=Appointment.Status.HELD)
        .filter(
            patient=OuterRef("patient_id"),
            service=OuterRef("service_id"),
            created_at__gt=OuterRef("created_at"),
        )
    )


class WaitingEntry(Record):
    """What one patient waits for. Empty wishes mean any: no weekdays, no times of day, no end.

    `earliest` and `latest` bound the whole visit on the location's clock. `instead_of` is the
    visit that they already have and give up for a sooner one.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        OFFERED = "offered", _("Offered")
        BOOKED = "booked", _("Booked")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    CURRENT = (State.WAITING, State.OFFERED)

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waiting_entries")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="waiting_entries")
    service = models.ForeignKey(Service, models.PROTECT, related_name="waiting_entries")
    practitioner = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="waiting_entries"
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday), blank=True, default=list
    )
    earliest = models.TimeField(_("not before"), null=True, blank=True)
    latest = models.TimeField(_("over by"), null=True, blank=True)
    from_date = models.DateField(_("from"))
    until_date = models.DateField(_("until"), null=True, blank=True)
    notice_hours = models.PositiveSmallIntegerField(_("hours of notice needed"), default=2)
    note = models.CharField(_("note"), max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    instead_of = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    appointment = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    merge_moves = Q(state="waiting")
    objects = WaitingEntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["location", "created_at"],
                condition=Q(state__in=["waiting", "offered"]),
                name="waiting_at_place",
            ),
            models.Index(fields=["location", "state", "-created_at"], name="waiting_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "location", "service"],
                condition=Q(state__in=["waiting", "offered"]),
                name="waits_once_for_a_service",
                violation_error_message=_("The patient is already waiting for this."),
            ),
            models.CheckConstraint(
                condition=Q(until_date__isnull=True) | Q(until_date__gte=F("from_date")),
                name="waiting_until_after_from",
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                condition=Q(earliest__isnull=True)
                | Q(latest__isnull=True)
                | Q(latest__gt=F("earliest")),
                name="waiting_latest_after_earliest",
                violation_error_message=_("The end must be after the start."),
            ),
            models.CheckConstraint(
                condition=Q(notice_hours__lte=720),
                name="waiting_notice_possible",
                violation_error_message=_("At most 720 hours of notice."),
            ),
            models.CheckConstraint(
                condition=~Q(state="booked") | Q(appointment__isnull=False),
                name="waiting_booked_has_appointment",
            ),
        ]

    def __str__(self) -> str:
        return f"waiting {self.pk}"


class WaitingOfferQuerySet(OfPatientQuerySet["WaitingOffer"]):
    def open(self) -> WaitingOfferQuerySet:
        """Without an answer, and not ended."""
        return self.filter(answer=WaitingOffer.Answer.NONE)

    def due(self, at: datetime) -> WaitingOfferQuerySet:
        """Open ones whose time to answer is over by `at`, the oldest first."""
        return self.open().filter(expires_at__lte=at).order_by("expires_at", "pk")


class WaitingOffer(Record):
    """One time offered to one who waits. Its appointment is held until `expires_at`.

    `freed` is the freed time it came from, `sent_by` who offered it; the system's own have none.
    """

    class Answer(models.TextChoices):
        NONE = "open", _("No answer yet")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        EXPIRED = "no_answer", _("No answer in time")
        TAKEN_BACK = "taken_back", _("Taken back")

    entry = models.ForeignKey(WaitingEntry, models.PROTECT, related_name="offers")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="offers")
    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="offer")
    freed = models.ForeignKey(
        FreedTime, models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=Answer, default=Answer.NONE)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    message = models.ForeignKey(
        "patients.Message", models.PROTECT, null=True, blank=True, related_name="+"
    )
    sent_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    objects = WaitingOfferQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(answer="open"), name="offer_to_end"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(answer="open"), name="one_open_offer_each"
            ),
            models.UniqueConstraint(
                fields=["freed"], condition=Q(answer="open"), name="one_open_offer_of_a_time"
            ),
            models.CheckConstraint(
                condition=Q(answer="open") | Q(answered_at__isnull=False),
                name="offer_answered_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"offer {self.pk}"

    def is_open(self, at: datetime) -> bool:
        """Whether the patient can still take it."""
        return self.answer == self.Answer.NONE and at < self.expires_at
