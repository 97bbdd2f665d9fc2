"""A location's rules and words as a manager types them; what a patient does not want."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm, ClinicModelForm
from patients.messages.asking import read_contact
from patients.messages.kinds import Refusal
from patients.messages.models import MessageRules, MessageText
from patients.messages.rules import RULE_FIELDS
from patients.messages.texts import Words
from patients.portal.models import PasskeyOnly


class RulesForm(ClinicModelForm):
    """Quiet hours, reminders and invitations of a location."""

    class Meta:
        model = MessageRules
        fields = RULE_FIELDS
        widgets = {
            "quiet_from": forms.TimeInput({"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput({"type": "time"}, format="%H:%M"),
        }
        help_texts = {
            "quiet_from": _("On the location’s clock. What is due later waits for the morning."),
            "quiet_until": _("The same time twice means no quiet hours."),
            "first_reminder_hours": _("Empty for none."),
            "second_reminder_hours": _("Empty for none."),
            "recall_months": _(
                "Patients with nothing booked, so long after their last visit; once. Empty for "
                "nobody."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            Div("quiet_from", "quiet_until", css_class="form-row"),
            Div("first_reminder_hours", "second_reminder_hours", css_class="form-row"),
            "recall_months",
        )


class WordsForm(ClinicModelForm):
    """One text: for e-mail and for SMS. What may stand in it, the action says."""

    class Meta:
        model = MessageText
        fields = ("subject", "body", "sms")
        widgets = {
            "body": forms.Textarea({"rows": 14}),
            "sms": forms.Textarea({"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = True

    @property
    def words(self) -> Words:
        """What was typed, with line ends as they are stored."""
        typed = (self.data.get(name, "") for name in ("subject", "body", "sms"))
        return Words(*(text.replace("\r\n", "\n") for text in typed))


class RefusalsForm(ClinicForm):
    """What a patient does not want to receive."""

    kinds = forms.MultipleChoiceField(
        label=_("Do not send"),
        choices=Refusal.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class DoorForm(ClinicForm):
    """How the desk knows who asks for a way in without their device."""

    identity = forms.ChoiceField(
        label=_("I know that it is the patient"),
        choices=PasskeyOnly.Identity,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say how you know that it is the patient.")},
    )
    remove_keys = forms.BooleanField(
        label=_("The device is lost or stolen: take all passkeys away"),
        required=False,
        initial=True,
    )


class ContactForm(ClinicForm):
    """Where a link is to be sent to. The browser may fill it in; only its shape is checked."""

    contact = forms.CharField(
        label=_("Your e-mail address or mobile number"),
        max_length=254,
        help_text=_("The one that your clinic knows. A number with its country, as +33 6 12…"),
        widget=forms.TextInput({"autocomplete": "email", "inputmode": "email"}),
        error_messages={"required": _("Enter your e-mail address or your mobile number.")},
    )

    def clean_contact(self) -> str:
        contact = read_contact(self.cleaned_data["contact"])
        if not contact:
            raise forms.ValidationError(_("Enter an e-mail address in full, or a mobile number."))
        return contact
