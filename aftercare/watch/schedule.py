"""When a patient is asked after a session. Pure; the times are rows of the catalogue.

Source of the shipped rows: the reminder plan of the aftercare proposal (DOMAIN.md section 8), to
twelve weeks, since non-tuberculous mycobacteria show one to twelve weeks after injection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from patients.messages.quiet import USUAL, Quiet, outside_quiet_hours

BASE = "base"


class Time(Protocol):
    """What planning needs of a row `check-in-times`; `hours` from the end of the treatment."""

    step: str
    hours: int
    applies_to: str
    is_skipped: bool


Row = TypeVar("Row", bound=Time)
Selectors = Sequence[str]
"""Of one technique, the more specific one first: `technique:jet`, `technique:papule`."""


def steps_of(rows: Iterable[Row], techniques: Iterable[Selectors]) -> list[Row]:
    """The row of each step for what was done, earliest first.

    A technique's own row goes before the base row of its step. Of several techniques the most
    careful one counts: a step is left out only when each leaves it out, and the earliest is taken.
    """
    by_step: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_step.setdefault(row.step, {})[row.applies_to] = row
    wanted = list(techniques) or [()]
    chosen = (_careful([_of(own, one) for one in wanted]) for own in by_step.values())
    return sorted((row for row in chosen if row), key=lambda row: (row.hours, row.step))


def _of(own: dict[str, Row], technique: Selectors) -> Row | None:
    return next((own[name] for name in (*technique, BASE) if name in own), None)


def _careful(rows: Iterable[Row | None]) -> Row | None:
    asked = [row for row in rows if row is not None and not row.is_skipped]
    return min(asked, key=lambda row: row.hours, default=None)


def due_times(
    treated_at: datetime, zone: ZoneInfo, rows: Iterable[Row], quiet: Quiet = USUAL
) -> list[tuple[Row, datetime]]:
    """When each is due, in real time; never within the quiet hours of the clinic's clock.

    Questions wait for the morning, alarms do not.
    """
    return [
        (row, outside_quiet_hours(treated_at + timedelta(hours=row.hours), zone, quiet))
        for row in rows
    ]
