"""What a new session holds before anyone touches it: the plan's part, or the last session's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from treatments.mixes.contents import FIRST
from treatments.mixes.models import Syringe
from treatments.sessions.charts import chart_of
from treatments.sessions.models import MixComponent, Session, TreatedArea
from treatments.stock.shelf import choosable

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


def pour(session: Session, label: str, planned: Mapping[str, Decimal], at: datetime) -> Syringe:
    """A syringe with so many mL of each product (by code), still to be prepared.

    Each from the lot that is over first and holds enough; a product without one is left out.
    """
    syringe = Syringe.objects.create(session=session, label=label)
    shelf = choosable(session.location, at)
    for code, ml in planned.items():
        lot = shelf.filter(product__code=code, free_ml__gte=ml).first()
        if lot is not None:
            MixComponent.objects.create(session=session, syringe=syringe, lot=lot, ml=ml)
    return syringe


def lay_out_planned_areas(session: Session) -> None:
    """The planned areas with their figures; the points are placed by hand."""
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
