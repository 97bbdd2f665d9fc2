"""The shape of a plan before it is stored: what a form gives and an action takes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from treatments.catalogue.models import Area, Product, Technique
from treatments.plans.models import FIRST_SYRINGE, Phase, Side


@dataclass(frozen=True)
class AreaSpec:
    """One area: depth and spacing in mm, mL per point, points in all (both sides together)."""

    area: Area
    technique: Technique
    depth_mm: Decimal
    ml_per_point: Decimal
    points: int
    side: str = Side.NONE
    spacing_mm: Decimal | None = None
    needle_gauge: int | None = None
    needle_mm: Decimal | None = None
    syringe: str = FIRST_SYRINGE


@dataclass(frozen=True)
class MixSpec:
    """A product in mL per session, from one session to another; no end means to the last."""

    product: Product
    ml: Decimal
    from_session: int = 1
    to_session: int | None = None
    syringe: str = FIRST_SYRINGE


@dataclass(frozen=True)
class PhaseSpec:
    """So many sessions, each at least and at most so many days after the one before."""

    sessions: int
    gap_min_days: int
    gap_max_days: int
    kind: str = Phase.Kind.INDUCTION


@dataclass(frozen=True)
class StopSpec:
    """When the course ends early; the count belongs to "no effect", the percent to a scale."""

    kind: str
    after_sessions: int | None = None
    scale: str = ""
    least_percent: int | None = None
    words: str = ""
