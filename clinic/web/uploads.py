"""Files that a form brings: held in memory, within bounds, and never in a temporary file.

Django writes a larger file to the disk as it comes. What comes here are pictures of patients, and
they reach the disk encrypted or not at all.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST_FILE = 32 * 1024 * 1024
LARGEST_TOGETHER = 64 * 1024 * 1024
"""Bytes of one file, and of all files of one request: what is beyond is dropped as it comes."""
LARGEST_REQUEST = 256 * 1024 * 1024


class MemoryUploadHandler(FileUploadHandler):
    """Keeps each file in memory, or drops it and remembers its size: see `was_dropped`."""

    kept = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  (Django's own name)
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Refuse at once what is far too much; nothing of it is read."""
        if content_length > LARGEST_REQUEST:
            raise RequestDataTooBig

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        self.parts: list[bytes] | None = []
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A part of it comes."""
        self.size += len(raw_data)
        if self.parts is None:
            return
        if self.size > LARGEST_FILE or self.kept + self.size > LARGEST_TOGETHER:
            self.parts = None
        else:
            self.parts.append(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        """It has come whole."""
        content = b"".join(self.parts or [])
        self.parts = None
        self.kept += len(content)
        return InMemoryUploadedFile(
            BytesIO(content),
            self.field_name,
            self.file_name or "",
            self.content_type or "",
            file_size,
            self.charset,
        )


def was_dropped(file: UploadedFile[Any]) -> bool:
    """Whether a file was too large, alone or with the others of its request, to be held."""
    held = file.seek(0, 2)
    file.seek(0)
    return bool(held != file.size)
