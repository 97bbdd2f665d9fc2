"""What a patient chooses and types."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Membership, Staff
from clinic.access.permissions import Role
from clinic.places.models import Location
from clinic.web.forms import ClinicForm
from patients.messages.models import Message
from patients.registry.models import Patient
from treatments.diary.forms import ServiceField
from treatments.diary.models import Service

CODE_ERRORS = {
    "required": _("Enter the code."),
    "invalid": _("The code has six digits."),
}


class VisitForm(ClinicForm):
    """What for, with whom, and where if the patient is known at more than one place."""

    service = ServiceField(
        label=_("What for"),
        queryset=Service.objects.filter(is_active=True, is_online=True).order_by("pk"),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what the visit is for."),
            "invalid_choice": _("Choose from the list."),
        },
    )
    location = forms.ModelChoiceField(
        label=_("Where"), queryset=Location.objects.none(), empty_label=None
    )
    practitioner = forms.ModelChoiceField(
        label=_("With"),
        queryset=Staff.objects.none(),
        required=False,
        empty_label=_("Whoever is free first"),
    )

    def __init__(self, *args: Any, places: list[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [place.pk for place in places]
        where = self.fields["location"]
        where.queryset = Location.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        where.initial = ids[0] if ids else None
        who = Staff.objects.filter(
            pk__in=Membership.objects.filter(location__in=ids).values("staff"),
            role=Role.PRACTITIONER,
            is_active=True,
        )
        self.fields["practitioner"].queryset = who.order_by("name")  # type: ignore[attr-defined]
        services = self.fields["service"].queryset  # type: ignore[attr-defined]
        if len(only := list(services[:2])) == 1:
            self.fields["service"].initial = only[0]
        if len(ids) == 1:
            where.widget = forms.HiddenInput()
        self.helper.layout = Layout("service", "location", "practitioner")


class CodeForm(ClinicForm):
    """Six digits, typed with or without spaces."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        error_messages=CODE_ERRORS,
        widget=forms.TextInput(
            {"inputmode": "numeric", "autocomplete": "one-time-code", "class": "code-input"}
        ),
    )

    def clean_code(self) -> str:
        digits = "".join(str(self.cleaned_data["code"]).split())
        if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
            raise forms.ValidationError(CODE_ERRORS["invalid"])
        return digits


def channels_of(patient: Patient) -> list[str]:
    """The ways a code can reach a patient, e-mail first."""
    ways = [(Message.Channel.EMAIL, patient.email), (Message.Channel.SMS, patient.phone)]
    return [str(channel) for channel, address in ways if address]


def hidden(address: str) -> str:
    """An address as its owner knows it and nobody else learns it: `e•••@example.org`, `•••78`."""
    name, sep, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}" if sep else f"•••{address[-2:]}"


def read_week(text: str, today: dt.date) -> dt.date:
    """The first day shown: that of the address, never before today."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return today
    return min(max(day, today), today + dt.timedelta(days=366))
