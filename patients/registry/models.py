"""The patient: who someone is, and where they are known."""

from __future__ import annotations

from datetime import date
from typing import Self, TypeVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Value
from django.db.models.functions import Collate, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from clinic.access.models import Staff
from clinic.records import Record

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


class Patient(Record):
    """A person under care. The primary key is the number on their file: never reused."""

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

    audit_patient = "id"
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
            models.Index(
                OpClass(
                    Func(F("phone"), function="reverse", output_field=models.TextField()),
                    name="text_pattern_ops",
                ),
                name="patient_phone_backwards",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The file number as people say and write it."""
        return f"P{self.pk:06d}"

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
