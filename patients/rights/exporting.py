"""The copy of everything about one person: asked for, made by the worker, fetched, erased."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.vault import StoredFileDamaged, forget, keep, read_kept
from clinic.wake import wake
from patients.documents.actions import read_pdf
from patients.documents.models import Document
from patients.photos.actions import read_photo
from patients.photos.models import Photo
from patients.photos.naming import Names
from patients.registry.models import Patient, files_of
from patients.rights.gathering import everything
from patients.rights.models import Export
from patients.rights.providing import whole_record
from patients.rights.zipped import Pieces

WORK_TASK = "patients.work_rights"
LEASE = timedelta(minutes=4)
"""Longer than a worker may take for one task."""
WAIT_FOR_PDF = timedelta(seconds=10)
KEPT = timedelta(days=7)
MOST_ATTEMPTS = 60
"""Most of them are looks at a PDF that is still being made."""
FORMAT = "clinic-export-1"


@transaction.atomic
def ask_export(*, by: Staff | None, patient: Patient, at: datetime) -> Export:
    """A copy to be made; the one that is being made, or lies ready since today, where there is one.

    Without `by` the patient asks, on their own page.
    """
    if by is not None and not by.may(Permission.HANDLE_RIGHTS):
        raise ActionRefused(_("Only a manager or a practitioner decides this."))
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    mine = Export.objects.filter(patient=patient)
    known = (
        mine.on_their_way().first()
        or mine.ready(at).filter(ready_at__gt=at - timedelta(minutes=10)).order_by("-pk").first()
    )
    if known:
        return known
    try:
        with transaction.atomic():
            export = Export.objects.create(
                patient=patient,
                asked_by=by,
                language=patient.house_language,
                file_name=f"exports/{uuid.uuid4().hex}",
            )
    except IntegrityError:
        raise ActionRefused(_("A copy is being made already.")) from None
    wake(WORK_TASK)
    return export


def work_next(*, at: datetime) -> Export | None:
    """Bring the oldest copy that waits one step on; None when none waits."""
    export = _claim(at)
    if export is None or export.state != Export.State.ASKED:
        return export
    document = export.document
    if document is not None and document.state == Document.State.FAILED:
        return _fail(export, _("The whole record could not be made into a PDF."))
    if document is not None and document.state != Document.State.READY:
        return _wait(export, at + WAIT_FOR_PDF)
    try:
        return _make(export, at)
    except (StoredFileDamaged, ActionRefused):
        return _fail(export, _("A stored file is damaged."))


@transaction.atomic
def _claim(at: datetime) -> Export | None:
    """The next one, marked as this worker's; its PDF is asked for the first time it is taken up."""
    export = (
        Export.objects.to_work(at)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("patient__merged_into", "document")
        .first()
    )
    if export is None:
        return None
    if export.attempts >= MOST_ATTEMPTS:
        export.state, export.error = Export.State.FAILED, _("The worker was lost each time.")
        export.lease_until = None
    else:
        export.attempts += 1
        export.lease_until = at + LEASE
        if export.document is None:
            export.document = _record(export)
    export.save(update_fields=["state", "attempts", "lease_until", "document", "error"])
    return export


def _record(export: Export) -> Document | None:
    with override(export.language):
        by = export.asked_by.name if export.asked_by else _("the patient")
        return whole_record(patient=export.patient.kept, language=export.language, by=by)


def _ours(export: Export) -> Any:
    return Export.objects.filter(pk=export.pk, state=Export.State.ASKED, attempts=export.attempts)


@transaction.atomic
def _wait(export: Export, until: datetime) -> Export:
    _ours(export).update(lease_until=until)
    return export


@transaction.atomic
def _fail(export: Export, error: str) -> Export:
    _ours(export).update(state=Export.State.FAILED, error=error[:300], lease_until=None)
    export.refresh_from_db()
    return export


