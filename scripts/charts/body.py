"""The body, front and back: a neutral adult standing in the anatomical position."""

from __future__ import annotations

import face_front
import face_model as model
import numpy as np
from ink import (
    Chart,
    PointList,
    Points,
    blob,
    ellipse,
    mirror,
    mirror_points,
    spline,
    union,
    whole,
)  # fmt: skip
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

WIDTH, HEIGHT = 800.0, 1880.0
MID, TOP = 400.0, 30.0
NOTE = (
    "1 unit = 1 mm. Drawn by hand on a neutral adult 1.75 m tall: shoulders 455 mm, waist 290 mm,"
    " hips 360 mm broad (assumed means between the sexes)."
)

# Half outlines: millimetres from the middle line, and down from the top of the head.
TRUNK = [
    (53, 190), (54, 222), (58, 246), (74, 266), (108, 281), (150, 292), (178, 300), (199, 313),
    (214, 334), (223, 366), (226, 410), (228, 462), (235, 525), (246, 580), (256, 625), (268, 668),
    (278, 715), (283, 765), (286, 820), (291, 872), (293, 884),
]  # fmt: skip
INNER_ARM = [
    (250, 884), (247, 850), (240, 800), (229, 745), (216, 690), (207, 645), (201, 605), (193, 555),
    (184, 500), (175, 450), (168, 415), (163, 398),
]  # fmt: skip
SIDE = [
    (163, 398), (164, 425), (162, 470), (156, 530), (149, 590), (145, 640), (146, 680), (153, 722),
    (164, 765), (174, 812), (179, 860), (180, 910), (177, 970), (170, 1040), (160, 1110),
    (149, 1180), (139, 1240), (133, 1285), (131, 1325), (130, 1365), (135, 1405), (140, 1450),
    (139, 1500), (131, 1560), (119, 1620), (110, 1665), (107, 1690),
]  # fmt: skip
FOOT = [
    (107, 1690),
    (112, 1712),
    (126, 1735),
    (138, 1756),
    (133, 1768),
    (105, 1774),
    (78, 1772),
    (66, 1762),
    (66, 1738),
    (70, 1712),
    (71, 1690),
]
INNER_LEG = [
    (71, 1690), (70, 1650), (64, 1590), (53, 1520), (45, 1465), (43, 1420), (47, 1375), (50, 1335),
    (47, 1290), (40, 1230), (31, 1150), (20, 1060), (10, 975), (3, 915), (0, 905),
]  # fmt: skip
HEAD_SCALE = 0.97


def lay(points: PointList) -> Points:
    p = np.asarray(points, dtype=float)
    return np.column_stack([MID + p[:, 0], TOP + p[:, 1]])


def put(shape: BaseGeometry) -> BaseGeometry:
    return affinity.translate(shape, MID, TOP)


def draw_all() -> list[Chart]:
    return [draw("front"), draw("back")]


def draw(view: str) -> Chart:
    chart = Chart(f"body-{view}", f"Body, {view}", WIDTH, HEIGHT, NOTE, pen=3.0)
    _form(chart, head() if view == "front" else back_head())
    if view == "front":
        _front_head(chart)
        _front(chart)
        _front_regions(chart)
    else:
        _back_head(chart)
        _back(chart)
        _back_regions(chart)
    chart.letter("R" if view == "front" else "L", 60, 90, 60)
    chart.letter("L" if view == "front" else "R", WIDTH - 60, 90, 60)
    chart.scale_bar(40, HEIGHT - 18, 10)
    return chart


def head() -> Polygon:
    return place_head(face_front.head())


def place_head(shape: BaseGeometry) -> BaseGeometry:
    moved = affinity.translate(shape, MID - face_front.MID, TOP - 11)
    return affinity.scale(moved, HEAD_SCALE, HEAD_SCALE, origin=(MID, TOP))


