"""Working through rows so that one that cannot be worked holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack


def each_by_itself(steps: Iterable[Callable[[], object]]) -> None:
    """Take every step, in order, also after one that failed; what failed is raised at the end.

    So one row that cannot be worked neither holds up the others nor goes unnoticed.
    """
    with ExitStack() as stack:
        for step in reversed(list(steps)):
            stack.callback(step)
