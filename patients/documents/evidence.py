"""What proves a document, as its last page: names, times, hashes, and where a copy is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe

END = "</body>"


@dataclass(frozen=True)
class Signed:
    """One signature: whose, as what (`part`), how, when and where.

    `moment` is in the zone of the place, so that page and reader see the same clock. `place` is
    what the clinic knows of where it was given, `address` that of the network it came from. `image`
    is the drawing as it was stored, of which only the hash is printed.
    """

    name: str
    part: str
    method: str
    moment: datetime
    place: str = ""
    image: str = ""
    address: str = ""

    @property
    def zone(self) -> str:
        """The name of the zone that the clock time is in."""
        return str(self.moment.tzinfo)

    @property
    def universal(self) -> str:
        """The same moment in universal time."""
        return self.moment.astimezone(UTC).isoformat()

    @property
    def image_sha256(self) -> str:
        """The hash of the drawing; nothing for a typed name."""
        return hashlib.sha256(self.image.encode()).hexdigest() if self.image else ""


@dataclass(frozen=True)
class Evidence:
    """What was read and signed. `text_sha256`: the hash by which the text was kept when read.

    `facts` and `hashes` are further lines: a name and what is said of it. `language`: that of the
    page where the document's own is none of the house.
    """

    subject: str
    signatures: Sequence[Signed]
    text_sha256: str = ""
    template_version: str = ""
    readable_since: datetime | None = None
    facts: Sequence[tuple[str, str]] = field(default=())
    hashes: Sequence[tuple[str, str]] = field(default=())
    language: str = ""


def with_evidence(html: str, evidence: Evidence, *, number: UUID, language: str) -> str:
    """The document with its evidence page behind it.

    The hash of the document's words is that of all before this page, to the last byte.
    """
    words, end, rest = html.rpartition(END)
    address = check_address()
    with translation.override(evidence.language or language):
        page = render_to_string(
            "documents/evidence.html",
            {
                "evidence": evidence,
                "number": number,
                "language": language,
                "words_sha256": hashlib.sha256(words.encode()).hexdigest(),
                "address": address,
                "code": _code(address),
            },
        )
    return words + page + end + rest


def check_address() -> str:
    """Where anyone checks a copy."""
    return f"{settings.BASE_URL}{reverse('document-check')}"


def _code(address: str) -> str:
    """The address as a QR code, an SVG to stand in the page."""
    drawn = segno.make(address, error="m").svg_inline(border=2, omitsize=True, title=address)
    return mark_safe(drawn)  # noqa: S308  # nosec: drawn by segno from an address of our own
