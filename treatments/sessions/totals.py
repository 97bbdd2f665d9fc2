"""What a session comes to, for the page while it is open and for the record when it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from treatments.sessions import doses
from treatments.sessions.doses import Amount, Finding, Given, kept
from treatments.sessions.words import sentence


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
        }


def totals_of(given: Given) -> Totals:
    """Everything that is computed from what was entered."""
    return Totals(
        points=sum(injection.points for injection in given.injections),
        drawn_ml=doses.drawn_ml(given.components),
        injected_ml=doses.injected_ml(given.injections),
        discarded_ml=given.discarded_ml,
        amounts=tuple(doses.amounts(given.components, given.injections)),
        lidocaine_mg=doses.lidocaine_total_mg(given),
        lidocaine_limit_mg=doses.lidocaine_limit_mg(given),
        weight_kg=given.weight_kg,
        findings=tuple(doses.check(given)),
    )
