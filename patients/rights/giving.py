"""A copy as it is given out: whole as a ZIP in pieces, or its data or its PDF alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from clinic.vault import StoredFileDamaged, read_kept
from clinic.web.files import private_file
from patients.documents.actions import read_pdf
from patients.rights.exporting import note_fetched, read_pieces
from patients.rights.models import Export
from patients.rights.zipped import PIECE_BYTES


def zip_response(export: Export) -> StreamingHttpResponse:
    """The whole, of which no more than a piece is in memory. Raises `ActionRefused`."""
    pieces = _checked(export)
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Length"] = str(export.size)
    response["Content-Disposition"] = f'attachment; filename="my-data-{export.ready_at:%Y%m%d}.zip"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "no-store"
    return response


def _checked(export: Export) -> Iterator[bytes]:
    """Begun, so that one whose first piece is gone is refused and not cut off."""
    pieces = read_pieces(export)
    try:
        first = next(pieces)
    except (StoredFileDamaged, StopIteration) as error:
        raise ActionRefused(_("The stored copy is damaged.")) from error
    note_fetched(export=export, at=timezone.now())

    def whole() -> Iterator[bytes]:
        yield first
        yield from pieces

    return whole()


class _Stored(io.RawIOBase):
    """The stored pieces as one file to read from any place; one piece in memory at a time."""

    def __init__(self, export: Export) -> None:
        super().__init__()
        self._export, self._at = export, 0
        self._number, self._piece = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._export.size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, target: object) -> int:
        view = memoryview(target)  # type: ignore[arg-type]
        number, inside = divmod(self._at, PIECE_BYTES)
        if number >= self._export.pieces:
            return 0
        if number != self._number:
            self._number, self._piece = number, read_kept(self._export.stored_name(number))
        found = self._piece[inside : inside + len(view)]
        view[: len(found)] = found
        self._at += len(found)
        return len(found)


def json_response(export: Export) -> HttpResponse:
    """The data alone, out of the ZIP. Raises `ActionRefused`."""
    try:
        with zipfile.ZipFile(io.BufferedReader(_Stored(export))) as zipped:
            content = zipped.read("data.json")
    except (StoredFileDamaged, zipfile.BadZipFile, KeyError) as error:
        raise ActionRefused(_("The stored copy is damaged.")) from error
    note_fetched(export=export, at=timezone.now())
    return private_file(content, kind="application/json", name="my-data.json")


def pdf_response(export: Export) -> HttpResponse:
    """The whole record as PDF, made for this copy. Raises `ActionRefused`."""
    if export.document is None:
        raise ActionRefused(_("There is no PDF with this copy."))
    content = read_pdf(export.document)
    note_fetched(export=export, at=timezone.now())
    return private_file(content, kind="application/pdf", name="my-record.pdf")