def face_at(points: PointList) -> Points:
    p = face_front.at(points) + np.array([MID - face_front.MID, TOP - 11])
    return (p - [MID, TOP]) * HEAD_SCALE + [MID, TOP]


def hand() -> Polygon:
    """The palm and fingers of the patient's left hand, hanging, thumb outwards."""
    wrist = np.array([271.5, 880.0])
    down = np.array([0.11, 0.994])
    out = np.array([down[1], -down[0]])

    def at(u: float, v: float) -> Points:
        return wrist + out * u + down * v

    def rod(path: list[tuple[float, float]], radii: list[float]) -> Polygon:
        p = spline([at(*c) for c in path], steps=10)
        r = np.interp(np.linspace(0, 1, len(p)), np.linspace(0, 1, len(radii)), radii)
        return whole(union([Point(c).buffer(x) for c, x in zip(p, r, strict=True)]))

    palm = blob([
        at(-21, -6), at(21, -6), at(31, 22), at(38, 55), at(41, 85), at(36, 104), at(10, 110),
        at(-20, 105), at(-37, 92), at(-37, 60), at(-28, 25),
    ])  # fmt: skip
    fingers = [
        rod([(29, 92), (33, 135), (34, 168)], [9.6, 9.2, 7.2]),
        rod([(9, 98), (11, 145), (11, 183)], [9.8, 9.4, 7.4]),
        rod([(-11, 96), (-12, 140), (-14, 174)], [9.4, 8.8, 7.0]),
        rod([(-29, 84), (-33, 120), (-37, 148)], [8.6, 7.8, 6.2]),
        rod([(22, 22), (46, 56), (60, 84), (66, 110)], [15, 13, 10, 8]),
    ]
    shape = union([palm, *fingers])
    return whole(shape.buffer(1.2).buffer(-2.4).buffer(1.2))


def outline() -> Polygon:
    """Neck to feet, both halves, hands and all."""
    arm = Polygon(np.vstack([[(0, 190)], spline(TRUNK), spline(INNER_ARM), [(0, 398)]]))
    legs = Polygon(np.vstack([
        [(0, 398)], spline(SIDE), spline(FOOT)[1:], spline(INNER_LEG)[1:],
    ]))  # fmt: skip
    half = union([arm.buffer(0), legs.buffer(0), hand()])
    half = half.union(half.buffer(16).buffer(-16).intersection(box(235, 845, 312, 915)))
    left = whole(half.buffer(1.5).buffer(-1.5))
    body = union([left, affinity.scale(left, -1, 1, origin=(0, 0))]).buffer(0.1)
    return whole(put(body))


def pair(chart: Chart, points: PointList, width: float = 0.6, **how: float) -> None:
    p = lay(points)
    chart.line(p, width, **how)
    chart.line(mirror_points(p, WIDTH), width, **how)


def _form(chart: Chart, skull: Polygon) -> None:
    body = whole(union([outline(), skull, put(box(-50, 150, 50, 230))]))
    chart.edge(body, 24, 0.13)
    chart.contour(body, 1.15)
    below = affinity.translate(skull, 0, 34).intersection(body).difference(skull)
    chart.soft(below, 22, 0.14)


def back_head() -> Polygon:
    """The head from behind: the skull down to the hairline at the nape."""
    low = lay([(70, 128), (66, 165), (52, 190), (28, 203), (0, 207)])
    hairline = np.vstack([low, mirror_points(low[::-1], WIDTH)[1:]])
    cap = Polygon(np.vstack([spline(hairline), lay([(-100, -20), (100, -20)])]))
    return whole(head().intersection(cap))


