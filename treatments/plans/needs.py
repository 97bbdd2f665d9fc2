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

from django.db import connection

from clinic.places.models import Location
from treatments.catalogue.models import Product
from treatments.plans.course import shares_of, total
from treatments.plans.models import Plan
from treatments.stock.reserved import reserved_by_product
from treatments.stock.shelf import available_by_product

NOTHING = Decimal(0)


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


LEFT = """
WITH running AS (
    SELECT plan.id,
           (SELECT coalesce(sum(phase.sessions), 0) FROM treatments_phase phase
            WHERE phase.plan_id = plan.id) AS planned,
           (SELECT count(*) FROM treatments_session session
            WHERE session.plan_id = plan.id AND session.signed_at IS NOT NULL) AS done
    FROM treatments_plan plan
    WHERE plan.location_id = %s AND plan.state = 'accepted'
), coming AS (
    SELECT line.product_id, line.ml,
           least(coalesce(line.to_session, planned), planned)
           - greatest(line.from_session, done + 1) + 1 AS times
    FROM running JOIN treatments_mixline line ON line.plan_id = running.id
)
SELECT product.code, sum(ml * times), sum(times)
FROM coming JOIN treatments_product product ON product.id = product_id
WHERE times > 0 GROUP BY product.code
"""
"""Of each product how many mL in how many sessions still to be signed, by the accepted plans of a
location. In SQL, since each plan's own counts are used four times and are to be taken once."""


def _left(location: Location) -> dict[str, tuple[Decimal, int]]:
    with connection.cursor() as cursor:
        cursor.execute(LEFT, [location.pk])
        return {code: (needed, int(times)) for code, needed, times in cursor.fetchall()}


def needed_by_product(location: Location) -> dict[str, Decimal]:
    """How much of each product the accepted plans of a location still need; one query."""
    return {code: needed for code, (needed, _times) in _left(location).items()}


def needs_at(location: Location, at: datetime) -> list[Need]:
    """What all accepted plans of a location need, what is lacking first; three queries."""
    found = _left(location)
    if not found:
        return []
    there = available_by_product(location, at)
    known = _named(found)
    needs = [
        Need(known[code], needed, times, there=there.get(code, NOTHING))
        for code, (needed, times) in found.items()
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
