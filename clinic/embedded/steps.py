"""Says what is being done and how long it took."""

import contextlib
import time
from collections.abc import Iterator

WIDTH = 44


def say(text: str = "") -> None:
    """One line to the terminal, at once even into a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Announce a step, and its seconds when it is done."""
    started = time.monotonic()
    print(f"  {name} ".ljust(WIDTH, "."), end=" ", flush=True)
    try:
        yield
    except BaseException:
        say("stopped")
        raise
    say(f"{time.monotonic() - started:.1f} s")
