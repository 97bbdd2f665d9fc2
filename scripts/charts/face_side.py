"""The profiles. The left one is drawn; the right one is its mirror image."""

from __future__ import annotations

import face_model as model
import numpy as np
from ink import Chart, PointList, Points, blob, ellipse, mirror, spline, union, whole
from shapely import affinity
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

WIDTH, HEIGHT = 272.0, 304.0
LEVEL = 151.0
ORIGIN = 112.0
NOTE = (
    "1 unit = 1 mm. Profile and features stand on the landmarks of MediaPipe's canonical face mesh"
    " turned by 90 degrees (depth stretched by 1.22 to an adult head 190 mm long, assumed mean)."
)

PROFILE_IDS = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1]


def at(points: PointList) -> Points:
    """(depth in model units towards the viewer's left, model y) to chart millimetres."""
    p = np.asarray(points, dtype=float)
    return np.column_stack([ORIGIN - p[:, 0] * model.DEPTH, LEVEL - p[:, 1] * model.DOWN])


def mm(points: PointList) -> Points:
    """(chart millimetres across, model y)."""
    p = np.asarray(points, dtype=float)
    return np.column_stack([p[:, 0], LEVEL - p[:, 1] * model.DOWN])


# The middle line of the face from hairline to chin: mesh landmarks, lips closed by hand.
FRONT = [
    (4.1, 9.3), (4.5, 8.3), (4.95, 6.5), (5.28, 4.95), (5.32, 4.05), (5.2, 3.3), (5.55, 2.5),
    (6.02, 1.6), (6.52, 0.7), (7.0, -0.15), (7.28, -0.7), (7.3, -1.15), (7.0, -1.58), (6.5, -1.85),
    (6.1, -2.12), (5.98, -2.5), (6.05, -3.0), (6.3, -3.42), (6.36, -3.8), (6.15, -4.15),
    (5.9, -4.27), (6.1, -4.5), (6.2, -4.9), (6.0, -5.3), (5.65, -5.75), (5.5, -6.15),
    (5.62, -6.7), (5.75, -7.4), (5.65, -8.2), (5.25, -8.95), (4.6, -9.45), (3.9, -9.62),
]  # fmt: skip
SKULL = [
    (66.2, 9.3), (72.5, 10.8), (86, 12.6), (105, 13.85), (130, 14.4), (158, 14.1), (186, 12.9),
    (212, 10.6), (230, 7.4), (238, 3.8), (237, 0.4), (230, -2.6), (221, -4.8),
]  # fmt: skip
NAPE = [(221, -4.8), (214, -6.6), (210, -8.6), (211, -10.8), (219, -13.2), (232, -14.6)]
THROAT = [
    (68.4, -9.62), (80, -9.75), (94, -9.95), (104, -10.35), (109, -11.1), (110.5, -12.0),
    (110.3, -12.9), (112, -13.8), (114.5, -14.6),
]  # fmt: skip
HAIRLINE = [
    (66.2, 9.3), (71, 8.75), (80, 8.0), (89, 6.9), (92, 5.6), (97, 4.6), (107, 4.0), (116, 3.2),
    (120, 1.8), (121, 0.2), (124, -0.6), (129, -0.4), (131, 1.2), (134, 2.6),
]  # fmt: skip
BEHIND = [
    (170, 2.4), (170, 0.2), (166, -1.6), (170, -3.4), (180, -4.9), (194, -5.9), (206, -6.5),
    (214.5, -6.4),
]  # fmt: skip
EAR = [
    (137, 1.6), (136.5, 2.7), (140, 3.9), (148, 4.5), (158, 4.4), (166, 3.5), (169.5, 2.0),
    (168, 0.4), (162, -0.8), (157, -1.7), (153, -2.5), (147.5, -2.9), (143.5, -2.5),
    (142, -1.6), (141, -0.9),
]  # fmt: skip
JAW = [(145, -2.6), (143, -4.2), (137, -6.0), (126, -7.3), (108, -8.4), (90, -9.25), (76, -9.6)]


