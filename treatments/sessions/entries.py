"""What a person enters in each section of a session, before it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clinic.places.models import Device
from treatments.catalogue.models import Anaesthetic, Area, Lot, Technique
from treatments.plans.models import Side
from treatments.sessions.models import TreatedArea

NONE_SEEN = "none"
"""What `adverse_events` holds when it was said that there were none."""


@dataclass(frozen=True)
class Preparation:
    """Before the needle. `unchanged`: the patient was asked whether anything changed."""

    antiseptic: str = ""
    cleansed_at: datetime | None = None
    weight_kg: Decimal | None = None
    unchanged: bool = False


@dataclass(frozen=True)
class CreamEntry:
    """A numbing cream: g, cm², and when it went on and came off."""

    anaesthetic: Anaesthetic
    grams: Decimal
    area_cm2: Decimal
    on_at: datetime
    off_at: datetime | None = None


@dataclass(frozen=True)
class MixEntry:
    """mL drawn from a lot."""

    lot: Lot
    ml: Decimal


@dataclass(frozen=True)
class AreaEntry:
    """An area's points (fractions of its chart) and how they were given."""

    area: Area
    technique: Technique
    depth_mm: Decimal
    ml_per_point: Decimal
    chart: str
    side: str = Side.NONE
    points: Sequence[tuple[float, float]] = ()
    method: str = TreatedArea.Method.HAND
    device: Device | None = None
    spacing_mm: Decimal | None = None
    margin_mm: Decimal | None = None
    is_staggered: bool = False
    needle_gauge: int | None = None
    needle_mm: Decimal | None = None
    extra_ml: Decimal = Decimal(0)


@dataclass(frozen=True)
class Observation:
    """After the needle. `adverse_events`: empty means not said yet, `none` means none."""

    observation: str = ""
    adverse_events: str = ""
    soothing: str = ""
    discarded_ml: Decimal | None = None


@dataclass(frozen=True)
class Sections:
    """A page of them; None for a section that cannot be stored as it is."""

    preparation: Preparation | None = None
    creams: Sequence[CreamEntry] | None = None
    mix: Sequence[MixEntry] | None = None
    areas: Sequence[AreaEntry] | None = None
    observation: Observation | None = None
