"""Reminders on their whole way: diary, tick, row, worker, SMTP; and everything that can die on it.

Redis is a server of the test's own, so that it can be killed and emptied too.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import redis
from celery import Celery
from django.utils import timezone
from kombu.exceptions import OperationalError

from clinic.embedded import urls
from clinic.embedded.redis import Redis
from patients.messages.models import Message, MessageRules
from patients.registry.models import Patient, Registration
from tests.conftest import Cast
from tests.patients.workers import Sink, Worker
from treatments.diary.models import Appointment
from treatments.diary.notices import Notice

SETTLED = ("sent", "failed", "uncertain")


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
    """Two workers, a beat, a Redis and a mail server, all real."""

    def __init__(self, sink: Sink, folder: Path, *, with_beat: bool) -> None:
        self.sink = sink
        self.redis = Redis(folder / "redis-home")
        address = urls.redis_url(folder / "redis-home")
        self.workers = [DefaultQueue(sink.controller.port, folder / f"{n}.log") for n in range(2)]
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
        for name in ("treatments.tell_patients", "patients.send_messages"):
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
def open_clinic(folder: Path, *, seconds: float, with_beat: bool) -> Iterator[Clinic]:
    """Everything running; the mail server takes so many seconds for each letter."""
    sink = Sink(seconds=seconds)
    sink.controller.start()
    clinic = Clinic(sink, folder, with_beat=with_beat)
    clinic.start()
    try:
        yield clinic
    finally:
        clinic.end()
        sink.controller.stop()


def fill_diary(cast: Cast, count: int) -> None:
    """So many visits in two days less an hour, each of another patient, booked long ago."""
    MessageRules.objects.create(location=cast.here, quiet_from="00:00", quiet_until="00:00")
    patients = Patient.objects.bulk_create(
        Patient(
            given_name="Ana", family_name=f"L{n}", birth_date="1980-01-01", email=f"{n}@example.org"
        )
        for n in range(count)
    )
    Registration.objects.bulk_create(
        Registration(patient=patient, location=cast.here) for patient in patients
    )
    starts = timezone.now() + timedelta(hours=47)
    Appointment.objects.bulk_create(
        Appointment(
            created_at=starts - timedelta(days=30),
            location=cast.here,
            patient=patient,
            practitioner=cast.practitioner,
            room=cast.room,
            service=cast.consultation,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
            overlap_reason="as many at once as a proof needs",
        )
        for patient in patients
    )


def wait(condition: Callable[[], bool], seconds: float, between: Callable[[], object]) -> bool:
    """Wait for a condition, doing something each second; whether it came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        between()
        time.sleep(1)
    return condition()


def is_settled(count: int) -> bool:
    return Message.objects.filter(kind="reminder", state__in=SETTLED).count() == count


def judge(sink: Sink, count: int) -> dict[str, int]:
    """Fail unless each was made once, sent at most once, and none vanished; the figures."""
    assert Notice.objects.filter(kind="reminder").count() == count
    assert Message.objects.filter(kind="reminder").count() == count
    assert max(sink.taken.values()) == 1
    assert max(sink.reached.values()) == 1
    sent = Message.objects.filter(state="sent")
    silent = [one.pk for one in sent if not sink.taken[one.message_id]]
    assert not silent
    failed_but_sent = [
        one.pk for one in Message.objects.filter(state="failed") if sink.taken[one.message_id]
    ]
    assert not failed_but_sent
    return {state: Message.objects.filter(state=state).count() for state in SETTLED} | {
        "arrived": len(sink.taken)
    }
