"""Ten minutes of 32 people booking, moving and cancelling with five practitioners, over HTTP.

SECONDS shortens it, P95_MS moves the bound on a machine that has other work.
"""

from __future__ import annotations

import os

import pytest

from tests.treatments.diary_load import dropped, loaded

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

SECONDS = float(os.environ.get("SECONDS", "600"))
P95_MS = float(os.environ.get("P95_MS", "500"))


def test_no_overlap_no_error_and_nobody_waits_long(cast, client_for, tmp_path) -> None:
    crowd, found = loaded(cast, client_for, tmp_path, SECONDS)
    assert found == dict.fromkeys(found, 0)
    assert crowd.errors() == {}
    assert crowd.p95() <= P95_MS


@pytest.mark.parametrize("constraint", ["practitioner_not_twice", "patient_not_twice"])
def test_with_one_constraint_dropped_the_same_crowd_overlaps(
    cast, client_for, tmp_path, constraint: str
) -> None:
    with dropped(constraint):
        crowd, found = loaded(cast, client_for, tmp_path, min(60.0, SECONDS))
        print(found)
        assert found.pop(constraint.removesuffix("_not_twice"))
        assert found == dict.fromkeys(found, 0)
    assert crowd.errors() == {}
