"""The waiting list's part in a merge: one person waits once for a service, and holds one offer."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from patients.registry.merge_parts import Part
from patients.registry.models import Patient
from treatments.waiting.models import WaitingEntry, WaitingOffer


def twice(merged: Patient, survivor: Patient) -> Iterator[str]:
    """An offer that has no answer yet, and each service that both files wait for."""
    if WaitingOffer.objects.open().filter(patient=merged).exists():
        yield _("%(number)s holds an offer from the waiting list. Wait for the answer to it.") % {
            "number": merged.number
        }
    theirs = WaitingEntry.objects.current().filter(patient=merged)
    same = WaitingEntry.objects.current().filter(patient=survivor)
    if theirs.filter(service__in=same.values("service"), location__in=same.values("location")):
        yield _("Both files wait for the same service. Take one of them off the waiting list.")


PART = Part(room="waiting", objections=twice)
