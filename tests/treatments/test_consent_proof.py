"""What proves a consent stays what it was, and stays with whom it is of."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from pypdf import PdfReader

from patients.documents.actions import read_pdf, render_next, request_document
from patients.documents.checking import Verdict, check_copy
from patients.documents.models import Document
from patients.registry.models import Patient
from tests.treatments.plan_parts import (
    accepted_plan,
    opened_consent,
    signature,
    signed_consent,
    substance,
)
from treatments.catalogue.actions import edit_row
from treatments.consents.actions import countersign, sign_consent
from treatments.consents.models import Consent

pytestmark = pytest.mark.django_db


def rendered(document: Document) -> bytes:
    while render_next() is not None:
        pass
    document.refresh_from_db()
    return read_pdf(document)


def test_the_evidence_page_names_both_signatures_and_the_hash_of_the_text(cast: Any) -> None:
    consent = signed_consent(cast, accepted_plan(cast))
    consent = countersign(by=cast.practitioner, consent=consent)
    text = PdfReader(BytesIO(rendered(consent.document))).pages[-1].extract_text()
    plain = text.replace("\n", "")
    for said in (
        *("Élodie Martin", "drawn", cast.practitioner.name, "signed in with their own account"),
        *(consent.text_sha256, consent.template_version, str(consent.document.public_id)),
        *(str(consent.plan.location.zone), "tablet, Rive Gauche"),
    ):
        assert said in plain, said


def test_no_later_change_moves_a_byte(
    cast: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, settings: Any
) -> None:
    """Neither before it is rendered nor after: a name, a substance, the templates themselves."""
    before = signed_consent(cast, accepted_plan(cast))
    kept = rendered(before.document)
    waiting = request_document(
        patient=cast.patient,
        kind="consent",
        title="x",
        language="en",
        html=before.document.html,
        by="x",
    )
    edit_row(
        by=cast.manager,
        row=substance("test-lidocaine"),
        values={"name_en": "Renamed", "source_refs": ["test"]},
    )
    Patient.objects.filter(pk=cast.patient.pk).update(family_name="Another", given_name="Name")
    type(cast.here).objects.filter(pk=cast.here.pk).update(name="Moved away")
    for name in ("pdf/base.html", "pdf/consent.html", "documents/evidence.html"):
        changed = tmp_path / name
        changed.parent.mkdir(exist_ok=True)
        changed.write_text("CHANGED")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    assert render_to_string("pdf/base.html") == "CHANGED"
    assert read_pdf(before.document) == kept
    assert check_copy(kept).verdict == Verdict.UNCHANGED
    later = rendered(waiting)
    pages = [[one.extract_text() for one in PdfReader(BytesIO(pdf)).pages] for pdf in (kept, later)]
    assert pages[0] == pages[1]
    assert "Another" not in "".join(pages[1])


def test_a_consent_takes_no_document_of_another_patient_or_kind(cast: Any) -> None:
    consent = signed_consent(cast, accepted_plan(cast))
    for patient, kind in ((cast.stranger, "consent"), (cast.patient, "sheet")):
        foreign = request_document(
            patient=patient, kind=kind, title="x", language="en", html="<p>x</p>", by="x"
        )
        with pytest.raises(IntegrityError, match="not a consent of this"), transaction.atomic():
            Consent.objects.filter(pk=consent.pk).update(document=foreign)
    own = request_document(
        patient=cast.patient, kind="consent", title="x", language="en", html="<p>x</p>", by="x"
    )
    assert Consent.objects.filter(pk=consent.pk).update(document=own) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"signature_svg": "<svg>of another</svg>"},
        {"signature_strokes": [[[9, 9], [8, 8]]]},
        {"signed_name": "Another Name"},
        {"text_sha256": "0" * 64},
        {"signed_at": timezone.now()},
        {"patient": "stranger"},
    ],
)
def test_a_signature_cannot_be_moved_or_exchanged(cast: Any, change: dict[str, Any]) -> None:
    consent = signed_consent(cast, accepted_plan(cast))
    values = {"patient": cast.stranger} if "patient" in change else change
    with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(**values)


def test_a_row_copied_to_another_patient_is_refused(cast: Any) -> None:
    """With its document, which is another's: a consent without one proves nothing."""
    consent = signed_consent(cast, accepted_plan(cast))
    fields = [f.column for f in Consent._meta.concrete_fields if f.column != "id"]
    chosen = ", ".join("%s" if one == "patient_id" else one for one in fields)
    into = f"INSERT INTO treatments_consent ({', '.join(fields)}) SELECT {chosen}"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"{into} FROM treatments_consent WHERE id = %s", [cast.stranger.pk, consent.pk]
        )


def test_the_evidence_page_names_the_addresses_of_both_signatures(cast: Any) -> None:
    """Of the network that each was given from, as the views know it; they stay as they are."""
    consent = sign_consent(
        **signature(opened_consent(cast, accepted_plan(cast)), address="203.0.113.7")
    )
    consent = countersign(by=cast.practitioner, consent=consent, address="2001:db8::9")
    plain = PdfReader(BytesIO(rendered(consent.document))).pages[-1].extract_text()
    assert "203.0.113.7" in plain
    assert "2001:db8::9" in plain
    with pytest.raises(DatabaseError, match="closed"), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(signed_from="203.0.113.8")
