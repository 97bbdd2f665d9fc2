"""What rooms above know of a course: adverse events that were seen or reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from treatments.plans.models import Plan


@dataclass(frozen=True)
class Report:
    """An adverse event of a course: when, and what is said of it."""

    at: datetime
    words: str


Source = Callable[[Plan], Iterable[Report]]
_sources: list[Source] = []


def provide(source: Source) -> None:
    """Name a function that knows the adverse events of a plan; called once from an
    `AppConfig.ready`."""
    if source not in _sources:
        _sources.append(source)


def reports_of(plan: Plan) -> list[Report]:
    """Everything that is known, oldest first."""
    return sorted((one for source in _sources for one in source(plan)), key=lambda one: one.at)
