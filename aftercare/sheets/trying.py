"""The sheet of a treatment that nobody had: what the texts come to, and what they leave unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from aftercare.sheets.compose import Block, Treatment, line_of, merge
from aftercare.sheets.content import frame_of, page_of
from aftercare.sheets.languages import spoken_for_a_look, spoken_in
from aftercare.sheets.models import SheetWords
from clinic.places.models import Location
from clinic.tongues import direction_of, own_name
from treatments.catalogue.models import AdviceBlock, Area, CatalogueRow, Technique

Row = TypeVar("Row", bound=CatalogueRow)


@dataclass(frozen=True)
class Tried:
    """`page`: what `page_of` gives; `unsaid`: each block that is merged away, with what is said."""

    page: dict[str, Any]
    unsaid: Sequence[tuple[Block, Block]]


def treatment_like(
    *, areas: Iterable[str], techniques: Iterable[str], substances: Iterable[str], numbed: bool
) -> Treatment:
    """The treatment of these codes, with the groups they belong to."""
    groups = dict(Area.objects.current().values_list("code", "group"))
    sheet_groups = dict(Technique.objects.current().values_list("code", "sheet_group"))
    return Treatment(
        area_groups=frozenset(one for code in areas for one in (code, groups[code])),
        technique_groups=frozenset(
            one for code in techniques for one in (code, sheet_groups[code]) if one
        ),
        substances=frozenset(substances),
        anaesthetic=numbed,
    )


def waiting_of(versions: Sequence[Row]) -> Row | None:
    """Of the versions of a code, oldest first, the one that waits for somebody's approval.

    A shipped one only waits beside a clinic's own: alone it is in force or was taken out of use.
    """
    newest = versions[-1]
    if newest.is_current or newest.is_approved:
        return None
    is_own = newest.origin == CatalogueRow.Origin.CLINIC
    return newest if is_own or any(one.is_current for one in versions) else None


def words_waiting(versions: Sequence[SheetWords]) -> SheetWords | None:
    """Of the versions of a language, oldest first, the one that waits; a shipped one does too."""
    newest = versions[-1] if versions else None
    return None if newest is None or newest.is_current or newest.is_approved else newest


def by_code(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows in the order of their versions, by code."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.code, []).append(row)
    return found


def blocks_with_waiting() -> list[AdviceBlock]:
    """The blocks in force, each replaced by the version of it that waits for approval."""
    rows = by_code(AdviceBlock.objects.order_by("code", "version"))
    shown = [
        waiting_of(versions) or next((one for one in versions if one.is_current), None)
        for versions in rows.values()
    ]
    return [block for block in shown if block]


def tried(
    blocks: Iterable[AdviceBlock],
    treatment: Treatment,
    place: Location,
    *,
    treated_at: datetime,
    language: str,
    done: dict[str, list[str]],
) -> Tried:
    """What its sheet would say at a location. `done`: the names of areas and techniques."""
    spoken = spoken_in(language)
    frame = frame_of(place, treated_at=treated_at, language=language, spoken=spoken)
    chosen = treatment.selectors()
    merged = merge(block for block in blocks if block.applies_to in chosen)
    content = {
        "words": dict(spoken.words),
        "lines": [line_of(one.block, frame) for one in merged],
        "products": [],
        "treated_at": treated_at.isoformat(),
        "next_visit": "",
        "initials": "C. E.",
        "clinic": place.name,
        "phone": place.phone,
        "phone_out_of_hours": place.phone_out_of_hours,
        "emergency_number": place.country.emergency_number,
        "zone": place.timezone,
        **done,
    }
    unsaid = [(block, one.block) for one in merged for block in one.unsaid]
    return Tried(page_of(content, language=language), unsaid)


def lines_in(
    block: Block, place: Location, languages: Iterable[str], at: datetime
) -> list[dict[str, Any]]:
    """A block as a patient treated at `at` would read it, in each of these languages."""
    shown = []
    for language in languages:
        spoken = spoken_for_a_look(language)
        frame = frame_of(place, treated_at=at, language=language, spoken=spoken)
        line = line_of(block, frame)
        if line["language"] != language:
            continue
        direction = direction_of(language)
        shown.append({**line, "name": own_name(language), "direction": direction})
    return shown
