"""The areas that a patient's record names, to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Func

from patients.photos.models import Photo
from treatments.catalogue.models import Area
from treatments.consultations.models import Consultation
from treatments.plans.models import PlanArea
from treatments.sessions.models import TreatedArea


class Unnest(Func):
    """The elements of an array, one to a row."""

    function = "unnest"


class AreaTree:
    """The areas of the catalogue with what belongs to what. One query."""

    def __init__(self) -> None:
        rows = Area.objects.current().order_by("pk").only("code", "parent", "name_en", "name_fr")
        self.rows = {row.code: row for row in rows}

    def within(self, code: str) -> list[str]:
        """An area and everything inside it: the face has cheeks."""
        found = [code]
        for inner in found:
            found += [
                r.code for r in self.rows.values() if r.parent == inner and r.code not in found
            ]
        return found

    def choices(self, named: Sequence[str]) -> list[tuple[str, str]]:
        """The named ones and what they lie in, in the catalogue's order."""
        wanted = set(named)
        for code in named:
            while code in self.rows and self.rows[code].parent:
                code = self.rows[code].parent
                wanted.add(code)
        return [(row.code, row.name) for row in self.rows.values() if row.code in wanted]


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
