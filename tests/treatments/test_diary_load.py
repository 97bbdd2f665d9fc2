"""Some seconds of 32 people at five practitioners' diary over HTTP; ten minutes in tests/soak."""

from __future__ import annotations

import pytest

from tests.treatments.diary_load import loaded

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 8


def test_a_crowd_leaves_no_overlap_and_no_error(cast, client_for, tmp_path) -> None:
    crowd, found = loaded(cast, client_for, tmp_path, SECONDS)
    assert found == dict.fromkeys(found, 0)
    assert crowd.errors() == {}
    for said in ("book 200", "book 422", "move 302", "move 200", "cancel 302"):
        assert crowd.answers[said], crowd.answers
