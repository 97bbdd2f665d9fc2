"""What may be done with stock: receive, open, use, count, throw away, correct, hold back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.templatetags.clinic_web import clinical_date
from treatments.catalogue.models import Lot, Product
from treatments.diary.contention import trying_again
from treatments.stock import ledger
from treatments.stock.gs1 import Package
from treatments.stock.models import Movement, OpenContainer, PackageCode, StockLevel

BUSY = gettext_lazy("The shelf is very busy right now. Please try again.")
MOST = Decimal(100_000)
LONGEST_REASON = 300
Kind = Movement.Kind


class NotInStock(ActionRefused):
    """What a session used is not on the shelf, or may not be used; each problem fit to show."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


@trying_again(BUSY)
@transaction.atomic
def receive_lot(
    *,
    by: Staff,
    location: Location,
    product: Product,
    number: str,
    expires_on: date,
    quantity_ml: Decimal,
    received_from: str = "",
    package: Package | None = None,
    key: UUID | None = None,
    at: datetime | None = None,
) -> Lot:
    """Put a delivery on the shelf of a location; of a lot that is there already, it adds to it.

    `quantity_ml` in what the product is measured in. `package`: what the scanned code said; its
    number is learned for the next time. Raises `ActionRefused` for another location, an expired or
    recalled lot, another expiry date than the shelf has, and a package that has arrived before.
    """
    _may_keep(by, location.pk)
    moment = at or timezone.now()
    given = " ".join(number.split())
    _refuse_delivery(location, given, expires_on, quantity_ml, moment)
    sender = " ".join(received_from.split())
    lot = _lot_of(location, product, given, expires_on, sender)
    serial = package.key if package else ""
    if serial and (before := lot.movements.filter(package=serial).first()):
        arrived = before.at.astimezone(location.zone)
        raise ActionRefused(
            _("This very package (serial %(serial)s) was received on %(day)s.")
            % {"serial": package.serial if package else "", "day": clinical_date(arrived)},
            field="code",
        )
    if package is not None and package.gtin:
        _learn(by, package.gtin, product, quantity_ml, moment)
    ledger.write(
        lot,
        Kind.RECEIVED,
        quantity_ml,
        by=by,
        at=moment,
        package=serial,
        reason=sender,
        key=key,
    )
    return lot


def _refuse_delivery(
    location: Location, number: str, expires_on: date, quantity: Decimal, at: datetime
) -> None:
    if not number:
        raise ActionRefused(_("Enter the lot number."), field="number")
    if expires_on < at.astimezone(location.zone).date():
        raise ActionRefused(_("This lot has expired already."), field="expires_on")
    if not (quantity.is_finite() and 0 < quantity <= MOST):
        raise ActionRefused(_("The quantity must be more than nothing."), field="quantity_ml")


def _lot_of(
    location: Location, product: Product, number: str, expires_on: date, received_from: str
) -> Lot:
    """The lot on the shelf, locked; made where it is not there. Any version of the product counts.

    Two first deliveries at once: the second finds the first one's row by the unique constraint.
    """
    known = Lot.objects.filter(location=location, product__code=product.code, number=number)
    if not known.exists():
        Lot.objects.bulk_create(
            [
                Lot(
                    location=location,
                    product=product,
                    number=number,
                    expires_on=expires_on,
                    quantity_ml=Decimal(0),
                    received_from=received_from,
                )
            ],
            ignore_conflicts=True,
        )
    [lot] = ledger.locked(known.order_by("pk").values_list("pk", flat=True)[:1])
    if lot.expires_on != expires_on:
        raise ActionRefused(
            _("Lot %(lot)s is on the shelf with another expiry date: %(date)s.")
            % {"lot": lot.number, "date": clinical_date(lot.expires_on)},
            field="expires_on",
        )
    if lot.state == Lot.State.RECALLED:
        raise ActionRefused(_("This lot was recalled. Send it back."), field="number")
    return lot


def _learn(by: Staff, gtin: str, product: Product, content: Decimal, at: datetime) -> None:
    said = {"product_code": product.code, "content_ml": content}
    news = {**said, "learned_by": by, "learned_at": at}
    known, is_new = PackageCode.objects.select_for_update().get_or_create(gtin=gtin, defaults=news)
    if is_new or all(getattr(known, name) == value for name, value in said.items()):
        return
    if known.product_code != product.code and not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(
            _("The code on the package stands for another product. A manager can change that."),
            field="product",
        )
    for name, value in news.items():
        setattr(known, name, value)
    known.save()


