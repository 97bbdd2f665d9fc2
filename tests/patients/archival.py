"""Is a file PDF/A-2a and PDF/UA-1? As far as a program can say; what it finds wrong, in words.

No validator is among Debian's packages: veraPDF is a Java program of its own. So its rules are
asked here one by one, of the parsed file: ISO 19005-2 at level A, and of ISO 14289-1 those failures
of the Matterhorn protocol that need no human eye. Stricter where the house is: no link leads out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from tests.patients import archival_content, archival_fonts, archival_structure, archival_words

says = archival_content.is_true
Check = Callable[[PdfReader], Iterator[str]]

HEADER = re.compile(rb"%PDF-1\.[4-7]\r?\n%[\x80-\xff]{4}")
EOF = re.compile(rb"%%EOF(\r\n|\r|\n)?\Z")
LONGEST_STRING, LONGEST_NAME, LARGEST_NUMBER = 32767, 127, 2**31 - 1
NEVER = ("/AA", "/JS", "/JavaScript", "/OpenAction", "/EmbeddedFiles", "/AF", "/EF", "/XFA", "/URI")
NEVER_IN_ROOT = ("/Requirements", "/Collection", "/OCProperties", "/AlternatePresentations")
ACTIONS = ("/GoTo", "/Named", "/GoToR", "/URI", "/SubmitForm", "/Thread", "/Launch", "/Sound",
           "/Movie", "/ResetForm", "/ImportData", "/Hide", "/SetOCGState", "/Rendition", "/Trans",
           "/GoTo3DView", "/JavaScript", "/GoToE")  # fmt: skip
MAY_ACT = ("/GoTo", "/Named")
PRINT, HIDDEN = 4, (1, 2, 32, 256)
"""Flags of annotations: printed; invisible, hidden, not viewed, viewed by turns."""


def faults(pdf: bytes) -> list[str]:
    """What is wrong with a file, nothing if it is right."""
    if not HEADER.match(pdf):
        return ["the header is no header of PDF/A"]
    reader = PdfReader(BytesIO(pdf), strict=True)
    if reader.is_encrypted or "/Encrypt" in reader.trailer:
        return ["it is encrypted"]
    found = [] if EOF.search(pdf) else ["something follows the end of the file"]
    for check in CHECKS:
        found += [f"{check.__name__}: {fault}" for fault in check(reader)]
    return found


def numbered(reader: PdfReader) -> Iterator[Any]:
    """Every numbered object of a file."""
    for number in range(1, int(reader.trailer["/Size"])):
        found = reader.get_object(IndirectObject(number, 0, reader))
        if found is not None:
            yield found


def parts(thing: Any) -> Iterator[Any]:
    """An object and everything in it that has no number of its own."""
    yield thing
    inner: Any = ()
    if isinstance(thing, DictionaryObject):
        inner = [*thing.keys(), *(thing.raw_get(key) for key in thing)]
    elif isinstance(thing, ArrayObject):
        inner = [thing[n] if not _is_far(thing, n) else None for n in range(len(thing))]
    for one in inner:
        if not isinstance(one, IndirectObject):
            yield from parts(one)


def _is_far(array: ArrayObject, n: int) -> bool:
    return isinstance(list.__getitem__(array, n), IndirectObject)


def dictionaries(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Every dictionary of a file, those of streams too."""
    for thing in numbered(reader):
        for part in parts(thing):
            if isinstance(part, DictionaryObject):
                yield part


def form(reader: PdfReader) -> Iterator[str]:
    """6.1: trailer, limits, streams, pages."""
    if len(reader.trailer.get("/ID", ())) != 2:
        yield "no file identifier"
    for thing in numbered(reader):
        for part in parts(thing):
            yield from _too_large(part)
    for one in dictionaries(reader):
        if isinstance(one, StreamObject):
            if {"/F", "/FFilter", "/FDecodeParms"} & set(one):
                yield "a stream lies in another file"
            filters = one.get("/Filter", ())
            for name in filters if isinstance(filters, ArrayObject) else [filters]:
                if name in ("/LZWDecode", "/Crypt", "/JPXDecode"):
                    yield f"a stream is packed by {name}"
    for page in reader.pages:
        for side in (page.mediabox.width, page.mediabox.height):
            if not 3 <= side <= 14400:
                yield f"a page of {side} units"


def _too_large(part: Any) -> Iterator[str]:
    if isinstance(part, (TextStringObject, ByteStringObject)):
        if len(part.original_bytes) > LONGEST_STRING:
            yield "a string is too long"
    elif isinstance(part, NameObject):
        if len(part.encode()) > LONGEST_NAME + 1:
            yield "a name is too long"
    elif isinstance(part, NumberObject) and abs(part) > LARGEST_NUMBER:
        yield "a number is too large"


