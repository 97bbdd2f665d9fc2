"""The areas that a patient's record names, to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Func

from patients.photos.models import Photo
from patients.photos.naming import Names
from treatments.catalogue.models import Area
from treatments.consultations.models import Consultation
from treatments.plans.models import PlanArea
from treatments.sessions.models import TreatedArea


class Unnest(Func):
    """The elements of an array, one to a row."""

    function = "unnest"


class AreaTree:
    """The areas of the catalogue with what belongs to what. One query."""

    def __init__(self, names: Names) -> None:
        self.names = names.areas
        self.parents = dict(Area.objects.current().values_list("code", "parent"))

    def within(self, code: str) -> list[str]:
        """An area and everything inside it: the face has cheeks."""
        found = [code]
        for outer in found:
            found += [c for c, parent in self.parents.items() if parent == outer and c not in found]
        return found

    def choices(self, named: Sequence[str]) -> list[tuple[str, str]]:
        """The named ones and what they lie in, in the catalogue's order."""
        wanted = set(named)
        for code in named:
            outer = self.parents.get(code)
            while outer and outer not in wanted:
                wanted.add(outer)
                outer = self.parents.get(outer)
        return [(code, name) for code, name in self.names.items() if code in wanted]


def named_areas(files: Sequence[int]) -> list[str]:
    """The codes that sessions, plans, notes and photos of these files name. One query."""
    parts: list[Any] = [
        TreatedArea.objects.filter(session__patient_id__in=files).values_list("area__code"),
        PlanArea.objects.filter(plan__patient_id__in=files).values_list("area__code"),
        Consultation.objects.filter(patient_id__in=files).values_list(Unnest(F("areas"))),
        Photo.objects.filter(patient_id__in=files).kept().values_list("area"),
    ]
    first, *rest = [part.order_by() for part in parts]
    return [code for (code,) in first.union(*rest)]
