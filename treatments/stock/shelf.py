"""What lies on the shelf and what of it may be used: questions about lots that write nothing.

Of a lot, what is in a container whose time is over is there and may not be used; everything else of
a lot that is in date and not held back is available.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    DecimalField,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Cast, Coalesce, Least

from clinic.places.models import Location
from treatments.catalogue.models import Flag, Lot, LotQuerySet
from treatments.stock.models import OpenContainer

Lots = QuerySet[Any, Any]
"""Lots that know their amounts: see `with_amounts`."""
NOTHING = Decimal(0)
AMOUNT = DecimalField(max_digits=8, decimal_places=2)


def with_amounts(lots: LotQuerySet, at: datetime) -> Lots:
    """Each lot with `open_ml` (in opened containers), `over_ml` (of that, over), `free_ml` (the
    rest, before asking whether the lot may be used at all) and `first_over` (when the first of it
    is over: the next container to be discarded, else its expiry)."""
    standing = OpenContainer.objects.filter(lot=OuterRef("pk"), ended_at__isnull=True)
    in_life = standing.filter(discard_by__gt=at)
    return lots.annotate(
        open_ml=_total(standing),
        over_ml=_total(standing.filter(discard_by__lte=at)),
        free_ml=F("quantity_ml") - F("over_ml"),
        first_over=Least(
            Subquery(in_life.order_by().values("lot").annotate(m=Min("discard_by")).values("m")),
            Cast(F("expires_on") + timedelta(days=1), DateTimeField()),
        ),
    )


def _total(containers: QuerySet[OpenContainer]) -> Coalesce:
    grouped = containers.order_by().values("lot").annotate(total=Sum("left_ml")).values("total")
    return Coalesce(Subquery(grouped, output_field=AMOUNT), NOTHING, output_field=AMOUNT)


def choosable(location: Location, at: datetime) -> Lots:
    """The lots that may be drawn from here and now, what is over first in front."""
    today = at.astimezone(location.zone).date()
    here = Lot.objects.filter(location=location).usable(today)
    return with_amounts(here, at).filter(free_ml__gt=0).order_by("first_over", "expires_on", "pk")


def lots_and_tubes(
    location: Location, at: datetime, lots: Collection[int] = (), tubes: Collection[int] = ()
) -> tuple[list[Lot], list[Lot]]:
    """What a session may choose from for a syringe, and what it may put onto the skin alone: by
    product, what is over first in front. With what it chose before (ids), though it may be over
    since. One query where all of that may still be used, else two.
    """
    marked = Case(When(for_the_skin(location), then=True), default=False)
    found = _with_chosen(choosable(location, at), marked, {*lots, *tubes}, at)
    return (
        [lot for lot in found if lot.pk in lots or (not lot.on_skin and lot.pk not in tubes)],
        [lot for lot in found if lot.pk in tubes or (lot.on_skin and lot.pk not in lots)],
    )


def for_the_skin(location: Location) -> Q:
    """Lots of products that may not be injected, anywhere or in the location's country."""
    marks = [Flag.NOT_INJECTABLE.value]
    return Q(product__flags__contains=marks) | Q(
        product__country_flags__contains={location.country_id: marks}
    )


def _with_chosen(lots: Lots, on_skin: Case, chosen: set[int], at: datetime) -> list[Any]:
    def read(rows: Lots) -> dict[int, Any]:
        return {lot.pk: lot for lot in rows.annotate(on_skin=on_skin).select_related("product")}

    found = read(lots)
    if missing := chosen - set(found):
        found |= read(with_amounts(Lot.objects.filter(pk__in=missing), at))
    return sorted(found.values(), key=lambda lot: (lot.product.name_en, lot.first_over, lot.pk))


def available(lot: Lot, at: datetime) -> Decimal:
    """How much of a lot may be used, in what its product is measured in."""
    return available_of([lot.pk], lot.location, at).get(lot.pk, NOTHING)


def available_of(lots: Iterable[int], location: Location, at: datetime) -> dict[int, Decimal]:
    """The same for several lots of one location in one query; nothing for what may not be used."""
    found = choosable(location, at).filter(pk__in=list(lots))
    return dict(found.values_list("pk", "free_ml"))


def free_of(lots: Iterable[int], at: datetime) -> dict[int, Decimal]:
    """What is there of each lot outside containers that are over, whether or not it may be used."""
    found = with_amounts(Lot.objects.filter(pk__in=list(lots)), at)
    return dict(found.values_list("pk", "free_ml"))


def available_by_product(location: Location, at: datetime) -> dict[str, Decimal]:
    """How much of each product may be used at a location, by the product's code."""
    rows = choosable(location, at).order_by().values_list("product__code", "free_ml")
    found: dict[str, Decimal] = {}
    for code, free in rows:
        found[code] = found.get(code, NOTHING) + free
    return found
