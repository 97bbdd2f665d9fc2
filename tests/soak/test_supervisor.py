"""The whole demo, opened for real: killed in every way, side by side, closed without a trace."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from clinic.embedded import urls
from clinic.embedded.trouble import descendants, is_alive

pytestmark = pytest.mark.soak

# Seconds.
OPENED = 240
CLOSED = 10
OPEN_LINE = "Clinic is open at http://127.0.0.1:{port}"
SERVERS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "SMS_URL")
FOREIGN = (*SERVERS, "SECRET_KEY", "SECRET_KEY_FILE", "MEDIA_KEY_FILE", "MAKELEVEL", "MAKEFLAGS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """One demo in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.output = home.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    def open(self) -> float:
        """Open it and return the seconds that took."""
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        environment |= {"CLINIC_HOME": str(self.home), "PORT": str(self.port)}
        started = time.monotonic()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clinic.embedded", "demo"],
                cwd=urls.REPOSITORY,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while OPEN_LINE.format(port=self.port) not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - started < OPENED, self.said()
            time.sleep(0.1)
        return time.monotonic() - started

    def said(self) -> str:
        return self.output.read_text()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def tree(self) -> list[int]:
        return [self.pid, *descendants(self.pid)]

    def close(self, number: int = signal.SIGTERM) -> float:
        """Close it and return the seconds that took; nothing may be left."""
        tree, started = self.tree(), time.monotonic()
        os.kill(self.pid, number)
        assert self.process is not None
        assert self.process.wait(CLOSED) == 0
        took = time.monotonic() - started
        assert not [pid for pid in tree if is_alive(pid)]
        return took

    def ready(self) -> dict[str, object]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/health/ready")
            answer: dict[str, object] = json.loads(connection.getresponse().read())
            return answer

    def count(self, table: str) -> int:
        with psycopg.connect(urls.database_url("owner", self.home)) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
        assert row
        return int(row[0])


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path / "one")
    yield one
    if one.process and one.process.poll() is None:
        one.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_opens_closes_and_opens_again_with_its_data(demo: Demo, number: int) -> None:
    first = demo.open()
    patients, at_work = demo.count("patients_patient"), len(demo.tree())
    assert demo.ready()["ready"] is True
    closed = demo.close(number)
    second = demo.open()
    assert demo.count("patients_patient") == patients
    assert len(demo.tree()) <= at_work + 2
    print(f"first start {first:.1f} s, close {closed:.1f} s, second start {second:.1f} s")
    assert second < 15


def test_it_survives_the_kill_of_everything(demo: Demo) -> None:
    demo.open()
    with psycopg.connect(urls.database_url("owner", demo.home)) as connection:
        connection.execute("CREATE TABLE proof AS SELECT generate_series(1, 500) AS id")
    for pid in demo.tree():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert demo.process
    demo.process.wait()
    demo.open()
    assert demo.count("proof") == 500
    assert demo.ready()["ready"] is True


def test_nothing_is_left_when_the_supervisor_alone_is_killed(demo: Demo) -> None:
    demo.open()
    tree = demo.tree()
    os.kill(demo.pid, signal.SIGKILL)
    assert demo.process
    demo.process.wait()
    deadline = time.monotonic() + CLOSED
    while left := [pid for pid in tree if is_alive(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    demo.open()


def test_two_stand_side_by_side(demo: Demo, tmp_path: Path) -> None:
    other = Demo(tmp_path / "two")
    demo.open()
    other.open()
    try:
        assert demo.ready()["ready"] is True
        assert other.ready()["ready"] is True
        assert urls.mail_port(demo.home) != urls.mail_port(other.home)
        second = subprocess.run(
            [sys.executable, "-m", "clinic.embedded", "demo"],
            cwd=urls.REPOSITORY,
            env=os.environ | {"CLINIC_HOME": str(demo.home), "PORT": str(free_port())},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"http://127.0.0.1:{demo.port}" in second.stderr
    finally:
        other.close()
    assert demo.ready()["ready"] is True


def test_each_part_that_is_killed_comes_back(demo: Demo) -> None:
    demo.open()
    for pid in descendants(demo.pid):
        # The direct children only: web, worker, beat, mail sink, PostgreSQL, Redis.
        with contextlib.suppress(OSError):
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == demo.pid:
                os.kill(pid, signal.SIGKILL)
                time.sleep(1)
    deadline = time.monotonic() + 60
    ready: object = False
    while ready is not True:
        assert time.monotonic() < deadline, demo.said()
        time.sleep(0.5)
        with contextlib.suppress(OSError, http.client.HTTPException):
            ready = demo.ready()["ready"]
    for name in ("web", "worker", "beat", "mailbox", "PostgreSQL", "Redis"):
        assert f"{name} ended (code -9); starting it again" in demo.said()
