"""Medians, quartiles, shares and their intervals. Pure: the statistics are the standard library's
and SciPy's; here is only what is asked of them.

SciPy takes its time and memory to load: it is loaded when first asked for, not with the site.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

CONFIDENCE = 0.95


@cache
def _stats() -> Any:
    return import_module("scipy.stats")


@dataclass(frozen=True)
class Spread:
    """Values of `n` patients: the median, the quartiles, and the lowest and highest.

    `surely_from` and `surely_to` bound the median with 95 % confidence (exact, by order
    statistics); None where there are too few values for it.
    """

    n: int
    median: float
    lower_quartile: float
    upper_quartile: float
    lowest: float
    highest: float
    surely_from: float | None
    surely_to: float | None


def spread_of(values: Sequence[float]) -> Spread:
    """Raises `ValueError` for fewer than two values."""
    if len(values) < 2:
        raise ValueError("a spread needs two values")
    low, _middle, high = statistics.quantiles(values, n=4, method="inclusive")
    bounds = _stats().quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
    return Spread(
        n=len(values),
        median=float(statistics.median(values)),
        lower_quartile=float(low),
        upper_quartile=float(high),
        lowest=float(min(values)),
        highest=float(max(values)),
        surely_from=None if math.isnan(bounds.low) else float(bounds.low),
        surely_to=None if math.isnan(bounds.high) else float(bounds.high),
    )


@dataclass(frozen=True)
class Share:
    """`part` of `whole`, in percent from `low` to `high` with 95 % confidence (Wilson)."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def percent(self) -> float:
        """From 0 to 100."""
        return 100 * self.part / self.whole


def share_of(part: int, whole: int) -> Share:
    """Raises `ValueError` unless 0 <= part <= whole and whole is above 0."""
    if not 0 <= part <= whole or not whole:
        raise ValueError("a part of nothing")
    bounds = _stats().binomtest(part, whole).proportion_ci(CONFIDENCE, method="wilson")
    return Share(part, whole, 100 * float(bounds.low), 100 * float(bounds.high))
