"""Real Celery workers on the test database, and a real SMTP sink that remembers what it took."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
from aiosmtpd.controller import Controller
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from patients.documents.models import Document
from patients.messages.models import Message

QUEUE = f"tests-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
"""A queue for each process of a parallel run."""
TASKS = ("patients.render_documents", "patients.send_messages")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lives(process: psutil.Process) -> bool:
    """Whether it still does anything: one that ended may wait to be counted by its parent."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Sink:
    """Counts deliveries by Message-ID; slow, so that a kill can fall into the answer."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.taken: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.subjects: set[str] = set()
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  (aiosmtpd's name)
        letter = message_from_bytes(envelope.content)
        self.taken[str(letter["Message-ID"])] += 1
        self.reached.update(envelope.rcpt_tos)
        self.subjects.add(str(letter["Subject"]))
        await asyncio.sleep(self.seconds)
        return "250 OK"


class Worker:
    """One Celery worker with one child, killed and started again at will."""

    queue = QUEUE

    def __init__(self, sink_port: int, log: Path) -> None:
        self.log = log
        self.environment = {
            **os.environ,
            "DATABASE_URL": test_database_url(),
            "EMAIL_URL": f"smtp://127.0.0.1:{sink_port}",
            "MEDIA_ROOT": str(settings.MEDIA_ROOT),
            "MEDIA_KEY_FILE": str(settings.MEDIA_KEY_FILE),
            "CONN_MAX_AGE": "0",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "clinic", "worker", "-c", "1", "-P"]
        options = [
            "prefork",
            "-Q",
            self.queue,
            "--without-gossip",
            "--without-mingle",
            "-l",
            "warning",
        ]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command + options, env=self.environment, stdout=output, stderr=output
            )

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def kill_child(self) -> None:
        """kill -9 of the process that does the work; its parent starts another."""
        for child in self.children():
            child.kill()

    def kill_all(self) -> None:
        """kill -9 of the parent; its children are bound to it."""
        tree = [psutil.Process(self.process.pid), *self.children()]
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + 30
        while any(map(lives, tree[1:])) and time.monotonic() < end:
            time.sleep(0.02)
        self.process = None

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill_all()


def test_database_url() -> str:
    """The address of the test database, as a worker is told it."""
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


test_database_url.__test__ = False  # type: ignore[attr-defined]


def tick() -> None:
    """What beat does."""
    for name in TASKS:
        current_app.send_task(name, queue=QUEUE, ignore_result=True)


def forget_wake_ups() -> None:
    """Empty the tests' own queue of what an earlier run may have left."""
    with current_app.connection_or_acquire() as broker:
        queue = broker.SimpleQueue(QUEUE)
        queue.clear()
        queue.close()


def let_the_leases_run_out() -> None:
    """Time passes: whatever a dead worker had claimed is free again."""
    now = timezone.now()
    Document.objects.filter(state="rendering").update(lease_until=now)
    Message.objects.filter(state="claimed").update(lease_until=now)


def until(condition: Callable[[], bool], seconds: float, each: float = 0.05) -> bool:
    """Wait until a condition holds, ticking as beat would; whether it did."""
    end, next_tick = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        if condition():
            return True
        if time.monotonic() > next_tick:
            tick()
            next_tick = time.monotonic() + 1
        time.sleep(each)
    return condition()
