"""A patient's scores over time: what a panel lists and a plot draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from patients.registry.models import Patient
from treatments.scales.formulas import improvement, response
from treatments.scales.models import Score
from treatments.scales.reading import ScaleView, plain, spoken

WIDTH, HEIGHT, MARGIN = 240, 72, 8
"""Of a plot, in its own units."""
MOST_SCORES = 400


@dataclass(frozen=True)
class Series:
    """One scale on one side, oldest first."""

    view: ScaleView
    side: str
    scores: Sequence[Score]

    @property
    def title(self) -> str:
        """Scale and side."""
        return self.view.title(self.side)

    @property
    def last(self) -> Score:
        """The newest."""
        return self.scores[-1]

    @property
    def points(self) -> list[tuple[float, float]]:
        """Where each score stands in a plot of `WIDTH` by `HEIGHT`: time across, the scale up."""
        low, high = self.view.row.minimum, self.view.row.maximum
        up = HEIGHT - 2 * MARGIN
        return [
            (
                self.across(score.taken_at),
                round(HEIGHT - MARGIN - up * float(_share(score, low, high)), 1),
            )
            for score in self.scores
        ]

    def across(self, at: datetime) -> float:
        """Where a moment stands in the plot; left or right of it where it lies outside."""
        first, last = self.scores[0].taken_at, self.last.taken_at
        span = (last - first).total_seconds() or 1.0
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (at - first).total_seconds() / span, 1)

    @property
    def path(self) -> str:
        """For `<polyline points>`."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)

    @property
    def rows(self) -> list[tuple[Score, str]]:
        """Each score in words, newest first."""
        return [(score, self.view.said(score.value)) for score in reversed(self.scores)]

    @property
    def change(self) -> str:
        """`38 % better than at first (moderate)`; empty for one score."""
        first, last = self.scores[0].value, self.last.value
        if len(self.scores) < 2 or first is None or last is None:
            return ""
        better = self.view.row.lower_is_better
        percent = improvement(first, last, lower_is_better=better)
        if percent is None or not percent:
            return _("unchanged") if first == last else ""
        shown = plain(round(abs(percent)))
        if percent < 0:
            return _("%(percent)s %% worse than at first") % {"percent": shown}
        said = _("%(percent)s %% better than at first") % {"percent": shown}
        band = response(self.view.row.bands, percent)
        return f"{said} ({spoken(band, 'label')})" if band else said

    @property
    def is_measured(self) -> bool:
        """A number to calculate with; grades are named, and have no percent."""
        return len(self.view.items) != 1 or self.view.items[0].is_typed


def _share(score: Score, low: Decimal, high: Decimal) -> Decimal:
    return ((score.value or low) - low) / ((high - low) or 1)


def series_of(patient: Patient) -> list[Series]:
    """The closed scores of a person, one series per scale and side; one query."""
    rows = Score.objects.of_person(patient).closed().select_related("scale", "taken_by")
    return group(list(rows.order_by("-taken_at", "-pk")[:MOST_SCORES])[::-1])


def group(scores: Iterable[Score]) -> list[Series]:
    """Scores of one scale belong together whatever the version of its row."""
    found: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for score in scores:
        found[score.scale.code, score.side].append(score)
    series = [Series(ScaleView(rows[-1].scale), side, rows) for (_c, side), rows in found.items()]
    return sorted(series, key=lambda one: one.title)
