"""What is known from a patient's history, and what has changed since the one before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.intake.models import History
from patients.intake.questions import ALLERGY, CONDITION, MEDICINE, labels
from patients.registry.models import Patient

STEPS = ("about", "conditions", "medicines", "allergies", "skin")
"""The steps that must be answered before a history can be signed."""

LISTS = {"conditions": CONDITION, "medicines": MEDICINE, "allergies": ALLERGY}


def latest_history(patient: Patient) -> History | None:
    """The newest history handed in, or None."""
    found: History | None = History.objects.filter(patient=patient).submitted().first()
    return found


def draft_of(patient: Patient) -> History | None:
    """The history being filled in, or None."""
    return History.objects.filter(patient=patient, submitted_at__isnull=True).first()


def steps_done(history: History) -> list[str]:
    """The steps answered so far, in order."""
    done = history.answers.get("done", [])
    return [step for step in STEPS if step in done]


def steps_left(history: History | None) -> list[str]:
    """The steps still to be answered, in order."""
    done = steps_done(history) if history else []
    return [step for step in STEPS if step not in done]


@dataclass(frozen=True)
class Line:
    """One fact as shown. `value` is empty for what was asked and denied."""

    name: str | Promise
    value: str
    step: str
    field: str
    alert: bool = False


@dataclass(frozen=True)
class Change:
    """A fact that differs between two versions."""

    name: str | Promise
    before: str
    after: str


def lines(history: History) -> list[Line]:
    """A history as names and values, in the order of the questionnaire."""
    return [
        Line(_("Weight"), _weight(history.weight_kg), "about", "weight_kg"),
        Line(
            _("Pregnant or breastfeeding"),
            _yes_no(history.pregnant),
            "about",
            "pregnant",
            alert=bool(history.pregnant),
        ),
        Line(
            _("Conditions and events"), _listed(history, "conditions"), "conditions", "conditions"
        ),
        Line(_("Medicines"), _medicines(history), "medicines", "medicines"),
        Line(
            _("Allergies"),
            allergies(history),
            "allergies",
            "allergies",
            alert=has_allergies(history),
        ),
        Line(_("Cold sores"), _yes_no(history.cold_sores), "skin", "cold_sores"),
        Line(_("Fear of needles"), _yes_no(history.fear_of_needles), "skin", "fear_of_needles"),
        Line(_("What you hope for"), history.expectations, "skin", "expectations"),
    ]


def changed_since(history: History, previous: History) -> list[Change]:
    """The facts that differ from an earlier version, in the order of the questionnaire."""
    return [
        Change(now.name, before.value, now.value)
        for now, before in zip(lines(history), lines(previous), strict=True)
        if now.value != before.value
    ]


def has_allergies(history: History) -> bool:
    """Whether any allergy was named."""
    return bool(history.allergies or history.other_allergies)


def allergies(history: History) -> str:
    """The allergies in words; 'none known' only when that was said."""
    named = _listed(history, "allergies")
    both = [part for part in (named, history.other_allergies) if part]
    if both:
        return ", ".join(both)
    return str(_("None known")) if history.no_known_allergies else ""


def _medicines(history: History) -> str:
    named = [_listed(history, "medicines"), history.medicines_text]
    return "; ".join(part for part in named if part)


def _listed(history: History, field: str) -> str:
    """Codes of a field in words; a code whose question is gone shows itself."""
    known = labels()
    codes: list[str] = getattr(history, field)
    return ", ".join(known.get((LISTS[field], code), code) for code in codes)


def _weight(weight: Decimal | None) -> str:
    return f"{number_format(weight.normalize())} kg" if weight is not None else ""


def _yes_no(answer: Any) -> str:
    if answer is None:
        return ""
    return str(_("Yes") if answer else _("No"))
