"""What a file says of itself: XMP, the information dictionary, languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from pypdf import PdfReader

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-\w{5,8})*")
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC, XMP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/xap/1.0/}"
PDF = "{http://ns.adobe.com/pdf/1.3/}"
PDFA, PDFUA = "{http://www.aiim.org/pdfa/ns/id/}", "{http://www.aiim.org/pdfua/ns/id/}"
EXTENSION = "{http://www.aiim.org/pdfa/ns/extension/}"
SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
PREDEFINED = (DC, XMP, PDF, PDFA, EXTENSION, RDF, "{http://ns.adobe.com/xap/1.0/mm/}")
OF_A_PROPERTY = {"name", "valueType", "category", "description"}


def is_language(said: Any) -> bool:
    """Whether it is a language as RFC 5646 writes them."""
    return bool(said and LANGUAGE.fullmatch(str(said)))


def metadata(reader: PdfReader) -> Iterator[str]:
    """6.6 and 7.1: what it is, its title, and nothing that is not declared."""
    stream = reader.trailer["/Root"].get("/Metadata")
    if stream is None:
        yield "no metadata"
        return
    stream = stream.get_object()
    if (stream.get("/Type"), stream.get("/Subtype")) != ("/Metadata", "/XML"):
        yield "the metadata are of another type"
    said = stream.get_data()
    head = re.match(rb"\s*<\?xpacket begin=(\"[^\"]*\"|'[^']*')([^?]*)\?>", said)
    if not head or b"bytes" in head[2] or b"encoding" in head[2]:
        yield "the head of the metadata"
    if not re.search(rb"<\?xpacket end=[\"'][rw][\"']\?>\s*\Z", said):
        yield "the end of the metadata"
    tree = ElementTree.fromstring(said)
    values = dict(_values(tree))
    expected = {f"{PDFA}part": "2", f"{PDFA}conformance": "A", f"{PDFUA}part": "1"}
    for name, value in expected.items():
        if values.get(name) != value:
            yield f"{name} is {values.get(name)}"
    if not values.get(f"{DC}title"):
        yield "no title"
    declared = set(PREDEFINED) | {f"{{{uri}}}" for uri in _declared(tree)}
    yield from (f"{name} is not declared" for name in values if _space(name) not in declared)
    yield from _extension(tree)
    yield from _information(reader, values)


def _space(name: str) -> str:
    return name[: name.index("}") + 1]


def _values(tree: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for about in tree.iter(f"{RDF}Description"):
        for name, value in about.attrib.items():
            if not name.startswith(RDF):
                yield name, value
        for one in about:
            yield one.tag, " ".join("".join(one.itertext()).split())


def _declared(tree: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in tree.iter(f"{SCHEMA}namespaceURI")]


def _extension(tree: ElementTree.Element) -> Iterator[str]:
    for schema in tree.iter(f"{EXTENSION}schemas"):
        for one in schema.iter(f"{RDF}li"):
            names = {part.tag for part in one}
            if f"{SCHEMA}namespaceURI" in names:
                if not names >= {f"{SCHEMA}schema", f"{SCHEMA}prefix", f"{SCHEMA}property"}:
                    yield "a schema is half described"
            elif {part.tag.removeprefix(PROPERTY) for part in one} != OF_A_PROPERTY:
                yield "a property is half described"


def _information(reader: PdfReader, values: dict[str, str]) -> Iterator[str]:
    """What stands in both places is the same."""
    information = reader.metadata or {}
    pairs = {"/Title": f"{DC}title", "/Author": f"{DC}creator", "/Producer": f"{PDF}Producer"}
    for key, name in pairs.items():
        said = information.get(key)
        if said is not None and " ".join(str(said).split()) != values.get(name):
            yield f"{key} is {said!r} here and {values.get(name)!r} there"
    dates = {"/CreationDate": f"{XMP}CreateDate", "/ModDate": f"{XMP}ModifyDate"}
    for key, name in dates.items():
        said = information.get(key)
        digits = [re.sub(r"\D", "", str(one or ""))[:14] for one in (said, values.get(name))]
        if said is not None and digits[0] != digits[1]:
            yield f"{key} is {said!r} here and {values.get(name)!r} there"
