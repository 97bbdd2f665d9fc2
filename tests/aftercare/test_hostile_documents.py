"""Hostile words in every field that reaches a PDF: no call out, no file in, no link."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from clinic.rendering.pdf import render_html
from patients.documents.pictures import with_pictures
from patients.registry.models import Patient
from tests.aftercare.papers import KINDS, papers, write_file
from tests.aftercare.poison import ALL, poison, written
from tests.clinic.test_rendering import CANARY, Canary, canary
from tests.conftest import Cast

__all__ = ["canary"]
pytestmark = pytest.mark.django_db
A_FEW = (0, 68)
"""The rest is in tests/soak."""
SAID = {
    *("Patient.family_name", "Location.name", "Location.email", "Staff.name", "Plan.title"),
    *("Staff.registration_number", "Lot.number", "Syringe.pharmacy", "Device.serial_number"),
    *("SessionAddendum.text", "ConsultationAddendum.text", "EventAddendum.text", "Call.outcome"),
    *("ConsentQuestion.text", "ConsentQuestion.answer", "Consent.signed_name", "Override.fact"),
    *("AdverseEvent.description", "Confirmation.signed_name", "Session.totals", "Product.maker"),
    *("Location.address", "Substance.name_en", "Area.name_en", "TreatedArea.programme"),
}


@pytest.fixture
def patient(cast: Cast) -> Patient:
    return write_file(cast)


def look_through(cast: Cast, patient: Patient, canary: Canary, words: str) -> tuple[int, int]:
    """Poison everything with these words, make each kind of document, and look at each.

    How many fields took them, and how many documents were made.
    """
    hostile = written(words, at=canary.at, secret=str(canary.secret))
    fields = poison(hostile)
    assert fields >= SAID, SAID - fields
    made = dict(papers(patient, cast))
    assert set(made) == set(KINDS)
    for kind, document in made.items():
        pdf = render_html(with_pictures(document.html, document.patient_id)).pdf
        reader = PdfReader(BytesIO(pdf))
        text = "".join(page.extract_text() for page in reader.pages)
        assert CANARY not in text, (kind, words)
        assert "root:" not in text, (kind, words)
        assert not reader.attachments, (kind, words)
        assert not [one for page in reader.pages for one in page.get("/Annots", [])], (kind, words)
    assert canary.calls == []
    return len(fields), len(made)


@pytest.mark.parametrize("number", A_FEW)
def test_hostile_words_stay_words(
    cast: Cast, patient: Patient, canary: Canary, number: int
) -> None:
    look_through(cast, patient, canary, ALL[number])


def test_there_are_eighty_of_them() -> None:
    assert len(set(ALL)) == len(ALL) >= 80