def head() -> Polygon:
    return whole(
        Polygon(
            np.vstack([
                spline(at(FRONT)), spline(mm(THROAT)), spline(mm(NAPE))[::-1],
                spline(mm(SKULL))[::-1],
            ])
        )
    )  # fmt: skip


def skin() -> Polygon:
    """The face in profile: forehead to chin, back to the hairline, the ear and the jaw."""
    return whole(
        Polygon(
            np.vstack([
                spline(at(FRONT)), spline(mm(JAW))[::-1], mm([(141, -0.9), (137, 1.6)]),
                spline(mm(HAIRLINE))[::-1],
            ])
        )
    )  # fmt: skip


def draw_all() -> list[Chart]:
    left = draw("left")
    return [left, draw("right")]


def draw(side: str) -> Chart:
    chart = SideChart(f"face-{side}", f"Face, {side} side", WIDTH, HEIGHT, NOTE, pen=0.72)
    chart.turned = side == "right"
    _shade(chart)
    _outline(chart)
    _hair(chart)
    _ear(chart)
    _eye(chart)
    _features(chart)
    _regions(chart, side)
    chart.letter(side[0].upper(), 14 if chart.turned else WIDTH - 14, 22, 12)
    chart.scale_bar(12 if not chart.turned else WIDTH - 80, HEIGHT - 5, 5)
    return chart


class SideChart(Chart):
    """A chart whose drawing can be turned to the other side as it is put down."""

    turned = False

    def tone(self, shape: BaseGeometry, opacity: float) -> None:
        super().tone(mirror(shape, WIDTH) if self.turned else shape, opacity)

    def fill(self, shape: BaseGeometry, opacity: float = 1.0, dark: bool = False) -> None:
        super().fill(mirror(shape, WIDTH) if self.turned else shape, opacity, dark)

    def region(self, area: str, side: str, shape: BaseGeometry, parent: bool = False) -> None:
        super().region(area, side, mirror(shape, WIDTH) if self.turned else shape, parent)


def _shade(chart: Chart) -> None:
    """The mesh as a relief seen from the side."""
    surface_x = {}
    for x, y, z in _dense():
        key = (round((ORIGIN - z * model.DEPTH) / 1.6), round((LEVEL - y * model.DOWN) / 1.6))
        surface_x[key] = max(surface_x.get(key, -9.0), x)
    xs, ys = np.arange(16, 150) * 1.6, np.arange(36, 155) * 1.6
    height = np.full((len(ys), len(xs)), np.nan)
    for (i, j), value in surface_x.items():
        if 0 <= i - 16 < len(xs) and 0 <= j - 36 < len(ys):
            height[j - 36, i - 16] = value * model.ACROSS
    height = model._spread(height, 2)
    face = skin()
    for band in model.shade_bands(
        height, xs, ys, (-0.25, -0.45, 1), list(np.linspace(0.36, 0.74, 9))
    ):
        chart.tone(band.intersection(face), 0.021)
    neck = neck_shape()
    jaw = affinity.translate(
        Polygon(np.vstack([spline(mm(JAW)), mm([(70, -5), (140, -2)])])), 4, 26
    )
    chart.soft(jaw.intersection(neck), 16, 0.16, clip=neck)
    chart.rim(neck, 14, -2, 0.08)


def _dense() -> Points:
    """Points strewn over the left half of the mesh, closely enough to fill a 1.6 mm grid."""
    out = []
    for tri in model.VERTICES[model.FACES]:
        if tri[:, 0].mean() < -0.2:
            continue
        n = 14
        for i in range(n + 1):
            for j in range(n + 1 - i):
                a, b = i / n, j / n
                out.append(tri[0] * (1 - a - b) + tri[1] * a + tri[2] * b)
    return np.array(out)


