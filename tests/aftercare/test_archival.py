"""Every kind of document is PDF/A-2a and PDF/UA-1 under its seal; the check sees what is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from clinic.rendering.pdf import render_sealed
from patients.documents.actions import read_pdf, render_next
from patients.documents.models import Document
from tests.aftercare.papers import KINDS, papers, write_file
from tests.conftest import Cast
from tests.patients.archival import faults
from tests.patients.archival_structure import tree_of
from tests.patients.four_scripts import PAPERS, whole_page

pytestmark = pytest.mark.django_db


def test_every_kind_of_document(cast: Cast) -> None:
    """As it is stored: sealed, with its evidence."""
    asked = dict(papers(write_file(cast), cast))
    assert set(asked) == set(KINDS)
    assert {document.kind for document in asked.values()} == set(Document.Kind)
    while (made := render_next()) is not None:
        assert made.state == Document.State.READY, (made.kind, made.error)
    found = {}
    for kind, document in asked.items():
        document.refresh_from_db()
        found[kind] = faults(read_pdf(document))
    assert not any(found.values()), found


@pytest.mark.parametrize("language", PAPERS)
def test_every_script(language: str) -> None:
    assert faults(render_sealed(whole_page(PAPERS[language])).pdf) == []


PAGE = """<html lang="en"><head><title>T</title><meta name="author" content="A"></head><body>
<div class="letterhead"><p>Place</p></div><h1>One</h1><h2>Two</h2><p>Words</p><ul><li>a</li></ul>
<svg role="img" aria-label="A drawing" viewBox="0 0 9 9" width="99"><path d="M0 0L9 9"/></svg>
<table><caption>C</caption><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>
<tbody><tr><th scope="row">c</th><td>d</td></tr></tbody></table></body></html>"""


@pytest.fixture(scope="module")
def page() -> bytes:
    return render_sealed(PAGE).pdf


def test_the_page_that_is_spoiled_is_right_to_begin_with(page: bytes) -> None:
    assert faults(page) == []
    assert spoiled(page, lambda _writer: None) == []


def spoiled(pdf: bytes, spoil: Callable[[Any], Any]) -> list[str]:
    """What is found in a file after something was done to it."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf)))
    spoil(writer)
    out = BytesIO()
    writer.write(out)
    return faults(re.sub(rb"\A%PDF-1\.\d\n%[^\n]*", b"%PDF-1.7\n%\xf0\x9f\x96\xa4", out.getvalue()))


def root(writer: Any) -> Any:
    return writer._root_object


def fonts(writer: Any) -> list[Any]:
    return [one.get_object() for one in writer.pages[0]["/Resources"]["/Font"].values()]


def of_kind(writer: Any, kind: str) -> Any:
    (top,) = tree_of(writer_reader(writer))
    return next(one.said for one in top.walk() if one.kind == kind)


def writer_reader(writer: Any) -> Any:
    """The tree is read from what has a trailer."""
    return type("Read", (), {"trailer": {"/Root": root(writer)}})


def add_to_page(writer: Any, content: bytes) -> None:
    page = writer.pages[0]
    stream = DecodedStreamObject()
    stream.set_data(page.get_contents().get_data() + b"\n" + content)
    page[NameObject("/Contents")] = writer._add_object(stream)


def put(where: Any, key: str, value: Any) -> None:
    where[NameObject(key)] = value


def rename(where: Any, value: str) -> None:
    put(where, "/S", NameObject(value))


def metadata(writer: Any, old: bytes, new: bytes) -> None:
    stream = root(writer)["/Metadata"].get_object()
    changed = stream.get_data().replace(old, new)
    assert changed != stream.get_data()
    stream.set_data(changed)


def annotate(writer: Any, **said: Any) -> None:
    box = ArrayObject(NumberObject(n) for n in (10, 10, 50, 50))
    note = DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/Rect"): box})
    for key, value in said.items():
        put(note, f"/{key}", value)
    writer.pages[0]["/Annots"].append(writer._add_object(note))


def action(kind: str) -> DictionaryObject:
    return DictionaryObject({NameObject("/S"): NameObject(kind)})


