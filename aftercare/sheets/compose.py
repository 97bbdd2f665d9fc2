"""Composing an aftercare sheet from advice blocks: pure, no database, no clock of its own.

Blocks are chosen by what was done; blocks of one section and topic are merged so that the
strictest (the longest `hours`, an open end before any) wins and is said once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format, get_format

from clinic.tongues import apart, is_right_to_left

MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
DATE_ONLY_FROM_HOURS = 7 * 24
"""From a week on, a clock time would be false precision: the sheet names the whole last day."""
OPEN_END_IS_STRICT = ("avoid", "do")
"""Sections in which advice without an end binds longer than any with one."""
OWN_DAYS = {"en": "l j F", "fr": "l j F", "ar": "يوم l j F", "he": "יום l j בF"}
"""How a day of the week with its date is written; in other languages as Django has it."""
OWN_MOMENTS = {"ar": "{day}، الساعة {clock}", "he": "{day}, בשעה {clock}"}
"""How a day and a clock time stand together; in other languages with a comma."""
GROUPS = re.compile(r"\+\d(?:[\d \u00a0./-]*\d)?|\d+(?:[ \u00a0./-]\d+)+")


class Block(Protocol):
    """What composing needs of an advice block; `hours` counts from the end of treatment."""

    code: str
    version: int
    applies_to: str
    topic: str
    section: str
    hours: int | None
    position: int

    def text_in(self, language: str) -> tuple[str, str]: ...


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


@dataclass(frozen=True)
class Frame:
    """What stands around the lines: the end of the treatment, the clinic's clock, the language.

    `last_day` says "the end of {day}" by language; `words` fill the other placeholders.
    `phrases`: {English text: the same in the language}, for blocks that nobody wrote in it.
    """

    treated_at: datetime
    zone: ZoneInfo
    language: str
    last_day: Mapping[str, str]
    words: Mapping[str, str]
    phrases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """What is said of one topic, at the place of its first block, and what that leaves unsaid."""

    block: Block
    position: int
    unsaid: tuple[Block, ...]


def merge(blocks: Iterable[Block]) -> list[Merged]:
    """One block per section and topic: the strictest; of equals the more specific one.

    It stands where the first of them would, so that a founding piece of advice keeps its place.
    """
    found: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        found.setdefault((block.section, block.topic), []).append(block)
    merged = [_merged(same) for same in found.values()]
    return sorted(merged, key=lambda one: (one.position, one.block.code))


def _merged(same: list[Block]) -> Merged:
    best = max(same, key=_strictness)
    rest = tuple(block for block in same if block is not best)
    return Merged(best, min(block.position for block in same), rest)


def strictest(blocks: Iterable[Block]) -> list[Block]:
    """The blocks that are said, in their order."""
    return [one.block for one in merge(blocks)]


def _strictness(block: Block) -> tuple[float, bool, str]:
    # The code at the end only makes the choice between equals the same every time.
    return (_binds_for(block), block.applies_to != "base", block.code)


def _binds_for(block: Block) -> float:
    """For how many hours; one without an end binds for ever where it asks something of people."""
    if block.hours is None:
        return math.inf if block.section in OPEN_END_IS_STRICT else 0
    return block.hours


def until(treated_at: datetime, hours: int, zone: ZoneInfo) -> datetime:
    """When a restriction of so many real hours ends, on the clinic's clock.

    Rounded up, never down: to the next quarter of an hour, and from a week on to the end of that
    day. Real hours: a night in which the clocks change shortens or lengthens nothing. A clock time
    that comes twice in such a night is put off until it is over, or it could be read as the first.
    """
    end = treated_at.astimezone(UTC) + timedelta(hours=hours)
    if hours >= DATE_ONLY_FROM_HOURS:
        return _end_of_day(end, zone)
    over = (end - datetime.min.replace(tzinfo=UTC)) % QUARTER
    rounded = (end if not over else end + QUARTER - over).astimezone(zone)
    while rounded.fold:
        rounded = (rounded.astimezone(UTC) + QUARTER).astimezone(zone)
    return rounded


def _end_of_day(end: datetime, zone: ZoneInfo) -> datetime:
    """The midnight that ends the local day of a moment; itself when it is that midnight."""
    local = end.astimezone(zone)
    if local.time() == time(0):
        return local
    midnight = datetime.combine(local.date() + DAY, time(0), tzinfo=zone)
    # Through universal time: where summer time begins at midnight the day begins at one.
    return midnight.astimezone(UTC).astimezone(zone)


def spoken(moment: datetime, hours: int, language: str, last_day: str = "{day}") -> str:
    """`Thursday 26 November, 18:00`; from a week on the last day alone, in `last_day`."""
    with translation.override(language):
        if hours >= DATE_ONLY_FROM_HOURS:
            last = (moment.astimezone(UTC) - MINUTE).astimezone(moment.tzinfo)
            return last_day.replace("{day}", _day(last, language))
        return _with_clock(_day(moment, language), moment, language)


def spoken_in_full(moment: datetime, language: str) -> str:
    """`Thursday 26 November 2026, 18:00`, on the clock of the moment's own zone."""
    with translation.override(language):
        day = f"{_day(moment, language)} {date_format(moment, 'Y', use_l10n=False)}"
        return _with_clock(day, moment, language)


