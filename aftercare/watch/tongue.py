"""Questions in the language that a patient has their sheets in, beside that of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.html import format_html

from aftercare.sheets.languages import language_for, phrases_in
from clinic.tongues import direction_of, is_of_the_house
from patients.registry.models import Patient


@dataclass(frozen=True)
class Tongue:
    """A further language in force at this clinic; `phrases` by the English they stand for."""

    language: str = ""
    phrases: Mapping[str, str] = field(default_factory=dict)

    def beside(self, words: str, english: str) -> str:
        """The words in the patient's language, and below them in the page's; those alone where
        nobody has written it.
        """
        own = self.phrases.get(english)
        if not own:
            return words
        direction = direction_of(self.language)
        return format_html(
            '<span class="own-words" lang="{}" dir="{}">{}</span> <span class="muted">{}</span>',
            self.language,
            direction,
            own,
            words,
        )


ONLY_THE_PAGES = Tongue()


def tongue_of(patient: Patient) -> Tongue:
    """The language of the patient's last sheet where it is not one of the house."""
    language = language_for(patient)
    if is_of_the_house(language):
        return ONLY_THE_PAGES
    return Tongue(language, phrases_in(language))
