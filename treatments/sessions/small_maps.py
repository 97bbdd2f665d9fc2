"""A session's map in small: the chart's lines with the marks as paths, drawn on the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from treatments.catalogue.drawings import CHART_TITLES, linework
from treatments.sessions.charts import charts
from treatments.sessions.models import TreatedArea
from treatments.sessions.page import SHAPES, mark_size, side_name

STROKED = {0: 1.0, 4: 0.36, 5: 0.26}
"""Shapes that are lines, with the width of the line as a share of the mark's."""


@dataclass(frozen=True)
class Marks:
    """The points of one area as one path: `line` is the width to draw it with, 0 to fill it."""

    shape: int
    name: str
    path: str
    line: float


@dataclass(frozen=True)
class SmallMap:
    """One chart with what was done on it; sizes in chart units."""

    code: str
    title: str
    width: float
    height: float
    marks: Sequence[Marks]
    areas: frozenset[str]

    @property
    def lines(self) -> SafeString:
        """The drawing in lines alone."""
        return linework(self.code)

    @property
    def drawing(self) -> SafeString:
        """The drawing with its shading."""
        return linework(self.code, shaded=True)

    @property
    def outlines(self) -> list[str]:
        """Borders alone, of the large regions and of the treated ones: for a map on paper of a
        few centimetres, of which a document holds many.
        """
        return [
            " ".join(f"{x:.0f},{y:.0f}" for x, y in region.outline)
            for region in charts()[self.code].regions
            if region.is_parent or region.area in self.areas
        ]


def small_maps(rows: Iterable[TreatedArea]) -> list[SmallMap]:
    """One map for each chart that a session's areas lie on. Needs their `area`."""
    placed = list(enumerate(rows))
    codes = dict.fromkeys(row.chart for _n, row in placed if row.points and row.chart in charts())
    return [_map(code, placed) for code in codes]


def _map(code: str, placed: Sequence[tuple[int, TreatedArea]]) -> SmallMap:
    scale, size = charts()[code].scale, mark_size(code)
    marks = [
        Marks(
            shape=number % SHAPES,
            name=side_name(row.area, row.side),
            path="".join(
                mark(number % SHAPES, x * scale.width, y * scale.height, size)
                for x, y in row.points
            ),
            line=round(size * STROKED.get(number % SHAPES, 0), 2),
        )
        for number, row in placed
        if row.chart == code and row.points
    ]
    return SmallMap(
        code=code,
        title=str(CHART_TITLES.get(code, code)),
        width=scale.width,
        height=scale.height,
        marks=marks,
        areas=frozenset(row.area.code for _n, row in placed if row.chart == code),
    )


def mark(shape: int, x: float, y: float, size: float) -> str:
    """A mark around a point as part of a path; the shapes are those of the session page."""
    half, ring = size / 2, size * 0.36
    if shape == 0:
        return f"M{x:.1f} {y:.1f}h0"
    if shape == 1:
        return f"M{x - half:.1f} {y - half:.1f}h{size:.1f}v{size:.1f}h-{size:.1f}z"
    if shape == 2:
        return f"M{x:.1f} {y - half:.1f}l{half:.1f} {size:.1f}h-{size:.1f}z"
    if shape == 3:
        return f"M{x:.1f} {y - half:.1f}" + "l{0} {0} -{0} {0} -{0} -{0}z".format(f"{half:.1f}")
    if shape == 4:
        return f"M{x - half:.1f} {y:.1f}h{size:.1f}M{x:.1f} {y - half:.1f}v{size:.1f}"
    return (
        f"M{x - ring:.1f} {y:.1f}a{ring:.1f} {ring:.1f} 0 1 0 {2 * ring:.1f} 0"
        f"a{ring:.1f} {ring:.1f} 0 1 0 -{2 * ring:.1f} 0"
    )
