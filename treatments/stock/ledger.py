"""Writing the ledger: the only code that changes how much is on the shelf.

Called by the actions, in their transaction, on lots that they have locked. A line carries what was
there before and after, and the next number; the database checks that it adds up and begins with
what the line before left, that nothing falls below zero, and that no number is given twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from treatments.catalogue.models import Lot
from treatments.stock.life import containers_for, discard_by
from treatments.stock.models import Movement, OpenContainer

NOTHING = Decimal(0)


def locked(lot_ids: Iterable[int]) -> list[Lot]:
    """The lots with these ids, held until the transaction ends; always in the order of their ids,
    so that two who want the same lots never wait for each other in a circle."""
    rows = Lot.objects.select_for_update(of=("self",)).filter(pk__in=list(lot_ids))
    return list(rows.select_related("product", "location").order_by("pk"))


def write(
    lot: Lot,
    kind: str,
    change: Decimal,
    *,
    by: Staff | None,
    at: datetime,
    reason: str = "",
    container: OpenContainer | None = None,
    session_id: int | None = None,
    package: str = "",
    key: UUID | None = None,
) -> Movement:
    """Add a line to the ledger of a locked lot and set its quantity.

    Raises `ActionRefused` where the lot does not hold that much, and for a form (`key`) that was
    sent before.
    """
    if key is not None and Movement.objects.filter(key=key).exists():
        raise ActionRefused(_("This was written down already: look at the ledger."))
    after = lot.quantity_ml + change
    if after < 0:
        raise ActionRefused(not_enough(lot, lot.quantity_ml))
    last = Movement.objects.filter(lot=lot).aggregate(last=Max("number"))["last"] or 0
    movement = Movement.objects.create(
        lot=lot,
        number=last + 1,
        kind=kind,
        change_ml=change,
        before_ml=lot.quantity_ml,
        after_ml=after,
        container=container,
        session_id=session_id,
        package=package,
        key=key,
        reason=reason,
        by=by,
        at=at,
    )
    lot.quantity_ml = after
    lot.save(update_fields=["quantity_ml"])
    return movement


def not_enough(lot: Lot, there: Decimal) -> str:
    """That a lot does not hold what is wanted, and how much it does hold."""
    text = _("Lot %(lot)s of %(product)s: only %(ml)s %(unit)s may still be used.")
    return text % {
        "lot": lot.number,
        "product": lot.product.name,
        "ml": f"{there.normalize():f}" if there else "0",
        "unit": lot.product.measured_in,
    }


def sealed(lot: Lot) -> Decimal:
    """What of a lot is not in an opened container."""
    opened: Decimal = lot.open_containers.standing().aggregate(s=Sum("left_ml"))["s"] or NOTHING
    return lot.quantity_ml - opened


def draw(
    lot: Lot, amount: Decimal, *, by: Staff, session_id: int, drawn_at: datetime, at: datetime
) -> list[Movement]:
    """Take an amount for a session: from what is open and not over, then from sealed containers.

    What is left of a multi-dose container stays open; of any other it is thrown away, as a line of
    its own. Raises `ActionRefused` where there is not enough.
    """
    lines: list[Movement] = []
    rest = amount
    opened = lot.open_containers.standing().filter(discard_by__gt=drawn_at, opened_at__lte=at)
    for container in opened:
        if rest <= 0:
            break
        part = min(rest, container.left_ml)
        take_out(container, part, at)
        lines.append(
            write(
                lot, Movement.Kind.USED, -part,
                by=by, at=at, session_id=session_id, container=container,
            )
        )  # fmt: skip
        rest -= part
    if rest > 0:
        lines += _draw_sealed(lot, rest, amount - rest, by, session_id, drawn_at, at)
    return lines


def _draw_sealed(
    lot: Lot,
    amount: Decimal,
    before: Decimal,
    by: Staff,
    session_id: int,
    drawn_at: datetime,
    at: datetime,
) -> list[Movement]:
    there = sealed(lot)
    if there < amount:
        raise ActionRefused(not_enough(lot, before + there))
    left = sum(containers_for(amount, there, lot.product.container_ml), NOTHING) - amount
    size = min(lot.product.container_ml, there)
    container = None
    if left > 0 and lot.product.is_multi_dose:
        container = stand(lot, size, left, by=by, at=drawn_at)
        write(lot, Movement.Kind.OPENED, NOTHING, by=by, at=at, container=container)
    used = write(
        lot, Movement.Kind.USED, -amount,
        by=by, at=at, session_id=session_id, container=container,
    )  # fmt: skip
    if left <= 0 or container is not None:
        return [used]
    thrown = write(
        lot, Movement.Kind.WASTED, -left,
        by=by, at=at, session_id=session_id,
        reason=_("Single-dose: the rest of the container after the session."),
    )  # fmt: skip
    return [used, thrown]


def stand(lot: Lot, held: Decimal, left: Decimal, *, by: Staff, at: datetime) -> OpenContainer:
    """An opened container on the shelf."""
    return OpenContainer.objects.create(
        lot=lot,
        opened_at=at,
        opened_by=by,
        discard_by=discard_by(at, lot.product.in_use_hours, lot.expires_on, lot.location.zone),
        held_ml=max(held, left),
        left_ml=left,
    )


def take_out(container: OpenContainer, amount: Decimal, at: datetime) -> None:
    """Take an amount out of an opened container; an empty one is done with."""
    container.left_ml -= amount
    if container.left_ml == 0:
        container.ended_at = at
    container.save(update_fields=["left_ml", "ended_at"])


def shrink_open(lot: Lot, at: datetime) -> None:
    """After something went missing: no more can be in opened containers than there is at all.

    What was sealed is taken to be gone first, then what is opened, the longest-lived last opened.
    """
    for container in list(lot.open_containers.standing())[::-1]:
        excess = -sealed(lot)
        if excess <= 0:
            return
        take_out(container, min(excess, container.left_ml), at)
