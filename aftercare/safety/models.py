"""Safety: adverse events, recalls with everyone they concern, and look-backs with their cases."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.messages.models import Message
from patients.photos.models import Photo
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import AdverseEventType, Area
from treatments.plans.models import Side
from treatments.sessions.models import Session

OF_EVENT = "event_id>aftercare_adverseevent.patient_id"


class Grade(models.IntegerChoices):
    """Severity after CTCAE v5 (Reg. S100)."""

    MILD = 1, _("1 mild: no intervention")
    MODERATE = 2, _("2 moderate: local or non-invasive intervention")
    SEVERE = 3, _("3 severe: hospital, or disabling")
    LIFE_THREATENING = 4, _("4 life-threatening")
    DEATH = 5, _("5 death")


class AdverseEventQuerySet(OfPatientQuerySet["AdverseEvent"]):
    def at_places_of(self, user: Staff) -> AdverseEventQuerySet:
        """Of the locations of a staff member, and of patients they may see."""
        return self.visible_to(user).filter(location__in=user.place_ids)

    def open(self) -> AdverseEventQuerySet:
        """Not closed: gravest first, then the longest open."""
        return self.filter(closed_at__isnull=True).order_by("-grade", "onset_at", "pk")

    def overdue(self, day: date) -> AdverseEventQuerySet:
        """Open though its follow-up was to be before `day`, or it lasts longer than expected."""
        late = Q(follow_up_on__lt=day) | Q(expected_until__lt=day)
        return self.open().filter(late)

    def infections(self) -> AdverseEventQuerySet:
        """Whose type the catalogue calls an infection."""
        return self.filter(kind__is_infection=True)


class AdverseEvent(Record):
    """What went wrong after a treatment, from the first word to the last.

    `facts` are what the session's record said when the event was opened: lots, syringes, areas,
    devices, room and people (see `aftercare.safety.record`). Unless `is_timed`, only the day of the
    onset is known, and `onset_at` is its beginning. `point_x` and `point_y` lie between 0
    and 1 of the chart's box. `expected_until`: when the catalogue's course of it ends, counted from
    the onset; None where the catalogue gives no length. `revision` rises with each change while it
    is open, and `earlier` keeps what each replaced: {r, by, at, was: {field: value}}.
    """

    class Relatedness(models.TextChoices):
        UNRELATED = "unrelated", _("unrelated")
        POSSIBLE = "possible", _("possible")
        PROBABLE = "probable", _("probable")
        DEFINITE = "definite", _("definite")

    class Outcome(models.TextChoices):
        """The codes of FHIR R4 (adverse-event-outcome)."""

        ONGOING = "ongoing", _("ongoing")
        RECOVERING = "recovering", _("recovering")
        RESOLVED = "resolved", _("recovered")
        SEQUELAE = "resolvedWithSequelae", _("recovered with lasting effects")
        FATAL = "fatal", _("death")
        UNKNOWN = "unknown", _("not known")

    ENDED = (Outcome.RESOLVED, Outcome.SEQUELAE, Outcome.FATAL, Outcome.UNKNOWN)
    """With what an event may be closed."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="adverse_events")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    session = models.ForeignKey(
        Session, models.PROTECT, null=True, blank=True, related_name="adverse_event_records"
    )
    check_in = models.ForeignKey(
        CheckIn, models.PROTECT, null=True, blank=True, related_name="adverse_events"
    )
    call = models.ForeignKey(
        Call, models.PROTECT, null=True, blank=True, related_name="adverse_events"
    )
    kind = models.ForeignKey(
        AdverseEventType, models.PROTECT, related_name="+", verbose_name=_("what it is")
    )
    onset_at = models.DateTimeField(_("began"))
    is_timed = models.BooleanField(default=False)
    grade = models.PositiveSmallIntegerField(_("grade"), choices=Grade)
    relatedness = models.CharField(
        _("related to the treatment"), max_length=10, choices=Relatedness
    )
    area = models.ForeignKey(
        Area, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("area")
    )
    side = models.CharField(_("side"), max_length=5, choices=Side, default=Side.NONE)
    chart = models.SlugField(max_length=40, blank=True, default="", db_default="")
    point_x = models.FloatField(null=True, blank=True)
    point_y = models.FloatField(null=True, blank=True)
    description = models.TextField(_("what is seen"), max_length=4000)
    action_taken = models.TextField(_("what was done"), max_length=4000, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=20, choices=Outcome, default=Outcome.ONGOING
    )
    follow_up_on = models.DateField(_("look at it again on"))
    expected_until = models.DateField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0, db_default=0)
    earlier = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    opened_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closer = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    closing_words = models.TextField(_("closing words"), max_length=4000, blank=True)

    audit_patient = "patient_id"
    closed_when = "closed_at IS NOT NULL"
    care_at = "greatest(created_at, closed_at)"
    merge_moves = Q(closed_at__isnull=True)
    objects = AdverseEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-onset_at"], name="adverse_event_of_patient"),
            models.Index(fields=["location", "-onset_at"], name="adverse_event_at_place"),
            models.Index(
                fields=["location", "follow_up_on"],
                condition=Q(closed_at__isnull=True),
                name="adverse_event_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(grade__gte=1, grade__lte=5),
                name="adverse_event_grade_possible",
                violation_error_message=_("The grade is from 1 to 5."),
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True)
                | (
                    Q(closer__isnull=False)
                    & ~Q(closing_words="")
                    & Q(outcome__in=["resolved", "resolvedWithSequelae", "fatal", "unknown"])
                ),
                name="adverse_event_closed_in_words",
                violation_error_message=_("An event is closed with an outcome and in words."),
            ),
            models.CheckConstraint(
                condition=Q(point_x__isnull=True, point_y__isnull=True)
                | Q(point_x__gte=0, point_x__lte=1, point_y__gte=0, point_y__lte=1) & ~Q(chart=""),
                name="adverse_event_point_on_a_chart",
            ),
            models.CheckConstraint(condition=~Q(description=""), name="adverse_event_is_described"),
            models.CheckConstraint(
                condition=~Q(grade=5) | Q(outcome="fatal"),
                name="adverse_event_death_is_fatal",
                violation_error_message=_("Grade 5 is death: the outcome must say so."),
            ),
        ]

    def __str__(self) -> str:
        return f"adverse event {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_serious(self) -> bool:
        """Grade 3 and above: hospital, disability, danger to life, death."""
        return self.grade >= Grade.SEVERE

    def is_overdue(self, day: date) -> bool:
        """Open though its follow-up was to be before `day`."""
        return self.is_open and self.follow_up_on < day

    def lasts_too_long(self, day: date) -> bool:
        """Open on `day`, though the catalogue's course of it had ended before."""
        return self.is_open and self.expected_until is not None and self.expected_until < day


