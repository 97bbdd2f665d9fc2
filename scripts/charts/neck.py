"""Neck and decollete: the trunk of the body chart, closer and with more drawn in it."""

from __future__ import annotations

from typing import Any

import body
import face_front
import face_model as model
import numpy as np
from ink import Chart, PointList, Points, blob, ellipse, mirror, mirror_points, spline, union, whole
from shapely import affinity
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

WIDTH, HEIGHT = 484.0, 352.0
MID, DROP = 242.0, 152.0
NOTE = (
    "1 unit = 1 mm. The same figure as the body chart (1.75 m, shoulders 455 mm broad, assumed"
    " mean), seen from the front with the chin a little raised."
)


def lay(points: PointList) -> Points:
    """Body chart millimetres (from the middle, from the top of the head)."""
    p = np.asarray(points, dtype=float)
    return np.column_stack([MID + p[:, 0], p[:, 1] - DROP])


def face_at(points: PointList) -> Points:
    return body.face_at(points) + np.array([MID - body.MID, -body.TOP - DROP])


def put(shape: BaseGeometry) -> BaseGeometry:
    return affinity.translate(shape, MID - body.MID, -body.TOP - DROP)


def draw() -> Chart:
    chart = Chart("neck-decollete", "Neck and décolleté", WIDTH, HEIGHT, NOTE, pen=1.0)
    trunk = form()
    _shade(chart, trunk)
    _lines(chart)
    _regions(chart, trunk)
    chart.letter("R", 20, 30, 17)
    chart.letter("L", WIDTH - 20, 30, 17)
    chart.scale_bar(14, HEIGHT - 8, 5)
    return chart


NECK_TOP = [(61, 160), (59, 190)]


def form(foot: float = 476) -> Polygon:
    """Neck, shoulders and chest, without the face, down to so many millimetres."""
    half = np.vstack([
        lay([(0, 160)]), spline(lay(NECK_TOP + body.TRUNK[2:17])), lay([(0, 760)]),
    ])  # fmt: skip
    gap = np.vstack([spline(lay(body.INNER_ARM)), lay([(163, 398)]), spline(lay(body.SIDE[:12]))])
    left = Polygon(half).buffer(0).difference(Polygon(gap).buffer(0))
    trunk = union([left, mirror(left, WIDTH)]).buffer(0.2)
    return whole(trunk.intersection(box(0, 0, WIDTH, foot - DROP)).difference(jaw()))


def jaw() -> Polygon:
    return put(body.place_head(face_front.place(model.skin())))


def pair(chart: Chart, points: PointList, width: float = 0.7, **how: Any) -> None:
    p = lay(points)
    chart.line(p, width, **how)
    chart.line(mirror_points(p, WIDTH), width, **how)


def both(chart: Chart, points: PointList, depth: float, opacity: float, clip: BaseGeometry) -> None:
    shape = blob(lay(points))
    chart.soft(shape, depth, opacity, clip=clip)
    chart.soft(mirror(shape, WIDTH), depth, opacity, clip=clip)


def _shade(chart: Chart, trunk: Polygon) -> None:
    longer = form(560)
    for k in range(1, 11):
        inner = longer.buffer(-24 * (k / 10) ** 1.4)
        chart.tone(trunk.difference(inner), 0.0125)
    chart.soft(affinity.translate(jaw(), 0, 30).intersection(trunk), 20, 0.2, clip=trunk)
    both(
        chart,
        [(32, 290), (60, 290), (96, 294), (118, 290), (96, 274), (68, 260), (48, 264)],
        12,
        0.17,
        trunk,
    )
    both(
        chart,
        [(26, 315), (70, 316), (120, 319), (160, 316), (130, 334), (80, 336), (36, 330)],
        10,
        0.1,
        trunk,
    )
    both(chart, [(62, 200), (48, 226), (36, 262), (24, 292), (44, 276), (60, 246)], 9, 0.12, trunk)
    notch = blob(lay([(0, 286), (11, 294), (7, 306), (0, 310), (-7, 306), (-11, 294)]))
    chart.soft(notch, 9, 0.24, steps=10)
    chart.soft(put(affinity.translate(ellipse(0, 400, 7, 70), body.MID, body.TOP)), 6, 0.08)
    both(chart, [(150, 350), (166, 385), (163, 402), (146, 400), (136, 372)], 12, 0.12, trunk)


