"""The renderer's job in its cell: HTML in, PDF out. See `clinic.confined.cell`.

Imports nothing of the house. It makes room for a seal and never sees the key that fills it.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import json
import re
import secrets
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parents[2] / "static"
ASSETS = {
    "document.css": (STATIC / "pdf/document.css", "text/css"),
    "inter-regular": (STATIC / "vendor/inter-print/Inter-Regular.woff2", "font/woff2"),
    "inter-italic": (STATIC / "vendor/inter-print/Inter-Italic.woff2", "font/woff2"),
    "inter-semibold": (STATIC / "vendor/inter-print/Inter-SemiBold.woff2", "font/woff2"),
    "arabic-regular": (
        STATIC / "vendor/plex-sans-arabic/ibm-plex-sans-arabic-400.woff2",
        "font/woff2",
    ),
    "arabic-semibold": (
        STATIC / "vendor/plex-sans-arabic/ibm-plex-sans-arabic-600.woff2",
        "font/woff2",
    ),
    "hebrew-regular": (
        STATIC / "vendor/noto-sans-hebrew/noto-sans-hebrew-400.woff2",
        "font/woff2",
    ),
    "hebrew-semibold": (
        STATIC / "vendor/noto-sans-hebrew/noto-sans-hebrew-600.woff2",
        "font/woff2",
    ),
}
"""All that a document may ask for, as `asset:name`. Everything else is refused."""

PICTURE = "data:image/jpeg;base64,"
"""A picture that came along in the words themselves; no other data is taken."""

READABLE = (STATIC / "pdf", STATIC / "vendor")
MOST_REFUSALS_NAMED = 5
VARIANT = "pdf/a-2a"
"""PDF/A-2 level A: tagged, every font inside, nothing attached. `UA` says that it is PDF/UA-1."""
UA = b"""\
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>\
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"\
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"\
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>\
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>\
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>\
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Part of ISO 14289 that the file conforms to</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas>\
</rdf:Description>"""
RDF_END = b"</rdf:RDF>"
RANGE_LENGTH = 40
"""Bytes; three numbers of ten digits each would fit."""
PRINTED, LOCKED = 4, 128
OUTSIDE = "[-9999 -9999 -9999 -9999]"
"""Where the seal's field lies, which shows nothing: PDF/UA wants a tag for what is on a page."""
LETTERS = "".join(map(chr, (*range(0x21, 0x26), *range(0x27, 0x3C), *range(0x3E, 0x7F))))
LETTERS += "\u00ab\u00b2\u00b5\u00b7\u00b9\u00bb\u00d7\u0152\u0153\u2013\u2019\u201c\u201d\u2022"
LETTERS += "".join(map(chr, (*range(0xC0, 0xD7), *range(0xD8, 0x100))))
SPECIMEN = f"""<html lang="en"><title>x</title><meta name="author" content="x">
<div class="letterhead"><table role="presentation"><tr><td><span class="place">{LETTERS}</span><br>
\u2068{LETTERS}\u2069<td>\u20661\u2069<br>Aa</table></div><div class="foot">{LETTERS}</div>
<h1>{LETTERS}</h1><p class="lead">{LETTERS} <i>{LETTERS}</i> <b>{LETTERS}</b></p>
<dl class="facts"><dt>{LETTERS}<dd>{LETTERS}</dl><h2>{LETTERS}</h2><p>{LETTERS}</p>
<ul><li><strong>{LETTERS}</strong> Aa</ul><p class="small">{LETTERS} <b>{LETTERS}</b>
\u0639\u0631\u0628 <b>\u0639\u0631\u0628</b> \u05e2\u05d1\u05e8 <b>\u05e2\u05d1\u05e8</b></p>
<table><tr><th>Aa<td>Aa</table><div class="signatures"><div class="signature"><svg
viewBox="0 0 9 9"><path d="M0 0L1 1C1 2 3 4 5 6" stroke="#000" fill="none"/></svg>
<p><b>{LETTERS}</b> {LETTERS}</div></div>"""
"""What most documents have: each letter that is measured here in a font and size is measured for
all of them. Of the fonts of other scripts a letter each, so that they are loaded.
"""
WARM_UPS = 8
"""Python makes code that has run a few times quicker; a child has what its mother had by then."""

