"""Numbers as a phone is to dial them, and as a line of text is to show them."""

from __future__ import annotations

import re


def dial(text: str) -> str:
    """The first number of a text without its spaces: `112` of `112 (15)`, of which a phone would
    leave the brackets out and dial both.
    """
    found = re.search(r"\+?\d[\d\s]*", str(text or ""))
    return "".join(found[0].split()) if found else ""


def unbroken(text: str) -> str:
    """A number that no end of a line tears apart."""
    return text.replace(" ", "\u00a0")
