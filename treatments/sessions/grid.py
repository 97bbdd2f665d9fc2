"""A grid of points inside a region of a chart. Pure; all lengths in mm.

A region's polygon comes in chart units and goes to mm by the chart's scale; points go back as
fractions of the chart's width and height, so that they mean the same at every size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Outline = Sequence[Point]
Wall = tuple[float, float, float, float, Point, Point]

MOST_POINTS = 2000
"""In one area at one sitting; unit-dose sessions of 700 to 900 points are published (S20b)."""
MOST_TRIES = 40_000
LEAST_SPACING_MM = 0.5
DECIMALS = 5


@dataclass(frozen=True)
class Scale:
    """How a chart's units become mm, and fractions."""

    width: float
    height: float
    mm_per_unit: float

    def to_mm(self, outline: Outline) -> list[Point]:
        """Chart units to mm."""
        return [(x * self.mm_per_unit, y * self.mm_per_unit) for x, y in outline]

    def to_fraction(self, point: Point) -> Point:
        """mm to a fraction of the chart, 0 to 1 each way."""
        x = point[0] / (self.width * self.mm_per_unit)
        y = point[1] / (self.height * self.mm_per_unit)
        return round(x, DECIMALS), round(y, DECIMALS)

    def from_fraction(self, point: Point) -> Point:
        """A fraction of the chart to mm."""
        return (
            point[0] * self.width * self.mm_per_unit,
            point[1] * self.height * self.mm_per_unit,
        )


def contains(outline: Outline, point: Point) -> bool:
    """Whether a point lies inside a simple polygon (even-odd)."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in _edges(outline):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def distance_to_edge(outline: Outline, point: Point) -> float:
    """mm from a point to the nearest edge of the polygon."""
    return min(_distance_to_segment(point, a, b) for a, b in _edges(outline))


def area_mm2(outline: Outline) -> float:
    """The polygon's area in mm² (shoelace)."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in _edges(outline))) / 2


def lay(
    outline: Outline, spacing: float, *, margin: float = 0, staggered: bool = False
) -> list[Point]:
    """Points `spacing` mm apart inside the outline, at least `margin` mm from its edge.

    Rows run from the top; staggered rows are shifted by half a step and set closer, so that every
    neighbour is at `spacing`. About area / spacing² points on a square grid.
    Raises ValueError for a spacing under 0.5 mm, a negative margin, or more than 2000 points.
    """
    if not math.isfinite(spacing) or spacing < LEAST_SPACING_MM:
        raise ValueError("spacing")
    if not math.isfinite(margin) or margin < 0:
        raise ValueError("margin")
    candidates = _lattice(outline, spacing, staggered)
    walls = _walls(outline, margin)
    kept = [p for p in candidates if contains(outline, p) and _clear(walls, p, margin)]
    if len(kept) > MOST_POINTS:
        raise ValueError("points")
    return kept


def spread(
    outline: Outline, count: int, *, margin: float = 0, staggered: bool = False
) -> list[Point]:
    """About evenly spread points, exactly `count`: the widest grid that holds as many, thinned.

    Raises ValueError when count is not between 1 and 2000 or does not fit.
    """
    if not 1 <= count <= MOST_POINTS:
        raise ValueError("points")
    low, high = LEAST_SPACING_MM, math.sqrt(area_mm2(outline) / count) * 2 + LEAST_SPACING_MM
    best: list[Point] = []
    for _ in range(14):
        middle = (low + high) / 2
        points = _lay_or_none(outline, middle, margin, staggered)
        if points is None or len(points) >= count:
            best, low = (points or best), middle
        else:
            high = middle
    if len(best) < count:
        raise ValueError("points")
    return _thin(best, count)


def next_point(outline: Outline, taken: Sequence[Point], spacing: float) -> Point | None:
    """Where one more point goes: the first free place of the grid, or None when it is full."""
    nearest = spacing * 0.95
    for place in lay(outline, spacing):
        if all(math.dist(place, other) >= nearest for other in taken):
            return place
    return None


def mirrored(points: Iterable[Point]) -> list[Point]:
    """Fractions of a chart, left for right."""
    return [(round(1 - x, DECIMALS), y) for x, y in points]


def _edges(outline: Outline) -> Iterable[tuple[Point, Point]]:
    return zip(outline, [*outline[1:], outline[0]], strict=True)


def _distance_to_segment(point: Point, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    if length2 == 0:
        return math.dist(point, a)
    share = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length2
    share = max(0.0, min(1.0, share))
    return math.dist(point, (a[0] + share * dx, a[1] + share * dy))


def _walls(outline: Outline, margin: float) -> list[Wall]:
    """Each edge after the box outside of which it is `margin` away: left, right, top, bottom."""
    if margin <= 0:
        return []
    return [
        (
            min(a[0], b[0]) - margin,
            max(a[0], b[0]) + margin,
            min(a[1], b[1]) - margin,
            max(a[1], b[1]) + margin,
            a,
            b,
        )
        for a, b in _edges(outline)
    ]


def _clear(walls: list[Wall], point: Point, margin: float) -> bool:
    x, y = point
    return not any(
        left < x < right and top < y < bottom and _distance_to_segment(point, a, b) < margin
        for left, right, top, bottom, a, b in walls
    )


def _lattice(outline: Outline, spacing: float, staggered: bool) -> list[Point]:
    xs, ys = [p[0] for p in outline], [p[1] for p in outline]
    step_y = spacing * math.sqrt(3) / 2 if staggered else spacing
    columns = _centred(min(xs), max(xs), spacing)
    rows = _centred(min(ys), max(ys), step_y)
    if len(columns) * len(rows) > MOST_TRIES:
        raise ValueError("points")
    shift = spacing / 2
    return [
        (x + (shift if staggered and number % 2 else 0), y)
        for number, y in enumerate(rows)
        for x in columns
    ]


def _centred(start: float, end: float, step: float) -> list[float]:
    """Steps from start to end with equal rests on both sides."""
    count = int((end - start) / step) + 1
    first = start + ((end - start) - (count - 1) * step) / 2
    return [first + step * number for number in range(count)]


def _lay_or_none(
    outline: Outline, spacing: float, margin: float, staggered: bool
) -> list[Point] | None:
    """None when there would be too many to count."""
    try:
        return lay(outline, spacing, margin=margin, staggered=staggered)
    except ValueError:
        return None


def _thin(points: list[Point], count: int) -> list[Point]:
    """Every so many-th point, so that exactly `count` are left."""
    return [points[number * len(points) // count] for number in range(count)]
