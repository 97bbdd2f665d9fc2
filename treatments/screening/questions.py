"""What the intake questionnaire asks: the contraindications in force, in the patient's words."""

from __future__ import annotations

from patients.intake.questions import Question
from treatments.catalogue.models import Contraindication


def asked() -> list[Question]:
    """The questions in order. The code of an allergy is `allergy-` and the allergen."""
    rows = Contraindication.objects.filter(is_current=True, is_asked=True)
    return [
        Question(row.code, row.kind, row.question_en, row.question_fr, row.position)
        for row in rows.order_by("position", "code")
    ]
