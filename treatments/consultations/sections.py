"""The sections of a note: which fields each holds, what it is called, what may be copied."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from treatments.consultations.models import Consultation

SECTIONS: dict[str, tuple[str, ...]] = {
    "concern": ("concern",),
    "indications": ("indications",),
    "findings": ("findings", "areas"),
    "examination": ("examination",),
    "skin": ("fitzpatrick", "fitzpatrick_answers"),
    "scales": ("scales",),
    "explained": ("explained",),
    "discussion": ("discussion",),
    "alternatives": ("alternatives", "alternatives_named"),
    "decision": ("decision", "decision_reason", "refer_to", "think_until"),
    "advice": ("advice",),
}
"""Section -> the fields of the note that it holds. The answers to scales are rows of their own."""

NAMES: dict[str, str | Promise] = {
    "concern": _("Concern, in the patient's words"),
    "indications": _("Indications"),
    "findings": _("Findings by area"),
    "examination": _("Examination"),
    "skin": _("Skin type (Fitzpatrick)"),
    "scales": _("Scales"),
    "explained": _("Risks explained"),
    "discussion": _("What was explained"),
    "alternatives": _("Alternatives discussed"),
    "decision": _("Decision"),
    "advice": _("Advice"),
}

COPYABLE = (
    "concern",
    "indications",
    "findings",
    "examination",
    "skin",
    "explained",
    "discussion",
    "alternatives",
    "advice",
)
"""Never the decision, and never a score: both are taken anew each time."""

MAIN_FIELD = {
    "findings": "examination",
    "skin": "fitzpatrick",
    "explained": "discussion",
}
"""The form's field that speaks for a section whose name is none."""


def contents(note: Consultation, section: str) -> dict[str, Any]:
    """The values of a section."""
    return {name: getattr(note, name) for name in SECTIONS[section]}


def is_empty(note: Consultation, section: str) -> bool:
    """Whether nothing has been written there."""
    return not any(_is_something(value) for value in contents(note, section).values())


def _is_something(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def field_of(section: str) -> str:
    """The form's field that a message about a section stands beside."""
    return MAIN_FIELD.get(section, section)
