"""A patient's story: entries of every room, newest first, by the days on which they happened.

A page is `DAYS` days that have entries, and the next one begins before its last day. One query
finds the days; each source that has rows in them is then read once, with its parts, so that the
number of queries depends on the kinds of what is shown and never on how much there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q, Value
from django.db.models.functions import TruncDate

from aftercare.story.kinds import ICONS, Kind
from aftercare.story.shown import SHOWN
from aftercare.story.sources import SOURCES, Source
from patients.photos.naming import Names
from patients.registry.models import Patient
from treatments.diary.slots import whole_day

DAYS = 8
Placed = tuple[Source, Any]


@dataclass(frozen=True)
class Wish:
    """What the story is asked for. `before`: only earlier days, from where the last page ended."""

    kinds: frozenset[Kind]
    areas: Sequence[str] = ()
    since: date | None = None
    until: date | None = None
    before: date | None = None


@dataclass(frozen=True)
class Entry:
    """One thing that happened, and when on the location's clock.

    `row` is what is stored, `shown` how it reads (see `aftercare.story.shown`); of photos and
    scores a day has one entry with all of them. `earlier`: the number of the file it was written
    in, where that was merged into this one.
    """

    source: str
    icon: str
    at: datetime
    row: Any
    shown: Any
    number: str
    earlier: str = ""

    @property
    def template(self) -> str:
        """What draws it."""
        return f"aftercare/story_{self.source}.html"


@dataclass(frozen=True)
class Day:
    """The entries of one day, newest first."""

    day: date
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Page:
    """The days of a page; `older`: the day before which the next page begins, None at the end."""

    days: Sequence[Day]
    older: date | None


def story(patient: Patient, files: Sequence[int], wish: Wish, zone: ZoneInfo, names: Names) -> Page:
    """One page of the story, as far as the wished kinds go. `files`: see `files_of`."""
    wanted = wished(files, wish, zone)
    found = _days(wanted, zone)
    days = sorted({day for _number, day in found}, reverse=True)
    shown = days[:DAYS]
    if not shown:
        return Page([], None)
    entries: dict[date, list[Placed]] = {day: [] for day in shown}
    for number in sorted({number for number, day in found if day >= shown[-1]}):
        source, rows = wanted[number]
        for row in _read(source, rows, shown, zone):
            entries[row.story_at.astimezone(zone).date()].append((source, row))
    older = shown[-1] if len(days) > DAYS else None
    return Page([Day(day, _entries(entries[day], names, zone, patient)) for day in shown], older)


def wished(files: Sequence[int], wish: Wish, zone: ZoneInfo) -> list[tuple[Source, Any]]:
    """Each source that can answer a wish, with its rows, placed by `story_at`."""
    found = []
    for source in SOURCES:
        narrowed = _of_kind(source, wish.kinds)
        if narrowed is None or (wish.areas and source.of_area is None):
            continue
        rows = source.rows().filter(narrowed, patient_id__in=files).annotate(story_at=source.at)
        if source.folded is not None and Kind.SESSION in wish.kinds:
            rows = rows.exclude(source.folded)
        if wish.areas and source.of_area is not None:
            rows = rows.filter(source.of_area(wish.areas))
        found.append((source, _between(rows, wish, zone)))
    return found


def _of_kind(source: Source, kinds: frozenset[Kind]) -> Q | None:
    """All rows of a wished kind; of the others those that report a reaction, if that is wished."""
    if source.kind in kinds:
        return Q()
    return source.reacted if Kind.REACTION in kinds else None


def _between(rows: Any, wish: Wish, zone: ZoneInfo) -> Any:
    if wish.since:
        rows = rows.filter(story_at__gte=whole_day(wish.since, zone).start)
    if wish.until:
        rows = rows.filter(story_at__lt=whole_day(wish.until, zone).end)
    if wish.before:
        rows = rows.filter(story_at__lt=whole_day(wish.before, zone).start)
    return rows


def _days(wanted: Sequence[tuple[Source, Any]], zone: ZoneInfo) -> list[tuple[int, date]]:
    """The newest days of each source, one more than a page has. One query."""
    parts = [
        rows.order_by()
        .annotate(
            story_day=TruncDate(F("story_at"), tzinfo=zone),
            story_source=Value(number),
        )
        .values_list("story_source", "story_day")
        .distinct()
        .order_by("-story_day")[: DAYS + 1]
        for number, (_source, rows) in enumerate(wanted)
    ]
    if not parts:
        return []
    return list(parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0])


def _read(source: Source, rows: Any, shown: Sequence[date], zone: ZoneInfo) -> Iterable[Any]:
    """The rows of a source on these days, newest first, with what is shown of them."""
    first, last = whole_day(shown[-1], zone).start, whole_day(shown[0], zone).end
    rows = rows.filter(story_at__gte=first, story_at__lt=last).order_by("-story_at", "-pk")
    if source.joins:
        rows = rows.select_related(*source.joins)
    found: Iterable[Any] = rows.prefetch_related(*source.parts()).defer(*source.hidden)
    return found


def _entries(
    placed: Iterable[Placed], names: Names, zone: ZoneInfo, patient: Patient
) -> list[Entry]:
    """A day's entries, newest first; of the same moment, in the order of the sources."""
    found: dict[tuple[int, Any], list[Any]] = {}
    for source, row in placed:
        key = source.name if source.is_grouped else (source.name, row.pk)
        found.setdefault((ORDER[source.name], key), []).append(row)
    entries = [
        _entry(SOURCES[order], rows, names, zone, patient)
        for (order, _key), rows in sorted(found.items(), key=lambda pair: pair[0][0])
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


ORDER = {source.name: number for number, source in enumerate(SOURCES)}


def _entry(
    source: Source, rows: Sequence[Any], names: Names, zone: ZoneInfo, patient: Patient
) -> Entry:
    first = rows[0]
    number = f"P{first.patient_id:06d}"
    row = rows if source.is_grouped else first
    return Entry(
        source=source.name,
        icon=ICONS[source.kind],
        at=first.story_at.astimezone(zone),
        row=row,
        shown=SHOWN[source.name](row, names) if source.name in SHOWN else None,
        number=number,
        earlier=number if first.patient_id != patient.pk else "",
    )
