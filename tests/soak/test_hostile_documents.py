"""All eighty hostile strings, each in every field of every kind of document."""

from __future__ import annotations

import pytest

from patients.registry.models import Patient
from tests.aftercare.poison import ALL
from tests.aftercare.test_hostile_documents import look_through, patient
from tests.clinic.test_rendering import Canary, canary
from tests.conftest import Cast

__all__ = ["canary", "patient"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("words", ALL)
def test_hostile_words_stay_words(cast: Cast, patient: Patient, canary: Canary, words: str) -> None:
    fields, made = look_through(cast, patient, canary, words)
    print(f"{fields} fields, {made} documents: {words!r}")
