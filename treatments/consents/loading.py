"""Bringing the shipped texts of consents in, without touching what a clinic has written."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from treatments.catalogue.kinds import Kind
from treatments.catalogue.loading import LOCK, CatalogueError, Report, load_kind, read
from treatments.catalogue.models import Source
from treatments.consents.models import ConsentTemplate
from treatments.consents.wording import Wording, faults

DATA = Path(__file__).parent / "data"
TEXTS = Kind("consent-texts", ConsentTemplate, _("Consent texts"), "file-earmark-text")


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
    return report
