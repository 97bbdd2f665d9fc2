"""Attack rates and relative risk. The statistics are SciPy's; here is only what is asked of it.

SciPy takes its time and memory to load, and only this page needs it: it is loaded when first asked
for, not with the site.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

CONFIDENCE = 0.95
SMALL = 5
"""Below this many expected in a cell the approximate interval is not to be leaned on."""


@cache
def _contingency() -> Any:
    return import_module("scipy.stats.contingency")


@cache
def _stats() -> Any:
    return import_module("scipy.stats")


@dataclass(frozen=True)
class Risk:
    """A two-by-two table and what it says.

    `ratio` is the relative risk: infinite when every case was exposed and None when there is
    nobody to compare with, or no case at all. `low` and `high` bound it with 95 % confidence
    (Katz's log method); None where a zero cell leaves no interval. `odds_low`, where the ratio is
    infinite, is the lower bound of the odds ratio by Fisher's exact method, which that cell does
    leave. `p` is Fisher's exact, two-sided; None without anybody to compare with.
    """

    exposed_cases: int
    exposed: int
    unexposed_cases: int
    unexposed: int
    ratio: float | None
    low: float | None
    high: float | None
    odds_low: float | None
    p: float | None

    @property
    def rate(self) -> float:
        """Attack rate of the exposed, from 0 to 1."""
        return self.exposed_cases / self.exposed

    @property
    def unexposed_rate(self) -> float | None:
        """Attack rate of the unexposed; None where there are none."""
        return self.unexposed_cases / self.unexposed if self.unexposed else None

    @property
    def at_least(self) -> float | None:
        """The lower bound of the ratio; of the odds ratio where every case was exposed."""
        return self.odds_low if self.is_infinite else self.low

    @property
    def is_infinite(self) -> bool:
        """All cases were exposed: the ratio has no upper bound."""
        return self.ratio == math.inf

    @property
    def has_zero(self) -> bool:
        """Whether one of the four cells is empty."""
        return 0 in (
            self.exposed_cases,
            self.exposed - self.exposed_cases,
            self.unexposed_cases,
            self.unexposed - self.unexposed_cases,
        )

    @property
    def is_small(self) -> bool:
        """Whether the smallest expected count is below `SMALL`: trust Fisher's p, not the bounds.

        As statisticians count: row total times column total over the sum of all.
        """
        everyone = self.exposed + self.unexposed
        cases = self.exposed_cases + self.unexposed_cases
        smallest = min(self.exposed, self.unexposed) * min(cases, everyone - cases)
        return smallest < SMALL * everyone


def compare(exposed_cases: int, exposed: int, unexposed_cases: int, unexposed: int) -> Risk:
    """The risk of the exposed against that of the unexposed. Totals include the cases.

    Raises `ValueError` unless 0 <= cases <= total on both sides and somebody was exposed.
    """
    if not (0 <= exposed_cases <= exposed and 0 <= unexposed_cases <= unexposed and exposed):
        raise ValueError("cases and totals do not fit")
    cells = (exposed_cases, exposed, unexposed_cases, unexposed)
    if not unexposed:
        return Risk(*cells, ratio=None, low=None, high=None, odds_low=None, p=None)
    result = _contingency().relative_risk(*cells)
    bounds = result.confidence_interval(confidence_level=CONFIDENCE)
    table = [
        [exposed_cases, exposed - exposed_cases],
        [unexposed_cases, unexposed - unexposed_cases],
    ]
    ratio, low, high = (float(one) for one in (result.relative_risk, bounds.low, bounds.high))
    has_interval = exposed_cases > 0 and unexposed_cases > 0
    return Risk(
        *cells,
        ratio=None if math.isnan(ratio) else ratio,
        low=low if has_interval else None,
        high=high if has_interval else None,
        odds_low=_odds_low(table) if ratio == math.inf else None,
        p=float(_stats().fisher_exact(table).pvalue),
    )


def _odds_low(table: list[list[int]]) -> float | None:
    """The exact lower bound takes a search, much longer than all the rest together."""
    odds = _contingency().odds_ratio(table).confidence_interval(confidence_level=CONFIDENCE)
    return None if math.isnan(odds.low) else float(odds.low)