class EventPhoto(Record):
    """A photo of the patient that shows the event."""

    event = models.ForeignKey(AdverseEvent, models.CASCADE, related_name="photos")
    photo = models.ForeignKey(Photo, models.PROTECT, related_name="+")

    audit_patient = OF_EVENT
    closed_by = "event_id>aftercare_adverseevent:closed_at IS NOT NULL"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "photo"], name="event_photo_once")]

    def __str__(self) -> str:
        return f"photo {self.photo_id} of event {self.event_id}"


class EventAddendum(Record):
    """A later word on a closed event; the event itself stays as it was."""

    event = models.ForeignKey(AdverseEvent, models.PROTECT, related_name="addenda")
    text = models.TextField(_("addendum"), max_length=4000)
    reason = models.CharField(_("reason"), max_length=300)
    written_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = OF_EVENT
    closed_when = "true"

    class Meta:
        verbose_name_plural = "event addenda"
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"addendum to event {self.event_id}"


class EventReport(Record):
    """That a report was made, for the authority or for the maker."""

    class To(models.TextChoices):
        AUTHORITY = "authority", _("The authority")
        MAKER = "maker", _("The maker")

    event = models.ForeignKey(AdverseEvent, models.PROTECT, related_name="reports")
    to = models.CharField(max_length=10, choices=To)
    document = models.OneToOneField(Document, models.PROTECT, related_name="event_report")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = OF_EVENT
    closed_when = "true"

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"report of event {self.event_id} to {self.to}"


