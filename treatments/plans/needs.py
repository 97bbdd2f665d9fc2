"""What accepted plans still need from the shelf: their reservation, read from the plans themselves.

An accepted plan reserves what its coming sessions hold. A session that is signed, a plan that is
stopped, finished or never accepted reserves nothing: there is no row that could be forgotten. A
reservation warns; it never keeps a session from its signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    Count,
    DecimalField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, Greatest, Least

from clinic.places.models import Location
from treatments.catalogue.models import Product
from treatments.plans.course import shares_of, total
from treatments.plans.models import MixLine, Phase, Plan
from treatments.stock.reserved import reserved_by_product
from treatments.stock.shelf import available_by_product

NOTHING = Decimal(0)
AMOUNT = DecimalField(max_digits=12, decimal_places=2)


@dataclass(frozen=True)
class Need:
    """A product and how much of it is needed for how many sessions.

    `there` is what may be used of it at the location, `others` what other plans need of that.
    """

    product: Product
    amount: Decimal
    sessions: int
    there: Decimal = NOTHING
    others: Decimal = NOTHING

    @property
    def short(self) -> Decimal:
        """How much is lacking once the others have theirs; nothing where it is enough."""
        return max(self.amount - max(self.there - self.others, NOTHING), NOTHING)

    @property
    def is_short(self) -> bool:
        return self.short > 0


def _left(location: Location) -> QuerySet[Any, Any]:
    """The lines of the mixes of accepted plans, with `times`: the sessions still to be signed."""
    phases = Phase.objects.filter(plan=OuterRef("plan")).order_by().values("plan")
    done = Plan.objects.filter(pk=OuterRef("plan")).annotate(
        done=Count("sessions", filter=Q(sessions__signed_at__isnull=False))
    )
    lines = MixLine.objects.filter(plan__location=location, plan__state=Plan.State.ACCEPTED)
    return (
        lines.annotate(
            planned=Coalesce(Subquery(phases.annotate(n=Sum("sessions")).values("n")), 0),
            done=Coalesce(Subquery(done.values("done")), 0),
        )
        .annotate(
            times=Greatest(
                Least(Coalesce(F("to_session"), F("planned")), F("planned"))
                - Greatest(F("from_session"), F("done") + 1)
                + 1,
                0,
                output_field=IntegerField(),
            )
        )
        .filter(times__gt=0)
    )


def needed_by_product(location: Location) -> dict[str, Decimal]:
    """How much of each product the accepted plans of a location still need; one query."""
    rows = (
        _left(location)
        .order_by()
        .values("product__code")
        .annotate(needed=Sum(F("ml") * F("times"), output_field=AMOUNT))
    )
    return {row["product__code"]: row["needed"] for row in rows}


def needs_at(location: Location, at: datetime) -> list[Need]:
    """What all accepted plans of a location need, what is lacking first; three queries."""
    rows = (
        _left(location)
        .order_by()
        .values("product__code")
        .annotate(needed=Sum(F("ml") * F("times"), output_field=AMOUNT), visits=Sum("times"))
    )
    found = {row["product__code"]: row for row in rows}
    if not found:
        return []
    there = available_by_product(location, at)
    known = _named(found)
    needs = [
        Need(
            product=known[code],
            amount=row["needed"],
            sessions=row["visits"],
            there=there.get(code, NOTHING),
        )
        for code, row in found.items()
        if code in known
    ]
    return sorted(needs, key=lambda one: (not one.is_short, one.product.name))


def needs_of(plan: Plan, done: int, at: datetime) -> list[Need]:
    """What one plan needs for its sessions after `done`, each product once, against the shelf.

    An accepted plan is itself among what is reserved, a draft is not.
    """
    lines = list(plan.mix.select_related("product"))
    wanted: dict[str, list[Decimal]] = {}
    for number in range(done + 1, total(plan.phases.all()) + 1):
        session: dict[str, Decimal] = {}
        for line in shares_of(lines, number):
            session[line.product.code] = session.get(line.product.code, NOTHING) + line.ml
        for code, ml in session.items():
            wanted.setdefault(code, []).append(ml)
    if not wanted:
        return []
    there = available_by_product(plan.location, at)
    spoken_for = reserved_by_product(plan.location)
    own = plan.state == Plan.State.ACCEPTED
    products = {line.product.code: line.product for line in lines}
    return [
        Need(
            product=products[code],
            amount=sum(each, NOTHING),
            sessions=len(each),
            there=there.get(code, NOTHING),
            others=max(spoken_for.get(code, NOTHING) - (sum(each, NOTHING) if own else 0), NOTHING),
        )
        for code, each in wanted.items()
    ]


def _named(codes: Iterable[str]) -> dict[str, Product]:
    """The version in force of each; of a retired one the newest, since plans still name it."""
    rows = Product.objects.filter(code__in=list(codes)).order_by("version")
    return {row.code: row for row in rows}
