"""Marks on the charts of a note: read from what a page sent, and kept."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from treatments.catalogue.drawings import drawings
from treatments.consultations.models import ChartMark, Consultation
from treatments.consultations.signs import SIGN_NAMES

MOST_MARKS = 200
MOST_POINTS = 600
"""In one mark; a line is thinned out where it is drawn."""
DECIMALS = 4
FEWEST = {ChartMark.Kind.PIN: 1, ChartMark.Kind.LINE: 2, ChartMark.Kind.OUTLINE: 3}


@dataclass(frozen=True)
class Mark:
    """A mark as drawn; points as fractions of the chart."""

    key: uuid.UUID
    chart: str
    kind: str
    points: tuple[tuple[float, float], ...]
    sign: str = ""
    words: str = ""


@dataclass(frozen=True)
class MarkChange:
    """What a page shows, and which of the marks it began with are gone from it."""

    put: Sequence[Mark] = ()
    gone: Collection[uuid.UUID] = field(default_factory=frozenset)


def read_change(shown: str, known: str) -> MarkChange:
    """The marks that a page sent as JSON, and the keys it began with, comma-separated.

    Raises `ActionRefused` for anything that is not a list of marks on the charts of the house.
    """
    marks = _read_marks(shown)
    began = {_key(text) for text in known.split(",") if text}
    return MarkChange(put=marks, gone=began - {mark.key for mark in marks})


def _read_marks(text: str) -> list[Mark]:
    try:
        rows = json.loads(text or "[]")
    except ValueError as error:
        raise _unreadable() from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unreadable()
    if len(rows) > MOST_MARKS:
        raise ActionRefused(_("At most %(most)s marks in one note.") % {"most": MOST_MARKS})
    return [_read_mark(row) for row in rows]


def _read_mark(row: dict[str, Any]) -> Mark:
    points = row.get("points")
    kind, chart, sign = (str(row.get(name, "")) for name in ("kind", "chart", "sign"))
    known = kind in ChartMark.Kind.values and chart in drawings()
    if not known or (sign and sign not in SIGN_NAMES) or not isinstance(points, list):
        raise _unreadable()
    if not FEWEST[ChartMark.Kind(kind)] <= len(points) <= MOST_POINTS:
        raise _unreadable()
    words = " ".join(str(row.get("words", "")).replace("\0", "").split())[:200]
    place = tuple(_point(point) for point in points)
    return Mark(_key(str(row.get("key", ""))), chart, kind, place, sign, words)


def _point(point: Any) -> tuple[float, float]:
    numbers = isinstance(point, list) and len(point) == 2
    if not numbers or not all(isinstance(part, int | float) for part in point):
        raise _unreadable()
    if not all(math.isfinite(part) and 0 <= part <= 1 for part in point):
        raise _unreadable()
    return round(point[0], DECIMALS), round(point[1], DECIMALS)


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise _unreadable() from error


def _unreadable() -> ActionRefused:
    return ActionRefused(_("The drawing could not be read."), field="marks")


def keep_marks(note: Consultation, change: MarkChange) -> bool:
    """Put and take away marks on a locked draft; whether anything changed.

    A mark that another page has drawn meanwhile stays: only what this page began with can go.
    """
    kept = {mark.key: mark for mark in note.marks.all()}
    changed = False
    for key in change.gone:
        if key in kept:
            kept.pop(key).delete()
            changed = True
    for mark in change.put:
        changed |= _put(note, kept.get(mark.key), mark)
    if note.marks.count() > MOST_MARKS:
        raise ActionRefused(_("At most %(most)s marks in one note.") % {"most": MOST_MARKS})
    return changed


def _put(note: Consultation, row: ChartMark | None, mark: Mark) -> bool:
    values = {
        "chart": mark.chart,
        "kind": mark.kind,
        "sign": mark.sign,
        "words": mark.words,
        "points": [list(point) for point in mark.points],
    }
    row = row or ChartMark(consultation=note, key=mark.key)
    if row.pk and all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return True


def marks_json(marks: Sequence[ChartMark]) -> str:
    """The marks as the page's script reads them."""
    return json.dumps(
        [
            {
                "key": str(mark.key),
                "chart": mark.chart,
                "kind": mark.kind,
                "sign": mark.sign,
                "words": mark.words,
                "points": mark.points,
            }
            for mark in marks
        ]
    )
