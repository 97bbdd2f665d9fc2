"""A ZIP that is written in encrypted pieces: neither memory nor disk ever holds it whole."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

PIECE_BYTES = 4 * 1024 * 1024


class Pieces(io.RawIOBase):
    """A file to write to, which hands on what was written in pieces of `PIECE_BYTES`."""

    def __init__(self, keep: Callable[[int, bytes], object]) -> None:
        super().__init__()
        self._keep, self._waiting = keep, bytearray()
        self.count, self.size, self._hash = 0, 0, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        taken = bytes(content)  # type: ignore[call-overload]
        self._waiting += taken
        self._hash.update(taken)
        self.size += len(taken)
        while len(self._waiting) >= PIECE_BYTES:
            self._hand_on(PIECE_BYTES)
        return len(taken)

    def finish(self) -> str:
        """Hand on what is left; the SHA-256 of the whole."""
        if self._waiting:
            self._hand_on(len(self._waiting))
        return self._hash.hexdigest()

    def _hand_on(self, length: int) -> None:
        self._keep(self.count, bytes(self._waiting[:length]))
        del self._waiting[:length]
        self.count += 1
