"""The one error of the private servers, and small looks at the processes around them."""

import os
import platform
import subprocess
import time
from pathlib import Path

LINUX = platform.system() == "Linux"


class EmbeddedError(RuntimeError):
    """Something the person at the keyboard must change; the message says what and how."""


def is_alive(pid: int) -> bool:
    """Whether a process with this number exists; a zombie does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return not LINUX
    return stat.rpartition(")")[2].split()[0] != "Z"


def command_line(pid: int) -> str:
    """The words a process was started with, or nothing when it is gone."""
    if LINUX:
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def descendants(pid: int) -> list[int]:
    """Every living process below this one, children first; empty where /proc is missing."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state != "Z":
            children.setdefault(int(parent), []).append(int(folder.name))
    found, queue = [], list(children.get(pid, []))
    while queue:
        current = queue.pop(0)
        found.append(current)
        queue.extend(children.get(current, []))
    return found


def wait_until_gone(pid: int, seconds: float) -> bool:
    """Wait for a process that is not our child to end; False when it is still there."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
