"""What a person enters in each section of a session, before it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from clinic.places.models import Device
from treatments.catalogue.models import Anaesthetic, Area, Lot, Modality, Technique
from treatments.mixes.contents import FIRST
from treatments.plans.models import Side
from treatments.sessions.models import TreatedArea

NONE_SEEN = "none"
"""What `adverse_events` holds when it was said that there were none."""


@dataclass(frozen=True)
class Preparation:
    """Before the needle. `unchanged`: the patient was asked whether anything changed.

    `identity`: name and birth date were asked for; `photos`: one of `Session.Photos`.
    """

    antiseptic: str = ""
    cleansed_at: datetime | None = None
    weight_kg: Decimal | None = None
    unchanged: bool = False
    identity: bool = False
    photos: str = ""


@dataclass(frozen=True)
class CreamEntry:
    """A numbing cream: g, cm², and when it went on and came off; from which tube."""

    anaesthetic: Anaesthetic
    grams: Decimal
    area_cm2: Decimal
    on_at: datetime
    off_at: datetime | None = None
    lot: Lot | None = None


@dataclass(frozen=True)
class MixEntry:
    """mL drawn from a lot into a syringe, named by its label."""

    lot: Lot
    ml: Decimal
    syringe: str = FIRST


@dataclass(frozen=True)
class SyringeEntry:
    """How a syringe was made up. `discarded_ml`: what was left in it and thrown away."""

    label: str
    prepared_at: datetime | None = None
    appearance: str = ""
    pharmacy: str = ""
    discarded_ml: Decimal | None = None


@dataclass(frozen=True)
class AreaEntry:
    """An area's points (fractions of its chart) and how they were given.

    `syringe`: a label; empty for the only one, or where nothing is injected.
    """

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
    intended: Sequence[tuple[float, float]] = ()
    syringe: str = ""
    modality: Modality | None = None
    programme: str = ""
    minutes: Decimal | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """After the needle. `adverse_events`: empty means not said yet, `none` means none.

    `discarded_ml` is of the only syringe; with several, each syringe's entry says its own.
    """

    observation: str = ""
    adverse_events: str = ""
    soothing: str = ""
    discarded_ml: Decimal | None = None
    pulse_bpm: int | None = None
    systolic_mmhg: int | None = None
    diastolic_mmhg: int | None = None
    needles_changed: int | None = None
    released_at: datetime | None = None
    next_due_on: date | None = None


@dataclass(frozen=True)
class Sections:
    """A page of them; None for a section that cannot be stored as it is."""

    preparation: Preparation | None = None
    creams: Sequence[CreamEntry] | None = None
    mix: Sequence[MixEntry] | None = None
    syringes: Sequence[SyringeEntry] | None = None
    areas: Sequence[AreaEntry] | None = None
    observation: Observation | None = None


@dataclass(frozen=True)
class Attempt:
    """What a page calls this save, and its earlier ones that no answer came for."""

    name: str = ""
    unanswered: Sequence[str] = ()
