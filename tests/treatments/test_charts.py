"""The body charts: what a page draws, what the grid computes with, and the list of areas agree."""

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "static" / "charts"
AREAS = json.loads((ROOT / "treatments" / "catalogue" / "data" / "areas.json").read_text())
REGIONS = json.loads((CHARTS / "regions.json").read_text())
CODES = [
    "face-front", "face-left", "face-right", "scalp", "neck-decollete", "hands", "body-front",
    "body-back",
]  # fmt: skip
GROUPS = {"face", "eyes", "lips", "neck-decollete-hands", "scalp", "body"}
SVG = "{http://www.w3.org/2000/svg}"

Point = tuple[float, float]


@cache
def parse(code: str) -> ElementTree.Element:
    """The chart's root; a document type is refused, so no entity can be declared."""
    text = (CHARTS / f"{code}.svg").read_text()
    assert "<!DOCTYPE" not in text
    assert "<!ENTITY" not in text
    return ElementTree.fromstring(text)


def drawn(code: str) -> list[ElementTree.Element]:
    return [e for e in parse(code).iter(f"{SVG}path") if e.get("class") == "region"]


def points(data: str) -> list[Point]:
    assert re.fullmatch(r"M[\d. L]+Z", data)
    pairs = [p.split() for p in data[1:-1].split("L")]
    return [(float(x), float(y)) for x, y in pairs]


def size(ring: list[Point]) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, ring[0]]))) / 2


def inside(ring: list[Point], x: float, y: float) -> bool:
    hit = False
    for (x0, y0), (x1, y1) in pairwise([*ring, ring[0]]):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            hit = not hit
    return hit


