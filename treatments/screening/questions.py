"""What the intake questionnaire asks: the contraindications in force, in the patient's words."""

from __future__ import annotations

from typing import Any

from treatments.catalogue.models import Contraindication


def asked() -> list[dict[str, Any]]:
    """The questions in order. `kind`: condition, event, medicine or allergy.

    `name_en` and `name_fr` are the short names for staff; the code of an allergy is `allergy-`
    and the allergen.
    """
    rows = Contraindication.objects.filter(is_current=True, is_asked=True)
    return [
        {
            "code": row.code,
            "kind": row.kind,
            "text_en": row.question_en,
            "text_fr": row.question_fr,
            "name_en": row.name_en,
            "name_fr": row.name_fr,
            "position": row.position,
        }
        for row in rows.order_by("position", "code")
    ]
