"""Hours as a manager types them: a day that differs, and the week of a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clinic.places.forms import time_input
from clinic.places.models import Weekday, WorkingHours
from clinic.web.forms import ClinicForm

FIRST_YEAR, LAST_YEAR = 2000, 2100
SPANS = 3
"""Of a person's day: two breaks."""
Bound = tuple[forms.BoundField, forms.BoundField]


def day_input() -> forms.DateInput:
    """The browser's own calendar field."""
    return forms.DateInput({"type": "date"}, format="%Y-%m-%d")


def real_day(day: dt.date | None) -> None:
    """Raise `ValidationError` for a year that nobody means."""
    if day is not None and not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValidationError(_now("Enter a date between 2000 and 2100."))


class DayForm(ClinicForm):
    """One day with other hours, or with none."""

    day = forms.DateField(label=_("Day"), widget=day_input(), validators=[real_day])
    off = forms.BooleanField(required=False)
    starts_at = forms.TimeField(label=_("From"), required=False, widget=time_input())
    ends_at = forms.TimeField(label=_("Until"), required=False, widget=time_input())
    reason = forms.CharField(label=_("Reason"), required=False, max_length=120)

    def __init__(self, *args: Any, off: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["off"].label = off
        self.helper.layout = Layout(
            "day", "off", Div("starts_at", "ends_at", css_class="form-row"), "reason"
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.pop("off", False):
            values["starts_at"] = values["ends_at"] = None
            return values
        start, end = values.get("starts_at"), values.get("ends_at")
        for name, given in (("starts_at", start), ("ends_at", end)):
            if given is None and name not in self.errors:
                self.add_error(name, _("Enter a time, or that there are no hours on this day."))
        if start and end and end <= start:
            self.add_error("ends_at", _("The end must be after the start."))
        return values


class WeekForm(ClinicForm):
    """The hours of each weekday, up to three spans of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday in Weekday:
            for number in range(SPANS):
                for bound, label in (("from", _("from")), ("until", _("until"))):
                    self.fields[self.name(weekday, number, bound)] = forms.TimeField(
                        label=f"{weekday.label} {label} ({number + 1})",
                        required=False,
                        widget=time_input(),
                    )

    @staticmethod
    def name(weekday: int, number: int, bound: str) -> str:
        """The name of a field."""
        return f"day{weekday}-{number}-{bound}"

    @classmethod
    def initial_of(cls, rows: list[WorkingHours]) -> dict[str, dt.time]:
        """The fields filled with what is stored."""
        initial: dict[str, dt.time] = {}
        used = dict.fromkeys(range(7), 0)
        for row in sorted(rows, key=lambda row: (row.weekday, row.starts_at)):
            number, used[row.weekday] = used[row.weekday], used[row.weekday] + 1
            initial[cls.name(row.weekday, number, "from")] = row.starts_at
            initial[cls.name(row.weekday, number, "until")] = row.ends_at
        return initial

    @classmethod
    def copied(cls, data: Any, apart_from: list[int]) -> dict[str, str]:
        """What was typed, with Monday's hours on every other day that is not left out."""
        return {
            cls.name(weekday, number, bound): data.get(
                cls.name(weekday if weekday in apart_from else 0, number, bound), ""
            )
            for weekday in range(7)
            for number in range(SPANS)
            for bound in ("from", "until")
        }

    def rows(self) -> Iterator[tuple[str, list[Bound]]]:
        """Each weekday with its fields."""
        for weekday in Weekday:
            yield (
                str(weekday.label),
                [
                    (self[self.name(weekday, n, "from")], self[self.name(weekday, n, "until")])
                    for n in range(SPANS)
                ],
            )

    def clean(self) -> dict[str, Any]:
        """`week`: the spans by weekday, as `actions.save_week` takes them."""
        values = super().clean() or {}
        week: dict[int, list[tuple[dt.time, dt.time]]] = {day: [] for day in range(7)}
        for weekday, spans in week.items():
            for number in range(SPANS):
                names = [self.name(weekday, number, bound) for bound in ("from", "until")]
                start, end = (values.get(name) for name in names)
                if start and end:
                    spans.append((start, end))
                    if end <= start:
                        self.add_error(names[1], _("The end must be after the start."))
                elif (start or end) and not (set(names) & set(self.errors)):
                    self.add_error(names[0 if end else 1], _("Both times are needed."))
        return {"week": week}


class CleaningForm(ClinicForm):
    """When a device was cleaned and with what; who is whoever writes it down."""

    date = forms.DateField(label=_("Date"), widget=day_input(), validators=[real_day])
    time = forms.TimeField(label=_("Time"), widget=time_input())
    agent = forms.CharField(label=_("Cleaned with"), max_length=120)
    note = forms.CharField(label=_("Note"), required=False, max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(Div("date", "time", css_class="form-row"), "agent", "note")
