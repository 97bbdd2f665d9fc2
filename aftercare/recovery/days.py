"""Is this normal today? What is expected since a treatment, what is over, what is still to mind.

Pure. The figures are the catalogue's: `expected_days` of what may show, `until` of the sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

LONGEST_DAYS = 84
"""Twelve weeks, to which the watch goes: after that there is no day to speak of."""


class Reaction(Protocol):
    """What of an adverse event of the catalogue is told; `expected_days` from the onset.

    `language`: see `Expected`.
    """

    @property
    def code(self) -> str: ...

    @property
    def expected_days(self) -> int | None: ...

    @property
    def language(self) -> str: ...

    def said(self, field: str, language: str | None = None) -> str: ...


@dataclass(frozen=True)
class Expected:
    """A usual reaction: what it is called, how it goes, and the last day on which it is usual.

    `language` is that of its words where it is not the page's.
    """

    name: str
    course: str
    until: date
    language: str = ""


@dataclass(frozen=True)
class Mark:
    """A moment of the way: something ends, or is to come."""

    at: datetime
    words: str
    kind: str
    is_past: bool


@dataclass(frozen=True)
class Today:
    """`day`: how many days ago the treatment was, 0 on its own day."""

    day: int
    usual: Sequence[Expected]
    over: Sequence[Expected]
    also_usual: Sequence[str]
    to_mind: Sequence[Mark]
    freed: Sequence[Mark]
    call: Sequence[str]
    emergency: Sequence[str]

    @property
    def is_in_time(self) -> bool:
        """Whether there is still a day to speak of."""
        return self.day <= LONGEST_DAYS


def expected(reactions: Iterable[Reaction], treated_on: date) -> list[Expected]:
    """Each usual reaction with its last usual day, the shortest first."""
    found = [
        Expected(
            name=one.said("name"),
            course=one.said("onset"),
            until=treated_on + timedelta(days=one.expected_days),
            language=one.language,
        )
        for one in reactions
        if one.expected_days is not None
    ]
    return sorted(found, key=lambda one: (one.until, one.name))


def today_of(
    lines: Sequence[dict[str, Any]],
    reactions: Iterable[Reaction],
    *,
    treated_at: datetime,
    at: datetime,
    zone: ZoneInfo,
) -> Today:
    """What holds at a moment. `lines`: those of the sheet (section, text, until as ISO or empty).

    A line whose time is over is no longer told as usual, and what it forbade is allowed again.
    """
    treated_on, day = treated_at.astimezone(zone).date(), at.astimezone(zone).date()
    known = expected(reactions, treated_on)
    avoid = _marks(lines, "avoid", at, zone)
    return Today(
        day=(day - treated_on).days,
        usual=[one for one in known if day <= one.until],
        over=[one for one in known if day > one.until],
        also_usual=[
            line["text"] for line in lines if line["section"] == "normal" and not _is_over(line, at)
        ],
        to_mind=[mark for mark in avoid if not mark.is_past],
        freed=[mark for mark in avoid if mark.is_past],
        call=_texts(lines, "call"),
        emergency=_texts(lines, "emergency"),
    )


def _texts(lines: Sequence[dict[str, Any]], section: str) -> list[str]:
    return [line["text"] for line in lines if line["section"] == section]


def _is_over(line: dict[str, Any], at: datetime) -> bool:
    return bool(line.get("until")) and datetime.fromisoformat(line["until"]) <= at


def _marks(
    lines: Sequence[dict[str, Any]], section: str, at: datetime, zone: ZoneInfo
) -> list[Mark]:
    """The lines of a section that have an end, in the order in which they end."""
    timed = [line for line in lines if line["section"] == section and line.get("until")]
    marks = [
        Mark(
            at=datetime.fromisoformat(line["until"]).astimezone(zone),
            words=line["text"],
            kind=section,
            is_past=_is_over(line, at),
        )
        for line in timed
    ]
    return sorted(marks, key=lambda mark: mark.at)
