"""Settings that appointments hang on: services, leave, what is out of service; and the list of
appointments that have to be moved.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access import gate
from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.places.device_kinds import kind_name
from clinic.places.editing import edit, found, sent
from clinic.places.models import Device, Location, Room
from clinic.places.stranding import Concerned
from treatments.diary.absences import ABSENCES, Thing, absences_of, add_absence, may_stay_open
from treatments.diary.absences import shown as shown_absences
from treatments.diary.blocks import end_block
from treatments.diary.fit import left_behind, misfits
from treatments.diary.forms import service_name
from treatments.diary.models import Block, Service
from treatments.diary.services import save_service
from treatments.diary.settings_forms import AbsenceForm, ServiceForm

RELATED = ("location", "staff", "room", "device")
IN_PANEL = 5
IN_LIST = 100
ABSENCES_SHOWN = 50


# ---- services ----------------------------------------------------------------------------------


@requires(Permission.MANAGE_CLINIC)
@require_GET
def services(request: HttpRequest) -> HttpResponse:
    """What can be booked; those that no longer can come last."""
    rows = Service.objects.order_by("-is_active", "pk")
    context = {
        "services": [
            (row, service_name(row), kind_name(row.device_kind) if row.device_kind else "")
            for row in rows
        ]
    }
    return render(request, "treatments/settings_services.html", context)


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def service(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a service."""
    row = found(Service.objects.all(), pk)

    def save(**values: Any) -> Service:
        # Fetched anew: the form has already written into its own copy.
        fresh = found(Service.objects.all(), pk)
        return save_service(by=staff_of(request), service=fresh, **values)

    return edit(
        request,
        ServiceForm(sent(request), instance=row),
        save,
        gettext_lazy("Service"),
        back=reverse("planning:services"),
        lead=_("What is booked already keeps its times.") if row else "",
    )


# ---- leave, out of service, closed -------------------------------------------------------------


def _absence(
    request: HttpRequest,
    thing: Thing,
    location: Location,
    title: str | Promise,
    address: str,
    lead: str,
) -> HttpResponse:
    """The one shape of these pages: what lies ahead, and a form for more."""
    now = timezone.now()

    def save(**values: Any) -> Block:
        return add_absence(by=staff_of(request), thing=thing, location=location, at=now, **values)

    today = timezone.localdate(timezone=location.zone)
    form = AbsenceForm(sent(request), initial={"first": today}, open_end=may_stay_open(thing))
    rows = absences_of(thing, now).select_related(*RELATED)[:ABSENCES_SHOWN]
    return edit(
        request,
        form,
        save,
        title,
        back=reverse(address, args=[thing.pk]),
        template="treatments/settings_absences.html",
        eyebrow=_named(thing),
        lead=lead,
        absences=shown_absences(rows, now),
        up=reverse("places:index"),
    )


def _named(thing: Thing) -> str:
    return f"{thing.make} {thing.model}" if isinstance(thing, Device) else thing.name


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """A person's leave; it holds wherever they work."""
    here = location_of(request)
    at_mine = Staff.objects.filter(memberships__location__in=staff_of(request).place_ids)
    person: Staff = found(at_mine.distinct(), pk)
    lead = _("Whole days on the clock of %(place)s, wherever the person works.")
    return _absence(
        request,
        person,
        here,
        gettext_lazy("Leave"),
        "planning:leave",
        lead % {"place": here.name},
    )


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def room_outage(request: HttpRequest, pk: int) -> HttpResponse:
    """When a room cannot be used."""
    mine = Room.objects.filter(location__in=staff_of(request).place_ids)
    room: Room = found(mine.select_related("location"), pk)
    return _absence(
        request,
        room,
        room.location,
        gettext_lazy("Out of service"),
        "planning:room-outage",
        _("What begins today begins now."),
    )


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def device_outage(request: HttpRequest, pk: int) -> HttpResponse:
    """When a device cannot be used."""
    mine = Device.objects.filter(location__in=staff_of(request).place_ids)
    device: Device = found(mine.select_related("location"), pk)
    return _absence(
        request,
        device,
        device.location,
        gettext_lazy("Out of service"),
        "planning:device-outage",
        _("What begins today begins now."),
    )


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def closure(request: HttpRequest, pk: int) -> HttpResponse:
    """Days in a row on which a whole location is closed."""
    place: Location = found(Location.objects.visible_to(staff_of(request)), pk)
    return _absence(
        request,
        place,
        place,
        gettext_lazy("Closed"),
        "planning:closure",
        _("For holidays of the whole clinic, works or a move."),
    )


@requires(Permission.MANAGE_CLINIC)
@require_POST
def absence_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the rest of the time back to the diary."""
    me = staff_of(request)
    row: Block = found(Block.objects.visible_to(me).filter(kind__in=ABSENCES), pk)
    end_block(by=me, block=row, at=timezone.now())
    messages.success(request, _("The time can be booked again."))
    for name, thing in (
        ("planning:leave", row.staff_id),
        ("planning:room-outage", row.room_id),
        ("planning:device-outage", row.device_id),
    ):
        if thing:
            return redirect(name, thing)
    return redirect("planning:closure", row.location_id)


@requires(Permission.MANAGE_CLINIC)
@require_GET
def absences(request: HttpRequest) -> HttpResponse:
    """Who and what is away at the location, now and later; a fragment of the settings."""
    now, here = timezone.now(), location_of(request)
    rows = Block.objects.filter(location=here, kind__in=ABSENCES, ends_at__gt=now)
    listed = rows.select_related(*RELATED)[:ABSENCES_SHOWN]
    context = {"absences": shown_absences(listed, now)}
    return render(request, "treatments/settings_absence_panel.html", context)


@requires(Permission.SEE_DIARY)
@require_GET
def my_absences(request: HttpRequest) -> HttpResponse:
    """One's own leave; a fragment of one's own hours."""
    now = timezone.now()
    rows = absences_of(staff_of(request), now).select_related(*RELATED)[:ABSENCES_SHOWN]
    context = {"absences": shown_absences(rows, now), "mine": True}
    return render(request, "treatments/settings_absence_panel.html", context)


# ---- to be moved -------------------------------------------------------------------------------


@requires(Permission.SEE_DIARY)
@require_GET
def to_move(request: HttpRequest) -> HttpResponse:
    """The appointments of the location that no longer fit, until they are moved or cancelled."""
    here = location_of(request)
    unfit = misfits(Concerned(location=here), timezone.now())
    rows = left_behind(unfit, IN_LIST)
    gate.listed(request, [row.patient_id for row in rows])
    context = {"place": here, "rows": rows, "count": len(unfit), "more": len(unfit) - len(rows)}
    return render(request, "treatments/to_move.html", context)


@requires(Permission.SEE_DIARY)
@require_GET
def to_move_panel(request: HttpRequest) -> HttpResponse:
    """The first of them, for Today; nothing when there is none."""
    unfit = misfits(Concerned(location=location_of(request)), timezone.now())
    rows = left_behind(unfit, IN_PANEL)
    gate.listed(request, [row.patient_id for row in rows])
    context = {"rows": rows, "count": len(unfit)}
    return render(request, "treatments/to_move_panel.html", context)
