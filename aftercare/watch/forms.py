"""The check-in a patient answers, and the outcome of a call."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from aftercare.watch.signs import asked_at
from clinic.web.forms import ClinicForm
from patients.intake.forms import TickField


class CheckInForm(ClinicForm):
    """Signs of this step, an explicit "none of these", and words of one's own."""

    signs = TickField(
        label=_("What do you notice today?"),
        widget=forms.CheckboxSelectMultiple,
    )
    well = forms.BooleanField(label=_("None of these: all is as expected"), required=False)
    note = forms.CharField(
        label=_("Anything else you want us to know"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        required=False,
    )

    def __init__(self, *args: Any, step: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["signs"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(sign.code, sign.text) for sign in asked_at(step)]


class OutcomeForm(ClinicForm):
    """What came of a call."""

    outcome = forms.CharField(
        label=_("Outcome"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )
