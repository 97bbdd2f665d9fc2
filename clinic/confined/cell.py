"""A process that can reach nothing: bytes on stdin, a job done with them, bytes on stdout.

Run as a file in isolated mode, `python -I cell.py JOB ADDRESS_SPACE PROCESSOR_SECONDS`; it imports
nothing of the house: no settings, no secrets. Limits come first, then the network is taken away,
then the job's libraries are loaded. From that moment the interpreter itself refuses connections,
programs, and files outside its own and the job's. Address space in bytes. Exit codes: see `Exit`.

A job is a file with `READABLE`, the folders it reads beside Python's own; `prepare()`, which loads
its libraries; `work(source)`, which answers with bytes and one line about them; and `Refused`, what
it raises for a source that it will not have.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any

LARGEST_FILE = 64 * 1024 * 1024
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
    """How it ends. On stderr: with 0 what the job says of its result, else one line of why."""

    DONE = 0
    REFUSED = 3
    UNAVAILABLE = 4
    FAILED = 5


def limit(address_space: int, processor_seconds: int) -> None:
    """Bound memory, processor time and the size of any file, and leave no core behind."""
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leave_the_network() -> None:
    """Enter an empty network namespace where the kernel lets us; Linux only, and not everywhere.

    Without it the audit hook still stands. Entering a user namespace clears the request to die
    with the parent, so that request comes last.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def forbid(folders: Iterable[Path]) -> None:
    """From here on Python refuses sockets, programs, and files that are nobody's business."""
    wanted = (sys.prefix, sys.base_prefix, *map(str, folders))
    readable = tuple(os.path.realpath(folder) for folder in wanted)
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


def load(path: str) -> Any:
    """The job as a module, from its file alone."""
    spec = importlib.util.spec_from_file_location("job", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    return job


def end(code: Exit, reason: str) -> None:
    """Say why in one line and leave."""
    sys.stderr.write(reason.replace("\n", " ")[:300])
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Read, work, write."""
    limit(int(sys.argv[2]), int(sys.argv[3]))
    leave_the_network()
    job = load(sys.argv[1])
    try:
        job.prepare()
    except (ImportError, OSError) as missing:
        end(Exit.UNAVAILABLE, str(missing))
    source = sys.stdin.buffer.read()
    forbid(job.READABLE)
    try:
        result, said = job.work(source)
    except job.Refused as refused:
        end(Exit.REFUSED, str(refused))
    except MemoryError:
        end(Exit.FAILED, "out of memory")
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    end(Exit.DONE, said)


if __name__ == "__main__":
    main()
