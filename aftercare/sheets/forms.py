"""What a practitioner decides of a sheet before it is given."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from aftercare.sheets.content import Wish
from aftercare.sheets.languages import offered
from aftercare.sheets.models import LONGEST_LINE
from clinic.web.forms import ClinicForm


class SheetForm(ClinicForm):
    """A line in the practitioner's own words, and the language. `known`: the version seen last."""

    personal_line = forms.CharField(
        label=_("A line of your own"),
        required=False,
        max_length=LONGEST_LINE,
        help_text=_("It stands first on the sheet, with your name. No promises."),
        widget=forms.Textarea({"rows": 4}),
    )
    language = forms.ChoiceField(label=_("Language of the sheet"))
    known = forms.IntegerField(min_value=0, max_value=9999, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = offered()  # type: ignore[attr-defined]

    def clean_personal_line(self) -> str:
        """As it is kept: lines end in one way, and nothing stands around it."""
        return str(self.cleaned_data["personal_line"]).replace("\r\n", "\n").strip()

    @property
    def wish(self) -> Wish:
        """What is decided. Needs a valid form."""
        return Wish(self.cleaned_data["language"], self.cleaned_data["personal_line"])
