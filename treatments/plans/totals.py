"""What one session of a plan comes to: mL drawn, mL injected, mg or units of each substance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

TOLERANCE = Decimal("0.05")
"""Injected and drawn volume may differ by 5 % before anyone is told."""

THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True)
class Strength:
    """A substance in a product, in `unit` (mg or U) per mL."""

    code: str
    name: str
    per_ml: Decimal
    unit: str


@dataclass(frozen=True)
class Drawn:
    """mL of one product drawn for a session, with what it holds."""

    product: str
    ml: Decimal
    strengths: tuple[Strength, ...] = ()


@dataclass(frozen=True)
class Given:
    """One area: points in all and mL per point."""

    points: int
    ml_per_point: Decimal


@dataclass(frozen=True)
class Amount:
    """A substance's amount in `unit`: in what is drawn, and in what of it is injected."""

    code: str
    name: str
    drawn: Decimal
    injected: Decimal
    unit: str


@dataclass(frozen=True)
class Totals:
    """mL drawn, mL injected, and each substance in its own unit."""

    drawn_ml: Decimal
    injected_ml: Decimal
    amounts: tuple[Amount, ...]

    @property
    def agree(self) -> bool:
        """Whether what is injected is what is drawn, within the tolerance."""
        return abs(self.drawn_ml - self.injected_ml) <= self.drawn_ml * TOLERANCE


def session_totals(mix: Sequence[Drawn], areas: Iterable[Given]) -> Totals:
    """The totals of one session.

    mg = mL x mg/mL, summed over products; the same substance in mg and in units stays two amounts,
    since units do not convert. The mix is taken as even, so the injected share of each substance
    is the injected share of the volume; nobody injects more than was drawn.
    """
    drawn_ml = sum((line.ml for line in mix), Decimal(0))
    injected_ml = sum((area.points * area.ml_per_point for area in areas), Decimal(0))
    share = min(injected_ml / drawn_ml, Decimal(1)) if drawn_ml else Decimal(0)
    sums: dict[tuple[str, str], tuple[str, Decimal]] = {}
    for line in mix:
        for strength in line.strengths:
            key = strength.code, strength.unit
            before = sums.get(key, ("", Decimal(0)))[1]
            sums[key] = strength.name, before + line.ml * strength.per_ml
    amounts = tuple(
        Amount(code, name, drawn, (drawn * share).quantize(THOUSANDTH), unit)
        for (code, unit), (name, drawn) in sums.items()
    )
    return Totals(drawn_ml, injected_ml, amounts)
