"""The diary's state machine in 2,000 runs of 30 steps, where the everyday run makes 40 of 20."""

from __future__ import annotations

import os

import pytest

from tests.treatments import test_diary_machine as diary

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

RUNS = int(os.environ.get("RUNS", "2000"))
STEPS = int(os.environ.get("STEPS", "30"))


def test_two_thousand_runs() -> None:
    """Each run is a transaction of its own, rolled back at its end."""
    diary.OUTCOMES.clear()
    diary.run_machine(diary.make_world(), runs=RUNS, steps=STEPS)
    print(f"\n{RUNS} runs of up to {STEPS} steps: {dict(sorted(diary.OUTCOMES.items()))}")
    assert diary.refused_and_done_each()