def _front_head(chart: Chart) -> None:
    skull = head()
    jaw = [(7.4, -1.1), *model.JAW[2:], *model.CHIN]
    chart.line(face_at(model.both(jaw)), 1.0, 0.1, 0.1)
    for side in (1, -1):

        def turn(points: PointList, side: int = side) -> Points:
            p = face_at(points)
            return p if side == 1 else mirror_points(p, WIDTH)

        chart.line(turn(face_front.EAR), 0.9, 0.1, 0.2)
        chart.fill(
            whole(Polygon(turn(spline(model.BROW_LOW + model.BROW_HIGH, closed=True)))), 0.75
        )
        chart.line(turn(model.UPPER_LASH), 0.95, 0.3, 0.3)
        chart.line(turn(model.LOWER_LASH), 0.4, 0.3, 0.3, opacity=0.8)
        cx, cy = turn([(3.2, 2.68)])[0]
        eye = Polygon(turn(np.vstack([spline(model.UPPER_LASH), spline(model.LOWER_LASH)])))
        chart.fill(ellipse(cx, cy, 5, 5).intersection(eye.buffer(0)), 0.8, dark=True)
        chart.line(turn([(1.62, -0.28), (1.9, -0.95), (1.6, -1.55), (1.2, -1.5)]), 0.55)
        chart.line(turn([(0.95, 3.4), (0.8, 2.4), (0.85, 1.5)]), 0.35, 0.3, 0.9, opacity=0.7)
    chart.line(face_at([(-0.6, -1.75), (0, -2.05), (0.6, -1.75)]), 0.5)
    chart.line(face_at(model.both(model.LIP_LINE)), 0.8, 0.2, 0.2)
    chart.line(face_at(model.both(model.LIP_TOP)), 0.35, 0.2, 0.2, opacity=0.8)
    chart.line(face_at(model.both(model.LIP_LOW[2:])), 0.45, 0.4, 0.4, opacity=0.9)
    scalp = skull.difference(place_head(face_front.place(model.skin())))
    chart.tone(scalp, 0.07)
    line, top = (
        spline(face_at(model.HAIRLINE), steps=20),
        spline(face_at(face_front.SKULL), steps=20),
    )
    for t in np.linspace(0.03, 0.98, 17):
        a, b = line[int(t * (len(line) - 1))], top[int(t * 0.9 * (len(top) - 1))]
        stroke = np.array([a, a + (b - a) * 0.5 + [2, -2], a + (b - a) * 0.9])
        for s in (stroke, mirror_points(stroke, WIDTH)):
            chart.line(s, 0.32, 0.2, 0.7, opacity=0.75)


