"""The table of addresses by every method, of which everyday runs ask three."""

from __future__ import annotations

import pytest

from tests.access.test_matrix import (  # noqa: F401
    browsers,
    test_everyone_gets_exactly_what_the_table_says,
    test_removing_any_one_check_makes_the_table_fail,
    world,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def every_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERY_METHOD", "1")
