"""Both hands, backs up, as they lie on a table before the practitioner."""

from __future__ import annotations

import numpy as np
from ink import Chart, PointList, Points, mirror, mirror_points, spline, union, whole
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

WIDTH, HEIGHT = 290.0, 262.0
NOTE = (
    "1 unit = 1 mm. Built from finger lengths and breadths of an adult hand 185 mm long and 84 mm"
    " broad (assumed mean of both sexes). Backs of both hands, fingers away from the viewer: the"
    " patient's left hand is on the left, as the patient sees it."
)
# (knuckle x, y), (tip x, y), half breadth at the knuckle, the middle joint, the end joint, the tip
FINGERS = {
    "index": ((91, 118), (108, 44), (10.2, 9.2, 8.0, 7.0)),
    "middle": ((70, 112), (73, 27), (10.4, 9.6, 8.3, 7.2)),
    "ring": ((50, 117), (37, 39), (9.8, 8.9, 7.8, 6.8)),
    "little": ((31, 130), (7, 74), (8.8, 7.7, 6.8, 5.9)),
}
THUMB = [
    ((97, 178), 15.0),
    ((110, 152), 11.8),
    ((120, 136), 10.6),
    ((127, 121), 10.0),
    ((132, 106), 8.0),
]
PALM = [
    (24, 133), (30, 124), (50, 112), (71, 107), (90, 114), (100, 122), (101.5, 136), (104, 165),
    (106, 180), (101, 197), (96, 212), (93.5, 226), (93, 250), (38, 250), (38, 222), (34, 206),
    (27, 180),
    (22, 150),
]  # fmt: skip
SHIFT = 4.0


def draw() -> Chart:
    """The hand on the chart's left is drawn; the other is its mirror image."""
    chart = Chart("hands", "Hands, backs", WIDTH, HEIGHT, NOTE, pen=0.72)
    hand = outline()
    other = mirror(hand, WIDTH)
    for shape in (hand, other):
        chart.rim(shape, 6, 0, 0.12, clip=box(0, 0, WIDTH, 238))
    cut = box(0, 0, WIDTH, 238)
    for shape in (hand, other):
        edge = LineString(shape.exterior.coords).intersection(cut)
        for part in getattr(edge, "geoms", [edge]):
            if part.bounds[3] < 237.5 or part.length > 20:
                _outline(chart, part)
    for flip in (False, True):
        _details(chart, flip)
    _regions(chart, hand)
    chart.letter("L", 18, 22, 12)
    chart.letter("R", WIDTH - 18, 22, 12)
    chart.scale_bar(12, HEIGHT - 6, 5)
    return chart


def _outline(chart: Chart, part: LineString) -> None:
    points = [c for c in part.coords if c[1] < 237.9]
    if len(points) > 3:
        chart.line(points, 1.2, 0.02, 0.02, smooth=False)


def joints(name: str) -> tuple[Points, Points]:
    """Knuckle, middle joint, end joint and tip of a finger, and the half breadths there."""
    base, tip, half = FINGERS[name]
    start, end = np.array(base, dtype=float), np.array(tip, dtype=float)
    bend = (
        np.array([(end - start)[1], -(end - start)[0]]) * 0.012 * np.sign(end[0] - start[0] + 0.1)
    )
    at = np.array([0, 0.5, 0.79, 0.93])
    places = start + (end - start) * at[:, None] + bend * np.sin(at * np.pi)[:, None]
    return places, np.array(half)


def capsule(points: PointList, half: PointList) -> Polygon:
    """A finger: a smooth tube of changing breadth with a round end, slightly waisted."""
    p = np.asarray(points, dtype=float)
    w = np.asarray(half, dtype=float)
    t = np.linspace(0, 1, len(p))
    fine = np.linspace(0, 1, 60)
    path = spline(p, steps=20)
    path = path[(fine * (len(path) - 1)).astype(int)]
    breadth = np.interp(fine, t, w)
    return whole(union([Point(c).buffer(r) for c, r in zip(path, breadth, strict=True)]))


def finger(name: str) -> Polygon:
    p, w = joints(name)
    full = [p[0], (p[0] + p[1]) / 2, p[1], (p[1] + p[2]) / 2, p[2], p[3]]
    half = [w[0], w[1] * 0.97, w[1] * 1.02, w[2] * 1.02, w[2] * 1.01, w[3]]
    return capsule(full, half)


def outline() -> Polygon:
    parts: list[BaseGeometry] = [Polygon(spline(PALM, closed=True)).buffer(0)]
    parts += [finger(n) for n in FINGERS]
    parts.append(capsule([p for p, _ in THUMB], [w for _, w in THUMB]))
    hand = union(parts)
    hand = hand.buffer(1.9).buffer(-1.9).buffer(-1.5).buffer(1.5)
    for x0, y0, x1, y1, reach in ((70, 160, 140, 238, 45), (10, 118, 27, 170, 14)):
        patch = hand.buffer(reach).buffer(-reach).intersection(box(x0, y0, x1, y1))
        hand = hand.union(patch)
    hand = hand.buffer(1).buffer(-2).buffer(1)
    smooth = spline(np.array(whole(hand).simplify(0.35).exterior.coords)[:-1], closed=True, steps=4)
    return whole(Polygon(smooth + np.array([SHIFT, 0])).buffer(0))


