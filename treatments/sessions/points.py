"""Points as a browser sends them, made safe."""

from __future__ import annotations

import json

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from treatments.sessions.grid import DECIMALS, MOST_POINTS, Point

LONGEST_TEXT = 100_000


def read_points(text: str) -> list[Point]:
    """Points from their JSON text. Raises `ActionRefused` for anything that is not such a list."""
    if not text.strip():
        return []
    if len(text) > LONGEST_TEXT:
        raise ActionRefused(_too_many())
    try:
        return clean_points(json.loads(text))
    except (ValueError, RecursionError):
        raise ActionRefused(_unreadable()) from None


def clean_points(data: object) -> list[Point]:
    """Pairs of numbers from 0 to 1, rounded to what the chart can show."""
    if not isinstance(data, (list, tuple)):
        raise ActionRefused(_unreadable())
    if len(data) > MOST_POINTS:
        raise ActionRefused(_too_many())
    return [_point(pair) for pair in data]


def _point(pair: object) -> Point:
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ActionRefused(_unreadable())
    x, y = (_share(value) for value in pair)
    return x, y


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ActionRefused(_unreadable())
    if not 0 <= value <= 1:  # NaN is not in between either
        raise ActionRefused(_unreadable())
    return round(float(value), DECIMALS)


def _unreadable() -> str:
    return _("The points could not be read. Clear this area and place them again.")


def _too_many() -> str:
    return _("At most %(most)s points in one area.") % {"most": MOST_POINTS}
