"""What the answers to a scale add up to. Pure; every weight, option and bound is the scale's row.

An answer is a number per item code. How the numbers go together is the scale's published formula:
most add up; three of melasma multiply first (DOMAIN.md section 7, sources S104a, S105a, S135a).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Item = Mapping[str, Any]
Answers = Mapping[str, Decimal]

MISSING, OUTSIDE, UNKNOWN = "missing", "outside", "unknown"


class BadAnswers(ValueError):
    """Answers that do not fit; `problems` says by item code whether missing, outside or unknown."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{code}: {kind}" for code, kind in problems.items()))
        self.problems = dict(problems)


def allowed(item: Item, value: Decimal) -> bool:
    """Whether a value is one of the item's options, or on a step between its bounds."""
    if not value.is_finite():
        return False
    if item["options"]:
        return any(value == Decimal(str(option["value"])) for option in item["options"])
    low, high, step = (Decimal(str(item[key])) for key in ("minimum", "maximum", "step"))
    return low <= value <= high and (value - low) % step == 0


def problems(items: Sequence[Item], answers: Answers) -> dict[str, str]:
    """What is wrong, by item code; empty when every item has an answer within its bounds."""
    known = {item["code"]: item for item in items}
    found = {code: UNKNOWN for code in answers if code not in known}
    for code, item in known.items():
        if code not in answers:
            found[code] = MISSING
        elif not allowed(item, answers[code]):
            found[code] = OUTSIDE
    return found


def total(code: str, items: Sequence[Item], answers: Answers) -> Decimal:
    """The score of a scale. Raises `BadAnswers` unless each item has an answer that it admits."""
    if wrong := problems(items, answers):
        raise BadAnswers(wrong)
    return FORMULAS.get(code, added)(items, answers)


def added(items: Sequence[Item], answers: Answers) -> Decimal:
    """The sum of the answers; of a single grade, the grade."""
    return sum((answers[item["code"]] for item in items), Decimal(0))


def masi(items: Sequence[Item], answers: Answers) -> Decimal:
    """Sum over four regions of weight x area x (darkness + homogeneity), 0 to 48 (S104a)."""
    return sum(
        (weight * part["a"] * (part["d"] + part["h"]) for weight, part in _parts(items, answers)),
        Decimal(0),
    )


def mmasi(items: Sequence[Item], answers: Answers) -> Decimal:
    """Sum over four regions of weight x area x darkness, 0 to 24 (S105a)."""
    parts = _parts(items, answers)
    return sum((weight * part["a"] * part["d"] for weight, part in parts), Decimal(0))


def msi(items: Sequence[Item], answers: Answers) -> Decimal:
    """Sum over left, right and nose of weight x area x pigmentation squared (S135a)."""
    parts = _parts(items, answers)
    return sum((weight * part["a"] * part["p"] ** 2 for weight, part in parts), Decimal(0))


FORMULAS: dict[str, Callable[[Sequence[Item], Answers], Decimal]] = {
    "masi": masi,
    "mmasi": mmasi,
    "msi": msi,
}


def _parts(items: Sequence[Item], answers: Answers) -> list[tuple[Decimal, dict[str, Decimal]]]:
    """Per region its weight and its answers by letter: item `lm-d` is `d` of region `lm`."""
    parts: dict[str, dict[str, Decimal]] = defaultdict(dict)
    weights: dict[str, Decimal] = {}
    for item in items:
        group, _dash, letter = item["code"].rpartition("-")
        parts[group][letter] = answers[item["code"]]
        weights[group] = Decimal(str(item["weight"]))
    return [(weights[group], part) for group, part in parts.items()]


def bands_of(bands: Iterable[Item], value: Decimal) -> list[Item]:
    """The bands that hold a score; two where they overlap (Fitzpatrick version A at 25)."""
    return [
        band
        for band in bands
        if "minimum" in band
        and Decimal(str(band["minimum"])) <= value <= Decimal(str(band["maximum"]))
    ]


def improvement(first: Decimal, last: Decimal, *, lower_is_better: bool = True) -> Decimal | None:
    """How much better than at first, in percent of it; negative when worse, None from nothing."""
    if not first:
        return None
    gained = first - last if lower_is_better else last - first
    return gained * 100 / first


def response(bands: Iterable[Item], percent: Decimal) -> Item | None:
    """The response band of an improvement in percent: `above` is its lower bound.

    The paper (S35a) says over 75 very good, 50 to under 75 good, 25 to under 50 moderate, under 25
    mild; exactly 75 is left open there and counts as very good here. None for no improvement.
    """
    graded = sorted((b for b in bands if "above" in b), key=lambda b: -Decimal(str(b["above"])))
    for band in graded:
        floor = Decimal(str(band["above"]))
        if percent >= floor and percent > 0:
            return band
    return None
