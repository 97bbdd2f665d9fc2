"""Each field stands with its label, help and errors, and nothing of them is taken for markup."""

from __future__ import annotations

import re

import pytest
from crispy_forms.helper import FormHelper
from crispy_forms.templatetags.crispy_forms_filters import as_crispy_field
from django import forms
from django.template import Context, Template
from django.utils import translation

NASTY = "\"><script>alert(1)</script>&'"


class Weight(forms.NumberInput):
    unit = "kg<i>"


class Visit(forms.Form):
    name = forms.CharField(label=NASTY, help_text="As on the passport.", max_length=3)
    weight = forms.DecimalField(widget=Weight, required=False)
    room = forms.ChoiceField(choices=[("", "—"), ("a", "A")])
    agreed = forms.BooleanField(label=NASTY)

    def clean_room(self) -> str:
        raise forms.ValidationError(NASTY)


def drawn(form: forms.Form) -> str:
    text = "{% load crispy_forms_filters %}{{ form|crispy }}"
    return str(Template(text).render(Context({"form": form})))


@pytest.mark.parametrize(("data", "times"), [(None, 2), ({"name": "long", "room": "a"}, 3)])
def test_nothing_in_a_field_is_markup(data: dict[str, str] | None, times: int) -> None:
    page = drawn(Visit(data))
    assert "<script" not in page
    assert "kg<i>" not in page
    assert page.count("&lt;script&gt;") == times, "each label and error is there, escaped"


def test_labels_help_and_errors_belong_to_their_box() -> None:
    page = drawn(Visit({"name": "long", "room": "a"}))
    for name in ("name", "weight", "room", "agreed"):
        assert f'id="div_id_{name}"' in page
        assert f'for="id_{name}"' in page
        assert f'id="id_{name}"' in page
    said = re.findall(r'aria-describedby="([^"]+)"', page)
    assert said
    for one in " ".join(said).split():
        assert page.count(f'id="{one}"') == 1
    wrong = re.findall(r'id="div_id_(\w+)" class="field has-error"', page)
    assert wrong == ["name", "room", "agreed"]
    assert "at most 3 characters" in page


def test_the_optional_ones_are_marked_in_the_language_of_the_reader() -> None:
    page = drawn(Visit())
    assert page.count("(optional)") == 1
    with translation.override("fr"):
        assert drawn(Visit()).count("(facultatif)") == 1


def test_a_form_may_do_without_labels_in_sight() -> None:
    text = "{% load crispy_forms_tags %}{% crispy form %}"
    form = Visit()
    form.helper = FormHelper()
    form.helper.form_show_labels = False
    page = str(Template(text).render(Context({"form": form})))
    assert page.count("form-label visually-hidden") == 3
    assert "visually-hidden" not in as_crispy_field(Visit()["room"])