def _outline(chart: Chart) -> None:
    chart.line(
        np.vstack([spline(at(FRONT)), spline(mm(THROAT))[1:]]), 1.3, 0.03, 0.06, smooth=False
    )
    chart.line(np.vstack([spline(mm(SKULL)), spline(mm(NAPE))[1:]]), 1.3, 0.03, 0.08, smooth=False)
    chart.line(mm(JAW), 0.95, 0.25, 0.45)
    chart.line(
        mm([(158, -3.2), (150, -6.4), (136, -10.0), (124, -13.0), (119, -14.6)]),
        0.7,
        0.5,
        0.4,
        opacity=0.7,
    )
    chart.line(
        mm([(196, -7.0), (190, -9.5), (188, -12.0), (193, -14.4)]), 0.5, 0.6, 0.5, opacity=0.5
    )
    chart.line(mm([(123, -14.5), (150, -13.9), (178, -14.5)]), 0.6, 0.3, 0.7, opacity=0.6)


def hair() -> Polygon:
    return whole(
        Polygon(
            np.vstack([
                spline(mm(HAIRLINE)), spline(mm(EAR[1:7])), spline(mm(BEHIND)),
                spline(mm(SKULL))[::-1],
            ])
        )
    )  # fmt: skip


def neck_shape() -> Polygon:
    rest = head().difference(skin()).difference(hair()).difference(blob(mm(EAR)))
    return whole(
        rest.intersection(box(100, LEVEL - 30, 300, 400).union(box(0, LEVEL + 60, 300, 400)))
    )


def _hair(chart: Chart) -> None:
    shape = hair()
    chart.tone(shape, 0.05)
    chart.rim(shape, 20, 4, 0.12)
    rng = np.random.default_rng(11)
    edge = spline(mm(HAIRLINE), steps=30)
    skull = spline(mm(SKULL), steps=20)
    along = np.linspace(0, 1, 40)
    for k, t in enumerate(np.linspace(0.0, 0.97, 64)):
        root = edge[int(t * (len(edge) - 1))]
        over = skull[(along * 0.72 * (len(skull) - 1)).astype(int)]
        over = over + (root - skull[0]) * (1 - 0.7 * along[:, None])
        aim = mm([(233, 6.4)])[0] + [-8 * (1 - t), 62 * (t - 0.35)]
        rise = 30 * (1 - t) ** 1.3 + (6 if t > 0.7 else 0)
        step = aim - root
        low = spline(
            [root, root + step * 0.4 - [0, rise], root + step * 0.75 - [0, rise * 0.75], aim]
        )
        low = low[(along * (len(low) - 1)).astype(int)]
        share = t**0.55
        full = spline((over * (1 - share) + low * share)[::6], steps=8)
        reach = 0.96 if k % 4 == 0 else rng.uniform(0.25, 0.7)
        part = full[: max(int(len(full) * reach), 4)]
        weight = 0.5 if k % 4 == 0 else 0.36
        chart.line(part, weight, 0.2, 0.7, smooth=False, opacity=0.8, clip=shape.buffer(-0.4))
    nape = spline(mm(BEHIND), steps=30)
    for k, t in enumerate(np.linspace(0.08, 0.99, 34)):
        root = nape[int(t * (len(nape) - 1))]
        aim = mm([(236, 4.4 - 5.2 * t)])[0]
        reach = 0.95 if k % 4 == 0 else rng.uniform(0.3, 0.7)
        points = [root, root + (aim - root) * reach * 0.5 + [2, 3], root + (aim - root) * reach]
        chart.line(
            points, 0.46 if k % 4 == 0 else 0.34, 0.2, 0.7, opacity=0.8, clip=shape.buffer(-0.4)
        )


