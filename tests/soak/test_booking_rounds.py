"""Twenty rounds of 64 simultaneous bookings, where the everyday run makes one."""

from __future__ import annotations

import pytest

from tests.treatments import test_booking_race as race
from tests.treatments.test_booking_race import roomy  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]


def test_twenty_rounds(roomy, client_for, monkeypatch) -> None:  # noqa: F811
    monkeypatch.setattr(race, "ROUNDS", 20)
    race.test_of_64_at_once_one_books_and_63_are_told(roomy, client_for)
