"""The course of a plan: how many sessions, when the next one is due, and what it holds.

Calendar dates only: a gap of 15 days is 15 dates on, whatever the clocks do in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Protocol, TypeVar

from treatments.plans.models import MixLine, Plan


class Stretch(Protocol):
    """A phase: how many sessions and the days between them."""

    @property
    def sessions(self) -> int: ...
    @property
    def gap_min_days(self) -> int: ...
    @property
    def gap_max_days(self) -> int: ...


class Share(Protocol):
    """A product's share of the sessions; `to_session` None means to the last."""

    @property
    def from_session(self) -> int: ...
    @property
    def to_session(self) -> int | None: ...


Portion = TypeVar("Portion", bound=Share)


def total(phases: Iterable[Stretch]) -> int:
    """How many sessions the phases come to."""
    return sum(phase.sessions for phase in phases)


def gap_before(phases: Sequence[Stretch], number: int) -> tuple[int, int] | None:
    """Fewest and most days between session `number - 1` and session `number` (from 1).

    The gap is that of the phase the coming session belongs to: the first monthly session comes a
    month after the last weekly one. None before the first session and beyond the last.
    """
    if number < 2:
        return None
    before = 0
    for phase in phases:
        before += phase.sessions
        if number <= before:
            return phase.gap_min_days, phase.gap_max_days
    return None


def window(phases: Sequence[Stretch], done: int, last_on: date | None) -> tuple[date, date] | None:
    """First and last date on which session `done + 1` is due.

    None before the first session (any day will do) and when the course is complete. Raises
    `ValueError` for a negative count, and for sessions done without the date of the last.
    """
    if done < 0:
        raise ValueError("Sessions done cannot be negative.")
    gap = gap_before(phases, done + 1)
    if gap is None:
        return None
    if last_on is None:
        raise ValueError("Sessions were done, but the date of the last one is missing.")
    return last_on + timedelta(days=gap[0]), last_on + timedelta(days=gap[1])


def shares_of(mix: Iterable[Portion], number: int) -> list[Portion]:
    """The lines of a mix that session `number` (from 1) holds, in their order."""
    return [
        line
        for line in mix
        if line.from_session <= number and (line.to_session is None or number <= line.to_session)
    ]


def sessions_total(plan: Plan) -> int:
    """How many sessions a plan comes to."""
    return total(plan.phases.all())


def next_due(plan: Plan, sessions_done: int, last_on: date | None) -> tuple[date, date] | None:
    """First and last date of the next session; see `window`."""
    return window(list(plan.phases.all()), sessions_done, last_on)


def mix_for(plan: Plan, session_number: int) -> list[MixLine]:
    """What session `session_number` (from 1) of a plan holds."""
    return shares_of(plan.mix.all(), session_number)
