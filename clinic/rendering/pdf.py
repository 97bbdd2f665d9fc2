"""HTML to a sealed PDF in a process of its own, with limits. Knows no rows, and no patients.

Three parts keep three things apart. The cell renders, and has neither network nor key. The worker
holds the key and signs the hash of what the cell hands over: it parses no byte of it. Any copy that
someone sends to be checked is parsed in a cell too, see `clinic.rendering.checking`.
"""

from __future__ import annotations

import atexit
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.confined.cell import Exit
from clinic.confined.run import Outcome, WarmCell
from clinic.rendering.sealing import Hole, SealKey, sealed, signing_key

JOB = Path(__file__).with_name("job.py")
WALL_SECONDS = 20
PROCESSOR_SECONDS = 20
MEMORY = 512 * 1024 * 1024
"""Bytes in use. WeasyPrint with its fonts takes 66 MB, the largest honest documents 250."""
LARGEST_HTML = 32 * 1024 * 1024
"""Bytes. A record brings its thumbnails along: 300 of the largest are 22 MB, and take 250 MB."""


class RenderingError(Exception):
    """No PDF was made; the message is fit to show."""


class RenderingRefused(RenderingError):
    """The document asked for something outside the closed set of assets, or is far too long."""


class RenderingFailed(RenderingError):
    """The renderer ended without a PDF: out of time, out of memory, or a fault of its own."""


class RenderingUnavailable(RenderingError):
    """WeasyPrint or its libraries (Pango, HarfBuzz-subset) are not on this machine."""


@dataclass(frozen=True)
class Rendered:
    """A PDF and how many pages it has; `certificate` (DER) is that of its seal, if it has one."""

    pdf: bytes
    pages: int
    certificate: bytes = field(default=b"", repr=False)


_cells: dict[tuple[int, int], WarmCell] = {}


def _cell() -> WarmCell:
    """The warm renderer of this process, under the limits in force."""
    limits = (MEMORY, PROCESSOR_SECONDS)
    if limits not in _cells:
        close_cells()
        _cells[limits] = WarmCell(JOB, memory=limits[0], processor_seconds=limits[1])
    return _cells[limits]


@atexit.register
def close_cells() -> None:
    """End the warm renderer of this process; the next document begins another."""
    while _cells:
        _cells.popitem()[1].close()


def render_pdf(html: str) -> bytes:
    """The PDF alone; see `render_html`."""
    return render_html(html).pdf


def render_html(html: str) -> Rendered:
    """The tagged PDF/A of a whole HTML page that extends `pdf/base.html`, without a seal.

    At most `WALL_SECONDS` and `MEMORY`. Raises `RenderingRefused`, `RenderingFailed` or
    `RenderingUnavailable`.
    """
    return _rendered(html, None)


def render_sealed(html: str, *, at: datetime | None = None) -> Rendered:
    """The same under the clinic's seal, which says that it was set `at`.

    Raises `clinic.rendering.sealing.SealUnavailable` too.
    """
    return _rendered(html, signing_key(), at or timezone.now())


def _rendered(html: str, key: SealKey | None, at: datetime | None = None) -> Rendered:
    place: dict[str, Any] | None = None
    if key and at:
        moment = at.astimezone(UTC).strftime("D:%Y%m%d%H%M%S+00'00'")
        place = {"name": key.name, "moment": moment, "room": key.room}
    source = f"{json.dumps(place)}\n{html}".encode()
    if len(source) > LARGEST_HTML:
        raise RenderingRefused(_("The document is too long."))
    outcome = _cell().run(source, wall_seconds=WALL_SECONDS)
    if not (outcome.is_done and outcome.result.startswith(b"%PDF-")):
        raise _error(outcome)
    said = json.loads(outcome.said)
    if key is None:
        return Rendered(outcome.result, int(said["pages"]))
    pdf = sealed(outcome.result, Hole(*map(int, said["hole"])), key)
    return Rendered(pdf, int(said["pages"]), key.certificate)


def _error(outcome: Outcome) -> RenderingError:
    if outcome.was_stopped:
        return RenderingFailed(_("Making the PDF took too long or too much memory."))
    if outcome.code == Exit.REFUSED:
        return RenderingRefused(
            _("The document asks for something it may not have: %(what)s.") % {"what": outcome.said}
        )
    if outcome.code == Exit.UNAVAILABLE:
        return RenderingUnavailable(
            _(
                "PDF libraries are missing on the server. On Debian: apt-get install "
                "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
            )
        )
    return RenderingFailed(_("The PDF could not be made."))
