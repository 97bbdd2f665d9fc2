"""The plans' part in a merge: a course that runs stays where its records are."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from patients.registry.merge_parts import Part
from patients.registry.models import Patient
from treatments.plans.progress import current_plans, progress_of


def running(merged: Patient, survivor: Patient) -> Iterator[str]:
    """Each course of the file that would close; its accepted plan cannot change its patient."""
    for plan in current_plans(merged):
        text = _(
            "A plan of %(number)s is running (%(progress)s). Keep that file instead, or stop the "
            "plan and make a new one."
        )
        yield text % {"number": merged.number, "progress": progress_of(plan).words}


PART = Part(room="plans", objections=running)
