"""The processes of the demo that are plain programs, and how each is started again when it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from clinic.embedded.trouble import command_line, wait_until_gone

CHILD = Path(__file__).with_name("child.py")
# Seconds to wait before a service that ended is started again; the last one is kept.
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
# A service that lived this many seconds begins at the first wait again.
PROVED = 60.0
LOG_LIMIT = 10_000_000
ORPHAN_LIMIT = 5.0


@dataclass
class Service:
    """One program with its own process group and its own log file."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)
    started_at: float = field(default=0.0, init=False)
    again_at: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start the program, bound to this process so that it ends with it."""
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.end_orphan()
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_LIMIT:
                self.log.replace(self.log.with_suffix(".old"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(CHILD), str(os.getpid()), str(int(signal.SIGTERM))),
                    *self.command,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self.environment,
            )
        self.note.write_text(str(self.process.pid))
        self.started_at = time.monotonic()

    @property
    def note(self) -> Path:
        """Where the number of the running program is kept."""
        return self.log.with_suffix(".pid")

    def end_orphan(self) -> None:
        """End what an earlier supervisor left of this program when it was killed.

        A worker in the middle of its work may outlive it, and so may all where the kernel cannot
        bind a child to its parent. The work is done again: it is acknowledged late.
        """
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.note.read_text())
            if " ".join(self.command) in command_line(pid):
                os.killpg(pid, signal.SIGKILL)
                wait_until_gone(pid, ORPHAN_LIMIT)

    def ended(self) -> int | None:
        """The exit code when the program has ended since it was last started."""
        return self.process.poll() if self.process else None

    def plan_restart(self) -> float:
        """Note the end and return the seconds until the next start."""
        if time.monotonic() - self.started_at > PROVED:
            self.failures = 0
        wait = BACK_OFF[min(self.failures, len(BACK_OFF) - 1)]
        self.failures += 1
        self.again_at = time.monotonic() + wait
        self.process = None
        return wait

    def restart_if_due(self) -> bool:
        """Start the program again when its wait is over."""
        if self.process is None and self.again_at and time.monotonic() >= self.again_at:
            self.again_at = 0.0
            self.start()
            return True
        return False

    def send(self, number: int) -> None:
        """Signal the program's whole group, which outlives the program when children hang."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def ask_to_end(self) -> None:
        """Signal the program alone, so that it ends its children in its own order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def last_words(self, lines: int = 12) -> str:
        """The end of the log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").rstrip().splitlines()[-lines:])
        return ""
