"""Check-ins and reminders while worker, beat and Redis are killed: the short form of
tests/soak/test_watch_kills.py and test_reminder_kills.py, with controls.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from aftercare.watch.actions import open_due
from patients.messages import sending
from patients.messages.models import Message
from patients.messages.sending import LEASE, send_next
from tests.aftercare.watch_races import due_check_ins, judge
from tests.conftest import Cast
from tests.kills import is_settled, open_clinic, wait
from tests.patients.workers import Sink
from tests.treatments import reminder_kills
from tests.treatments.reminder_kills import fill_diary

pytestmark = pytest.mark.django_db(transaction=True)
CHECK_INS, REMINDERS = 40, 20
ALIVE = timedelta(seconds=2)


def test_killed_among_check_ins_and_reminders(cast: Cast, tmp_path: Path) -> None:
    dice = Random(3)
    due_check_ins(cast, CHECK_INS)
    fill_diary(cast, REMINDERS)
    with open_clinic(tmp_path, seconds=0.03, with_beat=True, workers=1) as clinic:
        blows = [
            clinic.kill_beat,
            clinic.kill_child,
            clinic.kill_redis,
            clinic.kill_worker,
            clinic.empty_redis,
        ]
        for number, blow in enumerate(blows):
            goal = number * 8 + 1
            assert wait(lambda goal=goal: len(clinic.sink.taken) >= goal, 60, clinic.tick, each=0.2)
            blow(dice)

        def done() -> bool:
            # Who has had a letter for two seconds is dead; the soak waits for the lease itself.
            now = timezone.now()
            lying = Message.objects.filter(state="claimed", lease_until__lt=now + LEASE - ALIVE)
            lying.update(lease_until=now)
            return is_settled("check-in", CHECK_INS) and is_settled("reminder", REMINDERS)

        assert wait(done, 60, clinic.tick, each=0.2)
        uncertain = (
            judge(clinic.sink, CHECK_INS)["uncertain"]
            + reminder_kills.judge(clinic.sink, REMINDERS)["uncertain"]
        )
    assert uncertain <= 3


class KilledError(BaseException):
    """What `kill -9` is within one process."""


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A real mail server for this very process."""
    keeper = Sink(seconds=0)
    keeper.controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", keeper.controller.port
    yield keeper
    keeper.controller.stop()


def killed_after_the_letter_left(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker dies as it hands over the second of three letters; another goes on."""
    due_check_ins(cast, 3)
    open_due(at=timezone.now())
    note, letters = sending._note_sent, iter(range(9))

    def noted(message: Message) -> Message:
        if next(letters) == 1:
            raise KilledError
        return note(message)

    monkeypatch.setattr(sending, "_note_sent", noted)
    send_next()
    with pytest.raises(KilledError):
        send_next()
    later = timezone.now() + timedelta(minutes=5)
    while send_next(at=later):
        pass


def test_a_worker_that_dies_in_the_act_leaves_one_uncertain(
    cast: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after_the_letter_left(cast, monkeypatch)
    figures = judge(sink, 3)
    assert figures == {"sent": 2, "failed": 0, "uncertain": 1, "arrived": 3}


def test_the_judge_sees_a_letter_that_is_sent_again(
    cast: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what a dead worker was sending is simply sent once more."""

    def again(*, at: Any) -> int:
        return Message.objects.lost(at).update(
            state="pending", lease_until=None, sending_since=None
        )

    monkeypatch.setattr(sending, "give_up_lost", again)
    killed_after_the_letter_left(cast, monkeypatch)
    with pytest.raises(AssertionError):
        judge(sink, 3)


def test_the_judge_sees_a_letter_that_never_left(
    cast: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a worker notes as sent what it has not handed over."""
    hand_over, letters = sending._hand_over, iter(range(9))

    def forgetful(message: Message, body: str) -> None:
        if next(letters) != 1:
            hand_over(message, body)

    monkeypatch.setattr(sending, "_hand_over", forgetful)
    due_check_ins(cast, 3)
    open_due(at=timezone.now())
    while send_next():
        pass
    with pytest.raises(AssertionError):
        judge(sink, 3)
