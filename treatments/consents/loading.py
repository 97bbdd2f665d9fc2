"""Bringing the shipped texts of consents in, without touching what a clinic has written."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from treatments.catalogue.kinds import Kind
from treatments.catalogue.loading import (
    LOCK,
    CatalogueError,
    Report,
    hold,
    load_kind,
    read,
)
from treatments.catalogue.models import Source
from treatments.consents.in_force import FURTHER
from treatments.consents.models import ConsentTemplate, ConsentWords
from treatments.consents.phrases import phrase_faults
from treatments.consents.wording import Wording, faults

DATA = Path(__file__).parent / "data"
TEXTS = Kind("consent-texts", ConsentTemplate, _("Consent texts"), "file-earmark-text")
WORDS = "consent-words"


@transaction.atomic
def load_texts(report: Report, folder: Path = DATA) -> Report:
    """Load the shipped texts; to be called after the catalogue. Raises `CatalogueError`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    rows = read(TEXTS.slug, folder)
    for row in rows:
        if wrong := faults(Wording(row["texts"], row["statements"], row["off_label"])):
            raise CatalogueError(f"{TEXTS.slug}.json, {row['code']}: {wrong}")
    load_kind(TEXTS, rows, set(Source.objects.values_list("ref", flat=True)), report)
    for language in FURTHER:
        _load_further(language, folder, report)
    return report


def _load_further(language: str, folder: Path, report: Report) -> None:
    """The texts of a further language and the words around them, which nobody of the clinic has
    read: never put in force by loading, and what is in force stays until somebody approves.
    """
    for row in read(f"{TEXTS.slug}-{language}", folder):
        if wrong := faults(Wording(row["texts"], row["statements"], row["off_label"])):
            raise CatalogueError(f"{row['code']}: {wrong}")
        hold(ConsentTemplate, f"{TEXTS.slug}/{row['code']}", row, report)
    for row in read(f"{WORDS}-{language}", folder):
        if wrong := phrase_faults(row["phrases"]):
            raise CatalogueError(f"{WORDS}-{language}: {wrong}")
        hold(ConsentWords, f"{WORDS}/{row['code']}", row, report)
