"""Pen, brush and scissors for the body charts.

A chart is drawn in millimetres. Lines are tapered strokes, as a pen leaves them, written as
filled outlines; shading is a stack of faint nested shapes, because a blur would not survive
printing. Everything takes its colour from ``currentColor`` and nothing needs a style sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

Points = NDArray[np.float64]
PointList = Sequence[Sequence[float]] | Points

REGION_MAX_POINTS = 120
REGION_MAX_ERROR_MM = 0.5


def spline(points: PointList, closed: bool = False, steps: int = 14) -> Points:
    """A centripetal Catmull-Rom curve through the points, flattened."""
    p = np.asarray(points, dtype=float)
    if len(p) < 3:
        return p
    if closed:
        p = np.vstack([p[-1], p, p[0], p[1]])
    else:
        p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out = [p[1]]
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        out.extend(_segment(a, b, c, d, steps))
    curve = np.array(out)
    return curve[:-1] if closed else curve


def _segment(a: Points, b: Points, c: Points, d: Points, steps: int) -> list[Points]:
    def knot(t: float, u: Points, v: Points) -> float:
        return t + max(float(np.hypot(*(v - u))) ** 0.5, 1e-6)

    t0 = 0.0
    t1 = knot(t0, a, b)
    t2 = knot(t1, b, c)
    t3 = knot(t2, c, d)
    out = []
    for t in np.linspace(t1, t2, steps + 1)[1:]:
        a1 = (t1 - t) / (t1 - t0) * a + (t - t0) / (t1 - t0) * b
        a2 = (t2 - t) / (t2 - t1) * b + (t - t1) / (t2 - t1) * c
        a3 = (t3 - t) / (t3 - t2) * c + (t - t2) / (t3 - t2) * d
        b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        out.append((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
    return out


def blob(points: PointList, steps: int = 14) -> Polygon:
    """The closed smooth shape through the points."""
    return whole(Polygon(spline(points, closed=True, steps=steps)))


def ellipse(cx: float, cy: float, rx: float, ry: float, turn: float = 0.0) -> Polygon:
    t = np.linspace(0, 2 * np.pi, 49)[:-1]
    shape = Polygon(np.column_stack([cx + rx * np.cos(t), cy + ry * np.sin(t)]))
    return affinity.rotate(shape, turn, origin=(cx, cy))


def whole(shape: BaseGeometry) -> Polygon:
    """The biggest single piece without holes: what a region or an outline must be."""
    shape = shape if shape.is_valid else shape.buffer(0)
    if isinstance(shape, Polygon):
        return Polygon(shape.exterior)
    parts = [g for g in getattr(shape, "geoms", []) if isinstance(g, Polygon)]
    return Polygon(max(parts, key=lambda g: g.area).exterior)


def pieces(shape: BaseGeometry) -> list[Polygon]:
    if shape.is_empty:
        return []
    if isinstance(shape, Polygon):
        return [shape]
    if isinstance(shape, MultiPolygon):
        return list(shape.geoms)
    return [g for g in getattr(shape, "geoms", []) if isinstance(g, Polygon)]


def mirror_points(points: PointList, width: float) -> Points:
    p = np.array(points, dtype=float)
    p[:, 0] = width - p[:, 0]
    return p


def mirror(shape: BaseGeometry, width: float) -> BaseGeometry:
    """The same shape on the other side of the chart's middle line."""
    return affinity.scale(shape, -1, 1, origin=(width / 2, 0))


def number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def path_data(points: Iterable[Sequence[float]], closed: bool = True) -> str:
    parts = [f"{number(x)} {number(y)}" for x, y in points]
    return "M" + "L".join(parts) + ("Z" if closed else "")


def short(value: int, digits: int) -> str:
    """A whole number of the last decimal place, written as briefly as SVG allows."""
    text = f"{value / 10**digits:.{digits}f}".rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if abs(value) < 10**digits and value else text


def relative_path(points: Sequence[Sequence[float]], digits: int) -> str:
    """A closed path in relative steps, rounded without drift; a third of the absolute size."""
    grid = [(round(x * 10**digits), round(y * 10**digits)) for x, y in points]
    here = grid[0]
    out = f"M{short(here[0], digits)} {short(here[1], digits)}l"
    steps = []
    for point in grid[1:]:
        dx, dy = point[0] - here[0], point[1] - here[1]
        if dx or dy:
            second = short(dy, digits)
            steps.append(short(dx, digits) + ("" if second.startswith("-") else " ") + second)
            here = point
    body = "".join(s if k == 0 or s.startswith("-") else " " + s for k, s in enumerate(steps))
    return out + body + "z" if steps else ""


