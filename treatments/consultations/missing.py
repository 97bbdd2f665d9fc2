"""What a consultation note still lacks before it can be signed."""

from __future__ import annotations

from django.utils.translation import gettext as _

from treatments.consultations.models import Consultation


def missing_parts(note: Consultation) -> dict[str, str]:
    """Field -> what to write there. Empty when the note is complete.

    A patient who is not treated needs no areas, and no alternatives to a treatment.
    """
    wanted = {
        "concern": _("Write what the patient wants, in their words."),
        "examination": _("Write what you found."),
        "fitzpatrick": _("Choose the skin type."),
        "discussion": _("Write what was explained."),
        "decision": _("Choose the decision."),
    }
    if note.decision == Consultation.Decision.SUITABLE:
        wanted["indications"] = _("Choose at least one indication.")
        wanted["areas"] = _("Choose at least one area.")
        wanted["alternatives"] = _("Write which alternatives were discussed, doing nothing too.")
    return {field: message for field, message in wanted.items() if _is_empty(note, field)}


def _is_empty(note: Consultation, field: str) -> bool:
    value = getattr(note, field)
    return not (value.strip() if isinstance(value, str) else value)
