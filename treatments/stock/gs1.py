"""Reading the code on a package: product number, lot, expiry and serial of a GS1 element string.

Takes what scanners really send: with or without a symbology identifier, with the group separator
(FNC1, ASCII 29) as itself or as a visible stand-in, the text printed under the symbol
`(01)…(17)…`, or a GS1 Digital Link. biip does the parsing; what it lets pass is checked here, since
a separator that is missing joins a lot number and an expiry date into one wrong lot number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from biip import ParseError, gs1_prefixes
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString, GS1ElementStrings
from biip.gs1_messages import GS1Message
from biip.gtin import Gtin
from django.utils.translation import gettext as _

# To which company a number was given is asked nowhere, and would take 15 MB of every process.
gs1_prefixes._GS1_COMPANY_PREFIX_TRIE = {}

GS = "\x1d"
SHOWN_GS = "␝"
"""How a separator is shown where text is edited."""
STAND_INS = (SHOWN_GS, "{GS}", "[GS]", "^]", "|", "^", "~")
"""What scanners are set to send for a separator; none of these may stand in an element string."""
LONGEST = 400
BARE_NUMBERS = (8, 12, 13)
"""The digits of a product number that stands alone, as in the striped code of a shop."""
SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
HIDDEN_EXPIRY = re.compile(r"17\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")


class UnreadableCode(Exception):
    """The code says nothing that can be used; the message tells a person what is wrong with it."""


@dataclass(frozen=True)
class Package:
    """What a code says. Empty or None: not in the code. `doubt` says what to look at by hand."""

    gtin: str = ""
    lot: str = ""
    expires_on: date | None = None
    serial: str = ""
    doubt: str = ""

    @property
    def key(self) -> str:
        """This very package, where it has a serial number; else nothing."""
        return f"{self.gtin} {self.serial}" if self.gtin and self.serial else ""


def with_separators(text: str) -> str:
    """A scanned text with its separators as ASCII 29 and without what frames it."""
    found = SYMBOLOGY.sub("", text.strip().strip("\0"))
    for stand_in in STAND_INS:
        found = found.replace(stand_in, GS)
    return found.strip(GS)


def readable(text: str) -> str:
    """The same with separators that can be seen."""
    return text.replace(GS, SHOWN_GS)


def read_package(text: str) -> Package:
    """What the code on a package says. Raises `UnreadableCode`, in words fit to show.

    A day of 00 in an expiry date is the last day of its month, as GS1 has it.
    """
    if len(text) > LONGEST:
        raise UnreadableCode(_("This is longer than any code on a package."))
    _refuse_other_codes(text.strip())
    try:
        return _package(_elements(text))
    except ParseError:
        raise UnreadableCode(_why_not(with_separators(text))) from None


def _refuse_other_codes(text: str) -> None:
    if not text:
        raise UnreadableCode(_("Scan or type the code first."))
    if text.startswith("+"):
        raise UnreadableCode(
            _("This is an HIBC code, not a GS1 code. Type lot and expiry as printed.")
        )
    if not text.isascii() and SHOWN_GS not in text:
        raise UnreadableCode(
            _("The code has letters that no GS1 code has. Is the scanner set to another keyboard?")
        )


def _elements(text: str) -> GS1ElementStrings:
    found = with_separators(text)
    if found.lower().startswith(("http://", "https://")):
        return GS1DigitalLinkURI.parse(found).element_strings
    if found.startswith("("):
        return GS1Message.parse_hri(found).element_strings
    if found.isdigit() and len(found) in BARE_NUMBERS:
        Gtin.parse(found)
        return GS1Message.parse(f"01{found.zfill(14)}").element_strings
    elements = GS1Message.parse(found).element_strings
    _refuse_run_together(found, elements)
    return elements


def _refuse_run_together(text: str, elements: Iterable[GS1ElementString]) -> None:
    """After an element of any length there must be a separator, or the end."""
    rest = text
    for element in elements:
        rest = rest[len(element) :]
        if rest and element.ai.separator_required and not rest.startswith(GS):
            raise UnreadableCode(_without_separators())
        rest = rest.lstrip(GS)


def _package(elements: GS1ElementStrings) -> Package:
    said = {element.ai.ai: element for element in reversed(elements)}
    number, lot, expiry = said.get("01"), said.get("10"), said.get("17")
    if number is not None and number.gtin is None:
        raise UnreadableCode(_wrong_number(number.value))
    for found in (lot, said.get("21")):
        if expiry is None and found is not None and HIDDEN_EXPIRY.search(found.value):
            raise UnreadableCode(_without_separators())
    serial = said.get("21")
    package = Package(
        gtin=number.gtin.as_gtin_14() if number is not None and number.gtin else "",
        lot=lot.value if lot else "",
        expires_on=expiry.date if expiry else None,
        serial=serial.value if serial else "",
    )
    if not (package.gtin or package.lot or package.expires_on):
        raise UnreadableCode(_("The code holds neither product number, lot nor expiry date."))
    return replace(package, doubt=_lacking(package) or _swallowed(package))


def _lacking(package: Package) -> str:
    lacking = [
        str(word)
        for word, value in (
            (_("product number"), package.gtin),
            (_("lot number"), package.lot),
            (_("expiry date"), package.expires_on),
        )
        if not value
    ]
    if not lacking:
        return ""
    return _("Not in the code: %(what)s. Type it as printed.") % {"what": ", ".join(lacking)}


def _swallowed(package: Package) -> str:
    """A lot number that may hold a serial number behind it: 21 and more, and no serial read."""
    if package.serial or "21" not in package.lot[1:-1]:
        return ""
    return _(
        "Compare the lot number %(lot)s with the package: if it is longer than printed, the "
        "scanner leaves out the group separators."
    ) % {"lot": package.lot}


def _wrong_number(number: str) -> str:
    text = _("The product number %(number)s is wrong: its check digit does not fit. Scan again.")
    return text % {"number": number}


def _without_separators() -> str:
    return _(
        "Lot number and expiry date have run together: the group separators are missing. "
        "Set the scanner to send them (FNC1 as ASCII 29), or type lot and expiry as printed."
    )


def _why_not(text: str) -> str:
    """What is wrong with a text that is no GS1 message, as far as can be told."""
    if text.isdigit() and len(text) in BARE_NUMBERS:
        return _wrong_number(text)
    if re.match(r"^(01|02)\d{0,13}($|\D)", text):
        return _("The code is cut off: a product number has 14 digits. Scan again.")
    after_number = text[16:] if text.startswith("01") else text
    if found := re.search(r"17(\d{6})", after_number):
        if not HIDDEN_EXPIRY.match(found[0]):
            return _("The expiry date %(date)s in the code is not a date.") % {"date": found[1]}
        return _without_separators()
    return _("This is not a GS1 code. Scan the square code again, or type lot and expiry.")
