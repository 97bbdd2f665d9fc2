"""`manage.py export_patient NUMBER`: everything about one patient as a ZIP."""

from __future__ import annotations

import os
import re
import time
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override

from clinic.audit.actions import record_read
from clinic.audit.context import SYSTEM, acting
from patients.documents.actions import render_next
from patients.documents.models import Document
from patients.registry.models import Patient
from patients.rights.exporting import write
from patients.rights.providing import whole_record

LONGEST_WAIT = 120.0


class Command(BaseCommand):
    help = (
        "Write everything about one patient (data as JSON, the record and papers as PDF, photos) "
        "into a ZIP that only this user can read. It is not encrypted: look after it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", help="number of the file, as P000123")
        parser.add_argument("--format", choices=["zip"], default="zip")
        parser.add_argument("--to", type=Path, help="file to write; by default NUMBER.zip here")

    def handle(self, *args: Any, **options: Any) -> None:
        patient = self._patient(options["number"])
        path: Path = options["to"] or Path(f"{patient.number}.zip")
        with acting(SYSTEM), override(patient.house_language):
            record_read(what="export_patient", patients=[patient.pk], object_id=str(patient.pk))
            document = self._record(patient)
            contents = self._write(path, patient, document)
        said = ", ".join(f"{count} {what}" for what, count in contents.items())
        self.stdout.write(f"{path}: {said}")

    def _patient(self, number: str) -> Patient:
        digits = re.fullmatch(r"[Pp]?0*([0-9]{1,12})", number.strip())
        found = Patient.objects.filter(pk=int(digits[1])).first() if digits else None
        if found is None:
            raise CommandError(f"There is no patient {number}.")
        return found.kept

    def _record(self, patient: Patient) -> Document | None:
        """The whole record as PDF; made here where no worker is at hand."""
        by = "manage.py export_patient"
        document = whole_record(patient=patient, language=patient.house_language, by=by)
        until = time.monotonic() + LONGEST_WAIT
        while document is not None and document.is_on_its_way:
            if time.monotonic() > until:
                raise CommandError("The record was not made into a PDF in time. Try again.")
            if render_next() is None:
                time.sleep(0.2)
            document.refresh_from_db()
        if document is not None and document.state == Document.State.FAILED:
            raise CommandError(f"The record could not be made into a PDF: {document.error}")
        return document

    def _write(self, path: Path, patient: Patient, document: Document | None) -> dict[str, int]:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        with ExitStack() as undo:
            undo.callback(path.unlink)
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as zipped:
                contents = write(zipped, patient, document=document, at=timezone.now())
            undo.pop_all()
        return contents