def _lines(chart: Chart) -> None:
    chin = [(7.0, -2.9), *model.JAW[3:], *model.CHIN]
    chart.line(face_at(model.both(chin)), 1.2, 0.15, 0.15)
    chart.line(face_at(model.both([(1.75, -4.95), *model.LIP_LOW[3:]])), 0.7, 0.4, 0.4)
    chart.line(face_at([(-1.0, -6.1), (0, -6.28), (1.0, -6.1)]), 0.5, 0.5, 0.5, opacity=0.6)
    chart.line(face_at(model.both(model.LIP_LINE)), 1.1, 0.25, 0.25)
    chart.line(face_at(model.both(model.LIP_TOP)), 0.5, 0.15, 0.15, opacity=0.8)
    trunk = [(58.5, 186), (58, 215), *body.TRUNK[2:13]]
    pair(chart, trunk, 1.25, start=0.05, end=0.1, clip=box(0, 0, WIDTH, 476 - DROP))
    pair(
        chart,
        [(176, 474), (170, 430), (164, 402), (160, 382), (161, 352)],
        1.05,
        start=0.15,
        end=0.6,
    )
    pair(chart, [(164, 404), (165, 440), (163, 474)], 1.0, start=0.0, end=0.4)
    pair(
        chart,
        [
            (14, 306),
            (15, 299),
            (26, 293.5),
            (46, 292),
            (72, 297),
            (100, 300),
            (128, 299),
            (156, 303),
        ],
        0.95,
        start=0.15,
        end=0.6,
    )
    pair(
        chart,
        [(20, 314), (44, 311), (74, 315), (104, 318), (134, 316), (160, 314)],
        0.6,
        start=0.4,
        end=0.7,
        opacity=0.75,
    )
    pair(chart, [(14, 303), (8.5, 309), (0, 311)], 0.85, start=0.5, end=0)
    pair(
        chart, [(58, 206), (50, 236), (36, 268), (20, 294)], 0.85, start=0.45, end=0.15, opacity=0.9
    )
    pair(chart, [(56, 236), (52, 262), (48, 288)], 0.55, start=0.6, end=0.5, opacity=0.6)
    pair(chart, [(74, 268), (66, 278), (60, 290)], 0.45, start=0.5, end=0.7, opacity=0.5)
    pair(chart, [(7, 262), (5, 270), (8, 282)], 0.5, start=0.5, end=0.5, opacity=0.5)
    pair(chart, [(5, 242), (10, 250), (6, 260)], 0.5, start=0.5, end=0.5, opacity=0.5)
    for y, reach, dip in ((246, 40, 6), (266, 30, 6)):
        chart.line(
            lay(
                [
                    (-reach, y - dip),
                    (-reach / 2, y - 1),
                    (0, y),
                    (reach / 2, y - 1),
                    (reach, y - dip),
                ]
            ),
            0.42,
            0.5,
            0.5,
            opacity=0.5,
        )
    chart.line(lay([(0, 322), (1, 380), (0, 440), (0, 468)]), 0.5, 0.4, 0.5, opacity=0.55)
    for y in (336, 358, 380):
        pair(chart, [(16, y), (36, y - 5), (58, y - 2)], 0.35, start=0.5, end=0.6, opacity=0.28)
    pair(chart, [(156, 418), (142, 448), (122, 470)], 0.7, start=0.2, end=0.6, opacity=0.75)
    pair(chart, [(7, 468), (12, 446), (22, 430)], 0.5, start=0.2, end=0.8, opacity=0.5)
    pair(
        chart,
        [(188, 316), (204, 346), (206, 396), (196, 440)],
        0.5,
        start=0.5,
        end=0.6,
        opacity=0.5,
    )


def _regions(chart: Chart, trunk: Polygon) -> None:
    inner = trunk.buffer(-0.3)
    collar = spline(
        lay(
            [
                (-172, 298),
                (-128, 297),
                (-100, 298),
                (-72, 295),
                (-44, 290),
                (-24, 293),
                (-13, 297),
                (0, 309),
                (13, 297),
                (24, 293),
                (44, 290),
                (72, 295),
                (100, 298),
                (128, 297),
                (172, 298),
            ]
        )
    )
    above = Polygon(np.vstack([collar, lay([(160, 100), (-160, 100)])]))
    neck = whole(inner.intersection(above).intersection(box(MID - 118, 0, MID + 118, 400)))
    chart.region("neck", "none", neck, parent=True)
    chest = Polygon(
        np.vstack(
            [
                collar,
                lay(
                    [
                        (172, 303),
                        (160, 345),
                        (161, 395),
                        (163, 470),
                        (-163, 470),
                        (-161, 395),
                        (-160, 345),
                        (-172, 303),
                    ]
                ),
            ]
        )
    )
    chest = whole(chest.buffer(0).intersection(inner))
    chart.region("decollete", "none", chest, parent=True)
    under = whole(
        affinity.translate(jaw(), 0, 15)
        .intersection(inner)
        .intersection(box(MID - 46, 0, MID + 46, 300))
    )
    chart.region("submental", "none", under)
    half = spline(
        lay([(62, 176), (58, 206), (50, 236), (36, 268), (20, 293), (8, 305), (0, 309.5)])
    )
    middle = Polygon(np.vstack([half, mirror_points(half[::-1], WIDTH)]))
    front = whole(middle.intersection(neck).difference(under.buffer(0.3)))
    chart.region("neck-anterior", "none", front)
    side = whole(
        neck.difference(union([middle, under.buffer(0.3)]).buffer(0.3)).intersection(
            box(MID, 0, WIDTH, 400)
        )
    )
    pairs(chart, "neck-lateral", side)
    sternal = whole(
        Polygon(
            lay([(-30, 312), (0, 311), (30, 312), (34, 350), (28, 455), (-28, 455), (-34, 350)])
        ).intersection(chest.buffer(-0.3))
    )
    chart.region("sternal", "none", sternal)
    hollow = Polygon(
        np.vstack(
            [
                spline(lay([(31, 312), (74, 316), (104, 319), (134, 317), (163, 315)])),
                spline(lay([(160, 345), (110, 352), (35.5, 352)])),
            ]
        )
    )
    pairs(
        chart,
        "infraclavicular",
        whole(hollow.buffer(0).intersection(chest.buffer(-0.3)).difference(sternal.buffer(0.3))),
    )
    arm = Polygon(
        np.vstack(
            [
                spline(lay([(163, 401), (158, 380), (160, 345), (168, 318), (176, 290)])),
                lay([(260, 270), (260, 430), (172, 436)]),
            ]
        )
    )
    pairs(chart, "shoulder", whole(arm.intersection(inner).difference(chest.buffer(0.3))))


def pairs(chart: Chart, area: str, shape: Polygon) -> None:
    chart.region(area, "left", shape)
    chart.region(area, "right", mirror(shape, WIDTH))