def crosses(a: Point, b: Point, c: Point, d: Point) -> bool:
    def turn(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def samples(chart: dict[str, Any], count: int = 70) -> list[Point]:
    """Points strewn evenly over a chart, off any round coordinate."""
    step = max(chart["width"], chart["height"]) / count
    return [
        (0.37 + i * step, 0.41 + j * step)
        for i in range(int(chart["width"] / step))
        for j in range(int(chart["height"] / step))
    ]


def around(ring: list[Point], spots: list[Point]) -> list[Point]:
    """Those of the spots that are in the box around a ring; no other can be inside it."""
    left, right = min(x for x, _ in ring), max(x for x, _ in ring)
    top, bottom = min(y for _, y in ring), max(y for _, y in ring)
    return [(x, y) for x, y in spots if left <= x <= right and top <= y <= bottom]


def test_every_chart_has_a_file_and_its_geometry() -> None:
    assert sorted(p.stem for p in CHARTS.glob("*.svg")) == sorted(CODES)
    assert list(REGIONS) == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_chart_holds_nothing_that_the_content_policy_forbids(code: str) -> None:
    for element in parse(code).iter():
        name = element.tag.removeprefix(SVG)
        assert name in {"svg", "g", "path", "text", "title"}
        for attribute, value in element.attrib.items():
            assert attribute != "style"
            assert not attribute.startswith("on")
            assert "href" not in attribute
            assert "url(" not in value


@pytest.mark.parametrize("code", CODES)
def test_a_chart_follows_the_colour_of_its_page(code: str) -> None:
    colours = {
        e.get(kind) for e in parse(code).iter() for kind in ("fill", "stroke") if e.get(kind)
    }
    assert colours <= {"currentColor", "none", "transparent"}


@pytest.mark.parametrize("code", CODES)
def test_lines_and_shading_let_the_pointer_through(code: str) -> None:
    groups = {g.get("class"): g for g in parse(code).findall(f"{SVG}g")}
    assert set(groups) == {"shading", "lines", "regions", "furniture"}
    for name in ("shading", "lines", "furniture"):
        assert groups[name].get("pointer-events") == "none"


def test_areas_and_regions_name_each_other() -> None:
    listed = {(a["code"], chart) for a in AREAS for chart in a["charts"]}
    shown = {(e.get("data-area"), code) for code in CODES for e in drawn(code)}
    assert listed == shown


def test_areas_are_complete_rows() -> None:
    codes = [a["code"] for a in AREAS]
    assert len(set(codes)) == len(codes)
    for area in AREAS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", area["code"])
        assert area["name_en"]
        assert area["name_fr"]
        assert area["source"]
        assert area["group"] in GROUPS
        assert area["parent"] is None or area["parent"] in codes
        assert area["submental"] == (area["code"] == "submental")


def test_only_areas_over_the_lung_carry_its_risk() -> None:
    risky = {a["code"] for a in AREAS if a["thorax_risk"]}
    assert {"decollete", "neck", "neck-lateral", "shoulder", "upper-back"} <= risky
    assert not risky & {"face", "scalp", "buttock", "hand", "abdomen", "submental"}


@pytest.mark.parametrize("code", CODES)
def test_a_sided_area_is_drawn_on_both_sides_or_on_the_profile_seen(code: str) -> None:
    sided = {a["code"]: a["sided"] for a in AREAS if code in a["charts"]}
    sides: dict[str, set[str | None]] = {}
    for element in drawn(code):
        sides.setdefault(element.get("data-area") or "", set()).add(element.get("data-side"))
    seen = {"face-left": {"left"}, "face-right": {"right"}}.get(code, {"left", "right"})
    assert sides == {area: seen if both else {"none"} for area, both in sided.items()}


@pytest.mark.parametrize("code", ["face-front", "scalp", "neck-decollete", "body-front"])
def test_the_patients_left_is_on_the_viewers_right_from_the_front(code: str) -> None:
    assert_left_side(code, right_half=True)


@pytest.mark.parametrize("code", ["hands", "body-back"])
def test_the_patients_left_is_on_the_viewers_left_from_behind(code: str) -> None:
    assert_left_side(code, right_half=False)


def assert_left_side(code: str, *, right_half: bool) -> None:
    chart = REGIONS[code]
    for region in chart["regions"]:
        if region["side"] != "none":
            mean = sum(x for x, _ in region["polygon"]) / len(region["polygon"])
            assert (mean > chart["width"] / 2) == (right_half == (region["side"] == "left"))


@pytest.mark.parametrize("code", CODES)
def test_regions_are_simple_shapes_inside_the_chart(code: str) -> None:
    chart = REGIONS[code]
    for region in chart["regions"]:
        ring = [tuple(p) for p in region["polygon"]]
        assert 4 <= len(ring) <= 120
        assert size(ring) > 1
        assert all(0 <= x <= chart["width"] and 0 <= y <= chart["height"] for x, y in ring)
        edges = list(pairwise([*ring, ring[0]]))
        for k, (a, b) in enumerate(edges):
            assert not any(crosses(a, b, c, d) for c, d in edges[k + 2 :]), region["area"]


@pytest.mark.parametrize("code", CODES)
def test_regions_that_cover_no_other_do_not_overlap(code: str) -> None:
    rings = [(r["area"], r["polygon"]) for r in REGIONS[code]["regions"] if not r["parent"]]
    for x, y in samples(REGIONS[code]):
        held = [area for area, ring in rings if inside(ring, x, y)]
        assert len(held) <= 1, (held, x, y)


@pytest.mark.parametrize("code", CODES)
def test_a_region_lies_within_its_parent(code: str) -> None:
    parents = {a["code"]: a["parent"] for a in AREAS}
    regions = REGIONS[code]["regions"]
    spots = samples(REGIONS[code], 160)
    for region in regions:
        above = [
            r["polygon"]
            for r in regions
            if r["area"] == parents[region["area"]] and r["side"] in ("none", region["side"])
        ]
        if not above:
            continue
        own = [
            (x, y) for x, y in around(region["polygon"], spots) if inside(region["polygon"], x, y)
        ]
        within = [p for p in own if inside(above[0], *p)]
        assert len(within) >= 0.9 * len(own), region["area"]


@pytest.mark.parametrize("code", CODES)
def test_a_parent_lies_under_what_it_covers(code: str) -> None:
    order = [r["parent"] for r in REGIONS[code]["regions"]]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("code", CODES)
def test_the_geometry_is_that_of_the_drawing(code: str) -> None:
    root, chart = parse(code), REGIONS[code]
    assert root.get("viewBox") == f"0 0 {chart['width']:g} {chart['height']:g}"
    assert float(root.get("data-mm-per-unit") or 0) == chart["mm_per_unit"]
    shown = [
        (
            e.get("data-area"),
            e.get("data-side"),
            e.get("data-parent") == "true",
            points(e.get("d") or ""),
        )
        for e in drawn(code)
    ]
    told = [
        (r["area"], r["side"], r["parent"], [tuple(p) for p in r["polygon"]])
        for r in chart["regions"]
    ]
    assert shown == told


@pytest.mark.parametrize("code", CODES)
def test_a_region_is_identified_and_named(code: str) -> None:
    names = {a["code"]: a["name_en"] for a in AREAS}
    for element in drawn(code):
        area, side = element.get("data-area") or "", element.get("data-side")
        tail = "" if side == "none" else f"-{side}"
        assert element.get("id") == f"r-{area}{tail}"
        title = element.find(f"{SVG}title")
        assert title is not None
        assert (title.text or "").startswith(names[area])
    ids = [e.get("id") for e in drawn(code)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("code", CODES)
def test_the_scale_bar_is_as_long_as_it_says(code: str) -> None:
    bar = next(e for e in parse(code).iter(f"{SVG}path") if e.get("class") == "scale-bar")
    start, end = re.match(r"M([\d.]+) [\d.]+H([\d.]+)", bar.get("d") or "").groups()  # type: ignore[union-attr]
    length_mm = (float(end) - float(start)) * REGIONS[code]["mm_per_unit"]
    assert length_mm == pytest.approx(float(bar.get("data-cm") or 0) * 10)
    labels = [e.text for e in parse(code).iter(f"{SVG}text")]
    assert f"{bar.get('data-cm')} cm" in labels


@pytest.mark.parametrize("area", AREAS, ids=lambda a: a["code"])
def test_the_typical_area_is_that_of_the_drawing(area: dict[str, Any]) -> None:
    chart = REGIONS[area["charts"][0]]
    regions = [r for r in chart["regions"] if r["area"] == area["code"]]
    for region in regions:
        measured = size(region["polygon"]) * chart["mm_per_unit"] ** 2 / 100
        assert measured == pytest.approx(area["typical_area_cm2"], rel=0.1)


def test_adult_proportions() -> None:
    """The face is as broad as an adult's: 130 to 150 mm between the cheekbones."""
    face = next(r for r in REGIONS["face-front"]["regions"] if r["area"] == "face")
    across = [x for x, _ in face["polygon"]]
    assert 130 <= max(across) - min(across) <= 150
