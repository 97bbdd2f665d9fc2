"""Which text a consent is made from, and whether one that was signed has been renewed since."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from treatments.consents.models import Consent, ConsentTemplate

TEMPLATE_VERSION = "2"
"""Of what stands around the clinic's words: raise it with every change of wording in `text.py` or
`consent_text.html`. Older consents then no longer cover, and patients are asked anew."""

FALLBACK = "en"


@dataclass(frozen=True)
class TextsInForce:
    """The ids of the texts in force, by country (empty: everywhere) and language."""

    ids: dict[tuple[str, str], int]

    def chosen(self, country: str, language: str) -> int | None:
        """The text for a country in a language: its own, else the one for everywhere."""
        return self.ids.get((country, language)) or self.ids.get(("", language))

    def is_renewed(self, consent: Consent, country: str) -> bool:
        """Whether the consent's words are no longer those in force."""
        if consent.template_version != TEMPLATE_VERSION:
            return True
        if consent.template_id is None:
            return False
        return consent.template_id != self.chosen(country, consent.language)


def texts_in_force() -> TextsInForce:
    """All of them, in one query; there are few."""
    rows = ConsentTemplate.objects.filter(is_current=True)
    return TextsInForce(
        {(country, language): pk for country, language, pk in rows.values_list(*_KEYS)}
    )


_KEYS = ("country", "language", "pk")


def text_for(country: str, language: str) -> ConsentTemplate:
    """The text that a consent is made from now. Raises `ActionRefused` where there is none."""
    pk = texts_in_force().chosen(country, language)
    if pk is None:
        raise ActionRefused(_("There is no consent text in this language. Ask the manager."))
    found: ConsentTemplate = ConsentTemplate.objects.get(pk=pk)
    return found


def supported(language: str) -> str:
    """The language a consent is written in: the wanted one where there is a text for it."""
    wanted = (language or "")[:2].lower()
    return wanted if wanted in dict(settings.LANGUAGES) else FALLBACK
