"""One area in one line: `left cheek, nappage, 2 mm, 120 points, 0.01 mL`.

The same data as the map, written by hand. Units are said, never guessed: a number without one is
refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from treatments.catalogue.models import Area, Technique
from treatments.plans.models import Side
from treatments.sessions.charts import chart_of
from treatments.sessions.editing import fresh, sides_of, spread
from treatments.sessions.entries import AreaEntry
from treatments.sessions.forms import Shelf
from treatments.sessions.models import Session

LONGEST_LINE = 300
PARTS = re.compile(r"\s*[,;]\s+|\s*;\s*")
FIGURE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(\w+)", re.UNICODE)
POINTS = {"point", "points", "pt", "pts"}
SIDES = {
    "left": Side.LEFT,
    "right": Side.RIGHT,
    "both": Side.BOTH,
    "both sides": Side.BOTH,
    "gauche": Side.LEFT,
    "droite": Side.RIGHT,
    "droit": Side.RIGHT,
    "des deux cotes": Side.BOTH,
    "les deux": Side.BOTH,
}
"""How a side is said in both languages of the house; accents and capitals do not matter."""


@dataclass(frozen=True)
class Line:
    """What a line says: depth in mm, number of points, mL per point; None where it says nothing."""

    area: Area
    side: str
    technique: Technique | None = None
    depth_mm: Decimal | None = None
    points: int | None = None
    ml: Decimal | None = None


def written(
    text: str, session: Session, shelf: Shelf, entries: Sequence[AreaEntry] = ()
) -> AreaEntry:
    """The area that a line names, its points spread evenly. Raises `ActionRefused` with the why.

    What the line leaves out is taken from the plan.
    """
    line = read_line(text, shelf.areas, shelf.techniques)
    if any(e.area.code == line.area.code and e.side == line.side for e in entries):
        raise ActionRefused(_("This area is on the map already."))
    chart = chart_of(line.area.code, line.side, list(line.area.charts))
    known = fresh(session, line.area, line.side, chart)
    entry = replace(
        known,
        technique=line.technique or known.technique,
        depth_mm=line.depth_mm or known.depth_mm,
        ml_per_point=known.ml_per_point if line.ml is None else line.ml,
    )
    return spread(entry, line.points) if line.points else entry


def read_line(text: str, areas: Sequence[Area], techniques: Sequence[Technique]) -> Line:
    """A line taken apart. Raises `ActionRefused` for a part that means nothing here."""
    parts = [part for part in PARTS.split(text.strip()) if part]
    if not parts or len(text) > LONGEST_LINE:
        raise ActionRefused(_("Write a line such as: left cheek, nappage, 2 mm, 120 points."))
    area, side = _place(parts[0], areas)
    said: dict[str, Any] = {}
    for part in parts[1:]:
        name, value = _part(part, techniques, area)
        if name in said:
            raise ActionRefused(_("This is said twice: %(part)s.") % {"part": part})
        said[name] = value
    side = said.pop("side", side)
    if side not in sides_of(area):
        text = _("Say which side: left, right or both.")
        if not area.is_sided:
            text = _("%(area)s has no sides.") % {"area": area.name}
        raise ActionRefused(text)
    return Line(area, side, **said)


def plain(text: str) -> str:
    """Small letters without accents or doubled spaces."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in bare if not unicodedata.combining(c)).split())


def _place(text: str, areas: Sequence[Area]) -> tuple[Area, str]:
    """`left cheek`, `cheek left` or `joue gauche`: the area, and the side that stands with it."""
    said = plain(text)
    for words, side in [("", Side.NONE), *SIDES.items()]:
        bare = said
        if words:
            before, after = f"{words} ", f" {words}"
            if said.startswith(before):
                bare = said.removeprefix(before)
            elif said.endswith(after):
                bare = said.removesuffix(after)
            else:
                continue
        for area in areas:
            if bare in (plain(area.name_en), plain(area.name_fr), area.code):
                return area, side
    raise ActionRefused(_("The consent does not name this area: %(area)s.") % {"area": text})


def _part(text: str, techniques: Sequence[Technique], area: Area) -> tuple[str, Any]:
    said = plain(text)
    if said in SIDES:
        return "side", SIDES[said]
    for technique in techniques:
        names = {plain(name) for name in (technique.name_en, technique.name_fr, technique.code)}
        names |= {plain(name.partition("(")[0]) for name in (technique.name_en, technique.name_fr)}
        if said in names:
            return "technique", technique
    figure = FIGURE.fullmatch(said)
    if figure is None:
        raise ActionRefused(_("This cannot be read: %(part)s.") % {"part": text})
    number, unit = Decimal(figure[1].replace(",", ".")), figure[2]
    if unit == "mm":
        return "depth_mm", number
    if unit == "ml":
        return "ml", number
    if unit in POINTS and number == number.to_integral_value():
        return "points", int(number)
    raise ActionRefused(_("The unit is missing or unknown: %(part)s.") % {"part": text})
