"""The patient: who someone is, and where they are known."""

from __future__ import annotations

from datetime import date
from typing import Self, TypeVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Collate, Concat, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from clinic.access.models import Staff
from clinic.records import Record
from clinic.tongues import house_language, is_of_the_house

Row = TypeVar("Row", bound=models.Model)
EARLIEST_BIRTH = date(1890, 1, 1)


class Fold(Func):
    """Lower case without accents, by the database's immutable `clinic_fold`."""

    function = "clinic_fold"
    output_field = models.TextField()


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: Staff) -> PatientQuerySet:
        """The patients registered at one of a staff member's locations."""
        return self.filter(
            Exists(Registration.objects.filter(patient=OuterRef("pk"), location__in=user.place_ids))
        )

    def in_use(self) -> PatientQuerySet:
        """Without the files that were merged into another."""
        return self.filter(merged_into__isnull=True)


class Patient(Record):
    """A person under care. The primary key is the number on their file: never reused.

    `merged_into` is the file that counts for the same person, always the last of a chain; a file
    that has one is kept as it was and takes nothing new.
    """

    class Sex(models.TextChoices):
        FEMALE = "female", _("female")
        MALE = "male", _("male")
        OTHER = "other", _("other")
        UNKNOWN = "unknown", _("not known")

    given_name = models.CharField(_("given name"), max_length=100)
    family_name = models.CharField(_("family name"), max_length=100)
    birth_date = models.DateField(_("date of birth"))
    sex = models.CharField(_("sex"), max_length=8, choices=Sex, default=Sex.UNKNOWN)
    phone = PhoneNumberField(_("mobile phone"), blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=8, default="en")
    folded_name = models.GeneratedField(
        expression=Fold(Concat(F("family_name"), Value(" "), F("given_name"))),
        output_field=models.TextField(),
        db_persist=True,
    )
    locations = models.ManyToManyField("clinic.Location", through="Registration")
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="earlier_files",
        verbose_name=_("merged into"),
    )

    audit_patient = "id"
    closed_when = "merged_into_id IS NOT NULL"
    # The folded name is computed after the trigger that compares.
    closed_except = ("merged_into_id", "folded_name")
    objects = PatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(birth_date__gte=EARLIEST_BIRTH),
                name="patient_birth_date_possible",
                violation_error_message=_("This date of birth is too long ago."),
            ),
            models.CheckConstraint(
                condition=~models.Q(given_name="") & ~models.Q(family_name=""),
                name="patient_has_names",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=F("id")),
                name="patient_not_merged_into_itself",
            ),
        ]
        indexes = [
            # Without a list of pending entries, which every search would have to read through.
            GinIndex(
                OpClass(F("folded_name"), name="gin_trgm_ops"),
                name="patient_name_trigrams",
                fastupdate=False,
            ),
            models.Index(Collate(F("folded_name"), "C"), F("id"), name="patient_name_in_order"),
            models.Index(fields=["birth_date"], name="patient_birth_date"),
            models.Index(Upper("email"), name="patient_email"),
            models.Index(
                OpClass(
                    Func(F("phone"), function="reverse", output_field=models.TextField()),
                    name="text_pattern_ops",
                ),
                name="patient_phone_backwards",
            ),
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="patient_earlier_files",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The file number as people say and write it."""
        return f"P{self.pk:06d}"

    @property
    def house_language(self) -> str:
        """In which pages and messages speak to them: their own language where the interface has
        it, else that of the clinic where they were registered first (one query then).
        """
        if is_of_the_house(self.language):
            return self.language
        first = self.registrations.order_by("pk").values_list("location__language", flat=True)
        return house_language(self.language, first.first() or "")

    @property
    def name(self) -> str:
        """Family name in capitals, then given name, as on every clinical page."""
        return f"{self.family_name.upper()}, {self.given_name}"

    @property
    def initials(self) -> str:
        """For feeds, prints and photo placeholders."""
        return f"{self.given_name[:1]}{self.family_name[:1]}".upper()

    def age_on(self, day: date) -> int:
        """Whole years lived on a day."""
        before_birthday = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before_birthday

    @property
    def age(self) -> int:
        """Whole years today, in the time zone in force."""
        return self.age_on(timezone.localdate())

    @property
    def kept(self) -> Patient:
        """The file that counts for this person: the one this was merged into, else itself."""
        return self.merged_into or self

    @property
    def is_closed_file(self) -> bool:
        """Whether it was merged into another file and takes nothing new."""
        return self.merged_into_id is not None

    @property
    def kept_number(self) -> str:
        """The number of the file that counts."""
        return f"P{self.merged_into_id or self.pk:06d}"


def files_of(patient: Patient) -> list[int]:
    """The patient's file and the earlier files that were merged into it. One query."""
    earlier = Patient.objects.filter(merged_into=patient.pk)
    return [patient.pk, *earlier.values_list("pk", flat=True)]


class Registration(Record):
    """A patient is known at a location; its staff may find them."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="registrations")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="registrations")

    audit_patient = "patient_id"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "location"], name="registered_once")
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} at {self.location_id}"


class OfPatientQuerySet(models.QuerySet[Row]):
    """Base of the querysets of everything that belongs to a patient."""

    def visible_to(self, user: Staff) -> Self:
        """Rows of the patients that a staff member may see."""
        return self.filter(
            Exists(
                Registration.objects.filter(
                    patient=OuterRef("patient_id"), location__in=user.place_ids
                )
            )
        )

    def of_person(self, patient: Patient) -> Self:
        """Rows of a patient's file and of the earlier files that were merged into it."""
        # By the few files first: an OR across the join would read every row there is.
        files = Patient.objects.filter(Q(pk=patient.pk) | Q(merged_into=patient.pk))
        return self.filter(patient__in=files.values("pk"))


class RestrictionQuerySet(OfPatientQuerySet["Restriction"]):
    def in_force(self) -> RestrictionQuerySet:
        """Those that were not lifted."""
        return self.filter(ended_at__isnull=True)


class Restriction(Record):
    """The data of a patient are kept and used for nothing but care, safety and claims.

    What that refuses asks `patients.registry.restricting`. One at a time; lifting says why.
    """

    class Ground(models.TextChoices):
        DISPUTED = "disputed", _("the patient says that something is wrong, until it is settled")
        OBJECTION = "objection", _("the patient objects to a use, until it is decided")
        CLAIM = "claim", _("the patient needs the data kept for a claim")
        INSTEAD = "instead", _("in place of an erasure that cannot be done yet")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="restrictions")
    ground = models.CharField(_("ground"), max_length=10, choices=Ground)
    words = models.CharField(_("what it is about"), max_length=500, blank=True)
    began_at = models.DateTimeField()
    set_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    end_reason = models.CharField(_("reason for lifting"), max_length=500, blank=True)

    audit_patient = "patient_id"
    closed_when = "ended_at IS NOT NULL"
    objects = RestrictionQuerySet.as_manager()

    class Meta:
        verbose_name = _("restriction")
        verbose_name_plural = _("restrictions")
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(ended_at__isnull=True),
                name="restricted_once",
                violation_error_message=_("This file is restricted already."),
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True)
                | (~Q(end_reason="") & Q(ended_by__isnull=False)),
                name="restriction_lifted_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"restriction {self.pk}"