LENGTH = re.compile(r"\[\d+\]$")

kept: dict[str, Any] = {}
"""What is made once: the fonts, the parsed style sheet, and whether a library runs threads."""


class Refused(Exception):
    """The schemes of what a document asked for and may not have."""


def prepare() -> None:
    """Load WeasyPrint, the fonts and the style sheet, and lay out a specimen.

    Raises `ImportError` or `OSError` where WeasyPrint or a library is missing.
    """
    import weasyprint  # noqa: PLC0415  (only once the limits are in force)
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    _let_arrays_be_open()
    kept["structure"] = _beside("structure.py")
    kept["structure"].complete()
    kept["fonts"] = FontConfiguration()
    path, _kind = ASSETS["document.css"]
    kept["sheet"] = weasyprint.CSS(
        string=path.read_text(),
        base_url="asset:",
        url_fetcher=closed_fetcher([]),
        font_config=kept["fonts"],
    )
    for _time in range(WARM_UPS):
        _pdf(SPECIMEN, [], None)
    kept["threads"] = not _is_alone()


def _let_arrays_be_open() -> None:
    """Have the glyphs of a font handed over in arrays of no said length.

    WeasyPrint names the length in the type, and cffi reads all its declarations anew for each that
    it has not met: 2 ms for every number of letters that no document before had.
    """
    from weasyprint.pdf import fonts  # noqa: PLC0415

    class OpenArrays:
        """What cffi gives; `new` alone is changed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(ffi, name)

        def new(self, declared: str, *items: Any) -> Any:
            """As cffi's; where there are items, they say how many they are."""
            return ffi.new(LENGTH.sub("[]", declared) if items else declared, *items)

    ffi = fonts.ffi
    fonts.ffi = OpenArrays()


def _beside(name: str) -> Any:
    """A module from a file beside this one: nothing of the house can be imported here."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(name))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _is_alone() -> bool:
    """Whether no library has started a thread, which a forked child would wait for in vain."""
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


def _fresh_fonts() -> None:
    """A font map of this process's own, over the fonts that are loaded already."""
    from weasyprint.text.ffi import ffi, gobject, pangoft2  # noqa: PLC0415

    fonts = kept["fonts"]
    fonts.font_map = ffi.gc(pangoft2.pango_ft2_font_map_new(), gobject.g_object_unref)
    pangoft2.pango_fc_font_map_set_config(
        ffi.cast("PangoFcFontMap *", fonts.font_map), fonts._config
    )
    fonts.strut_layouts, fonts.font_features = {}, {}


def _picture(url: str) -> bytes | None:
    """The picture that came along in an address; None for any other address, or data."""
    if not url.startswith(PICTURE):
        return None
    try:
        content = base64.b64decode(url.removeprefix(PICTURE), validate=True)
    except binascii.Error:
        return None
    return content if content.startswith(b"\xff\xd8\xff") else None


def closed_fetcher(refused: list[str]) -> Any:
    """Answers the closed set of assets; has no handler that could open anything.

    The schemes of all else that was asked for are added to `refused`.
    """
    import weasyprint  # noqa: PLC0415
    from weasyprint.urls import URLFetcherResponse  # noqa: PLC0415

    class ClosedFetcher(weasyprint.URLFetcher):
        def __init__(self) -> None:
            super().__init__(allow_redirects=False, fail_on_errors=True)
            for handler in list(self.handlers):
                self.handlers.remove(handler)
            self.handle_open.clear()

        def fetch(self, url: str, headers: Any = None) -> Any:
            if (picture := _picture(url)) is not None:
                return URLFetcherResponse(url, picture, {"Content-Type": "image/jpeg"})
            scheme, _, name = url.partition(":")
            if scheme.lower() != "asset" or name not in ASSETS:
                refused.append(scheme.lower()[:20])
                raise ValueError("refused")
            path, kind = ASSETS[name]
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": kind})

    return ClosedFetcher()


