"""Attack rates and relative risk against published figures, and what zero cells leave to say."""

from __future__ import annotations

import math

import pytest

from aftercare.safety.risk import compare


def test_oswego_1940_vanilla_ice_cream() -> None:
    """The church supper of the textbooks: 43 of 54 who ate it fell ill, 3 of 21 who did not.

    CDC, Principles of Epidemiology: relative risk 5.6, 95 % from 1.9 to 16.0.
    """
    risk = compare(43, 54, 3, 21)
    assert risk.ratio == pytest.approx(5.574, abs=0.001)
    assert (risk.low, risk.high) == (pytest.approx(1.94, abs=0.01), pytest.approx(16.03, abs=0.01))
    assert risk.rate == pytest.approx(0.796, abs=0.001)
    assert risk.unexposed_rate == pytest.approx(0.143, abs=0.001)
    assert risk.p is not None
    assert risk.p < 0.001
    assert not risk.is_small


def test_the_example_of_scipy_s_own_pages() -> None:
    """Heart disease and a family's history of it (Armitage's table, as SciPy documents it)."""
    risk = compare(27, 122, 44, 487)
    assert risk.ratio == pytest.approx(2.4495156482861398)
    assert risk.low == pytest.approx(1.5836990926700116)
    assert risk.high == pytest.approx(3.7886786315466354)


def test_fisher_s_tea() -> None:
    """Three of four cups right against one of four: p = 0.486, two-sided."""
    risk = compare(3, 4, 1, 4)
    assert risk.p == pytest.approx(0.4857, abs=0.0001)
    assert risk.is_small


def test_every_case_exposed_is_infinite_and_says_so() -> None:
    risk = compare(8, 10, 0, 40)
    assert risk.is_infinite
    assert (risk.low, risk.high) == (None, None)
    assert risk.odds_low == pytest.approx(16.589, abs=0.001)
    assert risk.has_zero
    assert risk.p is not None
    assert risk.p < 1e-6


def test_no_case_exposed_is_zero_without_an_interval() -> None:
    risk = compare(0, 10, 3, 10)
    assert (risk.ratio, risk.low, risk.high) == (0.0, None, None)


def test_no_case_at_all_has_no_ratio() -> None:
    risk = compare(0, 10, 0, 10)
    assert risk.ratio is None
    assert risk.p == pytest.approx(1.0)


def test_everyone_exposed_leaves_nobody_to_compare_with() -> None:
    risk = compare(3, 10, 0, 0)
    assert (risk.ratio, risk.p, risk.unexposed_rate) == (None, None, None)


@pytest.mark.parametrize("cells", [(3, 2, 0, 1), (-1, 2, 0, 1), (0, 0, 0, 1), (1, 1, 2, 1)])
def test_impossible_counts_are_refused(cells: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError):
        compare(*cells)


def test_nothing_infinite_is_not_a_number() -> None:
    """A page never says nan."""
    for exposed in range(1, 5):
        for unexposed in range(4):
            for a in range(exposed + 1):
                for c in range(unexposed + 1):
                    risk = compare(a, exposed, c, unexposed)
                    figures = (risk.ratio, risk.low, risk.high, risk.odds_low, risk.p)
                    assert not any(one is not None and math.isnan(one) for one in figures)
