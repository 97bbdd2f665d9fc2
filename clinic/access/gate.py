"""The gate: the only way a view gets at a record. What you may not see is not there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from clinic.audit.actions import record_read

Row = TypeVar("Row", bound=Model)
READING = ("GET", "HEAD", "OPTIONS")


def fetch(request: HttpRequest, visible: QuerySet[Row], **lookup: Any) -> Row:
    """The one row of an already scoped queryset, or 404; the reading is audited.

    Pass `Model.objects.visible_to(request.user)`, never `Model.objects`. A row of a file that was
    merged into another can be read and not written: 403.
    """
    row = look_up(request, visible, **lookup)
    if request.method not in READING and _of_closed_file(row):
        raise PermissionDenied
    return row


def look_up(request: HttpRequest, visible: QuerySet[Row], **lookup: Any) -> Row:
    """The same, whatever is to be done with it; for what is said of a merged file itself."""
    try:
        row = visible.get(**lookup)
    except (ObjectDoesNotExist, ValueError, ValidationError):
        raise Http404 from None
    record_read(what=_page(request), patients=[patient_id_of(row)], object_id=str(row.pk))
    return row


def _of_closed_file(row: Model) -> bool:
    patient = row if row._meta.model_name == "patient" else getattr(row, "patient", None)
    return bool(getattr(patient, "is_closed_file", False))


def listed(request: HttpRequest, patient_ids: Iterable[int]) -> None:
    """Audit a page that shows several patients: one row that names them all."""
    ids = sorted({pk for pk in patient_ids if pk})
    if ids:
        record_read(what=_page(request), patients=ids, object_id="")


def patient_id_of(row: Model) -> int | None:
    """The patient a row belongs to: itself, or its `patient_id`."""
    if row._meta.model_name == "patient":
        return int(row.pk)
    found: int | None = getattr(row, "patient_id", None)
    return found


def _page(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match else "page"
