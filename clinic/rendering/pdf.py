"""HTML to PDF in a process of its own, with limits. Knows no rows, and nothing of patients."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from clinic.rendering.process import Exit

PROCESS = Path(__file__).with_name("process.py")
WALL_SECONDS = 20
PROCESSOR_SECONDS = 20
ADDRESS_SPACE = 1024 * 1024 * 1024
"""Bytes. WeasyPrint with its fonts maps about 300 MB; half a gigabyte is for the document."""
LARGEST_HTML = 8 * 1024 * 1024


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
    with tempfile.TemporaryDirectory(prefix="clinic-pdf-") as folder:
        code, pdf, said = _run(source, folder)
    if code == Exit.DONE and pdf.startswith(b"%PDF-"):
        return Rendered(pdf, int(said))
    raise _error(code, said)


def _run(source: bytes, folder: str) -> tuple[int | None, bytes, str]:
    """Exit code (None: killed for time), standard output, the last line of standard error."""
    process = subprocess.Popen(  # noqa: S603  (our own file, no shell, numbers as arguments)
        [sys.executable, "-I", str(PROCESS), str(ADDRESS_SPACE), str(PROCESSOR_SECONDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={"TMPDIR": folder, "HOME": folder, "LANG": "C.UTF-8", "PATH": os.defpath},
        start_new_session=True,
    )
    try:
        pdf, errors = process.communicate(source, timeout=WALL_SECONDS)
    except subprocess.TimeoutExpired:
        return None, b"", ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode, pdf, errors.decode(errors="replace").strip().rpartition("\n")[2]


def _error(code: int | None, said: str) -> RenderingError:
    if code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return RenderingFailed(_("Making the PDF took too long or too much memory."))
    if code == Exit.REFUSED:
        return RenderingRefused(
            _("The document asks for something it may not have: %(what)s.") % {"what": said}
        )
    if code == Exit.UNAVAILABLE:
        return RenderingUnavailable(
            _(
                "PDF libraries are missing on the server. On Debian: apt-get install "
                "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
            )
        )
    return RenderingFailed(_("The PDF could not be made."))