def _ear(chart: Chart) -> None:
    shape = blob(mm(EAR))
    chart.tone(shape, 0.035)
    chart.line(mm(EAR), 1.15, 0.1, 0.3)
    chart.line(
        mm(
            [
                (143, 1.0),
                (141.5, 2.4),
                (145, 3.4),
                (151, 3.8),
                (158, 3.6),
                (163, 2.8),
                (165, 1.6),
                (163, 0.4),
                (159, -0.6),
            ]
        ),
        0.75,
        0.3,
        0.5,
    )
    chart.line(
        mm(
            [
                (148, 2.6),
                (153, 3.0),
                (158, 2.2),
                (159, 1.0),
                (155.5, -0.3),
                (151, -1.2),
                (147, -1.5),
            ]
        ),
        0.7,
        0.4,
        0.4,
    )
    chart.line(mm([(152, 2.0), (154.5, 1.6), (154.5, 0.9)]), 0.5, 0.5, 0.5)
    chart.line(
        mm([(141, -0.9), (144.5, -0.4), (145.5, 0.4), (142.5, 1.0), (140.5, 1.6)]), 0.85, 0.2, 0.4
    )
    bowl = blob(
        mm(
            [
                (145.5, 1.2),
                (151, 1.6),
                (153.5, 0.7),
                (151.5, -0.5),
                (147.8, -1.2),
                (145.5, -0.6),
                (146.6, 0.2),
            ]
        )
    )
    chart.soft(bowl, 3, 0.3)
    chart.line(mm([(147, -1.5), (144.8, -1.3), (144.2, -0.8)]), 0.7, 0.3, 0.5)


def eye_opening() -> Polygon:
    return whole(Polygon(np.vstack([spline(at(UPPER)), spline(at(LOWER))])))


UPPER = [(3.05, 2.5), (3.45, 2.95), (3.9, 3.22), (4.28, 3.28), (4.5, 3.12), (4.52, 2.88)]
LOWER = [(4.52, 2.88), (4.42, 2.5), (4.25, 2.2), (3.85, 2.16), (3.4, 2.28), (3.05, 2.5)]


def _eye(chart: Chart) -> None:
    opening = eye_opening()
    cx, cy = at([(4.32, 2.7)])[0]
    iris = ellipse(cx, cy, 2.7, 5.4)
    seen = iris.intersection(opening)
    glint = ellipse(cx - 0.3, cy - 1.9, 0.6, 0.95)
    chart.tone(opening.difference(affinity.translate(opening, 0, 2)), 0.22)
    chart.fill(seen.difference(glint), 0.3)
    chart.fill(iris.difference(iris.buffer(-0.5)).intersection(opening), 0.9)
    chart.fill(
        ellipse(cx - 0.4, cy, 1.05, 2.2).intersection(opening).difference(glint), 0.95, dark=True
    )
    chart.line(at(UPPER), 2.1, 0.4, 0.25)
    chart.line(at(LOWER), 0.75, 0.3, 0.3)
    chart.line(at([(4.56, 3.1), (4.53, 2.85), (4.44, 2.5), (4.32, 2.24)]), 0.8, 0.3, 0.4)
    chart.line(
        at([(2.75, 2.75), (3.2, 3.28), (3.75, 3.62), (4.3, 3.72), (4.62, 3.55)]), 0.9, 0.5, 0.4
    )
    chart.line(at([(3.2, 1.6), (3.7, 1.45), (4.25, 1.6)]), 0.5, 0.5, 0.6, opacity=0.6)
    for z, y, dz, dy in (
        (4.5, 3.1, 0.5, 0.22),
        (4.3, 3.26, 0.5, 0.36),
        (4.0, 3.24, 0.4, 0.42),
        (3.7, 3.1, 0.2, 0.4),
    ):
        chart.line(at([(z, y), (z + dz * 0.7, y + dy * 0.3), (z + dz, y + dy)]), 0.8, 0, 0.9)
    brow = blob(at(BROW))
    chart.tone(brow.buffer(-0.4), 0.16)
    rng = np.random.default_rng(5)
    low, high = spline(at(BROW[:4]), steps=30), spline(at(BROW[4:][::-1]), steps=30)
    for t in np.linspace(0, 0.95, 48):
        a, b = low[int(t * (len(low) - 1))], high[int(min(t + 0.05, 1) * (len(high) - 1))]
        root = a + (b - a) * rng.uniform(0, 0.55)
        lean = np.array([1.6 + 4.4 * t, -5.4 * (1 - t) ** 1.2 + 2.2 * t]) * rng.uniform(0.75, 1.05)
        chart.line(
            [root, root + lean * [0.4, 0.6], root + lean], 0.62, 0.1, 0.8, clip=brow.buffer(0.5)
        )


