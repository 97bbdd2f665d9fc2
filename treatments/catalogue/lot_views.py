"""The shelf of a location: lots received, held back, expiring."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_id_of, location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from treatments.catalogue.actions import receive_lot, set_lot_state
from treatments.catalogue.forms import LotForm, LotStateForm
from treatments.catalogue.models import Lot
from treatments.catalogue.presentation import SOON, lot_look

SHOWN = 500
SHOWS = ("", "attention", "all")


@requires(Permission.SEE_CATALOGUE)
@require_GET
def lots(request: HttpRequest) -> HttpResponse:
    """The lots of the chosen location, first to expire first; `show=attention` narrows."""
    location = location_of(request)
    today = timezone.localdate(timezone=location.zone)
    show = request.GET.get("show", "")
    shelf = Lot.objects.visible_to(staff_of(request)).filter(location=location)
    found = shelf.select_related("product").order_by("expires_on", "pk")
    if show == "attention":
        found = found.exclude(state=Lot.State.AVAILABLE, expires_on__gt=today + SOON)
    values = {
        "location": location,
        "entries": [(lot, lot_look(lot, today)) for lot in found[:SHOWN]],
        "show": show if show in SHOWS else "",
        "may_keep": staff_of(request).may(Permission.MANAGE_STOCK),
    }
    return render(request, "treatments/catalogue_lots.html", values)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest) -> HttpResponse:
    """Put a lot on the shelf."""
    location = location_of(request)
    form = LotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            lot = receive_lot(
                by=staff_of(request), location=location, at=timezone.now(), **form.cleaned_data
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            said = _("Lot %(number)s is on the shelf.") % {"number": lot.number}
            messages.success(request, said)
            return redirect("catalogue:lots")
    return _page(request, "treatments/catalogue_lot_receive.html", form, location=location)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Quarantine, recall or release a lot."""
    here = Lot.objects.visible_to(staff_of(request)).filter(location_id=location_id_of(request))
    lot = fetch(request, here.select_related("product", "location"), pk=pk)
    form = LotStateForm(request.POST or None, initial={"state": lot.state})
    if request.method == "POST" and form.is_valid():
        try:
            set_lot_state(by=staff_of(request), lot=lot, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The state of the lot is recorded."))
            return redirect("catalogue:lots")
    look = lot_look(lot, _today(lot))
    return _page(request, "treatments/catalogue_lot_state.html", form, lot=lot, look=look)


def _today(lot: Lot) -> date:
    return timezone.localdate(timezone=lot.location.zone)


def _page(request: HttpRequest, template: str, form: Any, **values: Any) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, template, {"form": form, **values}, status=status)
