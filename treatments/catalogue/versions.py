"""The versions of one code: held while something is decided of them, and one of them in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from treatments.catalogue.models import CatalogueRow

Row = TypeVar("Row", bound=CatalogueRow)


def held(model: type[Row], code: str) -> list[Row]:
    """Every version of a code, held until the transaction ends; oldest first."""
    rows = model._default_manager.select_for_update(of=("self",)).filter(code=code)
    return list(rows.order_by("version"))


def put_in_force(wanted: Row, versions: Sequence[Row]) -> None:
    """This version of those that are held, and no other."""
    for one in versions:
        if one.is_current and one.pk != wanted.pk:
            one.is_current = False
            one.save(update_fields=["is_current"])
    wanted.is_current = True
    wanted.save(update_fields=["is_current"])


@transaction.atomic
def approve_and_use(*, by: Staff, row: Row, at: datetime | None = None) -> Row:
    """Take responsibility for a version of a text and put it in force; an earlier one can come back
    so, under the name of who approved it then.

    Raises `ActionRefused` without the right, and for what is approved and in force already.
    """
    if not by.may(Permission.APPROVE_CATALOGUE):
        raise ActionRefused(_("Only a practitioner or a manager may approve a text."))
    versions = held(type(row), row.code)
    wanted = next(one for one in versions if one.pk == row.pk)
    if wanted.is_current and wanted.is_approved:
        raise ActionRefused(_("This version has already been approved."))
    if not wanted.is_approved:
        wanted.approved_by, wanted.approved_at = by, at or timezone.now()
        wanted.save(update_fields=["approved_by", "approved_at"])
    put_in_force(wanted, versions)
    return wanted
