"""A process that can reach nothing: bytes on stdin, a job done with them, bytes on stdout.

Run as a file in isolated mode, `python -I cell.py JOB MEMORY PROCESSOR_SECONDS`; it imports
nothing of the house: no settings, no secrets. Limits come first, then the network is taken away,
then the job's libraries are loaded. From that moment the interpreter itself refuses connections,
programs, and files outside its own and the job's. Memory in bytes. Exit codes: see `Exit`.

With a number of seconds as the last word the libraries are loaded once and each source gets a child
of its own under the same limits, which ends with it: what one source does to its child no other
meets. The mother reads no byte of any source. See `serve` for what goes over the pipes.

Memory is measured as fits each. A cell for one source maps little that it does not use, so its
address space is bounded. A warm one counts what it can write to (`bound_use`), which the kernel
refuses beyond the bound at once, and its mother looks ten times a second at what of her child is in
memory, whatever it is: address space would count code that is never loaded and room that threaded
libraries reserve, so that a bound on it is either far too wide or turns honest sources away.

A job is a file with `READABLE`, the folders it reads beside Python's own; `prepare()`, which loads
its libraries; `work(source)`, which answers with bytes and one line about them; and `Refused`, what
it raises for a source that it will not have.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import resource
import select
import shutil
import signal
import struct
import sys
import tempfile
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any

LARGEST_FILE = 64 * 1024 * 1024
LENGTH = struct.Struct(">Q")
"""Before a source: how many bytes it has."""
ANSWER = struct.Struct(">BQI")
"""Before an answer: how it ended (`Exit`), the bytes of its result, and of its last line."""
LONGEST_LINE = 300
YOUNG_OBJECTS = 20_000
FROM_FILES = 32 * 1024 * 1024
"""Bytes of libraries and fonts that a warm cell has in memory beside what it wrote; 24 MB seen."""
LOOK_SECONDS = 0.1
"""How often a mother looks how much of her child is in memory."""
KILLED = 128
"""A mother whose child was killed by signal N ends with this and N."""
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
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
    OUT_OF_MEMORY = 6


def bound_address_space(memory: int) -> None:
    """Bound everything that this process maps, loaded or not."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def bound_use(memory: int) -> None:
    """Bound what this process and its children can write to, so that with their code it fits.

    Each is bounded by itself; a child begins with what its mother has.
    """
    writable = max(memory - FROM_FILES, 0)
    resource.setrlimit(resource.RLIMIT_DATA, (writable, writable))


def limit_files() -> None:
    """Bound the size of any file, and leave no core behind."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(processor_seconds: int) -> None:
    """Bound the processor time of this process alone."""
    resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds))


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
    end_with_parent()


def end_with_parent() -> None:
    """Have the kernel end this process with the one that started it; Linux only."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def hide() -> None:
    """Let no child look into this process or change it, though it is the same user; Linux only."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def forbid(folders: Iterable[Path]) -> None:
    """From here on Python refuses sockets, programs, and files that are nobody's business."""
    wanted = (sys.prefix, sys.base_prefix, *map(str, folders))
    readable = tuple(os.path.realpath(folder) for folder in wanted)
    own = os.path.realpath(tempfile.gettempdir())

    # Most events are of a few kinds and come by the thousand.
    harmless: set[str] = set()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in harmless:
            return
        if event.startswith(FORBIDDEN):
            raise PermissionError(event)
        if event != "open":
            harmless.add(event)
            return
        if not isinstance(arguments[0], (str, bytes, os.PathLike)):
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


def one_line(reason: object) -> str:
    """Why, in one line that fits."""
    return str(reason).replace("\n", " ")[:LONGEST_LINE]


def end(code: Exit, reason: object) -> None:
    """Say why in one line and leave."""
    sys.stderr.write(one_line(reason))
    sys.stderr.flush()
    os._exit(code)


