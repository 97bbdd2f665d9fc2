"""Which languages a sheet can be given in, and its fixed words in each."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from aftercare.sheets.models import Sheet, SheetWords
from aftercare.sheets.words import FURTHER, house_words, is_of_the_house, own_name
from clinic.errors import ActionRefused
from patients.registry.models import Patient


def offered() -> list[tuple[str, str]]:
    """Those of the house, and those in which the words are written and in force; by own name."""
    written = set(SheetWords.objects.current().values_list("code", flat=True))
    return [
        *((code, own_name(code)) for code, _name in settings.LANGUAGES),
        *((code, own_name(code)) for code in FURTHER if code in written),
    ]


def words_in(language: str) -> dict[str, str]:
    """The words in force. Raises `ActionRefused` for a language in which there are none."""
    own = {} if is_of_the_house(language) else _written(language)
    if own is None:
        raise ActionRefused(_("No sheet can be given in this language yet."), field="language")
    return {**house_words(language), **own}


def words_for_a_look(language: str) -> dict[str, str]:
    """The words in force; in English where there are none, for a text that is being written."""
    return {**house_words(language), **(_written(language) or {})}


def _written(language: str) -> dict[str, str] | None:
    row = SheetWords.objects.current().filter(code=language).first()
    return row.words if row else None


def language_for(patient: Patient) -> str:
    """The patient's own; but a further one, which their file cannot name, if the last sheet had it.

    One in which the words are no longer in force is left again.
    """
    last = Sheet.objects.filter(patient=patient).order_by("-pk").values_list("language", flat=True)
    spoken, known = last.first(), dict(offered())
    if spoken in known and not is_of_the_house(spoken):
        return spoken
    return patient.language if patient.language in known else settings.LANGUAGES[0][0]
