"""Boxes and lists of forms, drawn without templates: these are most of what a long form costs.

Django draws each widget from templates that include one another, a list's every entry anew. The
markup here is theirs, but for blank lines; `tests/clinic/test_drawing.py` holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.template.base import render_value_in_context
from django.template.context import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeData, SafeString

Widget = Mapping[str, Any]
WIDGETS = "django/forms/widgets/"


class Drawn(TemplatesSetting):
    """The form renderer: the plain widgets from here, every other from its template."""

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        draw = PLAIN.get(template_name)
        if draw:
            return SafeString(draw(context["widget"]).strip())
        return SafeString(super().render(template_name, context, request))


def _said(value: Any) -> str:
    """As `{{ value|stringformat:"s" }}`: not in the language's way of numbers."""
    return conditional_escape(value if isinstance(value, SafeData) else str(value))


def _shown(value: Any) -> str:
    """As `{{ value }}`: a number in the language's way."""
    if isinstance(value, str):
        return conditional_escape(value)
    return render_value_in_context(value, Context())


def _attributes(widget: Widget) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{_said(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _input(widget: Widget) -> str:
    value = widget["value"]
    given = "" if value is None else f' value="{_said(value)}"'
    name = _shown(widget["name"])
    return f'<input type="{widget["type"]}" name="{name}"{given}{_attributes(widget)}>'


def _textarea(widget: Widget) -> str:
    text = _shown(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{_shown(widget["name"])}"{_attributes(widget)}>\n{text}</textarea>'


def _option(option: Widget) -> str:
    value, label = _said(option["value"]), _shown(option["label"])
    return f'\n  <option value="{value}"{_attributes(option)}>{label}</option>'


def _group(name: Any, options: list[Widget]) -> str:
    drawn = "".join(map(_option, options))
    if not name:
        return drawn
    return f'\n  <optgroup label="{_shown(name)}">{drawn}\n  </optgroup>'


def _select(widget: Widget) -> str:
    groups = "".join(_group(name, options) for name, options, _number in widget["optgroups"])
    return f'<select name="{_shown(widget["name"])}"{_attributes(widget)}>{groups}\n</select>'


INPUTS = "input text number email url password hidden date time datetime checkbox"
PLAIN: dict[str, Callable[[Widget], str]] = {
    **{f"{WIDGETS}{name}.html": _input for name in INPUTS.split()},
    f"{WIDGETS}textarea.html": _textarea,
    f"{WIDGETS}select.html": _select,
}
"""By the name of the template that each takes the place of."""
