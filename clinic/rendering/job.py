"""The renderer's job in its cell: HTML in, PDF out. See `clinic.confined.cell`.

Imports nothing of the house.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parents[2] / "static"
ASSETS = {
    "document.css": (STATIC / "pdf/document.css", "text/css"),
    "inter-regular": (STATIC / "vendor/inter-print/Inter-Regular.woff2", "font/woff2"),
    "inter-italic": (STATIC / "vendor/inter-print/Inter-Italic.woff2", "font/woff2"),
    "inter-semibold": (STATIC / "vendor/inter-print/Inter-SemiBold.woff2", "font/woff2"),
    "arabic-regular": (
        STATIC / "vendor/noto-sans-arabic/noto-sans-arabic-400.woff2",
        "font/woff2",
    ),
    "arabic-semibold": (
        STATIC / "vendor/noto-sans-arabic/noto-sans-arabic-600.woff2",
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
VARIANT = "pdf/ua-1"
MOST_REFUSALS_NAMED = 5


class Refused(Exception):
    """The schemes of what a document asked for and may not have."""


def prepare() -> None:
    """Load WeasyPrint. Raises `ImportError` or `OSError` where it or a library is missing."""
    import weasyprint  # noqa: F401, PLC0415  (only once the limits are in force)


def _picture(url: str) -> bytes | None:
    """The picture that came along in an address; None for any other address, or data."""
    if not url.startswith(PICTURE):
        return None
    try:
        content = base64.b64decode(url.removeprefix(PICTURE), validate=True)
    except binascii.Error:
        return None
    return content if content.startswith(b"\xff\xd8\xff") else None


def work(source: bytes) -> tuple[bytes, str]:
    """The PDF of a whole HTML page, and how many pages it has."""
    import weasyprint  # noqa: PLC0415
    from weasyprint.urls import FatalURLFetchingError, URLFetcherResponse  # noqa: PLC0415

    refused: list[str] = []

    class ClosedFetcher(weasyprint.URLFetcher):
        """Answers the closed set of assets; has no handler that could open anything."""

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

    page = weasyprint.HTML(string=source.decode(), url_fetcher=ClosedFetcher(), base_url="asset:")
    try:
        document = page.render(presentational_hints=False)
        pdf: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_tags=True)
    except FatalURLFetchingError:
        if not refused:
            raise
    if refused:
        raise Refused(", ".join(refused[:MOST_REFUSALS_NAMED]))
    return pdf, str(len(document.pages))