class ExposureKind(models.TextChoices):
    """By what patients are found who may have been harmed by the same thing."""

    LOT = "lot", _("Lot")
    CONTAINER = "container", _("Opened container")
    MIX = "mix", _("Mixture")
    PRODUCT = "product", _("Product")
    DEVICE = "device", _("Device")
    ROOM = "room", _("Room")
    PRACTITIONER = "practitioner", _("Practitioner")
    TECHNIQUE = "technique", _("Technique")
    WINDOW = "window", _("Dates")


class RecallQuerySet(models.QuerySet["Recall"]):
    def visible_to(self, user: Staff) -> RecallQuerySet:
        """The recalls of a staff member's locations."""
        return self.filter(location__in=user.place_ids)

    def open(self) -> RecallQuerySet:
        """Those at which people are still being told, newest first."""
        return self.filter(closed_at__isnull=True).order_by("-pk")


class Recall(models.Model):
    """Everyone exposed to one thing is to be told: what it was, why, who works on it.

    `key` is what the kind is looked up by (see `aftercare.safety.exposures`), `words` says it as it
    was when the recall began. `letter_words` stand in the patients' letter, nowhere else.
    """

    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=ExposureKind)
    key = models.JSONField(default=list)
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    words = models.CharField(max_length=400)
    reason = models.CharField(_("why"), max_length=500)
    letter_words = models.TextField(_("what the letter says"), max_length=2000, blank=True)
    opened_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closer = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    closing_words = models.TextField(_("closing words"), max_length=2000, blank=True)

    audit_always = True
    closed_when = "closed_at IS NOT NULL"
    objects = RecallQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "kind", "key", "since", "until"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="recall_open_once",
                violation_error_message=_("A recall of this is open already."),
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True)
                | (Q(closer__isnull=False) & ~Q(closing_words="")),
                name="recall_closed_in_words",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="recall_says_why"),
        ]

    def __str__(self) -> str:
        return f"recall {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Standing(models.TextChoices):
    """Where a person of a recall stands."""

    REACHED = "reached", _("Spoken with")
    DELIVERED = "delivered", _("Message delivered")
    SENT = "sent", _("Sent, arrival not known")
    WAITING = "waiting", _("Message on its way")
    FAILED = "failed", _("Message not sent")
    NO_WAY = "no-way", _("Cannot be written to")
    UNTOLD = "untold", _("Nothing sent yet")


IN_TOUCH = (Standing.REACHED, Standing.DELIVERED)
"""Of these it is known that the news arrived; of all others it is not."""


class ContactQuerySet(OfPatientQuerySet["RecallContact"]):
    def at_places_of(self, user: Staff) -> ContactQuerySet:
        """Of recalls and patients that a staff member may see, treated at one of their places."""
        return self.visible_to(user).filter(
            location__in=user.place_ids, recall__location__in=user.place_ids
        )

    def to_tell(self) -> ContactQuerySet:
        """Whose message and letter are asked for and not yet written."""
        return self.filter(asked_at__isnull=False, told_at__isnull=True).order_by("asked_at", "pk")

    def with_standing(self) -> Any:
        """With `standing`, a value of `Standing`."""
        reached = Exists(
            Attempt.objects.filter(contact=OuterRef("pk"), outcome=Attempt.Outcome.REACHED)
        )
        S, M = Standing, Message.State
        return self.annotate(
            standing=Case(
                When(reached, then=Value(S.REACHED.value)),
                When(message__delivered_at__isnull=False, then=Value(S.DELIVERED.value)),
                When(message__state=M.SENT, then=Value(S.SENT.value)),
                When(message__state__in=[M.PENDING, M.CLAIMED], then=Value(S.WAITING.value)),
                When(message__isnull=False, then=Value(S.FAILED.value)),
                When(told_at__isnull=False, then=Value(S.NO_WAY.value)),
                When(asked_at__isnull=False, then=Value(S.WAITING.value)),
                default=Value(S.UNTOLD.value),
                output_field=models.CharField(),
            )
        )

    def not_in_touch(self) -> Any:
        """Of whom it is not known that the news arrived."""
        return self.with_standing().exclude(standing__in=[one.value for one in IN_TOUCH])