def _front(chart: Chart) -> None:
    pair(
        chart, [(14, 300), (40, 293), (75, 297), (108, 299), (150, 301)], 0.75, start=0.15, end=0.6
    )
    pair(
        chart, [(22, 312), (60, 314), (110, 316), (150, 313)], 0.4, start=0.4, end=0.7, opacity=0.6
    )
    pair(chart, [(16, 296), (9, 306), (0, 309)], 0.7, start=0.3, end=0)
    pair(chart, [(50, 214), (38, 255), (16, 296)], 0.55, start=0.5, end=0.2, opacity=0.8)
    chart.line(lay([(0, 325), (0, 400), (0, 470)]), 0.4, 0.5, 0.5, opacity=0.45)
    pair(chart, [(163, 400), (156, 378), (158, 350)], 0.75, start=0.0, end=0.8)
    pair(
        chart,
        [(156, 420), (138, 462), (100, 486), (62, 486), (34, 474)],
        0.55,
        start=0.3,
        end=0.8,
        opacity=0.75,
    )
    fold = [(150, 424), (138, 462), (100, 487), (62, 487), (30, 474), (60, 462), (110, 455)]
    for sign in (1, -1):
        chart.soft(put(affinity.scale(blob(fold), sign, 1, origin=(0, 0))), 16, 0.1)
        nipple = put(ellipse(sign * 92, 440, 10, 9))
        chart.contour(nipple, 0.25, 0.45)
        chart.fill(put(ellipse(sign * 92, 440, 3.4, 3.2)), 0.4)
    pair(
        chart, [(12, 500), (40, 530), (80, 568), (118, 600)], 0.45, start=0.5, end=0.7, opacity=0.55
    )
    chart.line(lay([(0, 500), (0, 580), (0, 680)]), 0.4, 0.6, 0.5, opacity=0.45)
    pair(
        chart, [(58, 560), (64, 640), (58, 740), (44, 810)], 0.35, start=0.5, end=0.6, opacity=0.35
    )
    navel = [(-6, 690), (-4, 700), (0, 703), (4, 700), (6, 690)]
    chart.line(lay(navel), 0.8, 0.3, 0.3)
    chart.line(lay([(-8, 688), (0, 682), (8, 688)]), 0.5, 0.4, 0.4)
    chart.soft(put(ellipse(0, 693, 12, 16)), 8, 0.14)
    pair(
        chart,
        [(158, 770), (134, 800), (96, 842), (52, 880), (14, 903)],
        0.7,
        start=0.5,
        end=0.2,
        opacity=0.85,
    )
    pair(chart, [(160, 730), (140, 752), (128, 770)], 0.45, start=0.2, end=0.8, opacity=0.6)
    chart.line(lay([(-40, 850), (0, 862), (40, 850)]), 0.35, 0.6, 0.6, opacity=0.35)
    pair(
        chart, [(12, 912), (28, 980), (46, 1080), (66, 1190)], 0.4, start=0.5, end=0.8, opacity=0.4
    )
    pair(chart, [(150, 930), (144, 1040), (128, 1180)], 0.35, start=0.6, end=0.6, opacity=0.3)
    _knees(chart)
    pair(
        chart,
        [(80, 1395), (82, 1470), (86, 1560), (92, 1660)],
        0.45,
        start=0.4,
        end=0.7,
        opacity=0.5,
    )
    pair(chart, [(112, 1682), (104, 1676), (100, 1688)], 0.5)
    pair(chart, [(66, 1676), (76, 1670), (80, 1684)], 0.5)
    for x, y, w in (
        (76, 1758, 10),
        (93, 1762, 7),
        (106, 1763, 6.5),
        (118, 1762, 6),
        (129, 1757, 5.5),
    ):
        pair(
            chart,
            [
                (x - w, y + 6),
                (x - w * 0.8, y - 6),
                (x, y - 10),
                (x + w * 0.8, y - 6),
                (x + w, y + 6),
            ],
            0.5,
        )
        pair(chart, [(x - w * 0.5, y + 3), (x, y - 1), (x + w * 0.5, y + 3)], 0.35)
    pair(chart, [(206, 640), (226, 650), (250, 640)], 0.5, opacity=0.7)
    pair(chart, [(214, 655), (230, 660), (246, 654)], 0.35, opacity=0.5)
    pair(chart, [(186, 455), (200, 540), (212, 600)], 0.4, start=0.5, end=0.6, opacity=0.45)
    pair(
        chart,
        [(206, 330), (214, 380), (206, 440), (198, 455)],
        0.4,
        start=0.6,
        end=0.6,
        opacity=0.4,
    )
    _palms(chart)


def _palms(chart: Chart) -> None:
    pair(chart, [(251, 882), (271, 885), (292, 879)], 0.5, opacity=0.8)
    pair(chart, [(253, 888), (272, 891), (291, 886)], 0.3, opacity=0.6)
    pair(
        chart,
        [(283, 893), (287, 930), (300, 955), (316, 962)],
        0.5,
        start=0.4,
        end=0.2,
        opacity=0.75,
    )
    pair(chart, [(256, 945), (280, 955), (312, 958)], 0.4, opacity=0.6)
    pair(chart, [(252, 962), (272, 968), (296, 980)], 0.4, opacity=0.6)
    _finger_gaps(chart)


def _finger_gaps(chart: Chart) -> None:
    for x, y, dx in ((303, 976, 2), (283, 982, 0.6), (263, 978, -1)):
        pair(chart, [(x, y), (x + dx, y + 20)], 0.5, start=0.3, end=0.0, smooth=False)


