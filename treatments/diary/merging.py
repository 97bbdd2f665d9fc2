"""The diary's part in a merge: nobody can be in two places, so overlapping visits come first."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from patients.registry.merge_parts import Part
from patients.registry.models import Patient
from treatments.diary.models import Appointment, AppointmentQuerySet


def overlaps(merged: Patient, survivor: Patient) -> Iterator[str]:
    """Each visit that would go over and meets one of the kept file."""
    for coming in _visits(merged).filter(Appointment.merge_moves):
        for met in _visits(survivor).filter(
            starts_at__lt=coming.ends_at, ends_at__gt=coming.starts_at
        ):
            text = _("Two visits overlap: %(one)s (%(number)s) and %(other)s (%(kept)s).")
            said = {"number": merged.number, "kept": survivor.number}
            yield text % {**said, "one": _when(coming), "other": _when(met)}


def _visits(patient: Patient) -> AppointmentQuerySet:
    rows: AppointmentQuerySet = Appointment.objects.filter(patient=patient)
    return rows.live().select_related("location").order_by("starts_at")


def _when(visit: Appointment) -> str:
    local = visit.starts_at.astimezone(visit.location.zone)
    return f"{local:%d-%b-%Y %H:%M}, {visit.location.name}"


PART = Part(room="diary", objections=overlaps)
