"""What the person would like, as asked at the desk, and the times in the rows below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.places.models import Location
from clinic.web.forms import ClinicForm
from treatments.courses.proposal import Wish
from treatments.diary.forms import (
    ANY,
    DATE_FORMATS,
    FIRST_YEAR,
    LAST_YEAR,
    IdField,
    ServiceField,
    read_offer,
)
from treatments.diary.free import Free
from treatments.diary.models import Service
from treatments.diary.slots import NoSuchTimeError, instant

MOST_AT_ONCE = 30
"""Sessions that are proposed together; the rest of a longer course is booked later."""
WEEKDAYS = [(str(number), name) for number, name in WEEKDAYS_ABBR.items()]
PARTS = [
    ("morning", _("Morning")),
    ("afternoon", _("Afternoon")),
    ("evening", _("Evening")),
]


class WishForm(ClinicForm):
    """Which days, which times, with whom, from when on, and how many sessions now."""

    service = ServiceField(
        label=_("What for"),
        queryset=Service.objects.filter(is_active=True, kind=Service.Kind.SESSION).order_by("pk"),
        empty_label=None,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    practitioner = IdField(label=_("Practitioner"), required=False)
    same = forms.BooleanField(label=_("The same one for every session"), required=False)
    weekdays = forms.MultipleChoiceField(
        label=_("Days that suit"),
        choices=WEEKDAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    parts = forms.MultipleChoiceField(
        label=_("Times that suit"),
        choices=PARTS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    first = forms.DateField(
        label=_("Not before"),
        input_formats=DATE_FORMATS,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a real date, for example 2026-05-19.")},
    )

    def __init__(self, *args: Any, location: Location, left: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.location = location
        self.fields["practitioner"].widget.choices = cache(self._practitioners)
        most = min(left, MOST_AT_ONCE)
        if most > 1:
            self.fields["count"] = forms.IntegerField(
                label=_("Sessions to book now"), min_value=1, max_value=most
            )
        self.helper.layout = Layout(
            Div("service", *self._of_whom(), css_class="form-row wish-who"),
            Div("weekdays", "parts", "same", css_class="form-row wish-when"),
        )

    def _of_whom(self) -> list[str]:
        return [name for name in ("practitioner", "first", "count") if name in self.fields]

    def _practitioners(self) -> list[tuple[str, Any]]:
        named = Staff.objects.practising_at(self.location.pk).values_list("pk", "name")
        return [(ANY, _("Any who is free")), *((str(pk), name) for pk, name in named)]

    def clean_first(self) -> dt.date:
        day: dt.date = self.cleaned_data["first"]
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValidationError(_("Enter a date between 2000 and 2100."))
        return day

    def wish(self, today: dt.date) -> Wish:
        """What the search takes; nothing lies in the past."""
        values = self.cleaned_data
        return Wish(
            first=max(values["first"], today),
            weekdays=frozenset(int(day) for day in values["weekdays"]),
            parts=frozenset(values["parts"]),
            practitioner_id=values["practitioner"],
            same=values["same"],
        )


def read_slot(text: str, location: Location, names: Mapping[int, str]) -> Free | None:
    """A time as a row holds it (`2026-05-19T14:30|7`), with one of the people named; or None."""
    offer = read_offer(text)
    if offer is None or not (offer[2].isascii() and offer[2].isdigit() and len(offer[2]) < 19):
        return None
    practitioner = int(offer[2])
    start = dt.datetime.fromisoformat(f"{offer[0]}T{offer[1]}")
    if practitioner not in names or not FIRST_YEAR <= start.year <= LAST_YEAR:
        return None
    try:
        moment = instant(start.date(), start.time(), location.zone)
    except NoSuchTimeError:
        return None
    return Free(start, practitioner, names[practitioner], moment)
