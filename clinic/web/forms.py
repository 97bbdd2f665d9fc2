"""The shape of every form: laid out by crispy, refused by an action without losing a word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError

from clinic.errors import ActionRefused


def plain_helper() -> FormHelper:
    """Fields only: `components/form.html` brings tag, token, summary and buttons."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    return helper


class ReadOnce(forms.models.ModelChoiceIterator):  # type: ignore[type-arg]
    """The choices of a `ModelChoiceField`, read once: a select asks for them twice when drawn."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for row in self.queryset:
            yield self.choice(row)


class FewRowsField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One row of few: what is chosen is looked up among the choices, which are read once."""

    iterator = ReadOnce

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        for row in self.queryset or ():
            if str(row.pk) == str(value):
                return row
        raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")


class ClinicForm(forms.Form):
    """A form for `components/form.html`. Set `self.helper.layout` to lay out its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class ClinicModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """The same for a model's fields. Forms check shape; saving is an action's business."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


def refuse(form: forms.BaseForm, refused: ActionRefused) -> None:
    """Show what an action said beside the field it blames, else above the form."""
    form.add_error(refused.field if refused.field in form.fields else None, refused.message)
