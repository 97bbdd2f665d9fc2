"""What a syringe's label says, from its rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from treatments.mixes.contents import Component, Held, Strength, contents, drawn_ml
from treatments.mixes.models import Syringe


@dataclass(frozen=True)
class Label:
    """mL in all, each substance with its strength, and the lots it came from."""

    ml: Decimal
    held: list[Held]
    lots: list[tuple[str, str, Decimal]]


def label_of(syringe: Syringe) -> Label:
    """Read from the rows in a number of queries that does not grow with them."""
    parts = list(
        syringe.components.select_related("lot__product").prefetch_related(
            "lot__product__ingredients__substance"
        )
    )
    components = [
        Component(
            name=part.lot.product.name,
            ml=part.ml,
            strengths=tuple(
                Strength(i.substance.code, i.substance.name, i.per_ml, i.unit)
                for i in part.lot.product.ingredients.all()
            ),
        )
        for part in parts
    ]
    return Label(
        ml=drawn_ml(components),
        held=contents(components),
        lots=[(part.lot.product.name, part.lot.number, part.ml) for part in parts],
    )
