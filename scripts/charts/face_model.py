"""The head that all face charts share: MediaPipe's canonical mesh and the skin regions on it.

Model units are the mesh's own: x to the patient's left, y up, z towards the viewer, origin behind
the nose. Regions are drawn once, on the front, and lifted onto the mesh for the profiles.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from ink import Points, blob, ellipse, spline, union, whole
from shapely import affinity
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

MESH = json.loads((Path(__file__).parent / "face_mesh.json").read_text())
VERTICES: Points = np.array(MESH["v"])
FACES = np.array(MESH["f"])

# Chart millimetres for one model unit, so that the face is 142 mm wide and 183 mm from hairline
# to chin. The mesh is flattened front to back; 1.22 restores an adult ear-to-forehead depth.
ACROSS = 9.2
DOWN = 9.8
DEPTH = 9.2 * 1.22

HAIRLINE = [(0, 9.3), (2, 9.22), (3.8, 8.75), (5.05, 7.7), (5.75, 6.4), (6.3, 5.3), (6.85, 4.3)]
SIDEBURN = [(7.2, 3.4), (7.4, 2.4), (7.56, 1.2)]
JAW = [(7.54, 0.2), (7.4, -1.1), (7.05, -2.9), (6.45, -4.75), (5.65, -6.3), (4.7, -7.5)]
CHIN = [(3.7, -8.4), (2.8, -9.0), (1.95, -9.35), (1.0, -9.55), (0, -9.6)]

UPPER_LASH = [
    (4.5, 2.62), (4.2, 2.88), (3.72, 3.1), (3.18, 3.18), (2.68, 3.12), (2.25, 2.92),
    (1.95, 2.66), (1.8, 2.46),
]  # fmt: skip
LOWER_LASH = [
    (1.8, 2.46), (2.05, 2.36), (2.4, 2.24), (2.8, 2.16), (3.25, 2.13), (3.75, 2.2), (4.15, 2.37),
    (4.5, 2.62),
]  # fmt: skip
BROW_LOW = [(1.25, 4.2), (2.6, 4.5), (3.75, 4.62), (4.7, 4.42), (5.7, 3.95)]
BROW_HIGH = [(5.75, 4.02), (4.95, 4.72), (3.95, 5.06), (2.75, 5.03), (1.35, 4.86)]
LIP_TOP = [(2.5, -4.33), (2.2, -4.08), (1.85, -3.86), (1.35, -3.58), (0.65, -3.34), (0, -3.5)]
LIP_LINE = [(2.5, -4.33), (1.9, -4.24), (1.3, -4.2), (0.7, -4.22), (0.3, -4.3), (0, -4.27)]
LIP_LOW = [(2.5, -4.33), (2.15, -4.66), (1.75, -4.95), (1.25, -5.19), (0.65, -5.34), (0, -5.38)]


def flip(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(-x, y) for x, y in reversed(points)]


def both(half: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A line drawn from the middle outwards or inwards, carried across the middle."""
    if half[0][0] == 0:
        return flip(half)[:-1] + half
    return half[:-1] + flip(half)


def ring(half: list[tuple[float, float]]) -> Polygon:
    """A closed shape from its left half, which starts and ends on the middle line."""
    return blob(half + flip(half)[1:-1])


@cache
def skin() -> Polygon:
    """Hairline to chin: the whole face."""
    return ring(HAIRLINE + SIDEBURN + JAW + CHIN)


def eye_opening() -> Polygon:
    return whole(Polygon(np.vstack([spline(UPPER_LASH), spline(LOWER_LASH)])))


def brow() -> Polygon:
    return blob(BROW_LOW + BROW_HIGH)


def lip_upper() -> Polygon:
    top, line = spline(both(LIP_TOP)), spline(both(LIP_LINE))
    return whole(Polygon(np.vstack([top, line[::-1]])))


def lip_lower() -> Polygon:
    low, line = spline(both(LIP_LOW)), spline(both(LIP_LINE))
    return whole(Polygon(np.vstack([line, low[::-1]])))


def nose() -> Polygon:
    return ring([
        (0, 3.15), (0.6, 3.15), (0.8, 2.3), (0.9, 1.3), (1.2, 0.4), (1.6, -0.25), (1.9, -0.85),
        (1.8, -1.45), (1.3, -1.75), (0.6, -2.0), (0, -2.15),
    ])  # fmt: skip


MIDDLE: dict[str, Callable[[], BaseGeometry]] = {
    "nose": nose,
    "upper-lip": lip_upper,
    "lower-lip": lip_lower,
    "philtrum": lambda: Polygon(
        [(-0.5, -1.9), (0.5, -1.9), (0.72, -3.6), (0, -3.7), (-0.72, -3.6)]
    ),
    "glabella": lambda: ring([
        (0, 5.75), (0.9, 5.6), (1.3, 5.05), (1.15, 4.3), (0.85, 3.5), (0.55, 3.05), (0, 3.0),
    ]),
}  # fmt: skip

