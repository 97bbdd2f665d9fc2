"""When a patient was last cared for. Rooms above know of visits and sessions, and say so here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.utils import timezone

from patients.intake.models import History
from patients.photos.models import Photo
from patients.registry.models import Patient, files_of

LastCare = Callable[[list[int]], date | None]
"""The day of the last care among the rows of these files that a room knows of."""

_known: list[LastCare] = []


def provide(last: LastCare) -> None:
    """Name a room's answer; called once from an `AppConfig.ready`."""
    if last not in _known:
        _known.append(last)


def last_care(patient: Patient) -> date | None:
    """The last day on which anything of a medical record came about; None where there is none."""
    files = files_of(patient)
    days = [last(files) for last in (*_known, _here)]
    return max((day for day in days if day), default=None)


def _here(files: list[int]) -> date | None:
    """A history that was handed in, or a photo."""
    told = History.objects.filter(patient__in=files, submitted_at__isnull=False)
    seen = Photo.objects.filter(patient__in=files, stored_at__isnull=False)
    moments = [
        told.order_by("-submitted_at").values_list("submitted_at", flat=True).first(),
        seen.order_by("-taken_at").values_list("taken_at", flat=True).first(),
    ]
    return max((timezone.localdate(one) for one in moments if one), default=None)
