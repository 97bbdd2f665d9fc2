"""The face from the front."""

from __future__ import annotations

import face_model as model
import numpy as np
from ink import Chart, PointList, Points, ellipse, mirror, mirror_points, spline, union, whole
from shapely import affinity
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

WIDTH, HEIGHT = 210.0, 304.0
MID, LEVEL = 105.0, 151.0
NOTE = (
    "1 unit = 1 mm. Features stand on the landmarks of MediaPipe's canonical face mesh, scaled to"
    " an adult face 142 mm wide and 183 mm from hairline to chin (assumed mean of both sexes)."
)


def at(points: PointList) -> Points:
    """Model units to chart millimetres; the patient's left is on the viewer's right."""
    p = np.asarray(points, dtype=float)
    return np.column_stack([MID + p[:, 0] * model.ACROSS, LEVEL - p[:, 1] * model.DOWN])


def place(shape: BaseGeometry) -> BaseGeometry:
    return affinity.affine_transform(shape, [model.ACROSS, 0, 0, -model.DOWN, MID, LEVEL])


SKULL = [
    (0, 14.3), (2.3, 14.05), (4.4, 13.2), (6.2, 11.6), (7.4, 9.3), (8.0, 6.8), (8.1, 4.8),
    (7.9, 3.2),
]  # fmt: skip
EAR = [
    (7.72, 3.0), (7.95, 3.75), (8.5, 4.0), (8.95, 3.55), (9.02, 2.5), (8.78, 1.2), (8.5, 0.2),
    (8.35, -0.8), (8.0, -1.55), (7.62, -1.5), (7.45, -1.0),
]  # fmt: skip
NECK = [
    (6.15, -5.6), (6.0, -7.0), (5.95, -8.8), (6.0, -10.4), (6.35, -11.6), (7.3, -12.7),
    (9.0, -13.6), (10.6, -14.2),
]  # fmt: skip


def draw() -> Chart:
    chart = Chart("face-front", "Face, front", WIDTH, HEIGHT, NOTE, pen=0.72)
    _shade(chart)
    _head(chart)
    _hair(chart)
    for side in (1, -1):
        _eye(chart, side)
        _brow(chart, side)
        _ear(chart, side)
    _nose(chart)
    _mouth(chart)
    _folds(chart)
    _regions(chart)
    chart.letter("R", 14, 22, 12)
    chart.letter("L", WIDTH - 14, 22, 12)
    chart.scale_bar(12, HEIGHT - 5, 5)
    return chart


def pair(chart: Chart, points: PointList, width: float, **how: float) -> None:
    p = at(points)
    chart.line(p, width, **how)
    chart.line(mirror_points(p, WIDTH), width, **how)


def head() -> Polygon:
    return whole(union([place(model.skin()), place(model.ring([*SKULL, (7.6, 1.0), (0, -2)]))]))


def neck() -> Polygon:
    half = [(0, -6), *NECK, (10.6, -14.8), (0, -14.8)]
    left = Polygon(np.vstack([at(half[:1]), spline(at(NECK)), at(half[-2:])]))
    return whole(union([left, mirror(left, WIDTH)]))


def _shade(chart: Chart) -> None:
    surface = model.Surface()
    xs, ys = np.linspace(30, 180, 101), np.linspace(60, 246, 125)
    skin = place(model.skin().buffer(0.05))
    height = np.full((len(ys), len(xs)), np.nan)
    for j, y in enumerate(ys):
        row = skin.intersection(box(0, y - 0.01, WIDTH, y + 0.01))
        if row.is_empty:
            continue
        low, high = row.bounds[0], row.bounds[2]
        for i, x in enumerate(xs):
            if low <= x <= high:
                height[j, i] = surface.depth((x - MID) / model.ACROSS, (LEVEL - y) / model.DOWN)
    height = (height + height[:, ::-1]) / 2 * model.ACROSS
    levels = list(np.linspace(0.235, 0.69, 11))
    for band in model.shade_bands(height, xs, ys, (0, -0.42, 1), levels):
        chart.tone(band.intersection(skin), 0.021)
    under = neck().difference(skin.buffer(0.2))
    jaw = affinity.translate(skin, 0, 26)
    chart.soft(jaw.intersection(under), 16, 0.16, clip=under)
    for side in (1, -1):
        ear = place(affinity.scale(model.blob(EAR), side, 1, origin=(0, 0)))
        chart.tone(ear.difference(skin), 0.05)


