"""A thousand check-ins due at once, while worker, beat and Redis are killed; and 500 races."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from tests.aftercare.watch_races import due_check_ins, judge, race
from tests.conftest import Cast
from tests.kills import is_settled, open_clinic, strike, wait

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

CHECK_INS = 1_000
KILLS = 44
RACES = 500
LIMIT = 900
"""Seconds until the last is settled, the lease of a dead worker included."""


def test_a_thousand_check_ins_and_kills_of_worker_beat_and_redis(
    cast: Cast, tmp_path: Path
) -> None:
    dice = Random(20261127)
    due_check_ins(cast, CHECK_INS)
    began = time.monotonic()
    with open_clinic(tmp_path, seconds=0.02, with_beat=True) as clinic:
        done = strike(clinic, dice, KILLS, CHECK_INS)
        assert done.total() - done["empty_redis"] >= 30
        assert wait(lambda: is_settled("check-in", CHECK_INS), LIMIT, lambda: None)
        figures = judge(clinic.sink, CHECK_INS)
    assert figures["uncertain"] <= KILLS * len(clinic.workers)
    print(dict(done), figures, f"{time.monotonic() - began:.0f} s")


def test_five_hundred_races_of_stopping_and_sending(cast: Cast) -> None:
    assert race(cast, RACES) == []
