"""Who a patient is, as typed at the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from crispy_forms.layout import Div, Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from clinic.places.models import Location
from clinic.web.fields import DateOfBirthField
from clinic.web.forms import ClinicForm
from patients.registry.models import EARLIEST_BIRTH, Patient


class PatientForm(ClinicForm):
    """Name, birth date and ways to reach someone. A phone without prefix is the location's."""

    family_name = forms.CharField(label=_("Family name"), max_length=100)
    given_name = forms.CharField(label=_("Given name"), max_length=100)
    birth_date = DateOfBirthField()
    sex = forms.ChoiceField(
        label=_("Sex"), choices=Patient.Sex.choices, initial=Patient.Sex.UNKNOWN
    )
    phone = PhoneNumberField(
        label=_("Mobile phone"),
        required=False,
        error_messages={
            "invalid": _("Enter a phone number that can be called, with its country if abroad.")
        },
    )
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("The patient’s links and sheets are sent here."),
    )
    language = forms.ChoiceField(
        label=_("Language for the patient"), choices=settings.PATIENT_LANGUAGES
    )

    def __init__(self, *args: Any, location: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phone"] = PhoneNumberField(
            label=_("Mobile phone"),
            required=False,
            region=location.country_id,
            error_messages={
                "invalid": _("Enter a phone number that can be called, with its country if abroad.")
            },
        )
        self.fields["phone"].widget.attrs.update({"inputmode": "tel", "autocomplete": "off"})
        for name in ("family_name", "given_name", "email"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.fields["language"].initial = location.language
        self.helper.layout = Layout(
            Div("family_name", "given_name", css_class="form-row"),
            "birth_date",
            Div("sex", "language", css_class="form-row"),
            Div("phone", "email", css_class="form-row"),
        )

    def _name(self, field: str) -> str:
        name = " ".join(self.cleaned_data[field].split())
        if not any(letter.isalpha() for letter in name):
            raise ValidationError(_("A name has letters in it."))
        return name

    def clean_family_name(self) -> str:
        return self._name("family_name")

    def clean_given_name(self) -> str:
        return self._name("given_name")

    def clean_birth_date(self) -> Any:
        birth = self.cleaned_data["birth_date"]
        if birth and birth < EARLIEST_BIRTH:
            raise ValidationError(_("This date of birth is too long ago."))
        return birth


class RegisterForm(PatientForm):
    """The same, and the tick that says the files found are of other people."""

    anyway = forms.BooleanField(
        label=_("I have looked: this is another person. Register anyway."), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout.append(Div("anyway", css_class="d-none"))
        if not self.is_bound:
            self._first_empty().attrs["autofocus"] = True

    def _first_empty(self) -> forms.Widget:
        """The box to type in first: names may have come along from the search."""
        for name in ("family_name", "given_name"):
            if not self.initial.get(name):
                return cast(forms.Widget, self.fields[name].widget)
        return cast(forms.MultiWidget, self.fields["birth_date"].widget).widgets[0]

    def ask_about_duplicates(self) -> None:
        """Show the tick; until files like this one are found it would only be in the way."""
        self.helper.layout.pop()
        self.helper.layout.append("anyway")


class MergeForm(ClinicForm):
    """Which of two files is kept, and why they are one person's."""

    keep = forms.ChoiceField(label=_("File to keep"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("How you know that this is one person. It is kept with both files."),
    )

    def __init__(self, *args: Any, sides: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keep"].choices = [  # type: ignore[attr-defined]
            (side.patient.number, f"{side.patient.number} {side.patient.name}") for side in sides
        ]

    def keeps(self, patient: Patient) -> bool:
        """Whether this is the file that was chosen."""
        return bool(self.cleaned_data["keep"] == patient.number)


class UnmergeForm(ClinicForm):
    """Why two files are two persons' after all."""

    reason = forms.CharField(label=_("Reason"), max_length=300)
