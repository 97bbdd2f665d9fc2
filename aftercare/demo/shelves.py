"""The shelves of the demo: lots that arrived, what was opened, counted and thrown away since."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from aftercare.demo.clock import then
from clinic.access.models import Staff
from clinic.places.models import Location
from treatments.catalogue.models import Lot, Product
from treatments.stock.actions import (
    correct,
    count_lot,
    open_container,
    receive_lot,
    set_level,
    set_lot_state,
    waste,
)
from treatments.stock.gs1 import Package
from treatments.stock.shelf import available_by_product

if TYPE_CHECKING:
    from aftercare.demo.ground import Place

SUPPLIERS = {"FR": "Pharmacie de l’Exemple", "GB": "Example Medical Supplies"}
CODES = {
    "ha-1": "09506000134352",
    "lidocaine-2": "09506000134369",
    "polyvitamin-5": "09506000134376",
}
"""Product numbers under the prefix that GS1 keeps for examples."""
LEVELS = {"ha-1": 60, "lidocaine-2": 50, "polyvitamin-5": 40, "emla-5": 50}
SELDOM = {"botulinum-100", "hyaluronidase-150", "peptide-cosmetic", "prp-own-blood"}
"""Of these there are a few containers, not boxes."""
LOW = "hyaluronidase-150"


def fill_shelves(
    location: Location, keeper: Staff, products: dict[str, Product], random: Random, today: date
) -> None:
    """Two lots of everything: one to use first, some of them soon over; one expired, one held."""
    for number, (code, product) in enumerate(sorted(products.items())):
        soon = today + timedelta(days=random.randint(9, 40) if number % 5 == 0 else 200)
        letters = "".join(word[0] for word in code.split("-")).upper()
        for age, expires in enumerate((soon, today + timedelta(days=random.randint(420, 800)))):
            serial = f"{letters}{random.randint(10_000, 99_999)}{'AB'[age]}"
            amount = Decimal(random.randint(40, 160) * 5)
            if code in SELDOM:
                amount = product.container_ml * (amount // 50)
            _arrive(location, keeper, product, serial, expires, amount)
    over = today - timedelta(days=18)
    _arrive(location, keeper, products["hyaluronidase-150"], "HY20417X", over, Decimal(20))
    later = today + timedelta(days=300)
    held = _arrive(location, keeper, products["ha-1"], "HA77120Q", later, Decimal(50))
    set_lot_state(
        by=keeper, lot=held, state=Lot.State.QUARANTINED, reason="Arrived warm: maker asked."
    )


def _arrive(
    location: Location, by: Staff, product: Product, number: str, expires: date, amount: Decimal
) -> Lot:
    gtin = CODES.get(product.code, "")
    return receive_lot(
        by=by,
        location=location,
        product=product,
        number=number,
        expires_on=expires,
        quantity_ml=amount,
        received_from=SUPPLIERS.get(location.country_id, ""),
        package=Package(gtin=gtin, lot=number, expires_on=expires) if gtin else None,
    )


def use_shelves(places: Iterable[Place], now: datetime) -> None:
    """The last weeks: a count, a breakage, a slip put right, vials open, and levels to watch."""
    for place in places:
        location, keeper = place.location, place.practitioners[0]
        with then(now - timedelta(days=9), keeper):
            lot = _lot(location, "sodium-chloride-09")
            count_lot(by=keeper, lot=lot, counted_ml=lot.quantity_ml - 10, reason="Monthly count.")
            waste(by=keeper, lot=_lot(location, "ha-1"), amount_ml=Decimal(5), reason="Broken.")
            vitamins = _lot(location, "polyvitamin-5")
            correct(by=keeper, lot=vitamins, change_ml=Decimal(10), reason="Two counted as one.")
        _open_some(location, keeper, now)
        with then(now - timedelta(days=2), keeper):
            _watch_levels(location, keeper, now)


def _open_some(location: Location, keeper: Staff, now: datetime) -> None:
    """Of the toxin one vial is over since yesterday and one is in use."""
    with then(now - timedelta(hours=40), keeper):
        open_container(by=keeper, lot=_lot(location, "botulinum-100"))
    with then(now - timedelta(hours=2), keeper):
        open_container(by=keeper, lot=_lot(location, "botulinum-100"))


def _watch_levels(location: Location, keeper: Staff, now: datetime) -> None:
    products = {row.code: row for row in Product.objects.current().filter(code__in=[*LEVELS, LOW])}
    for code, least in LEVELS.items():
        set_level(by=keeper, location=location, product=products[code], least_ml=Decimal(least))
    there = available_by_product(location, now).get(LOW, Decimal(0))
    least = there + products[LOW].container_ml
    set_level(by=keeper, location=location, product=products[LOW], least_ml=least)


def _lot(location: Location, code: str) -> Lot:
    """The lot of a product that keeps longest."""
    lots = Lot.objects.filter(location=location, product__code=code, quantity_ml__gte=20)
    found = lots.filter(state=Lot.State.AVAILABLE).order_by("expires_on", "pk").last()
    assert found is not None
    return found
