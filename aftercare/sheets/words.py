"""The fixed words of a sheet: its headings and labels, in each language it can be given in.

English and French are the house's own; any other language has the words that were shipped or that
the clinic wrote, once a clinician of the clinic has approved them.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.tongues import is_of_the_house

FALLBACK = "en"
FURTHER = ("ar", "he", "es", "it", "pt", "de")
"""Languages a clinic may write its sheets in besides those of the house. Their scripts are among
the fonts of the documents."""
NUMBER, LAST_DAY = "{number}", "{day}"

WORDS: dict[str, str | Promise] = {
    "title": _("After your treatment"),
    "personal": _("For you, from your practitioner"),
    "avoid": _("Please do not"),
    "do": _("Please do"),
    "normal": _("What is normal"),
    "call": _("When to call us"),
    "emergency": _("When to call {number} at once"),
    "facts": _("What was done"),
    "treated": _("Treated"),
    "practitioner": _("Practitioner"),
    "areas": _("Areas"),
    "techniques": _("Technique"),
    "products": _("Products, with lot and expiry"),
    "numbing": _("Numbing"),
    "next_visit": _("Next visit"),
    "clinic": _("Clinic"),
    "phone": _("Telephone"),
    "phone_out_of_hours": _("Out of hours"),
    "emergency_number": _("Emergency number"),
    "sheet": _("Sheet"),
    "version": _("version"),
    "last_day": _("the end of {day}"),
    "over": _("over"),
}
NEEDED = {"emergency": NUMBER, "last_day": LAST_DAY}
"""What a phrase cannot do without."""
LONGEST = 120


def house_words(language: str) -> dict[str, str]:
    """The words in a language of the house; in English for any other."""
    with translation.override(language if is_of_the_house(language) else FALLBACK):
        return {code: str(word) for code, word in WORDS.items()}


def last_days(language: str, words: Mapping[str, str]) -> dict[str, str]:
    """How the sheet says a whole last day, in its language and in the one it falls back to."""
    return {FALLBACK: house_words(FALLBACK)["last_day"], language: words["last_day"]}