SPOILS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no language": (lambda w: root(w).pop("/Lang"), "language"),
    "no marks": (lambda w: root(w).pop("/MarkInfo"), "tagged"),
    "no structure": (lambda w: root(w).pop("/StructTreeRoot"), "at the top"),
    "no title shown": (lambda w: root(w).pop("/ViewerPreferences"), "title"),
    "no intent": (lambda w: root(w).pop("/OutputIntents"), "intent"),
    "no metadata": (lambda w: root(w).pop("/Metadata"), "metadata"),
    "another level": (
        lambda w: metadata(w, b'conformance="A"', b'conformance="B"'),
        "conformance is B",
    ),
    "not for everybody": (lambda w: metadata(w, b"pdfuaid:part", b"pdfuaid:rev"), "pdfua"),
    "undeclared": (lambda w: metadata(w, b"pdfaSchema:namespaceURI", b"pdfaSchema:x"), "declared"),
    "another title": (lambda w: w.add_metadata({"/Title": "Other"}), "/Title"),
    "a script": (lambda w: put(root(w), "/JS", TextStringObject("app.alert(1)")), "/JS"),
    "a file": (lambda w: w.add_attachment("a.txt", b"x"), "/EmbeddedFiles"),
    "opens": (lambda w: put(root(w), "/OpenAction", action("/Launch")), "/Launch"),
    "leads out": (
        lambda w: annotate(w, A=action("/URI"), F=NumberObject(4)),
        "an action /URI",
    ),
    "not printed": (lambda w: annotate(w, F=NumberObject(2)), "not printed"),
    "outside the structure": (lambda w: annotate(w, F=NumberObject(4)), "outside the structure"),
    "no font inside": (
        lambda w: [
            one["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object().pop(key, None)
            for one in fonts(w)
            for key in ("/FontFile2", "/FontFile3")
        ],
        "is not inside",
    ),
    "no letters": (lambda w: [one.pop("/ToUnicode") for one in fonts(w)], "tell its letters"),
    "no widths": (
        lambda w: [one["/DescendantFonts"][0].get_object().pop("/W") for one in fonts(w)],
        "wide, in the font",
    ),
    "untagged": (lambda w: add_to_page(w, b"0 0 m 9 9 l S"), "outside the structure by S"),
    "twice": (lambda w: add_to_page(w, b"/P <</MCID 0>> BDC EMC"), "number 0 twice"),
    "unknown mark": (lambda w: add_to_page(w, b"/P <</MCID 999>> BDC EMC"), "belongs to nothing"),
    "left open": (lambda w: add_to_page(w, b"/Artifact BMC"), "left open"),
    "four inks": (lambda w: add_to_page(w, b"/Artifact BMC 0 0 0 1 k 0 0 1 1 re f EMC"), "inks"),
    "no words": (lambda w: of_kind(w, "/Figure").pop("/Alt"), "without words"),
    "no scope": (lambda w: of_kind(w, "/TH").pop("/A"), "without its scope"),
    "a level left out": (lambda w: rename(of_kind(w, "/H2"), "/H3"), "comes after H1"),
    "no kind": (lambda w: rename(of_kind(w, "/P"), "/Nothing"), "no kind of the standard"),
    "a cell outside": (lambda w: rename(of_kind(w, "/TR"), "/P"), "/TH stands in"),
    "a shade": (
        lambda w: w._add_object(
            DictionaryObject(
                {
                    NameObject("/ShadingType"): NumberObject(2),
                    NameObject("/ColorSpace"): NameObject("/DeviceCMYK"),
                }
            )
        ),
        "shade",
    ),
    "smoothed": (
        lambda w: w._add_object(
            DictionaryObject(
                {
                    NameObject("/Subtype"): NameObject("/Image"),
                    NameObject("/ColorSpace"): NameObject("/DeviceRGB"),
                    NameObject("/Interpolate"): BooleanObject(True),
                }
            )
        ),
        "smoothed",
    ),
    "a long string": (
        lambda w: w._add_object(TextStringObject("x" * 40_000)),
        "string is too long",
    ),
    "encrypted": (lambda w: w.encrypt("x"), "encrypted"),
}


@pytest.mark.parametrize("name", SPOILS)
def test_what_is_wrong_is_found(page: bytes, name: str) -> None:
    """The negative controls: each fault alone, in a file that is right otherwise."""
    spoil, said = SPOILS[name]
    found = spoiled(page, spoil)
    assert any(said in one for one in found), found


def test_words_after_the_end_are_found(page: bytes) -> None:
    assert faults(page + b"more") == ["something follows the end of the file"]