def _knees(chart: Chart) -> None:
    pair(chart, [(62, 1300), (70, 1280), (92, 1272), (114, 1282), (121, 1304)], 0.45, opacity=0.65)
    pair(chart, [(66, 1320), (72, 1346), (92, 1358), (112, 1346), (118, 1322)], 0.6, opacity=0.85)
    pair(chart, [(78, 1368), (92, 1376), (106, 1368)], 0.4, opacity=0.55)
    pair(chart, [(56, 1330), (60, 1352), (70, 1368)], 0.35, opacity=0.5)
    for sign in (1, -1):
        chart.soft(put(ellipse(sign * 92, 1362, 30, 14)), 11, 0.12)


def _back_head(chart: Chart) -> None:
    hair = back_head()
    for side in (1, -1):
        p = face_at(face_front.EAR)
        chart.line(p if side == 1 else mirror_points(p, WIDTH), 0.9, 0.1, 0.2)
    chart.tone(hair, 0.07)
    chart.edge(hair, 22, 0.12)
    crown = lay([(3, 52)])[0]
    ring = np.array(whole(hair).exterior.segmentize(2).coords)
    rng = np.random.default_rng(4)
    for k in range(64):
        goal = ring[int(k / 64 * len(ring))]
        step = goal - crown
        far = np.hypot(*step)
        angle = np.arctan2(step[1], step[0])
        first = 4 if k % 3 == 0 else rng.uniform(0.2, 0.6) * far
        r = np.linspace(first, far * rng.uniform(0.8, 0.97), 14)
        turn = angle - 0.9 * np.exp(-r / 18)
        points = np.column_stack([crown[0] + r * np.cos(turn), crown[1] + r * np.sin(turn)])
        chart.line(points, 0.32, 0.3, 0.5, smooth=False, opacity=0.75)