def _head(chart: Chart) -> None:
    jaw = [(7.4, -1.1), *model.JAW[2:], *model.CHIN]
    chart.line(at(model.both(jaw)), 1.25, 0.06, 0.06)
    chart.line(at(model.both(SKULL)), 1.25, 0.06, 0.06)
    pair(chart, NECK, 1.1, start=0.1, end=0.3)


def _hair(chart: Chart) -> None:
    """Hair combed back: fine strokes from the hairline to the crown."""
    line = spline(at(model.HAIRLINE + model.SIDEBURN[:2]), steps=30)
    skull = spline(at(SKULL), steps=30)
    rng = np.random.default_rng(7)
    for k, t in enumerate(np.linspace(0.012, 1.0, 46)):
        root = line[int(t**0.9 * (len(line) - 1))]
        tip = skull[int(min(t * 0.96 + 0.02, 1) * (len(skull) - 1))]
        reach = 0.97 if k % 3 == 0 else rng.uniform(0.35, 0.8)
        end = root + (tip - root) * reach
        bow = np.array([min(9 * t, 1) * 3.2, -1.5]) * reach
        points = [root, root + (end - root) * 0.45 + bow, end]
        weight = 0.5 if k % 3 == 0 else 0.36
        chart.line(points, weight, 0.3, 0.7, opacity=0.8)
        chart.line(mirror_points(points, WIDTH), weight, 0.3, 0.7, opacity=0.8)
    scalp = head().difference(place(model.skin()))
    chart.tone(scalp, 0.05)
    crown = affinity.scale(head(), 0.86, 0.86, origin=(MID, 60))
    chart.soft(scalp.difference(crown), 5, 0.1)


def _eye(chart: Chart, side: int) -> None:
    def put(shape: BaseGeometry) -> BaseGeometry:
        return place(affinity.scale(shape, side, 1, origin=(0, 0)))

    def lay(points: PointList) -> Points:
        p = at(points)
        return p if side == 1 else mirror_points(p, WIDTH)

    opening = put(model.eye_opening())
    cx, cy = lay([(3.2, 2.66)])[0]
    iris, pupil = ellipse(cx, cy, 5.7, 5.7), ellipse(cx, cy, 2.3, 2.3)
    glint = ellipse(cx + 1.7, cy - 1.9, 1.05, 1.05)
    shadow = affinity.translate(opening, 0, 2.0)
    chart.tone(opening.difference(shadow), 0.22)
    ring = iris.difference(iris.buffer(-0.55)).intersection(opening)
    chart.fill(ring, 0.9)
    chart.fill(iris.intersection(opening).difference(glint), 0.28)
    chart.fill(pupil.intersection(opening).difference(glint), 0.95, dark=True)
    for angle in np.linspace(0, 2 * np.pi, 26)[:-1]:
        ray = [(cx + r * np.cos(angle), cy + r * np.sin(angle)) for r in (2.7, 4.9)]
        chart.line(ray, 0.3, 0.2, 0.6, smooth=False, opacity=0.6, clip=opening.difference(glint))
    chart.line(lay(model.UPPER_LASH), 2.1, 0.35, 0.5)
    chart.line(lay([(4.5, 2.62), (4.72, 2.6), (4.85, 2.66)]), 0.9, 0, 0.9)
    chart.line(lay(model.LOWER_LASH), 0.75, 0.5, 0.2)
    chart.line(lay([(1.8, 2.46), (1.66, 2.36), (1.62, 2.3)]), 0.7, 0, 0.6)
    chart.line(lay([(2.02, 2.62), (1.98, 2.5), (2.05, 2.38)]), 0.45)
    crease = [(4.95, 2.82), (4.5, 3.2), (3.85, 3.5), (3.15, 3.58), (2.5, 3.42), (2.0, 3.05)]
    chart.line(lay(crease), 0.9, 0.4, 0.5)
    chart.line(lay([(1.75, 2.0), (2.3, 1.62), (3.0, 1.45), (3.7, 1.5)]), 0.5, 0.3, 0.7, opacity=0.6)
    for x, y, dx, dy in ((4.5, 2.66, 0.32, 0.2), (4.25, 2.86, 0.3, 0.3), (3.95, 3.02, 0.22, 0.34)):
        chart.line(lay([(x, y), (x + dx * 0.6, y + dy * 0.4), (x + dx, y + dy)]), 0.8, 0, 0.9)


