"""The rows of the check-ins as a manager fills them in: what is chosen, and what fits together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
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
Choices = list[tuple[str, Any]]


def choice_fields(model: type[CatalogueRow], row: CatalogueRow) -> dict[str, forms.Field]:
    """The fields of the two kinds that name other rows. What the row names already is kept, even
    where it is out of use.
    """
    if model is CheckInTime:
        return {
            "applies_to": _chosen(row, "applies_to", _("Asked after"), [_always(), *_techniques()]),
            "own_scale": _chosen(
                row, "own_scale", _("The patient’s own score, by the scale"), [_none(), *_graded()]
            ),
        }
    if model is CheckInSign:
        return {
            "applies_to": _chosen(row, "applies_to", _("Asked after"), _selectors()),
            "event": _chosen(row, "event", _("Adverse event that it may be"), _events()),
        }
    return {}


def _chosen(row: CatalogueRow, name: str, label: str, choices: Choices) -> forms.ChoiceField:
    now = str(getattr(row, name) or "")
    known = {value for value, words in choices if isinstance(words, str)}
    known |= {value for _v, group in choices if not isinstance(group, str) for value, _w in group}
    if now and now not in known:
        choices = [*choices, (now, now)]
    return forms.ChoiceField(label=label, choices=choices, required=choices[0][0] != "")


def _always() -> tuple[str, str]:
    return BASE, _("every session")


def _none() -> tuple[str, str]:
    return "", _("not asked")


def _named(rows: Iterable[CatalogueRow], kind: str = "") -> Choices:
    pairs = [(f"{kind}:{row.code}" if kind else row.code, row.name) for row in rows]
    return sorted(pairs, key=lambda pair: pair[1])


def _techniques() -> Choices:
    return _named(Technique.objects.current(), "technique")


def _selectors() -> Choices:
    groups = Technique.objects.current().order_by().values_list("sheet_group", flat=True)
    areas = Area.objects.current().order_by().values_list("group", flat=True)
    return [
        _always(),
        (ANAESTHETIC, _("numbing cream")),
        (_("Techniques"), _techniques()),
        (_("Groups of techniques"), [(f"technique:{one}", one) for one in _once(groups)]),
        (_("Substances"), _named(Substance.objects.current(), "substance")),
        (_("Groups of areas"), [(f"area:{one}", one) for one in _once(areas)]),
    ]


def _once(codes: Iterable[str]) -> list[str]:
    return sorted({code for code in codes if code})


def _events() -> Choices:
    return _named(AdverseEventType.objects.current())


def _graded() -> Choices:
    """Scales that a patient can answer by one choice."""
    rows = Scale.objects.current()
    return _named(row for row in rows if len(row.items) == 1 and row.items[0]["options"])


def faults_of(model: type[CatalogueRow], values: Mapping[str, Any]) -> dict[str, str]:
    """Field -> what does not fit with the others."""
    found: dict[str, str] = {}
    if model is CheckInTime and values.get("applies_to") == BASE and values.get("is_skipped"):
        found["is_skipped"] = _("Only the row of a technique leaves a step out.")
    if model is CheckInSign:
        first, last = values.get("from_hours"), values.get("until_hours")
        if first is not None and last is not None and last < first:
            found["until_hours"] = _("The end cannot come before the beginning.")
    return found