def _back(chart: Chart) -> None:
    chart.line(
        lay([(0, 262), (0, 400), (1, 560), (0, 700), (0, 775)]), 0.65, 0.3, 0.4, opacity=0.75
    )
    for y in range(282, 780, 26):
        chart.line(lay([(-5, y), (0, y + 4), (5, y)]), 0.35, 0.4, 0.4, opacity=0.35)
    pair(chart, [(34, 236), (44, 258), (80, 282)], 0.45, start=0.5, end=0.5, opacity=0.6)
    pair(
        chart, [(170, 330), (130, 344), (86, 356), (62, 350)], 0.45, start=0.4, end=0.7, opacity=0.6
    )
    blade = [(58, 352), (56, 392), (66, 440), (88, 478), (104, 466), (122, 430), (142, 404)]
    pair(chart, blade, 0.7, start=0.3, end=0.6, opacity=0.85)
    for sign in (1, -1):
        shape = blob([(62, 360), (60, 400), (70, 440), (90, 480), (76, 484), (52, 440), (46, 390)])
        chart.soft(put(affinity.scale(shape, sign, 1, origin=(0, 0))), 12, 0.14)
    pair(chart, [(163, 400), (158, 378), (164, 352)], 0.75, start=0.0, end=0.8)
    pair(
        chart, [(150, 470), (128, 560), (96, 640), (58, 700)], 0.4, start=0.4, end=0.7, opacity=0.45
    )
    spine = blob(
        [(-5, 300), (5, 300), (15, 480), (22, 620), (12, 760), (-12, 760), (-22, 620), (-15, 480)]
    )
    chart.soft(put(spine), 12, 0.12)
    pair(
        chart,
        [(152, 720), (128, 738), (96, 756), (60, 774)],
        0.45,
        start=0.3,
        end=0.7,
        opacity=0.55,
    )
    for sign in (1, -1):
        chart.soft(put(ellipse(sign * 40, 776, 9, 8)), 5, 0.2)
    pair(chart, [(38, 770), (43, 777), (39, 783)], 0.4, opacity=0.6)
    chart.line(lay([(0, 800), (1, 850), (0, 905), (0, 948)]), 0.95, 0.4, 0.15)
    pair(chart, [(4, 945), (40, 968), (86, 972), (128, 956), (146, 936)], 0.85, start=0.2, end=0.6)
    for sign in (1, -1):
        fold = blob([(6, 930), (40, 962), (88, 970), (136, 946), (150, 905), (120, 930), (70, 940)])
        chart.soft(put(affinity.scale(fold, sign, 1, origin=(0, 0))), 14, 0.14)
    pair(chart, [(150, 830), (138, 870), (144, 906)], 0.4, start=0.6, end=0.6, opacity=0.4)
    pair(chart, [(92, 985), (90, 1080), (84, 1200)], 0.35, start=0.5, end=0.7, opacity=0.4)
    pair(chart, [(62, 1318), (90, 1326), (120, 1316)], 0.6, opacity=0.85)
    pair(chart, [(66, 1250), (60, 1300), (64, 1352)], 0.45, opacity=0.6)
    pair(chart, [(116, 1250), (121, 1300), (116, 1352)], 0.45, opacity=0.6)
    for sign in (1, -1):
        chart.soft(put(ellipse(sign * 91, 1316, 24, 34)), 16, 0.12)
    pair(chart, [(90, 1380), (91, 1440), (88, 1500)], 0.45, start=0.5, end=0.5, opacity=0.55)
    pair(
        chart,
        [(56, 1500), (74, 1528), (88, 1514), (104, 1534), (128, 1508)],
        0.45,
        start=0.4,
        end=0.4,
        opacity=0.5,
    )
    pair(chart, [(80, 1600), (82, 1660), (78, 1710)], 0.5, start=0.6, end=0.3, opacity=0.7)
    pair(chart, [(98, 1600), (96, 1660), (102, 1710)], 0.5, start=0.6, end=0.3, opacity=0.7)
    pair(chart, [(74, 1742), (92, 1752), (112, 1742)], 0.5, opacity=0.7)
    pair(chart, [(222, 632), (236, 622), (248, 634), (242, 648)], 0.6, opacity=0.8)
    pair(chart, [(216, 618), (232, 612), (250, 622)], 0.35, opacity=0.5)
    pair(chart, [(188, 420), (206, 500), (222, 580)], 0.4, start=0.5, end=0.6, opacity=0.45)
    pair(chart, [(258, 868), (264, 862), (268, 870), (263, 876)], 0.45, opacity=0.6)
    pair(chart, [(252, 884), (272, 887), (292, 881)], 0.4, opacity=0.6)
    for x, y in ((309, 962), (290, 968), (269, 966), (250, 956)):
        pair(chart, [(x - 6, y), (x, y + 4), (x + 6, y)], 0.4, opacity=0.6)
    for x, y, w in ((323, 1042, 4.6), (302, 1057, 4.8), (277, 1049, 4.5), (252, 1023, 4)):
        nail = ellipse(x, y, w, 6.4)
        for sign in (1, -1):
            chart.contour(put(affinity.scale(nail, sign, 1, origin=(0, 0))), 0.3, 0.8)
    _finger_gaps(chart)


