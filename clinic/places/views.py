"""Settings: locations, rooms, devices and staff, for the manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places import actions
from clinic.places.forms import DeviceForm, LocationForm, RoomForm, StaffForm
from clinic.places.models import Device, Location, Room
from clinic.web.forms import refuse


@requires(Permission.MANAGE_CLINIC)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Everything a manager can change, of their locations and of the one they work at now."""
    me, here = staff_of(request), location_of(request)
    context = {
        "locations": Location.objects.visible_to(me).select_related("country"),
        "place": here,
        "rooms": here.rooms.all(),
        "devices": here.devices.all(),
        "people": _people(me).prefetch_related("memberships__location"),
    }
    return render(request, "clinic/settings_index.html", context)


def _people(me: Staff) -> QuerySet[Staff]:
    """Whoever shares a location with the manager."""
    people: QuerySet[Staff] = Staff.objects.filter(memberships__location__in=me.place_ids)
    return people.distinct().order_by("name")


def _found(rows: QuerySet[Any], pk: int | None) -> Any:
    """The row to change, None when a new one is made; 404 for one out of reach."""
    if pk is None:
        return None
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _edit(
    request: HttpRequest,
    form: ModelForm[Any],
    save: Callable[..., Model],
    title: str | Promise,
) -> HttpResponse:
    """The one shape of every settings form."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                save(**form.cleaned_data)
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                messages.success(request, _("Saved."))
                return redirect("places:index")
    context = {"form": form, "title": title}
    return render(request, "clinic/settings_edit.html", context, status=status)


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def location(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a location."""
    row = _found(Location.objects.visible_to(staff_of(request)), pk)

    def save(**values: Any) -> Location:
        # Fetched anew: the form has already written into its own copy.
        fresh = _found(Location.objects.all(), pk)
        return actions.save_location(by=staff_of(request), location=fresh, **values)

    form = LocationForm(_sent(request), instance=row)
    return _edit(request, form, save, gettext_lazy("Location"))


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def room(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add a room to the location one works at, or change one."""
    row = _found(Room.objects.filter(location__in=staff_of(request).place_ids), pk)

    def save(**values: Any) -> Room:
        fresh = _found(Room.objects.all(), pk)
        return actions.save_room(
            by=staff_of(request), location=location_of(request), room=fresh, **values
        )

    return _edit(request, RoomForm(_sent(request), instance=row), save, gettext_lazy("Room"))


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def device(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add a device to the location one works at, or change one."""
    row = _found(Device.objects.filter(location__in=staff_of(request).place_ids), pk)

    def save(**values: Any) -> Device:
        fresh = _found(Device.objects.all(), pk)
        return actions.save_device(
            by=staff_of(request), location=location_of(request), device=fresh, **values
        )

    return _edit(request, DeviceForm(_sent(request), instance=row), save, gettext_lazy("Device"))


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def staff(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a person of one's own locations."""
    me = staff_of(request)
    row = _found(_people(me), pk)

    def save(**values: Any) -> Staff:
        fresh = _found(Staff.objects.all(), pk)
        return actions.save_staff(by=me, staff=fresh, **values)

    form = StaffForm(_sent(request), instance=row, manager=me)
    return _edit(request, form, save, gettext_lazy("Person"))
