"""Registering, correcting and linking patients."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import CharField, F, FloatField, Func, Q, Value
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.registry.models import Fold, Patient, PatientQuerySet, Registration

LIKENESS = 0.45
"""Trigram similarity of whole names, 0 to 1, from which two may be the same person."""
NEAR_DAYS = 31
MOST_OF_A_NAME = 20
YEARS_MISTYPED = (-10, -1, 1, 10)
EDITABLE = (
    "given_name",
    "family_name",
    "birth_date",
    "sex",
    "phone",
    "email",
    "language",
)


class Similarity(Func):
    """Similarity of two texts by their trigrams, 0 to 1 (pg_trgm)."""

    function = "SIMILARITY"
    output_field = FloatField()


@transaction.atomic
def register_patient(
    *,
    by: Staff | None,
    location: Location,
    given_name: str,
    family_name: str,
    birth_date: date,
    sex: str = Patient.Sex.UNKNOWN,
    phone: Any = "",
    email: str = "",
    language: str = "en",
) -> Patient:
    """A new file, known at one location. Looks for duplicates before: `similar_patients`."""
    patient = Patient.objects.create(
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        birth_date=birth_date,
        sex=sex,
        phone=phone,
        email=email.strip(),
        language=language,
    )
    Registration.objects.create(patient=patient, location=location)
    return patient


@transaction.atomic
def edit_patient(*, by: Staff, patient: Patient, **values: Any) -> Patient:
    """Correct who someone is; only the columns of `EDITABLE`. Raises `TypeError` for others."""
    if unknown := set(values) - set(EDITABLE):
        raise TypeError(f"cannot edit {sorted(unknown)}")
    locked = Patient.objects.select_for_update().get(pk=patient.pk)
    changed = [name for name, value in values.items() if getattr(locked, name) != value]
    for name in changed:
        setattr(locked, name, values[name])
    if changed:
        locked.save(update_fields=changed)
    return locked


def similar_patients(*, given_name: str, family_name: str, birth_date: date) -> PatientQuerySet:
    """Files of any location with a name like this and the same or a near birth date, likest first.

    Near: within `NEAR_DAYS`, day and month exchanged, or the year mistyped. Scope the result with
    `visible_to` before showing anything of it.
    """
    typed = Fold(Value(f"{family_name} {given_name}", output_field=CharField()))
    return (
        Patient.objects.filter(_near(birth_date))
        .annotate(likeness=Similarity(F("folded_name"), typed))
        .filter(likeness__gte=LIKENESS)
        .order_by("-likeness", "pk")
    )


def _near(day: date) -> Q:
    others = [found for years in YEARS_MISTYPED if (found := _replaced(day, year=day.year + years))]
    if exchanged := _replaced(day, month=day.day, day=day.month):
        others.append(exchanged)
    month = timedelta(days=NEAR_DAYS)
    return Q(birth_date__range=(day - month, day + month)) | Q(birth_date__in=others)


def _replaced(moment: date, **parts: int) -> date | None:
    try:
        return moment.replace(**parts)
    except ValueError:
        return None


def same_person(*, given_name: str, family_name: str, birth_date: date) -> PatientQuerySet:
    """Files of any location with exactly this name, accents and case apart, and birth date."""
    typed = Fold(Value(f"{family_name} {given_name}", output_field=CharField()))
    return Patient.objects.filter(birth_date=birth_date, folded_name=typed)


@transaction.atomic
def link_patient(
    *, by: Staff, location: Location, given_name: str, family_name: str, birth_date: date
) -> Patient:
    """Make the one file with exactly this name and birth date known at a location too.

    A manager's deed: it opens another location's file to this one. Raises `ActionRefused` when
    `by` may not, and when there is no such file or more than one.
    """
    if not by.may(Permission.MANAGE_CLINIC):
        raise ActionRefused(_("Only a manager can link a file of another location."))
    same = same_person(given_name=given_name, family_name=family_name, birth_date=birth_date)
    files = {patient.kept for patient in same.select_related("merged_into")[:MOST_OF_A_NAME]}
    if len(files) != 1:
        raise ActionRefused(_("There is no single file with exactly this name and birth date."))
    [patient] = files
    try:
        with transaction.atomic():
            Registration.objects.create(patient=patient, location=location)
    except IntegrityError:
        return patient
    return patient
