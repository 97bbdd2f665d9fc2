"""Giving a job to a cell: a process of its own with limits, of which nothing is left afterwards."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from clinic.confined.cell import ANSWER, KILLED, LENGTH, Exit

CELL = Path(__file__).with_name("cell.py")
IDLE_SECONDS = 300
"""A warm cell that nobody asks for so long ends, and its memory is free."""
STOPPED = (
    *(None, Exit.OUT_OF_MEMORY, -signal.SIGXCPU, -signal.SIGKILL),
    *(-signal.SIGABRT, -signal.SIGTRAP),
)
"""How a cell ends that takes too much; GLib gives itself up when it is refused memory."""


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
        """Whether it was ended for taking too long or too much memory."""
        return self.code in STOPPED


def _start(folder: str, *words: str, quiet: bool = False) -> subprocess.Popen[bytes]:
    """A cell with a folder of its own, and nothing of this process's environment."""
    return subprocess.Popen(  # noqa: S603  (our own files, no shell, numbers as arguments)
        [sys.executable, "-I", str(CELL), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
        bufsize=0,
        cwd=folder,
        env={
            "TMPDIR": folder,
            "HOME": folder,
            "LANG": "C.UTF-8",
            "PATH": os.defpath,
            # One heap for all threads: each of its own would reserve 64 MB of the address space.
            "MALLOC_ARENA_MAX": "1",
        },
        start_new_session=True,
    )


def run_confined(
    job: Path, source: bytes, *, address_space: int, processor_seconds: int, wall_seconds: float
) -> Outcome:
    """Do a job of `clinic.confined.cell` with a source. `address_space` in bytes."""
    with tempfile.TemporaryDirectory(prefix="clinic-cell-") as folder:
        process = _start(folder, str(job), str(address_space), str(processor_seconds))
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


class WarmCell:
    """A cell that keeps its job's libraries loaded, and gives each source a child of its own.

    One source at a time. It begins with the first one, and anew after any that did not end well,
    after `IDLE_SECONDS`, and in a process that was forked from the one that began it.
    """

    def __init__(self, job: Path, *, memory: int, processor_seconds: int) -> None:
        """`memory`: the bytes that a source may have in use, the libraries included."""
        self.job = job
        self.limits = (str(memory), str(processor_seconds))
        self._turn = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""

    def run(self, source: bytes, *, wall_seconds: float) -> Outcome:
        """Do the job with a source. The time to load the libraries counts too."""
        until = time.monotonic() + wall_seconds
        with self._turn:
            try:
                outcome = self._asked(source, until)
            except BaseException:
                self.close()
                raise
            if outcome.code not in (Exit.DONE, Exit.REFUSED):
                self.close()
        return outcome

    def close(self) -> None:
        """End it and everything that belongs to it."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        process.stdout.close()
        if self._owner != os.getpid():
            return  # it is the cell of the process that this one was forked from
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _asked(self, source: bytes, until: float) -> Outcome:
        """The answer; asked once more of a new cell if the old one was gone, idle for too long."""
        was_there = self._process is not None
        outcome = self._answer(source, until)
        if was_there and outcome is None:
            self.close()
            outcome = self._answer(source, until)
        return outcome or Outcome(Exit.FAILED, b"", "")

    def _answer(self, source: bytes, until: float) -> Outcome | None:
        """None when the cell ended by itself, and not over this source."""
        process = self._running()
        head = None
        if _sent(process, b"." + LENGTH.pack(len(source)) + source, until):
            head = _received(process, ANSWER.size, until)
        if head is None:
            return _ended(process, until)
        code, size, line = ANSWER.unpack(head)
        rest = _received(process, size + line, until)
        if rest is None:
            return _ended(process, until)
        return Outcome(code, rest[:size], rest[size:].decode(errors="replace"))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid() or (self._process and self._process.poll() is not None):
            self.close()
        if self._process is None:
            self._owner = os.getpid()
            self._folder = tempfile.mkdtemp(prefix="clinic-cell-")
            words = (str(self.job), *self.limits, str(IDLE_SECONDS))
            self._process = _start(self._folder, *words, quiet=True)
        return self._process


def _ended(process: subprocess.Popen[bytes], until: float) -> Outcome | None:
    """Why no answer came: out of time, or what its child ended with; None if it ended itself."""
    try:
        code = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Outcome(None, b"", "")
    if code <= Exit.DONE:
        return None
    return Outcome(KILLED - code if code > KILLED else code, b"", "")


def _sent(process: subprocess.Popen[bytes], content: bytes, until: float) -> bool:
    """Whether everything was taken before the time ran out."""
    assert process.stdin is not None
    left = memoryview(content)
    os.set_blocking(process.stdin.fileno(), False)
    while left:
        wait = max(0.0, until - time.monotonic())
        if not select.select([], [process.stdin], [], wait)[1]:
            return False
        try:
            left = left[os.write(process.stdin.fileno(), left) :]
        except BrokenPipeError:
            return False
    return True


def _received(process: subprocess.Popen[bytes], length: int, until: float) -> bytes | None:
    """So many bytes of the answer; None when it ends before, or the time runs out."""
    assert process.stdout is not None
    parts = []
    while length:
        wait = max(0.0, until - time.monotonic())
        if not select.select([process.stdout], [], [], wait)[0]:
            return None
        part = os.read(process.stdout.fileno(), min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
