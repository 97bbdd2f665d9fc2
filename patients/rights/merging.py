"""A restricted file is not merged: that would use its data, and lose what is restricted."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from patients.registry.merge_parts import Part
from patients.registry.models import Patient
from patients.registry.restricting import is_restricted


def _objections(merged: Patient, survivor: Patient) -> Iterator[str]:
    for patient in (merged, survivor):
        if is_restricted(patient):
            words = _("The use of the data of %(number)s is restricted. Lift that first.")
            yield words % {"number": patient.number}


PART = Part("rights", objections=_objections)
