"""What a session comes to, for the page while it is open and for the record when it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from treatments.mixes.contents import Held, by_syringe, contents, drawn_ml, holds
from treatments.sessions import doses
from treatments.sessions.doses import Amount, Balance, Finding, Given, kept
from treatments.sessions.words import sentence


@dataclass(frozen=True)
class SyringeTotal:
    """One syringe: what it holds, and what became of it in mL."""

    balance: Balance
    held: tuple[Held, ...]
    products: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.balance.label

    def as_data(self) -> dict[str, Any]:
        """For the record."""
        return {
            "label": self.label,
            "drawn_ml": kept(self.balance.drawn),
            "injected_ml": kept(self.balance.injected),
            "discarded_ml": kept(self.balance.discarded or Decimal(0)),
            "held": [
                {
                    "code": one.substance,
                    "name": one.name,
                    "unit": one.unit,
                    "mass": kept(one.mass),
                    "per_ml": kept(one.per_ml),
                }
                for one in self.held
            ],
        }


@dataclass(frozen=True)
class LabelLimit:
    """What a label allows of a substance in one session, and the syringes that hold it."""

    name: str
    max_ml: Decimal | None
    max_points: int | None
    syringes: tuple[str, ...]


@dataclass(frozen=True)
class Totals:
    """Volumes in mL, amounts in their unit, lidocaine of all routes and its limit in mg."""

    points: int
    drawn_ml: Decimal
    injected_ml: Decimal
    discarded_ml: Decimal | None
    amounts: tuple[Amount, ...]
    lidocaine_mg: Decimal
    lidocaine_limit_mg: Decimal | None
    weight_kg: Decimal | None
    findings: tuple[Finding, ...]
    syringes: tuple[SyringeTotal, ...] = ()
    topical_mg: Decimal = Decimal(0)
    label_limits: tuple[LabelLimit, ...] = ()

    @property
    def left_ml(self) -> Decimal:
        """What is still in the syringe."""
        return self.drawn_ml - self.injected_ml

    @property
    def refusals(self) -> list[str]:
        return [sentence(finding) for finding in self.findings if finding.refuses]

    @property
    def warnings(self) -> list[str]:
        return [sentence(finding) for finding in self.findings if not finding.refuses]

    def as_data(self) -> dict[str, Any]:
        """For the record: figures as text, each to the digit it was measured to."""
        return {
            "points": self.points,
            "drawn_ml": kept(self.drawn_ml),
            "injected_ml": kept(self.injected_ml),
            "discarded_ml": kept(self.discarded_ml or Decimal(0)),
            "amounts": [
                {
                    "code": a.substance,
                    "name": a.name,
                    "unit": a.unit,
                    "per_ml": kept(a.per_ml),
                    "injected": kept(a.injected),
                }
                for a in self.amounts
            ],
            "lidocaine_mg": kept(self.lidocaine_mg),
            "lidocaine_limit_mg": None
            if self.lidocaine_limit_mg is None
            else kept(self.lidocaine_limit_mg),
            "weight_kg": None if self.weight_kg is None else kept(self.weight_kg),
            "warnings": self.warnings,
            "syringes": [one.as_data() for one in self.syringes],
        }


def totals_of(given: Given) -> Totals:
    """Everything that is computed from what was entered."""
    syringes = syringe_totals(given)
    thrown = [one.balance.discarded for one in syringes if one.balance.discarded is not None]
    return Totals(
        points=sum(injection.points for injection in given.injections),
        drawn_ml=drawn_ml(given.components),
        injected_ml=doses.injected_ml(given.injections),
        discarded_ml=sum(thrown, Decimal(0)) if thrown else None,
        amounts=tuple(doses.amounts(given.components, given.injections)),
        lidocaine_mg=doses.lidocaine_total_mg(given),
        lidocaine_limit_mg=doses.lidocaine_limit_mg(given),
        weight_kg=given.weight_kg,
        findings=tuple(doses.check(given)),
        syringes=syringes,
        topical_mg=sum((cream.lidocaine_mg for cream in given.creams), Decimal(0)),
        label_limits=label_limits(given),
    )


def label_limits(given: Given) -> tuple[LabelLimit, ...]:
    """The labels' limits of what is in the syringes; for the meters beside the map."""
    filled = by_syringe(given.components)
    found = (
        LabelLimit(
            rule.name,
            rule.max_ml,
            rule.max_points,
            tuple(n for n, parts in filled.items() if any(holds(c, rule.substance) for c in parts)),
        )
        for rule in given.rules
        if rule.max_ml is not None or rule.max_points is not None
    )
    return tuple(limit for limit in found if limit.syringes)


def syringe_totals(given: Given) -> tuple[SyringeTotal, ...]:
    """Each filled syringe, in the order of the labels."""
    return tuple(
        SyringeTotal(
            balance=doses.balance_of(label, given),
            held=tuple(contents(parts)),
            products=tuple(part.name for part in parts),
        )
        for label, parts in by_syringe(given.components).items()
    )
