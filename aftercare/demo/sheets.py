"""Aftercare sheets: Arabic approved, a text that waits, one given again, some read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from aftercare.sheets.actions import give_version, mark_opened, mark_read
from aftercare.sheets.blocks import approve_words, text_of, write_block
from aftercare.sheets.content import Wish
from aftercare.sheets.models import Sheet, SheetWords
from treatments.catalogue.models import AdviceBlock

ARABIC = "ar"
A_WEEK = 7 * 24
LINES = {
    "en": "Please send us a photo of the area tomorrow evening. A cold pack only in a cloth.",
    "fr": "Envoyez-nous une photo de la zone demain soir. Poche froide toujours dans un linge.",
}


def tell_sheets(ground: Ground, now: datetime) -> None:
    """Arabic approved, Hebrew and a longer wait for heat not yet; the last sheets opened, read and
    given again.
    """
    paris, manager = ground.places[0], ground.manager
    doctor = paris.practitioners[0]
    with then(now - timedelta(hours=1), doctor) as at:
        approve_words(by=doctor, row=SheetWords.objects.get(code=ARABIC), at=at)
    with then(now - timedelta(days=2), manager):
        heat = text_of(AdviceBlock.objects.current().get(code="base-heat"))
        note = "One week, as the pages that say the longest have it [S116c]."
        said = replace(heat, hours=A_WEEK, source_note=note)
        write_block(by=manager, code="base-heat", said=said)
    _see(paris, now)


def _see(place: Place, now: datetime) -> None:
    """The last sheet was opened and is given again with a line; the one before was read, and is
    given again in Arabic.
    """
    given = Sheet.objects.filter(session__location=place.location).order_by("-created_at")
    sheets = list(given.select_related("patient", "session__practitioner")[:2])
    for number, sheet in enumerate(sheets):
        with then(min(now, sheet.created_at + timedelta(hours=2)), sheet.patient) as at:
            seen = (mark_opened, mark_read)[number]
            seen(sheet=sheet, at=at)
        language = (sheet.language, ARABIC)[number]
        wish = Wish(language, LINES.get(language, ""))
        doctor = sheet.session.practitioner
        with then(now - timedelta(minutes=30), doctor) as at:
            give_version(by=doctor, session=sheet.session, wish=wish, known=1, at=at)
