"""What a new plan's page starts with: a published course, an earlier plan, a note, or nothing."""

from __future__ import annotations

from typing import Any

from treatments.catalogue.models import Protocol
from treatments.consultations.models import Consultation
from treatments.plans.models import Phase, Plan, StopRule

AREA_FIELDS = (
    "side",
    "depth_mm",
    "spacing_mm",
    "ml_per_point",
    "points",
    "needle_gauge",
    "needle_mm",
    "syringe",
)
MIX_FIELDS = ("ml", "from_session", "to_session", "syringe")
PHASE_FIELDS = ("kind", "sessions", "gap_min_days", "gap_max_days")
STOP_FIELDS = ("kind", "after_sessions", "scale", "least_percent", "words")
USUAL_STOPS = [{"kind": StopRule.Kind.ADVERSE}, {"kind": StopRule.Kind.WISH}]
"""What every new plan begins with. After how many sessions without effect to stop is the
clinician's figure: no source gives one."""


def from_plan(plan: Plan) -> dict[str, Any]:
    """Everything of a stored plan, as the forms show it."""
    return {
        "head": {
            "revision": plan.revision,
            "indication": plan.indication,
            "also_for": plan.also_for,
            "title": plan.title,
        },
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
                **{name: getattr(line, name) for name in MIX_FIELDS},
            }
            for line in plan.mix.select_related("product")
        ],
        "phases": [
            {name: getattr(phase, name) for name in PHASE_FIELDS} for phase in plan.phases.all()
        ],
        "stops": [
            {name: getattr(rule, name) for name in STOP_FIELDS} for rule in plan.stop_rules.all()
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
    """The indications and the areas that the note names."""
    return {
        "head": {
            "indication": next(iter(note.indications), ""),
            "also_for": note.indications[1:],
        },
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
    known = {"stops": USUAL_STOPS, **(from_note(note) if note else {})}
    if protocol is not None:
        others = [code for code in note.indications if code != protocol.indication] if note else []
        known |= from_protocol(protocol)
        known["head"]["also_for"] = others
    return known
