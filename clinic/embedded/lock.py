"""One demo and one test run per folder: a file lock that the kernel drops when its holder dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from clinic.embedded.postgres import private_folder
from clinic.embedded.trouble import EmbeddedError


@contextlib.contextmanager
def held(path: Path, note: str, refusal: str) -> Iterator[None]:
    """Hold the lock; `note` is left in the file for the one that is refused.

    Raises EmbeddedError with `refusal`, in which `{note}` is the holder's note.
    """
    private_folder(path.parent)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            file.seek(0)
            raise EmbeddedError(refusal.format(note=file.read().strip())) from taken
        file.seek(0)
        file.truncate()
        file.write(f"{note} (process {os.getpid()})\n")
        file.flush()
        yield
