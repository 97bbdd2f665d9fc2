"""The ten questions of the skin type, as the catalogue words them, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from treatments.catalogue.models import Scale
from treatments.consultations.fitzpatrick import QUESTIONS, computed_type, said_types
from treatments.consultations.models import Consultation
from treatments.scales.reading import spoken

SCALE, OTHER_SCALE = "fitzpatrick", "fitzpatrick-a"
"""Version B, which is used, and version A, which is shown beside it (DOMAIN.md section 7)."""


@dataclass(frozen=True)
class Question:
    """One item: its code, its words, and its answers as (points, words)."""

    code: str
    text: str
    answers: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class SkinScales:
    """The questionnaire in use, and the other way to read the same points; None where not there."""

    used: Scale | None
    other: Scale | None


def current_scales() -> SkinScales:
    """Both in force; one query."""
    found = Scale.objects.in_force((SCALE, OTHER_SCALE))
    return SkinScales(found.get(SCALE), found.get(OTHER_SCALE))


def questions_of(scale: Scale | None) -> list[Question]:
    """The items of the scale in the language in force."""
    return [_question(item) for item in scale.items] if scale else []


def _question(item: Mapping[str, Any]) -> Question:
    return Question(
        code=str(item["code"]),
        text=spoken(item, "text"),
        answers=tuple((int(one["value"]), spoken(one, "label")) for one in item["options"]),
    )


def kept_answers(scales: SkinScales, answers: Mapping[str, int]) -> dict[str, Any] | None:
    """What the note keeps of the questionnaire: answers, versions, total, and what each says."""
    used, other = scales.used, scales.other
    if used is None or not answers:
        return None
    total = sum(answers.values())
    whole = len(answers) >= QUESTIONS
    return {
        "scale": used.code,
        "version": used.version,
        "answers": dict(answers),
        "total": total,
        "computed": computed_type(used.bands, answers),
        "other": {
            "scale": other.code,
            "version": other.version,
            "types": said_types(other.bands, total),
        }
        if other is not None and whole
        else None,
    }


def said_by_questions(note: Consultation) -> str:
    """What the ten questions gave, in both versions; empty while one is not answered."""
    answers = note.fitzpatrick_answers or {}
    computed = answers.get("computed")
    if computed is None:
        return ""
    said = _("the ten questions gave %(points)s points, type %(type)s") % {
        "points": answers["total"],
        "type": Consultation.Fitzpatrick(computed).label,
    }
    other = (answers.get("other") or {}).get("types", [])
    if other and other != [Consultation.Fitzpatrick(computed).label]:
        said += _("; by version A of the questionnaire %(types)s") % {
            "types": _(" or ").join(other)
        }
    return said
