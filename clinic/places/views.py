"""Settings: locations, rooms, devices and staff, for the manager."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.places import actions
from clinic.places.device_kinds import kind_name
from clinic.places.editing import edit, found, sent
from clinic.places.forms import DeviceForm, LocationForm, RoomForm, StaffForm
from clinic.places.holidays import next_holidays
from clinic.places.models import Device, Location, Room, Weekday
from clinic.web.forms import ClinicModelForm


@requires(Permission.MANAGE_CLINIC)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Everything a manager can change, of their locations and of the one they work at now."""
    me, here = staff_of(request), location_of(request)
    locations = Location.objects.visible_to(me).select_related("country")
    people = people_of(me).prefetch_related("memberships__location")
    context = {
        "locations": [(row, _closed_words(row)) for row in locations],
        "place": here,
        "rooms": here.rooms.all(),
        "devices": [(row, kind_name(row.kind)) for row in here.devices.all()],
        "people": [
            (row, any(member.location_id == here.pk for member in row.memberships.all()))
            for row in people
        ],
    }
    return render(request, "clinic/settings_index.html", context)


def _closed_words(row: Location) -> str:
    """The weekdays on which a location is closed, in words."""
    return ", ".join(str(Weekday(day).label) for day in sorted(row.closed_weekdays))


def people_of(me: Staff) -> QuerySet[Staff]:
    """Whoever shares a location with the manager."""
    people: QuerySet[Staff] = Staff.objects.filter(memberships__location__in=me.place_ids)
    return people.distinct().order_by("name")


def _edit(
    request: HttpRequest, form: ClinicModelForm, save: Any, title: Any, **context: Any
) -> HttpResponse:
    return edit(request, form, save, title, back=reverse("places:index"), **context)


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def location(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a location."""
    row = found(Location.objects.visible_to(staff_of(request)), pk)

    def save(**values: Any) -> Location:
        # Fetched anew: the form has already written into its own copy.
        fresh = found(Location.objects.all(), pk)
        return actions.save_location(by=staff_of(request), location=fresh, **values)

    form = LocationForm(sent(request), instance=row)
    shown = _holidays(found(Location.objects.all(), pk))
    return _edit(request, form, save, gettext_lazy("Location"), place=row, holidays=shown)


def _holidays(stored: Location | None) -> list[Any]:
    """The next public holidays of a location as it is stored."""
    if stored is None:
        return []
    today = timezone.localdate(timezone=stored.zone)
    return next_holidays(stored.country_id, stored.holiday_region, today, get_language() or "")


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def room(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add a room to the location one works at, or change one."""
    row = found(Room.objects.filter(location__in=staff_of(request).place_ids), pk)

    def save(**values: Any) -> Room:
        fresh = found(Room.objects.all(), pk)
        return actions.save_room(
            by=staff_of(request), location=location_of(request), room=fresh, **values
        )

    return _edit(request, RoomForm(sent(request), instance=row), save, gettext_lazy("Room"))


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def device(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add a device to the location one works at, or change one."""
    row = found(Device.objects.filter(location__in=staff_of(request).place_ids), pk)

    def save(**values: Any) -> Device:
        fresh = found(Device.objects.all(), pk)
        return actions.save_device(
            by=staff_of(request), location=location_of(request), device=fresh, **values
        )

    return _edit(request, DeviceForm(sent(request), instance=row), save, gettext_lazy("Device"))


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def staff(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a person of one's own locations."""
    me = staff_of(request)
    row = found(people_of(me), pk)

    def save(**values: Any) -> Staff:
        fresh = found(Staff.objects.all(), pk)
        return actions.save_staff(by=me, staff=fresh, **values)

    form = StaffForm(sent(request), instance=row, manager=me)
    return _edit(request, form, save, gettext_lazy("Person"))
