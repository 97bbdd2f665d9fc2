"""What a new session holds before anyone touches it: the plan's part, or the last session's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from treatments.catalogue.models import Product
from treatments.mixes.contents import FIRST
from treatments.mixes.models import Syringe
from treatments.plans.course import shares_of
from treatments.plans.models import MixLine
from treatments.sessions.charts import chart_of
from treatments.sessions.models import MixComponent, Session, TreatedArea
from treatments.sessions.parts import Parts
from treatments.stock.shelf import available_by_product, choosable

COPIED = (
    "area",
    "side",
    "chart",
    "technique",
    "method",
    "device",
    "modality",
    "programme",
    "minutes",
    "settings",
    "depth_mm",
    "spacing_mm",
    "margin_mm",
    "is_staggered",
    "needle_gauge",
    "needle_mm",
    "ml_per_point",
    "extra_ml",
    "points",
)


@dataclass(frozen=True)
class LeftOut:
    """A planned product that is not in the draft: mL planned, and what of it may be used here."""

    product: Product
    ml: Decimal
    there: Decimal


def planned_mix(session: Session) -> dict[str, dict[str, Decimal]]:
    """The planned mL of each product (by code) in each syringe (by letter) of this session."""
    lines: list[MixLine] = shares_of(session.plan.mix.select_related("product"), session.number)
    planned: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in lines:
        planned[line.syringe][line.product.code] += line.ml
    return planned


def left_out(parts: Parts, at: datetime) -> list[LeftOut]:
    """What the plan names and nobody has drawn, so that it is not missed; each product once."""
    session = parts.session
    lines: list[MixLine] = shares_of(session.plan.mix.select_related("product"), session.number)
    drawn = {part.lot.product.code for part in parts.mix}
    missing = {line.product.code: line.product for line in lines if line.product.code not in drawn}
    if not missing:
        return []
    there = available_by_product(session.location, at)
    return [
        LeftOut(
            product,
            sum((line.ml for line in lines if line.product.code == code), Decimal(0)),
            there.get(code, Decimal(0)),
        )
        for code, product in missing.items()
    ]


def pour(session: Session, label: str, planned: Mapping[str, Decimal], at: datetime) -> Syringe:
    """A syringe with so many mL of each product (by code), still to be prepared.

    Each from the lot that is over first and holds enough; a product without one is left out, and
    the page says so (`left_out`).
    """
    syringe = Syringe.objects.create(session=session, label=label)
    shelf = choosable(session.location, at)
    for code, ml in planned.items():
        lot = shelf.filter(product__code=code, free_ml__gte=ml).first()
        if lot is not None:
            MixComponent.objects.create(session=session, syringe=syringe, lot=lot, ml=ml)
    return syringe


def lay_out_planned_areas(session: Session, tray: Mapping[str, Syringe]) -> None:
    """The planned areas with their figures; the points are placed by hand.

    With several syringes each area names the one it is treated from.
    """
    for part in session.plan.areas.select_related("area", "technique"):
        TreatedArea.objects.create(
            session=session,
            area=part.area,
            side=part.side,
            chart=chart_of(part.area.code, part.side, list(part.area.charts)),
            technique=part.technique,
            depth_mm=part.depth_mm,
            spacing_mm=part.spacing_mm,
            needle_gauge=part.needle_gauge,
            needle_mm=part.needle_mm,
            ml_per_point=part.ml_per_point,
            syringe=tray.get(part.syringe) if len(tray) > 1 else None,
        )


def copy_into(session: Session, last: Session, at: datetime) -> None:
    """The map, mix, needles and antiseptic of an earlier session; what was done then is meant now.

    Only areas and techniques that the consent names. Lots are chosen anew: the old one may be gone.
    """
    tray = _copy_syringes(session, last, at)
    consent = session.consent
    for row in last.treated_areas.select_related("area", "technique", "syringe", "device"):
        if row.area.code not in consent.areas or row.technique.code not in consent.techniques:
            continue
        values = {name: getattr(row, name) for name in COPIED}
        if row.device is not None and (
            not row.device.is_active or row.device.location_id != session.location_id
        ):
            values["device"] = None
        label = row.syringe.label if row.syringe else ""
        TreatedArea.objects.create(
            session=session, syringe=tray.get(label), intended=row.points, **values
        )
    session.antiseptic = last.antiseptic
    session.soothing = last.soothing
    session.save()


def _copy_syringes(session: Session, last: Session, at: datetime) -> dict[str, Syringe]:
    drawn: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for part in last.mix.select_related("syringe", "lot__product"):
        label = part.syringe.label if part.syringe else FIRST
        drawn[label][part.lot.product.code] += part.ml
    return {label: pour(session, label, drawn[label], at) for label in sorted(drawn)}
