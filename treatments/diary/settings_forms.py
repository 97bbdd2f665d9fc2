"""Services and absences as a manager types them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.places.device_kinds import kinds_with
from clinic.places.hours_forms import day_input, real_day
from clinic.places.models import Room
from clinic.web.forms import ClinicForm, ClinicModelForm
from treatments.diary.models import Service
from treatments.diary.services import SERVICE_FIELDS


class ServiceForm(ClinicModelForm):
    """What can be booked. What is booked already keeps its times."""

    room_kind = forms.ChoiceField(label=_("Kind of room"), required=False)
    device_kind = forms.ChoiceField(label=_("Kind of device"), required=False)

    class Meta:
        model = Service
        fields = SERVICE_FIELDS
        labels = {"kind": _("Kind"), "name_en": _("Name, English"), "name_fr": _("Name, French")}
        help_texts = {
            "before_minutes": _("Such as numbing: the room is needed, not yet the practitioner."),
            "after_minutes": _("The room and the device are kept for so long."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rooms = [("", _("Any room")), *Room.Kind.choices]
        self.fields["room_kind"].choices = rooms  # type: ignore[attr-defined]
        devices = [("", _("No device")), *kinds_with(self.instance.device_kind)]
        self.fields["device_kind"].choices = devices  # type: ignore[attr-defined]
        self.helper.layout = Layout(
            Div("name_en", "name_fr", css_class="form-row"),
            Div("kind", "role", css_class="form-row"),
            "minutes",
            "before_minutes",
            "after_minutes",
            Div("room_kind", "device_kind", css_class="form-row"),
            "is_online",
            "adults_only",
            "is_active",
        )


class AbsenceForm(ClinicForm):
    """Whole days, from the first to the last, both included."""

    first = forms.DateField(label=_("First day"), widget=day_input(), validators=[real_day])
    last = forms.DateField(label=_("Last day"), widget=day_input(), validators=[real_day])
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)

    def __init__(self, *args: Any, open_end: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if open_end:
            self.fields["last"].required = False
            self.fields["last"].help_text = _("Leave it empty until further notice.")
        self.helper.layout = Layout(Div("first", "last", css_class="form-row"), "reason")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("first"), values.get("last")
        if isinstance(first, dt.date) and isinstance(last, dt.date) and last < first:
            self.add_error("last", _("The last day must not be before the first."))
        return values
