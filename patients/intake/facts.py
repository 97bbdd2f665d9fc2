"""Which version of a patient's history counts."""

from __future__ import annotations

from patients.intake.models import History
from patients.registry.models import Patient


def latest_history(patient: Patient) -> History | None:
    """The newest submitted version, or None while nothing has been handed in."""
    return History.objects.filter(patient=patient).submitted().first()