def shape_data(shape: BaseGeometry, tolerance: float) -> str:
    """Path data of a drawn shape; tolerance is the greatest departure in millimetres."""
    digits = 1 if tolerance > 0.05 else 2
    out = []
    for piece in pieces(shape.simplify(tolerance)):
        out.append(relative_path(list(piece.exterior.coords)[:-1], digits))
        out.extend(relative_path(list(h.coords)[:-1], digits) for h in piece.interiors)
    return "".join(out)


def stroke_shape(
    points: PointList, width: float, start: float = 0.25, end: float = 0.25, tip: float = 0.12
) -> Polygon:
    """A pen stroke: full width in the middle, thin where it starts and ends.

    start and end are the shares of the length over which it thins; 0 keeps it full.
    """
    p = np.asarray(points, dtype=float)
    step = np.hypot(*np.diff(p, axis=0).T)
    keep = np.concatenate([[True], step > 1e-9])
    p = p[keep]
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
    along /= along[-1]
    half = np.ones(len(p))
    if start:
        half = np.minimum(half, tip + (1 - tip) * np.sin(np.clip(along / start, 0, 1) * np.pi / 2))
    if end:
        back = np.clip((1 - along) / end, 0, 1)
        half = np.minimum(half, tip + (1 - tip) * np.sin(back * np.pi / 2))
    tangent = np.gradient(p, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) * (half * width / 2)[:, None]
    return Polygon(np.vstack([p + normal, (p - normal)[::-1]]))


@dataclass
class Region:
    area: str
    side: str
    shape: Polygon
    parent: bool = False


