"""The watch: check-ins from four hours to twelve weeks, and the calls they ask for."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ObjectDoesNotExist
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from aftercare.watch.signs import words_of
from aftercare.watch.silence import LOST, OF_MESSAGE, Silence
from clinic.access.models import Staff
from clinic.places.models import Location
from clinic.records import Record
from patients.messages.models import Message
from patients.photos.models import Photo
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import CheckInSign, Scale
from treatments.scales.reading import ScaleView
from treatments.sessions.models import Session

STEP_NAMES = {
    "4h": _("4 hours after"),
    "24h": _("1 day after"),
    "72h": _("3 days after"),
    "7d": _("1 week after"),
    "2w": _("2 weeks after"),
    "6w": _("6 weeks after"),
    "12w": _("12 weeks after"),
}
"""Of check-ins from before the catalogue planned them."""
DAY_HOURS, WEEK_HOURS = 24, 168


class WatchRules(models.Model):
    """How a location watches over its patients. A location without a row keeps these rules.

    A red flag is late `red_minutes` after it came; when nobody has taken it for `escalate_minutes`,
    everybody is told. Nobody has answered for `silent_hours`: that is silence. Results of fewer
    than `least_patients` patients are not shown.
    """

    location = models.OneToOneField(Location, models.CASCADE, related_name="watch_rules")
    red_minutes = models.PositiveSmallIntegerField(
        _("minutes until a red flag is late"),
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(1440)],
    )
    escalate_minutes = models.PositiveSmallIntegerField(
        _("minutes until everybody is told of a red flag that nobody has taken"),
        default=15,
        db_default=15,
        validators=[MinValueValidator(2), MaxValueValidator(1440)],
    )
    silent_hours = models.PositiveSmallIntegerField(
        _("hours without an answer until it is silence"),
        default=48,
        validators=[MinValueValidator(4), MaxValueValidator(336)],
    )
    least_patients = models.PositiveSmallIntegerField(
        _("patients a result needs to be shown"),
        default=10,
        validators=[MinValueValidator(3), MaxValueValidator(1000)],
    )

    audit_always = True

    class Meta:
        verbose_name_plural = "watch rules"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    red_minutes__range=(5, 1440),
                    escalate_minutes__range=(2, 1440),
                    silent_hours__range=(4, 336),
                    least_patients__range=(3, 1000),
                ),
                name="watch_rules_possible",
            )
        ]

    def __str__(self) -> str:
        return f"watch rules of {self.location_id}"


class AlsoTold(models.Model):
    """Somebody who hears of every red flag of a location at once, on duty or not."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="also_told")
    staff = models.ForeignKey(Staff, models.CASCADE, related_name="+")

    audit_always = True

    class Meta:
        verbose_name_plural = "people told besides"
        constraints = [models.UniqueConstraint(fields=["location", "staff"], name="also_told_once")]

    def __str__(self) -> str:
        return f"{self.staff_id} of {self.location_id}"


def rules_of(place: Location) -> WatchRules:
    """The location's rules; the usual ones, not stored, where it has none."""
    try:
        rules: WatchRules = place.watch_rules
    except ObjectDoesNotExist:
        return WatchRules(location=place)
    return rules


class CheckInQuerySet(OfPatientQuerySet["CheckIn"]):
    def due(self, at: datetime) -> CheckInQuerySet:
        """Planned, not yet opened, and due by `at`."""
        return self.filter(state=CheckIn.State.PLANNED, due_at__lte=at).order_by("due_at", "pk")

    def asked(self) -> CheckInQuerySet:
        """Those whose time came, whatever became of them."""
        return self.exclude(state__in=[CheckIn.State.PLANNED, CheckIn.State.CANCELLED])

    def silent(self, at: datetime, hours: int = 48) -> CheckInQuerySet:
        """Sessions of which nobody knows how the patient is, by their last question; newest first.

        It was asked so many hours ago or earlier, could not be asked at all or did not arrive, or a
        later one took its place; and nobody has been told to call for it. `unanswered`: how many in
        that session.
        """
        waited = Q(due_at__lte=at - timedelta(hours=hours))
        waited |= Q(message__isnull=True) | Q(message__state__in=LOST)
        later = self.model.objects.asked().filter(
            session=OuterRef("session"), due_at__gt=OuterRef("due_at")
        )
        called = Call.objects.filter(check_in=OuterRef("pk"))
        alike = self.model.objects.filter(session=OuterRef("session"), state__in=UNANSWERED)
        counted = alike.order_by().values("session").annotate(n=Count("pk")).values("n")
        return (
            self.filter(waited, ~Exists(later), ~Exists(called), state__in=UNANSWERED)
            .annotate(unanswered=Subquery(counted))
            .order_by("-due_at", "-pk")
        )

    def before(self, last: CheckIn) -> CheckInQuerySet:
        """Those that were due before `last`, which stands in that order itself or did."""
        return self.filter(Q(due_at__lt=last.due_at) | Q(due_at=last.due_at, pk__lt=last.pk))