def root(reader: PdfReader) -> Iterator[str]:
    """The catalogue: tagged, in a language, with its title in the window."""
    catalogue = reader.trailer["/Root"]
    if not archival_words.is_language(catalogue.get("/Lang")):
        yield f"the language is {catalogue.get('/Lang')!r}"
    marks = catalogue.get("/MarkInfo", {})
    if not says(marks.get("/Marked")) or says(marks.get("/Suspects")):
        yield "it does not say that it is tagged"
    if not says(catalogue.get("/ViewerPreferences", {}).get("/DisplayDocTitle")):
        yield "the title is not shown in the window"
    yield from (f"{key} in the root" for key in NEVER_IN_ROOT if key in catalogue)
    if says(catalogue.get("/NeedsRendering")):
        yield "it needs rendering"
    if not set(catalogue.get("/Perms", {})) <= {"/DocMDP", "/UR3"}:
        yield "permissions of an unknown kind"
    if not set(catalogue.get("/Names", {})) <= {"/Dests"}:
        yield "names of more than places"


def acts(reader: PdfReader) -> Iterator[str]:
    """6.5: nothing acts, and nothing leads out."""
    for one in dictionaries(reader):
        yield from (key for key in NEVER if key in one)
        kind = one.get("/S")
        if kind in ACTIONS and kind not in MAY_ACT and "/P" not in one:
            yield f"an action {kind}"
        if one.get("/Type") == "/Filespec":
            yield "a file beside it"


def intent(reader: PdfReader) -> Iterator[str]:
    """6.2.3: one output intent, whose profile is whole and for red, green and blue."""
    intents = reader.trailer["/Root"].get("/OutputIntents", [])
    if [one.get_object().get("/S") for one in intents] != ["/GTS_PDFA1"]:
        yield "not one output intent of PDF/A"
        return
    said = intents[0].get_object()
    if not said.get("/OutputConditionIdentifier"):
        yield "the output intent has no name"
    profile = said.get("/DestOutputProfile")
    if profile is None:
        yield "the output intent has no profile"
        return
    icc = profile.get_object().get_data()
    if profile.get_object().get("/N") != 3 or icc[16:20] != b"RGB ":
        yield "the profile is not for three colours"
    if icc[36:40] != b"acsp" or int.from_bytes(icc[:4], "big") != len(icc):
        yield "the profile is not whole"
    if icc[12:16] not in (b"mntr", b"prtr") or icc[8] > 4:
        yield "the profile is of another kind"


def beside_the_text(reader: PdfReader) -> Iterator[str]:
    """6.3, 6.4 and 7.18: annotations and fields."""
    for number, page in enumerate(reader.pages, 1):
        annotations = [one.get_object() for one in page.get("/Annots", [])]
        if annotations and page.get("/Tabs") != "/S":
            yield f"page {number}: the tab key does not follow the structure"
        for one in annotations:
            yield from (f"page {number}: {fault}" for fault in _annotation(one, page))
    fields = reader.trailer["/Root"].get("/AcroForm", {})
    if says(fields.get("/NeedAppearances")) or "/XFA" in fields:
        yield "the form draws itself"


def _annotation(one: Any, page: Any) -> Iterator[str]:
    kind, flags = one.get("/Subtype"), one.get("/F", 0)
    if kind not in ("/Link", "/Widget"):
        yield f"an annotation {kind}"
    if not flags & PRINT or any(flags & one for one in HIDDEN):
        yield f"an annotation {kind} that is hidden or not printed"
    left, low, right, high = map(float, one["/Rect"])
    if kind == "/Widget" and "/AP" not in one and (left != right or low != high):
        yield "a field without an appearance"
    if set(one.get("/AP", {})) - {"/N"}:
        yield "a field that looks different when touched"
    if kind == "/Widget" and ("/A" in one or not one.get("/TU")):
        yield "a field that acts, or has no name"
    box = page.cropbox
    outside = right < box.left or left > box.right or high < box.bottom or low > box.top
    if not outside and ("/StructParent" not in one or not (one.get("/Contents") or one.get("/TU"))):
        yield f"an annotation {kind} outside the structure, or without words"


CHECKS: tuple[Check, ...] = (
    *(form, root, acts, intent, beside_the_text),
    *(archival_words.metadata, archival_fonts.fonts),
    *(archival_content.painted, archival_content.colours, archival_structure.structure),
)
