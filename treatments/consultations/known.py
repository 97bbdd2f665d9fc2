"""What screening learns from the notes."""

from __future__ import annotations

from patients.registry.models import Patient
from treatments.consultations.models import Consultation


def skin_type_of(patient: Patient) -> int | None:
    """The clinician's Fitzpatrick type of the last signed note, 1 to 6; None without one."""
    found: int | None = (
        Consultation.objects.filter(
            patient=patient, signed_at__isnull=False, fitzpatrick__isnull=False
        )
        .order_by("-signed_at")
        .values_list("fitzpatrick", flat=True)
        .first()
    )
    return found
