"""The boxes drawn in Python are those of Django's templates, but for blank lines."""

from __future__ import annotations

import datetime
import re

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from clinic.web.drawing import PLAIN, Drawn
from clinic.web.templatetags.clinic_web import control

NASTY = "\"><script>alert(1)</script>&'"
CHOICES = [
    ("", "None of them"),
    (1, "One & two"),
    ("2", mark_safe("<b>bold</b>")),
    (1234567, 1234567),
    ("Group <i>", [("a", NASTY), ("b", gettext_lazy("Yes"))]),
]
WIDGETS = [
    forms.TextInput({"class": "form-control", "autofocus": True, "hidden": False, "data-x": 3}),
    forms.TextInput({"placeholder": NASTY}),
    forms.NumberInput({"step": "any"}),
    forms.EmailInput(),
    forms.URLInput(),
    forms.PasswordInput(),
    forms.HiddenInput(),
    forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    forms.TimeInput({"type": "time"}, format="%H:%M"),
    forms.DateTimeInput(),
    forms.CheckboxInput(),
    forms.Textarea({"rows": 4}),
    forms.Select({"aria-label": "Which"}, choices=CHOICES),
    forms.SelectMultiple(choices=CHOICES),
]
VALUES = [
    None, "", "a", "2", 1, 1234567, 0.5, True, [1, "a"], NASTY, mark_safe("a<b>"),
    datetime.date(2026, 2, 1), datetime.time(9, 5),
    gettext_lazy("Yes"),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: type(widget).__name__)
def test_every_box_is_drawn_as_by_its_template(widget: forms.Widget, language: str) -> None:
    with translation.override(language):
        for value in VALUES:
            drawn, known = (
                widget.render("some-name", value, {"id": "id_x"}, renderer=renderer())
                for renderer in (Drawn, TemplatesSetting)
            )
            assert drawn == re.sub(r"\n\s*\n", "\n", known)


def test_they_are_drawn_without_templates() -> None:
    """Else the comparison would compare a template with itself."""
    assert {widget.template_name for widget in WIDGETS} <= set(PLAIN)


class Trial(forms.Form):
    name = forms.CharField(widget=forms.TextInput({"class": "wide"}))
    age = forms.IntegerField(required=False)


def test_a_box_keeps_its_own_class_and_is_marked_where_it_is_wrong() -> None:
    form = Trial({"name": "", "age": "4"})
    assert 'class="wide form-control is-invalid"' in control(form["name"], "form-control")
    assert 'class="form-control"' in control(form["age"], "form-control")
    assert 'class="wide form-control"' in control(Trial()["name"], "form-control")
