"""The photos' part in a merge: they stay with their file, and the kept file shows them too.

What either file refuses is refused, until the patient is asked anew; what only the merged one was
asked holds for the kept one.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from clinic.access.models import Staff
from patients.photos.allowing import standing
from patients.photos.models import PhotoPermission
from patients.registry.merge_parts import Part
from patients.registry.models import Patient


def join(by: Staff, merged: Patient, survivor: Patient) -> dict[str, Any]:
    """Write to the kept file what the other one adds to it."""
    theirs, own = standing(merged), standing(survivor)
    made = [
        PhotoPermission.objects.create(
            patient=survivor,
            use=use,
            is_given=given,
            said_on=said.said_on,
            how=PhotoPermission.How.MERGE,
            recorded_by=by,
        ).pk
        for use, said in theirs.items()
        if said is not None
        and (given := _careful(said, own[use])) != getattr(own[use], "is_given", None)
    ]
    return {"made": made}


def _careful(said: PhotoPermission, own: PhotoPermission | None) -> bool:
    return said.is_given and (own is None or own.is_given)


def part(survivor: Patient, noted: dict[str, Any]) -> None:
    """Void what the merge wrote; what was said since stays."""
    made = PhotoPermission.objects.filter(pk__in=noted.get("made", ()), patient=survivor)
    made.update(voided_at=timezone.now())


PART = Part(room="photos", join=join, part=part)
