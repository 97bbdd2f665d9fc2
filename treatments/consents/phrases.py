"""Phrases of a further language by their English: what may stand in them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

LONGEST_PHRASE = 1_000
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)s")
# A phrase may stand in an attribute too, where a template's own words are not escaped.
_MARK_UP = re.compile(r'[<>"]')


def phrase_name(english: str) -> str:
    """The name of the field of a phrase, which has no other key than the English behind it."""
    return f"phrase_{hashlib.sha256(english.encode()).hexdigest()[:12]}"


def phrase_faults(phrases: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with phrases, by the name of their field. An empty one is not written yet."""
    return {
        phrase_name(english): fault
        for english, text in phrases.items()
        if text.strip() and (fault := _fault(english, text))
    }


def _fault(english: str, text: str) -> str:
    if len(text) > LONGEST_PHRASE:
        return _("This is too long.")
    if _MARK_UP.search(text):
        return _("No mark-up can stand here.")
    places = [sorted(_PLACEHOLDER.findall(one)) for one in (english, text)]
    if places[0] != places[1]:
        return _("It needs the placeholders of the English text, no more and no fewer.")
    # A lone percent sign would break a phrase that is filled in.
    if places[0] and "%" in _PLACEHOLDER.sub("", text):
        return _("It needs the placeholders of the English text, no more and no fewer.")
    return ""
