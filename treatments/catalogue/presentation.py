"""A row as a page shows it: every figure with its name and unit, every structure in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Field
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from treatments.catalogue.models import CatalogueRow, Contraindication, Flag

HEADING = {"name_en", "name_fr", "source_refs", "source_note", "general_knowledge", "made_by"}
STRUCTURES = {
    "rules",
    "phases",
    "parameters",
    "child_limits",
    "items",
    "bands",
    "limits",
    "lines",
}

LABELS: dict[str, tuple[str | Promise, str]] = {
    "name": (gettext_lazy("Name"), ""),
    "source_refs": (gettext_lazy("Sources"), ""),
    "rules": (gettext_lazy("What it means for a patient"), ""),
    "phases": (gettext_lazy("Sessions"), ""),
    "child_limits": (gettext_lazy("Limits for children"), ""),
    "parameters": (gettext_lazy("Parameters found"), ""),
    "items": (gettext_lazy("Items"), ""),
    "bands": (gettext_lazy("Bands"), ""),
    "limits": (gettext_lazy("Limits"), ""),
    "snomed": (gettext_lazy("SNOMED CT"), ""),
    "parent": (gettext_lazy("Part of"), ""),
    "group": (gettext_lazy("Group"), ""),
    "charts": (gettext_lazy("Charts"), ""),
    "is_sided": (gettext_lazy("Has a left and a right"), ""),
    "typical_cm2": (gettext_lazy("Typical size"), "cm²"),
    "thorax_risk": (gettext_lazy("Lung below"), ""),
    "is_submental": (gettext_lazy("Under the chin"), ""),
    "depth_min_mm": (gettext_lazy("Depth, from"), "mm"),
    "depth_max_mm": (gettext_lazy("Depth, to"), "mm"),
    "spacing_min_mm": (gettext_lazy("Spacing, from"), "mm"),
    "spacing_max_mm": (gettext_lazy("Spacing, to"), "mm"),
    "volume_min_ml": (gettext_lazy("Volume per point, from"), "mL"),
    "volume_max_ml": (gettext_lazy("Volume per point, to"), "mL"),
    "gesture": (gettext_lazy("Gesture"), ""),
    "terms": (gettext_lazy("Other terms"), ""),
    "sheet_group": (gettext_lazy("Group on the aftercare sheet"), ""),
    "is_dermal": (gettext_lazy("Stays in the dermis"), ""),
    "uses_needle": (gettext_lazy("Uses a needle"), ""),
    "uses_current": (gettext_lazy("Uses current"), ""),
    "device_kind": (gettext_lazy("Device"), ""),
    "contraindications": (gettext_lazy("Contraindications"), ""),
    "indication": (gettext_lazy("Indication"), ""),
    "details": (gettext_lazy("What was done"), ""),
    "result": (gettext_lazy("What it showed"), ""),
    "is_negative": (gettext_lazy("A course that failed"), ""),
    "strengths": (gettext_lazy("Published strength or dose"), ""),
    "flags": (gettext_lazy("Regulatory marks"), ""),
    "allergens": (gettext_lazy("Allergens"), ""),
    "caution": (gettext_lazy("Caution"), ""),
    "is_local_anaesthetic": (gettext_lazy("Local anaesthetic"), ""),
    "is_toxin_or_filler": (gettext_lazy("Toxin or filler in law"), ""),
    "areas_only": (gettext_lazy("Only for"), ""),
    "is_blocked_by_default": (gettext_lazy("Blocked by default"), ""),
    "substance_codes": (gettext_lazy("Holds"), ""),
    "is_topical": (gettext_lazy("On the skin"), ""),
    "mg_per_g": (gettext_lazy("Lidocaine"), "mg/g"),
    "wait_min_minutes": (gettext_lazy("Wait at least"), "min"),
    "wait_max_minutes": (gettext_lazy("At most"), "min"),
    "max_g": (gettext_lazy("At most"), "g"),
    "max_cm2": (gettext_lazy("At most on"), "cm²"),
    "mg_per_kg": (gettext_lazy("Limit by weight"), "mg/kg"),
    "max_mg": (gettext_lazy("Never more than"), "mg"),
    "first": (gettext_lazy("First"), ""),
    "second": (gettext_lazy("Second"), ""),
    "level": (gettext_lazy("Level"), ""),
    "effect": (gettext_lazy("Effect"), ""),
    "only_with": (gettext_lazy("Only together with"), ""),
    "unless": (gettext_lazy("Unless there is"), ""),
    "kind": (gettext_lazy("Kind"), ""),
    "question": (gettext_lazy("Question to the patient"), ""),
    "wait_days": (gettext_lazy("Wait"), "d"),
    "blocks": (gettext_lazy("Refuses, not only advises"), ""),
    "only_for": (gettext_lazy("Matters for"), ""),
    "is_asked": (gettext_lazy("Asked in the questionnaire"), ""),
    "needs_reason": (gettext_lazy("Found suitable only with a reason"), ""),
    "needs_doctor": (gettext_lazy("A decision names the directing doctor"), ""),
    "detail": (gettext_lazy("Also asked once ticked"), ""),
    "asked_if": (gettext_lazy("Asked only after a yes to"), ""),
    "crosses": (gettext_lazy("May cross with"), ""),
    "position": (gettext_lazy("Position"), ""),
    "onset": (gettext_lazy("Onset and course"), ""),
    "urgency": (gettext_lazy("Urgency"), ""),
    "expected_days": (gettext_lazy("Over within"), "d"),
    "is_infection": (gettext_lazy("An infection"), ""),
    "minimum": (gettext_lazy("Lowest"), ""),
    "maximum": (gettext_lazy("Highest"), ""),
    "lower_is_better": (gettext_lazy("Lower is better"), ""),
    "indications": (gettext_lazy("For"), ""),
    "loinc": (gettext_lazy("LOINC"), ""),
    "applies_to": (gettext_lazy("Given with"), ""),
    "topic": (gettext_lazy("Topic"), ""),
    "section": (gettext_lazy("Section"), ""),
    "hours": (gettext_lazy("Hours"), "h"),
    "text": (gettext_lazy("Text"), ""),
    "texts": (gettext_lazy("In further languages"), ""),
    "step": (gettext_lazy("Step"), ""),
    "is_skipped": (gettext_lazy("Left out after this technique"), ""),
    "wants_photo": (gettext_lazy("A photo is welcome"), ""),
    "own_scale": (gettext_lazy("The patient’s own score, by the scale"), ""),
    "event": (gettext_lazy("Adverse event that it may be"), ""),
    "from_hours": (gettext_lazy("Asked from, after the treatment"), "h"),
    "until_hours": (gettext_lazy("Asked until, after the treatment"), "h"),
    "is_founding": (gettext_lazy("One of the founding five"), ""),
    "scales": (gettext_lazy("Scales"), ""),
    "risks": (gettext_lazy("Risks to explain"), ""),
    "alternatives": (gettext_lazy("Alternatives to tick"), ""),
    "examination": (gettext_lazy("Examination"), ""),
    "discussion": (gettext_lazy("What was explained"), ""),
    "other_ways": (gettext_lazy("Alternatives discussed"), ""),
    "advice": (gettext_lazy("Advice"), ""),
    "maker": (gettext_lazy("Maker"), ""),
    "presentation": (gettext_lazy("Presentation"), ""),
    "container_ml": (gettext_lazy("Container"), "mL"),
    "is_multi_dose": (gettext_lazy("Multi-dose"), ""),
    "in_use_hours": (gettext_lazy("In use for"), "h"),
    "is_diluent": (gettext_lazy("Diluent"), ""),
    "has_epinephrine": (gettext_lazy("With epinephrine"), ""),
    "measured_in": (gettext_lazy("Counted in"), ""),
    "country_flags": (gettext_lazy("Regulatory marks in one country"), ""),
    "lines": (gettext_lazy("What goes in"), ""),
    "notes": (gettext_lazy("Notes"), ""),
    "ingredients": (gettext_lazy("Holds"), ""),
}

LIMIT_LABELS: dict[str, tuple[str | Promise, str]] = {
    "max_ml": (gettext_lazy("at most"), "mL"),
    "max_points": (gettext_lazy("points at most"), ""),
    "max_sessions": (gettext_lazy("sessions at most"), ""),
    "min_gap_days": (gettext_lazy("days between sessions at least"), ""),
    "ml_per_point": (gettext_lazy("per point"), "mL"),
    "grid_mm": (gettext_lazy("grid"), "mm"),
    "mg_per_cm2": (gettext_lazy("dose"), "mg/cm²"),
    "mg_per_kg": (gettext_lazy("by weight"), "mg/kg"),
    "max_mg": (gettext_lazy("never more than"), "mg"),
    "mg_per_kg_epinephrine": (gettext_lazy("by weight, with epinephrine"), "mg/kg"),
    "max_mg_epinephrine": (gettext_lazy("never more than, with epinephrine"), "mg"),
}


@dataclass(frozen=True)
class Figure:
    """A name and what stands beside it; `lines` where it is a list."""

    label: str | Promise
    value: str = ""
    lines: tuple[str, ...] = ()


def figures(row: CatalogueRow) -> list[Figure]:
    """Everything the row says beyond its name and source, empty fields left out."""
    shown = [_figure(row, field) for field in row._meta.concrete_fields if _is_own(field)]
    return [figure for figure in shown if figure and (figure.value or figure.lines)]


def _is_own(field: Field[Any, Any]) -> bool:
    return (
        field.name not in HEADING
        and field.name not in STRUCTURES - {"limits"}
        and not field.name.endswith("_fr")
        and field.model.__name__ != "CatalogueRow"
        and field.name not in COMMON_NAMES
    )


COMMON_NAMES = frozenset(field.name for field in CatalogueRow._meta.get_fields()) | {"id"}


def _figure(row: CatalogueRow, field: Field[Any, Any]) -> Figure | None:
    name = field.name
    if name.endswith("_en"):
        label, _unit = LABELS[name.removesuffix("_en")]
        return Figure(label, row.said(name.removesuffix("_en")))
    label, unit = LABELS.get(name, (name.replace("_", " "), ""))
    value = getattr(row, name)
    if name == "limits":
        keys = [key for key in (*LIMIT_LABELS, "never_mixed") if key in value]
        return Figure(label, lines=tuple(_limit(key, value[key]) for key in keys))
    if name == "only_for":
        return Figure(label, lines=tuple(_selector(key, one) for key, one in value.items()))
    if name == "flags":
        return Figure(label, lines=tuple(str(Flag(one).label) for one in value))
    if name == "country_flags":
        return Figure(label, lines=tuple(_marks(country, value[country]) for country in value))
    if name == "texts":
        return Figure(label, lines=tuple(f"{code}: {text}" for code, text in value.items()))
    if isinstance(value, list):
        return Figure(label, ", ".join(map(str, value)))
    if field.choices:
        return Figure(label, str(dict(field.flatchoices).get(value, value)))
    return Figure(label, said(value, unit))


def _marks(country: str, flags: Iterable[str]) -> str:
    return f"{country}: {', '.join(str(Flag(flag).label) for flag in flags)}"


def said(value: Any, unit: str = "") -> str:
    """A figure with its unit, a yes; nothing for what is not there."""
    if value is None or value == "" or value is False:
        return ""
    if value is True:
        return _("yes")
    if isinstance(value, Decimal):
        value = number_format(f"{value.normalize():f}", use_l10n=True)
    return f"{value} {unit}".strip()


def _limit(key: str, value: Any) -> str:
    if key == "never_mixed":
        return _("never mixed or diluted")
    label, unit = LIMIT_LABELS.get(key, (key.replace("_", " "), ""))
    return f"{label}: {value} {unit}".strip()


def _selector(key: str, value: Any) -> str:
    words = {
        "current": _("methods with current"),
        "by_substance": _("the substances that name it"),
        "computed": _("worked out from the date of birth"),
    }
    if key == "skin_types":
        return _("skin types: %(types)s") % {"types": ", ".join(map(str, value))}
    return words.get(key) or f"{key.replace('_', ' ')}: {', '.join(value)}"


@dataclass(frozen=True)
class Listing:
    """A structure of a row as a small table."""

    title: str
    columns: list[str]
    rows: list[dict[str, Any]]


def listings(row: CatalogueRow) -> list[Listing]:
    """The structures of a row that are tables; at most one query, for the names of conditions."""
    found = []
    names = _condition_names(row)
    for name, (columns, cells) in _TABLES.items():
        entries = getattr(row, name, None)
        if entries:
            rows = [{"url": _url(entry), "cells": cells(entry, names)} for entry in entries]
            title, _unit = LABELS[name]
            found.append(Listing(str(title), [str(column) for column in columns], rows))
    return found


Names = Mapping[str, str]


def _condition_names(row: CatalogueRow) -> Names:
    codes = [rule["condition"] for rule in getattr(row, "rules", ())]
    if not codes:
        return {}
    known = Contraindication.objects.current().filter(code__in=codes)
    return {condition.code: condition.name for condition in known}


def _url(entry: Mapping[str, Any]) -> str:
    code = entry.get("condition")
    return reverse("catalogue:row", args=["contraindications", code]) if code else ""


def _text(entry: Mapping[str, Any], name: str) -> str:
    language = (get_language() or "en")[:2]
    return str(entry.get(f"{name}_{language}") or entry.get(f"{name}_en") or "")


def _rule(entry: Mapping[str, Any], names: Names) -> list[str]:
    level = str(Contraindication.Level(entry["level"]).label)
    force = _("refuses") if entry.get("blocks") else _("advises")
    return [names.get(entry["condition"], entry["condition"]), level, force, entry["source"]]


def _phase(entry: Mapping[str, Any], names: Names) -> list[str]:
    low, high = entry["gap_min_days"], entry["gap_max_days"]
    return [entry["kind"], str(entry["sessions"]), f"{low}" if low == high else f"{low}–{high}"]


def _child(entry: Mapping[str, Any], names: Names) -> list[str]:
    months = _("%(low)s to under %(high)s months") % {
        "low": entry["from_months"],
        "high": entry["to_months"],
    }
    return [
        months,
        said(entry.get("max_g"), "g"),
        said(entry.get("max_cm2"), "cm²"),
        said(entry.get("max_minutes"), "min"),
    ]


def _item(entry: Mapping[str, Any], names: Names) -> list[str]:
    options = "; ".join(f"{one['value']} {_text(one, 'label')}" for one in entry["options"])
    if not entry["options"]:
        options = f"{entry['minimum']}–{entry['maximum']}"
    return [_text(entry, "text"), options]


def _band(entry: Mapping[str, Any], names: Names) -> list[str]:
    if "above" in entry:
        return [
            _text(entry, "label"),
            f"> {entry['above']} %" if entry["above"] != 75 else "≥ 75 %",
        ]
    return [_text(entry, "label"), f"{entry['minimum']}–{entry['maximum']}"]


def _parameter(entry: Mapping[str, Any], names: Names) -> list[str]:
    return [_text(entry, "name"), entry["value"], entry["source"]]


Cells = Callable[[Mapping[str, Any], Names], list[str]]
_TABLES: dict[str, tuple[Iterable[str | Promise], Cells]] = {
    "rules": (
        (
            gettext_lazy("Condition"),
            gettext_lazy("Level"),
            gettext_lazy("Force"),
            gettext_lazy("Source"),
        ),
        _rule,
    ),
    "phases": (
        (gettext_lazy("Phase"), gettext_lazy("Sessions"), gettext_lazy("Days between")),
        _phase,
    ),
    "child_limits": (
        (gettext_lazy("Age"), gettext_lazy("Grams"), gettext_lazy("Area"), gettext_lazy("Time")),
        _child,
    ),
    "parameters": (
        (gettext_lazy("Parameter"), gettext_lazy("Value"), gettext_lazy("Source")),
        _parameter,
    ),
    "items": ((gettext_lazy("Item"), gettext_lazy("Answers")), _item),
    "bands": ((gettext_lazy("Band"), gettext_lazy("Score")), _band),
}
