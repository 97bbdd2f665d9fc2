"""A plan as a person reads it, with what is known for and against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from treatments.catalogue.models import Protocol, RiskLine
from treatments.catalogue.sources import Citations, Reference
from treatments.consultations.indications import indication_name
from treatments.plans.course import shares_of, total
from treatments.plans.models import MixLine, Plan
from treatments.screening.actions import screen_patient
from treatments.screening.engine import Proposal, Verdict


@dataclass(frozen=True)
class Evidence:
    """One published course: what it found, also when that was nothing, and where it stands.

    `is_verified`: a clinician of this clinic has taken responsibility for the row.
    """

    code: str
    name: str
    indication: str
    details: str
    result: str
    is_negative: bool
    is_chosen: bool
    is_verified: bool
    sources: Sequence[Reference]


def shown_parts(plan: Plan) -> dict[str, Any]:
    """Areas, mix and phases with everything their tables name."""
    mix = list(plan.mix.select_related("product"))
    areas = list(plan.areas.select_related("area", "technique"))
    return {
        "indications": [indication_name(code) for code in plan.indications],
        "areas": areas,
        "mix": mix,
        "phases": plan.phases.all(),
        "has_syringes": len({p.syringe for p in areas} | {line.syringe for line in mix}) > 1,
    }


def evidence_on(indications: Iterable[str], chosen: str = "") -> list[Evidence]:
    """Every published course for these indications, those that failed too: the chosen one first,
    then of each indication what found no benefit, so that it is not read last. Two queries."""
    rows = list(Protocol.objects.current().filter(indication__in=list(indications)))
    citations = Citations.of(rows)
    return [
        Evidence(
            code=row.code,
            name=row.name,
            indication=indication_name(row.indication),
            details=row.said("details"),
            result=row.said("result"),
            is_negative=row.is_negative,
            is_chosen=row.code == chosen,
            is_verified=row.is_approved,
            sources=citations.resolve(row.source_refs),
        )
        for row in sorted(rows, key=lambda row: _order(row, chosen))
    ]


def _order(row: Protocol, chosen: str) -> tuple[bool, str, bool]:
    return row.code != chosen, indication_name(row.indication), not row.is_negative


def authority_on(country: str) -> list[tuple[str, str]]:
    """What a country's health authority says of the method itself, and where; the consent prints
    it too."""
    rows = RiskLine.objects.current().filter(applies_to=f"country:{country}")
    return [(row.said("text"), ", ".join(row.source_refs)) for row in rows]


def evidence_for(plan: Plan) -> list[Evidence]:
    """What is published on everything that a plan is for."""
    return evidence_on(plan.indications, plan.protocol.code if plan.protocol else "")


def proposal_of(plan: Plan) -> Proposal:
    """What the plan would give, as screening asks for it."""
    areas = list(plan.areas.select_related("area", "technique"))
    mix = list(
        plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
    )
    return Proposal(
        substances=sorted(
            {part.substance.code for line in mix for part in line.product.ingredients.all()}
        ),
        products=sorted({line.product.code for line in mix}),
        techniques=sorted({part.technique.code for part in areas}),
        areas=sorted({part.area.code for part in areas}),
        uses_current=any(part.technique.uses_current for part in areas),
        country=plan.location.country_id,
        mixtures=mixtures_of(mix, range(1, total(plan.phases.all()) + 1)),
    )


def mixtures_of(mix: Iterable[MixLine], sessions: Iterable[int]) -> list[tuple[str, ...]]:
    """The products that come into one syringe together in any of these sessions, by code."""
    lines = list(mix)
    found: set[tuple[str, ...]] = set()
    for number in sessions:
        held: dict[str, set[str]] = {}
        for line in shares_of(lines, number):
            held.setdefault(line.syringe, set()).add(line.product.code)
        found |= {tuple(sorted(codes)) for codes in held.values()}
    return sorted(found)


def screen_plan(plan: Plan, at: datetime) -> list[Verdict]:
    """What the patient's history says about this plan."""
    return screen_patient(
        patient=plan.patient, proposal=proposal_of(plan), at=at, zone=plan.location.zone
    )