@trying_again(BUSY)
@transaction.atomic
def open_container(*, by: Staff, lot: Lot, at: datetime | None = None) -> OpenContainer:
    """Open a multi-dose container; its in-use life begins.

    Raises `ActionRefused` for a single-dose product, a lot that may not be used, and one with no
    sealed container left.
    """
    found, moment = _kept(by, lot), at or timezone.now()
    if not found.product.is_multi_dose:
        raise ActionRefused(
            _("This is a single-dose product: it is opened in the session, and the rest is thrown.")
        )
    if problem := _unusable(found, moment):
        raise ActionRefused(problem)
    size = min(found.product.container_ml, ledger.sealed(found))
    if size <= 0:
        raise ActionRefused(_("No sealed container of this lot is left."))
    container = ledger.stand(found, size, size, by=by, at=moment)
    ledger.write(found, Kind.OPENED, Decimal(0), by=by, at=moment, container=container)
    return container


@trying_again(BUSY)
@transaction.atomic
def use_in_session(
    *,
    by: Staff,
    session_id: int,
    location: Location,
    used: Mapping[int, Decimal],
    at: datetime | None = None,
    drawn_at: datetime | None = None,
) -> list[Movement]:
    """Take what a session used from the shelf, all of it or nothing.

    `used`: the amount drawn by lot id, injected and discarded together, in what the product is
    measured in. `drawn_at`: when it was drawn, which an opened container must have outlived; the
    moment of the call unless given. Raises `NotInStock` with every lot that is not enough, expired,
    held back or on another shelf.
    """
    moment = at or timezone.now()
    if not by.may(Permission.WRITE_NOTES) or location.pk not in by.place_ids:
        raise ActionRefused(_("You may not use the stock of this location."))
    wanted = {pk: amount for pk, amount in used.items() if amount}
    lots = ledger.locked(wanted)
    problems = (
        [_("A lot that was used is not on the shelf here.")] if len(lots) < len(wanted) else []
    )
    lines: list[Movement] = []
    for lot in lots:
        problem = _unusable(lot, moment) if lot.location_id == location.pk else _elsewhere(lot)
        if problem:
            problems.append(problem)
            continue
        try:
            lines += ledger.draw(
                lot, wanted[lot.pk],
                by=by, session_id=session_id, drawn_at=drawn_at or moment, at=moment,
            )  # fmt: skip
        except ActionRefused as refused:
            problems.append(refused.message)
    if problems:
        raise NotInStock(problems)
    return lines


def _elsewhere(lot: Lot) -> str:
    return _("Lot %(lot)s is not on the shelf here.") % {"lot": lot.number}


def _unusable(lot: Lot, at: datetime) -> str:
    """Why a lot may not be used, or nothing (DOMAIN: an expired or recalled lot blocks)."""
    day = clinical_date(lot.expires_on)
    said = {"lot": lot.number, "date": day, "state": lot.get_state_display()}
    if lot.expires_on < at.astimezone(lot.location.zone).date():
        return _("Lot %(lot)s expired on %(date)s.") % said
    if lot.state != Lot.State.AVAILABLE:
        return _("Lot %(lot)s is held back: %(state)s.") % said
    return ""


@trying_again(BUSY)
@transaction.atomic
def count_lot(
    *,
    by: Staff,
    lot: Lot,
    counted_ml: Decimal,
    reason: str,
    key: UUID | None = None,
    at: datetime | None = None,
) -> Movement:
    """Write down what is really there, opened containers included; the difference is booked."""
    found, moment, why = _kept(by, lot), at or timezone.now(), _reason(reason)
    _refuse_amount(counted_ml, "amount", zero_is_fine=True)
    line = ledger.write(
        found, Kind.COUNTED, counted_ml - found.quantity_ml, by=by, at=moment, reason=why, key=key
    )
    ledger.shrink_open(found, moment)
    return line


@trying_again(BUSY)
@transaction.atomic
def waste(
    *,
    by: Staff,
    lot: Lot,
    amount_ml: Decimal,
    reason: str,
    key: UUID | None = None,
    at: datetime | None = None,
) -> Movement:
    """Throw an amount away, with the reason; of an expired or recalled lot too."""
    found, moment, why = _kept(by, lot), at or timezone.now(), _reason(reason)
    _refuse_amount(amount_ml, "amount")
    _refuse_more_than_there(found, amount_ml)
    line = ledger.write(found, Kind.WASTED, -amount_ml, by=by, at=moment, reason=why, key=key)
    ledger.shrink_open(found, moment)
    return line


