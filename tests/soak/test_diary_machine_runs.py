"""The diary's state machine in 2,000 runs of 30 steps, where the everyday run makes 40 of 20."""

from __future__ import annotations

import os

import pytest
from django.db import connection
from hypothesis import Phase

from tests.treatments import test_diary_machine as diary
from treatments.diary.install import FUNCTION

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

RUNS = int(os.environ.get("RUNS", "2000"))
STEPS = int(os.environ.get("STEPS", "30"))


def test_two_thousand_runs() -> None:
    """Each run is a transaction of its own, rolled back at its end."""
    diary.OUTCOMES.clear()
    diary.run_machine(diary.make_world(), runs=RUNS, steps=STEPS)
    print(f"\n{RUNS} runs of up to {STEPS} steps: {dict(sorted(diary.OUTCOMES.items()))}")
    assert diary.refused_and_done_each()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("COALESCE(a.practitioner_from, a.starts_at)", "a.starts_at"),
        ("COALESCE(a.room_until, a.ends_at)", "a.ends_at"),
    ],
)
def test_a_diary_with_a_fault_does_not(right: str, wrong: str) -> None:
    """The negative control: the same runs find a booking that asks for the wrong times."""
    assert right in FUNCTION
    with connection.cursor() as cursor:
        cursor.execute(FUNCTION.replace(right, wrong))
        try:
            with pytest.raises(AssertionError):
                diary.run_machine(
                    diary.make_world(), runs=RUNS, steps=STEPS, phases=(Phase.generate,)
                )
        finally:
            cursor.execute(FUNCTION)
