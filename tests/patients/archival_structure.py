"""The tree of structure: kinds that are known, in their places; words for what is no text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader

from tests.patients.archival_words import is_language

STANDARD = {
    *("/Document", "/Part", "/Art", "/Sect", "/Div", "/BlockQuote", "/Caption", "/TOC", "/TOCI"),
    *("/Index", "/NonStruct", "/Private", "/P", "/H", "/H1", "/H2", "/H3", "/H4", "/H5", "/H6"),
    *("/L", "/LI", "/Lbl", "/LBody", "/Table", "/TR", "/TH", "/TD", "/THead", "/TBody", "/TFoot"),
    *("/Span", "/Quote", "/Note", "/Reference", "/BibEntry", "/Code", "/Link", "/Annot", "/Ruby"),
    *("/RB", "/RT", "/RP", "/Warichu", "/WT", "/WP", "/Figure", "/Formula", "/Form"),
}
INSIDE = {
    "/Table": {"/TR", "/THead", "/TBody", "/TFoot", "/Caption"},
    "/THead": {"/TR"},
    "/TBody": {"/TR"},
    "/TFoot": {"/TR"},
    "/TR": {"/TH", "/TD"},
    "/L": {"/LI", "/L", "/Caption"},
    "/LI": {"/Lbl", "/LBody"},
}
"""What these hold, and nothing else."""
ONLY_IN = {
    "/TR": {"/Table", "/THead", "/TBody", "/TFoot"},
    "/TH": {"/TR"},
    "/TD": {"/TR"},
    "/THead": {"/Table"},
    "/TBody": {"/Table"},
    "/TFoot": {"/Table"},
    "/LI": {"/L"},
    "/LBody": {"/LI"},
    "/Lbl": {"/LI", "/Note", "/Form"},
    "/Caption": {"/Table", "/L", "/Figure", "/Formula", "/Form"},
}
"""What holds these, and nothing else."""
SCOPES = ("/Row", "/Column", "/Both")


class Element:
    """An element with its kind as the standard has it, its parent and what is under it."""

    def __init__(self, said: Any, roles: Any, parent: Element | None) -> None:
        self.said, self.parent = said, parent
        self.named = said["/S"]
        kind, steps = self.named, 0
        while kind not in STANDARD and kind in roles and steps < 9:
            kind, steps = roles[kind], steps + 1
        self.kind = kind
        kids = said.get("/K", [])
        listed = kids if isinstance(kids, list) else [kids]
        self.kids = [one.get_object() for one in listed]
        self.under = [
            Element(one, roles, self) for one in self.kids if isinstance(one, dict) and "/S" in one
        ]

    def walk(self) -> Iterator[Element]:
        """This one and all that are under it, in reading order."""
        yield self
        for one in self.under:
            yield from one.walk()

    def attribute(self, name: str) -> Any:
        """An attribute by its name, of whatever owner."""
        said = self.said.get("/A", [])
        for one in said if isinstance(said, list) else [said]:
            found = one.get_object().get(name)
            if found is not None:
                return found
        return None

    @property
    def holds_something(self) -> bool:
        """Whether there is content under it."""
        return any(len(one.kids) > len(one.under) for one in self.walk())


def tree_of(reader: PdfReader) -> list[Element]:
    """The elements at the top."""
    root = reader.trailer["/Root"].get("/StructTreeRoot")
    if root is None:
        return []
    kids, roles = root.get("/K", []), root.get("/RoleMap", {})
    listed = kids if isinstance(kids, list) else [kids]
    return [Element(one.get_object(), roles, None) for one in listed]


def structure(reader: PdfReader) -> Iterator[str]:
    """6.7 and 7.2 to 7.9."""
    top = tree_of(reader)
    if [one.kind for one in top] != ["/Document"]:
        yield f"at the top there is {[str(one.kind) for one in top]}, not one document"
        return
    roles = reader.trailer["/Root"]["/StructTreeRoot"].get("/RoleMap", {})
    yield from (f"{name} stands for another" for name in roles if name in STANDARD)
    everything = list(top[0].walk())
    for one in everything:
        yield from _element(one)
        if one.kind == "/Table":
            yield from _table(one)
    yield from _headings([one.kind for one in everything if one.kind[:2] == "/H"])
    names = [one.said["/ID"] for one in everything if "/ID" in one.said]
    if names and "/IDTree" not in reader.trailer["/Root"]["/StructTreeRoot"]:
        yield "elements have names that are not listed"
    if len(set(names)) != len(names):
        yield "two elements have one name"
    yield from _lost(reader, everything)


def _lost(reader: PdfReader, everything: list[Element]) -> Iterator[str]:
    """What the content belongs to hangs in the tree."""
    known = {id(one.said) for one in everything}
    tree = reader.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"].get_object()
    listed = tree.get("/Nums", [])
    for at in range(1, len(listed), 2):
        owners = listed[at].get_object()
        for one in owners if isinstance(owners, list) else [owners]:
            owner = one.get_object() if one is not None else None
            if isinstance(owner, dict) and id(owner) not in known:
                yield f"{owner.get('/S')} hangs on nothing"


def _element(one: Element) -> Iterator[str]:
    if one.kind not in STANDARD:
        yield f"{one.named} is no kind of the standard"
    kinds = [under.kind for under in one.under]
    if one.kind in INSIDE:
        if strangers := set(kinds) - INSIDE[one.kind]:
            yield f"{one.kind} holds {sorted(strangers)}"
        if len(one.kids) > len(one.under):
            yield f"{one.kind} holds content itself"
    if one.kind in ONLY_IN and (one.parent is None or one.parent.kind not in ONLY_IN[one.kind]):
        yield f"{one.kind} stands in {one.parent and one.parent.kind}"
    if one.kind in ("/Figure", "/Formula") and not (
        one.said.get("/Alt") or one.said.get("/ActualText")
    ):
        yield f"{one.kind} without words"
    if one.kind == "/Figure" and not _is_on_its_page(one):
        yield "a figure that does not say where it is"
    if one.kind in ("/Figure", "/Link", "/TR", "/L", "/Table") and not one.kids:
        yield f"{one.kind} is empty"
    if one.kind in ("/P", *(f"/H{n}" for n in range(1, 7))) and not one.holds_something:
        yield f"{one.kind} is empty"
    if "/Lang" in one.said and not is_language(one.said["/Lang"]):
        yield f"the language {one.said['/Lang']!r}"
    if one.kind == "/Note" and "/ID" not in one.said:
        yield "a note without a name"
    if one.kind == "/Link" and not any(
        isinstance(kid, dict) and kid.get("/Type") == "/OBJR" for kid in one.kids
    ):
        yield "a link without its annotation"
    for kid in one.under:
        if kid.said.get("/P") is None or kid.said["/P"].get_object() is not one.said:
            yield f"{kid.kind} does not know where it stands"


def _is_on_its_page(figure: Element) -> bool:
    box, page = figure.attribute("/BBox"), figure.said.get("/Pg")
    if box is None or page is None or len(box) != 4:
        return False
    _left, _low, width, height = map(float, page.get_object()["/MediaBox"])
    left, low, right, high = map(float, box)
    return 0 <= left <= right <= width and 0 <= low <= high <= height


def _headings(kinds: list[str]) -> Iterator[str]:
    if "/H" in kinds and len(set(kinds)) > 1:
        yield "headings with and without a level"
    before = 0
    for kind in kinds:
        level = int(kind[2:] or 1)
        if level > before + 1:
            yield f"{kind} comes after H{before}"
        before = level
    if not kinds:
        yield "no heading"


def _table(table: Element) -> Iterator[str]:
    kinds = [one.kind for one in table.under]
    if kinds.count("/THead") > 1 or kinds.count("/TFoot") > 1 or kinds.count("/Caption") > 1:
        yield "a table with two heads, feet or captions"
    if "/Caption" in kinds and kinds.index("/Caption") not in (0, len(kinds) - 1):
        yield "a caption in the middle of its table"
    if "/THead" in kinds and "/TBody" not in kinds:
        yield "a table with a head and no body"
    rows = [one for one in table.walk() if one.kind == "/TR" and _table_of(one) is table]
    headed = False
    for cell in (cell for row in rows for cell in row.under):
        if cell.kind == "/TH":
            headed = True
            if cell.attribute("/Scope") not in SCOPES:
                yield "a heading of a table without its scope"
    if not headed:
        yield "a table without a heading"
    yield from _widths(rows)


def _table_of(row: Element) -> Element | None:
    above = row.parent
    while above is not None and above.kind != "/Table":
        above = above.parent
    return above


def _widths(rows: list[Element]) -> Iterator[str]:
    """Every row fills the same columns, with what hangs down from the rows above."""
    hanging: list[int] = []
    wide: int | None = None
    for row in rows:
        here = len(hanging)
        following = [left - 1 for left in hanging if left > 1]
        for cell in row.under:
            columns = int(cell.attribute("/ColSpan") or 1)
            down = int(cell.attribute("/RowSpan") or 1)
            here += columns
            following += [down - 1] * columns if down > 1 else []
        if wide not in (None, here):
            yield f"a row of {here} columns after {wide}"
        wide, hanging = here, following
