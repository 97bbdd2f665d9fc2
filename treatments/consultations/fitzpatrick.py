"""The Fitzpatrick skin type from ten questions. The bands are the scale's row, not code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from treatments.scales.formulas import bands_of

Bands = Sequence[Mapping[str, Any]]

HIGHEST_ANSWER = 4
QUESTIONS = 10


def skin_type(bands: Bands, total: int) -> int:
    """The skin type 1 to 6 of a total of 0 to 40 points: the number of the band that holds it.

    Of version B, whose six bands meet without overlap (S103b). Raises `ValueError` for a total
    outside 0 to 40 or in no band.
    """
    _refuse_total(total)
    for number, band in enumerate(bands, start=1):
        if band["minimum"] <= total <= band["maximum"]:
            return number
    raise ValueError(f"No band holds {total}.")


def said_types(bands: Bands, total: int) -> list[str]:
    """The bands that hold a total, by name: version A has two at 25, one for V and VI (S102b)."""
    _refuse_total(total)
    return [str(band["label_en"]) for band in bands_of(bands, Decimal(total))]


def computed_type(bands: Bands, answers: Mapping[str, int]) -> int | None:
    """The type that ten answers of 0 to 4 points give; None while any is missing."""
    if len(answers) < QUESTIONS:
        return None
    return skin_type(bands, sum(answers.values()))


def _refuse_total(total: int) -> None:
    if not 0 <= total <= QUESTIONS * HIGHEST_ANSWER:
        raise ValueError(f"{total} is not a total of ten answers of 0 to 4 points.")
