"""What the session pages show: choices, charts with their marks, waits and totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clinic.places.models import Device
from treatments.catalogue.drawings import CHART_TITLES, drawing
from treatments.catalogue.models import Anaesthetic, Area, Modality, Technique
from treatments.mixes.contents import Held
from treatments.mixes.models import Syringe
from treatments.plans.models import Side
from treatments.sessions.charts import charts
from treatments.sessions.doses import FACE_VOLUME_ML, Balance, kept, show
from treatments.sessions.editing import sides_of
from treatments.sessions.forms import AreaForm, SessionForms, Shelf
from treatments.sessions.grid import area_mm2
from treatments.sessions.models import Anaesthesia, Session, TreatedArea
from treatments.sessions.parts import Parts
from treatments.sessions.totals import SyringeTotal, Totals
from treatments.stock.shelf import lots_and_tubes

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
    """The points of one area: which mark, and the corner of each in chart units.

    `meant` are the centres of intended points that were not done there.
    """

    shape: int
    name: str
    corners: Sequence[tuple[float, float]]
    meant: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class ChartView:
    """A chart with what lies on it. `size` is a mark's width in chart units, `mm` what one is."""

    code: str
    title: str
    width: float
    height: float
    mm: float
    size: float
    drawing: SafeString
    regions: Sequence[RegionView]
    marks: Sequence[MarkGroup]


def shelf_of(parts: Parts, at: datetime) -> Shelf:
    """What may be chosen here and today, and what was chosen already."""
    session, used = parts.session, parts.areas
    here, creams = session.location, parts.creams
    drawn, taken = [p.lot_id for p in parts.mix], [row.lot_id for row in creams if row.lot_id]
    lots, tubes = lots_and_tubes(here, at, drawn, taken)
    return Shelf(
        parts=parts,
        lots=lots,
        tubes=tubes,
        creams=list(
            Anaesthetic.objects.filter(
                Q(is_current=True, is_topical=True)
                | Q(pk__in=[row.anaesthetic_id for row in creams])
            )
        ),
        modalities=list(Modality.objects.current()),
        techniques=_named(Technique, session.consent.techniques, [r.technique_id for r in used]),
        areas=_named(Area, session.consent.areas, [row.area_id for row in used]),
        devices=list(
            Device.objects.filter(
                Q(location=here, is_active=True)
                | Q(pk__in=[row.device_id for row in used if row.device_id])
            )
        ),
    )


def _named(model: Any, codes: Iterable[str], used: Iterable[int]) -> list[Any]:
    """The versions in use, and the current one of every other code."""
    kept = set(used)
    wanted = Q(pk__in=kept) | Q(is_current=True, code__in=list(codes))
    rows = list(model.objects.filter(wanted).order_by("code", "version"))
    known = {row.code for row in rows if row.pk in kept}
    chosen = [row for row in rows if row.pk in kept]
    return chosen + [row for row in rows if row.pk not in kept and row.code not in known]


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
        mm=chart.scale.mm_per_unit,
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
                meant=[(round(x * width, 2), round(y * height, 2)) for x, y in missed(row)],
            )
            for number, row in enumerate(rows)
            if row.chart == code
        ],
    )


def missed(row: TreatedArea) -> list[tuple[float, float]]:
    """Intended points that were not done in their place."""
    done = {tuple(point) for point in row.points}
    return [(x, y) for x, y in row.intended if (x, y) not in done]


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


def waits_of(session: Session, creams: Iterable[Anaesthesia]) -> list[Wait]:
    """Each cream with its times on the location's clock."""
    zone = session.location.zone
    found = []
    for row in creams:
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


@dataclass(frozen=True)
class Doing:
    """What one treated area comes to: points done and meant, mL, and each substance's amount."""

    points: int
    meant: int
    ml: Decimal
    cm2: Decimal | None
    amounts: Sequence[tuple[str, str, str]]


