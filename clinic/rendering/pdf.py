"""HTML to PDF in a process of its own, with limits. Knows no rows, and nothing of patients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from clinic.confined.cell import Exit
from clinic.confined.run import Outcome, run_confined

JOB = Path(__file__).with_name("job.py")
WALL_SECONDS = 20
PROCESSOR_SECONDS = 20
ADDRESS_SPACE = 1024 * 1024 * 1024
"""Bytes. WeasyPrint with its fonts maps about 300 MB; half a gigabyte is for the document."""
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
    """A PDF and how many pages it has."""

    pdf: bytes
    pages: int


def render_pdf(html: str) -> bytes:
    """The PDF alone; see `render_html`."""
    return render_html(html).pdf


def render_html(html: str) -> Rendered:
    """The tagged PDF of a whole HTML page that extends `pdf/base.html`.

    At most `WALL_SECONDS` and `ADDRESS_SPACE`. Raises `RenderingRefused`, `RenderingFailed` or
    `RenderingUnavailable`.
    """
    source = html.encode()
    if len(source) > LARGEST_HTML:
        raise RenderingRefused(_("The document is too long."))
    outcome = run_confined(
        JOB,
        source,
        address_space=ADDRESS_SPACE,
        processor_seconds=PROCESSOR_SECONDS,
        wall_seconds=WALL_SECONDS,
    )
    if outcome.is_done and outcome.result.startswith(b"%PDF-"):
        return Rendered(outcome.result, int(outcome.said))
    raise _error(outcome)


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
