"""Editing, adding and approving catalogue rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from treatments.catalogue.models import CatalogueRow, Ingredient, Product, Substance
from treatments.catalogue.versions import held, put_in_force

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
    versions = held(type(row), row.code)
    old = _in_force(row, versions)
    own, parts = _split(values)
    new = _next(old, own, versions)
    if not new.source_refs:
        raise ActionRefused(_("Name at least one source."), field="source_refs")
    same_parts = parts is None or parts == _parts_of(old)
    if same_parts and all(getattr(new, name) == getattr(old, name) for name in own):
        raise ActionRefused(_("Nothing has changed."))
    _put_in_force(old, new)
    if isinstance(new, Product):
        _write_parts(new, _parts_of(old) if parts is None else parts)
    return new


@transaction.atomic
def add_row(*, by: Staff, model: type[Row], values: Mapping[str, Any]) -> Row:
    """Add a row of the clinic's own; it waits for approval like any edit.

    `values` holds the new `code`. Raises `ActionRefused` without the right, without a source, and
    for a code that there is, in whatever version.
    """
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager may edit the catalogue."))
    own, parts = _split(values)
    if own.get("code") == "new":
        raise ActionRefused(_("Choose another code."), field="code")
    new = model(**own, version=1, origin=CatalogueRow.Origin.CLINIC)
    _clean(new)
    if not new.source_refs:
        raise ActionRefused(_("Name at least one source."), field="source_refs")
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError as error:
        raise ActionRefused(_("There is a row with this code already."), field="code") from error
    if isinstance(new, Product):
        _write_parts(new, parts or [])
    return new


@transaction.atomic
def take_out_of_use(*, by: Staff, row: Row) -> Row:
    """Offer a row no longer; what was made with it keeps it, and a version can be put back."""
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager may edit the catalogue."))
    found = _in_force(row, held(type(row), row.code))
    found.is_current = False
    found.save(update_fields=["is_current"])
    return found


@transaction.atomic
def approve_row(*, by: Staff, row: Row, at: datetime | None = None) -> Row:
    """A practitioner or manager takes responsibility for the version in force."""
    if not by.may(Permission.APPROVE_CATALOGUE):
        raise ActionRefused(_("Only a practitioner or a manager may approve a row."))
    found = _in_force(row, held(type(row), row.code))
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
    versions = held(type(row), row.code)
    wanted = next(version for version in versions if version.pk == row.pk)
    if wanted.is_current:
        raise ActionRefused(_("This version is already in force."))
    put_in_force(wanted, versions)
    return wanted


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
    _clean(new)
    return new


def _clean(row: CatalogueRow) -> None:
    try:
        row.clean_fields()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise ActionRefused(messages[0], field=name) from error


def _put_in_force(old: CatalogueRow, new: CatalogueRow) -> None:
    old.is_current = False
    old.save(update_fields=["is_current"])
    new.save(force_insert=True)


Parts = list[dict[str, Any]]


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], Parts | None]:
    """A row's own fields, and what a product holds where that was given."""
    own = {name: value for name, value in values.items() if name != "ingredients"}
    return own, values.get("ingredients")


def _parts_of(row: CatalogueRow) -> Parts:
    found = Ingredient.objects.filter(product_id=row.pk).select_related("substance").order_by("pk")
    if not isinstance(row, Product):
        return []
    return [
        {"substance": one.substance.code, "per_ml": one.per_ml, "unit": one.unit} for one in found
    ]


def _write_parts(product: Product, parts: Parts) -> None:
    """What a new version holds. Raises `ActionRefused` for a substance that is not in force."""
    known = Substance.objects.in_force(part["substance"] for part in parts)
    if lacking := sorted({part["substance"] for part in parts} - set(known)):
        raise ActionRefused(
            _("Not in the catalogue: %(codes)s.") % {"codes": ", ".join(lacking)},
            field="ingredients",
        )
    Ingredient.objects.bulk_create(
        [
            Ingredient(
                product=product,
                substance=known[part["substance"]],
                per_ml=part["per_ml"],
                unit=part["unit"],
            )
            for part in parts
        ]
    )