def _brow(chart: Chart, side: int) -> None:
    """Hairs laid along the brow: upright at the inner end, flat at the tail."""
    low, high = spline(model.BROW_LOW, steps=40), spline(model.BROW_HIGH[::-1], steps=40)
    rng = np.random.default_rng(3)
    shape = place(affinity.scale(model.brow(), side, 1, origin=(0, 0)))
    chart.tone(shape.buffer(-0.4), 0.16)
    for t in np.linspace(0.0, 0.95, 62):
        a, b = low[int(t * (len(low) - 1))], high[int(min(t + 0.05, 1) * (len(high) - 1))]
        u = rng.uniform(0.02, 0.55)
        root = a + (b - a) * u
        lean = np.array([0.28 + 0.5 * t, 0.62 * (1 - t) ** 1.2 - 0.25 * t]) * rng.uniform(
            0.75, 1.05
        )
        tip = root + lean
        points = at([root, root + lean * [0.45, 0.6], tip])
        points = points if side == 1 else mirror_points(points, WIDTH)
        chart.line(points, 0.62, 0.1, 0.8, clip=shape.buffer(0.5))


def _ear(chart: Chart, side: int) -> None:
    def lay(points: PointList) -> Points:
        p = at(points)
        return p if side == 1 else mirror_points(p, WIDTH)

    chart.line(lay(EAR), 1.15, 0.1, 0.2)
    chart.line(lay([(8.0, 3.3), (8.45, 3.55), (8.7, 3.1), (8.72, 2.2), (8.5, 1.0)]), 0.6, 0.2, 0.6)
    chart.line(lay([(8.0, 2.3), (8.3, 2.2), (8.38, 1.4), (8.15, 0.6), (8.1, 0.1)]), 0.6, 0.4, 0.4)
    chart.line(lay([(7.75, 1.5), (7.9, 1.1), (7.8, 0.6)]), 0.6)


def _nose(chart: Chart) -> None:
    pair(
        chart,
        [(1.62, -0.28), (1.86, -0.75), (1.9, -1.2), (1.68, -1.58), (1.35, -1.6)],
        1.1,
        start=0.4,
    )
    pair(chart, [(1.35, -1.6), (1.05, -1.42), (0.72, -1.5), (0.52, -1.75)], 1.0, start=0.2, end=0.4)
    nostril = model.blob([(0.58, -1.72), (0.82, -1.5), (1.12, -1.5), (1.3, -1.66), (0.95, -1.78)])
    for side in (1, -1):
        chart.fill(place(affinity.scale(nostril, side, 1, origin=(0, 0))), 0.72, dark=True)
    base = [(-0.55, -1.74), (-0.28, -1.98), (0, -2.06), (0.28, -1.98), (0.55, -1.74)]
    chart.line(at(base), 0.9, 0.3, 0.3)
    pair(
        chart,
        [(1.05, 3.9), (0.82, 3.2), (0.76, 2.4), (0.82, 1.7)],
        0.55,
        start=0.3,
        end=0.9,
        opacity=0.7,
    )
    pair(chart, [(0.98, -0.55), (0.88, -0.95), (1.02, -1.3)], 0.5, start=0.5, end=0.5, opacity=0.6)
    chart.line(at([(-0.3, -0.75), (0, -0.9), (0.3, -0.75)]), 0.4, 0.5, 0.5, opacity=0.5)


