"""What the intake questionnaire asks: the contraindications in force, in the patient's words."""

from __future__ import annotations

from patients.intake.bddq import BDDQ_ITEMS
from patients.intake.questions import BDDQ, Question
from treatments.catalogue.models import Contraindication, Scale

BDDQ_SCALE = "bddq-as"


def asked() -> list[Question]:
    """The questions in order. The code of an allergy is `allergy-` and the allergen."""
    rows = Contraindication.objects.filter(is_current=True, is_asked=True)
    return [_question(row) for row in rows.order_by("position", "code")] + bddq_items()


def _question(row: Contraindication) -> Question:
    return Question(
        code=row.code,
        kind=row.kind,
        text_en=row.question_en,
        text_fr=row.question_fr,
        position=row.position,
        name_en=row.name_en,
        name_fr=row.name_fr,
        topic=row.topic,
        detail=row.detail,
        asked_if=tuple(row.asked_if),
    )


def bddq_items() -> list[Question]:
    """The seven items of the BDDQ-AS, where the clinic has entered its own copy; else none."""
    scale = Scale.objects.current().filter(code=BDDQ_SCALE).first()
    items = scale.items if scale else []
    if len(items) != BDDQ_ITEMS:
        return []
    return [
        Question(f"bddq-{number}", BDDQ, item["text_en"], item["text_fr"], 10_000 + number)
        for number, item in enumerate(items, start=1)
    ]
