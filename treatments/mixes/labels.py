"""What a syringe's label says, from its rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from treatments.mixes.contents import Component, Strength, contents, drawn_ml
from treatments.mixes.models import Syringe


@dataclass(frozen=True)
class Label:
    """mL in all; each substance with its amount, that in one mL, and its unit; the lots."""

    ml: Decimal
    held: list[tuple[str, Decimal, Decimal, str]]
    lots: list[tuple[str, str, Decimal]]


THOUSANDTH = Decimal("0.001")


def _shown(value: Decimal) -> Decimal:
    """To the thousandth, as far as a syringe can be read; smaller ones as they are."""
    return value if 0 < value < THOUSANDTH else value.quantize(THOUSANDTH)


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
        held=[
            (one.name, _shown(one.mass), _shown(one.per_ml), one.unit)
            for one in contents(components)
        ],
        lots=[(part.lot.product.name, part.lot.number, part.ml) for part in parts],
    )