class MergeQuerySet(models.QuerySet["Merge"]):
    def in_force(self) -> MergeQuerySet:
        """Those that were not undone, newest first."""
        return self.filter(undone_at__isnull=True).order_by("-pk")

    def making_up(self, patient: Patient) -> MergeQuerySet:
        """Those that a patient's file is made up of, newest first: only the first can be undone."""
        return self.in_force().filter(merged__merged_into=patient)

    def visible_to(self, user: Staff) -> MergeQuerySet:
        """Those of the patients that a staff member may see."""
        known = Registration.objects.filter(
            patient=OuterRef("survivor_id"), location__in=user.place_ids
        )
        return self.filter(Exists(known))


class Merge(Record):
    """Two files of one person made one: `merged` stays as an earlier file of `survivor`.

    `snapshot` holds what undoing needs: see `patients.registry.merges`.
    """

    survivor = models.ForeignKey(Patient, models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Patient, models.PROTECT, related_name="merged_by")
    reason = models.CharField(_("reason"), max_length=300)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    snapshot = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    undo_reason = models.CharField(_("reason for undoing"), max_length=300, blank=True)

    audit_patient = "survivor_id"
    audit_exclude = ("snapshot",)
    closed_when = "true"
    closed_except = ("undone_at", "undone_by_id", "undo_reason")
    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge of two files")
        verbose_name_plural = _("merges of two files")
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=models.Q(undone_at__isnull=True),
                name="merged_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(survivor=F("merged")), name="merge_of_two_files"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="merge_has_reason"),
            models.CheckConstraint(
                condition=models.Q(undone_at__isnull=True)
                | (~models.Q(undo_reason="") & models.Q(undone_by__isnull=False)),
                name="merge_undone_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"merge of {self.merged_id} into {self.survivor_id}"

    @property
    def patient_id(self) -> int:
        """Whose record it belongs to, as the gate asks."""
        return self.survivor_id
