"""Whether a patient is too young to consent alone."""

from __future__ import annotations

from datetime import datetime

from clinic.places.models import Location
from patients.registry.models import Patient


def is_minor(patient: Patient, location: Location, at: datetime) -> bool:
    """Whether a patient is under the age of majority of the location's country, on its day."""
    day = at.astimezone(location.zone).date()
    return patient.age_on(day) < location.country.age_of_majority
