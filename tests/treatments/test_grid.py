"""Grids: every point inside, none too close, about as many as the area holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume
from hypothesis import given as for_all
from hypothesis import strategies as st

from treatments.sessions import grid

SQUARE = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
ELL = [(0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (20.0, 20.0), (20.0, 60.0), (0.0, 60.0)]


@st.composite
def outlines(draw: st.DrawFn) -> list[grid.Point]:
    """Star-shaped polygons, convex or not, 10 to 80 mm across."""
    corners = draw(st.integers(3, 12))
    radii = draw(st.lists(st.floats(5, 40), min_size=corners, max_size=corners))
    return [
        (
            50 + radius * math.cos(2 * math.pi * number / corners),
            50 + radius * math.sin(2 * math.pi * number / corners),
        )
        for number, radius in enumerate(radii)
    ]


@for_all(
    outline=outlines(), spacing=st.floats(1.5, 20), margin=st.floats(0, 5), staggered=st.booleans()
)
def test_every_point_is_inside_and_none_is_too_close(
    outline: list[grid.Point], spacing: float, margin: float, staggered: bool
) -> None:
    points = grid.lay(outline, spacing, margin=margin, staggered=staggered)
    assume(len(points) < 300)
    for number, point in enumerate(points):
        assert grid.contains(outline, point)
        assert margin == 0 or grid.distance_to_edge(outline, point) >= margin
        assert all(math.dist(point, other) >= spacing - 1e-6 for other in points[:number])


@for_all(outline=outlines(), count=st.integers(1, 60))
def test_spread_gives_exactly_as_many(outline: list[grid.Point], count: int) -> None:
    assume(grid.area_mm2(outline) > 4 * count)
    points = grid.spread(outline, count)
    assert len(points) == len(set(points)) == count
    assert all(grid.contains(outline, point) for point in points)


@pytest.mark.parametrize("spacing", [3.0, 5.0, 10.0])
@pytest.mark.parametrize("staggered", [False, True])
def test_the_count_follows_the_area(spacing: float, staggered: bool) -> None:
    cell = spacing**2 * (math.sqrt(3) / 2 if staggered else 1)
    found = len(grid.lay(SQUARE, spacing, staggered=staggered))
    assert found == pytest.approx(10_000 / cell, rel=0.25)


def test_staggered_neighbours_are_at_the_spacing() -> None:
    points = grid.lay(SQUARE, 10, staggered=True)
    nearest = [min(math.dist(p, q) for q in points if q != p) for p in points]
    assert all(distance == pytest.approx(10) for distance in nearest)


def test_a_notch_stays_empty() -> None:
    assert not any(x > 20 and y > 20 for x, y in grid.lay(ELL, 5))
    assert not grid.contains(ELL, (40, 40))
    assert grid.contains(ELL, (10, 50))
    assert grid.area_mm2(ELL) == 2000


@pytest.mark.parametrize(
    ("spacing", "margin"),
    [(0.4, 0), (0, 0), (-1, 0), (float("nan"), 0), (float("inf"), 0), (5, -1), (5, float("nan"))],
)
def test_impossible_figures_are_refused(spacing: float, margin: float) -> None:
    with pytest.raises(ValueError):
        grid.lay(SQUARE, spacing, margin=margin)


def test_too_many_points_are_refused_at_once() -> None:
    with pytest.raises(ValueError):
        grid.lay(SQUARE, 1)
    with pytest.raises(ValueError):
        grid.lay([(0, 0), (5000, 0), (5000, 5000)], 0.5)
    with pytest.raises(ValueError):
        grid.spread(SQUARE, 2001)
    with pytest.raises(ValueError):
        grid.spread([(0, 0), (1, 0), (0, 1)], 50)


def test_one_more_point_takes_the_first_free_place() -> None:
    taken: list[grid.Point] = []
    while (place := grid.next_point(SQUARE, taken, 25)) is not None:
        taken.append(place)
    assert len(taken) == len(grid.lay(SQUARE, 25))


def test_fractions_come_back_as_mm() -> None:
    scale = grid.Scale(width=200, height=300, mm_per_unit=2)
    assert scale.to_mm([(100, 150)]) == [(200, 300)]
    assert scale.to_fraction((200, 300)) == (0.5, 0.5)
    assert scale.from_fraction((0.5, 0.5)) == (200, 300)


def test_mirroring_twice_is_where_it_was() -> None:
    points = [(0.25, 0.5), (0.1, 0.9)]
    assert grid.mirrored(points) == [(0.75, 0.5), (0.9, 0.9)]
    assert grid.mirrored(grid.mirrored(points)) == points
