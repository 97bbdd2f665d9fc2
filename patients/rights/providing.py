"""The whole record as a PDF, which a room above knows how to write."""

from __future__ import annotations

from typing import Protocol

from patients.documents.models import Document
from patients.registry.models import Patient


class WritesRecord(Protocol):
    """Queues the whole record of a patient as a document in a language; `by` is fit to show."""

    def __call__(self, *, patient: Patient, language: str, by: str) -> Document: ...


_writers: list[WritesRecord] = []


def provide(writer: WritesRecord) -> None:
    """Name who writes the record; called once from an `AppConfig.ready`."""
    if writer not in _writers:
        _writers.append(writer)


def whole_record(*, patient: Patient, language: str, by: str) -> Document | None:
    """The document, queued; None where no room writes one."""
    return _writers[0](patient=patient, language=language, by=by) if _writers else None
