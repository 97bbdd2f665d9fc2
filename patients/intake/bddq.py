"""Scoring of two questionnaires on distress about appearance [S112b]. Pure.

The source gives how they are scored, not how their items are worded: a clinic brings its own copy.
Both are for screening, not for a diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BDDQ_ITEMS, GRADED = 7, (3, 4, 5, 6)
"""The BDDQ-AS has seven items; those numbered 3 to 6 are graded, the others are yes or no."""
LOWEST_GRADE, HIGHEST_GRADE, MARKED_GRADE = 1, 5, 3
"""A grade of 3 and over counts [S112b]; that grades run from 1 to 5 is general knowledge."""
COPS_HIGHEST, COPS_REFER = 72, 40
"""Nine items of 0 to 8, so 0 to 72 in all; 40 and over: refer [S112b]."""


def bddq_positive(answers: Sequence[bool | int]) -> bool:
    """Items 1 and 2 yes, and a graded item of at least 3 or item 7 yes. Takes seven answers."""
    if len(answers) != BDDQ_ITEMS:
        raise ValueError("the BDDQ-AS has seven answers")
    preoccupied = bool(answers[0]) and bool(answers[1])
    marked = any(int(answers[number - 1]) >= MARKED_GRADE for number in GRADED)
    return preoccupied and (marked or bool(answers[6]))


def is_positive(psychology: Mapping[str, Any]) -> bool | None:
    """Whether either questionnaire says to refer; None when neither was taken."""
    answers, total = psychology.get("bddq"), psychology.get("cops")
    if answers is None and total is None:
        return None
    return (answers is not None and bddq_positive(answers)) or (
        total is not None and int(total) >= COPS_REFER
    )
