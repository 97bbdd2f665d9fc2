"""kill -9 of the worker in the middle of rendering and sending: nothing lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.utils import timezone

from clinic.confined.run import CELL
from patients.documents.actions import read_pdf, request_document
from patients.documents.models import Document
from patients.messages.actions import queue_message
from patients.messages.models import Message
from tests.patients.workers import (
    Sink,
    Worker,
    forget_wake_ups,
    let_the_leases_run_out,
    lives,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENTS = 6
MESSAGES = 20


@pytest.fixture
def sink():
    keeper = Sink(seconds=0.05)
    keeper.controller.start()
    yield keeper
    keeper.controller.stop()


@pytest.fixture
def worker(sink, tmp_path):
    forget_wake_ups()
    one = Worker(sink.controller.port, tmp_path / "worker.log")
    one.start()
    yield one
    one.end()


def finished(*states: str) -> int:
    return Message.objects.filter(state__in=states).count()


def renderers(worker: Worker) -> list[psutil.Process]:
    """Those of this worker; another test may have its own."""
    below = psutil.Process(worker.process.pid).children(recursive=True)
    return [process for process in below if str(CELL) in process.cmdline()]


def rendering(worker: Worker) -> list[psutil.Process]:
    """The renderers at work right now; none where no document is."""
    if not Document.objects.filter(state="rendering").exists():
        return []
    return renderers(worker)


def test_killed_while_rendering(cast, worker):
    html = "<html lang='en'><head><title>T</title></head><body>{}</body></html>"
    for number in range(DOCUMENTS):
        request_document(
            patient=cast.patient,
            kind="sheet",
            title=f"Sheet {number}",
            language="en",
            html=html.format("<p>word</p>" * 300),
            by="test",
        )
    at_work: list[psutil.Process] = []
    assert until(lambda: at_work.extend(rendering(worker)) or at_work, 90), worker.log.read_text()
    worker.kill_all()
    assert until(lambda: not any(map(lives, at_work)), 30), "the renderer outlived its worker"
    let_the_leases_run_out()
    worker.start()
    assert until(lambda: rendering(worker), 90), worker.log.read_text()
    worker.kill_child()
    let_the_leases_run_out()

    def all_ready() -> bool:
        return Document.objects.filter(state="ready").count() == DOCUMENTS

    assert until(all_ready, 120), worker.log.read_text()
    for document in Document.objects.all():
        assert read_pdf(document).startswith(b"%PDF-")
    files = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert len(files) == DOCUMENTS
    assert max(Document.objects.values_list("attempts", flat=True)) >= 2


def test_killed_while_sending(cast, worker, sink):
    for number in range(MESSAGES):
        queue_message(
            patient=cast.patient,
            kind="reminder",
            key=f"m{number}",
            subject="Your clinic has something for you",
            body="Open {link}",
            due_at=timezone.now(),
        )
    kills = 0
    for amount, kill in ((4, "all"), (9, "child"), (14, "all")):
        assert until(lambda amount=amount: len(sink.taken) >= amount, 90, each=0.01), (
            worker.log.read_text()
        )
        if kill == "all":
            worker.kill_all()
        else:
            worker.kill_child()
        kills += 1
        let_the_leases_run_out()
        if kill == "all":
            worker.start()
    assert until(lambda: finished("sent", "uncertain") == MESSAGES, 120), worker.log.read_text()
    assert max(sink.taken.values()) == 1, "a message was delivered twice"
    uncertain = finished("uncertain")
    assert uncertain <= kills
    lost = [
        message.pk
        for message in Message.objects.exclude(state="uncertain")
        if sink.taken[message.message_id] != 1
    ]
    assert not lost, "a message was lost without a word"
    assert Message.objects.all().troubled().filter(state="uncertain").count() == uncertain
    assert sink.subjects == {"Your clinic has something for you"}
