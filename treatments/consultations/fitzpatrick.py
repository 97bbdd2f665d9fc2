"""The Fitzpatrick skin type from ten questions (version B of the questionnaire)."""

from __future__ import annotations

from collections.abc import Mapping

BANDS = ((6, 1), (13, 2), (20, 3), (27, 4), (34, 5))
"""Highest total of each type from I to V; anything above is VI."""

HIGHEST_ANSWER = 4
QUESTIONS = 10


def skin_type(total: int) -> int:
    """The skin type 1 to 6 of a total of 0 to 40 points.

    0-6 I, 7-13 II, 14-20 III, 21-27 IV, 28-34 V, 35 and more VI. Source: the questionnaire with
    ten items of 0 to 4 points, version B (bands without overlap). Raises `ValueError` outside
    0 to 40.
    """
    if not 0 <= total <= QUESTIONS * HIGHEST_ANSWER:
        raise ValueError(f"{total} is not a total of ten answers of 0 to 4 points.")
    return next((found for highest, found in BANDS if total <= highest), 6)


def computed_type(answers: Mapping[str, int]) -> int | None:
    """The type that ten answers of 0 to 4 points give; None while any is missing."""
    if len(answers) < QUESTIONS:
        return None
    return skin_type(sum(answers.values()))
