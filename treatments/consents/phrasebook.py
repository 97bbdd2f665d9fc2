"""What of a consent is said in English unless a further language has it: what that translates."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from treatments.catalogue.models import (
    Area,
    CatalogueRow,
    Protocol,
    RiskLine,
    Substance,
    Technique,
)

FIXED = Path(__file__).parent / "data" / "consent-phrases.json"
"""The texts that stand in templates and forms, by where they are said."""
LABELS: dict[str, str | Promise] = {
    "paper": _("The paper"),
    "evidence": _("Its evidence page"),
    "plan": _("What is put in from the plan"),
    "pages": _("The pages on which it is read and signed"),
}


@dataclass(frozen=True)
class Group:
    """Texts of one kind, each once, in the order in which they are read."""

    label: str | Promise
    texts: tuple[str, ...]


def phrasebook() -> list[Group]:
    """Every text in force that a consent, its evidence and its pages may say; five queries."""
    found = [Group(LABELS[code], texts) for code, texts in _fixed().items()]
    known = {text for group in found for text in group.texts}
    for label, texts in (
        (_("Risks"), _column(RiskLine, "text_en")),
        (_("What to know of a substance"), _column(Substance, "caution_en")),
        (_("What published studies found"), _column(Protocol, "result_en")),
        (_("Names of areas, techniques and substances"), _names()),
    ):
        fresh = tuple(dict.fromkeys(text for text in texts if text and text not in known))
        found.append(Group(label, fresh))
        known.update(fresh)
    return found


@cache
def _fixed() -> dict[str, tuple[str, ...]]:
    said: dict[str, list[str]] = json.loads(FIXED.read_text("utf-8"))
    return {code: tuple(texts) for code, texts in said.items()}


def _column(kind: type[CatalogueRow], field: str) -> Iterable[str]:
    rows = kind._default_manager.filter(is_current=True).order_by("code")
    return rows.values_list(field, flat=True)


def _names() -> Iterable[str]:
    return [name for kind in (Area, Technique, Substance) for name in _column(kind, "name_en")]
