"""A thousand reminders due at once, while worker, beat and Redis are killed; and 500 races."""

from __future__ import annotations

import time
from datetime import time as clock_time
from pathlib import Path
from random import Random

import pytest

from patients.messages.models import MessageRules
from tests.at_once import Crowd
from tests.conftest import Cast
from tests.kills import is_settled, open_clinic, strike, wait
from tests.treatments.reminder_kills import fill_diary, judge
from tests.treatments.test_notices import race

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

REMINDERS = 1_000
KILLS = 44
RACES = 500
LIMIT = 900
"""Seconds until the last is settled, the lease of a dead worker included."""


def test_a_thousand_reminders_and_kills_of_worker_beat_and_redis(
    cast: Cast, tmp_path: Path
) -> None:
    dice = Random(20261126)
    fill_diary(cast, REMINDERS)
    began = time.monotonic()
    with open_clinic(tmp_path, seconds=0.02, with_beat=True) as clinic:
        done = strike(clinic, dice, KILLS, REMINDERS)
        assert done.total() - done["empty_redis"] >= 30
        assert wait(lambda: is_settled("reminder", REMINDERS), LIMIT, lambda: None)
        figures = judge(clinic.sink, REMINDERS)
    assert figures["uncertain"] <= KILLS * len(clinic.workers)
    print(dict(done), figures, f"{time.monotonic() - began:.0f} s")


def test_five_hundred_races_of_cancelling_and_sending(cast: Cast) -> None:
    never = clock_time(1)
    MessageRules.objects.create(location=cast.here, quiet_from=never, quiet_until=never)
    assert race(cast, RACES, Crowd()) == []