class CheckIn(Record):
    """One question-and-answer after a session. Silence is shown as silence, never as well-being.

    `asked`: the signs as they were asked, frozen when it was opened; `hours` after the treatment.
    `message` may have asked for several at once; none: no address, or no messages wished.
    `own_value`: the patient's own score by `own_scale`.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        OPEN = "open", _("Sent, no answer yet")
        ANSWERED = "answered", _("Answered")
        SILENT = "silent", _("No answer")
        MISSED = "missed", _("Never asked")
        CANCELLED = "cancelled", _("Cancelled")

    class Colour(models.TextChoices):
        GREEN = "green", _("As expected")
        AMBER = "amber", _("Call by the next working day")
        RED = "red", _("Call now")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="check_ins")
    session = models.ForeignKey(Session, models.PROTECT, related_name="check_ins")
    step = models.SlugField(max_length=40)
    hours = models.PositiveIntegerField(null=True, blank=True)
    time = models.ForeignKey(
        "treatments.CheckInTime", models.PROTECT, null=True, blank=True, related_name="+"
    )
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    message = models.ForeignKey(
        Message, models.PROTECT, null=True, blank=True, related_name="check_ins"
    )
    asked = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    answers = models.JSONField(null=True, blank=True)
    signs = ArrayField(models.SlugField(), default=list, blank=True)
    note = models.CharField(_("anything else"), max_length=1000, blank=True)
    photo = models.ForeignKey(Photo, models.PROTECT, null=True, blank=True, related_name="+")
    own_scale = models.ForeignKey(Scale, models.PROTECT, null=True, blank=True, related_name="+")
    own_value = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    colour = models.CharField(max_length=6, choices=Colour, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    stop_reason = models.CharField(
        _("reason"), max_length=300, blank=True, default="", db_default=""
    )

    audit_patient = "patient_id"
    closed_when = "state = 'answered'"
    care_at = "answered_at"
    merge_moves = models.Q(state__in=["planned", "open", "silent", "missed"])
    objects = CheckInQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="planned"), name="check_in_due"
            ),
            models.Index(fields=["patient", "due_at"], name="check_in_of_patient"),
            models.Index(
                fields=["-due_at"],
                condition=models.Q(state__in=["open", "silent", "missed"]),
                name="check_in_silent",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["session", "step"], name="check_in_step_once"),
            models.CheckConstraint(
                condition=~models.Q(state="answered")
                | (models.Q(answered_at__isnull=False) & ~models.Q(colour="")),
                name="check_in_answer_has_colour",
            ),
            models.CheckConstraint(
                condition=models.Q(own_value__isnull=True)
                | models.Q(own_scale__isnull=False, state="answered"),
                name="check_in_own_score_of_a_scale",
            ),
        ]

    @property
    def step_name(self) -> str:
        """How long after the session, in words."""
        if self.hours is None:
            return str(STEP_NAMES.get(self.step, self.step))
        return after_words(self.hours)

    @property
    def said(self) -> list[str]:
        """What the patient ticked, in the language in force."""
        words = {sign["code"]: words_of(sign) for sign in self.asked}
        return [words.get(code) or code.replace("-", " ") for code in self.signs]

    @property
    def events(self) -> list[str]:
        """The adverse events that the ticked signs stand for, as they were asked.

        Of an answer from before that was kept, as the catalogue has them now.
        """
        known = {sign["code"]: str(sign["event"]) for sign in self.asked}
        if lacking := [code for code in self.signs if code not in known]:
            rows = CheckInSign.objects.in_force(lacking)
            known |= {code: row.event for code, row in rows.items()}
        return [known[code] for code in self.signs if code in known]

    @property
    def own_words(self) -> str:
        """The patient's own score in words; nothing where none was given. Needs `own_scale`."""
        if self.own_scale is None or self.own_value is None:
            return ""
        return ScaleView(self.own_scale).said(self.own_value)

    @property
    def is_silence(self) -> bool:
        """Whether its time came and nothing was heard."""
        return self.state in UNANSWERED

    @property
    def silence(self) -> Silence | None:
        """Why nothing is known; None for one that was answered, or is yet to be asked. Needs
        `message`.
        """
        if not self.is_silence:
            return None
        if self.state == CheckIn.State.MISSED:
            return Silence.MISSED
        if self.message is None:
            return Silence.NO_WAY
        asked = Silence.ENDED if self.state == CheckIn.State.SILENT else Silence.WAITING
        return OF_MESSAGE.get(Message.State(self.message.state), asked)

    def __str__(self) -> str:
        return f"check-in {self.step} of session {self.session_id}"


UNANSWERED = (CheckIn.State.OPEN, CheckIn.State.SILENT, CheckIn.State.MISSED)


