"""Reminders while worker and Redis are killed: the short form of tests/soak/test_reminder_kills."""

from __future__ import annotations

import threading
from pathlib import Path
from random import Random

import pytest
from django.db import IntegrityError, connections
from django.utils import timezone

from patients.messages.models import Message
from tests.conftest import Cast
from tests.treatments.reminder_kills import fill_diary, is_settled, judge, open_clinic, wait
from treatments.diary import reminding
from treatments.diary.models import Appointment, AppointmentQuerySet
from treatments.diary.reminding import remind_due

pytestmark = pytest.mark.django_db(transaction=True)
REMINDERS = 24


def test_killed_among_reminders(cast: Cast, tmp_path: Path) -> None:
    dice = Random(3)
    fill_diary(cast, REMINDERS)
    with open_clinic(tmp_path, seconds=0.3, with_beat=False) as clinic:
        for blow in (clinic.empty_redis, clinic.kill_redis, clinic.kill_child):
            before = len(clinic.sink.taken)
            assert wait(
                lambda before=before: len(clinic.sink.taken) > before or is_settled(REMINDERS),
                30,
                clinic.tick,
            )
            blow(dice)
        # A dead worker's lease is waited for in the soak.
        Message.objects.filter(state="claimed").update(lease_until=timezone.now())
        assert wait(lambda: is_settled(REMINDERS), 60, clinic.tick)
        assert judge(clinic.sink, REMINDERS)["uncertain"] <= 1


def four_ticks_at_once() -> int:
    """Four ticks at the same moment; how many of them the database refused."""
    ready = threading.Barrier(4)
    refused: list[str] = []

    def tick() -> None:
        ready.wait()
        try:
            remind_due(at=timezone.now())
        except IntegrityError as error:
            refused.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tick) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(refused)


def test_four_ticks_at_once_make_each_reminder_once(cast: Cast) -> None:
    fill_diary(cast, 12)
    assert four_ticks_at_once() == 0
    assert Message.objects.filter(kind="reminder").count() == 12


def test_without_the_lock_the_same_harness_sees_two_ticks_collide(cast, monkeypatch) -> None:
    """The negative control: ticks that lock nothing try to tell the same thing twice."""
    fill_diary(cast, 1)
    patient = Appointment.objects.get().patient
    meet = threading.Barrier(4, timeout=30)

    def look(_pk: int):
        meet.wait()
        return patient

    monkeypatch.setattr(reminding, "alone_with", look)
    monkeypatch.setattr(AppointmentQuerySet, "select_for_update", lambda rows, **how: rows)
    assert four_ticks_at_once() == 3
    assert Message.objects.filter(kind="reminder").count() == 1  # the database says no first
