"""Thirty kills at random while a thousand messages go out; fifty papers that never end."""

from __future__ import annotations

import random
import time

import pytest
from django.utils import timezone

from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.messages.actions import queue_message
from patients.messages.models import Message
from tests.patients.workers import (
    Sink,
    Worker,
    forget_wake_ups,
    let_the_leases_run_out,
    tick,
    until,
)

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

MESSAGES = 1_000
KILLS = 30
WORKERS = 2
PATHOLOGICAL = 50


@pytest.fixture
def sink():
    keeper = Sink(seconds=0.02)
    keeper.controller.start()
    yield keeper
    keeper.controller.stop()


@pytest.fixture
def workers(sink, tmp_path):
    forget_wake_ups()
    several = [Worker(sink.controller.port, tmp_path / f"{n}.log") for n in range(WORKERS)]
    for worker in several:
        worker.start()
    yield several
    for worker in several:
        worker.end()


def kill_one(workers: list[Worker], dice: random.Random) -> None:
    """kill -9 of a child or of a whole worker, which is then started again."""
    worker = dice.choice(workers)
    if dice.random() < 0.5:
        worker.kill_child()
        return
    worker.kill_all()
    worker.start()


def test_a_thousand_messages_and_thirty_kills(cast, sink, workers):
    dice = random.Random(20261123)
    for number in range(MESSAGES):
        queue_message(
            patient=cast.patient,
            kind="reminder",
            key=f"m{number}",
            subject="Your clinic has something for you",
            body="Open {link}",
            due_at=timezone.now(),
        )
    assert until(lambda: len(sink.taken) > 0, 60)
    for _kill in range(KILLS):
        before = len(sink.taken)
        until(lambda before=before: len(sink.taken) >= before + MESSAGES // (KILLS + 5), 30)
        kill_one(workers, dice)
        let_the_leases_run_out()
        tick()
    settled = ["sent", "uncertain", "failed"]
    assert until(
        lambda: Message.objects.filter(state__in=settled).count() == MESSAGES, 600, each=0.5
    )
    assert max(sink.taken.values()) == 1
    silent = [m.pk for m in Message.objects.filter(state="sent") if not sink.taken[m.message_id]]
    assert not silent
    assert Message.objects.filter(state="uncertain").count() <= KILLS
    assert Message.objects.filter(state="failed").count() == 0


def test_fifty_endless_papers_and_one_good_one(cast, workers):
    """Each is stopped at 20 s and parked; the good one behind them is made."""
    endless = "<table>" + "<tr><td>x</td></tr>" * 150_000 + "</table>"
    html = "<html lang='en'><head><title>T</title></head><body>{}</body></html>"
    words = [endless] * PATHOLOGICAL + ["good"]
    asked = [
        request_document(
            patient=cast.patient,
            kind="sheet",
            title="T",
            language="en",
            html=html.format(body),
            by="test",
        )
        for body in words
    ]
    began = time.monotonic()
    limit = 22 * PATHOLOGICAL
    assert until(lambda: not Document.objects.filter(state="queued").exists(), limit, each=1)
    assert until(lambda: not Document.objects.filter(state="rendering").exists(), 60, each=1)
    asked[-1].refresh_from_db()
    assert asked[-1].state == "ready"
    assert Document.objects.filter(state="failed").count() == PATHOLOGICAL
    assert time.monotonic() - began < limit
