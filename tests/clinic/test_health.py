"""Signs of life, overdue tasks, the health addresses, and log lines with nobody in them."""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, signals
from celery.schedules import crontab, schedule
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test import Client, RequestFactory
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from clinic.audit.context import request_id
from clinic.celery import app
from clinic.logs import JsonFormatter
from clinic.web import access_log, heartbeat
from clinic.web.models import Heartbeat

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def alive(at: datetime | None = None) -> None:
    """Worker, beat and every scheduled task have just given their sign."""
    for name in [heartbeat.WORKER, heartbeat.BEAT]:
        heartbeat.note(name, at)
    for name in heartbeat.scheduled_tasks(app):
        heartbeat.note(heartbeat.task_key(name), at)


# -- the addresses -----------------------------------------------------------------------------


def test_live_answers_without_the_database(client: Client) -> None:
    """No database mark on this test: any query would fail it."""
    response = client.get("/health/live")
    assert (response.status_code, response.content) == (200, b"live\n")
    assert "no-store" in response["Cache-Control"] or "no-cache" in response["Cache-Control"]


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_health_is_only_read(address: str, client: Client) -> None:
    assert client.post(address).status_code == 405


@pytest.mark.django_db
def test_ready_when_every_part_is_well(client: Client) -> None:
    alive()
    response = client.get("/health/ready")
    assert response.json() == {
        "ready": True,
        "redis": "ok",
        "database": "ok",
        "worker": "ok",
        "beat": "ok",
    }
    assert response.status_code == 200


@pytest.mark.django_db
def test_ready_names_a_worker_that_fell_silent(client: Client) -> None:
    alive()
    heartbeat.note(heartbeat.WORKER, timezone.now() - timedelta(seconds=61))
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["worker"] == "no sign for a minute"
    assert response.json()["beat"] == "ok"


@pytest.mark.django_db
def test_ready_names_an_overdue_task(client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    alive(long_ago)
    heartbeat.note(heartbeat.WORKER)
    response = client.get("/health/ready")
    assert response.status_code == 503
    for name in heartbeat.scheduled_tasks(app):
        assert name in response.json()["beat"]


@pytest.mark.django_db
def test_not_ready_before_beat_has_ever_started(client: Client) -> None:
    heartbeat.note(heartbeat.WORKER)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["beat"] == "overdue: beat"


@pytest.mark.django_db
def test_ready_names_redis(client: Client, settings: Any) -> None:
    alive()
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["redis"] == "does not answer"


@pytest.mark.django_db
def test_ready_names_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: QuerySet[Heartbeat]) -> dict[str, datetime]:
        raise OperationalError

    monkeypatch.setattr("clinic.web.models.HeartbeatQuerySet.times", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["database"] == "does not answer"


@pytest.mark.django_db
def test_the_command_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    alive()
    call_command("health", "worker")
    assert capsys.readouterr().out == "worker: ok\n"
    heartbeat.note(heartbeat.WORKER, NOON)
    with pytest.raises(CommandError, match="not ready"):
        call_command("health")
    with pytest.raises(CommandError, match="no part kitchen"):
        call_command("health", "kitchen")


# -- when a task is overdue --------------------------------------------------------------------


def test_a_task_is_overdue_after_three_missed_runs_and_a_minute() -> None:
    every_minute = schedule(timedelta(minutes=1))
    assert heartbeat.overdue_at(every_minute, NOON) == NOON + timedelta(minutes=4)


def test_a_nightly_task_is_overdue_after_three_nights() -> None:
    nightly = crontab(hour="3", minute="0", app=app)
    expected = datetime(2026, 3, 5, 3, 1, tzinfo=UTC)
    assert heartbeat.overdue_at(nightly, NOON) == expected


@pytest.fixture
def small() -> Celery:
    small = Celery("small", set_as_current=False)
    small.conf.timezone = "UTC"
    small.conf.beat_schedule = {"tick": {"task": "tick", "schedule": 10.0}}
    return small


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, []), (90, []), (91, ["tick"])], ids=["now", "limit", "over"]
)
def test_overdue_counts_from_the_last_run(small: Celery, seconds: int, expected: list[str]) -> None:
    seen = {"beat": NOON - timedelta(days=1), "task:tick": NOON}
    assert heartbeat.overdue_tasks(small, seen, NOON + timedelta(seconds=seconds)) == expected


def test_a_morning_start_is_not_overdue_at_once(small: Celery) -> None:
    seen = {"beat": NOON, "task:tick": NOON - timedelta(days=1)}
    assert heartbeat.overdue_tasks(small, seen, NOON + timedelta(seconds=60)) == []
    assert heartbeat.overdue_tasks(small, seen, NOON + timedelta(seconds=91)) == ["tick"]


@dataclass(frozen=True)
class Sender:
    """What a task is to its signal."""

    name: str


@pytest.mark.django_db
def test_only_scheduled_tasks_leave_their_time() -> None:
    scheduled = next(iter(heartbeat.scheduled_tasks(app)))
    for name in [scheduled, "someone.else"]:
        signals.task_success.send(sender=Sender(name), result=None)
    assert set(Heartbeat.objects.times()) == {heartbeat.task_key(scheduled)}