# In order of precedence: a region gives up what an earlier one has taken.
PAIRED: dict[str, Callable[[], BaseGeometry]] = {
    "eyebrow": brow,
    "medial-canthus": lambda: ellipse(1.48, 2.58, 0.42, 0.48),
    "upper-eyelid": lambda: blob([
        (1.35, 3.0), (1.2, 3.6), (1.3, 4.3), (2.6, 4.65), (3.75, 4.75), (4.7, 4.55), (5.3, 4.1),
        (5.2, 3.35), (4.8, 2.8), (4.4, 2.6), (3.2, 2.5), (1.9, 2.5),
    ]),
    "lower-eyelid": lambda: blob([
        (1.75, 2.45), (2.6, 2.6), (3.4, 2.6), (4.5, 2.66), (4.85, 2.5), (4.75, 1.95),
        (4.1, 1.55), (3.2, 1.4), (2.4, 1.52), (1.85, 1.9),
    ]),
    "tear-trough": lambda: blob([
        (1.3, 2.1), (1.85, 1.95), (2.4, 1.6), (3.2, 1.5), (4.05, 1.6), (4.1, 1.25), (3.3, 0.72),
        (2.4, 0.8), (1.65, 1.3),
    ]),
    "crows-feet": lambda: blob([
        (4.8, 2.5), (5.15, 3.3), (5.75, 3.5), (6.35, 2.95), (6.4, 1.9), (5.9, 1.2), (5.1, 1.4),
        (4.7, 1.95),
    ]),
    "nasolabial-fold": lambda: LineString(spline([
        (2.05, -1.45), (2.5, -2.2), (2.95, -3.1), (3.25, -4.0), (3.35, -4.7),
    ])).buffer(0.4),
    "paranasal": lambda: blob([
        (1.15, 1.75), (1.7, 1.3), (2.4, 0.8), (2.75, 0.1), (2.8, -0.8), (2.5, -1.6), (2.0, -1.6),
        (1.7, -0.9), (1.4, -0.1), (1.0, 0.6), (0.8, 1.3),
    ]),
    "temple": lambda: Polygon([
        (5.0, 8.1), (5.15, 6.7), (5.35, 5.6), (5.7, 4.6), (5.85, 3.6), (6.4, 3.0), (6.5, 1.9),
        (6.7, 1.5), (8, 1.5), (8, 5), (6.5, 7.5),
    ]),
    "preauricular": lambda: Polygon(np.vstack([
        [(8, 1.5), (6.7, 1.5)],
        spline([(6.5, 1.2), (6.2, -0.5), (6.15, -2), (6.25, -3.7)]),
        [(8, -3.7)],
    ])),
    "jawline": lambda: whole(
        skin().difference(affinity.translate(skin().buffer(-0.75), 0, 0.55))
        .intersection(box(2.3, -12, 9, -3.7))
    ),
    "jowl": lambda: blob([
        (2.4, -6.4), (2.75, -5.4), (3.5, -5.0), (4.4, -5.2), (4.9, -6.0), (4.6, -7.0),
        (3.6, -7.8), (2.5, -8.2), (2.3, -7.4),
    ]),
}  # fmt: skip


def _perioral() -> BaseGeometry:
    return ring([
        (0, -1.95), (0.9, -1.85), (1.7, -1.75), (2.2, -2.3), (2.7, -3.2), (2.95, -4.2),
        (2.85, -5.1), (2.2, -5.75), (1.2, -6.05), (0, -6.1),
    ])  # fmt: skip


@cache
def leaves() -> dict[tuple[str, str], Polygon]:
    """Every face region that does not cover another, by area and side; they only touch."""
    eyes = union([eye_opening(), affinity.scale(eye_opening(), -1, 1, origin=(0, 0))])
    taken: BaseGeometry = eyes
    out: dict[tuple[str, str], Polygon] = {}

    def take(area: str, side: str, shape: BaseGeometry) -> None:
        nonlocal taken
        piece = whole(shape.intersection(skin()).difference(taken.buffer(0.004)))
        out[area, side] = piece
        taken = taken.union(piece)

    for area, draw in MIDDLE.items():
        take(area, "none", draw())
    for area, draw in PAIRED.items():
        if area == "nasolabial-fold":
            taken = taken.union(_perioral())
        shape = draw()
        take(area, "left", shape)
        take(area, "right", affinity.scale(shape, -1, 1, origin=(0, 0)))
    take("chin", "none", box(-2.45, -12, 2.45, -5.5).difference(_perioral()))
    take("forehead", "none", box(-6.2, 4, 6.2, 12).difference(box(-0.6, 2, 0.6, 4.4)))
    rest = skin().difference(taken)
    for side, half in (("left", box(0, -7.5, 9, 2.2)), ("right", box(-9, -7.5, 0, 2.2))):
        out["cheek", side] = whole(rest.intersection(half).buffer(-0.05).buffer(0.046))
    return out