def _make(export: Export, at: datetime) -> Export:
    """Write the ZIP in pieces, then say that it is there; what a lost worker left is replaced."""
    pieces = Pieces(lambda number, piece: keep(export.stored_name(number), piece))
    with override(export.language), zipfile.ZipFile(pieces, "w") as zipped:
        contents = write(zipped, export.patient.kept, document=export.document, at=at)
    sha256 = pieces.finish()
    with transaction.atomic():
        _ours(export).update(
            state=Export.State.READY,
            pieces=pieces.count,
            size=pieces.size,
            sha256=sha256,
            contents=contents,
            ready_at=at,
            expires_at=at + KEPT,
            lease_until=None,
            error="",
        )
    export.refresh_from_db()
    return export


def write(
    zipped: zipfile.ZipFile, patient: Patient, *, document: Document | None, at: datetime
) -> dict[str, int]:
    """Everything about a patient, in the language in force; how much of what.

    JSON for machines, the whole record as PDF, each paper that was made, each photo that is kept.
    """
    files = files_of(patient)
    told = everything(files)
    about = {"format": FORMAT, "number": patient.number, "made_at": at.isoformat()}
    text = json.dumps(
        about | told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1, sort_keys=False
    )
    _put(zipped, "data.json", text.encode(), pack=True)
    _put(zipped, "README.txt", _readme(patient, at).encode(), pack=True)
    if document is not None:
        _put(zipped, "record.pdf", read_pdf(document))
    papers = _write_papers(zipped, files, except_for=document)
    photos = _write_photos(zipped, files)
    rows = sum(len(table["rows"]) for table in told["tables"].values())
    return {"rows": rows, "papers": papers, "photos": photos}


def _readme(patient: Patient, at: datetime) -> str:
    return _(
        "Everything that your clinic stores about you (%(number)s), as of %(day)s.\n\n"
        "record.pdf   your whole record, to read\n"
        "data.json    the same data and more, for programs: every row of every table\n"
        "papers/      the papers that were made for you\n"
        "photos/      the photos that are kept\n"
    ) % {"number": patient.number, "day": f"{at:%Y-%m-%d %H:%M} UTC"}


def _put(zipped: zipfile.ZipFile, name: str, content: bytes, *, pack: bool = False) -> None:
    how = zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED
    zipped.writestr(zipfile.ZipInfo(name), content, compress_type=how)


def _write_papers(zipped: zipfile.ZipFile, files: list[int], *, except_for: Document | None) -> int:
    found = Document.objects.filter(patient__in=files, state=Document.State.READY)
    rows = found.defer("html").select_related("patient").order_by("ready_at", "pk")
    if except_for is not None:
        rows = rows.exclude(pk=except_for.pk)
    count = 0
    for count, row in enumerate(rows.iterator(chunk_size=50), start=1):
        _put(zipped, f"papers/{count:04d}-{row.kind}-{row.ready_at:%Y-%m-%d}.pdf", read_pdf(row))
    return count


def _write_photos(zipped: zipfile.ZipFile, files: list[int]) -> int:
    """All that are kept: the patient has a right to those too that the record may not show."""
    names, count = Names(), 0
    rows = Photo.objects.filter(patient__in=files).kept().order_by("taken_at", "pk")
    for count, row in enumerate(rows.iterator(chunk_size=50), start=1):
        plain = "".join(x if x.isalnum() else "-" for x in names.of(row).lower()).strip("-")
        name = f"photos/{count:04d}-{row.taken_at:%Y-%m-%d}-{plain[:60]}.jpg"
        _put(zipped, name, read_photo(row, "full"))
    return count


def read_pieces(export: Export) -> Iterator[bytes]:
    """The stored ZIP, piece by piece. Raises `StoredFileDamaged`."""
    for number in range(export.pieces):
        yield read_kept(export.stored_name(number))


@transaction.atomic
def note_fetched(*, export: Export, at: datetime) -> None:
    """That it was fetched; the first time counts."""
    Export.objects.filter(pk=export.pk, fetched_at__isnull=True).update(fetched_at=at)


@transaction.atomic
def erase_next(*, at: datetime) -> Export | None:
    """Erase the oldest copy whose time is over; None when there is none."""
    export = Export.objects.to_erase(at).select_for_update(skip_locked=True).first()
    if export is None:
        return None
    for number in range(export.pieces):
        forget(export.stored_name(number))
    export.state, export.pieces = Export.State.ERASED, 0
    export.save(update_fields=["state", "pieces"])
    return export