class Cutter:
    """Regions cut from the body, each giving up what an earlier one took."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.body = whole(outline().difference(head())).buffer(-0.5)
        self.taken: BaseGeometry = Polygon()

    def shape(self, points: PointList | BaseGeometry, smooth: bool) -> BaseGeometry:
        if isinstance(points, BaseGeometry):
            return put(points)
        return put(blob(points) if smooth else Polygon(points).buffer(0))

    def one(self, area: str, points: PointList | BaseGeometry, smooth: bool = False) -> Polygon:
        piece = whole(self.shape(points, smooth).intersection(self.body).difference(self.taken))
        self.chart.region(area, "none", piece)
        self.taken = self.taken.union(piece.buffer(0.4))
        return piece

    def two(
        self, area: str, points: PointList | BaseGeometry, near: str, smooth: bool = False
    ) -> list[Polygon]:
        """near is the patient's side that lies on the right of the chart."""
        away = "right" if near == "left" else "left"
        piece = whole(self.shape(points, smooth).intersection(self.body).difference(self.taken))
        twin = mirror(piece, WIDTH)
        self.chart.region(area, near, piece)
        self.chart.region(area, away, twin)
        self.taken = union([self.taken, piece.buffer(0.4), twin.buffer(0.4)])
        return [piece, whole(twin)]

    def cover(self, area: str, parts: list[Polygon]) -> None:
        """A parent laid under the regions it covers."""
        shape = whole(union(parts).buffer(1.5).buffer(-1.5))
        self.chart.region(area, "none", shape, parent=True)


def _legs(cut: Cutter, near: str, view: str) -> None:
    front = view == "front"
    crease = [(158, 770), (134, 800), (96, 842), (52, 880), (8, 905)]
    top = crease if front else [(190, 880), (150, 940), (128, 962), (86, 984), (40, 980), (0, 955)]
    high = 770 if front else 880
    cut.two(
        "thigh-lateral",
        np.vstack(
            [
                spline([(146, high), (134, 960), (122, 1090), (116, 1240)]),
                [(200, 1240), (220, high)],
            ]
        ).tolist()
        if not front
        else np.vstack(
            [
                [(165, 770)],
                spline([(148, 786), (136, 960), (124, 1090), (118, 1240)]),
                [(200, 1240), (220, 770)],
            ]
        ).tolist(),
        near,
    )
    cut.two(
        "thigh-medial",
        np.vstack(
            [
                spline(
                    [(2, 905), (36, 892), (46, 1000), (52, 1100), (62, 1240)]
                    if front
                    else [(2, 955), (38, 982), (48, 1060), (54, 1140), (62, 1240)]
                ),
                [(20, 1240), (-2, 930)],
            ]
        ).tolist(),
        near,
    )
    name = "thigh-anterior" if front else "thigh-posterior"
    cut.two(name, np.vstack([spline(top), [(0, 1240), (200, 1240), (200, high)]]).tolist(), near)
    knee = "knee-anterior" if front else "popliteal"
    low = 1385 if front else 1370
    cut.two(knee, box(20, 1240.5, 180, low), near)
    cut.two(
        "lower-leg-anterior" if front else "lower-leg-posterior",
        box(20, low + 0.5, 180, 1680),
        near,
    )


def _arms(cut: Cutter, near: str, view: str) -> None:
    name = "anterior" if view == "front" else "posterior"
    dip = [(163, 401), (158, 380), (160, 345), (168, 318), (176, 292)]
    cut.two(
        "shoulder", np.vstack([spline(dip), [(260, 280), (260, 420), (173, 440)]]).tolist(), near
    )
    cut.two(
        f"upper-arm-{name}",
        Polygon(
            [(160, 400), (173, 440), (260, 420), (280, 600), (250, 640), (200, 640), (150, 500)]
        ).difference(box(0, 0, 164, 2000)),
        near,
    )
    cut.two(
        f"forearm-{name}",
        Polygon(
            [(190, 640), (250, 640), (280, 590), (320, 700), (310, 878), (240, 886), (200, 760)]
        ),
        near,
    )


