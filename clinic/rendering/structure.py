"""What WeasyPrint leaves out of a document's structure, put in while it builds it, in its cell.

Loaded by the job from this file alone; imports nothing of the house. Without it letterhead and page
numbers would be read out in the middle of a sentence, pictures would have no words and lie in the
wrong place, headings of tables no direction, and foreign lines the voice of the wrong language:
see tests/patients/archival.py, which finds all of these. What is replaced is private to WeasyPrint,
whose version is pinned; the same tests would tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SVG = "{http://www.w3.org/2000/svg}"
PER_PIXEL = 0.75
SCOPES = {"row": "/Row", "rowgroup": "/Row"}
"""Of a heading of a table, by its `scope`; any other is that of a column."""


def complete() -> None:
    """From now on every tree of structure that WeasyPrint builds is a whole one."""
    from weasyprint.formatting_structure.boxes import MarginBox  # noqa: PLC0415
    from weasyprint.pdf import tags  # noqa: PLC0415

    plain = tags._build_box_tree

    def built(
        box: Any, parent: Any, pdf: Any, page: int, numbers: Any, *more: Any
    ) -> Iterator[Any]:
        known, first = set(numbers), len(pdf.objects)
        box = getattr(box, "_box", box)
        if isinstance(box, MarginBox) or _is_decoration(box):
            list(plain(box, parent, pdf, page, numbers, *more))
            _set_apart(pdf, page, numbers, set(numbers) - known)
            for element in pdf.objects[first:]:
                element.clear()
            return
        for element in plain(box, parent, pdf, page, numbers, *more):
            _tell(element, box, pdf, page)
            yield element

    tags._build_box_tree = built


def name_drawings(page: Any) -> None:
    """Give each drawing its words as a title: its own label, or that of what it stands in."""
    _name(page, "")


def _name(element: Any, label: str) -> None:
    label = element.get("aria-label") or label
    if element.tag == f"{SVG}svg":
        if label and element.find(f"{SVG}title") is None:
            title = element.makeelement(f"{SVG}title", {})
            title.text = label
            element.insert(0, title)
        return
    for child in element:
        if isinstance(child.tag, str):
            _name(child, label)


def _is_decoration(box: Any) -> bool:
    element = getattr(box, "element", None)
    return element is not None and element.get("aria-hidden") == "true"


def _set_apart(pdf: Any, page: int, numbers: Any, apart: set[int]) -> None:
    """What was numbered so on this page is no content: it is an artifact, and nobody's."""
    content = _object(pdf, _object(pdf, pdf.page_references[page])["Contents"]).stream
    for at, said in enumerate(content):
        if isinstance(said, dict) and said.get("MCID") in apart:
            content[at - 1] = "/Artifact"
            said.clear()
            said["Type"] = "/Pagination"
    numbers.update(dict.fromkeys(apart, "null"))


def _object(pdf: Any, reference: Any) -> Any:
    text = reference.decode() if isinstance(reference, bytes) else reference
    return pdf.objects[int(text.split()[0])]


def _tell(element: Any, box: Any, pdf: Any, page: int) -> None:
    """Say where a picture is, which way a heading of a table goes, and in which language it is."""
    from pydyf import Array, String  # noqa: PLC0415

    kind = element["S"]
    if kind == "/Figure":
        _width, height = _object(pdf, pdf.page_references[page])["MediaBox"][2:]
        left, top, right, bottom = (side * PER_PIXEL for side in element["A"]["BBox"])
        element["A"]["BBox"] = Array((left, height - bottom, right, height - top))
    if box.element is None:
        return
    if kind == "/Caption" and box.element.tag == "figcaption":
        element["S"] = "/P"  # it stands beside its picture, not in it
    if kind == "/TH":
        element["A"]["Scope"] = SCOPES.get(box.element.get("scope"), "/Column")
    if box.element.get("lang") and "Lang" not in element:
        element["Lang"] = String(box.element.get("lang"))


def tidy(pdf: Any) -> None:
    """Headings of tables say their scope, so that no cell need list them by names of its own.

    And no picture is to be smoothed: PDF/A shows every pixel.
    """
    for one in pdf.objects:
        if "Interpolate" in (extra := getattr(one, "extra", {})):
            extra["Interpolate"] = "false"
        if isinstance(one, dict) and one.get("Type") == "/StructElem":
            one.pop("ID", None)
            if "A" in one and one["S"] in ("/TD", "/TH"):
                one["A"].pop("Headers", None)
                if len(one["A"]) == 1:
                    del one["A"]
