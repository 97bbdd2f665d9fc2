"""The body charts as drawn: their scale and their regions, to measure on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from django.conf import settings

from treatments.sessions.grid import Outline, Point, Scale, contains, distance_to_edge

LEFT, RIGHT, BOTH = "left", "right", "both"
OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}
OTHER_CHART = {"face-left": "face-right", "face-right": "face-left"}
SPARED = frozenset({"upper-eyelid", "lower-eyelid", "medial-canthus", "lip", "umbilicus"})
"""No grid runs over these when a larger area around them is chosen; they can be chosen alone."""
EDGE_TOLERANCE_MM = 2.0


@dataclass(frozen=True)
class Region:
    """An area's outline on a chart, in chart units. A parent lies under its parts."""

    area: str
    side: str
    is_parent: bool
    outline: tuple[Point, ...]

    @cached_property
    def path(self) -> str:
        """For `<polygon points>`."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.outline)


@dataclass(frozen=True)
class Chart:
    """A drawing with regions; `scale` says what its units are in mm."""

    code: str
    scale: Scale
    regions: tuple[Region, ...]

    def of(self, area: str, side: str) -> list[Region]:
        """The regions of an area on a side: both, the one, or the midline's."""
        found = [region for region in self.regions if region.area == area]
        if side in (LEFT, RIGHT):
            return [r for r in found if r.side == side] or [
                r for r in found if r.side not in (LEFT, RIGHT)
            ]
        return found

    def outlines_mm(self, area: str, side: str) -> list[list[Point]]:
        """The same in mm."""
        return [self.scale.to_mm(region.outline) for region in self.of(area, side)]

    def spares(self, area: str, place: Point) -> bool:
        """Whether a place (mm) lies on an eyelid, lip or navel that is not the area itself."""
        return any(
            contains(self.scale.to_mm(region.outline), place)
            for region in self.regions
            if region.area in SPARED and region.area != area
        )

    def outside(self, area: str, side: str, points: Outline) -> int:
        """How many points (fractions) lie outside the area, by more than the line is wide."""
        outlines = self.outlines_mm(area, side)
        places = [self.scale.from_fraction(point) for point in points]
        return sum(not any(_within(outline, place) for outline in outlines) for place in places)


def _within(outline: Outline, place: Point) -> bool:
    return contains(outline, place) or distance_to_edge(outline, place) <= EDGE_TOLERANCE_MM


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "static" / "charts"


@cache
def charts() -> dict[str, Chart]:
    """Every chart by its code, read once."""
    data = json.loads((_folder() / "regions.json").read_text())
    return {code: _chart(code, chart) for code, chart in data.items()}


def _chart(code: str, data: dict[str, object]) -> Chart:
    scale = Scale(float(data["width"]), float(data["height"]), float(data["mm_per_unit"]))  # type: ignore[arg-type]
    regions = tuple(
        Region(
            area=row["area"],
            side=row["side"],
            is_parent=bool(row.get("parent")),
            outline=tuple((float(x), float(y)) for x, y in row["polygon"]),
        )
        for row in data["regions"]  # type: ignore[attr-defined]
    )
    return Chart(code, scale, regions)


def chart_of(area: str, side: str, listed: list[str]) -> str:
    """The chart to show an area on: the first of its own that has it on that side, else any."""
    known = charts()
    own = [code for code in listed if code in known]
    for code in [*own, *(c for c in known if c not in own)]:
        sides = {region.side for region in known[code].regions if region.area == area}
        wanted = {LEFT, RIGHT} if side == BOTH else {side}
        if sides and (wanted <= sides or not sides & {LEFT, RIGHT}):
            return code
    return next((c for c in known if known[c].of(area, "none")), "")
