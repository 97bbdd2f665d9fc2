"""The scalp from above, face downwards, as the practitioner standing in front sees a bowed head."""

from __future__ import annotations

import numpy as np
from ink import Chart, blob, ellipse, mirror, mirror_points, spline, union, whole
from shapely.geometry import Polygon, box

WIDTH, HEIGHT = 220.0, 250.0
MID = 110.0
NOTE = (
    "1 unit = 1 mm. Drawn by hand; head 195 mm long and 155 mm wide (assumed adult mean). Seen"
    " from above with the face at the foot of the chart, so the patient's right is on the left."
)
# Right-hand half of the chart, from the back of the head to the brow.
HEAD = [
    (0, 17), (24, 20), (47, 32), (66, 53), (75.5, 80), (77.5, 104), (75, 130), (68, 156),
    (58, 178), (44, 197), (26, 208), (0, 212),
]  # fmt: skip
HAIRLINE = [(0, 188), (18, 187), (36, 181), (46, 172), (53, 164), (61, 161), (69, 154)]
CROWN = (MID + 3, 74.0)


def draw() -> Chart:
    chart = Chart("scalp", "Scalp, from above", WIDTH, HEIGHT, NOTE, pen=0.72)
    head = skull()
    _head(chart, head)
    _hair(chart)
    _regions(chart)
    chart.letter("R", 14, 22, 12)
    chart.letter("L", WIDTH - 14, 22, 12)
    chart.scale_bar(12, HEIGHT - 6, 5)
    return chart


def half(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(MID + x, y) for x, y in points]


def across(points: list[tuple[float, float]]) -> np.ndarray:
    right = np.array(half(points))
    return np.vstack([mirror_points(right[::-1], WIDTH)[:-1], right])


def skull() -> Polygon:
    right = half(HEAD)
    return blob(right + [tuple(p) for p in mirror_points(right[1:-1][::-1], WIDTH)])


def scalp() -> Polygon:
    line = spline(across([*HAIRLINE, (80, 146)]))
    cap = Polygon(np.vstack([line, [(WIDTH, -5), (0, -5)]]))
    return whole(skull().intersection(cap))


def _head(chart: Chart, head: Polygon) -> None:
    nose = [(-11, 210.5), (-9, 214), (-9.2, 218), (-6, 223), (0, 225)]
    nose_shape = blob(across([(0, 225), (6, 223), (9.2, 218), (9, 214), (11, 205)]))
    ears = [(74, 88), (80, 86), (87, 88), (88.5, 95), (85, 104), (80, 112), (75.5, 114)]
    ear = blob(half(ears))
    for shape in (ear, mirror(ear, WIDTH)):
        chart.tone(shape.difference(head), 0.05)
    chart.tone(nose_shape.difference(head), 0.04)
    for points in (half(nose), [(MID - x + MID, y) for x, y in half(nose)]):
        chart.line(points, 1.1, 0.1, 0.0)
    for flip in (False, True):
        for points, width in ((ears, 1.15), ([(78, 90), (83.5, 90.5), (84, 96), (80, 105)], 0.6)):
            p = np.array(half(points))
            chart.line(mirror_points(p, WIDTH) if flip else p, width, 0.1, 0.3)
    chart.contour(head, 1.2)
    chart.rim(head, 9, 0, 0.09)
    chart.rim(head, -9, 0, 0.09)
    chart.rim(head, 0, -9, 0.09)
    chart.rim(head, 0, 9, 0.05)
    brow = [(10, 206.5), (22, 204.5), (36, 198.5), (45, 191)]
    for k, t in enumerate(np.linspace(0, 1, 26)):
        p = spline(half(brow), steps=20)
        a = p[int(t * (len(p) - 1))]
        stroke = a + np.array([[0, 0], [1.6, 1.6 + 0.3 * (k % 3)], [4.0, 2.2]])
        for s in (stroke, mirror_points(stroke, WIDTH)):
            chart.line(s, 0.6, 0.1, 0.8, clip=head)


def _hair(chart: Chart) -> None:
    """Hair as it grows: a clockwise whorl at the crown, then outwards to the hairline."""
    shape = scalp()
    chart.tone(shape, 0.05)
    chart.soft(ellipse(*CROWN, 16, 16), 14, 0.1)
    rng = np.random.default_rng(2)
    edge = np.array(shape.exterior.segmentize(1).coords)
    cx, cy = CROWN
    for k in range(150):
        goal = edge[int(k / 150 * len(edge))]
        angle = np.arctan2(goal[1] - cy, goal[0] - cx)
        far = np.hypot(goal[0] - cx, goal[1] - cy)
        first = 3 + 5 * rng.random() if k % 3 == 0 else rng.uniform(0.15, 0.62) * far
        last = far * (rng.uniform(0.9, 0.985) if k % 2 == 0 else rng.uniform(0.55, 0.9))
        if last - first < 14:
            continue
        r = np.linspace(first, last, 18)
        turn = angle - 1.15 * np.exp(-r / 20) - 0.12 * np.sin(np.pi * r / far)
        points = np.column_stack([cx + r * np.cos(turn), cy + r * np.sin(turn)])
        weight = 0.5 if k % 3 == 0 else 0.36
        chart.line(points, weight, 0.35, 0.5, smooth=False, opacity=0.8, clip=shape)
    for _ in range(90):
        t = rng.random()
        line = spline(across([*HAIRLINE, (74, 150)]), steps=20)
        root = line[int(t * (len(line) - 1))]
        away = np.array([cx, cy]) - root
        away = away / np.hypot(*away)
        length = rng.uniform(3, 9)
        chart.line(
            [root, root + away * length], 0.4, 0.1, 0.8, smooth=False, opacity=0.8, clip=shape
        )


def _regions(chart: Chart) -> None:
    shape = scalp()
    inner = shape.buffer(-0.1)
    chart.region("scalp", "none", shape, parent=True)
    vertex = ellipse(MID, 74, 31, 30)
    back = Polygon(
        np.vstack([spline(across([(0, 52), (22, 47), (46, 46), (80, 56)])), [(WIDTH, 0), (0, 0)]])
    )
    front = Polygon(
        np.vstack([spline(across([(0, 134), (20, 134.5), (40, 140), (52, 150), (60, 170)])),
                   [(MID, 215)]])
    )  # fmt: skip
    side = Polygon(
        np.vstack([
            spline(half([(62, 50), (56, 72), (53.5, 100), (52, 126), (50, 148), (52, 170)])),
            [(WIDTH, 180), (WIDTH, 50)],
        ])
    )  # fmt: skip
    chart.region("vertex", "none", vertex)
    occipital = inner.intersection(back).difference(vertex.buffer(0.05))
    chart.region("occipital-scalp", "none", occipital)
    frontal = whole(inner.intersection(front))
    chart.region("frontal-scalp", "none", frontal)
    taken = union([vertex, back, frontal]).buffer(0.05)
    temporal = whole(inner.intersection(side).difference(taken))
    parietal = whole(
        inner.intersection(box(MID + 0.05, 0, WIDTH, HEIGHT)).difference(
            union([taken, temporal.buffer(0.05)])
        )
    )
    for name, area in (("temporal-scalp", temporal), ("parietal-scalp", parietal)):
        chart.region(name, "left", area)
        chart.region(name, "right", mirror(area, WIDTH))
