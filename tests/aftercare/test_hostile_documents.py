"""Hostile words in every field that reaches a PDF: no call out, no file in, no link."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from clinic.rendering.pdf import render_html
from patients.registry.models import Patient
from tests.aftercare.poison import ALL, documents, poison, written
from tests.bench.long_record import LongRecord
from tests.clinic.test_rendering import CANARY, Canary, canary
from tests.conftest import Cast

__all__ = ["canary"]
pytestmark = pytest.mark.django_db
A_FEW = (0, 2, 37, 60, 68, 74)
"""The rest is in tests/soak."""


@pytest.fixture
def patient(cast: Cast) -> Patient:
    return LongRecord(cast.here, cast.practitioner, plans=1, sessions_each=1, photos_each=1).write()


def look_through(cast: Cast, patient: Patient, canary: Canary, words: str) -> None:
    """Poison everything with these words, make each kind of document, and look at each."""
    hostile = written(words, at=canary.at, secret=str(canary.secret))
    fields = poison(hostile)
    assert {"Patient.family_name", "Location.name", "Staff.name", "Plan.title"} <= fields
    assert len(fields) > 60
    patient.refresh_from_db()
    for kind, html in documents(patient, cast.practitioner):
        reader = PdfReader(BytesIO(render_html(html).pdf))
        text = "".join(page.extract_text() for page in reader.pages)
        assert CANARY not in text, (kind, words)
        assert "root:" not in text, (kind, words)
        assert not reader.attachments, (kind, words)
        assert not [one for page in reader.pages for one in page.get("/Annots", [])], (kind, words)
    assert canary.calls == []


@pytest.mark.parametrize("number", A_FEW)
def test_hostile_words_stay_words(
    cast: Cast, patient: Patient, canary: Canary, number: int
) -> None:
    look_through(cast, patient, canary, ALL[number])


def test_there_are_eighty_of_them() -> None:
    assert len(set(ALL)) == len(ALL) >= 80
