"""Numbers as a phone is to dial them."""

from __future__ import annotations

import re


def dial(text: str) -> str:
    """The first number of a text without its spaces: `112` of `112 (15)`, of which a phone would
    leave the brackets out and dial both.
    """
    found = re.search(r"\+?\d[\d ]*", str(text or ""))
    return found[0].replace(" ", "") if found else ""
