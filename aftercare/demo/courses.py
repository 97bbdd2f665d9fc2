"""The courses that the story tells, from published protocols, with the points of their maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from aftercare.demo.ground import Ground, Place
from treatments.plans.models import Phase, Side
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec
from treatments.sessions.charts import chart_of, charts
from treatments.sessions.entries import AreaEntry
from treatments.sessions.grid import Point, spread
from treatments.sessions.models import TreatedArea

D = Decimal


@dataclass(frozen=True)
class Spot:
    """An area: points in all (both sides together), mL each, depth in mm, needle gauge."""

    area: str
    technique: str
    points: int
    ml: str
    depth: str
    side: str = Side.NONE
    gauge: int | None = 30
    method: str = TreatedArea.Method.HAND


@dataclass(frozen=True)
class Share:
    """A product in mL, for some sessions or all."""

    product: str
    ml: str
    first: int = 1
    last: int | None = None


@dataclass(frozen=True)
class Course:
    """A protocol as this clinic plans it, and what the patient says on the first day.

    `protocol`: the code of the published course, where its indication has several.
    """

    indication: str
    title: str
    spots: tuple[Spot, ...]
    mix: tuple[Share, ...]
    phases: tuple[tuple[int, int, int, str], ...]
    concern: str
    examination: str
    cream_g: str = ""
    protocol: str = ""

    def sessions(self) -> int:
        """How many sessions in all."""
        return sum(count for count, _least, _most, _kind in self.phases)


INDUCTION, CONSOLIDATION = Phase.Kind.INDUCTION, Phase.Kind.CONSOLIDATION

BACK = Course(
    indication="low-back-pain",
    title="Low back pain, five sessions",
    spots=(Spot("lower-back", "sim-pain", 20, "0.15", "4", gauge=27),),
    mix=(
        Share("lidocaine-2", "1"),
        Share("ketoprofen-160", "1"),
        Share("methylprednisolone-40", "1", 1, 2),
        Share("methylprednisolone-40", "0.5", 3, 5),
        Share("sodium-chloride-09", "0.5", 3, 5),
    ),
    phases=((5, 3, 3, INDUCTION),),
    concern="Pain low in the back for ten days, worse in the morning. Tablets hurt the stomach.",
    examination="Tender points beside L4 and L5 on both sides. No weakness, reflexes equal.",
)
"""Costantino (S60a): sessions on days 1, 4, 7, 10, 13; 3 mL and 20 mg lidocaine in each; steroid
40 mg on days 1 and 4, then 20 mg."""

FACE = Course(
    indication="face-rejuvenation",
    title="Face, hyaluronic acid and vitamins",
    spots=(
        Spot("cheek", "papule", 30, "0.05", "1.5", Side.BOTH),
        Spot("forehead", "papule", 20, "0.05", "1.5"),
    ),
    mix=(Share("ha-1", "1.5"), Share("polyvitamin-5", "1")),
    phases=((4, 15, 15, INDUCTION),),
    concern="My skin looks dull and tired, and make-up settles in the fine lines.",
    examination="Fine lines of cheeks and forehead, skin dry, no inflammation, no cold sore.",
    cream_g="5",
    protocol="face-4x15",
)
"""Section 3, first row (S29a): four sessions, 15 days apart."""

MELASMA = Course(
    indication="melasma",
    title="Melasma, tranexamic acid",
    spots=(Spot("cheek", "papule", 30, "0.05", "1", Side.BOTH),),
    mix=(Share("tranexamic-100", "0.5"), Share("sodium-chloride-09", "1")),
    phases=((3, 28, 30, INDUCTION),),
    concern="Brown patches on both cheeks since my second pregnancy; worse every summer.",
    examination="Symmetrical malar melasma, borders regular. Sunscreen used in the morning only.",
    protocol="melasma-txa-100",
)

SCALP = Course(
    indication="alopecia",
    title="Hair loss, dexpanthenol and biotin",
    spots=(Spot("scalp", "nappage", 40, "0.05", "2"),),
    mix=(Share("dexpanthenol-biotin", "2"),),
    phases=((5, 14, 16, INDUCTION), (5, 28, 31, CONSOLIDATION)),
    concern="My parting is getting wider and the shower drain is full of hair.",
    examination="Diffuse thinning of the crown, pull test negative, scalp without scale.",
)

HAIR = replace(SCALP, title="Hair loss, course of six", phases=((6, 7, 14, INDUCTION),))
"""The shorter course: six sessions, one to two weeks apart."""

THIGHS = Course(
    indication="cellulite",
    title="Thighs, caffeine and L-carnitine",
    spots=(
        Spot(
            "thigh-posterior", "gun", 80, "0.1", "4", Side.BOTH, 30, method=TreatedArea.Method.GUN
        ),
    ),
    mix=(
        Share("caffeine-25", "2"),
        Share("l-carnitine-200", "3"),
        Share("sodium-chloride-09", "3"),
    ),
    phases=((10, 7, 8, INDUCTION),),
    concern="Dimples on the backs of my thighs, whatever I do for sport.",
    examination="Dimples standing and on pinching, both sides alike. No varicose veins.",
)

DECOLLETE = Course(
    indication="hydration",
    title="Décolleté, hydration",
    spots=(Spot("decollete", "papule", 40, "0.05", "1.5"),),
    mix=(Share("ha-1", "2"),),
    phases=((3, 28, 30, INDUCTION),),
    concern="Crepe-like skin on the chest after years of sun.",
    examination="Dry, finely lined skin of the décolleté, a few solar lentigines, none suspicious.",
)

HANDS = Course(
    indication="skin-quality",
    title="Backs of the hands, polynucleotides",
    spots=(Spot("hand-dorsum", "papule", 40, "0.05", "1.5", Side.BOTH),),
    mix=(Share("polynucleotides-20", "2"),),
    phases=((3, 21, 28, INDUCTION),),
    concern="My hands look older than I do.",
    examination="Thin skin, veins and tendons visible, no wounds.",
)

COURSES = (FACE, MELASMA, SCALP, THIGHS, DECOLLETE, HANDS, BACK)


def area_specs(course: Course, ground: Ground) -> list[AreaSpec]:
    """The planned areas."""
    return [
        AreaSpec(
            area=ground.areas[spot.area],
            technique=ground.techniques[spot.technique],
            depth_mm=D(spot.depth),
            ml_per_point=D(spot.ml),
            points=spot.points,
            side=spot.side,
            needle_gauge=spot.gauge,
            needle_mm=D(4),
        )
        for spot in course.spots
    ]


def mix_specs(course: Course, ground: Ground) -> list[MixSpec]:
    """The planned mix."""
    return [
        MixSpec(ground.products[share.product], D(share.ml), share.first, share.last)
        for share in course.mix
    ]


def phase_specs(course: Course) -> list[PhaseSpec]:
    """The planned phases."""
    return [PhaseSpec(count, least, most, kind) for count, least, most, kind in course.phases]


def map_of(course: Course, ground: Ground, place: Place) -> list[AreaEntry]:
    """The injection map of one session: a grid over each area, as planned."""
    return [
        AreaEntry(
            area=ground.areas[spot.area],
            technique=ground.techniques[spot.technique],
            depth_mm=D(spot.depth),
            ml_per_point=D(spot.ml),
            chart=chart_for(spot.area, spot.side, tuple(ground.areas[spot.area].charts)),
            side=spot.side,
            points=grid(spot.area, spot.side, spot.points, tuple(ground.areas[spot.area].charts)),
            method=spot.method,
            device=place.devices["mesogun"] if spot.method == TreatedArea.Method.GUN else None,
            needle_gauge=spot.gauge,
            needle_mm=D(4),
        )
        for spot in course.spots
    ]


@cache
def chart_for(area: str, side: str, listed: tuple[str, ...]) -> str:
    """The chart an area is shown on."""
    return chart_of(area, side, list(listed))


@cache
def grid(area: str, side: str, count: int, listed: tuple[str, ...]) -> tuple[Point, ...]:
    """`count` points spread over an area's regions, as fractions of the chart."""
    chart = charts()[chart_for(area, side, listed)]
    outlines = chart.outlines_mm(area, side)
    found: list[Point] = []
    for number, outline in enumerate(outlines):
        share = count * (number + 1) // len(outlines) - count * number // len(outlines)
        found += [chart.scale.to_fraction(point) for point in spread(outline, share, margin=3)]
    return tuple(found)
