"""What may stand in the words of a sheet, and what is wrong with them. Pure."""

from __future__ import annotations

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
