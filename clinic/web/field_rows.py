"""One field of a form with its label, help and errors, drawn without a template of its own.

A long form has a hundred of them, and a template for each was a fifth of its page. Lists of choices
and boxes of several parts stand in `bootstrap5/field.html`, which asks for every other here.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.forms import BoundField
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

BOX_CLASSES = {"check": "form-check-input", "select": "form-select"}
BOX_CLASS = "form-control"


@dataclass(frozen=True)
class Manner:
    """How whoever asks wants a field: the options of crispy's own field template."""

    tag: str = "div"
    wrapper: str = ""
    labels: bool = True
    errors: bool = True


def row_of(field: BoundField, kind: str, box: str, manner: Manner) -> SafeString:
    """The field around its `box`. `kind` is `check`, or else one whose label stands above."""
    classes = ["field", "has-error" if field.errors else "", manner.wrapper, field.css_classes()]
    drawn = _check(field, box, manner) if kind == "check" else _labelled(field, box, manner)
    return SafeString(
        f'\n<{manner.tag} id="div_{conditional_escape(field.auto_id)}"'
        f' class="{conditional_escape(" ".join(filter(None, classes)))}">'
        f"{drawn}\n</{manner.tag}>"
    )


def _check(field: BoundField, box: str, manner: Manner) -> str:
    return (
        f'{_errors(field, manner)}\n<div class="form-check">{box}\n'
        f'<label class="form-check-label" for="{conditional_escape(field.id_for_label)}">'
        f"{conditional_escape(field.label)}</label></div>{_help(field)}"
    )


def _labelled(field: BoundField, box: str, manner: Manner) -> str:
    hidden = "" if manner.labels else " visually-hidden"
    return (
        f'\n<label class="form-label{hidden}" for="{conditional_escape(field.id_for_label)}">'
        f"{conditional_escape(field.label)}{_unit(field)}{_optional(field)}</label>"
        f"{_help(field)}{_errors(field, manner)}\n{box}"
    )


def _unit(field: BoundField) -> str:
    unit = getattr(field.field.widget, "unit", "")
    return f'<span class="visually-hidden"> ({conditional_escape(unit)})</span>' if unit else ""


def _optional(field: BoundField) -> str:
    if field.field.required:
        return ""
    return f' <span class="optional">{conditional_escape(_("(optional)"))}</span>'


def _help(field: BoundField) -> str:
    if not field.help_text:
        return ""
    said = {"id": field.auto_id, "text": field.help_text}
    return render_to_string("components/field_help.html", said)


def _errors(field: BoundField, manner: Manner) -> str:
    if not manner.errors or not field.errors:
        return ""
    return render_to_string("components/field_error.html", {"field": field})
