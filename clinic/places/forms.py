"""Settings as a manager types them."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from crispy_forms.layout import Div, Layout
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.places.actions import DEVICE_FIELDS, LOCATION_FIELDS, ROOM_FIELDS, STAFF_FIELDS
from clinic.places.models import Device, Location, Room
from clinic.web.forms import ClinicModelForm


class LocationForm(ClinicModelForm):
    """Address, clock, opening hours and letterhead of a location."""

    timezone = forms.ChoiceField(
        label=_("Time zone"), choices=[(name, name) for name in sorted(available_timezones())]
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = Location
        fields = LOCATION_FIELDS
        widgets = {
            "address": forms.Textarea({"rows": 3}),
            "opens_at": forms.TimeInput({"type": "time"}, format="%H:%M"),
            "closes_at": forms.TimeInput({"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            "name",
            "address",
            Div("country", "timezone", "language", css_class="form-row"),
            Div("opens_at", "closes_at", css_class="form-row"),
            Div("phone", "phone_out_of_hours", css_class="form-row"),
            "email",
            "online_booking",
            Div(
                "online_notice_hours",
                "online_days_ahead",
                "change_notice_hours",
                css_class="form-row",
            ),
            "waiting_automatic",
            Div("hold_minutes", "most_offers", css_class="form-row"),
        )


class RoomForm(ClinicModelForm):
    class Meta:
        model = Room
        fields = ROOM_FIELDS


class DeviceForm(ClinicModelForm):
    class Meta:
        model = Device
        fields = DEVICE_FIELDS

    def _get_validation_exclusions(self) -> set[str]:
        """The action says that a serial number is taken; asked here too, it would be said twice."""
        return {*super()._get_validation_exclusions(), "serial_number"}  # type: ignore[misc]


class StaffForm(ClinicModelForm):
    """A person, their role and where they work; the password is theirs to set."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    locations = forms.ModelMultipleChoiceField(
        label=_("Works at"),
        queryset=Location.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Staff
        fields = STAFF_FIELDS
        help_texts = {
            "registration_number": _("Needed of a practitioner who signs sessions."),
            "is_active": _("Who is not active cannot sign in; their records stay."),
        }

    def __init__(self, *args: Any, manager: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Location.objects.visible_to(manager)
        self.fields["locations"].queryset = places  # type: ignore[attr-defined]
        if self.instance.pk:
            here = self.instance.memberships.values_list("location_id", flat=True)
            self.initial["locations"] = list(here)
        self.helper.layout = Layout(
            "name",
            "email",
            Div("role", "registration_number", css_class="form-row"),
            "locations",
            "language",
            "is_active",
        )
