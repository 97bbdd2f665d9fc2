"""A note as a person reads it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from treatments.catalogue.models import Area
from treatments.consultations.forms import SKIN_TYPES
from treatments.consultations.indications import indication_name
from treatments.consultations.models import Consultation

TYPES: dict[int, str | Promise] = dict(SKIN_TYPES)


def note_facts(note: Consultation) -> list[tuple[str, str]]:
    """Label and words of each part of the note, in order; empty parts stay in, empty."""
    areas = Area.objects.current().filter(code__in=note.areas)
    return [
        (_("Concern, in the patient's words"), note.concern),
        (_("Indications"), ", ".join(indication_name(code) for code in note.indications)),
        (_("Areas"), ", ".join(area.name for area in areas)),
        (_("Examination"), note.examination),
        (_("Skin type (Fitzpatrick)"), skin_type_words(note)),
        (_("What was explained"), note.discussion),
        (_("Alternatives discussed"), note.alternatives),
        (_("Decision"), note.get_decision_display()),
    ]


def skin_type_words(note: Consultation) -> str:
    """The clinician's type, and what the ten questions gave where they were asked."""
    words = str(TYPES.get(note.fitzpatrick or 0, ""))
    answers = note.fitzpatrick_answers or {}
    computed = answers.get("computed")
    if computed is None:
        return words
    given = _("the ten questions gave %(points)s points, type %(type)s")
    said = given % {"points": answers["total"], "type": Consultation.Fitzpatrick(computed).label}
    return f"{words} ({said})" if words else said
