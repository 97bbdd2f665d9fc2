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
from clinic.places.device_kinds import kinds_with
from clinic.places.holidays import regions_of
from clinic.places.models import CountryProfile, Device, Location, Room, Weekday
from clinic.web.forms import ClinicModelForm


def time_input() -> forms.TimeInput:
    """The browser's own clock field."""
    return forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M")


class LocationForm(ClinicModelForm):
    """Address, clock, opening hours, holidays and letterhead of a location."""

    timezone = forms.ChoiceField(
        label=_("Time zone"), choices=[(name, name) for name in sorted(available_timezones())]
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    closed_weekdays = forms.TypedMultipleChoiceField(
        label=_("Closed every"),
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    holiday_region = forms.ChoiceField(
        label=_("Region, for its own holidays"),
        required=False,
        help_text=_("Leave it empty for the holidays of the whole country."),
    )

    class Meta:
        model = Location
        fields = LOCATION_FIELDS
        widgets = {
            "address": forms.Textarea({"rows": 3}),
            "opens_at": time_input(),
            "closes_at": time_input(),
        }
        help_texts = {
            "allows_overlap": _("Each such booking needs a reason, which is kept."),
            "cooling_off_hours": _(
                "Counted from when the patient first opens the text. Empty: as the country has it."
            ),
            "retention_years": _("After the last care. Empty: as the country has it."),
            "minors_until_age": _("Whichever is later counts. Empty: as the country has it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["holiday_region"].choices = _regions()  # type: ignore[attr-defined]
        if self.instance.holiday_region:
            self.initial["holiday_region"] = _region(
                self.instance.country_id, self.instance.holiday_region
            )
        self.helper.layout = Layout(
            "name",
            "address",
            Div("country", "timezone", "language", css_class="form-row"),
            Div("opens_at", "closes_at", css_class="form-row"),
            "closed_weekdays",
            "closes_on_holidays",
            "holiday_region",
            "allows_overlap",
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
            "cooling_off_hours",
            Div("retention_years", "minors_until_age", css_class="form-row"),
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        country, _sep, region = values.get("holiday_region", "").partition(REGION_MARK)
        if region and values.get("country") and country != values["country"].pk:
            self.add_error("holiday_region", _("This region is in another country."))
        values["holiday_region"] = region
        return values


REGION_MARK = ":"


def _region(country: str, code: str) -> str:
    return f"{country}{REGION_MARK}{code}"


def _regions() -> list[tuple[str, Any]]:
    """The regions of every country in which a location can be, under its country's name."""
    groups = []
    for country, name in CountryProfile.objects.order_by("name").values_list("pk", "name"):
        regions = [(_region(country, code), said) for code, said in regions_of(country)]
        if regions:
            groups.append((name, regions))
    return [("", _("The whole country")), *groups]


class RoomForm(ClinicModelForm):
    class Meta:
        model = Room
        fields = ROOM_FIELDS


class DeviceForm(ClinicModelForm):
    kind = forms.ChoiceField(label=_("Kind"))

    class Meta:
        model = Device
        fields = DEVICE_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = kinds_with(self.instance.kind)  # type: ignore[attr-defined]
        self.helper.layout = Layout(
            "kind",
            Div("make", "model", css_class="form-row"),
            "serial_number",
            "is_active",
        )

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
            "phone": _("For a text when a patient must be called at once."),
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
            Div("email", "phone", css_class="form-row"),
            Div("role", "registration_number", css_class="form-row"),
            "locations",
            "language",
            "is_active",
        )
