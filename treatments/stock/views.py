"""The shelf of a location: its lots and products, one lot's ledger, what Today says of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_id_of, location_of, staff_of
from clinic.places.models import Location
from treatments.catalogue.models import Lot, LotQuerySet, Product
from treatments.stock.attention import Low, attention, needs_attention
from treatments.stock.models import OpenContainer, StockLevel
from treatments.stock.reserved import reserved_by_product
from treatments.stock.shelf import NOTHING, Lots, available_by_product, choosable, with_amounts
from treatments.stock.words import amount, container_look, line_look, lot_look, signed

PAGE = 50
LINES = 50
PANEL_ROWS = 4
SHOWS = ("", "attention", "gone")


@requires(Permission.SEE_CATALOGUE)
@require_GET
def lots(request: HttpRequest) -> HttpResponse:
    """The lots on the shelf, first to expire first; `show` narrows, `q` searches, `after` pages."""
    location, now = location_of(request), timezone.now()
    show, asked = request.GET.get("show", ""), request.GET.get("q", "").strip()[:100]
    show = show if show in SHOWS else ""
    here = Lot.objects.visible_to(staff_of(request)).filter(location=location)
    found = _narrowed(with_amounts(here, now), show, asked, location, now)
    rows = list(_after(found, request.GET.get("after", ""))[: PAGE + 1])
    asking = {"show": show, "q": asked}
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    today = timezone.localdate(now, location.zone)
    values = {
        "location": location,
        "entries": [_entry(lot, today) for lot in rows[:PAGE]],
        "show": show,
        "q": asked,
        "first_url": "?" + urlencode(asking) if request.GET.get("after") else "",
        "next_url": "?" + urlencode({**asking, "after": _key(last)}) if last else "",
        "may_keep": staff_of(request).may(Permission.MANAGE_STOCK),
    }
    return render(request, "treatments/stock_lots.html", values)


def _narrowed(lots: Lots, show: str, asked: str, location: Location, at: datetime) -> Lots:
    """Lots that are used up are shown only where they are asked for."""
    lots = lots.filter(quantity_ml=0) if show == "gone" else lots.filter(quantity_ml__gt=0)
    if show == "attention":
        lots = needs_attention(lots, location, at)
    for word in asked.replace("\0", "").split():
        lots = lots.filter(
            Q(number__icontains=word)
            | Q(product__name_en__unaccent__icontains=word)
            | Q(product__name_fr__unaccent__icontains=word)
        )
    return lots.select_related("product").order_by("expires_on", "pk")


def _after(lots: Lots, key: str) -> Lots:
    """The lots behind one of them, known by `2027-03-31.815`; a strange key starts anew."""
    day, _dot, pk = key.partition(".")
    try:
        when, number = date.fromisoformat(day), int(pk)
    except ValueError:
        return lots
    return lots.filter(Q(expires_on__gt=when) | Q(expires_on=when, pk__gt=number))


def _key(lot: Lot) -> str:
    return f"{lot.expires_on.isoformat()}.{lot.pk}"


def _entry(lot: Any, today: date) -> dict[str, Any]:
    unit = lot.product.measured_in
    return {
        "lot": lot,
        "look": lot_look(lot, today),
        "quantity": amount(lot.quantity_ml, unit),
        "open": amount(lot.open_ml, unit) if lot.open_ml else "",
        "over": amount(lot.over_ml, unit) if lot.over_ml else "",
    }


@requires(Permission.SEE_CATALOGUE)
@require_GET
def products(request: HttpRequest) -> HttpResponse:
    """How much of each product may be used here, what of it is reserved, and below what it is low;
    `after` pages on."""
    location, now = location_of(request), timezone.now()
    there, reserved = available_by_product(location, now), reserved_by_product(location)
    levels = dict(
        StockLevel.objects.filter(location=location).values_list("product_code", "least_ml")
    )
    after = request.GET.get("after", "")
    rows = list(Product.objects.current().filter(code__gt=after.replace("\0", ""))[: PAGE + 1])
    values = {
        "location": location,
        "entries": [_stocked(row, there, reserved, levels) for row in rows[:PAGE]],
        "first_url": "?" if after else "",
        "next_url": "?" + urlencode({"after": rows[PAGE - 1].code}) if len(rows) > PAGE else "",
        "may_keep": staff_of(request).may(Permission.MANAGE_STOCK),
    }
    return render(request, "treatments/stock_products.html", values)


def _stocked(
    row: Product,
    there: dict[str, Decimal],
    reserved: dict[str, Decimal],
    levels: dict[str, Decimal],
) -> dict[str, Any]:
    have, spoken_for = there.get(row.code, NOTHING), reserved.get(row.code, NOTHING)
    return {
        "product": row,
        "there": amount(have, row.measured_in),
        "reserved": amount(spoken_for, row.measured_in) if spoken_for else "",
        "least": amount(levels[row.code], row.measured_in) if row.code in levels else "",
        "is_low": have < levels.get(row.code, NOTHING),
        "is_short": have < spoken_for,
    }


def lots_here(request: HttpRequest) -> LotQuerySet:
    """The lots of the chosen location, as this person may see them."""
    here = Lot.objects.visible_to(staff_of(request)).filter(location_id=location_id_of(request))
    return here.select_related("product", "location")


@requires(Permission.SEE_CATALOGUE)
@require_GET
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """One lot: what is there, what is open, what may be done, and its ledger, newest first."""
    now = timezone.now()
    found: Any = fetch(request, with_amounts(lots_here(request), now), pk=pk)
    before = _number(request.GET.get("before", ""))
    ledger = found.movements.select_related("by").order_by("-number")
    lines = list((ledger.filter(number__lt=before) if before else ledger)[: LINES + 1])
    today, unit = timezone.localdate(now, found.location.zone), found.product.measured_in
    opened = found.open_containers.standing().select_related("opened_by")
    can_use = found.state == Lot.State.AVAILABLE and found.expires_on >= today
    values = {
        **_entry(found, today),
        "free": amount(found.free_ml if can_use else NOTHING, unit),
        "unit": unit,
        "zone": found.location.zone,
        "containers": [
            (one, container_look(one, now), amount(one.left_ml, unit)) for one in opened
        ],
        "lines": [
            (line, line_look(line), signed(line.change_ml, unit), amount(line.after_ml, unit))
            for line in lines[:LINES]
        ],
        "first_url": "?" if before else "",
        "next_url": f"?before={lines[LINES - 1].number}" if len(lines) > LINES else "",
        "may_keep": staff_of(request).may(Permission.MANAGE_STOCK),
        "may_open": can_use and found.product.is_multi_dose and found.quantity_ml > found.open_ml,
    }
    return render(request, "treatments/stock_lot.html", values)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def containers_here(request: HttpRequest) -> Any:
    """The opened containers of the chosen location."""
    mine = OpenContainer.objects.visible_to(staff_of(request))
    return mine.filter(lot__location_id=location_id_of(request)).select_related(
        "lot__product", "lot__location"
    )


def product_in_force(code: str) -> Product:
    """The version of a product that is in force; 404 where there is none."""
    found: Product | None = Product.objects.current().filter(code=code).first()
    if found is None:
        raise Http404
    return found


@requires(Permission.SEE_CATALOGUE)
@require_GET
def of_product(request: HttpRequest, code: str) -> HttpResponse:
    """On a product's page: its lots here that may be used; or that there is none."""
    location, now = location_of(request), timezone.now()
    product, day = product_in_force(code), timezone.localdate(now, location.zone)
    lots = list(choosable(location, now).filter(product__code=code).select_related("product"))
    free = sum((lot.free_ml for lot in lots), NOTHING)
    reserved = reserved_by_product(location).get(code, NOTHING)
    values = {
        "location": location,
        "product": product,
        "free": amount(free, product.measured_in),
        "reserved": amount(reserved, product.measured_in) if reserved else "",
        "is_short": free < reserved,
        "entries": [_entry(lot, day) for lot in lots[:PANEL_ROWS]],
    }
    return render(request, "treatments/stock_of_product.html", values)


@requires(Permission.MANAGE_STOCK)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """On Today: containers that are over, products that are low, lots that expire; or nothing."""
    location, now = location_of(request), timezone.now()
    found = attention(location, now, PANEL_ROWS + 1)
    values = {
        "found": found,
        "rows": PANEL_ROWS,
        "zone": location.zone,
        "low": [_low(one) for one in found.low[:PANEL_ROWS]],
    }
    return render(request, "treatments/stock_today.html", values)


def _low(one: Low) -> tuple[Low, str, str]:
    unit = one.product.measured_in
    return one, amount(one.there, unit), amount(one.asked, unit)