def _front_regions(chart: Chart) -> None:
    cut = Cutter(chart)
    near = "left"
    notch = [(0, 309), (14, 300), (40, 293), (75, 296), (108, 298), (150, 299)]
    cut.two(
        "axilla",
        blob([(164, 350), (156, 372), (152, 398), (150, 424), (166, 430), (172, 410), (166, 385)]),
        near,
    )
    cut.two(
        "infraclavicular",
        np.vstack(
            [
                spline([(34, 308), (75, 313), (110, 315), (165, 314)]),
                spline([(160, 345), (110, 348), (34, 350)]),
            ]
        ).tolist(),
        near,
    )
    half = np.vstack(
        [spline(notch), [(166, 312), (160, 345), (154, 372), (150, 420), (100, 438), (0, 440)]]
    )
    chest = np.vstack([half, half[::-1] * [-1, 1]])
    dec = whole(put(Polygon(chest).buffer(0)).intersection(cut.body))
    sternal = cut.one(
        "sternal", [(-29, 300), (0, 311), (29, 300), (33, 350), (26, 440), (-26, 440), (-33, 350)]
    )
    chart.region("decollete", "none", union([dec, sternal]).buffer(0), parent=True)
    _arms(cut, near, "front")
    umbilicus = cut.one("umbilicus", ellipse(0, 693, 24, 24))
    flank = [
        (118, 560),
        (112, 620),
        (110, 680),
        (120, 740),
        (128, 790),
        (170, 772),
        (190, 700),
        (190, 560),
    ]
    cut.two("flank", flank, near)
    epigastric = cut.one(
        "epigastric",
        [(0, 500), (44, 536), (64, 580), (62, 640), (-62, 640), (-64, 580), (-44, 536)],
    )
    hypogastric = cut.one(
        "hypogastric", [(-62, 770), (62, 770), (58, 860), (14, 896), (-14, 896), (-58, 860)]
    )
    upper = cut.one(
        "upper-abdomen",
        [
            (0, 492),
            (40, 528),
            (80, 566),
            (118, 598),
            (110, 692),
            (-110, 692),
            (-118, 598),
            (-80, 566),
            (-40, 528),
        ],
    )
    lower = cut.one(
        "lower-abdomen",
        [
            (-115, 692.5),
            (115, 692.5),
            (135, 792),
            (96, 838),
            (52, 877),
            (8, 903),
            (-8, 903),
            (-52, 877),
            (-96, 838),
            (-135, 792),
        ],
    )
    for region in chart.regions:
        if region.area in ("upper-abdomen", "lower-abdomen"):
            region.parent = True
    cut.cover("abdomen", [umbilicus, epigastric, hypogastric, upper, lower])
    _legs(cut, near, "front")


def _back_regions(chart: Chart) -> None:
    cut = Cutter(chart)
    near = "right"
    cut.one("nape", [(-56, 205), (0, 214), (56, 205), (60, 250), (76, 267), (0, 282), (-76, 267)])
    _arms(cut, near, "back")
    cut.two("flank", [(112, 590), (104, 660), (106, 742), (150, 760), (190, 730), (190, 590)], near)
    upper = cut.one(
        "upper-back",
        [
            (0, 283),
            (78, 268),
            (180, 290),
            (166, 320),
            (158, 348),
            (157, 380),
            (164, 402),
            (200, 560),
            (-200, 560),
            (-164, 402),
            (-157, 380),
            (-158, 348),
            (-166, 320),
            (-180, 290),
            (-78, 268),
        ],
    )
    lower = cut.one(
        "lower-back",
        [
            (-200, 561),
            (200, 561),
            (150, 740),
            (96, 756),
            (50, 776),
            (0, 800),
            (-50, 776),
            (-96, 756),
            (-150, 740),
        ],
    )
    cut.cover("back", [upper, lower])
    cut.two(
        "gluteal-fold",
        LineString(spline([(6, 950), (40, 972), (86, 976), (128, 960), (146, 940)])).buffer(11),
        near,
    )
    cut.two(
        "buttock",
        [
            (1, 802),
            (50, 778),
            (96, 758),
            (150, 742),
            (175, 760),
            (190, 880),
            (150, 950),
            (80, 980),
            (1, 950),
        ],
        near,
    )
    _legs(cut, near, "back")
