"""Settings of hours: days that differ, a person's week, and what each person sees of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.places import actions
from clinic.places.editing import ask_or_do, edit, found, sent
from clinic.places.hours_forms import DayForm, WeekForm
from clinic.places.models import DayHours, Location, LocationDay, Weekday, WorkingHours
from clinic.places.views import people_of

MOST_DAYS = 200


def _today(location: Location) -> date:
    return timezone.localdate(timezone=location.zone)


def _person(request: HttpRequest, pk: int, here: Location) -> Staff:
    """Someone who works at this location; 404 for anyone else."""
    person: Staff = found(people_of(staff_of(request)).filter(memberships__location=here), pk)
    return person


def _hours_of(entry: LocationDay | DayHours) -> tuple[time | None, time | None]:
    """From when to when; None and None on a day off."""
    if isinstance(entry, LocationDay):
        return entry.opens_at, entry.closes_at
    return entry.starts_at, entry.ends_at


def _days_page(
    request: HttpRequest,
    whose: str,
    entry: LocationDay | DayHours | None,
    coming: QuerySet[Any],
    save: Callable[..., Any],
    *,
    off: str,
    **shown: Any,
) -> HttpResponse:
    """The form of one day beside the coming days; `whose` begins the names of their addresses."""
    initial: dict[str, Any] = {}
    if entry is not None:
        starts, ends = _hours_of(entry)
        initial = {"day": entry.day, "off": starts is None, "starts_at": starts, "ends_at": ends}
        initial["reason"] = entry.reason
    days = [
        (
            row,
            *_hours_of(row),
            reverse(f"places:{whose}-day", args=[row.pk]),
            reverse(f"places:{whose}-day-remove", args=[row.pk]),
        )
        for row in coming.order_by("day")[:MOST_DAYS]
    ]
    return edit(
        request,
        DayForm(sent(request), initial=initial, off=off),
        save,
        gettext_lazy("Days with other hours"),
        template="clinic/settings_days.html",
        entry=entry,
        days=days,
        **shown,
    )


# ---- a location's days -------------------------------------------------------------------------


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def location_days(request: HttpRequest, pk: int) -> HttpResponse:
    """The coming days on which a location keeps other hours or none, and another one."""
    place: Location = found(Location.objects.visible_to(staff_of(request)), pk)
    return _location_day(request, place, None)


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def location_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Change such a day."""
    entry = _location_entry(request, pk)
    return _location_day(request, entry.location, entry)


def _location_entry(request: HttpRequest, pk: int) -> LocationDay:
    mine = LocationDay.objects.filter(location__in=staff_of(request).place_ids)
    entry: LocationDay = found(mine.select_related("location"), pk)
    return entry


def _location_day(request: HttpRequest, place: Location, entry: LocationDay | None) -> HttpResponse:
    def save(starts_at: Any, ends_at: Any, **values: Any) -> LocationDay:
        return actions.save_location_day(
            by=staff_of(request),
            location=place,
            entry=entry,
            today=_today(place),
            opens_at=starts_at,
            closes_at=ends_at,
            **values,
        )

    return _days_page(
        request,
        "location",
        entry,
        place.days.filter(day__gte=_today(place)),
        save,
        off=_("Closed on this day"),
        off_word=_("Closed"),
        back=reverse("places:location-days", args=[place.pk]),
        up=reverse("places:location", args=[place.pk]),
        eyebrow=place.name,
        lead=_("They go before the usual hours, the closed weekdays and the public holidays."),
    )


@requires(Permission.MANAGE_CLINIC)
@require_POST
def location_day_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Back to the usual hours."""
    entry = _location_entry(request, pk)

    def remove(**values: Any) -> None:
        actions.remove_location_day(by=staff_of(request), entry=entry, **values)

    back = reverse("places:location-days", args=[entry.location_id])
    return ask_or_do(request, remove, gettext_lazy("Back to the usual hours"), back=back)


# ---- a person's week and days ------------------------------------------------------------------


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def week(request: HttpRequest, pk: int) -> HttpResponse:
    """The hours of a person at the location one works at, Monday to Sunday."""
    here = location_of(request)
    person = _person(request, pk, here)

    def save(**values: Any) -> None:
        actions.save_week(by=staff_of(request), staff=person, location=here, **values)

    stored = list(WorkingHours.objects.filter(staff=person, location=here))
    form = WeekForm(sent(request), initial=WeekForm.initial_of(stored))
    context = {
        "title": gettext_lazy("Working hours"),
        "template": "clinic/settings_week.html",
        "back": reverse("places:week", args=[person.pk]),
        "person": person,
        "place": here,
        "always": not stored,
    }
    if request.method == "POST" and "copy" in request.POST:
        form = WeekForm(initial=WeekForm.copied(request.POST, here.closed_weekdays))
        messages.info(request, _("Copied, and not saved yet."))
        template = context.pop("template")
        return render(request, str(template), context | {"form": form})
    return edit(request, form, save, **context)  # type: ignore[arg-type]


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def person_days(request: HttpRequest, pk: int) -> HttpResponse:
    """The coming days on which a person works other hours at this location, and another one."""
    here = location_of(request)
    return _person_day(request, _person(request, pk, here), here, None)


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def person_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Change such a day."""
    entry = _person_entry(request, pk)
    return _person_day(request, entry.staff, entry.location, entry)


def _person_entry(request: HttpRequest, pk: int) -> DayHours:
    mine = DayHours.objects.filter(location__in=staff_of(request).place_ids)
    entry: DayHours = found(mine.select_related("location", "staff"), pk)
    return entry


def _person_day(
    request: HttpRequest, person: Staff, place: Location, entry: DayHours | None
) -> HttpResponse:
    def save(**values: Any) -> DayHours:
        return actions.save_day_hours(
            by=staff_of(request),
            staff=person,
            location=place,
            entry=entry,
            today=_today(place),
            **values,
        )

    return _days_page(
        request,
        "person",
        entry,
        DayHours.objects.filter(staff=person, location=place, day__gte=_today(place)),
        save,
        off=_("Does not work on this day"),
        off_word=_("Off"),
        back=reverse("places:person-days", args=[person.pk]),
        up=reverse("places:week", args=[person.pk]),
        eyebrow=f"{person.name}, {place.name}",
        lead=_("They go before the weekly hours. Leave of several days is entered as leave."),
    )


@requires(Permission.MANAGE_CLINIC)
@require_POST
def person_day_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Back to the weekly hours."""
    entry = _person_entry(request, pk)

    def remove(**values: Any) -> None:
        actions.remove_day_hours(by=staff_of(request), entry=entry, **values)

    back = reverse("places:person-days", args=[entry.staff_id])
    return ask_or_do(request, remove, gettext_lazy("Back to the weekly hours"), back=back)


# ---- one's own ---------------------------------------------------------------------------------


@requires(Permission.SEE_DIARY)
@require_GET
def my_hours(request: HttpRequest) -> HttpResponse:
    """One's own weekly hours and coming days at the location; only a manager changes them."""
    me, here = staff_of(request), location_of(request)
    stored = WorkingHours.objects.filter(staff=me, location=here)
    spans: dict[int, list[WorkingHours]] = {day: [] for day in range(7)}
    for row in stored.order_by("weekday", "starts_at"):
        spans[row.weekday].append(row)
    context = {
        "place": here,
        "week": [(Weekday(day).label, rows) for day, rows in spans.items()],
        "always": not any(spans.values()),
        "days": DayHours.objects.filter(staff=me, location=here, day__gte=_today(here))[:MOST_DAYS],
    }
    return render(request, "clinic/my_hours.html", context)
