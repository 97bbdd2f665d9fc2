"""Editing and approving catalogue rows; receiving lots and holding them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from treatments.catalogue.models import CatalogueRow, Ingredient, Lot, Product

Row = TypeVar("Row", bound=CatalogueRow)

COMMON = (
    "id",
    "code",
    "version",
    "is_current",
    "origin",
    "shipped_hash",
    "approved_by",
    "approved_at",
    "created_at",
)
"""Fields of every row that an edit does not touch."""


@transaction.atomic
def edit_row(*, by: Staff, row: Row, values: Mapping[str, Any]) -> Row:
    """Make the next version of a row; the old one stays for the records that used it.

    The new version is the clinic's own and waits for approval. Raises `ActionRefused` without the
    right, without a source, for a version that is not in force, and when nothing changes.
    """
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager may edit the catalogue."))
    versions = _locked(row)
    old = _in_force(row, versions)
    new = _next(old, values, versions)
    if not new.source_refs:
        raise ActionRefused(_("Name at least one source."), field="source_refs")
    if all(getattr(new, name) == getattr(old, name) for name in values):
        raise ActionRefused(_("Nothing has changed."))
    _put_in_force(old, new)
    if isinstance(new, Product):
        _copy_ingredients(old, new)
    return new


@transaction.atomic
def approve_row(*, by: Staff, row: Row, at: datetime | None = None) -> Row:
    """A practitioner or manager takes responsibility for the version in force."""
    if not by.may(Permission.APPROVE_CATALOGUE):
        raise ActionRefused(_("Only a practitioner or a manager may approve a row."))
    found = _in_force(row, _locked(row))
    if found.is_approved:
        raise ActionRefused(_("This version has already been approved."))
    found.approved_by, found.approved_at = by, at or timezone.now()
    found.save(update_fields=["approved_by", "approved_at"])
    return found


@transaction.atomic
def use_version(*, by: Staff, row: Row) -> Row:
    """Put another version in force, for example a newer shipped one in place of one's own."""
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager may edit the catalogue."))
    versions = _locked(row)
    wanted = next(version for version in versions if version.pk == row.pk)
    if wanted.is_current:
        raise ActionRefused(_("This version is already in force."))
    for version in versions:
        if version.is_current:
            version.is_current = False
            version.save(update_fields=["is_current"])
    wanted.is_current = True
    wanted.save(update_fields=["is_current"])
    return wanted


def _locked(row: Row) -> list[Row]:
    """Every version of the row's code, held until the transaction ends; oldest first."""
    rows = type(row)._default_manager.select_for_update(of=("self",))
    return list(rows.filter(code=row.code).order_by("version"))


def _in_force(row: Row, versions: list[Row]) -> Row:
    for version in versions:
        if version.pk == row.pk and version.is_current:
            return version
    raise ActionRefused(_("Someone has made a newer version of this row. Look at that one."))


def _next(old: Row, values: Mapping[str, Any], versions: list[Row]) -> Row:
    kept = {
        field.attname: getattr(old, field.attname)
        for field in old._meta.concrete_fields
        if field.name not in COMMON
    }
    new = type(old)(
        **{**kept, **values},
        code=old.code,
        version=versions[-1].version + 1,
        origin=CatalogueRow.Origin.CLINIC,
    )
    try:
        new.clean_fields()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise ActionRefused(messages[0], field=name) from error
    return new


def _put_in_force(old: CatalogueRow, new: CatalogueRow) -> None:
    old.is_current = False
    old.save(update_fields=["is_current"])
    new.save(force_insert=True)


def _copy_ingredients(old: CatalogueRow, new: Product) -> None:
    Ingredient.objects.bulk_create(
        [
            Ingredient(product=new, substance_id=one.substance_id, per_ml=one.per_ml, unit=one.unit)
            for one in Ingredient.objects.filter(product_id=old.pk).order_by("pk")
        ]
    )


@transaction.atomic
def receive_lot(
    *,
    by: Staff,
    location: Location,
    product: Product,
    number: str,
    expires_on: date,
    quantity_ml: Decimal,
    at: datetime,
) -> Lot:
    """Put a lot on the shelf of a location. `quantity_ml` in mL, of a cream in g.

    Raises `ActionRefused` for one's own right, another location, an expired lot, and a number
    that is on the shelf already.
    """
    _may_keep_stock(by, location.pk)
    lot = Lot(
        location=location,
        product=product,
        number=" ".join(number.split()),
        expires_on=expires_on,
        quantity_ml=quantity_ml,
    )
    if not lot.number:
        raise ActionRefused(_("Enter the lot number."), field="number")
    if expires_on < at.astimezone(location.zone).date():
        raise ActionRefused(_("This lot has expired already."), field="expires_on")
    if quantity_ml <= 0:
        raise ActionRefused(_("The quantity must be more than nothing."), field="quantity_ml")
    try:
        with transaction.atomic():
            lot.save()
    except IntegrityError as error:
        raise ActionRefused(_("This lot is already on the shelf here."), field="number") from error
    return lot


@transaction.atomic
def set_lot_state(*, by: Staff, lot: Lot, state: str, reason: str) -> Lot:
    """Quarantine, recall or release a lot, with the reason. A recall is final."""
    found = Lot.objects.select_for_update().get(pk=lot.pk)
    _may_keep_stock(by, found.location_id)
    given = " ".join(reason.split())
    if not given:
        raise ActionRefused(_("Write the reason."), field="reason")
    if len(given) > 300:
        raise ActionRefused(_("The reason is too long: 300 characters at most."), field="reason")
    if found.state == Lot.State.RECALLED:
        raise ActionRefused(_("A recalled lot stays recalled."), field="state")
    if state not in Lot.State.values or state == found.state:
        raise ActionRefused(_("Choose another state."), field="state")
    found.state, found.state_reason = state, given
    found.save(update_fields=["state", "state_reason"])
    return found


def _may_keep_stock(by: Staff, location_id: int) -> None:
    if not by.may(Permission.MANAGE_STOCK) or location_id not in by.place_ids:
        raise ActionRefused(_("You may not change the stock of this location."))
