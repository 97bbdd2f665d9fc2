"""What may stand in the words of a sheet, and what is wrong with them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercare.sheets.words import LONGEST, NEEDED, WORDS

PLACES: dict[str, str | Promise] = {
    "until": gettext_lazy("when it ends for this patient, by the hours"),
    "clinic": gettext_lazy("the name of the location"),
    "phone": gettext_lazy("the phone number of the location"),
    "phone_out_of_hours": gettext_lazy("its phone number out of hours"),
    "emergency_number": gettext_lazy("the emergency number of the country"),
}
"""Placeholders within a text."""

LONGEST_TEXT = 600
MOST_HOURS = 12 * 7 * 24
"""Twelve weeks: as long as the watch."""

CLAIMS = re.compile(
    r"\b(?:pain[- ]?less(?:ly)?|pain[- ]free|without (?:any )?pain|guarantee[ds]?|miracle|"
    r"risk[- ]free|without (?:any )?risk|indolores?|sans (?:aucune )?douleur|garanti(?:e|s|es)?|"
    r"sans (?:aucun )?risque|r[ée]sultats? (?:assur|garanti)\w*|indolor[ae]?s?|sin dolor|"
    r"senza dolore|sem dor|garantizad\w*|garantit\w*|schmerz(?:frei|los)\w*|garantiert\w*)\b"
    r"|بدون ألم|بلا ألم|مضمون|ללא כאב|מובטח",
    re.IGNORECASE,
)
"""Words that promise a result, or that nothing hurts: a sheet says neither, see DOMAIN, S115a."""

SPOKEN_NUMBERS = frozenset({"1", "2"})
"""Arabic and Hebrew say one and two with the word that is counted."""

_NUMBER = re.compile(r"\d+(?:[.,٫]\d+)?")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_LEFT_OVER = re.compile(r"\{+[^{}\n]{0,40}\}*|\}+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def claim_in(text: str) -> str:
    """The first word in it that promises too much; empty for none."""
    found = CLAIMS.search(text)
    return found[0] if found else ""


def plain_fault(text: str, longest: int) -> str:
    """What is wrong with a text whatever stands in its braces; empty when nothing is."""
    if len(text) > longest:
        return _("This is too long: at most %(most)d characters.") % {"most": longest}
    if _UNSEEN.search(text):
        return _("There are characters in it that cannot be seen.")
    if claim := claim_in(text):
        return _("A sheet promises no result, and never that nothing hurts: “%(word)s”.") % {
            "word": claim
        }
    return ""


def text_fault(text: str, hours: int | None) -> str:
    """What is wrong with the text of a block of so many hours."""
    if fault := plain_fault(text, LONGEST_TEXT):
        return fault
    if unknown := _unknown_in(text):
        return _("This cannot stand here: %(what)s. Use only the placeholders listed.") % {
            "what": ", ".join(unknown)
        }
    says_until = "until" in _PLACEHOLDER.findall(text)
    if hours and not says_until:
        return _("Say until when: it needs {until}, because it has hours.")
    if says_until and not hours:
        return _("Without hours there is no {until}.")
    return ""


def _unknown_in(text: str) -> list[str]:
    rest = _PLACEHOLDER.sub(lambda found: "" if found[1] in PLACES else found[0], text)
    return list(dict.fromkeys(_LEFT_OVER.findall(rest)))


def word_faults(words: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the headings and labels of a language, by code."""
    return {code: fault for code in WORDS if (fault := _word_fault(code, words.get(code, "")))}


def phrase_faults(phrases: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with phrases, by the name of their field. An empty one is not written yet."""
    return {
        phrase_name(english): fault
        for english, text in phrases.items()
        if text.strip() and (fault := _phrase_fault(english, text))
    }


def phrase_name(english: str) -> str:
    """The name of the field of a phrase, which has no other key than the English behind it."""
    return f"phrase_{hashlib.sha256(english.encode()).hexdigest()[:12]}"


def _phrase_fault(english: str, text: str) -> str:
    """A phrase says each time and number that the English says."""
    if fault := plain_fault(text, LONGEST_TEXT):
        return fault
    if unknown := _unknown_in(text):
        return _("This cannot stand here: %(what)s. Use only the placeholders listed.") % {
            "what": ", ".join(unknown)
        }
    places = [sorted(_PLACEHOLDER.findall(one)) for one in (english, text)]
    if places[0] != places[1]:
        return _("It needs the placeholders of the English text, no more and no fewer.")
    if lost := sorted(numbers_in(english) - numbers_in(text) - SPOKEN_NUMBERS):
        numbers = ", ".join(lost)
        return _("A number of the English text is missing: %(numbers)s.") % {"numbers": numbers}
    return ""


def numbers_in(text: str) -> frozenset[str]:
    """The numbers that stand in a text, whatever digits they are written in."""
    return frozenset(
        ".".join(str(int(part)) for part in re.split(r"[.,٫]", found))
        for found in _NUMBER.findall(text)
    )


def _word_fault(code: str, text: str) -> str:
    if not text.strip():
        return _("This cannot be empty.")
    if fault := plain_fault(text, LONGEST):
        return fault
    needed = NEEDED.get(code, "")
    if needed and text.count(needed) != 1:
        return _("This cannot do without %(what)s, once.") % {"what": needed}
    if "{" in text.replace(needed or "{}", "") or "}" in text.replace(needed or "{}", ""):
        return _("No other braces can stand here.")
    return ""
