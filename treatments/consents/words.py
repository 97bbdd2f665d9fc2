"""The words around a consent in a further language: written, approved, and what they translate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.tongues import own_name
from treatments.catalogue.models import CatalogueRow
from treatments.catalogue.versions import approve_and_use, held
from treatments.consents.in_force import FURTHER
from treatments.consents.models import ConsentWords
from treatments.consents.phrases import phrase_faults

LONGEST_NOTE = 300


@dataclass(frozen=True)
class SpokenWords:
    """A language with its version in force and the one that waits, each if there is one."""

    code: str
    name: str
    current: ConsentWords | None
    waiting: ConsentWords | None


def spoken_words() -> list[SpokenWords]:
    """Each further language; one query."""
    rows = ConsentWords.objects.select_related("approved_by").order_by("code", "version")
    versions: dict[str, list[ConsentWords]] = {}
    for row in rows:
        versions.setdefault(row.code, []).append(row)
    return [_spoken(code, versions.get(code, [])) for code in FURTHER]


def _spoken(code: str, versions: list[ConsentWords]) -> SpokenWords:
    current = next((one for one in versions if one.is_current), None)
    newest = versions[-1] if versions else None
    waits = newest if newest and not newest.is_current and not newest.is_approved else None
    return SpokenWords(code, own_name(code), current, waits)


@transaction.atomic
def write_words(
    *, by: Staff, language: str, phrases: Mapping[str, str], note: str = ""
) -> ConsentWords:
    """The next version of the words of a language; consents speak it once that is approved.

    `phrases`: {English: the same in the language}; what is not among them stays as it was.
    """
    if not by.may(Permission.MANAGE_CLINIC):
        raise ActionRefused(_("Only a manager writes the texts of consents."))
    if language not in FURTHER:
        raise ActionRefused(_("No words are written in this language."))
    for name, fault in phrase_faults(phrases).items():
        raise ActionRefused(fault, field=name)
    versions = held(ConsentWords, language)
    known = versions[-1].phrases if versions else {}
    said = {key: text.strip() for key, text in {**known, **phrases}.items() if text.strip()}
    if versions and said == known:
        raise ActionRefused(_("Nothing has changed."))
    name = f"{own_name(language)} ({language})"
    return ConsentWords.objects.create(
        code=language,
        version=versions[-1].version + 1 if versions else 1,
        is_current=False,
        origin=CatalogueRow.Origin.CLINIC,
        name_en=name,
        name_fr=name,
        source_refs=["GK"],
        source_note=note.strip()[:LONGEST_NOTE],
        general_knowledge=True,
        phrases=said,
        made_by=by,
    )


def approve_words(*, by: Staff, row: ConsentWords, at: datetime | None = None) -> ConsentWords:
    """Take responsibility for the words of a language and put them in force."""
    return approve_and_use(by=by, row=row, at=at)
