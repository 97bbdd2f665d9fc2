"""The watch under many hands: short forms of tests/soak/test_watch_kills.py, with controls."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from aftercare.watch import actions, calls
from aftercare.watch.actions import answer_check_in, open_due
from aftercare.watch.models import Call, CheckIn, CheckInQuerySet
from patients.messages import sending
from patients.messages.models import Message
from tests.aftercare.watch_races import at_once, due_check_ins, race, race_for_a_call
from tests.at_once import PATIENCE_S, Crowd
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_ten_races_of_stopping_and_sending_nothing_stale_is_sent(cast: Cast) -> None:
    assert race(cast, 10) == []


def test_without_holding_back_the_same_harness_sees_stale_questions(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the worker is slow, and stopping leaves the message alone."""
    body, crowd = sending._body, Crowd()
    monkeypatch.setattr(actions, "_hold_back", lambda rows: None)
    monkeypatch.setattr(sending, "_body", lambda message: (crowd.stand(), body(message))[1])
    assert race(cast, 4, crowd)


def four_ticks_at_once(cast: Cast, count: int) -> None:
    due_check_ins(cast, count)
    at = timezone.now()
    at_once(*[lambda: open_due(at=at)] * 4)


def test_four_ticks_at_once_ask_each_once(cast: Cast) -> None:
    four_ticks_at_once(cast, 6)
    assert Message.objects.filter(kind="check-in").count() == 6
    assert CheckIn.objects.filter(state="open").count() == 6


@pytest.fixture
def call(cast: Cast) -> Call:
    due_check_ins(cast, 1)
    open_due(at=timezone.now())
    check_in = CheckIn.objects.get()
    answer_check_in(check_in=check_in, signs=["infection"], well=False, at=timezone.now())
    return Call.objects.get()


def test_two_people_cannot_take_one_call(cast: Cast, call: Call) -> None:
    for _round in range(8):
        Call.objects.update(taken_by=None, taken_at=None)
        assert race_for_a_call(cast, call) == 1


def test_nor_take_over_the_same_call_left_lying(cast: Cast, call: Call) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    Call.objects.update(taken_by=cast.manager, taken_at=long_ago, due_at=long_ago)
    assert race_for_a_call(cast, call) == 1


def test_without_the_lock_the_same_harness_sees_two_takers(
    cast: Cast, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: both look before either writes."""
    meet = threading.Barrier(2, timeout=PATIENCE_S)

    def look(by: object, row: Call) -> Call:
        found = Call.objects.select_related("location__watch_rules").get(pk=row.pk)
        meet.wait()
        return found

    monkeypatch.setattr(calls, "_locked", look)
    assert race_for_a_call(cast, call) == 2


def test_without_the_lock_two_ticks_open_the_same_check_in(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the key of the message still makes it one, the database says no."""
    opened: list[int] = []
    freeze = actions.freeze
    meet = threading.Barrier(4, timeout=PATIENCE_S)

    def noted(check_in: CheckIn) -> None:
        opened.append(check_in.pk)
        freeze(check_in)
        meet.wait()

    monkeypatch.setattr(actions, "freeze", noted)
    monkeypatch.setattr(CheckInQuerySet, "select_for_update", lambda rows, **how: rows)
    four_ticks_at_once(cast, 1)
    assert len(opened) == 4
    assert Message.objects.filter(kind="check-in").count() == 1
