"""The ten questions of the skin type, as the catalogue words them, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language

from treatments.catalogue.models import Scale
from treatments.consultations.fitzpatrick import computed_type

SCALE = "fitzpatrick"


@dataclass(frozen=True)
class Question:
    """One item: its code, its words, and its answers as (points, words)."""

    code: str
    text: str
    answers: tuple[tuple[int, str], ...]


def current_scale() -> Scale | None:
    """The scale in force; None where the catalogue has none."""
    found: Scale | None = Scale.objects.current().filter(code=SCALE).first()
    return found


def questions_of(scale: Scale | None) -> list[Question]:
    """The items of the scale in the language in force."""
    return [_question(item) for item in scale.items] if scale else []


def _question(item: Mapping[str, Any]) -> Question:
    return Question(
        code=str(item["code"]),
        text=_said(item, "text"),
        answers=tuple((int(one["value"]), _said(one, "label")) for one in item["options"]),
    )


def _said(words: Mapping[str, Any], kind: str) -> str:
    language = (get_language() or "en")[:2]
    return str(words.get(f"{kind}_{language}") or words[f"{kind}_en"])


def kept_answers(scale: Scale | None, answers: Mapping[str, int]) -> dict[str, Any] | None:
    """What the note keeps of the questionnaire: answers, version, total and computed type."""
    if scale is None or not answers:
        return None
    return {
        "scale": scale.code,
        "version": scale.version,
        "answers": dict(answers),
        "total": sum(answers.values()),
        "computed": computed_type(answers),
    }
