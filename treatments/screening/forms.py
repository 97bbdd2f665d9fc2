"""The form of a physician's decision."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm


class DecisionForm(ClinicForm):
    """Why to go on in spite of a verdict; `claim` is the signed verdict."""

    claim = forms.CharField(widget=forms.HiddenInput)
    next = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label=_("Reason for going on"),
        help_text=_("Kept with your name and the date."),
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write the reason for going on.")},
    )
    directed_by = forms.CharField(
        label=_("Doctor who directs it"),
        help_text=_("Where the law asks for a named doctor."),
        max_length=200,
        required=False,
    )
