"""A shelf with lots: deliveries through the action, and the ledger checked line by line."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from tests.treatments.session_world import NOON, D, current
from treatments.catalogue.models import Lot, Product
from treatments.stock.actions import receive_lot
from treatments.stock.models import Movement
from treatments.stock.shelf import with_amounts

MULTI = "botulinum-100"
"""5 mL, multi-dose, in use for 24 hours."""
SINGLE = "lidocaine-2"
"""5 mL, single-dose."""
FAR = date(2030, 6, 30)


def deliver(cast: Any, code: str = MULTI, number: str = "L1", **fields: Any) -> Lot:
    """A lot that has arrived."""
    values: dict[str, Any] = {
        "by": cast.practitioner,
        "location": cast.here,
        "product": current(Product, code),
        "number": number,
        "expires_on": FAR,
        "quantity_ml": D(20),
        "at": NOON - timedelta(days=3),
    }
    return receive_lot(**{**values, **fields})


def lines(lot: Lot) -> list[tuple[str, Decimal]]:
    """The ledger of a lot as kind and change, oldest first."""
    return list(lot.movements.order_by("number").values_list("kind", "change_ml"))


def check_ledger(lot: Lot) -> None:
    """What is there is the sum of the ledger, each line follows the one before, nothing is below
    zero, and no more is opened than there is."""
    lot.refresh_from_db()
    rows = list(Movement.objects.filter(lot=lot).order_by("number"))
    there = Decimal(0)
    for number, row in enumerate(rows, start=1):
        assert (row.number, row.before_ml) == (number, there)
        there += row.change_ml
        assert row.after_ml == there >= 0
    assert lot.quantity_ml == there
    opened = lot.open_containers.standing().aggregate(s=Sum("left_ml"))["s"] or 0
    assert opened <= lot.quantity_ml
    assert with_amounts(Lot.objects.filter(pk=lot.pk), NOON).get().free_ml >= 0
