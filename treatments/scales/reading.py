"""A scale as the catalogue words it, and what may be asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from treatments.catalogue.models import Scale
from treatments.scales.formulas import bands_of
from treatments.scales.models import Score

ASKED_ELSEWHERE = frozenset({"fitzpatrick", "fitzpatrick-a", "ctcae", "local-reaction"})
"""The skin type has its own place in the note, and reactions are graded when they are reported."""


@dataclass(frozen=True)
class ItemView:
    """One item: its code, its words, its answers as (value, words), or bounds where it is typed."""

    code: str
    text: str
    options: tuple[tuple[str, str], ...]
    minimum: str
    maximum: str
    step: str

    @property
    def is_typed(self) -> bool:
        """A number, not a choice."""
        return not self.options


@dataclass(frozen=True)
class ScaleView:
    """A scale to answer or to read, in the language in force."""

    row: Scale

    @property
    def code(self) -> str:
        """The catalogue's code."""
        return self.row.code

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return self.row.name

    @cached_property
    def items(self) -> tuple[ItemView, ...]:
        """The items in order."""
        return tuple(_item(item) for item in self.row.items)

    @property
    def is_sided(self) -> bool:
        """Left and right are graded apart."""
        return any(item.get("sided") for item in self.row.items)

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides to grade: none, or left and right."""
        return (Score.Side.LEFT, Score.Side.RIGHT) if self.is_sided else (Score.Side.NONE,)

    @property
    def direction(self) -> str:
        """Which way is better, and the bounds."""
        said = {"low": plain(self.row.minimum), "high": plain(self.row.maximum)}
        if self.row.lower_is_better:
            return _("%(low)s to %(high)s, lower is better") % said
        return _("%(low)s to %(high)s, higher is better") % said

    def title(self, side: str = "") -> str:
        """The name, with the side where there is one."""
        if not side:
            return self.name
        return _("%(scale)s, %(side)s") % {"scale": self.name, "side": Score.Side(side).label}

    def said(self, value: Decimal | None) -> str:
        """`17.2 of 48`, with the grade's words or the band where the scale has them."""
        if value is None:
            return ""
        words = self.meaning(value)
        figure = _("%(value)s of %(highest)s") % {
            "value": plain(value),
            "highest": plain(self.row.maximum),
        }
        return f"{figure} ({words})" if words else figure

    def meaning(self, value: Decimal) -> str:
        """The grade's own words, or the band's; empty where the scale has neither."""
        if len(self.items) == 1 and not self.items[0].is_typed:
            found = [words for points, words in self.items[0].options if Decimal(points) == value]
        else:
            found = [spoken(band, "label") for band in bands_of(self.row.bands, value)]
        return _(" or ").join(found)


def plain(value: Decimal | int | str) -> str:
    """A number without trailing zeros, as the language writes it."""
    number = Decimal(str(value))
    return number_format(number.normalize() if number else Decimal(0), use_l10n=True)


def spoken(words: Mapping[str, Any], kind: str) -> str:
    """`text` or `label` of a part of a row, in the language in force."""
    language = (get_language() or "en")[:2]
    return str(words.get(f"{kind}_{language}") or words[f"{kind}_en"])


def _item(item: Mapping[str, Any]) -> ItemView:
    return ItemView(
        code=str(item["code"]),
        text=spoken(item, "text"),
        options=tuple((str(one["value"]), spoken(one, "label")) for one in item["options"]),
        minimum=str(item.get("minimum", "")),
        maximum=str(item.get("maximum", "")),
        step=str(item.get("step", "")),
    )


def askable(rows: Iterable[Scale]) -> list[ScaleView]:
    """Those that have items and belong to a note."""
    return [ScaleView(row) for row in rows if row.items and row.code not in ASKED_ELSEWHERE]


def current_scales() -> list[ScaleView]:
    """Every scale in force that a note may ask, by name; one query."""
    return sorted(askable(Scale.objects.current()), key=lambda view: view.name)