def after_words(hours: int) -> str:
    """`4 hours after`, `3 days after`, `6 weeks after`."""
    if hours % WEEK_HOURS == 0:
        n = hours // WEEK_HOURS
        return ngettext("%(n)s week after", "%(n)s weeks after", n) % {"n": n}
    if hours % DAY_HOURS == 0:
        n = hours // DAY_HOURS
        return ngettext("%(n)s day after", "%(n)s days after", n) % {"n": n}
    return ngettext("%(n)s hour after", "%(n)s hours after", hours) % {"n": hours}


class CallQuerySet(OfPatientQuerySet["Call"]):
    def waiting(self) -> CallQuerySet:
        """Not done yet: red before amber, then by when they are due."""
        return self.filter(done_at__isnull=True).order_by("-is_red", "due_at", "pk")

    def after(self, last: Call) -> CallQuerySet:
        """Of those that wait the ones that stand behind `last`, which need not wait any more."""
        later = Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, pk__gt=last.pk)
        behind = Q(is_red=last.is_red) & later
        return self.waiting().filter(behind | Q(is_red=False) if last.is_red else behind)

    def overdue(self, at: datetime) -> CallQuerySet:
        """Those that should have been done by now."""
        return self.waiting().filter(due_at__lte=at)

    def alarming(self) -> CallQuerySet:
        """Red flags that nobody has taken."""
        return self.filter(done_at__isnull=True, is_red=True, taken_by__isnull=True)

    def nobody_took(self, at: datetime) -> CallQuerySet:
        """Red flags of which everybody is to be told by `at`, and has not been."""
        return self.alarming().filter(everyone_told_at__isnull=True, escalate_at__lte=at)


class Call(Record):
    """Someone must speak to this patient: opened by an answer or by silence, closed by its outcome.

    `due_at`: by when. A call that reached nobody stays open, and is due again when it says. Of a
    red flag `told_at` is when the first were told; at `escalate_at` everybody is, unless it is
    taken.
    """

    class Reason(models.TextChoices):
        ANSWER = "answer", _("what the patient said")
        SILENCE = "silence", _("no answer")

    class Ending(models.TextChoices):
        ADVICE = "advice", _("advice was enough")
        SEEN = "seen", _("seen, or an appointment given")
        EMERGENCY = "emergency", _("sent to emergency care")
        EVENT = "event", _("an adverse event was opened")
        GIVEN_UP = "given-up", _("could not be reached")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="calls")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    check_in = models.OneToOneField(CheckIn, models.PROTECT, related_name="call")
    reason = models.CharField(
        max_length=8, choices=Reason, default=Reason.ANSWER, db_default=Reason.ANSWER
    )
    is_red = models.BooleanField()
    due_at = models.DateTimeField()
    taken_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    taken_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    escalate_at = models.DateTimeField(null=True, blank=True)
    everyone_told_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(_("outcome"), max_length=2000, blank=True)
    ending = models.CharField(
        _("how it ended"), max_length=10, choices=Ending, blank=True, default="", db_default=""
    )
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
            ),
            models.Index(
                fields=["escalate_at"],
                condition=models.Q(done_at__isnull=True, everyone_told_at__isnull=True),
                name="call_to_escalate",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True)
                | (~models.Q(outcome="") & models.Q(done_by__isnull=False)),
                name="call_done_has_outcome",
            )
        ]

    def is_overdue(self, at: datetime) -> bool:
        """Whether it should have been done by now."""
        return self.done_at is None and self.due_at <= at

    def is_alarming(self) -> bool:
        """Whether it is a red flag that nobody has taken."""
        return self.done_at is None and self.is_red and self.taken_by_id is None

    def __str__(self) -> str:
        return f"call {self.pk}"


class CallAttempt(Record):
    """That the patient was called: by whom, and whether anybody answered. Never changed."""

    class Result(models.TextChoices):
        REACHED = "reached", _("spoke to the patient")
        NO_ANSWER = "no-answer", _("nobody answered")
        LEFT_WORD = "left-word", _("left a message to call back")
        WRONG_NUMBER = "wrong-number", _("wrong number")

    call = models.ForeignKey(Call, models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    result = models.CharField(max_length=12, choices=Result)
    words = models.TextField(max_length=2000, blank=True)
    again_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "call_id>aftercare_call.patient_id"
    closed_when = "true"

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["call", "id"], name="call_attempt_of_call")]

    def __str__(self) -> str:
        return f"attempt at call {self.call_id}"


class Alert(Record):
    """That somebody who works here was sent word of a red flag; its message says what became of it.

    Once when it came, once more `to_everyone` when nobody had taken it.
    """

    call = models.ForeignKey(Call, models.PROTECT, related_name="alerts")
    message = models.OneToOneField(Message, models.PROTECT, related_name="alert")
    to_everyone = models.BooleanField(default=False, db_default=False)

    audit_patient = "call_id>aftercare_call.patient_id"
    closed_when = "true"

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["call", "id"], name="alert_of_call")]

    def __str__(self) -> str:
        return f"alert of call {self.call_id}"