BROW = [
    (5.08, 4.24), (4.75, 4.55), (4.05, 4.68), (2.62, 3.95), (2.6, 4.05), (3.55, 4.95),
    (4.35, 5.1), (4.92, 4.9),
]  # fmt: skip


def _features(chart: Chart) -> None:
    wing = [
        (6.35, -0.35),
        (6.0, -0.2),
        (5.55, -0.5),
        (5.3, -1.0),
        (5.4, -1.5),
        (5.75, -1.7),
        (6.1, -1.62),
    ]
    chart.line(at(wing), 1.0, 0.5, 0.3)
    nostril = blob(at([(6.05, -1.62), (6.3, -1.42), (6.7, -1.48), (6.85, -1.68), (6.5, -1.76)]))
    chart.fill(nostril, 0.72, dark=True)
    chart.line(at([(6.1, -1.62), (6.4, -1.85), (6.62, -1.85)]), 0.6, 0.3, 0.4)
    chart.line(
        at([(5.25, -1.2), (4.95, -1.9), (4.65, -2.9), (4.5, -3.6)]), 0.6, 0.3, 0.8, opacity=0.65
    )
    mouth = [(6.0, -4.27), (5.6, -4.28), (5.2, -4.22), (4.8, -4.3), (4.5, -4.45)]
    chart.line(at(mouth), 1.4, 0.05, 0.4)
    chart.line(at([(4.55, -4.3), (4.4, -4.45), (4.4, -4.62)]), 0.6, 0.4, 0.6)
    chart.line(at([(6.2, -3.3), (5.9, -3.45), (5.3, -3.8), (4.75, -4.2)]), 0.65, 0.2, 0.4)
    chart.line(at([(5.98, -5.3), (5.5, -5.22), (5.0, -4.85), (4.65, -4.5)]), 0.75, 0.2, 0.6)
    chart.tone(lip_upper(), 0.17)
    chart.tone(lip_lower(), 0.07)
    chart.soft(blob(at([(5.5, -5.5), (4.9, -5.4), (4.6, -5.7), (5.0, -6.1), (5.4, -6.1)])), 3, 0.14)
    chart.line(at([(5.5, -6.12), (5.2, -6.2), (4.85, -6.05)]), 0.5, 0.1, 0.7, opacity=0.6)
    chart.line(at([(1.4, 0.5), (1.9, -0.7), (2.0, -1.8)]), 0.4, 0.6, 0.6, opacity=0.35)


def lip_upper() -> Polygon:
    return whole(
        Polygon(
            at(
                [
                    (6.6, -3.3),
                    (5.9, -3.45),
                    (5.3, -3.8),
                    (4.55, -4.35),
                    (5.2, -4.22),
                    (5.6, -4.28),
                    (6.6, -4.27),
                ]
            )
        ).intersection(head())
    )


def lip_lower() -> Polygon:
    return whole(
        Polygon(
            at(
                [
                    (6.6, -4.27),
                    (5.6, -4.28),
                    (5.2, -4.22),
                    (4.55, -4.4),
                    (5.0, -4.85),
                    (5.5, -5.22),
                    (6.6, -5.3),
                ]
            )
        ).intersection(head())
    )


def nose() -> Polygon:
    return whole(
        blob(at([
            (5.5, 3.3), (4.95, 3.2), (4.85, 2.3), (5.1, 1.4), (5.45, 0.4), (5.5, -0.4),
            (5.25, -1.0),
            (5.4, -1.6), (5.9, -1.75), (6.2, -2.1), (8.2, -2.1), (8.2, 0), (6.2, 2.6),
        ])).intersection(head())
    )  # fmt: skip


