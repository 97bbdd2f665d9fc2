"""The sessions' part in a merge: what was begun is finished first."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from patients.registry.merge_parts import Part
from patients.registry.models import Patient
from treatments.sessions.models import Session


def begun(merged: Patient, survivor: Patient) -> Iterator[str]:
    """A session of the file that would close, begun and not signed."""
    if Session.objects.filter(patient=merged, signed_at__isnull=True).exists():
        text = _("A session of %(number)s has begun and is not signed. Finish it first.")
        yield text % {"number": merged.number}


PART = Part(room="sessions", objections=begun)
