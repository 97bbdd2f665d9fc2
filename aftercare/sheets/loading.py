"""Bringing in what is shipped in further languages; a sheet speaks one once it is approved here."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction

from aftercare.sheets.models import SheetWords
from aftercare.sheets.wording import phrase_faults, word_faults
from aftercare.sheets.words import FURTHER
from treatments.catalogue.loading import LOCK, CatalogueError, Report, Shipped, hold, read

DATA = Path(__file__).parent / "data"
SLUG = "sheet-words"


@transaction.atomic
def load_words(report: Report, folder: Path = DATA) -> Report:
    """Load the shipped languages; to be called after the catalogue. Raises `CatalogueError`.

    Nobody of the clinic has read them, so they wait for approval, see `hold`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    for language in FURTHER:
        for row in read(f"{SLUG}-{language}", folder):
            _load(row, report)
    return report


def _load(row: Shipped, report: Report) -> None:
    name = f"{SLUG}/{row['code']}"
    if wrong := {**word_faults(row["words"]), **phrase_faults(row["phrases"])}:
        raise CatalogueError(f"{name}: {wrong}")
    hold(SheetWords, name, row, report)
