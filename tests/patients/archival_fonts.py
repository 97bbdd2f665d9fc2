"""Every font that is used is inside, has the letters that are shown, and tells what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

from fontTools.ttLib import TTFont
from pypdf import PdfReader

from tests.patients.archival_content import Shown, read

FILES = ("/FontFile", "/FontFile2", "/FontFile3")
NOTHING = {"\x00", "\ufeff", "\ufffe"}
PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
WIDTHS_APART = 1.0
"""Thousandths of the size by which a width in the file may differ from that in the font."""


def fonts(reader: PdfReader) -> Iterator[str]:
    """6.2.11 and 7.21: those that show something on a page."""
    for number, page in enumerate(reader.pages, 1):
        for shown in read(reader, page).shown.values():
            name = shown.font.get("/BaseFont", "a font")
            yield from (f"page {number}: {name}: {fault}" for fault in _font(shown))


def _font(shown: Shown) -> Iterator[str]:
    font = shown.font
    if "/ToUnicode" not in font:
        yield "does not tell its letters"
        return
    means = meanings(font["/ToUnicode"].get_object().get_data())
    if font["/Subtype"] == "/Type3":
        codes = {one for said in shown.codes for one in said}
        yield from _meant(codes, means)
        return
    if font["/Subtype"] != "/Type0" or font.get("/Encoding") not in ("/Identity-H", "/Identity-V"):
        yield f"is a font of kind {font['/Subtype']}, {font.get('/Encoding')}"
        return
    (inner,) = (one.get_object() for one in font["/DescendantFonts"])
    codes = {
        int.from_bytes(said[at : at + 2], "big")
        for said in shown.codes
        for at in range(0, len(said), 2)
    }
    yield from _meant(codes, means)
    yield from _described(inner, font)
    yield from _inside(inner, codes)


def _meant(codes: set[int], means: dict[int, str]) -> Iterator[str]:
    if lost := sorted(codes - set(means)):
        yield f"shows {lost[:9]} without a meaning"
    said = {means[code] for code in codes & set(means)}
    if said & NOTHING or "" in said:
        yield "shows what means nothing"
    if any(PRIVATE.search(one) for one in said):
        yield "shows what has a private meaning"


def meanings(told: bytes) -> dict[int, str]:
    """The letters of each code, as a map in the file has them."""
    found = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", told, re.S):
        for code, letters in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>", block):
            found[int(code, 16)] = _letters(letters)
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", told, re.S):
        for first, last, letters in re.findall(
            rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block
        ):
            start = _letters(letters)
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[int(first, 16) + step] = start[:-1] + chr(ord(start[-1]) + step)
    return found


def _letters(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be")


def _described(inner: Any, font: Any) -> Iterator[str]:
    said = inner["/FontDescriptor"].get_object()
    if len([key for key in FILES if key in said]) != 1:
        yield "is not inside"
    if not (said.get("/FontName") == font["/BaseFont"] == inner["/BaseFont"]):
        yield "has several names"
    if not re.match(r"/[A-Z]{6}\+", font["/BaseFont"]):
        yield "does not say that it is a part"
    if {"/Registry", "/Ordering", "/Supplement"} - set(inner.get("/CIDSystemInfo", {})):
        yield "does not say which letters it has"
    if inner["/Subtype"] == "/CIDFontType2" and "/CIDToGIDMap" not in inner:
        yield "does not say where its letters are"
    file = said.get("/FontFile3")
    if file is not None and file.get_object().get("/Subtype") not in (
        "/CIDFontType0C",
        "/OpenType",
    ):
        yield "is packed as another kind"
    if "/CIDSet" in said:
        yield "has a set of letters, which would have to be whole"


def _inside(inner: Any, codes: set[int]) -> Iterator[str]:
    said = inner["/FontDescriptor"].get_object()
    file = next((said[key].get_object() for key in FILES if key in said), None)
    if file is None:
        return
    held = _opened(file.get_data())
    if held is None:
        yield "cannot be read"
        return
    order, widths, scale = held
    if 0 in codes:
        yield "shows a letter that it does not have"
    if lost := [code for code in codes if code >= len(order)]:
        yield f"lacks {lost[:9]}"
    told = dict(_widths(inner.get("/W", [])))
    for code in sorted(codes):
        if code < len(order):
            real = widths[order[code]] * 1000 / scale
            if abs(told.get(code, float(inner.get("/DW", 1000))) - real) > WIDTHS_APART:
                yield f"letter {code} is {told.get(code)} wide, in the font {real:.1f}"
                return


@cache
def _opened(content: bytes) -> tuple[list[str], dict[str, int], int] | None:
    font = TTFont(BytesIO(content))
    widths = {name: width for name, (width, _side) in font["hmtx"].metrics.items()}
    return font.getGlyphOrder(), widths, font["head"].unitsPerEm


def _widths(said: Any) -> Iterator[tuple[int, float]]:
    at = 0
    while at < len(said):
        first, more = int(said[at]), said[at + 1].get_object()
        if isinstance(more, list):
            yield from ((first + n, float(one)) for n, one in enumerate(more))
            at += 2
        else:
            yield from ((code, float(said[at + 2])) for code in range(first, int(more) + 1))
            at += 3
