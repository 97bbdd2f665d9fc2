"""The renderer: HTML on stdin, PDF on stdout, in a process that can reach nothing.

It is run as a file, in isolated mode, and imports nothing of the house: no settings, no secrets.
Limits come first, then the network is taken away, then WeasyPrint is loaded. From that moment the
interpreter itself refuses connections, programs, and files outside its own and WeasyPrint's.
Arguments: address space in bytes, processor time in seconds. Exit codes: see `Exit`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import tempfile
from enum import IntEnum
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

VARIANT = "pdf/ua-1"
LARGEST_FILE = 64 * 1024 * 1024
MOST_REFUSALS_NAMED = 5
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "ftplib.",
)


class Exit(IntEnum):
    """How it ends. On stderr: with 0 the number of pages, else one line that says why."""

    DONE = 0
    REFUSED = 3
    UNAVAILABLE = 4
    FAILED = 5


def limit(address_space: int, processor_seconds: int) -> None:
    """Bound memory, processor time and the size of any file, and die with the parent."""
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leave_the_network() -> None:
    """Enter an empty network namespace where the kernel lets us; Linux only, and not everywhere.

    Without it the refusing fetcher and the audit hook still stand. Entering a user namespace
    clears the request to die with the parent, so that request comes last.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def forbid() -> None:
    """From here on Python refuses sockets, programs, and files that are nobody's business."""
    readable = tuple(
        os.path.realpath(folder)
        for folder in (sys.prefix, sys.base_prefix, STATIC / "pdf", STATIC / "vendor")
    )
    own = os.path.realpath(tempfile.gettempdir())

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN):
            raise PermissionError(event)
        if event != "open" or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        writes = bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        allowed = (own,) if writes else (own, *readable)
        if not path.startswith(tuple(folder + os.sep for folder in allowed)):
            raise PermissionError("open")

    sys.addaudithook(watch)


def render(html: str) -> tuple[bytes, int]:
    """The PDF of a whole HTML page, and its pages.

    Raises `LookupError` naming the schemes of what it asked for and may not have.
    """
    # Loaded only once the limits are in force.
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
            scheme, _, name = url.partition(":")
            if scheme.lower() != "asset" or name not in ASSETS:
                refused.append(scheme.lower()[:20])
                raise ValueError("refused")
            path, kind = ASSETS[name]
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": kind})

    forbid()
    page = weasyprint.HTML(string=html, url_fetcher=ClosedFetcher(), base_url="asset:")
    try:
        document = page.render(presentational_hints=False)
        pdf: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_tags=True)
    except FatalURLFetchingError:
        if not refused:
            raise
    if refused:
        raise LookupError(", ".join(refused[:MOST_REFUSALS_NAMED]))
    return pdf, len(document.pages)


def end(code: Exit, reason: str) -> None:
    """Say why in one line and leave."""
    sys.stderr.write(reason.replace("\n", " ")[:300])
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Read, render, write."""
    limit(int(sys.argv[1]), int(sys.argv[2]))
    leave_the_network()
    try:
        import weasyprint  # noqa: F401, PLC0415
    except (ImportError, OSError) as missing:
        end(Exit.UNAVAILABLE, str(missing))
    html = sys.stdin.buffer.read().decode()
    try:
        pdf, pages = render(html)
    except LookupError as asked:
        end(Exit.REFUSED, str(asked))
    except MemoryError:
        end(Exit.FAILED, "out of memory")
    sys.stdout.buffer.write(pdf)
    sys.stdout.buffer.flush()
    end(Exit.DONE, str(pages))


if __name__ == "__main__":
    main()
