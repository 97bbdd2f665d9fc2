"""Jobs begun together, and the place between looking and writing at which each waits for the rest.

A race is shown, or shown to be none, by where everybody stands, never by how long something takes:
whoever has looked goes on when each of the others has looked too, has ended, or waits for a lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections

from clinic.errors import ActionRefused

PATIENCE_S = 60
"""Only of a test that fails."""


class Crowd:
    """Some jobs, each in a thread and on a connection of its own."""

    def __init__(self) -> None:
        self._processes: dict[int, int] = {}
        self._passed: set[int] = set()
        """By thread: its process of the database; and which came to the place, or ended."""

    def run(
        self,
        jobs: Sequence[Callable[[], object]],
        refusals: tuple[type[Exception], ...] = (ActionRefused,),
    ) -> list[Any]:
        """Let all go together: what each answered, or the refusal that stopped it, in their order.

        Whatever a job raises that is none of `refusals` is raised here.
        """
        self._processes, self._passed = {}, set()
        ready = threading.Barrier(len(jobs), timeout=PATIENCE_S)

        def run(job: Callable[[], object]) -> object:
            try:
                connection.ensure_connection()
                self._processes[threading.get_ident()] = connection.connection.info.backend_pid
                ready.wait()
                return job()
            finally:
                connections.close_all()
                self._passed.add(threading.get_ident())

        with ThreadPoolExecutor(len(jobs)) as threads:
            begun = [threads.submit(run, job) for job in jobs]
        refused = [one.exception() for one in begun]
        return [
            refusal if isinstance(refusal, refusals) else one.result()
            for one, refusal in zip(begun, refused, strict=True)
        ]

    def stand(self) -> bool:
        """Until each of the others has come here once, has ended, or waits for a lock.

        Whether any of them waits. Who is none of the crowd goes on at once.
        """
        me = threading.get_ident()
        if me not in self._processes:
            return False
        self._passed.add(me)
        until(lambda: self._missing() <= waiting())
        return bool(self._missing())

    def _missing(self) -> set[int]:
        """The processes of those who neither came nor ended."""
        return {self._processes[one] for one in set(self._processes) - self._passed}


def waiting() -> set[int]:
    """The server's processes that stand in a queue for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE NOT granted")
        return {pid for (pid,) in cursor.fetchall()}


def until(holds: Callable[[], bool]) -> None:
    """Wait for a state, however slow the machine is."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "It did not come about."
        time.sleep(0.005)
