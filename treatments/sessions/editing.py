"""The buttons of the map: each changes the entered areas, before they are saved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from treatments.catalogue.models import Area, Technique
from treatments.mixes.models import LABELS
from treatments.plans.models import PlanArea, Side
from treatments.sessions import grid
from treatments.sessions.charts import OTHER_CHART, OTHER_SIDE, Chart, chart_of, charts
from treatments.sessions.entries import AreaEntry, Sections, SyringeEntry
from treatments.sessions.grid import Outline, Point
from treatments.sessions.models import Session, TreatedArea
from treatments.sessions.points import clean_points, read_points

USUAL_SPACING_MM = Decimal(10)
USUAL_DEPTH_MM = Decimal(2)
"""Where neither plan nor technique says: 1 cm apart, 2 mm deep; the practitioner corrects it."""

Entries = list[AreaEntry]


def laid(entry: AreaEntry, count: int | None = None) -> AreaEntry:
    """The grid of this area at its spacing, margin and rows."""
    spacing = entry.spacing_mm or entry.technique.spacing_min_mm or USUAL_SPACING_MM
    places = _in_each(
        entry,
        lambda outline: grid.lay(
            outline,
            float(spacing),
            margin=float(entry.margin_mm or 0),
            staggered=entry.is_staggered,
        ),
    )
    return replace(entry, points=places, intended=places, spacing_mm=spacing)


def spread(entry: AreaEntry, count: int | None) -> AreaEntry:
    """So many points, evenly over this area; over both sides half and half."""
    if not count:
        raise ActionRefused(_("Say how many points to spread."))
    outlines = _chart(entry).outlines_mm(entry.area.code, entry.side)
    shares = [count // len(outlines) + (n < count % len(outlines)) for n in range(len(outlines))]
    places: list[Point] = []
    for outline, share in zip(outlines, shares, strict=True):
        if share:
            places += _laid(entry, lambda o, n=share: _spread_sparing(entry, o, n), outline)  # type: ignore[misc]
    return replace(entry, points=places, intended=places)


def _spread_sparing(entry: AreaEntry, outline: Outline, count: int) -> list[Point]:
    """As `grid.spread`; asks for more where some fall on a spared place."""
    chart, wanted = _chart(entry), count
    for _attempt in range(8):
        found = grid.spread(
            outline,
            wanted,
            margin=float(entry.margin_mm or 0),
            staggered=entry.is_staggered,
        )
        kept = [p for p in found if not chart.spares(entry.area.code, p)]
        if len(kept) >= count:
            return [kept[number * len(kept) // count] for number in range(count)]
        wanted += count - len(kept)
    raise ValueError("points")


def one_more(entry: AreaEntry, count: int | None = None) -> AreaEntry:
    """One point in the first free place of the grid."""
    chart = _chart(entry)
    taken = [chart.scale.from_fraction(point) for point in entry.points]
    spacing = float(entry.spacing_mm or entry.technique.spacing_min_mm or USUAL_SPACING_MM)
    for outline in chart.outlines_mm(entry.area.code, entry.side):
        try:
            place = grid.next_point(outline, taken, spacing)
        except ValueError:
            raise ActionRefused(_too_dense()) from None
        if place is not None:
            return replace(entry, points=[*entry.points, chart.scale.to_fraction(place)])
    raise ActionRefused(_("The area is full at this spacing."))


def one_less(entry: AreaEntry, count: int | None = None) -> AreaEntry:
    """Without its last point."""
    return replace(entry, points=list(entry.points)[:-1])


def as_intended(entry: AreaEntry, count: int | None = None) -> AreaEntry:
    """Done exactly where it was meant to be."""
    return replace(entry, points=list(entry.intended))


def cleared(entry: AreaEntry, count: int | None = None) -> AreaEntry:
    """Without points; what was intended stays."""
    return replace(entry, points=[])


ONE: Mapping[str, Callable[[AreaEntry, int | None], AreaEntry]] = {
    "lay": laid,
    "spread": spread,
    "more": one_more,
    "less": one_less,
    "clear": cleared,
    "intend": as_intended,
}
"""Buttons that change one area: `lay:0`."""


def edited(entries: Sequence[AreaEntry], do: str, counts: Sequence[int | None]) -> Entries:
    """The areas after a button of one of them. Raises `ActionRefused` for what cannot be done."""
    verb, _colon, number_text = do.partition(":")
    found = list(entries)
    if not number_text.isdecimal() or int(number_text) >= len(found):
        raise ActionRefused(_("This area is no longer on the map."))
    number = int(number_text)
    if verb in ONE:
        found[number] = ONE[verb](found[number], counts[number])
    elif verb == "remove":
        del found[number]
    elif verb == "mirror":
        return mirrored(found, number)
    return found


def mirrored(entries: Entries, number: int) -> Entries:
    """The same points on the patient's other side, in place of what was there.

    An area on both sides takes its fuller half to the other.
    """
    entry = entries[number]
    if entry.side == Side.BOTH:
        return [*entries[:number], _evened(entry), *entries[number + 1 :]]
    other = OTHER_SIDE.get(entry.side)
    chart = OTHER_CHART.get(entry.chart, entry.chart)
    if other is None or not charts()[chart].of(entry.area.code, other):
        raise ActionRefused(_("Only an area on the left or right can be mirrored."))
    image = replace(
        entry,
        side=other,
        chart=chart,
        points=grid.mirrored(entry.points),
        intended=grid.mirrored(entry.intended),
    )
    kept = [e for e in entries if (e.area.code, e.side) != (image.area.code, image.side)]
    return [*kept, image]


def _evened(entry: AreaEntry) -> AreaEntry:
    """The fuller half of an area on both sides, on the other half too."""
    halves = [[p for p in entry.points if (p[0] < 0.5) is first] for first in (True, False)]
    fuller = max(halves, key=len)
    return replace(entry, points=[*fuller, *grid.mirrored(fuller)])


def added(entries: Entries, session: Session, area: Area, side: str, at: str) -> Entries:
    """Another area, with the plan's figures for it or the technique's usual ones."""
    if any(e.area.code == area.code and e.side == side for e in entries):
        raise ActionRefused(_("This area is on the map already."))
    chart_text, _colon, point_text = at.partition(":")
    chart = chart_text or chart_of(area.code, side, list(area.charts))
    return [*entries, fresh(session, area, side, chart, read_points(point_text))]


def fresh(
    session: Session, area: Area, side: str, chart: str, points: Sequence[Point] = ()
) -> AreaEntry:
    """A new area with the figures planned for it, or for the first area of the plan."""
    planned = list(session.plan.areas.select_related("area", "technique"))
    part: PlanArea | None = next((p for p in planned if p.area.code == area.code), None) or (
        planned[0] if planned else None
    )
    if part is None:
        raise ActionRefused(_("The plan holds no area to take the figures from."))
    technique: Technique = part.technique
    return AreaEntry(
        area=area,
        technique=technique,
        depth_mm=part.depth_mm or technique.depth_max_mm or USUAL_DEPTH_MM,
        ml_per_point=part.ml_per_point,
        chart=chart,
        side=side,
        points=points,
        spacing_mm=part.spacing_mm,
        needle_gauge=part.needle_gauge,
        needle_mm=part.needle_mm,
    )


def repeated(last: Session, labels: Collection[str] = ()) -> Entries:
    """The map of an earlier session, as it was. `labels`: the syringes there are today."""
    return [
        AreaEntry(
            area=row.area,
            technique=row.technique,
            depth_mm=row.depth_mm,
            ml_per_point=row.ml_per_point,
            chart=row.chart,
            side=row.side,
            points=clean_points(row.points),
            method=row.method,
            device=row.device,
            spacing_mm=row.spacing_mm,
            margin_mm=row.margin_mm,
            is_staggered=row.is_staggered,
            needle_gauge=row.needle_gauge,
            needle_mm=row.needle_mm,
            extra_ml=row.extra_ml,
            intended=clean_points(row.points),
            syringe=row.syringe.label if row.syringe and row.syringe.label in labels else "",
            modality=row.modality,
            programme=row.programme,
            minutes=row.minutes,
            settings=row.settings,
        )
        for row in last.treated_areas.select_related(
            "area", "technique", "device", "modality", "syringe"
        )
    ]


def sides_of(area: Area) -> list[str]:
    """The sides an area can be chosen on."""
    return [Side.LEFT, Side.RIGHT, Side.BOTH] if area.is_sided else [Side.NONE]


def _chart(entry: AreaEntry | TreatedArea) -> Chart:
    chart = charts().get(entry.chart)
    if chart is None or not chart.of(entry.area.code, entry.side):
        raise ActionRefused(_("%(area)s is not on this chart.") % {"area": entry.area.name})
    return chart


def _in_each(entry: AreaEntry, lay: Callable[[Outline], list[Point]]) -> list[Point]:
    """Fractions of the chart, over every outline of the area."""
    outlines = _chart(entry).outlines_mm(entry.area.code, entry.side)
    return [point for outline in outlines for point in _laid(entry, lay, outline)]


def _laid(entry: AreaEntry, lay: Callable[[Outline], list[Point]], outline: Outline) -> list[Point]:
    chart = _chart(entry)
    try:
        places = lay(outline)
    except ValueError:
        raise ActionRefused(_too_dense()) from None
    return [chart.scale.to_fraction(p) for p in places if not chart.spares(entry.area.code, p)]


def _too_dense() -> str:
    return _("A grid like this does not fit: choose a wider spacing or fewer points.")


def with_syringe(sections: Sections) -> Sections:
    """One more on the tray, under the first label that is free.

    What was given from the only one so far says so from now on.
    """
    tray = list(sections.syringes or ())
    taken = {one.label for one in tray}
    free = next((label for label in LABELS if label not in taken), None)
    if free is None:
        raise ActionRefused(_("The tray is full."))
    only = tray[0].label if len(tray) == 1 else ""
    areas = sections.areas and [replace(one, syringe=one.syringe or only) for one in sections.areas]
    return replace(sections, syringes=[*tray, SyringeEntry(free)], areas=areas)


def without_syringe(sections: Sections, label: str) -> Sections:
    """The tray without one of its syringes and what was in it."""
    return replace(
        sections,
        syringes=[one for one in sections.syringes or () if one.label != label],
        mix=[one for one in sections.mix or () if one.syringe != label],
        areas=sections.areas
        and [replace(one, syringe="") if one.syringe == label else one for one in sections.areas],
    )