@trying_again(BUSY)
@transaction.atomic
def discard_container(
    *, by: Staff, container: OpenContainer, reason: str, at: datetime | None = None
) -> Movement:
    """Throw away what is left in an opened container."""
    lot, moment, why = _kept(by, container.lot), at or timezone.now(), _reason(reason)
    found = OpenContainer.objects.select_for_update().get(pk=container.pk)
    if found.ended_at is not None:
        raise ActionRefused(_("This container is empty or was thrown away already."))
    left = found.left_ml
    ledger.take_out(found, left, moment)
    return ledger.write(lot, Kind.WASTED, -left, by=by, at=moment, reason=why, container=found)


@trying_again(BUSY)
@transaction.atomic
def correct(
    *,
    by: Staff,
    lot: Lot,
    change_ml: Decimal,
    reason: str,
    key: UUID | None = None,
    at: datetime | None = None,
) -> Movement:
    """Put a wrong booking right by an amount up or down, with the reason."""
    found, moment, why = _kept(by, lot), at or timezone.now(), _reason(reason)
    _refuse_amount(abs(change_ml), "amount")
    if change_ml < 0:
        _refuse_more_than_there(found, -change_ml)
    line = ledger.write(found, Kind.CORRECTED, change_ml, by=by, at=moment, reason=why, key=key)
    ledger.shrink_open(found, moment)
    return line


@trying_again(BUSY)
@transaction.atomic
def set_lot_state(
    *, by: Staff, lot: Lot, state: str, reason: str, at: datetime | None = None
) -> Lot:
    """Quarantine, recall or release a lot, with the reason. A recall is final."""
    found, why = _kept(by, lot), _reason(reason)
    if found.state == Lot.State.RECALLED:
        raise ActionRefused(_("A recalled lot stays recalled."), field="state")
    if state not in Lot.State.values or state == found.state:
        raise ActionRefused(_("Choose another state."), field="state")
    found.state, found.state_reason = state, why
    found.save(update_fields=["state", "state_reason"])
    said = f"{found.get_state_display()}: {why}"[:LONGEST_REASON]
    ledger.write(found, Kind.STATE, Decimal(0), by=by, at=at or timezone.now(), reason=said)
    return found


@trying_again(BUSY)
@transaction.atomic
def set_level(
    *, by: Staff, location: Location, product: Product, least_ml: Decimal | None
) -> StockLevel | None:
    """Say below which amount a product is low at a location; None: no longer."""
    _may_keep(by, location.pk)
    levels = StockLevel.objects.filter(location=location, product_code=product.code)
    if least_ml is None:
        levels.delete()
        return None
    _refuse_amount(least_ml, "least_ml")
    level, _made = levels.select_for_update().get_or_create(
        location=location, product_code=product.code, defaults={"least_ml": least_ml}
    )
    if level.least_ml != least_ml:
        level.least_ml = least_ml
        level.save(update_fields=["least_ml"])
    return level


def _kept(by: Staff, lot: Lot) -> Lot:
    """The lot, locked, where this person keeps the stock."""
    [found] = ledger.locked([lot.pk])
    _may_keep(by, found.location_id)
    return found


def _may_keep(by: Staff, location_id: int) -> None:
    if not by.may(Permission.MANAGE_STOCK) or location_id not in by.place_ids:
        raise ActionRefused(_("You may not change the stock of this location."))


def _reason(text: str) -> str:
    given = " ".join(text.split())
    if not given:
        raise ActionRefused(_("Write the reason."), field="reason")
    if len(given) > LONGEST_REASON:
        raise ActionRefused(_("The reason is too long: 300 characters at most."), field="reason")
    return given


def _refuse_amount(amount: Decimal, field: str, *, zero_is_fine: bool = False) -> None:
    least = Decimal(0) if zero_is_fine else Decimal("0.01")
    if not (amount.is_finite() and least <= amount <= MOST):
        raise ActionRefused(_("An amount must be above zero."), field=field)


def _refuse_more_than_there(lot: Lot, amount: Decimal) -> None:
    if amount > lot.quantity_ml:
        raise ActionRefused(
            _("There are only %(ml)s %(unit)s of this lot.")
            % {"ml": lot.quantity_ml, "unit": lot.product.measured_in},
            field="amount",
        )
