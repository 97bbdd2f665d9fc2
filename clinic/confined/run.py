"""Giving a job to a cell: a process of its own with limits, of which nothing is left afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clinic.confined.cell import Exit

CELL = Path(__file__).with_name("cell.py")


@dataclass(frozen=True)
class Outcome:
    """How a cell ended. `code`: None when it was killed for time; `said`: its last line."""

    code: int | None
    result: bytes
    said: str

    @property
    def is_done(self) -> bool:
        """Whether the job came to its end."""
        return self.code == Exit.DONE

    @property
    def was_stopped(self) -> bool:
        """Whether it was ended for taking too long, or by the system for its memory."""
        return self.code is None or self.code in (-signal.SIGXCPU, -signal.SIGKILL)


def run_confined(
    job: Path, source: bytes, *, address_space: int, processor_seconds: int, wall_seconds: float
) -> Outcome:
    """Do a job of `clinic.confined.cell` with a source. `address_space` in bytes."""
    with tempfile.TemporaryDirectory(prefix="clinic-cell-") as folder:
        command = [sys.executable, "-I", str(CELL), str(job)]
        process = subprocess.Popen(  # noqa: S603  (our own files, no shell, numbers as arguments)
            [*command, str(address_space), str(processor_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={
                "TMPDIR": folder,
                "HOME": folder,
                "LANG": "C.UTF-8",
                "PATH": os.defpath,
                # One heap for all threads: each of its own would take 64 MB of the address space.
                "MALLOC_ARENA_MAX": "1",
            },
            start_new_session=True,
        )
        try:
            result, errors = process.communicate(source, timeout=wall_seconds)
        except subprocess.TimeoutExpired:
            return Outcome(None, b"", "")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    last = errors.decode(errors="replace").strip().rpartition("\n")[2]
    return Outcome(process.returncode, result, last)
