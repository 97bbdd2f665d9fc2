"""What is painted on the pages: tagged or an artifact, in colours that are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ContentStream

SHOWS = {b"Tj", b"TJ", b"'", b'"'}
PAINTS = {b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"S", b"s", b"sh", b"INLINE IMAGE"} | SHOWS
OPERATORS = PAINTS | set(
    b"b BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EMC ET EX G g gs h i ID j J K k l m M MP n "
    b"q Q re RG rg ri SC sc SCN scn T* Tc Td TD Tf TL Tm Tr Ts Tw Tz v w W W* y".split()
)
DEEPEST = 28
BLENDS = {"/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken", "/Lighten",
          "/ColorDodge", "/ColorBurn", "/HardLight", "/SoftLight", "/Difference", "/Exclusion",
          "/Hue", "/Saturation", "/Color", "/Luminosity"}  # fmt: skip
SPACES = ("/DeviceRGB", "/DeviceGray", "/Pattern", "/ICCBased", "/Separation", "/Indexed")
INTENTS = ("/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation")


@dataclass
class Shown:
    """A font as it is used: the codes that are shown, in bytes."""

    font: Any
    codes: list[bytes] = field(default_factory=list)


@dataclass
class Page:
    """What is found in the content of a page and the forms that it paints."""

    numbers: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    shown: dict[int, Shown] = field(default_factory=dict)


def is_true(said: Any) -> bool:
    """Whether a key says yes; what pypdf makes of a false one is true to Python."""
    return bool(said == True)  # noqa: E712


def resources_of(thing: Any, kind: str) -> dict[str, Any]:
    """What a page or form calls by name."""
    found = thing.get("/Resources", {}).get_object().get(kind, {})
    return {name: one.get_object() for name, one in found.get_object().items()}


def read(reader: PdfReader, page: Any) -> Page:
    """Go through the content of a page."""
    found = Page()
    content = page.get_contents()
    if content is not None:
        _go(reader, page, content, found, [], 0)
    return found


def _go(
    reader: PdfReader, owner: Any, content: Any, found: Page, marks: list[str], at: int
) -> None:
    if not isinstance(content, ContentStream):
        content = ContentStream(content, reader)
    operations = content.operations
    fonts, objects = resources_of(owner, "/Font"), resources_of(owner, "/XObject")
    opened, depth, font, unseen = len(marks), 0, None, False
    saved: list[tuple[Any, bool]] = []
    for operands, operator in operations:
        if operator not in OPERATORS:
            found.faults.append(f"an unknown operator {operator!r}")
        if operator in (b"BMC", b"BDC"):
            _open(owner, operands, found, marks)
        elif operator == b"EMC":
            if len(marks) == opened:
                found.faults.append("a mark is closed that was not opened")
            else:
                marks.pop()
        elif operator == b"q":
            saved.append((font, unseen))
            depth = max(depth, len(saved))
        elif operator == b"Q" and saved:
            font, unseen = saved.pop()
        elif operator == b"Tf":
            font = fonts[operands[0]]
        elif operator == b"Tr":
            unseen = operands[0] == 3
        elif operator == b"Do":
            one = objects[operands[0]]
            if one["/Subtype"] == "/Form" and at < 9:
                _go(reader, one, one, found, marks, at + 1)
            elif not _is_told(marks):
                found.faults.append("an image is painted outside the structure")
        elif operator in (b"k", b"K"):
            found.faults.append("a colour of four inks")
        elif operator in (b"cs", b"CS"):
            _space(resources_of(owner, "/ColorSpace").get(operands[0], operands[0]), found)
        elif operator == b"ri" and operands[0] not in INTENTS:
            found.faults.append("an unknown rendering intent")
        if operator in PAINTS and not _is_told(marks):
            found.faults.append(f"painted outside the structure by {operator.decode()}")
        if operator in SHOWS and font is not None and not unseen:
            _show(font, operands, found)
    if len(marks) != opened or depth > DEEPEST:
        found.faults.append("marks left open, or too deep")


def _open(owner: Any, operands: Any, found: Page, marks: list[str]) -> None:
    tag, *more = operands
    said = more[0] if more else {}
    if isinstance(said, str):
        said = resources_of(owner, "/Properties").get(said, {})
    number = said.get("/MCID")
    kind = "artifact" if tag == "/Artifact" else "tagged" if number is not None else "plain"
    if kind == "tagged":
        found.numbers[int(number)] += 1
    if {kind, *marks} >= {"artifact", "tagged"}:
        found.faults.append("an artifact in what is tagged, or the other way round")
    marks.append(kind)


def _is_told(marks: list[str]) -> bool:
    """Whether what is painted here is tagged, or said to be an artifact."""
    return "tagged" in marks or "artifact" in marks


def _show(font: Any, operands: Any, found: Page) -> None:
    shown = found.shown.setdefault(id(font), Shown(font))
    said = operands[-1]
    for one in said if isinstance(said, list) else [said]:
        if hasattr(one, "original_bytes"):
            shown.codes.append(one.original_bytes)
        elif isinstance(one, bytes):
            shown.codes.append(one)


def _space(space: Any, found: Page) -> None:
    name = space[0] if isinstance(space, list) else space
    if name not in SPACES:
        found.faults.append(f"a colour space {name}")


def painted(reader: PdfReader) -> Iterator[str]:
    """7.1: everything that is painted is tagged or an artifact, and both sides say the same."""
    tree = reader.trailer["/Root"].get("/StructTreeRoot", {}).get("/ParentTree")
    parents = dict(_numbers(tree.get_object())) if tree is not None else {}
    for number, page in enumerate(reader.pages, 1):
        found = read(reader, page)
        yield from (f"page {number}: {fault}" for fault in dict.fromkeys(found.faults))
        yield from (f"page {number}: number {n} twice" for n, c in found.numbers.items() if c > 1)
        if found.numbers and page.get("/StructParents") not in parents:
            yield f"page {number} is not in the tree of parents"
            continue
        owners = parents.get(page.get("/StructParents"), [])
        for one in found.numbers:
            owner = owners[one].get_object() if one < len(owners) else None
            if not owner or one not in _kids_on(owner, page):
                yield f"page {number}: number {one} belongs to nothing"


def _numbers(node: Any) -> Iterator[tuple[int, Any]]:
    for kid in node.get("/Kids", []):
        yield from _numbers(kid.get_object())
    listed = node.get("/Nums", [])
    yield from ((int(listed[n]), listed[n + 1].get_object()) for n in range(0, len(listed), 2))


def _kids_on(element: Any, page: Any) -> set[int]:
    kids = element.get("/K", [])
    kids = kids if isinstance(kids, list) else [kids]
    found = set()
    for kid in (one.get_object() for one in kids):
        if isinstance(kid, int):
            where, number = element, kid
        elif kid.get("/Type") == "/MCR":
            where, number = kid if "/Pg" in kid else element, kid["/MCID"]
        else:
            continue
        if "/Pg" in where and where.raw_get("/Pg").idnum == page.indirect_reference.idnum:
            found.add(int(number))
    return found


def colours(reader: PdfReader) -> Iterator[str]:
    """6.2: images, graphics states, forms, groups and shades."""
    for number in range(1, int(reader.trailer["/Size"])):
        one = reader.get_object(number)
        if not isinstance(one, dict):
            continue
        if one.get("/Subtype") == "/Image":
            yield from _image(one)
        if one.get("/Subtype") == "/Form" and {"/PS", "/OPI", "/Ref", "/Subtype2"} & set(one):
            yield "a form that is more than a form"
        group = one.get("/Group")
        if group and _name(group.get("/CS", "/DeviceRGB")) not in SPACES:
            yield f"a group in {_name(group['/CS'])}"
        if "/ShadingType" in one and _name(one["/ColorSpace"]) not in SPACES:
            yield "a shade in a colour space that is not known"
    for page in reader.pages:
        for state in resources_of(page, "/ExtGState").values():
            if {"/TR", "/HTP", "/HTO"} & set(state) or state.get("/TR2", "/Default") != "/Default":
                yield "a graphics state with a transfer function"
            if state.get("/BM", "/Normal") not in BLENDS:
                yield f"a blend mode {state['/BM']}"


def _name(space: Any) -> Any:
    return space[0] if isinstance(space, list) else space


def _image(one: Any) -> Iterator[str]:
    if {"/Alternates", "/OPI"} & set(one) or is_true(one.get("/Interpolate")):
        yield "an image with alternates, or smoothed"
    if not is_true(one.get("/ImageMask")) and _name(one.get("/ColorSpace")) not in SPACES:
        yield f"an image in {_name(one.get('/ColorSpace'))}"
