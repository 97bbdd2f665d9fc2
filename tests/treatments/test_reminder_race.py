"""Reminders that four ticks want at once; see tests/aftercare/test_worker_kill.py for the kills."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connections
from django.utils import timezone

from patients.messages.models import Message
from tests.conftest import Cast
from tests.treatments.reminder_kills import fill_diary
from treatments.diary import reminding
from treatments.diary.models import Appointment, AppointmentQuerySet
from treatments.diary.reminding import remind_due

pytestmark = pytest.mark.django_db(transaction=True)


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
    meet = threading.Barrier(4, timeout=60)

    def look(_pk: int):
        meet.wait()
        return patient

    monkeypatch.setattr(reminding, "alone_with", look)
    monkeypatch.setattr(AppointmentQuerySet, "select_for_update", lambda rows, **how: rows)
    assert four_ticks_at_once() == 3
    assert Message.objects.filter(kind="reminder").count() == 1  # the database says no first