def _regions(chart: Chart, side: str) -> None:
    face = skin()
    scalp = hair()
    chart.region("face", "none", face, parent=True)
    chart.region("scalp", "none", scalp, parent=True)
    neck = neck_shape()
    chart.region("neck", "none", neck.buffer(-0.1), parent=True)
    leaf = _leaves(face)
    lids = ("upper-eyelid", "lower-eyelid", "tear-trough", "crows-feet")
    eye = union([eye_opening(), *(leaf[n] for n in lids)]).buffer(0.6).buffer(-0.6)
    chart.region("periorbital", side, eye, parent=True)
    mouth = _perioral().intersection(face).difference(leaf["nose"].buffer(0.05))
    chart.region("perioral", "none", mouth, parent=True)
    lips = union([leaf["upper-lip"], leaf["lower-lip"]]).buffer(0.4).buffer(-0.4)
    chart.region("lip", "none", lips, parent=True)
    for area, shape in leaf.items():
        chart.region(area, side if (area, "left") in model.leaves() else "none", shape)
    _scalp_regions(chart, side, scalp)
    _neck_regions(chart, side, neck)


def _perioral() -> Polygon:
    return blob(mm([
        (44, -1.9), (51, -1.75), (54, -2.4), (58, -3.4), (61.5, -4.4), (61.5, -5.2), (57, -5.95),
        (48, -6.15), (36, -6.0), (30, -4),
    ]))  # fmt: skip


def _drawn() -> dict[str, BaseGeometry]:
    """The skin regions of the profile, in order of precedence."""
    jaw = LineString(spline(mm(JAW))).buffer(11, single_sided=True)
    return {
        "nose": nose(),
        "upper-lip": lip_upper(),
        "lower-lip": lip_lower(),
        "eyebrow": blob(at(BROW)),
        "upper-eyelid": blob(mm([
            (54.5, 3.3), (54, 4.2), (60, 4.7), (70, 4.8), (80, 4.3), (83.5, 3.6), (81, 2.7),
            (78, 2.4), (70, 2.7), (61, 2.8), (57, 2.9),
        ])),
        "lower-eyelid": blob(mm([
            (61, 2.5), (68, 2.4), (78, 2.45), (82, 2.4), (80.5, 1.7), (73, 1.2), (65, 1.3),
            (60.5, 1.8),
        ])),
        "tear-trough": blob(mm([
            (57.5, 2.1), (60, 1.8), (65, 1.4), (73, 1.3), (73, 0.8), (66, 0.2), (60, 0.5),
            (57.5, 1.2),
        ])),
        "crows-feet": blob(mm([
            (81, 2.6), (83, 3.4), (88, 3.7), (94, 3.0), (95, 1.9), (91, 1.0), (85, 1.0),
            (81.5, 1.8),
        ])),
        "nasolabial-fold": LineString(spline(mm([
            (54, -1.3), (57, -2.2), (60.5, -3.3), (63.5, -4.3), (65, -5.1),
        ]))).buffer(3.8).difference(_perioral()),
        "paranasal": blob(mm([
            (55.5, 1.2), (60, 0.6), (65, 0.2), (67, -0.7), (65, -1.9), (60, -2.5), (54, -1.5),
            (50, -0.5), (51, 0.6),
        ])),
        "temple": Polygon(np.vstack([
            spline(mm([(82, 8.6), (80, 7.0), (80.5, 5.4), (84, 4.2), (86, 3.6)])),
            mm([(92, 3.4), (95.5, 2.4), (96.5, 1.7), (122, 1.7), (122, 5), (100, 8.6)]),
        ])),
        "preauricular": Polygon(np.vstack([
            spline(mm([(109, 1.7), (105, 0.2), (103, -1.7), (105, -3.6)])),
            mm([(150, -3.6), (150, 2), (122, 1.7)]),
        ])),
        "jawline": jaw.intersection(box(85, LEVEL + 3.6 * model.DOWN, 160, 400)),
        "jowl": Polygon(np.vstack([
            spline(mm([(69, -9.7), (68, -8.2), (65, -6.8), (64.5, -5.6)])),
            spline(mm([(68, -5.0), (76, -4.9), (83, -5.6), (85.5, -6.8), (85, -9.4)])),
            mm([(84, -10)]),
        ])),
        "chin": Polygon(mm([
            (64.5, -5.4), (65, -6.8), (68, -8.2), (69, -9.9), (20, -9.9), (20, -5.5),
        ])).difference(_perioral()),
        "forehead": Polygon(mm([(0, 4.3), (60, 4.5), (84, 4.9), (92, 5.0), (120, 12), (0, 12)])),
        "cheek": Polygon(mm([
            (55, 1.6), (70, 2), (128, 1.7), (128, -8), (60, -8), (54, -2),
        ])).difference(_perioral()),
    }  # fmt: skip


