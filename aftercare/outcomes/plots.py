"""Where a spread stands in a small plot. Pure; the table beside it says the same."""

from __future__ import annotations

from dataclasses import dataclass

from aftercare.outcomes.figures import Spread

WIDTH, HEIGHT, MARGIN = 240, 48, 10
"""In the plot's own units."""


@dataclass(frozen=True)
class Strip:
    """A line from the lowest to the highest, a box between the quartiles, a stroke at the median.

    `least` and `most` are the ends of the axis; `zero` stands where nothing has changed.
    """

    spread: Spread
    least: float
    most: float

    def across(self, value: float) -> float:
        """Where a value stands; those beyond the axis at its end."""
        inside = min(max(value, self.least), self.most)
        span = (self.most - self.least) or 1.0
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (inside - self.least) / span, 1)

    @property
    def zero(self) -> float:
        """Nothing has changed."""
        return self.across(0)

    @property
    def line(self) -> tuple[float, float]:
        """From the lowest to the highest."""
        return self.across(self.spread.lowest), self.across(self.spread.highest)

    @property
    def box(self) -> tuple[float, float]:
        """Left edge and width between the quartiles; never so narrow that it cannot be seen."""
        left = self.across(self.spread.lower_quartile)
        return left, max(round(self.across(self.spread.upper_quartile) - left, 1), 1.0)

    @property
    def median(self) -> float:
        """The median."""
        return self.across(self.spread.median)


def strip_of(spread: Spread, reach: float) -> Strip:
    """A plot of changes, as far to either side as the farthest change, at most `reach`."""
    far = min(max(abs(spread.lowest), abs(spread.highest), 1.0), reach or 1.0)
    return Strip(spread, -far, far)
