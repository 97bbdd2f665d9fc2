"""Which languages a sheet can be given in, and what it says in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from aftercare.sheets.models import Sheet, SheetWords
from aftercare.sheets.words import FURTHER, house_words
from clinic.errors import ActionRefused
from clinic.tongues import is_of_the_house, own_name
from patients.registry.models import Patient


@dataclass(frozen=True)
class Spoken:
    """A language as a sheet speaks it: its fixed words, and phrases by the English they stand for.

    `version` is that of the texts in force; 0 for a language of the house.
    """

    words: Mapping[str, str]
    phrases: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    def said(self, english: str) -> str:
        """An English text of the catalogue in this language; itself where there is no other."""
        return self.phrases.get(english, english)


def offered() -> list[tuple[str, str]]:
    """Those of the house, and those in which the words are written and in force; by own name."""
    written = set(SheetWords.objects.current().values_list("code", flat=True))
    return [
        *((code, own_name(code)) for code, _name in settings.LANGUAGES),
        *((code, own_name(code)) for code in FURTHER if code in written),
    ]


def spoken_in(language: str) -> Spoken:
    """What is in force. Raises `ActionRefused` for a language in which nothing is."""
    if is_of_the_house(language):
        return Spoken(house_words(language))
    row = SheetWords.objects.current().filter(code=language).first()
    if row is None:
        raise ActionRefused(_("No sheet can be given in this language yet."), field="language")
    return _spoken(row)


def phrases_in(language: str) -> Mapping[str, str]:
    """The phrases in force, by their English; none for a language of the house."""
    row = SheetWords.objects.current().filter(code=language).first()
    return row.phrases if row else {}


def spoken_for_a_look(language: str) -> Spoken:
    """For a text that is being written: what is in force, else what was written or shipped last,
    else English.
    """
    if is_of_the_house(language):
        return Spoken(house_words(language))
    rows = SheetWords.objects.filter(code=language).order_by("-is_current", "-version")
    row = rows.first()
    return _spoken(row) if row else Spoken(house_words(language))


def _spoken(row: SheetWords) -> Spoken:
    return Spoken({**house_words(row.code), **row.words}, row.phrases, row.version)


def lacking_for(patient: Patient) -> str:
    """The name of the patient's language where no sheet can be given in it yet."""
    if patient.language in dict(offered()):
        return ""
    return str(dict(settings.PATIENT_LANGUAGES).get(patient.language, patient.language))


def language_for(patient: Patient) -> str:
    """The patient's own where its words are in force, else that of their pages.

    A further one in which the last sheet was given goes before one of the house: their file cannot
    name them all. One in which the words are no longer in force is left again.
    """
    known = dict(offered())
    if patient.language in known and not is_of_the_house(patient.language):
        return patient.language
    last = Sheet.objects.filter(patient=patient).order_by("-pk").values_list("language", flat=True)
    spoken = last.first()
    if spoken in known and not is_of_the_house(spoken):
        return spoken
    return patient.house_language
