"""A message row: due, claimed, sent, failed or uncertain; the proof of what went out."""

from __future__ import annotations

from datetime import datetime, time

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.messages.kinds import Kind, Refusal, name_of
from patients.messages.quiet import USUAL, Quiet
from patients.messages.texts import Words
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

    def waiting(self) -> MessageQuerySet:
        """Those that can still be held back: no worker has begun to send them."""
        return self.filter(
            state__in=[Message.State.PENDING, Message.State.CLAIMED], sending_since__isnull=True
        )

    def urgent(self) -> MessageQuerySet:
        """To people who work here: somebody waits for them."""
        return self.filter(staff__isnull=False)

    def to_patients(self) -> MessageQuerySet:
        """Those that the patients themselves are sent."""
        return self.filter(staff__isnull=True)

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

    One to `staff`, somebody who works here, says that the patient needs them, and not who that is.

    The subject never holds personal data. `uncertain` is a send whose outcome nobody knows:
    shown to the desk, never sent again by itself. From `valid_until` on it would be of no use and
    is not sent. `calendar` is an iCalendar file that goes with an e-mail. `delivered_at` and
    `provider_ref` are what the gateway reported, where it does.
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
    location = models.ForeignKey(
        "clinic.Location", models.PROTECT, null=True, blank=True, related_name="+"
    )
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.SlugField(max_length=40)
    key = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=5, choices=Channel)
    language = models.CharField(max_length=8)
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    calendar = models.TextField(blank=True, default="", db_default="")
    due_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sending_since = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    provider_ref = models.CharField(max_length=100, blank=True, default="", db_default="")
    error = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    audit_exclude = ("body", "calendar")
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
            models.Index(
                fields=["due_at"],
                condition=models.Q(staff__isnull=False, state__in=["pending", "claimed"]),
                name="message_urgent",
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
        return f"<{self.reference}@clinic.invalid>"

    @property
    def reference(self) -> str:
        """How a gateway is told of this row, and names it in its report."""
        return f"message-{self.pk}"

    @property
    def address(self) -> str:
        """Where it would go today: of the one who works here, else of the patient."""
        to = self.staff or self.patient
        return str(to.email if self.channel == self.Channel.EMAIL else to.phone)

    def kept_from_patient(self) -> frozenset[str]:
        """Of one to somebody who works here: what a copy for the patient leaves out."""
        return frozenset({"recipient", "error"}) if self.staff_id else frozenset()

    @property
    def kind_name(self) -> str:
        """The kind in words."""
        return name_of(self.kind)


class MessageRules(models.Model):
    """When a location writes to its patients. A location without a row keeps the usual rules.

    Reminders go so many hours before the visit, the earlier one first; None is none. Patients who
    have not been back for `recall_months` months are invited; None invites nobody.
    """

    location = models.OneToOneField("clinic.Location", models.CASCADE, related_name="message_rules")
    quiet_from = models.TimeField(_("nobody is written to from"), default=USUAL.start)
    quiet_until = models.TimeField(_("until"), default=USUAL.end)
    first_reminder_hours = models.PositiveSmallIntegerField(
        _("first reminder, hours before"), null=True, blank=True, default=48
    )
    second_reminder_hours = models.PositiveSmallIntegerField(
        _("second reminder, hours before"), null=True, blank=True, default=3
    )
    recall_months = models.PositiveSmallIntegerField(
        _("invite again after, in months"), null=True, blank=True
    )

    audit_always = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first_reminder_hours__isnull=True)
                | Q(first_reminder_hours__gte=1, first_reminder_hours__lte=336),
                name="message_rules_first_reminder",
                violation_error_message=_("A reminder goes from 1 hour to 14 days before."),
            ),
            models.CheckConstraint(
                condition=Q(second_reminder_hours__isnull=True)
                | Q(second_reminder_hours__gte=1, second_reminder_hours__lte=336),
                name="message_rules_second_reminder",
                violation_error_message=_("A reminder goes from 1 hour to 14 days before."),
            ),
            models.CheckConstraint(
                condition=Q(first_reminder_hours__isnull=True)
                | Q(second_reminder_hours__isnull=True)
                | Q(second_reminder_hours__lt=F("first_reminder_hours")),
                name="message_rules_in_order",
                violation_error_message=_("The second reminder comes after the first."),
            ),
            models.CheckConstraint(
                condition=Q(recall_months__isnull=True)
                | Q(recall_months__gte=1, recall_months__lte=60),
                name="message_rules_recall",
                violation_error_message=_("Invite after 1 to 60 months."),
            ),
        ]

    def __str__(self) -> str:
        return f"message rules of {self.location_id}"

    @property
    def quiet(self) -> Quiet:
        """The quiet hours on the location's clock."""
        start: time = self.quiet_from
        return Quiet(start, self.quiet_until)

    @property
    def leads(self) -> list[int]:
        """Hours before a visit at which it is reminded of, the longest first."""
        return [hours for hours in (self.first_reminder_hours, self.second_reminder_hours) if hours]


class MessageTextQuerySet(models.QuerySet["MessageText"]):
    def newest(self) -> MessageTextQuerySet:
        """The version in force of each text."""
        order = ("location_id", "kind", "language")
        return self.order_by(*order, "-version").distinct(*order)


class MessageText(models.Model):
    """A version of a location's own words for one kind in one language; the newest is in force.

    Never changed. `is_shipped` takes the location back to the shipped text, whatever that is.
    """

    location = models.ForeignKey("clinic.Location", models.CASCADE, related_name="message_texts")
    kind = models.CharField(max_length=20, choices=Kind)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES)
    version = models.PositiveIntegerField()
    subject = models.CharField(_("subject of the e-mail"), max_length=120, blank=True)
    body = models.TextField(_("text of the e-mail"), max_length=4000, blank=True)
    sms = models.TextField(_("text of the SMS"), max_length=480, blank=True)
    is_shipped = models.BooleanField(default=False)
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    audit_always = True
    objects = MessageTextQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "kind", "language", "version"], name="message_text_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.language} {self.version} of {self.location_id}"

    @property
    def words(self) -> Words:
        """The text as it is used."""
        return Words(self.subject, self.body, self.sms)


class OptOut(Record):
    """A patient does not want messages of a kind."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="message_opt_outs")
    kind = models.CharField(max_length=20, choices=Refusal)

    audit_patient = "patient_id"
    objects = OfPatientQuerySet["OptOut"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "kind"], name="message_opt_out_once")
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} refuses {self.kind}"
