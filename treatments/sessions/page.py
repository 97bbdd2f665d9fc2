"""What the session pages show: choices, charts with their marks, waits and totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clinic.places.models import Device
from treatments.catalogue.drawings import CHART_TITLES, drawing
from treatments.catalogue.models import Anaesthetic, Area, Technique
from treatments.plans.models import Side
from treatments.sessions.charts import charts
from treatments.sessions.doses import kept, show
from treatments.sessions.editing import sides_of
from treatments.sessions.forms import SessionForms, Shelf
from treatments.sessions.models import Session, TreatedArea
from treatments.sessions.totals import Totals
from treatments.stock.shelf import lots_to_draw_from

SHAPES = 6
"""Marks differ in shape and colour; with more areas than shapes they start again."""


@dataclass(frozen=True)
class RegionView:
    """A region that may be tapped."""

    area: str
    side: str
    name: str
    path: str


@dataclass(frozen=True)
class MarkGroup:
    """The points of one area: which mark, and the corner of each in chart units."""

    shape: int
    name: str
    corners: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class ChartView:
    """A chart with what lies on it. `size` is a mark's width in chart units."""

    code: str
    title: str
    width: float
    height: float
    size: float
    drawing: SafeString
    regions: Sequence[RegionView]
    marks: Sequence[MarkGroup]


def shelf_of(session: Session, at: datetime) -> Shelf:
    """What may be chosen here and today, and what was chosen already."""
    used = list(session.treated_areas.values_list("area_id", "technique_id", "device_id"))
    drawn = list(session.mix.values_list("lot_id", flat=True))
    creams = list(session.anaesthesia.values_list("anaesthetic_id", flat=True))
    return Shelf(
        session=session,
        lots=lots_to_draw_from(session.location, at, drawn),
        creams=list(
            Anaesthetic.objects.filter(Q(is_current=True, is_topical=True) | Q(pk__in=creams))
        ),
        techniques=_named(Technique, session.consent.techniques, [row[1] for row in used]),
        areas=_named(Area, session.consent.areas, [row[0] for row in used]),
        devices=list(
            Device.objects.filter(
                Q(location=session.location, is_active=True)
                | Q(pk__in=[row[2] for row in used if row[2]])
            )
        ),
    )


def _named(model: Any, codes: Iterable[str], used: Iterable[int]) -> list[Any]:
    """The versions in use, and the current one of every other code."""
    chosen = list(model.objects.filter(pk__in=list(used)))
    others = model.objects.current().filter(code__in=codes)
    known = {row.code for row in chosen}
    return chosen + [row for row in others if row.code not in known]


def side_name(area: Area, side: str) -> str:
    """`Cheek, left`; the midline goes without saying."""
    if side == Side.NONE:
        return area.name
    return _("%(area)s, %(side)s") % {"area": area.name, "side": Side(side).label}


def new_areas(forms: SessionForms) -> list[tuple[str, str]]:
    """Choices for another area: consented, drawn on a chart, and not on the map yet."""
    taken = {(form["area"].value(), form["side"].value()) for form in forms.areas.forms}
    known = {region.area for chart in charts().values() for region in chart.regions}
    return [
        (f"{area.pk}:{side}", side_name(area, side))
        for area in forms.shelf.areas
        for side in sides_of(area)
        if area.code in known and (area.pk, side) not in taken
    ]


def charts_of(rows: Iterable[TreatedArea], shelf: Shelf | None = None) -> list[ChartView]:
    """The charts that the rows lie on, with their marks; regions to tap where a shelf is given."""
    placed = list(rows)
    codes = list(dict.fromkeys(row.chart for row in placed if row.chart in charts()))
    if shelf is not None and not codes:
        codes = [next(iter(shelf.areas[0].charts), "face-front")] if shelf.areas else []
    return [_chart_view(code, placed, shelf) for code in codes if code in charts()]


def _chart_view(code: str, rows: Sequence[TreatedArea], shelf: Shelf | None) -> ChartView:
    chart = charts()[code]
    size = mark_size(code)
    names = {area.code: area for area in shelf.areas} if shelf else {}
    width, height = chart.scale.width, chart.scale.height
    return ChartView(
        code=code,
        title=str(CHART_TITLES.get(code, code)),
        width=width,
        height=height,
        size=size,
        drawing=drawing(code),
        regions=[
            RegionView(r.area, r.side, side_name(names[r.area], r.side), r.path)
            for r in chart.regions
            if r.area in names
        ],
        marks=[
            MarkGroup(
                shape=number % SHAPES,
                name=side_name(row.area, row.side),
                corners=[
                    (round(x * width - size / 2, 2), round(y * height - size / 2, 2))
                    for x, y in row.points
                ],
            )
            for number, row in enumerate(rows)
            if row.chart == code
        ],
    )


def mark_size(code: str) -> float:
    """A mark is about 4 mm wide on a face; on larger charts it grows, so that it can be seen."""
    chart = charts()[code]
    return round(max(3.5 / chart.scale.mm_per_unit, chart.scale.width / 55), 2)


@dataclass(frozen=True)
class Wait:
    """A numbing cream that is working: since when, and when it is ready."""

    name: str
    on_at: datetime
    ready_at: datetime | None
    longest_at: datetime | None
    off_at: datetime | None
    is_short: bool


def waits_of(session: Session) -> list[Wait]:
    """Each cream with its times on the location's clock."""
    zone = session.location.zone
    found = []
    for row in session.anaesthesia.select_related("anaesthetic").order_by("pk"):
        kind: Anaesthetic = row.anaesthetic
        ready = _after(row.on_at, kind.wait_min_minutes)
        found.append(
            Wait(
                name=kind.name,
                on_at=row.on_at.astimezone(zone),
                ready_at=ready and ready.astimezone(zone),
                longest_at=_after(row.on_at, kind.wait_max_minutes),
                off_at=row.off_at and row.off_at.astimezone(zone),
                is_short=bool(row.off_at and ready and row.off_at < ready),
            )
        )
    return found


def _after(moment: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else moment + timedelta(minutes=minutes)


def totals_view(totals: Totals) -> dict[str, Any]:
    """The totals as the page shows them."""
    limit = totals.lidocaine_limit_mg
    return {
        "points": totals.points,
        "drawn": show(totals.drawn_ml),
        "injected": show(totals.injected_ml),
        "left": show(totals.left_ml),
        "amounts": [
            {"name": a.name, "unit": a.unit, "per_ml": kept(a.per_ml), "injected": kept(a.injected)}
            for a in totals.amounts
        ],
        "lidocaine": Decimal(show(totals.lidocaine_mg)),
        "limit": None if limit is None else Decimal(show(limit)),
        "amber": None if limit is None else Decimal(show(limit * Decimal("0.8"))),
        "weight": totals.weight_kg and show(totals.weight_kg),
        "refusals": totals.refusals,
        "warnings": totals.warnings,
    }
