"""Composing an aftercare sheet from advice blocks: pure, no database, no clock of its own.

Blocks are chosen by what was done; blocks of one section and topic are merged so that the
strictest (the longest `hours`) wins and is said once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format

QUARTER = timedelta(minutes=15)
DATE_ONLY_FROM_HOURS = 7 * 24
"""From a week on, a clock time would be false precision: the sheet names the day."""


class Block(Protocol):
    """What composing needs of an advice block; `hours` counts from the end of treatment."""

    code: str
    version: int
    applies_to: str
    topic: str
    section: str
    hours: int | None
    position: int

    def said(self, field: str, language: str | None = None) -> str: ...


@dataclass(frozen=True)
class Treatment:
    """What was done, in codes: what the choice of blocks depends on."""

    area_groups: frozenset[str]
    technique_groups: frozenset[str]
    substances: frozenset[str]
    anaesthetic: bool

    def selectors(self) -> frozenset[str]:
        """Every `applies_to` that matches this treatment."""
        chosen = {"base"}
        chosen |= {f"area:{group}" for group in self.area_groups}
        chosen |= {f"technique:{group}" for group in self.technique_groups}
        chosen |= {f"substance:{code}" for code in self.substances}
        if self.anaesthetic:
            chosen.add("anaesthetic")
        return frozenset(chosen)


def strictest(blocks: Iterable[Block]) -> list[Block]:
    """One block per section and topic: the longest hours; at equal hours the more specific one."""
    best: dict[tuple[str, str], Block] = {}
    for block in blocks:
        key = (block.section, block.topic)
        if key not in best or _strictness(block) > _strictness(best[key]):
            best[key] = block
    return sorted(best.values(), key=lambda block: (block.position, block.code))


def _strictness(block: Block) -> tuple[int, bool, str]:
    # The code at the end only makes the choice between equals the same every time.
    return (block.hours or 0, block.applies_to != "base", block.code)


def until(treated_at: datetime, hours: int, zone: ZoneInfo) -> datetime:
    """When a restriction of so many real hours ends, on the clinic's clock.

    Rounded up to the next quarter of an hour, never down. Real hours: a night in which the
    clocks change shortens or lengthens nothing.
    """
    end = treated_at + timedelta(hours=hours)
    over = (end - datetime.min.replace(tzinfo=end.tzinfo)) % QUARTER
    return (end if not over else end + QUARTER - over).astimezone(zone)


def spoken(moment: datetime, hours: int, language: str) -> str:
    """`Thursday 26 November, 18:00`, or the day alone from a week on."""
    with translation.override(language):
        day = date_format(moment, "l j F", use_l10n=False)
        if hours >= DATE_ONLY_FROM_HOURS:
            return day
        return f"{day}, {date_format(moment, 'H:i', use_l10n=False)}"


def compose(
    blocks: Iterable[Block],
    treatment: Treatment,
    *,
    treated_at: datetime,
    zone: ZoneInfo,
    language: str,
) -> list[dict[str, Any]]:
    """The lines of the sheet in order: section, text, until (ISO or empty), block and version."""
    chosen = treatment.selectors()
    return [
        _line(block, treated_at, zone, language)
        for block in strictest(block for block in blocks if block.applies_to in chosen)
    ]


def _line(block: Block, treated_at: datetime, zone: ZoneInfo, language: str) -> dict[str, Any]:
    text = block.said("text", language)
    ends = ""
    if block.hours:
        moment = until(treated_at, block.hours, zone)
        ends = moment.isoformat()
        text = text.replace("{until}", spoken(moment, block.hours, language))
    return {
        "section": block.section,
        "topic": block.topic,
        "text": text,
        "until": ends,
        "block": block.code,
        "version": block.version,
    }
