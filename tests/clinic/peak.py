"""How much memory the renderer's children take, seen from outside every few milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from clinic.rendering import pdf as rendering

EVERY = 0.01


class Seen:
    """The largest that a child was, in bytes, and how many there were."""

    def __init__(self) -> None:
        self.peak = 0
        self.children: set[int] = set()

    def look(self) -> None:
        """Once, at all that there are."""
        for mother in mothers():
            for child in mother.children():
                self.children.add(child.pid)
                self.peak = max(self.peak, child.memory_info().rss)


def mothers() -> list[psutil.Process]:
    """The renderers of this very process: another's test may be rendering at this moment."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and str(rendering.JOB) in child.cmdline()
    ]


@contextmanager
def watched() -> Iterator[Seen]:
    """Look until the end of the block."""
    seen, over = Seen(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            with suppress(psutil.NoSuchProcess):
                seen.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
