"""What the shelf of a location needs somebody to do: throw away, order, use first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from clinic.places.models import Location
from treatments.catalogue.models import Lot, Product
from treatments.stock.models import OpenContainer, StockLevel
from treatments.stock.reserved import reserved_by_product
from treatments.stock.shelf import NOTHING, Lots, available_by_product
from treatments.stock.words import SOON


@dataclass(frozen=True)
class Low:
    """A product of which less may be used than its level asks for, or than is reserved."""

    product: Product
    there: Decimal
    least: Decimal
    reserved: Decimal = NOTHING

    @property
    def asked(self) -> Decimal:
        """What should be there: its level, or what is reserved where that is more."""
        return max(self.least, self.reserved)


@dataclass(frozen=True)
class Attention:
    """Each list is short and says by how many it was cut."""

    over: list[OpenContainer] = field(default_factory=list)
    low: list[Low] = field(default_factory=list)
    expired: list[Lot] = field(default_factory=list)
    expiring: list[Lot] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.over or self.low or self.expired or self.expiring)


def attention(location: Location, at: datetime, most: int) -> Attention:
    """At most `most` of each, the most urgent first; seven queries at any size."""
    today = at.astimezone(location.zone).date()
    lots = Lot.objects.filter(location=location, quantity_ml__gt=0).select_related("product")
    ordered = lots.order_by("expires_on", "pk")
    in_date = ordered.filter(state=Lot.State.AVAILABLE)
    over = OpenContainer.objects.over(at).filter(lot__location=location)
    return Attention(
        over=list(over.select_related("lot__product")[:most]),
        low=low_products(location, at)[:most],
        expired=list(ordered.filter(expires_on__lt=today)[:most]),
        expiring=list(in_date.filter(expires_on__range=(today, today + SOON))[:most]),
    )


def low_products(location: Location, at: datetime) -> list[Low]:
    """Every product that is below its level or short of what is reserved, the emptiest first."""
    levels = dict(
        StockLevel.objects.filter(location=location).values_list("product_code", "least_ml")
    )
    reserved = reserved_by_product(location)
    if not levels and not reserved:
        return []
    there = available_by_product(location, at)
    known = {
        code: (there.get(code, NOTHING), levels.get(code, NOTHING), reserved.get(code, NOTHING))
        for code in {*levels, *reserved}
    }
    wanted = {code for code, (have, *asked) in known.items() if have < max(asked)}
    rows = Product.objects.in_force(wanted)
    low = [Low(row, *known[code]) for code, row in rows.items()]
    return sorted(low, key=lambda one: (one.there / one.asked, one.product.name))


def needs_attention(lots: Lots, location: Location, at: datetime) -> Lots:
    """Of lots with their amounts: held back, expired or soon, or with a container that is over."""
    today = at.astimezone(location.zone).date()
    return lots.filter(
        Q(expires_on__lte=today + SOON) | ~Q(state=Lot.State.AVAILABLE) | Q(over_ml__gt=0)
    )