class RecallContact(Record):
    """One person a recall concerns: how often exposed, how told.

    `exposed_file` is the number of the file at the time, `patient` the file that counts. From
    `asked_at` on the worker owes a message and a letter; `told_at`: it has seen to it.
    """

    recall = models.ForeignKey(Recall, models.PROTECT, related_name="contacts")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="recall_contacts")
    exposed_file = models.BigIntegerField()
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    sessions = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    message = models.OneToOneField(
        Message, models.PROTECT, null=True, blank=True, related_name="recall_contact"
    )
    letter = models.OneToOneField(
        Document, models.PROTECT, null=True, blank=True, related_name="recall_contact"
    )

    audit_patient = "patient_id"
    merge_moves = Q(recall__closed_at__isnull=True)
    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(asked_at__isnull=False, told_at__isnull=True),
                name="recall_contact_to_tell",
            ),
            models.Index(fields=["recall", "id"], name="recall_contact_in_order"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["recall", "exposed_file"], name="recall_contact_once"),
            models.CheckConstraint(condition=Q(sessions__gt=0), name="recall_contact_was_exposed"),
        ]

    def __str__(self) -> str:
        return f"contact {self.pk} of recall {self.recall_id}"


class Attempt(Record):
    """What came of trying to reach a person of a recall by hand: a call, or a letter posted."""

    class Outcome(models.TextChoices):
        REACHED = "reached", _("spoken with")
        NO_ANSWER = "no-answer", _("no answer")
        LEFT_WORD = "left-word", _("left word to call back")
        WRONG_NUMBER = "wrong-number", _("wrong number")
        POSTED = "posted", _("letter posted")

    contact = models.ForeignKey(RecallContact, models.PROTECT, related_name="attempts")
    outcome = models.CharField(_("what came of it"), max_length=12, choices=Outcome)
    note = models.CharField(_("note"), max_length=500, blank=True)
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    audit_patient = "contact_id>aftercare_recallcontact.patient_id"
    closed_when = "true"

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.outcome} of contact {self.contact_id}"


class LookBackQuerySet(models.QuerySet["LookBack"]):
    def visible_to(self, user: Staff) -> LookBackQuerySet:
        """Those of which every location is one of the staff member's: whoever does not know one of
        them learns nothing of its patients, not even how many.
        """
        places = LookBackPlace.objects.filter(look_back=OuterRef("pk"))
        elsewhere = places.exclude(location__in=user.place_ids)
        return self.filter(Exists(places), ~Exists(elsewhere))


class LookBack(models.Model):
    """A question: what had the cases in common, among all treated at these `places` from `since` to
    `until`, each on its own calendar? `location` is where it was asked.

    Only rows are kept; the answer is computed anew each time it is looked at.
    """

    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    places = models.ManyToManyField(
        "clinic.Location", through="LookBackPlace", related_name="+", verbose_name=_("locations")
    )
    title = models.CharField(_("title"), max_length=160)
    since = models.DateField(_("treated from"))
    until = models.DateField(_("to"))
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    audit_always = True
    objects = LookBackQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gte=F("since")),
                name="look_back_dates_in_order",
                violation_error_message=_("The last day is before the first."),
            ),
            models.CheckConstraint(condition=~Q(title=""), name="look_back_has_title"),
        ]

    def __str__(self) -> str:
        return f"look-back {self.pk}"

    @property
    def place_ids(self) -> list[int]:
        """The locations that are compared. One query, unless they were prefetched."""
        return sorted(place.pk for place in self.places.all())


class LookBackPlace(models.Model):
    """A location whose patients a look-back compares."""

    look_back = models.ForeignKey(LookBack, models.CASCADE, related_name="+")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")

    audit_always = True
    closed_when = "true"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["look_back", "location"], name="look_back_place_once")
        ]

    def __str__(self) -> str:
        return f"location {self.location_id} of look-back {self.look_back_id}"


class LookBackCase(Record):
    """A patient who counts as a case, from when; with the adverse event where there is one."""

    look_back = models.ForeignKey(LookBack, models.CASCADE, related_name="cases")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    onset_on = models.DateField(_("began on"))
    event = models.ForeignKey(AdverseEvent, models.PROTECT, null=True, blank=True, related_name="+")
    added_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = "patient_id"
    objects = OfPatientQuerySet["LookBackCase"].as_manager()

    class Meta:
        ordering = ["onset_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["look_back", "patient"],
                name="look_back_case_once",
                violation_error_message=_("This patient is a case already."),
            )
        ]

    def __str__(self) -> str:
        return f"case {self.patient_id} of look-back {self.look_back_id}"
