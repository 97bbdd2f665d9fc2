"""What a consultation note still lacks before it can be signed."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from treatments.consultations.models import Consultation
from treatments.consultations.sections import NAMES, field_of
from treatments.scales.actions import unfinished

Decision = Consultation.Decision


def missing_parts(note: Consultation, today: date) -> dict[str, str]:
    """Field -> what to write there. Empty when the note is complete.

    A patient who is not treated needs no areas, and no alternatives to a treatment. Two parts may
    be ticked instead of written: what was seen by area, and which risks were explained.
    """
    found = {name: words for name, words in _wanted(note).items() if _is_empty(note, name)}
    if any(row.get("signs") or row.get("words") for row in note.findings):
        found.pop("examination", None)
    if note.explained:
        found.pop("discussion", None)
    if note.alternatives_named:
        found.pop("alternatives", None)
    if note.decision == Decision.THINK and note.think_until and note.think_until < today:
        found["think_until"] = _("This day has passed. Choose a later one.")
    return {**found, **_not_looked_at(note), **unfinished(note.scores.select_related("scale"))}


def _wanted(note: Consultation) -> dict[str, str]:
    wanted = {
        "concern": _("Write what the patient wants, in their words."),
        "examination": _("Write what you found."),
        "fitzpatrick": _("Choose the skin type."),
        "discussion": _("Write what was explained."),
        "decision": _("Choose the decision."),
    }
    if note.decision == Decision.SUITABLE:
        wanted["indications"] = _("Choose at least one indication.")
        wanted["areas"] = _("Choose at least one area.")
        wanted["alternatives"] = _("Write which alternatives were discussed, doing nothing too.")
    if note.decision in (Decision.NOT_SUITABLE, Decision.REFER):
        wanted["decision_reason"] = _("Write the reason.")
    if note.decision == Decision.REFER:
        wanted["refer_to"] = _("Write to whom.")
    if note.decision == Decision.THINK:
        wanted["think_until"] = _("Choose until when.")
    return wanted


def _is_empty(note: Consultation, field: str) -> bool:
    value = getattr(note, field)
    return not (value.strip() if isinstance(value, str) else value)


def _not_looked_at(note: Consultation) -> dict[str, str]:
    """Sections that were filled from elsewhere and stand as they came."""
    said = _("%(section)s was filled from elsewhere: change it, or say that it holds.")
    return {field_of(name): said % {"section": NAMES[name]} for name in note.origins}
