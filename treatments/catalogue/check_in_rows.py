"""What the rows of the check-ins must keep to: each fault beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from treatments.catalogue.models import (
    AdverseEventType,
    Area,
    CatalogueRow,
    CheckInSign,
    CheckInTime,
    Scale,
    Substance,
    Technique,
)

BASE, ANAESTHETIC = "base", "anaesthetic"


def faults_of(model: type[CatalogueRow], values: Mapping[str, Any]) -> dict[str, str]:
    """Field -> what is wrong with it, for the two kinds of row; at most three queries."""
    if model is CheckInTime:
        return _faults_of_time(values)
    if model is CheckInSign:
        return _faults_of_sign(values)
    return {}


def _faults_of_time(values: Mapping[str, Any]) -> dict[str, str]:
    found, applies_to, scale = {}, values.get("applies_to"), values.get("own_scale")
    if applies_to is not None and not _is_technique(applies_to):
        found["applies_to"] = _("Write “base”, or “technique:” and the code of a technique.")
    if applies_to == BASE and values.get("is_skipped"):
        found["is_skipped"] = _("Only the row of a technique leaves a step out.")
    if scale and not _is_graded(scale):
        found["own_scale"] = _("There is no scale of one graded question with this code.")
    return found


def _faults_of_sign(values: Mapping[str, Any]) -> dict[str, str]:
    found, applies_to, event = {}, values.get("applies_to"), values.get("event")
    first, last = values.get("from_hours"), values.get("until_hours")
    if applies_to is not None and not _is_selector(applies_to):
        found["applies_to"] = _(
            "Write “base”, “anaesthetic”, or “technique:”, “substance:” or “area:” and its code."
        )
    if event and not AdverseEventType.objects.current().filter(code=event).exists():
        found["event"] = _("There is no adverse event with this code.")
    if first is not None and last is not None and last < first:
        found["until_hours"] = _("The end cannot come before the beginning.")
    return found


def _is_technique(selector: str) -> bool:
    kind, _colon, code = selector.partition(":")
    named = Q(code=code) | Q(sheet_group=code)
    return selector == BASE or (
        kind == "technique" and Technique.objects.current().filter(named).exists()
    )


def _is_selector(selector: str) -> bool:
    kind, _colon, code = selector.partition(":")
    if kind == "substance":
        return Substance.objects.current().filter(code=code).exists()
    if kind == "area":
        return Area.objects.current().filter(Q(code=code) | Q(group=code)).exists()
    return selector == ANAESTHETIC or _is_technique(selector)


def _is_graded(code: str) -> bool:
    """Whether a patient can answer it by one choice."""
    scale = Scale.objects.current().filter(code=code).first()
    return scale is not None and len(scale.items) == 1 and bool(scale.items[0]["options"])