def work(source: bytes) -> tuple[bytes, str]:
    """The PDF of a whole HTML page, how many pages it has, and where its seal goes.

    The source is one line of JSON and the page. The line is null, or says what the seal's field
    says of itself: `name`, `moment` (a PDF date) and `room`, the bytes that the seal may take.
    """
    head, _, html = source.partition(b"\n")
    if kept["threads"]:
        _fresh_fonts()
    refused: list[str] = []
    from weasyprint.urls import FatalURLFetchingError  # noqa: PLC0415

    try:
        pdf, pages, hole = _pdf(html.decode(), refused, json.loads(head))
    except FatalURLFetchingError:
        if not refused:
            raise
    if refused:
        raise Refused(", ".join(refused[:MOST_REFUSALS_NAMED]))
    return pdf, json.dumps({"pages": pages, "hole": hole})


def _pdf(html: str, refused: list[str], seal: Any) -> tuple[bytes, int, list[int]]:
    import weasyprint  # noqa: PLC0415

    page = weasyprint.HTML(string=html, url_fetcher=closed_fetcher(refused), base_url="asset:")
    kept["structure"].name_drawings(page.etree_element)
    document = page.render(
        font_config=kept["fonts"], stylesheets=[kept["sheet"]], presentational_hints=False
    )
    metadata = document.metadata
    plain = metadata.generate_rdf_metadata
    metadata.generate_rdf_metadata = lambda *words: plain(*words).replace(RDF_END, UA + RDF_END)
    field = SealField(seal) if seal else None

    def finish(document: Any, pdf: Any) -> None:
        kept["structure"].tidy(pdf)
        if field:
            field.add_to(document, pdf)

    pdf = document.write_pdf(pdf_variant=VARIANT, pdf_tags=True, finisher=finish)
    if field is None:
        return pdf, len(document.pages), []
    pdf, hole = field.opened(pdf)
    return pdf, len(document.pages), hole


class SealField:
    """The field of a seal that nobody has set yet: zeros, and the range of bytes around them."""

    def __init__(self, seal: Any) -> None:
        self.name, self.moment = str(seal["name"]), str(seal["moment"])
        # Known to nobody beforehand, so that no words of the document can be taken for it.
        self.mark = secrets.token_hex(int(seal["room"])).encode()

    def add_to(self, document: Any, pdf: Any) -> None:
        """Put the field on the first page, and the seal beside it."""
        import pydyf  # noqa: PLC0415

        class Seal(pydyf.Object):
            """Kept out of compressed streams, since its bytes are to be found again."""

            compressible = False
            data = b"".join(
                (
                    b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/Name ",
                    pydyf.String(self.name).data,
                    b"/M ",
                    pydyf.String(self.moment).data,
                    b"/Contents <" + self.mark + b">",
                    b"/ByteRange [" + b" " * RANGE_LENGTH + b"]>>",
                )
            )

        seal = Seal()
        pdf.add_object(seal)
        number = pdf.pages["Kids"][0]
        field = pydyf.Dictionary(
            {
                "Type": "/Annot",
                "Subtype": "/Widget",
                "FT": "/Sig",
                "T": pydyf.String("Seal"),
                "TU": pydyf.String(self.name),
                "F": PRINTED | LOCKED,
                "Rect": OUTSIDE,
                "P": f"{number} 0 R",
                "V": seal.reference,
            }
        )
        pdf.add_object(field)
        page = pdf.objects[number]
        page["Annots"] = pydyf.Array([*page.get("Annots", []), field.reference])
        page["Tabs"] = "/S"
        pdf.catalog["AcroForm"] = pydyf.Dictionary(
            {"Fields": pydyf.Array([field.reference]), "SigFlags": 3}
        )

    def opened(self, pdf: bytes) -> tuple[bytes, list[int]]:
        """The file with zeros for the mark and the range filled in, and where the zeros are."""
        start = pdf.index(b"<" + self.mark + b">")
        end = start + len(self.mark) + 2
        range_ = b"0 %d %d %d" % (start, end, len(pdf) - end)
        rest = pdf[end:].replace(
            b"[" + b" " * RANGE_LENGTH + b"]",
            b"[" + range_ + b"]" + b" " * (RANGE_LENGTH - len(range_)),
            1,
        )
        return pdf[:start] + b"<" + b"0" * len(self.mark) + b">" + rest, [start, end]