def _with_clock(day: str, moment: datetime, language: str) -> str:
    clock = date_format(moment, "H:i", use_l10n=False)
    return OWN_MOMENTS.get(language, "{day}, {clock}").format(day=day, clock=clock)


def _day(moment: datetime, language: str) -> str:
    known = get_format("MONTH_DAY_FORMAT", lang=language, use_l10n=True)
    return date_format(moment, OWN_DAYS.get(language, f"l {known}"), use_l10n=False)


def compose(blocks: Iterable[Block], treatment: Treatment, frame: Frame) -> list[dict[str, Any]]:
    """The lines of the sheet in order: section, text, until (ISO or empty), block and version.

    `said` is the time as the text says it, `language` that of the text: English where nobody has
    written it in the one that was asked for.
    """
    chosen = treatment.selectors()
    return [
        line_of(block, frame)
        for block in strictest(block for block in blocks if block.applies_to in chosen)
    ]


def line_of(block: Block, frame: Frame) -> dict[str, Any]:
    """One block as this patient reads it."""
    text, language = _worded(block, frame)
    if is_right_to_left(language):
        text = numbers_kept(text)
    ends, said = "", ""
    if block.hours:
        moment = until(frame.treated_at, block.hours, frame.zone)
        ends = moment.isoformat()
        said = spoken(moment, block.hours, language, frame.last_day.get(language, "{day}"))
    return {
        "section": block.section,
        "topic": block.topic,
        "text": filled(text, {**_in_direction(frame.words, language), "until": said}),
        "until": ends,
        "said": said,
        "language": language,
        "block": block.code,
        "version": block.version,
    }


def _worded(block: Block, frame: Frame) -> tuple[str, str]:
    """The text and its language: the block's own, else the phrase for its English, else English."""
    text, language = block.text_in(frame.language)
    if language != frame.language and (phrase := frame.phrases.get(text)):
        return phrase, frame.language
    return text, language


def _in_direction(words: Mapping[str, str], language: str) -> Mapping[str, str]:
    """Numbers and names as they stand, also within a text from right to left."""
    if not is_right_to_left(language):
        return words
    return {name: apart(word) for name, word in words.items()}


def numbers_kept(text: str) -> str:
    """A text from right to left in which a number of several groups, as that of a telephone, or one
    with a plus, is not turned round.
    """
    return GROUPS.sub(lambda found: apart(found[0]), text)


def filled(text: str, words: Mapping[str, str]) -> str:
    """Placeholders put in, literally and in one pass: a value is never taken for a placeholder."""
    parts = text.split("{")
    return parts[0] + "".join(_put_in(part, words) for part in parts[1:])


def _put_in(part: str, words: Mapping[str, str]) -> str:
    name, brace, rest = part.partition("}")
    return words[name] + rest if brace and name in words else "{" + part
