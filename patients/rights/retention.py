"""Until when a file must be kept, and why. The database computes it (`retention.sql`), and lets
nothing go before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils.translation import gettext as _

from clinic.places.models import Location
from patients.registry.models import Patient

STRICTEST = """
SELECT location_id, last_on, until, by_age FROM clinic_keeping(%s)
ORDER BY until DESC, location_id LIMIT 1
"""


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


def retention_of(patient: Patient) -> Retention:
    """What obliges the clinic to keep a file: the strictest of the places where it is known."""
    with connection.cursor() as cursor:
        cursor.execute(STRICTEST, [patient.pk])
        row = cursor.fetchone()
    if row is None:
        return Retention(None, None, _("No care was given: nothing obliges the clinic to keep it."))
    place, last_on, until, by_age = row
    return Retention(last_on, until, _ground(place, by_age=by_age))


def _ground(location_id: int, *, by_age: bool) -> str:
    place = Location.objects.select_related("country").get(pk=location_id)
    if by_age:
        words = _("Records of minors are kept until the age of %(age)d (%(country)s).")
    else:
        words = _("Records of care are kept for %(years)d years (%(country)s).")
    said = {"age": place.kept_until_age, "years": place.years_kept, "country": place.country.name}
    return words % said
