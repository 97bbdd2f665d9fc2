"""What a new plan's page starts with: a published course, an earlier plan, a note, or nothing."""

from __future__ import annotations

from typing import Any

from treatments.catalogue.models import Protocol
from treatments.consultations.models import Consultation
from treatments.plans.models import Phase, Plan

AREA_FIELDS = (
    "side",
    "depth_mm",
    "spacing_mm",
    "ml_per_point",
    "points",
    "needle_gauge",
    "needle_mm",
)
PHASE_FIELDS = ("kind", "sessions", "gap_min_days", "gap_max_days")


def from_plan(plan: Plan) -> dict[str, Any]:
    """Everything of a stored plan, as the forms show it."""
    return {
        "head": {"revision": plan.revision, "indication": plan.indication, "title": plan.title},
        "areas": [
            {
                "area": part.area.code,
                "technique": part.technique.code,
                **{name: getattr(part, name) for name in AREA_FIELDS},
            }
            for part in plan.areas.select_related("area", "technique")
        ],
        "mix": [
            {
                "product": line.product.code,
                "ml": line.ml,
                "from_session": line.from_session,
                "to_session": line.to_session,
            }
            for line in plan.mix.select_related("product")
        ],
        "phases": [
            {name: getattr(phase, name) for name in PHASE_FIELDS} for phase in plan.phases.all()
        ],
    }


def from_protocol(protocol: Protocol) -> dict[str, Any]:
    """The sessions and intervals of a published course; areas and mix are the clinician's."""
    return {
        "head": {"indication": protocol.indication, "title": protocol.name},
        "phases": [_phase(phase) for phase in protocol.phases],
    }


def _phase(phase: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": phase.get("kind", Phase.Kind.INDUCTION),
        "sessions": phase.get("sessions"),
        "gap_min_days": phase.get("gap_min_days"),
        "gap_max_days": phase.get("gap_max_days") or phase.get("gap_min_days"),
    }


def from_note(note: Consultation) -> dict[str, Any]:
    """The indication and the areas that the note names."""
    return {
        "head": {"indication": next(iter(note.indications), "")},
        "areas": [{"area": code} for code in note.areas],
    }


def starting_point(
    *, note: Consultation | None, protocol: Protocol | None, earlier: Plan | None
) -> dict[str, Any]:
    """The fullest of what is given; a protocol's phases go with a note's areas."""
    if earlier is not None:
        found = from_plan(earlier)
        found["head"]["revision"] = 0
        return found
    known = from_note(note) if note else {}
    if protocol is not None:
        known = {**known, **from_protocol(protocol)}
    return known
