"""The messages' part in a merge: what either file refuses is refused from then on."""

from __future__ import annotations

from typing import Any

from clinic.access.models import Staff
from patients.messages.models import OptOut
from patients.registry.merge_parts import Part
from patients.registry.models import Patient


def join(by: Staff, merged: Patient, survivor: Patient) -> dict[str, Any]:
    """Give the kept file the refusals that it lacks."""
    has = OptOut.objects.filter(patient=survivor).values("kind")
    lacking = OptOut.objects.filter(patient=merged).exclude(kind__in=has)
    made = [OptOut(patient=survivor, kind=kind) for kind in lacking.values_list("kind", flat=True)]
    return {"made": [row.pk for row in OptOut.objects.bulk_create(made)]}


def part(survivor: Patient, noted: dict[str, Any]) -> None:
    """Take back those that came from the other file."""
    OptOut.objects.filter(patient=survivor, pk__in=noted.get("made", [])).delete()


PART = Part(room="messages", join=join, part=part)