@pytest.mark.django_db
def test_a_sign_is_one_row_however_often_it_is_given() -> None:
    heartbeat.note("worker", NOON)
    heartbeat.note("worker", NOON + timedelta(seconds=20))
    assert Heartbeat.objects.times() == {"worker": NOON + timedelta(seconds=20)}


def test_a_database_that_is_away_does_not_end_the_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(name: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(heartbeat, "note", away)
    heartbeat.note_if_possible("worker")
    assert "could not be written" in caplog.text


def test_the_worker_gives_a_sign_every_twenty_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    planned: list[float] = []
    entry = SimpleNamespace(cancel=lambda: planned.clear())

    def call_repeatedly(seconds: float, call: Any) -> Any:
        planned.append(seconds)
        return entry

    monkeypatch.setattr(heartbeat, "note_if_possible", given.append)
    monkeypatch.setattr(heartbeat.connection, "close", lambda: None)
    consumer = SimpleNamespace(timer=SimpleNamespace(call_repeatedly=call_repeatedly))
    beat = heartbeat.WorkerHeartbeat(consumer)
    beat.start(consumer)
    assert (given, planned) == (["worker"], [20.0])
    beat.stop(consumer)
    assert planned == []


# -- log lines ---------------------------------------------------------------------------------


def line(
    level: int, message: str, *args: Any, name: str = "clinic", **extra: Any
) -> dict[str, Any]:
    record = logging.LogRecord(
        name, level, "file.py", 1, message, args, extra.pop("exc_info", None)
    )
    record.__dict__.update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    assert "\r" not in text
    return json.loads(text)


def test_a_line_holds_the_template_and_never_the_values() -> None:
    said = line(logging.WARNING, "mail to %s refused", "elodie@example.org")
    assert said["message"] == "mail to %s refused"
    assert "elodie" not in json.dumps(said)
    assert {"time", "level", "logger", "message", "request_id"} <= set(said)


def test_a_line_cannot_be_forged() -> None:
    said = line(logging.INFO, 'one\r\n{"level": "INFO", "message": "forged"}')
    assert said["message"].startswith("one\r\n")


def test_an_error_is_logged_by_type_and_place_without_its_words() -> None:
    try:
        raise ValueError("Key (email)=(elodie@example.org) exists")
    except ValueError:
        said = line(logging.ERROR, "failed", exc_info=sys.exc_info())
    assert said["error"] == "ValueError"
    assert said["at"][-1].endswith("test_an_error_is_logged_by_type_and_place_without_its_words")
    assert "elodie" not in json.dumps(said)


def test_a_line_names_the_route_not_the_address(rf: RequestFactory) -> None:
    request = rf.get("/my/s3cret-token/?q=Dupont")
    request.resolver_match = SimpleNamespace(route="my/<str:token>/")  # type: ignore[assignment]
    said = line(
        logging.ERROR,
        "Not Found: %s",
        request.path,
        request=request,
        status_code=404,
        name="django",
    )
    assert (said["route"], said["status"]) == ("my/<str:token>/", 404)
    assert "s3cret" not in json.dumps(said)
    assert "Dupont" not in json.dumps(said)


def test_a_line_carries_the_request_id_in_force() -> None:
    token = request_id.set("abc")
    try:
        assert line(logging.INFO, "hello")["request_id"] == "abc"
    finally:
        request_id.reset(token)


def test_a_task_is_named_without_its_arguments() -> None:
    data = {"id": "42", "name": "patients.send_messages", "args": "['elodie@example.org']"}
    said = line(logging.INFO, "Task %(name)s succeeded", data=data, name="celery.app.trace")
    assert (said["task"], said["task_id"]) == ("patients.send_messages", "42")
    assert "elodie" not in json.dumps(said)


def test_beat_says_what_it_sends() -> None:
    said = line(logging.INFO, "Sending due task %s (%s)", "a", "b", name="celery.beat")
    assert said["message"] == "Sending due task a (b)"


@pytest.mark.django_db
def test_each_request_leaves_one_line_without_its_address(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=access_log.logger.name)
    client.get("/sign-in/?email=elodie@example.org")
    client.get("/health/live")
    record = next(r for r in caplog.records if r.name == access_log.logger.name)
    said = json.loads(JsonFormatter().format(record))
    assert (said["method"], said["status"], said["route"]) == ("GET", 200, "sign-in/")
    assert said["ms"] >= 0
    assert "elodie" not in json.dumps(said)
    assert len([r for r in caplog.records if r.name == access_log.logger.name]) == 1


def test_a_page_does_not_wait_for_a_redis_that_is_away() -> None:
    """Trying again, as Celery does by itself, would hold each page for six seconds."""
    started = time.monotonic()
    with (
        app.connection_for_write("redis://127.0.0.1:1/0") as nobody,
        pytest.raises(BrokerError),
    ):
        nobody.default_channel.client.ping()
    assert time.monotonic() - started < 2
