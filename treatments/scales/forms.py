"""Scales as fields of a form: one field per item, beside which a bad answer is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from treatments.scales.actions import ScoreEntry, field_name, read_answers
from treatments.scales.models import Score
from treatments.scales.reading import ItemView, ScaleView, plain


def items_as_fields(view: ScaleView, side: str) -> dict[str, forms.Field]:
    """Field name -> field, for one scale on one side. Nothing is required in a draft."""
    alone = len(view.items) == 1
    return {field_name(view.code, side, item.code): _field(item, alone) for item in view.items}


def _field(item: ItemView, alone: bool) -> forms.Field:
    if item.is_typed:
        return _typed(item)
    choices = [*item.options] if alone else [("", "—"), *item.options]
    return forms.TypedChoiceField(
        label=item.text,
        choices=choices,
        coerce=Decimal,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect if alone else forms.Select,
    )


class _Number(forms.DecimalField):
    """`3,5` is `3.5`; the bounds are the scale's."""

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        # Bounds are checked here: min, max and step mean nothing on a text box.
        return {}


def _typed(item: ItemView) -> forms.Field:
    low, high, step = Decimal(item.minimum), Decimal(item.maximum), Decimal(item.step)
    field = _Number(
        label=item.text,
        min_value=low,
        max_value=high,
        decimal_places=max(0, -int(step.as_tuple().exponent)),
        max_digits=6,
        required=False,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )
    said = _("A number from %(low)s to %(high)s.") % {"low": plain(low), "high": plain(high)}
    for kind in ("invalid", "min_value", "max_value", "max_decimal_places", "max_digits"):
        field.error_messages[kind] = said
    for validator in field.validators:
        validator.message = said  # type: ignore[attr-defined]
    return field


def initial_of(scores: Iterable[Score]) -> dict[str, str]:
    """Field name -> what was answered."""
    return {
        field_name(score.scale.code, score.side, code): value
        for score in scores
        for code, value in score.answers.items()
    }


def entries_of(views: Iterable[ScaleView], data: Mapping[str, Any]) -> list[ScoreEntry]:
    """What a cleaned form answers, scale by scale and side by side."""
    found = []
    for view in views:
        for side in view.sides:
            named = {i.code: data.get(field_name(view.code, side, i.code)) for i in view.items}
            answers = read_answers({code: v for code, v in named.items() if v is not None})
            found.append(ScoreEntry(view.row, answers, side))
    return found


@dataclass(frozen=True)
class ScaleGroup:
    """One scale on one side as the page lays it out, with its score as last saved."""

    view: ScaleView
    side: str
    fields: list[BoundField]
    score: Score | None

    @property
    def title(self) -> str:
        """Scale and side."""
        return self.view.title(self.side)

    @property
    def key(self) -> str:
        """What the page's script knows this group by."""
        return f"{self.view.code}-{self.side}"

    @property
    def is_graded(self) -> bool:
        """One choice, whose name is the scale's; otherwise questions with names of their own."""
        return len(self.view.items) == 1 and not self.view.items[0].is_typed

    @property
    def said(self) -> str:
        """The score in words, as saved; empty while an item is missing."""
        return self.view.said(self.score.value) if self.score else ""


def groups_of(
    form: forms.BaseForm, views: Iterable[ScaleView], scores: Iterable[Score]
) -> list[ScaleGroup]:
    """Every scale of a form, side by side."""
    kept = {(score.scale.code, score.side): score for score in scores}
    return [
        ScaleGroup(
            view,
            side,
            [form[field_name(view.code, side, item.code)] for item in view.items],
            kept.get((view.code, side)),
        )
        for view in views
        for side in view.sides
    ]