@cache
def covers() -> dict[tuple[str, str], Polygon]:
    """The parent regions, which lie under the leaves they cover."""
    leaf = leaves()
    out = {("face", "none"): skin()}
    for side, sign in (("left", 1), ("right", -1)):
        names = ("upper-eyelid", "lower-eyelid", "tear-trough", "medial-canthus", "crows-feet")
        eye = affinity.scale(eye_opening(), sign, 1, origin=(0, 0))
        out["periorbital", side] = whole(
            union([eye, *(leaf[n, side] for n in names)]).buffer(0.06).buffer(-0.06)
        )
    out["perioral", "none"] = whole(_perioral().difference(nose()))
    lips = union([leaf["upper-lip", "none"], leaf["lower-lip", "none"]])
    out["lip", "none"] = whole(lips.buffer(0.05).buffer(-0.05))
    return out


class Surface:
    """Depth of the mesh under any point of the front view."""

    def __init__(self) -> None:
        self.corner = VERTICES[FACES]

    def depth(self, x: float, y: float) -> float:
        """z at (x, y); beyond the mesh, that of its nearest point."""
        a, b, c = self.corner[:, 0], self.corner[:, 1], self.corner[:, 2]
        v0, v1 = b[:, :2] - a[:, :2], c[:, :2] - a[:, :2]
        v2 = np.array([x, y]) - a[:, :2]
        den = v0[:, 0] * v1[:, 1] - v1[:, 0] * v0[:, 1]
        den = np.where(np.abs(den) < 1e-9, 1e-9, den)
        s = (v2[:, 0] * v1[:, 1] - v1[:, 0] * v2[:, 1]) / den
        t = (v0[:, 0] * v2[:, 1] - v2[:, 0] * v0[:, 1]) / den
        inside = (s >= -1e-6) & (t >= -1e-6) & (s + t <= 1 + 1e-6)
        z = a[:, 2] + s * (b[:, 2] - a[:, 2]) + t * (c[:, 2] - a[:, 2])
        if inside.any():
            return float(z[inside].max())
        gap = np.hypot(VERTICES[:, 0] - x, VERTICES[:, 1] - y)
        near = np.argsort(gap)[:3]
        weight = 1 / (gap[near] ** 2 + 1e-6)
        return float((VERTICES[near, 2] * weight).sum() / weight.sum())


def shade_bands(
    height: Points, xs: Points, ys: Points, light: tuple[float, float, float], levels: list[float]
) -> list[BaseGeometry]:
    """Where a height field turns from the light by more than each level, as smooth shapes.

    height is indexed [y, x] and may hold NaN outside the form; x and y in the chart's direction.
    """
    gy, gx = np.gradient(height, ys, xs)
    size = np.sqrt(gx**2 + gy**2 + 1)
    lx, ly, lz = np.array(light) / np.linalg.norm(light)
    dark = 1 - np.clip((-gx * lx - gy * ly + lz) / size, 0, 1)
    dark = _spread(_blur(dark, 3), 6)
    return [_above(dark, xs, ys, level) for level in levels]


def _blur(field: Points, times: int) -> Points:
    """Repeated 3 x 3 means that ignore NaN."""
    for _ in range(times):
        pad = np.pad(field, 1, constant_values=np.nan)
        stack = [
            pad[i : i + field.shape[0], j : j + field.shape[1]] for i in range(3) for j in range(3)
        ]
        known = ~np.isnan(field)
        count = np.sum(~np.isnan(stack), axis=0)
        field = np.where(known, np.nansum(stack, axis=0) / np.maximum(count, 1), np.nan)
    return field


def _spread(field: Points, times: int) -> Points:
    """The field carried past its edge, so that a band can be cut cleanly at the skin."""
    for _ in range(times):
        known = ~np.isnan(field)
        filled = _blur(np.where(known, field, 0), 1)
        share = _blur(known.astype(float), 1)
        field = np.where(
            known, field, np.where(share > 0, filled / np.maximum(share, 1e-9), np.nan)
        )
    return field


def _above(field: Points, xs: Points, ys: Points, level: float) -> BaseGeometry:
    cells = []
    for j in range(len(ys) - 1):
        for i in range(len(xs) - 1):
            quad = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            for tri in (quad[:3], [quad[0], quad[2], quad[3]]):
                cell = _clip([(xs[p], ys[q], field[q, p] - level) for p, q in tri])
                if cell is not None:
                    cells.append(cell)
    shape = union(cells).buffer(0.3).buffer(-0.3)
    kept = [whole(p.buffer(1.2).buffer(-2.0).buffer(0.8)) for p in _parts(shape) if p.area > 12]
    return union([blob(np.array(p.simplify(0.5).exterior.coords)[:-1], steps=4) for p in kept])


def _parts(shape: BaseGeometry) -> list[Polygon]:
    return [g for g in getattr(shape, "geoms", [shape]) if g.buffer(-0.9).area > 6]


def _clip(tri: list[tuple[float, float, float]]) -> Polygon | None:
    values = [v for _, _, v in tri]
    if any(np.isnan(values)) or max(values) <= 0:
        return None
    out: list[tuple[float, float]] = []
    for (x0, y0, v0), (x1, y1, v1) in zip(tri, tri[1:] + tri[:1], strict=True):
        if v0 > 0:
            out.append((x0, y0))
        if (v0 > 0) != (v1 > 0):
            t = v0 / (v0 - v1)
            out.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
    return Polygon(out) if len(out) > 2 else None
