"""Reading and signing: every statement ticked by itself, a name, a signature."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.web.fields import SignatureField
from clinic.web.forms import ClinicForm
from treatments.consents.accepting import Asking
from treatments.consents.models import Consent
from treatments.consents.text import LANGUAGES, supported
from treatments.plans.models import Plan

LANGUAGE_NAMES = {"en": "English", "fr": "Français"}


class AcceptForm(ClinicForm):
    """What accepting a plan does besides."""

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    asking = forms.ChoiceField(
        label=_("How it is asked for"), choices=Asking.choices, widget=forms.RadioSelect
    )
    language = forms.ChoiceField(
        label=_("Language of the consent"), choices=list(LANGUAGE_NAMES.items())
    )
    book = forms.BooleanField(label=_("Go on to book the dates"), required=False, initial=True)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        patient = plan.patient
        can_link = bool(patient.email or patient.phone)
        first = Asking.LINK if can_link else Asking.TABLET
        initial = {
            "revision": plan.revision,
            "asking": first,
            "language": supported(patient.language),
        }
        super().__init__(*args, initial=initial, **kwargs)
        if not can_link:
            offered = [one for one in Asking.choices if one[0] != Asking.LINK]
            self.fields["asking"].choices = offered  # type: ignore[attr-defined]
            self.fields["asking"].help_text = _(
                "There is neither an e-mail address nor a phone number to send a link to."
            )


class SignForm(ClinicForm):
    """What the patient gives. The action decides whether it is enough."""

    statements = forms.MultipleChoiceField(
        label=_("What you confirm"),
        help_text=_("Please tick each sentence."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Please tick every statement.")},
    )
    signed_name = forms.CharField(
        label=_("Full name of the person who signs"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    signature = SignatureField()

    def __init__(self, *args: Any, consent: Consent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(one["code"], one["text"]) for one in consent.statements]
        self.fields["statements"].choices = offered  # type: ignore[attr-defined]

    @property
    def values(self) -> dict[str, Any]:
        """What `sign_consent` takes, besides the consent and the device."""
        data = self.cleaned_data
        signature = data["signature"]
        drawn = signature.is_drawn
        return {
            "statements": data["statements"],
            "signed_name": data["signed_name"],
            "method": Consent.Method.DRAWN if drawn else Consent.Method.TYPED,
            "signature_svg": signature.svg if drawn else "",
            "strokes": signature.strokes if drawn else None,
        }


class PrepareForm(forms.Form):
    """The language the patient reads best."""

    language = forms.ChoiceField(choices=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES])


class WithdrawForm(ClinicForm):
    """The patient need not say why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        help_text=_("You need not give one."),
        widget=forms.Textarea({"rows": 2}),
    )