def _leaves(face: Polygon) -> dict[str, Polygon]:
    out: dict[str, Polygon] = {}
    taken: BaseGeometry = eye_opening()
    for area, shape in _drawn().items():
        piece = shape.buffer(0).intersection(face).difference(taken.buffer(0.04))
        out[area] = whole(piece)
        taken = taken.union(out[area])
    out["cheek"] = whole(out["cheek"].buffer(-0.4).buffer(0.4))
    return out


def _scalp_regions(chart: Chart, side: str, scalp: Polygon) -> None:
    cut = scalp.buffer(-0.05)
    front = Polygon(mm([(40, 20), (128, 20), (112, 10), (88, 7.2), (60, 8)]))
    top = Polygon(mm([(160, 20), (260, 20), (260, 8.2), (222, 8.2), (190, 10.6), (168, 12.4)]))
    low = Polygon(
        mm(
            [
                (88, 7.25),
                (104, 8.4),
                (130, 8.6),
                (156, 7.6),
                (174, 5.2),
                (180, 2),
                (176, 0),
                (166, -4),
                (80, -4),
            ]
        )
    )
    back = Polygon(
        mm(
            [
                (180, 2),
                (174, 5.2),
                (196, 4.6),
                (260, 4.4),
                (260, -10),
                (160, -10),
                (166, -2),
                (176, 0),
            ]
        )
    )
    frontal = whole(cut.intersection(front))
    vertex = whole(cut.intersection(top))
    temporal = whole(cut.intersection(low).difference(front.buffer(0.04)))
    occipital = whole(cut.intersection(back).difference(low.buffer(0.04)))
    rest = cut.difference(union([frontal, vertex, temporal, occipital]).buffer(0.04))
    chart.region("frontal-scalp", "none", frontal)
    chart.region("vertex", "none", vertex)
    chart.region("temporal-scalp", side, temporal)
    chart.region("occipital-scalp", "none", occipital)
    chart.region("parietal-scalp", side, rest)


def _neck_regions(chart: Chart, side: str, neck: Polygon) -> None:
    inner = neck.buffer(-0.15)
    under = whole(
        inner.intersection(
            Polygon(mm([(60, -8), (132, -6.6), (124, -9.2), (106, -10.35), (90, -11), (60, -11)]))
        )
    )
    sterno = spline(mm([(150, -2), (146, -5.6), (140, -8.0), (131, -11.0), (121, -14.9)]))
    before = Polygon(np.vstack([sterno, [(60, 300), (60, 200)]]))
    behind = Polygon(
        np.vstack(
            [
                spline(mm([(168, -2.6), (184, -6.0), (186, -9), (184, -12), (188, -15)])),
                [(260, 310), (260, 150)],
            ]
        )
    )
    anterior = whole(inner.intersection(before).difference(under.buffer(0.04)))
    nape = whole(inner.intersection(behind))
    lateral = whole(inner.difference(union([under, anterior, nape]).buffer(0.04)))
    chart.region("submental", "none", under)
    chart.region("neck-anterior", "none", anterior)
    chart.region("neck-lateral", side, lateral)
    chart.region("nape", "none", nape)
