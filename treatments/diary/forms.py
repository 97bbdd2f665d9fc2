"""Booking, moving, blocking and cancelling, as typed at the desk."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff, StaffQuerySet
from clinic.access.permissions import Role
from clinic.places.models import Device, Location, Room
from clinic.web.forms import ClinicForm, FewRowsField
from treatments.diary.actions import LONGEST, SHORTEST
from treatments.diary.free import Ground
from treatments.diary.models import Service
from treatments.diary.slots import NoSuchTimeError, instant

FIRST_YEAR, LAST_YEAR = 2000, 2100
DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"]
TIME_FORMATS = ["%H:%M", "%H.%M", "%Hh%M", "%H:%M:%S"]
ANY = "any"
ANYBODY, ANY_ROOM = _("Any who is free"), _("Any that is free")
BLOCKABLE = ("staff", "room", "device")


def service_name(service: Service) -> str:
    """In the language of the page."""
    french = (get_language() or "").startswith("fr")
    return service.name_fr if french else service.name_en


class ServiceField(FewRowsField):
    """The services that can be booked, each with its length."""

    def label_from_instance(self, obj: Any) -> str:
        return _("%(name)s, %(minutes)s min") % {
            "name": service_name(obj),
            "minutes": obj.minutes,
        }


class IdField(forms.CharField):
    """An id chosen from a list, or `any` (None). The action decides whether it belongs here."""

    widget = forms.Select
    default_error_messages = {"unknown": _("Choose from the list.")}

    def clean(self, value: Any) -> int | None:
        text = str(super().clean(value) or ANY)
        if text == ANY:
            return None
        if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) < 2**63):
            raise ValidationError(self.error_messages["unknown"], code="unknown")
        return int(text)


def _choices(anything: Any, named: Iterable[tuple[int, str]]) -> list[tuple[str, Any]]:
    return [(ANY, anything), *((str(pk), name) for pk, name in named)]


def _time_field(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        input_formats=TIME_FORMATS,
        widget=forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M"),
        error_messages={"invalid": _("Enter a time, for example 14:30.")},
    )


class WhenForm(ClinicForm):
    """A day and a time of the location's clock, and with whom and where."""

    date = forms.DateField(
        label=_("Date"),
        input_formats=DATE_FORMATS,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a real date, for example 2026-05-19.")},
    )
    time = _time_field(_("Time"))
    practitioner = IdField(label=_("Practitioner"), required=False)
    room = IdField(label=_("Room"), required=False)
    over = forms.BooleanField(required=False)
    overlap_reason = forms.CharField(
        label=_("Why it is booked over what is taken"), max_length=300, required=False
    )

    def __init__(self, *args: Any, location: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.location = location
        # Asked for only when the form is shown, and then once; not when it is sent and succeeds.
        self.fields["practitioner"].widget.choices = cache(self._practitioners)
        self.fields["room"].widget.choices = cache(self._rooms)
        self.helper.layout = Layout(
            Div("date", "time", css_class="form-row"),
            Div("practitioner", "room", css_class="form-row"),
        )

    def choose_from(self, ground: Ground) -> None:
        """Who and what can be chosen, as it has been read already. A visit that needs no
        practitioner was asked about other people.
        """
        if ground.visit.role == Role.PRACTITIONER:
            self._offer("practitioner", ANYBODY, ground.names.items())
        rooms = ((pk, name) for pk, (name, _kind) in ground.rooms.items())
        self._offer("room", ANY_ROOM, rooms)

    def _offer(self, field: str, anything: Any, named: Iterable[tuple[int, str]]) -> None:
        self.fields[field].widget.choices = _choices(anything, named)

    def _practitioners(self) -> list[tuple[str, Any]]:
        named = Staff.objects.practising_at(self.location.pk).values_list("pk", "name")
        return _choices(ANYBODY, named)

    def _rooms(self) -> list[tuple[str, Any]]:
        rooms = Room.objects.filter(location=self.location, is_active=True)
        return _choices(ANY_ROOM, rooms.values_list("pk", "name"))

    def clean_date(self) -> dt.date:
        day: dt.date = self.cleaned_data["date"]
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValidationError(_("Enter a date between 2000 and 2100."))
        return day

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at`, in UTC. A reason counts only where it was asked to book over."""
        values = super().clean() or {}
        if not values.get("over"):
            values["overlap_reason"] = ""
        elif not values.get("overlap_reason") and "overlap_reason" not in self.errors:
            self.add_error("overlap_reason", _("Say why it is booked over what is taken."))
        if isinstance(day := values.get("date"), dt.date) and isinstance(
            at := values.get("time"), dt.time
        ):
            self._put_start(values, day, at)
        return values

    def _put_start(self, values: dict[str, Any], day: dt.date, at: dt.time) -> None:
        try:
            values["starts_at"] = instant(day, at, self.location.zone)
        except NoSuchTimeError:
            self.add_error("time", _("The clocks skip this time on that day."))


def directors_at(location_id: int) -> StaffQuerySet:
    """The registered practitioners of a location, who may direct what the law keeps for adults."""
    known: StaffQuerySet = Staff.objects.practising_at(location_id)
    return known.exclude(registration_number="")


class MoveForm(WhenForm):
    """Where an appointment goes. `seen` is its trace as the person saw it. The reason for leaving
    the gap of a course is asked for only where it is needed.
    """

    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=SHORTEST,
        max_value=LONGEST,
        required=False,
        error_messages={
            "invalid": _("Enter a number of minutes."),
            "min_value": _("A visit takes from 5 minutes to 8 hours."),
            "max_value": _("A visit takes from 5 minutes to 8 hours."),
        },
    )
    seen = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
    or_any_room = forms.BooleanField(required=False)
    gap_reason = forms.CharField(
        label=_("Why it may lie outside its gap"),
        max_length=300,
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout[0] = Div("date", "time", "minutes", css_class="form-row")
        self.helper.layout.extend(["seen", "gap_reason"])

    def ask_for_reason(self) -> None:
        """Show the field."""
        self.fields["gap_reason"].required = True
        self.fields["gap_reason"].widget = forms.TextInput({"autocomplete": "off"})


class BookForm(WhenForm):
    """A visit of one patient. The key makes a form that is sent twice book once."""

    service = ServiceField(
        label=_("What for"),
        queryset=Service.objects.filter(is_active=True).order_by("pk"),
        empty_label=None,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    directed_by = forms.ModelChoiceField(
        label=_("Directed by"), queryset=Staff.objects.none(), required=False
    )
    patient = forms.RegexField(
        r"^P\d{6,12}$",
        widget=forms.HiddenInput,
        error_messages={
            "invalid": _("Choose the patient first."),
            "required": _("Choose the patient first."),
        },
    )
    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "invalid": _("Open this form anew."),
            "required": _("Open this form anew."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4
        if self.data.get("directed_by"):
            directed_by: Any = self.fields["directed_by"]
            directed_by.queryset = directors_at(self.location.pk)
        self.helper.layout.insert(0, "service")
        self.helper.layout.extend(["patient", "key"])


class WalkInForm(ClinicForm):
    """Who has come without an appointment: what for, and with whom. Time and room are found."""

    service = ServiceField(
        label=_("What for"),
        queryset=Service.objects.filter(is_active=True).order_by("pk"),
        empty_label=None,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    practitioner = IdField(label=_("Practitioner"), required=False)
    patient = forms.RegexField(
        r"^P\d{6,12}$",
        widget=forms.HiddenInput,
        error_messages={
            "invalid": _("Choose the patient first."),
            "required": _("Choose the patient first."),
        },
    )
    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "invalid": _("Open this form anew."),
            "required": _("Open this form anew."),
        },
    )

    def __init__(self, *args: Any, location: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.location = location
        self.fields["key"].initial = uuid.uuid4
        self.fields["practitioner"].widget.choices = cache(self._practitioners)
        self.helper.layout = Layout("service", "practitioner", "patient", "key")

    def _practitioners(self) -> list[tuple[str, Any]]:
        named = Staff.objects.practising_at(self.location.pk).values_list("pk", "name")
        return [(ANY, _("The next who is free")), *((str(pk), name) for pk, name in named)]


class BlockForm(ClinicForm):
    """Time of one day in which nothing is to be booked, and for whom or what."""

    what = forms.ChoiceField(
        label=_("Who or what"), error_messages={"invalid_choice": _("Choose from the list.")}
    )
    date = forms.DateField(
        label=_("Date"),
        input_formats=DATE_FORMATS,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a real date, for example 2026-05-19.")},
    )
    starts = _time_field(_("From"))
    ends = _time_field(_("Until"))
    reason = forms.CharField(
        label=_("Reason"), max_length=200, required=False, help_text=_("Shown in the diary.")
    )

    def __init__(self, *args: Any, location: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.location = location
        what: Any = self.fields["what"]
        what.choices = cache(self._choices)
        self.helper.layout = Layout(
            "what", Div("date", "starts", "ends", css_class="form-row"), "reason"
        )

    def _choices(self) -> list[tuple[str, Any]]:
        here = {"location": self.location, "is_active": True}
        staff = Staff.objects.filter(memberships__location=self.location, is_active=True)
        rooms, devices = Room.objects.filter(**here), Device.objects.filter(**here)
        return [
            *((f"staff-{one.pk}", one.name) for one in staff.order_by("name")),
            *((f"room-{one.pk}", one.name) for one in rooms),
            *((f"device-{one.pk}", f"{one.make} {one.model}") for one in devices),
            ("all", _("The whole location")),
        ]

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at` and `ends_at` in UTC, and the id of the one thing named, if any."""
        values = super().clean() or {}
        if self.errors:
            return values
        kind, _dash, number = str(values["what"]).partition("-")
        values |= {name: int(number) if kind == name else None for name in BLOCKABLE}
        for name in ("starts", "ends"):
            try:
                values[f"{name}_at"] = instant(values["date"], values[name], self.location.zone)
            except (NoSuchTimeError, OverflowError):
                self.add_error(name, _("The clocks skip this time on that day."))
        return values


class CancelForm(ClinicForm):
    """Why an appointment is cancelled."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        error_messages={"required": _("Say why it is cancelled.")},
    )


def read_offer(text: str) -> tuple[str, str, str] | None:
    """Date, time and practitioner of an offered time (`2026-05-19T14:30|7`), or None."""
    when, _sep, who = text.partition("|")
    try:
        moment = dt.datetime.strptime(when, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 (the location's clock)
    except ValueError:
        return None
    return f"{moment:%Y-%m-%d}", f"{moment:%H:%M}", who