def doing_of(
    tray: Iterable[Syringe], totals: Totals, rows: Iterable[TreatedArea]
) -> dict[str, Doing]:
    """By area's id and side, from what is stored."""
    held = {one.label: one.held for one in totals.syringes}
    only = next(iter(held), "") if len(held) == 1 else ""
    labels = {row.pk: row.label for row in tray}
    found = {}
    for row in rows:
        ml = len(row.points) * row.ml_per_point + row.extra_ml
        syringe = held.get(labels.get(row.syringe_id or 0, only), ())
        found[f"{row.area_id}:{row.side}"] = Doing(
            points=len(row.points),
            meant=len(row.intended),
            ml=ml,
            cm2=size_cm2(row.chart, row.area.code, row.side),
            amounts=[(one.name, kept(one.per_ml * ml), one.unit) for one in syringe],
        )
    return found


@lru_cache(maxsize=1_000)
def size_cm2(chart: str, area: str, side: str) -> Decimal | None:
    """How large an area is drawn, in cm²; None where it is on no chart. Kept: the charts stand."""
    known = charts().get(chart)
    outlines = known.outlines_mm(area, side) if known else []
    if not outlines:
        return None
    return Decimal(str(round(sum(area_mm2(outline) for outline in outlines) / 100, 1)))


@dataclass(frozen=True)
class TrayView:
    """A syringe on the bench: its fields, its lines, and what is stored of it so far."""

    form: Any
    label: str
    lines: Sequence[Any]
    row: Syringe | None
    discard_by: datetime | None
    drawn: str
    injected: str
    left: str
    held: Sequence[dict[str, str]]


def tray_of(
    forms: SessionForms, session: Session, tray: Iterable[Syringe], totals: Totals
) -> list[TrayView]:
    """Every syringe of the page with its lines, in the order of the labels."""
    stored = {row.label: row for row in tray}
    known = {one.label: one for one in totals.syringes}
    lines: dict[str, list[Any]] = {}
    for form in forms.mix.forms:
        lines.setdefault(str(form["syringe"].value()), []).append(form)
    return [
        _tray_view(form, lines, stored, known, session.location.zone)
        for form in forms.syringes.forms
    ]


def _tray_view(
    form: Any,
    lines: dict[str, list[Any]],
    stored: dict[str, Syringe],
    known: dict[str, SyringeTotal],
    zone: tzinfo,
) -> TrayView:
    label = str(form["label"].value())
    row, total = stored.get(label), known.get(label)
    balance = total.balance if total else Balance(label, Decimal(0), Decimal(0), None)
    return TrayView(
        form=form,
        label=label,
        lines=lines.get(label, []),
        row=row,
        discard_by=row.discard_by.astimezone(zone) if row and row.discard_by else None,
        drawn=show(balance.drawn),
        injected=show(balance.injected),
        left=show(balance.left),
        held=[_held_view(one) for one in (total.held if total else ())],
    )


def _held_view(one: Held) -> dict[str, str]:
    return {
        "code": one.substance,
        "name": one.name,
        "unit": one.unit,
        "mass": kept(one.mass),
        "per_ml": kept(one.per_ml),
    }


def syringes_read(session: Session) -> list[dict[str, Any]]:
    """The syringes of a record: how each was made up, and its figures as they were signed."""
    zone = session.location.zone
    signed = {one["label"]: one for one in session.totals.get("syringes", [])}
    return [
        {
            "row": row,
            "prepared_at": row.prepared_at and row.prepared_at.astimezone(zone),
            "discard_by": row.discard_by and row.discard_by.astimezone(zone),
            "figures": signed.get(row.label),
        }
        for row in session.syringes.select_related("prepared_by")
    ]


def settings_said(row: TreatedArea) -> list[tuple[str, str]]:
    """What a needle-free device was set to, each with its name and its unit."""
    fields = AreaForm.base_fields
    return [
        (str(fields[name].label), f"{value} {getattr(fields[name].widget, 'unit', '')}".strip())
        for name, value in row.settings.items()
        if name in fields
    ]


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
        "face_ml": FACE_VOLUME_ML,
        "label_limits": [
            {
                "name": one.name,
                "max_ml": one.max_ml,
                "max_points": one.max_points,
                "syringes": " ".join(one.syringes),
            }
            for one in totals.label_limits
        ],
        "topical": Decimal(kept(totals.topical_mg)),
        "limit": None if limit is None else Decimal(show(limit)),
        "amber": None if limit is None else Decimal(show(limit * Decimal("0.8"))),
        "weight": totals.weight_kg and show(totals.weight_kg),
        "refusals": totals.refusals,
        "warnings": totals.warnings,
    }