def _mouth(chart: Chart) -> None:
    chart.tone(place(model.lip_upper()), 0.17)
    chart.tone(place(model.lip_lower()), 0.07)
    chart.soft(place(ellipse(0, -5.15, 1.6, 0.35)), 3, 0.1, clip=place(model.lip_lower()))
    chart.soft(place(ellipse(0, -5.75, 1.5, 0.38)), 3.2, 0.17)
    chart.line(at(model.both(model.LIP_LINE)), 1.5, 0.25, 0.25)
    chart.line(at(model.both(model.LIP_TOP)), 0.75, 0.15, 0.15, opacity=0.9)
    chart.line(at(model.both(model.LIP_LOW[1:])), 0.85, 0.45, 0.45)
    pair(chart, [(2.3, -4.3), (2.55, -4.33), (2.66, -4.44)], 0.8, start=0.5, end=0.7)
    for x in np.linspace(-1.7, 1.7, 13):
        rise = 0.28 * (1 - abs(x) / 2.4)
        line = [(x * 0.98, -4.36), (x * 1.03, -4.4 - rise), (x * 1.06, -4.45 - rise * 1.8)]
        chart.line(at(line), 0.3, 0.2, 0.7, opacity=0.6)
        line = [(x * 0.98, -4.16), (x, -4.1 + rise * 0.4), (x * 0.98, -4.02 + rise)]
        chart.line(at(line), 0.3, 0.2, 0.7, opacity=0.5, clip=place(model.lip_upper()))
    pair(chart, [(0.36, -2.2), (0.42, -2.7), (0.58, -3.2)], 0.45, start=0.5, end=0.4, opacity=0.6)


def _folds(chart: Chart) -> None:
    pair(
        chart,
        [(2.05, -1.2), (2.45, -1.9), (2.85, -2.8), (3.05, -3.5)],
        0.6,
        start=0.3,
        end=0.8,
        opacity=0.65,
    )
    chart.line(at([(-1.0, -6.1), (0, -6.28), (1.0, -6.1)]), 0.6, 0.5, 0.5, opacity=0.7)
    pair(chart, [(5.6, 0.5), (6.1, -0.6), (5.9, -1.6)], 0.4, start=0.6, end=0.6, opacity=0.35)
    pair(
        chart,
        [(5.2, -8.1), (4.4, -10.2), (3.0, -12.6), (1.4, -14.2)],
        0.7,
        start=0.4,
        end=0.4,
        opacity=0.7,
    )
    pair(chart, [(0.95, -14.2), (0.45, -14.6), (0, -14.7)], 0.7, start=0.5, end=0.0, opacity=0.7)
    pair(chart, [(1.9, -14.1), (4.5, -13.75), (7.4, -13.6)], 0.7, start=0.2, end=0.8, opacity=0.6)
    pair(chart, [(0.9, -10.6), (0.6, -11.1), (0.7, -11.7)], 0.4, start=0.5, end=0.5, opacity=0.4)
    chart.line(at([(-2.6, -11.9), (0, -12.2), (2.6, -11.9)]), 0.35, 0.5, 0.5, opacity=0.35)


def _regions(chart: Chart) -> None:
    for (area, side), shape in model.covers().items():
        chart.region(area, side, place(shape), parent=True)
    below = affinity.translate(place(model.skin()), 0, 16).difference(place(model.skin()))
    chin = below.intersection(neck()).intersection(box(58, 200, 152, 290))
    chart.region("submental", "none", chin.buffer(-0.1))
    for (area, side), shape in model.leaves().items():
        chart.region(area, side, place(shape))
