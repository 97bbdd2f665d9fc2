"""A clinic of real processes, everything in it that can die, and what must hold when it did.

Redis is a server of the test's own, so that it can be killed and emptied too.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from clinic.embedded import urls
from clinic.embedded.redis import Redis
from patients.messages.models import Message
from tests.patients.workers import Sink, Worker

SETTLED = ("sent", "failed", "uncertain")
TICKS = ("treatments.tell_patients", "aftercare.open_check_ins", "patients.send_messages")


class DefaultQueue(Worker):
    """A worker that takes what beat sends."""

    queue = "celery"


class Beat:
    """The real beat; its schedule file survives it, as in production."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "clinic", "beat", "--pidfile="]
        schedule = ["--schedule", str(self.folder / "schedule"), "-l", "warning"]
        with (self.folder / "beat.log").open("ab") as output:
            self.process = subprocess.Popen(
                command + schedule, env=self.environment, stdout=output, stderr=output
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Clinic:
    """Workers, a beat, a Redis and a mail server, all real."""

    def __init__(self, sink: Sink, folder: Path, *, with_beat: bool, workers: int) -> None:
        self.sink = sink
        self.redis = Redis(folder / "redis-home")
        address = urls.redis_url(folder / "redis-home")
        self.workers = [
            DefaultQueue(sink.controller.port, folder / f"{n}.log") for n in range(workers)
        ]
        for worker in self.workers:
            worker.environment["REDIS_URL"] = address
        self.beat = Beat(self.workers[0].environment, folder) if with_beat else None
        socket = urls.socket_folder(folder / "redis-home") / urls.REDIS_SOCKET_NAME
        self.client = redis.Redis(unix_socket_path=str(socket))
        self.by_hand = Celery(
            broker=f"redis+socket://{socket}?virtual_host=0", set_as_current=False
        )
        self.by_hand.conf.broker_transport_options = {"max_retries": 0}

    def start(self) -> None:
        self.redis.start()
        for worker in self.workers:
            worker.start()
        if self.beat:
            self.beat.start()

    def end(self) -> None:
        if self.beat:
            self.beat.kill()
        for worker in self.workers:
            worker.end()
        self.client.close()
        self.by_hand.close()
        self.redis.stop()

    def tick(self) -> None:
        """What beat does, where the test has no time to wait for it."""
        for name in TICKS:
            with suppress(OperationalError):
                self.by_hand.send_task(name, ignore_result=True, retry=False)

    # -- what can happen to it -------------------------------------------------------------------

    def kill_child(self, dice: Random) -> None:
        dice.choice(self.workers).kill_child()

    def kill_worker(self, dice: Random) -> None:
        worker = dice.choice(self.workers)
        worker.kill_all()
        worker.start()

    def kill_beat(self, dice: Random) -> None:
        if self.beat:
            self.beat.kill()
            self.beat.start()

    def kill_redis(self, dice: Random) -> None:
        process = self.redis.process
        assert process is not None
        process.kill()
        process.wait()
        time.sleep(dice.random())
        self.redis.start()

    def empty_redis(self, dice: Random) -> None:
        self.client.flushall()


@contextmanager
def open_clinic(
    folder: Path, *, seconds: float, with_beat: bool, workers: int = 2
) -> Iterator[Clinic]:
    """Everything running; the mail server takes so many seconds for each letter."""
    sink = Sink(seconds=seconds)
    sink.controller.start()
    clinic = Clinic(sink, folder, with_beat=with_beat, workers=workers)
    clinic.start()
    try:
        yield clinic
    finally:
        clinic.end()
        sink.controller.stop()


def wait(
    condition: Callable[[], bool],
    seconds: float,
    between: Callable[[], object],
    each: float = 1,
) -> bool:
    """Wait for a condition, looking `each` so many seconds and doing something each second; whether
    it came.
    """
    end, next_time = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        if condition():
            return True
        if time.monotonic() >= next_time:
            between()
            next_time = time.monotonic() + 1
        time.sleep(each)
    return condition()


def strike(clinic: Clinic, dice: Random, kills: int, letters: int) -> Counter[str]:
    """So many blows, spread over so many letters; how many of each.

    The first ten are every kind in turn: beat is struck, then the rest while it is starting. Redis
    is emptied among them only.
    """
    kills_of = [clinic.kill_child, clinic.kill_worker, clinic.kill_beat, clinic.kill_redis]
    blows = [*kills_of, clinic.empty_redis]
    done: Counter[str] = Counter()
    wait(lambda: len(clinic.sink.taken) > 0, 180, lambda: None)
    for number in range(kills):
        goal = (number + 1) * letters // (kills + 6)
        wait(lambda goal=goal: len(clinic.sink.taken) >= goal, 25, lambda: None)
        blow = blows[number % 5] if number < 10 else dice.choice(kills_of)
        blow(dice)
        done[blow.__name__] += 1
    return done


def is_settled(kind: str, count: int) -> bool:
    return Message.objects.filter(kind=kind, state__in=SETTLED).count() == count


def judge(sink: Sink, kind: str, count: int) -> dict[str, int]:
    """Fail unless each letter was made once, sent at most once, and none vanished; the figures."""
    letters = Message.objects.filter(kind=kind)
    assert letters.count() == count
    assert max(sink.taken.values()) == 1
    assert max(sink.reached.values()) == 1
    lost = [one.pk for one in letters.filter(state="sent") if not sink.taken[one.message_id]]
    assert not lost
    sent = [one.pk for one in letters.filter(state="failed") if sink.taken[one.message_id]]
    assert not sent
    figures = {state: letters.filter(state=state).count() for state in SETTLED}
    assert sum(figures.values()) == count
    return figures | {"arrived": sum(sink.taken[one.message_id] for one in letters)}
