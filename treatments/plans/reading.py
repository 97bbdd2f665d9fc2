"""A plan as a person reads it, with what is known for and against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from treatments.catalogue.models import Protocol
from treatments.consultations.indications import indication_name
from treatments.plans.models import Plan
from treatments.screening.actions import screen_patient
from treatments.screening.engine import Proposal, Verdict


@dataclass(frozen=True)
class Evidence:
    """One published course: what it found, also when that was nothing, and where it stands."""

    name: str
    result: str
    is_negative: bool
    source: str
    note: str


def shown_parts(plan: Plan) -> dict[str, Any]:
    """Areas, mix and phases with everything their tables name."""
    return {
        "indication": indication_name(plan.indication),
        "areas": plan.areas.select_related("area", "technique"),
        "mix": plan.mix.select_related("product"),
        "phases": plan.phases.all(),
    }


def evidence_for(plan: Plan) -> list[Evidence]:
    """Every published course for the same indication, those that failed too; the chosen first."""
    rows = Protocol.objects.current().filter(indication=plan.indication)
    chosen = plan.protocol.code if plan.protocol else ""
    return [
        Evidence(
            row.name,
            row.said("result"),
            row.is_negative,
            ", ".join(row.source_refs),
            row.source_note,
        )
        for row in sorted(rows, key=lambda row: row.code != chosen)
    ]


def proposal_of(plan: Plan) -> Proposal:
    """What the plan would give, as screening asks for it."""
    areas = list(plan.areas.select_related("area", "technique"))
    mix = plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
    return Proposal(
        substances=sorted(
            {part.substance.code for line in mix for part in line.product.ingredients.all()}
        ),
        products=sorted({line.product.code for line in mix}),
        techniques=sorted({part.technique.code for part in areas}),
        areas=sorted({part.area.code for part in areas}),
        uses_current=any(part.technique.uses_current for part in areas),
        country=plan.location.country_id,
    )


def screen_plan(plan: Plan, at: datetime) -> list[Verdict]:
    """What the patient's history says about this plan."""
    return screen_patient(
        patient=plan.patient, proposal=proposal_of(plan), at=at, zone=plan.location.zone
    )
