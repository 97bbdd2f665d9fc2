"""Which text a consent is made from, and whether one that was signed has been renewed since."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.tongues import is_of_the_house, own_name
from patients.registry.models import Patient
from treatments.consents.models import Consent, ConsentTemplate, ConsentWords

TEMPLATE_VERSION = "2"
"""Of what stands around the clinic's words: raise it with every change of wording in `text.py` or
`consent_text.html`. Older consents then no longer cover, and patients are asked anew."""

FALLBACK = "en"
LANGUAGES = tuple(code for code, _name in settings.PATIENT_LANGUAGES)
FURTHER = tuple(code for code in LANGUAGES if not is_of_the_house(code))
"""Shipped, but said to nobody before a clinician of the clinic has approved them."""


@dataclass(frozen=True)
class TextsInForce:
    """The ids of the texts in force, by country (empty: everywhere) and language."""

    ids: dict[tuple[str, str], int]

    def chosen(self, country: str, language: str) -> int | None:
        """The text for a country in a language: its own, else the one for everywhere.

        In a further language that one is not for a country with texts of its own: what its law
        wants said would be missing.
        """
        own = self.ids.get((country, language))
        if own is None and not is_of_the_house(language) and self._has_its_own(country):
            return None
        return own or self.ids.get(("", language))

    def _has_its_own(self, country: str) -> bool:
        return any(place == country for place, _language in self.ids)

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
    """The text that a consent is made from now. Raises `ActionRefused` where there is none, or
    where the words around it are not in force, and says in which languages there are both.
    """
    texts = texts_in_force()
    pk = texts.chosen(country, language)
    if pk is None or not (is_of_the_house(language) or language in _spoken()):
        others = ", ".join(name for _code, name in offered(country))
        raise ActionRefused(
            _(
                "No consent text in this language is in force here: %(language)s. There are: "
                "%(others)s. A manager or practitioner who reads it can approve one."
            )
            % {"language": own_name(language), "others": others},
            field="language",
        )
    found: ConsentTemplate = ConsentTemplate.objects.get(pk=pk)
    return found


def supported(language: str) -> str:
    """The language a consent is written in: the wanted one where a text can be written in it."""
    wanted = (language or "")[:2].lower()
    return wanted if wanted in LANGUAGES else FALLBACK


def _spoken() -> set[str]:
    """The further languages in which the words around a text are in force."""
    return set(ConsentWords.objects.current().values_list("code", flat=True))


def offered(country: str) -> list[tuple[str, str]]:
    """The languages in which a consent can be made in a country, by their own names; 2 queries."""
    texts, spoken = texts_in_force(), _spoken()
    return [
        (code, own_name(code))
        for code in LANGUAGES
        if texts.chosen(country, code) and (is_of_the_house(code) or code in spoken)
    ]


@dataclass(frozen=True)
class Choice:
    """The languages to choose from for a patient, the one to begin with, and theirs by name where
    a consent cannot be made in it.
    """

    languages: list[tuple[str, str]]
    language: str
    lacking: str


def choice_for(patient: Patient, location: Location) -> Choice:
    """Their own language where its texts are in force, else that of their pages."""
    languages = offered(location.country_id)
    if patient.language in dict(languages):
        return Choice(languages, patient.language, "")
    named = dict(settings.PATIENT_LANGUAGES).get(patient.language, patient.language)
    return Choice(languages, patient.house_language, str(named))
