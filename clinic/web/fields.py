"""Fields of several rooms: a birth date in three parts, a number with its unit, a signature."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import MultiWidget, NumberInput, TextInput, Widget
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

OLDEST_YEARS = 120


class DateOfBirthWidget(MultiWidget):
    """Day, month and year as three plain number boxes; quicker than a calendar for 1961."""

    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__([self._part(2), self._part(2), self._part(4)], attrs)

    @staticmethod
    def _part(digits: int) -> TextInput:
        return TextInput({"inputmode": "numeric", "maxlength": str(digits), "autocomplete": "off"})

    def decompress(self, value: datetime.date | None) -> list[int | None]:
        return [value.day, value.month, value.year] if value else [None, None, None]

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        parts = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        for part, label in zip(parts, (_("Day"), _("Month"), _("Year")), strict=True):
            part["label"] = label
        return render_to_string("components/widgets/date_of_birth.html", {"parts": parts})


class DateOfBirthField(forms.MultiValueField):
    """A birth date: a real day, not in the future, at most `OLDEST_YEARS` years ago."""

    widget = DateOfBirthWidget
    default_error_messages = {
        "required": _("Enter the date of birth."),
        "incomplete": _("The date of birth must have a day, a month and a year."),
        "invalid": _("Enter a real date of birth, for example 15 3 1984."),
        "future": _("The date of birth must be in the past."),
        "too_old": _("The date of birth must be within the last 120 years."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Date of birth"))
        kwargs.setdefault("help_text", _("For example, 15 3 1984"))
        part = forms.IntegerField(
            error_messages={"invalid": self.default_error_messages["invalid"]}
        )
        super().__init__(fields=[part, part, part], require_all_fields=True, **kwargs)

    def clean(self, value: Any) -> datetime.date | None:
        """A date, or None when it is not required and left empty."""
        given = [str(part or "").strip() for part in (value or ["", "", ""])]
        if any(given) and not all(given):
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        cleaned: datetime.date | None = super().clean(given)
        return cleaned

    def compress(self, data_list: list[int]) -> datetime.date | None:
        if not data_list:
            return None
        day, month, year = data_list
        try:
            birth = datetime.date(year, month, day)
        except (ValueError, OverflowError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        self._refuse_impossible(birth, localdate())
        return birth

    def _refuse_impossible(self, birth: datetime.date, today: datetime.date) -> None:
        if birth > today:
            raise ValidationError(self.error_messages["future"], code="future")
        if (today - birth).days > OLDEST_YEARS * 365.25:
            raise ValidationError(self.error_messages["too_old"], code="too_old")


class UnitInput(NumberInput):
    """A number box with its unit inside: `UnitInput("mL")`. Text, so that a comma is taken too."""

    input_type = "text"

    def __init__(self, unit: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})
        self.unit = unit

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        return format_html(
            '<span class="unit-input">{}<span class="unit" aria-hidden="true">{}</span></span>',
            super().render(name, value, attrs, renderer),
            self.unit,
        )


class UnitField(forms.DecimalField):
    """A decimal with its unit: `UnitField(unit="mL", min_value=0)`; `0,5` is `0.5`."""

    def __init__(self, *, unit: str, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnitInput(unit))
        kwargs.setdefault("max_digits", 10)  # 1e999 is a number too
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        # Bounds are checked here: min, max and step mean nothing on a text box.
        return {}


MOST_POINTS = 20_000
FEWEST_POINTS = 6


@dataclass(frozen=True)
class Signature:
    """A signature as given: strokes drawn in a box, or the signer's typed name."""

    strokes: list[list[tuple[float, float]]]
    width: float
    height: float
    typed_name: str

    @property
    def is_drawn(self) -> bool:
        return bool(self.strokes)

    @property
    def svg(self) -> str:
        """The drawing, rebuilt from numbers only: nothing the browser wrote is passed on."""
        lines = "".join(
            '<polyline points="{}"/>'.format(" ".join(f"{x:.1f},{y:.1f}" for x, y in stroke))
            for stroke in self.strokes
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            'fill="none" stroke="#1b2430" stroke-width="2" stroke-linecap="round" '
            f'stroke-linejoin="round">{lines}</svg>'
        )


class SignatureWidget(MultiWidget):
    """The pad of `components/signature.html`; drawn strokes, or a typed name instead."""

    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        typed = TextInput({"autocomplete": "off", "maxlength": "120"})
        super().__init__({"strokes": forms.HiddenInput(), "typed": typed}, attrs)

    def decompress(self, value: Signature | None) -> list[str | None]:
        return [None, value.typed_name if value else None]

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        strokes, typed = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        return render_to_string("components/signature.html", {"strokes": strokes, "typed": typed})


class SignatureField(forms.MultiValueField):
    """A `Signature`. Refuses an empty pad, a dot, and a drawing that is not one."""

    widget = SignatureWidget
    default_error_messages = {
        "required": _("Sign in the box, or type your full name instead."),
        "invalid": _("The signature could not be read. Please clear it and sign again."),
        "too_short": _("This is too short for a signature. Please sign again."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Signature"))
        parts = [forms.CharField(required=False, max_length=2_000_000)]
        parts.append(forms.CharField(required=False, max_length=120))
        super().__init__(fields=parts, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> Signature | None:
        if not data_list:
            return None
        drawn, typed = (*data_list, "")[:2]
        if not drawn:
            return Signature([], 1, 1, " ".join(typed.split()))
        return self._read(drawn, " ".join(typed.split()))

    def _read(self, drawn: str, typed: str) -> Signature:
        try:
            data = json.loads(drawn)
            strokes = [
                [(float(point["x"]), float(point["y"])) for point in stroke["points"]]
                for stroke in data["strokes"]
            ]
            width, height = float(data["width"]), float(data["height"])
        except (ValueError, TypeError, KeyError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        self._refuse_implausible(strokes, width, height)
        return Signature(strokes, width, height, typed)

    def _refuse_implausible(
        self, strokes: list[list[tuple[float, float]]], width: float, height: float
    ) -> None:
        points = [number for stroke in strokes for point in stroke for number in point]
        sizes_real = 1 <= width <= 10_000 and 1 <= height <= 10_000
        inside = all(-10_000 <= number <= 20_000 for number in points)  # NaN is not inside either
        if not (sizes_real and inside and len(points) <= 2 * MOST_POINTS):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        if len(points) < 2 * FEWEST_POINTS:
            raise ValidationError(self.error_messages["too_short"], code="too_short")