def _details(chart: Chart, flip: bool) -> None:
    def put(
        points: PointList, width: float, opacity: float = 1.0, a: float = 0.3, b: float = 0.3
    ) -> None:
        p = np.asarray(points, dtype=float) + np.array([SHIFT, 0])
        chart.line(mirror_points(p, WIDTH) if flip else p, width, a, b, opacity=opacity)

    def fill(shape: BaseGeometry, depth: float, opacity: float) -> None:
        shape = Polygon(np.array(whole(shape).exterior.coords) + np.array([SHIFT, 0]))
        chart.soft(mirror(shape, WIDTH) if flip else shape, depth, opacity)

    for name in FINGERS:
        p, w = joints(name)
        along = (p[3] - p[0]) / np.hypot(*(p[3] - p[0]))
        side = np.array([-along[1], along[0]])
        _nail(put, fill, p[3] + along * (w[3] - 8.2), along, side, w[3] * 0.72, 10.5)
        for joint, spread, rows in (
            (p[1], w[1], (-2.4, -0.8, 0.9, 2.6)),
            (p[2] - along * 1.6, w[2], (-1.6, 0.2, 1.5)),
        ):
            for k, row in enumerate(rows):
                bow = -1.1 if row < 0 else 1.1
                reach = spread * (0.62 - 0.08 * (k % 2))
                c = joint + along * row
                put([c - side * reach, c + along * bow * 0.8, c + side * reach], 0.5, 0.75)
        knuckle = p[0] + along * 2
        fill(Point(*(knuckle - along * 9 + side * 0)).buffer(6), 6, 0.07)
        put(
            [knuckle - side * 6 - along * 1, knuckle + along * 2.6, knuckle + side * 6 - along * 1],
            0.5,
            0.55,
        )
        put(
            [knuckle - side * 4 - along * 4, knuckle - along * 2, knuckle + side * 4 - along * 4],
            0.4,
            0.4,
        )
        wrist = np.array([66 + (p[0][0] - 64) * 0.28, 212])
        for offset in (-1.7, 1.7):
            start = p[0] - along * 10 + side * offset
            put(
                [
                    start,
                    start + (wrist - start) * 0.5 + [offset * 0.3, 0],
                    wrist + np.array([offset * 0.6, 0]),
                ],
                0.42,
                0.4,
                0.4,
                0.8,
            )
    tip, last = np.array(THUMB[-1][0]), np.array(THUMB[-2][0])
    along = (tip - last) / np.hypot(*(tip - last))
    side = np.array([-along[1], along[0]])
    _nail(put, fill, tip + along * -2.0, along, side, 6.6, 13)
    joint = np.array([120.5, 135.0])
    for row in (-2.2, -0.4, 1.4, 3):
        c = joint + along * row
        put([c - side * 6, c + along * 0.9, c + side * 6], 0.5, 0.75)
    put([(104, 134), (103, 146), (100, 158), (94, 166)], 0.7, 0.8, 0.1, 0.7)
    for vein in (
        [(38, 138), (46, 152), (47, 168), (54, 184), (56, 204)],
        [(60, 134), (57, 150), (47, 166)],
        [(81, 132), (77, 150), (80, 168), (74, 188), (76, 208)],
        [(86, 176), (80, 170)],
    ):
        put(vein, 0.75, 0.22, 0.4, 0.5)
    put([(40, 219), (46, 216.5), (52, 219)], 0.5, 0.5)
    put([(42, 222), (44, 213), (50, 212), (53, 219), (50, 226)], 0.45, 0.4)
    for y in (214, 217):
        put([(58, y), (72, y - 1.4), (88, y)], 0.4, 0.4)
    fill(
        Polygon(
            spline(
                [(98, 128), (104, 136), (104, 150), (96, 168), (90, 158), (92, 140)], closed=True
            )
        ),
        6,
        0.12,
    )


def _nail(
    put, fill, centre: Points, along: Points, side: Points, half: float, length: float
) -> None:  # type: ignore[no-untyped-def]
    def at(u: float, v: float) -> Points:
        return centre + side * (u * half) + along * (v * length)

    nail = [
        at(-0.98, 0.28), at(-0.98, -0.15), at(-0.78, -0.42), at(0, -0.54), at(0.78, -0.42),
        at(0.98, -0.15), at(0.98, 0.28),
    ]  # fmt: skip
    put(nail, 0.8, 1, 0.2, 0.2)
    put(
        [at(-0.98, 0.28), at(-0.6, 0.5), at(0, 0.58), at(0.6, 0.5), at(0.98, 0.28)],
        0.7,
        0.9,
        0.1,
        0.1,
    )
    put([at(-0.6, -0.32), at(0, -0.2), at(0.6, -0.32)], 0.45, 0.6)
    put([at(-0.9, 0.3), at(0, 0.44), at(0.9, 0.3)], 0.35, 0.5)
    fill(Polygon(nail), 2.5, 0.07)


def _regions(chart: Chart, hand: Polygon) -> None:
    whole_hand = whole(hand.intersection(box(0, 0, WIDTH, 215)))
    back = Polygon(
        spline([
            (23, 136), (34, 133), (52, 122), (72, 117), (93, 122), (103, 130), (104, 146),
            (100, 168), (97, 190), (94, 212), (64, 214.5), (40, 212), (33, 192), (27, 172),
            (23, 150),
        ], closed=True) + np.array([SHIFT, 0])
    )  # fmt: skip
    back = whole(back.intersection(whole_hand.buffer(-0.2)))
    chart.region("hand", "left", whole_hand, parent=True)
    chart.region("hand", "right", mirror(whole_hand, WIDTH), parent=True)
    chart.region("hand-dorsum", "left", back)
    chart.region("hand-dorsum", "right", mirror(back, WIDTH))
