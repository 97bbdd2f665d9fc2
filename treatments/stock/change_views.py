"""Changing what is on the shelf: a delivery, an opened container, a count, waste, a level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import WASM_UNSAFE_EVAL
from csp.decorators import csp_update
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.camera import with_camera
from clinic.web.forms import ClinicForm, refuse
from clinic.web.templatetags.clinic_web import clinical_date, clock
from treatments.catalogue.models import Lot
from treatments.stock import actions
from treatments.stock.forms import (
    AmountForm,
    CorrectForm,
    CountForm,
    LevelForm,
    LotStateForm,
    ReasonForm,
    ReceiveForm,
    filled_in,
)
from treatments.stock.models import StockLevel
from treatments.stock.views import containers_here, lots_here, product_in_force
from treatments.stock.words import amount, lot_look

FORM = "treatments/stock_form.html"


# The camera's reader is WebAssembly, which a strict policy refuses unless it is named; here alone.
@csp_update({"script-src": [WASM_UNSAFE_EVAL]})
@requires(Permission.MANAGE_STOCK)
@with_camera
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest) -> HttpResponse:
    """Put a delivery on the shelf. `read` only fills in what the code says, and writes nothing."""
    location, note = location_of(request), ""
    data: QueryDict | None = request.POST if request.method == "POST" else None
    reading = data is not None and "read" in data
    if reading and data is not None:
        data, note = filled_in(data)
    form = ReceiveForm(data, reading=reading)
    if not reading and form.is_valid():
        values = {name: form.cleaned_data[name] for name in form.cleaned_data if name != "code"}
        try:
            lot = actions.receive_lot(
                by=staff_of(request), location=location, package=form.package, **values
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            said = _("Lot %(number)s is on the shelf.") % {"number": lot.number}
            messages.success(request, said)
            return redirect("stock:receive" if "next" in request.POST else "stock:lots")
    context = {"form": form, "location": location, "note": note, "code_read": reading}
    status = 422 if form.errors else 200
    return render(request, "treatments/stock_receive.html", context, status=status)


@requires(Permission.MANAGE_STOCK)
@require_POST
def open_container(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a container; its in-use life begins now."""
    lot = fetch(request, lots_here(request), pk=pk)
    try:
        opened = actions.open_container(by=staff_of(request), lot=lot)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        until = opened.discard_by.astimezone(lot.location.zone)
        said = _("Opened. Discard by %(day)s, %(time)s.")
        messages.success(request, said % {"day": clinical_date(until), "time": clock(until)})
    return redirect("stock:lot", pk)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def count(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what is really there."""
    return _amount_of(request, pk, CountForm, _("Count"), actions.count_lot, "counted_ml")


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def waste(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw some away."""
    return _amount_of(request, pk, AmountForm, _("Throw away"), actions.waste, "amount_ml")


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a wrong booking right."""
    return _amount_of(request, pk, CorrectForm, _("Correct"), actions.correct, "change_ml")


def _amount_of(
    request: HttpRequest,
    pk: int,
    form_class: type[AmountForm],
    title: str,
    act: Callable[..., Any],
    name: str,
) -> HttpResponse:
    lot = fetch(request, lots_here(request), pk=pk)
    form = form_class(request.POST or None, unit=lot.product.measured_in)

    def done() -> None:
        given = form.cleaned_data
        said = {name: given["amount"], "reason": given["reason"], "key": given["key"]}
        act(by=staff_of(request), lot=lot, **said)

    return _changed(request, lot, form, title, done)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Quarantine, recall or release a lot."""
    lot = fetch(request, lots_here(request), pk=pk)
    form = LotStateForm(request.POST or None, initial={"state": lot.state})

    def done() -> None:
        actions.set_lot_state(by=staff_of(request), lot=lot, **form.cleaned_data)

    return _changed(request, lot, form, _("Hold back or release"), done)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw away what is left in an opened container."""
    container = fetch(request, containers_here(request), pk=pk)
    is_over = container.discard_by <= timezone.now()
    why = {"reason": _("Its in-use life is over.")} if is_over else {}
    form = ReasonForm(request.POST or None, initial=why)

    def done() -> None:
        actions.discard_container(
            by=staff_of(request), container=container, reason=form.cleaned_data["reason"]
        )

    return _changed(request, container.lot, form, _("Throw away what is left"), done)


def _changed(
    request: HttpRequest, lot: Lot, form: ClinicForm, title: str, act: Callable[[], None]
) -> HttpResponse:
    """One form about a lot: shown, refused, or done and back to the lot."""
    if request.method == "POST" and form.is_valid():
        try:
            act()
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Written into the ledger."))
            return redirect("stock:lot", lot.pk)
    unit = lot.product.measured_in
    context = {
        "form": form,
        "title": title,
        "subject": f"{lot.product.name} · {lot.number}",
        "back": reverse("stock:lot", args=[lot.pk]),
        "look": lot_look(lot, timezone.localdate(timezone=lot.location.zone)),
        "there": amount(lot.quantity_ml, unit),
    }
    return render(request, FORM, context, status=422 if form.is_bound else 200)


@requires(Permission.MANAGE_STOCK)
@require_http_methods(["GET", "POST"])
def level(request: HttpRequest, code: str) -> HttpResponse:
    """Below which amount a product is low here."""
    location, product = location_of(request), product_in_force(code)
    known = StockLevel.objects.filter(location=location, product_code=code).first()
    initial = {"least_ml": f"{known.least_ml.normalize():f}"} if known else {}
    form = LevelForm(request.POST or None, initial=initial, unit=product.measured_in)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_level(
                by=staff_of(request), location=location, product=product, **form.cleaned_data
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The level is noted."))
            return redirect("stock:products")
    context = {
        "form": form,
        "title": _("Low-stock level"),
        "subject": f"{product.name} · {location.name}",
        "back": reverse("stock:products"),
    }
    return render(request, FORM, context, status=422 if form.is_bound else 200)