def done(job: Any, source: bytes) -> tuple[Exit, bytes, str]:
    """The job's answer: how it ended, its result and its last line."""
    try:
        result, said = job.work(source)
    except job.Refused as refused:
        return Exit.REFUSED, b"", one_line(refused)
    except MemoryError:
        return Exit.OUT_OF_MEMORY, b"", ""
    return Exit.DONE, result, one_line(said)


def read_exactly(length: int) -> bytes:
    """So many bytes of stdin. Raises `EOFError` when it ends before."""
    parts = []
    while length:
        part = os.read(0, min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def write_all(content: bytes) -> None:
    """Everything to stdout."""
    left = memoryview(content)
    while left:
        left = left[os.write(1, left) :]


def answer_one(job: Any, folder: str, processor_seconds: int) -> None:
    """In a child of its own: take one source from stdin, and write the answer to it."""
    end_with_parent()
    limit_time(processor_seconds)
    # It lives for one source only, so there is little to collect.
    gc.set_threshold(YOUNG_OBJECTS, 50, 50)
    tempfile.tempdir = folder
    os.chdir(folder)
    forbid(job.READABLE)
    (length,) = LENGTH.unpack(read_exactly(LENGTH.size))
    code, result, said = done(job, read_exactly(length))
    line = said.encode()
    write_all(ANSWER.pack(code, len(result), len(line)) + result + line)


def in_memory(process: int) -> int:
    """The bytes of a process that are in memory; 0 where the system does not say."""
    try:
        statistics = Path(f"/proc/{process}/statm").read_text()
    except OSError:
        return 0
    return int(statistics.split()[1]) * resource.getpagesize()


def wait_for(child: int, life: int, memory: int) -> int:
    """How a child ended, by itself or for being larger than `memory`.

    `life`: a pipe that only the child holds open at its other end.
    """
    while not select.select([life], [], [], LOOK_SECONDS)[0]:
        if in_memory(child) > memory:
            os.kill(child, signal.SIGKILL)
            break
    os.close(life)
    return os.waitpid(child, 0)[1]


def serve(job: Any, memory: int, processor_seconds: int, idle_seconds: int) -> None:
    """Answer until stdin ends, or nobody has asked for `idle_seconds`.

    Over stdin come one byte, then `LENGTH` and the source; the byte is for the mother, the rest for
    the child. Over stdout goes `ANSWER` with result and last line. A child that dies instead takes
    its mother with it, so that the pipes never carry the rest of another's answer.
    """
    home = tempfile.gettempdir()
    hide()
    gc.collect()
    gc.freeze()
    while select.select([0], [], [], idle_seconds)[0] and os.read(0, 1):
        folder = tempfile.mkdtemp(dir=home)
        life, held = os.pipe()
        child = os.fork()
        if child == 0:
            code = Exit.FAILED
            try:
                answer_one(job, folder, processor_seconds)
                code = Exit.DONE
            except MemoryError:
                code = Exit.OUT_OF_MEMORY
            finally:
                os._exit(code)
        os.close(held)
        status = wait_for(child, life, memory)
        shutil.rmtree(folder, ignore_errors=True)
        if os.WIFSIGNALED(status):
            os._exit(KILLED + os.WTERMSIG(status))
        if os.WEXITSTATUS(status) != Exit.DONE:
            os._exit(os.WEXITSTATUS(status))


def main() -> None:
    """Read, work, write; or load once, and answer one source after the other."""
    path, memory, processor_seconds, *warm = sys.argv[1:]
    limit_files()
    if warm:
        bound_use(int(memory))
    else:
        bound_address_space(int(memory))
        limit_time(int(processor_seconds))
    leave_the_network()
    job = load(path)
    try:
        job.prepare()
    except (ImportError, OSError) as missing:
        end(Exit.UNAVAILABLE, missing)
    if warm:
        serve(job, int(memory), int(processor_seconds), int(warm[0]))
        shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)
        os._exit(Exit.DONE)
    source = sys.stdin.buffer.read()
    forbid(job.READABLE)
    code, result, said = done(job, source)
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    end(code, said)


if __name__ == "__main__":
    main()
