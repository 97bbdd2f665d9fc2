"""The cleaning log of devices: written by whoever cleans them, read by the same people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.places import actions
from clinic.places.device_kinds import kind_name
from clinic.places.editing import edit, found, sent
from clinic.places.hours_forms import CleaningForm
from clinic.places.models import Device, DeviceCleaning

PAGE = 25


@requires(Permission.MANAGE_STOCK)
@require_GET
def devices(request: HttpRequest) -> HttpResponse:
    """The devices of the location, and when each was last cleaned."""
    here = location_of(request)
    rows = here.devices.filter(is_active=True).annotate(cleaned_at=Max("cleanings__cleaned_at"))
    context = {"place": here, "devices": [(row, kind_name(row.kind)) for row in rows]}
    return render(request, "clinic/cleaning_devices.html", context)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def device_cleanings(request: HttpRequest, pk: int) -> HttpResponse:
    """A device's cleanings, newest first, and another one. `?before=` an entry shows older ones."""
    mine = Device.objects.filter(location__in=staff_of(request).place_ids)
    device: Device = found(mine.select_related("location"), pk)
    zone = device.location.zone

    def save(date: Any, time: Any, known: object, **values: Any) -> DeviceCleaning:
        # A time that the clocks skip is where they land.
        cleaned_at = datetime.combine(date, time, tzinfo=zone)
        return actions.log_cleaning(
            by=staff_of(request), device=device, cleaned_at=cleaned_at, **values
        )

    now = timezone.now().astimezone(zone)
    form = CleaningForm(sent(request), initial={"date": now.date(), "time": now.time()})
    shown, older = _page(device, request.GET.get("before", ""))
    return edit(
        request,
        form,
        save,
        gettext_lazy("Cleaning log"),
        back=reverse("places:device-cleanings", args=[device.pk]),
        template="clinic/cleaning_log.html",
        eyebrow=f"{device.make} {device.model}",
        device=device,
        kind=kind_name(device.kind),
        zone=zone,
        cleanings=shown,
        older=older,
    )


def _page(device: Device, before: str) -> tuple[list[DeviceCleaning], str]:
    """Newest first, from an entry on; and the address of what is older, if anything is."""
    rows = device.cleanings.select_related("cleaned_by").order_by("-cleaned_at", "-pk")
    if before.isascii() and before.isdigit() and len(before) < 19:
        mark = device.cleanings.filter(pk=int(before)).first()
        if mark is not None:
            earlier = rows.filter(cleaned_at__lt=mark.cleaned_at)
            rows = earlier | rows.filter(cleaned_at=mark.cleaned_at, pk__lt=mark.pk)
    shown = list(rows[: PAGE + 1])
    return shown[:PAGE], f"?before={shown[PAGE - 1].pk}" if len(shown) > PAGE else ""