@dataclass
class Chart:
    """One chart: regions under, shading and lines over, letters and a scale bar."""

    code: str
    title: str
    width: float
    height: float
    note: str
    pen: float = 0.7
    mm_per_unit: float = 1.0
    shading: list[str] = field(default_factory=list)
    ink: list[str] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)

    @property
    def fine(self) -> float:
        return self.pen / 22

    def tone(self, shape: BaseGeometry, opacity: float) -> None:
        data = shape_data(shape, self.fine)
        if data:
            self.shading.append(f'<path d="{data}" fill-opacity="{opacity:.4f}"/>')

    def soft(
        self,
        shape: BaseGeometry,
        depth: float,
        opacity: float,
        clip: BaseGeometry | None = None,
        steps: int = 6,
    ) -> None:
        """A tone that fades inwards from nothing at its edge, over depth."""
        for k in range(steps):
            layer = shape.buffer(-depth * k / steps)
            if clip is not None:
                layer = layer.intersection(clip)
            self.tone(layer, opacity / steps)

    def rim(
        self,
        shape: BaseGeometry,
        dx: float,
        dy: float,
        opacity: float,
        steps: int = 7,
        clip: BaseGeometry | None = None,
    ) -> None:
        """Roundness: the side of a form that turns away from the light."""
        for k in range(1, steps + 1):
            t = (k / steps) ** 1.3
            lit = affinity.translate(shape.buffer(-0.15 * t * abs(dx)), -dx * t, -dy * t)
            turned = shape.difference(lit)
            self.tone(turned if clip is None else turned.intersection(clip), opacity / steps)

    def edge(self, shape: BaseGeometry, depth: float, opacity: float, steps: int = 7) -> None:
        """Roundness where the light comes from the viewer: darker towards every edge."""
        for k in range(1, steps + 1):
            inner = shape.buffer(-depth * (k / steps) ** 1.4)
            self.tone(shape.difference(inner), opacity / steps)

    def line(
        self,
        points: PointList,
        width: float = 1.0,
        start: float = 0.25,
        end: float = 0.25,
        smooth: bool = True,
        opacity: float = 1.0,
        clip: BaseGeometry | None = None,
        tip: float = 0.12,
    ) -> None:
        """A pen stroke; width is a share of the chart's pen."""
        curve = spline(points) if smooth else np.asarray(points, dtype=float)
        shape: BaseGeometry = stroke_shape(curve, width * self.pen, start, end, tip)
        if not shape.is_valid:
            shape = shape.buffer(0)
        if clip is not None:
            shape = shape.intersection(clip)
        self.fill(shape, opacity)

    def fill(self, shape: BaseGeometry, opacity: float = 1.0, dark: bool = False) -> None:
        """dark marks what stays dark on a dark page: pupils and nostrils."""
        data = shape_data(shape, self.fine)
        if data:
            faint = "" if opacity >= 1 else f' fill-opacity="{number(opacity)}"'
            kind = ' class="dark"' if dark else ""
            self.ink.append(f'<path{kind} d="{data}"{faint}/>')

    def contour(self, shape: BaseGeometry, width: float = 1.0, opacity: float = 1.0) -> None:
        """An even line round a shape."""
        faint = "" if opacity >= 1 else f' stroke-opacity="{number(opacity)}"'
        self.ink.append(
            f'<path d="{shape_data(shape, self.fine)}" fill="none" stroke="currentColor"'
            f' stroke-width="{number(width * self.pen)}" stroke-linejoin="round"{faint}/>'
        )

    def region(self, area: str, side: str, shape: BaseGeometry, parent: bool = False) -> None:
        self.regions.append(Region(area, side, flatten(whole(shape)), parent))

    def stacked(self) -> list[Region]:
        """Covering regions at the bottom, so that a click meets the smallest one first."""
        return sorted(self.regions, key=lambda r: (not r.parent, -r.shape.area))

    def letter(self, text: str, x: float, y: float, size: float) -> None:
        self.furniture.append(
            f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
            f' text-anchor="middle" font-weight="600" fill-opacity="0.75">{escape(text)}</text>'
        )

    def scale_bar(self, x: float, y: float, cm: int) -> None:
        """A bar of so many centimetres, ticked, with its label."""
        length = cm * 10 / self.mm_per_unit
        tick = self.height * 0.008
        parts = [f"M{number(x)} {number(y)}H{number(x + length)}"]
        marks = cm if cm <= 10 else cm // 10
        for k in range(marks + 1):
            up = tick * (1.6 if k in (0, marks) else 1)
            parts.append(f"M{number(x + length * k / marks)} {number(y)}V{number(y - up)}")
        self.furniture.append(
            f'<path class="scale-bar" data-cm="{cm}" d="{"".join(parts)}" fill="none"'
            f' stroke="currentColor" stroke-width="{number(self.pen * 0.7)}"/>'
            f'<text x="{number(x + length + tick * 1.8)}" y="{number(y)}"'
            f' font-size="{number(self.height * 0.02)}" fill-opacity="0.75">{cm} cm</text>'
        )

    def svg(self, names: dict[str, str]) -> str:
        rows = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" data-chart="{self.code}"'
            f' viewBox="0 0 {number(self.width)} {number(self.height)}"'
            f' data-mm-per-unit="{number(self.mm_per_unit)}" role="group"'
            f' aria-labelledby="t-{self.code}">',
            f"<!-- {self.note} -->",
            f'<title id="t-{self.code}">{escape(self.title)}</title>',
            '<g class="shading" fill="currentColor" pointer-events="none">',
            *self.shading,
            '</g>\n<g class="lines" fill="currentColor" pointer-events="none">',
            *self.ink,
            '</g>\n<g class="regions">',
            *(region_svg(r, names) for r in self.stacked()),
            '</g>\n<g class="furniture" fill="currentColor" pointer-events="none"'
            ' font-family="Inter, Arial, sans-serif">',
            *self.furniture,
            "</g>\n</svg>\n",
        ]
        return "\n".join(rows)

    def data(self) -> dict[str, object]:
        return {
            "mm_per_unit": self.mm_per_unit,
            "width": self.width,
            "height": self.height,
            "regions": [
                {
                    "area": r.area,
                    "side": r.side,
                    "parent": r.parent,
                    "polygon": [list(p) for p in list(r.shape.exterior.coords)[:-1]],
                }
                for r in self.stacked()
            ],
        }


def region_svg(region: Region, names: dict[str, str]) -> str:
    tail = f"-{region.side}" if region.side in ("left", "right") else ""
    parent = ' data-parent="true"' if region.parent else ""
    side = f" ({region.side})" if tail else ""
    points = list(region.shape.exterior.coords)[:-1]
    return (
        f'<path class="region" id="r-{region.area}{tail}" data-area="{region.area}"'
        f' data-side="{region.side}"{parent} fill="transparent" d="{path_data(points)}">'
        f"<title>{escape(names[region.area] + side)}</title></path>"
    )


def flatten(shape: Polygon) -> Polygon:
    """At most 120 points and half a millimetre from the true curve, to the hundredth."""
    for tolerance in (0.05, 0.08, 0.12, 0.2, 0.3, 0.4, REGION_MAX_ERROR_MM):
        flat = shape.simplify(tolerance)
        if len(flat.exterior.coords) - 1 <= REGION_MAX_POINTS:
            rounded = [(round(x, 2), round(y, 2)) for x, y in flat.exterior.coords[:-1]]
            return Polygon(rounded)
    raise ValueError("a region needs more than 120 points")


def band(points: PointList, width: float) -> Polygon:
    """A strip of even width along a curve."""
    return whole(LineString(spline(points)).buffer(width / 2, cap_style="round"))


def union(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    return unary_union(list(shapes))
