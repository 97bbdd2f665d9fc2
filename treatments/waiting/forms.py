"""What a patient waits for, as typed at the desk."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.places.models import Location, Weekday
from clinic.web.forms import ClinicForm
from patients.registry.models import Patient
from treatments.diary.forms import DATE_FORMATS, TIME_FORMATS, ServiceField
from treatments.diary.models import Appointment, Service
from treatments.diary.transitions import MOVABLE
from treatments.waiting.actions import WISHES
from treatments.waiting.models import WaitingEntry

NEVER_MORE_HOURS = 720


class VisitField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The visits that a patient already has, by day and time."""

    zone: Any = None

    def label_from_instance(self, obj: Any) -> str:
        starts = obj.starts_at.astimezone(self.zone)
        return f"{starts:%d-%b-%Y %H:%M}, {obj.practitioner.name}"


class EntryForm(ClinicForm):
    """The wishes of one who waits; all that is left empty means any."""

    service = ServiceField(
        label=_("What for"),
        queryset=Service.objects.filter(is_active=True).order_by("pk"),
        empty_label=None,
    )
    practitioner = forms.ModelChoiceField(
        label=_("Practitioner"),
        queryset=Staff.objects.none(),
        required=False,
        empty_label=_("Any who is free"),
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"),
        choices=Weekday,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked means any day."),
    )
    earliest = forms.TimeField(
        label=_("Not before"),
        required=False,
        input_formats=TIME_FORMATS,
        widget=forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M"),
    )
    latest = forms.TimeField(
        label=_("Over by"),
        required=False,
        input_formats=TIME_FORMATS,
        widget=forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M"),
    )
    from_date = forms.DateField(
        label=_("From"),
        input_formats=DATE_FORMATS,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    until_date = forms.DateField(
        label=_("Until"),
        required=False,
        input_formats=DATE_FORMATS,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    notice_hours = forms.IntegerField(
        label=_("Hours of notice needed"),
        initial=2,
        min_value=0,
        max_value=NEVER_MORE_HOURS,
        help_text=_("How long before the visit they must know."),
    )
    instead_of = VisitField(
        label=_("Instead of"),
        queryset=Appointment.objects.none(),
        required=False,
        empty_label=_("nothing: an additional visit"),
        help_text=_("That visit gives way to an earlier time."),
    )
    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("Nothing clinical.")
    )

    def __init__(self, *args: Any, location: Location, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = Staff.objects.practising_at(location.pk)
        self.fields["practitioner"].queryset = here  # type: ignore[attr-defined]
        now = timezone.now()
        own = Appointment.objects.filter(
            patient=patient, location=location, status__in=MOVABLE, starts_at__gt=now
        )
        visits = self.fields["instead_of"]
        visits.zone = location.zone  # type: ignore[attr-defined]
        visits.queryset = own.select_related("practitioner").order_by("starts_at")  # type: ignore[attr-defined]
        self.fields["from_date"].initial = timezone.localdate(now, location.zone)
        self.helper.layout = Layout(
            Div("service", "practitioner", css_class="form-row"),
            Div("weekdays", css_class="weekdays"),
            Div("earliest", "latest", "notice_hours", css_class="form-row"),
            Div("from_date", "until_date", css_class="form-row"),
            "instead_of",
            "note",
        )

    def clean(self) -> dict[str, Any]:
        """The bounds in order; the database holds them too."""
        values = super().clean() or {}
        for first, last in (("earliest", "latest"), ("from_date", "until_date")):
            start, end = values.get(first), values.get(last)
            if start and end and (end < start or (end == start and first == "earliest")):
                self.add_error(last, _("The end must be after the start."))
        return values


def wishes_of(entry: WaitingEntry) -> dict[str, Any]:
    """An entry's wishes as the form takes them."""
    return {name: getattr(entry, name) for name in WISHES}


class TimeForm(ClinicForm):
    """A free time whose takers are looked for."""

    date = forms.DateField(
        label=_("Date"),
        input_formats=DATE_FORMATS,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label=_("Time"),
        input_formats=TIME_FORMATS,
        widget=forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M"),
    )
    minutes = forms.IntegerField(label=_("Minutes"), min_value=5, max_value=480, initial=60)
    practitioner = forms.ModelChoiceField(
        label=_("Practitioner"), queryset=Staff.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, location: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = Staff.objects.practising_at(location.pk)
        self.fields["practitioner"].queryset = here  # type: ignore[attr-defined]
        self.helper.layout = Layout(
            Div("date", "time", "minutes", "practitioner", css_class="form-row")
        )
