"""What a check-in asks, fitted to the day and to what was done, and what an answer means. Pure.

Each sign is a row of the catalogue and stands for an adverse event there; the event's urgency
decides the colour, so a clinic that edits the catalogue edits the watch. What was asked is kept as
it was worded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from django.utils.translation import get_language

RED_URGENCIES = frozenset({"emergency", "same-day"})
AMBER_URGENCIES = frozenset({"review"})
UNKNOWN = "emergency"
"""An event the catalogue no longer has: not knowing is no comfort."""


class Sign(Protocol):
    """What asking needs of a row `check-in-signs`."""

    code: str
    version: int
    applies_to: str
    event: str
    from_hours: int
    until_hours: int | None
    text_en: str
    text_fr: str
    position: int


Row = TypeVar("Row", bound=Sign)
Asked = Mapping[str, Any]
"""One sign as it was asked: code, version, event, and its words by language."""


def fitting(rows: Iterable[Row], selectors: Collection[str], hours: int) -> list[Row]:
    """The signs to ask so many hours after a treatment, in their order; most urgent first."""
    chosen = [
        row
        for row in rows
        if row.applies_to in selectors
        and row.from_hours <= hours
        and (row.until_hours is None or hours <= row.until_hours)
    ]
    return sorted(chosen, key=lambda row: (row.position, row.code))


def as_asked(rows: Iterable[Sign]) -> list[dict[str, Any]]:
    """The signs as a check-in keeps them."""
    return [
        {
            "code": row.code,
            "version": row.version,
            "event": row.event,
            "en": row.text_en,
            "fr": row.text_fr,
        }
        for row in rows
    ]


def words_of(sign: Asked) -> str:
    """The sign's words in the language in force, English where there are no others."""
    return str(sign.get((get_language() or "en")[:2]) or sign["en"])


def colour_of(events: Iterable[str], urgency: Mapping[str, str]) -> str:
    """`red`, `amber` or `green` for what was ticked; `urgency` maps each event to its urgency."""
    levels = {urgency.get(event, UNKNOWN) for event in events}
    if levels & RED_URGENCIES:
        return "red"
    return "amber" if levels & AMBER_URGENCIES else "green"


def is_emergency(events: Iterable[str], urgency: Mapping[str, str]) -> bool:
    """Whether the patient must be told to call the emergency number, and not only the clinic."""
    return any(urgency.get(event, UNKNOWN) == "emergency" for event in events)
