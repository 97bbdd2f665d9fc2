"""Writing the texts of sheets: the next version of a block or of a language's words, approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercare.sheets.models import SheetWords
from aftercare.sheets.selectors import is_known
from aftercare.sheets.wording import MOST_HOURS, phrase_faults, text_fault, word_faults
from aftercare.sheets.words import FURTHER, WORDS
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.tongues import own_name
from treatments.catalogue.models import AdviceBlock, CatalogueRow, Source
from treatments.catalogue.sources import source_key
from treatments.catalogue.versions import approve_and_use, held

LONGEST_NOTE = 300
FIXED = ("applies_to", "section", "topic")
"""What of a founding piece of advice stays: it is on every sheet, under its own name."""


@dataclass(frozen=True)
class BlockText:
    """Everything of a block that a manager writes. `texts`: {language: text}, English always."""

    name_en: str
    name_fr: str
    applies_to: str
    section: str
    topic: str
    hours: int | None
    position: int
    source_refs: tuple[str, ...]
    source_note: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, Any]:
        """As the row keeps it."""
        further = {code: self.texts[code] for code in FURTHER if self.texts.get(code)}
        return {
            **{name: value for name, value in asdict(self).items() if name != "texts"},
            "source_refs": list(self.source_refs),
            "text_en": self.texts.get("en", ""),
            "text_fr": self.texts.get("fr", ""),
            "texts": further,
        }


def text_of(block: AdviceBlock) -> BlockText:
    """What a block says now, as it is written."""
    return BlockText(
        name_en=block.name_en,
        name_fr=block.name_fr,
        applies_to=block.applies_to,
        section=block.section,
        topic=block.topic,
        hours=block.hours,
        position=block.position,
        source_refs=tuple(block.source_refs),
        source_note=block.source_note,
        texts={"en": block.text_en, "fr": block.text_fr, **block.texts},
    )


def block_faults(said: BlockText) -> dict[str, str]:
    """What is wrong with a block, by field: `text_fr`, `hours`, `applies_to`."""
    wrong = {}
    for code in ("en", "fr"):
        if not said.texts.get(code, "").strip():
            wrong[f"text_{code}"] = _("This cannot be empty.")
    for code, text in said.texts.items():
        if text.strip() and (fault := text_fault(text, said.hours)):
            wrong[f"text_{code}"] = fault
    if said.hours is not None and not 0 < said.hours <= MOST_HOURS:
        wrong["hours"] = _("Between 1 and %(most)d hours.") % {"most": MOST_HOURS}
    if said.section not in AdviceBlock.Section.values:
        wrong["section"] = _("There is no such section.")
    if not is_known(said.applies_to):
        wrong["applies_to"] = _("There is no such area, technique or substance.")
    return wrong | _source_faults(said)


def _source_faults(said: BlockText) -> dict[str, str]:
    if not said.source_refs:
        return {"source_refs": _("Name at least one source.")}
    known = set(Source.objects.values_list("ref", flat=True))
    unknown = [ref for ref in said.source_refs if source_key(ref) not in known]
    text = _("There is no such source: %(refs)s.")
    return {"source_refs": text % {"refs": ", ".join(unknown)}} if unknown else {}


@transaction.atomic
def write_block(*, by: Staff, code: str, said: BlockText) -> AdviceBlock:
    """The next version of a block, or a new one. It waits until somebody has approved it.

    Raises `ActionRefused` naming what cannot stand, when nothing changes, and when a founding
    piece of advice would no longer be on every sheet.
    """
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager writes the texts of sheets."))
    for name, fault in block_faults(said).items():
        raise ActionRefused(fault, field=name)
    versions = held(AdviceBlock, code)
    newest = versions[-1] if versions else None
    if newest and text_of(newest) == said:
        raise ActionRefused(_("Nothing has changed."))
    if newest and newest.is_founding:
        _refuse_moved(newest, said)
    row = AdviceBlock(
        code=code,
        version=newest.version + 1 if newest else 1,
        is_current=False,
        origin=CatalogueRow.Origin.CLINIC,
        general_knowledge="GK" in said.source_refs,
        is_founding=bool(newest and newest.is_founding),
        made_by=by,
        created_at=timezone.now(),
        **said.columns,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise ActionRefused(_("There is a row with this code already."), field="code") from error
    return row


def _refuse_moved(founding: AdviceBlock, said: BlockText) -> None:
    for name in FIXED:
        if getattr(founding, name) != getattr(said, name):
            raise ActionRefused(
                _("This is one of the five founding pieces of advice: it stays on every sheet."),
                field=name,
            )


def approve_block(*, by: Staff, block: AdviceBlock, at: datetime | None = None) -> AdviceBlock:
    """Take responsibility for a version and put it in force; an earlier one can come back so.

    Sheets that were given keep what they say.
    """
    return approve_and_use(by=by, row=block, at=at)


@transaction.atomic
def retire_block(*, by: Staff, block: AdviceBlock) -> AdviceBlock:
    """Say it on no sheet any more. Raises `ActionRefused` for a founding piece of advice."""
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager writes the texts of sheets."))
    versions = held(AdviceBlock, block.code)
    current = next((one for one in versions if one.is_current), None)
    if current is None or current.pk != block.pk:
        raise ActionRefused(_("Someone has made a newer version of this row. Look at that one."))
    if current.is_founding:
        raise ActionRefused(
            _("This is one of the five founding pieces of advice: it stays on every sheet.")
        )
    current.is_current = False
    current.save(update_fields=["is_current"])
    return current


@transaction.atomic
def write_words(
    *,
    by: Staff,
    language: str,
    words: Mapping[str, str],
    phrases: Mapping[str, str] | None = None,
    note: str = "",
) -> SheetWords:
    """The next version of what a sheet says in a language; it speaks it once that is approved.

    `phrases`: {English: the same in the language}, those that are written; None leaves them.
    """
    if not by.may(Permission.EDIT_CATALOGUE):
        raise ActionRefused(_("Only a manager writes the texts of sheets."))
    if language not in FURTHER:
        raise ActionRefused(_("No words are written in this language."))
    for name, fault in {**word_faults(words), **phrase_faults(phrases or {})}.items():
        raise ActionRefused(fault, field=name)
    tidy = {code: words[code].strip() for code in WORDS}
    versions = held(SheetWords, language)
    known = versions[-1].phrases if versions else {}
    said = known if phrases is None else {**known, **phrases}
    said = {english: text.strip() for english, text in said.items() if text.strip()}
    if versions and (versions[-1].words, known) == (tidy, said):
        raise ActionRefused(_("Nothing has changed."))
    name = f"{own_name(language)} ({language})"
    return SheetWords.objects.create(
        code=language,
        version=versions[-1].version + 1 if versions else 1,
        is_current=False,
        origin=CatalogueRow.Origin.CLINIC,
        name_en=name,
        name_fr=name,
        source_refs=["GK"],
        source_note=note.strip()[:LONGEST_NOTE],
        general_knowledge=True,
        words=tidy,
        phrases=said,
        made_by=by,
        created_at=timezone.now(),
    )


def approve_words(*, by: Staff, row: SheetWords, at: datetime | None = None) -> SheetWords:
    """Take responsibility for the words of a language; from now on sheets are given in it."""
    return approve_and_use(by=by, row=row, at=at)
