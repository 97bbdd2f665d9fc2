"""Until when a file must be kept, and why. Pure, but for reading what was last done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from clinic.places.models import Location
from patients.registry.models import Patient
from patients.rights.care import last_care

ADULT = 18


@dataclass(frozen=True)
class Retention:
    """`last_on`: the day of the last care, None where there never was any; then nothing obliges.

    `until`: the first day on which the file may go.
    """

    last_on: date | None
    until: date | None
    ground: str

    def obliges(self, today: date) -> bool:
        """Whether the file must still be kept."""
        return self.until is not None and today < self.until


def kept_until(
    *, birth_date: date, last_on: date, years: int, minors_until: int
) -> tuple[date, bool]:
    """The first day on which a file may go, and whether the age of a minor decides.

    `years` from the last care; for who was a minor then, the birthday at `minors_until` if later.
    """
    by_years = _anniversary(last_on, years)
    if last_on >= _anniversary(birth_date, ADULT):
        return by_years, False
    by_age = _anniversary(birth_date, minors_until)
    return max(by_years, by_age), by_age > by_years


def _anniversary(day: date, years: int) -> date:
    """The same day so many years on; 1 March where that year has no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def retention_of(patient: Patient) -> Retention:
    """What obliges the clinic to keep a file: the strictest of the places where it is known."""
    last_on = last_care(patient)
    if last_on is None:
        return Retention(None, None, _("No care was given: nothing obliges the clinic to keep it."))
    places = Location.objects.filter(registrations__patient=patient).select_related("country")
    return max(
        (_at(place, patient, last_on) for place in places),
        key=lambda one: one.until or last_on,
    )


def _at(place: Location, patient: Patient, last_on: date) -> Retention:
    until, by_age = kept_until(
        birth_date=patient.birth_date,
        last_on=last_on,
        years=place.years_kept,
        minors_until=place.kept_until_age,
    )
    if by_age:
        words = _("Records of minors are kept until the age of %(age)d (%(country)s).")
    else:
        words = _("Records of care are kept for %(years)d years (%(country)s).")
    said = {"age": place.kept_until_age, "years": place.years_kept, "country": place.country.name}
    return Retention(last_on, until, words % said)
