"""Who has arrived, and what a tablet is called."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.web.fields import DateOfBirthField
from clinic.web.forms import ClinicForm


class ArriveForm(ClinicForm):
    """Nothing of it is kept by the browser: others stand at the same tablet."""

    name = forms.CharField(
        label=_("Your given name and family name"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter your name.")},
    )
    birth_date = DateOfBirthField(label=_("Your date of birth"))


class TabletForm(ClinicForm):
    name = forms.CharField(
        label=_("Name of the tablet"),
        max_length=60,
        help_text=_("Where it stands, for example: entrance."),
    )
