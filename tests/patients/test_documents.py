"""A document row becomes one encrypted PDF, whatever happens to the worker."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from clinic.audit.context import SYSTEM, acting
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from patients.documents import actions
from patients.documents.actions import (
    MOST_ATTEMPTS,
    claim_next,
    read_pdf,
    render_next,
    request_document,
    retry_document,
)
from patients.documents.models import Document

pytestmark = pytest.mark.django_db


def page(cast, body="<h1>Your consent</h1>", language="en"):
    html = render_to_string(
        "pdf/base.html", {"language": language, "location": cast.here, "patient": cast.patient}
    )
    return html.replace("<title></title>", "<title>Consent</title>").replace(
        "</body>", f"{body}</body>"
    )


def asked(cast, **more):
    values = {
        "patient": cast.patient,
        "kind": Document.Kind.CONSENT,
        "title": "Consent for the neck",
        "language": "en",
        "html": page(cast),
        "by": "Ada Rossi",
    }
    return request_document(**{**values, **more})


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_document_is_rendered_sealed_and_read_back(cast):
    asked(cast)
    document = render_next()
    assert document.state == Document.State.READY
    pdf = read_pdf(document)
    reader = PdfReader(BytesIO(pdf))
    assert document.pages == len(reader.pages) == 1
    assert document.sha256 == hashlib.sha256(pdf).hexdigest()
    assert document.size == len(pdf)
    assert "Your consent" in reader.pages[0].extract_text()
    (file,) = stored_files()
    assert b"%PDF" not in file.read_bytes()
    assert cast.patient.number not in file.name
    assert render_next() is None


def test_a_ready_document_cannot_be_changed(cast):
    asked(cast)
    document = render_next()
    with pytest.raises(Exception, match="closed"):
        Document.objects.filter(pk=document.pk).update(title="Another")


def test_a_refused_document_fails_with_the_reason_and_can_be_tried_again(cast):
    document = asked(cast, html=page(cast, "<img src='http://127.0.0.1:9/x'>"))
    assert render_next().state == Document.State.FAILED
    document.refresh_from_db()
    assert "http" in document.error
    assert render_next() is None
    retry_document(by=cast.front_desk, document=document)
    document.refresh_from_db()
    assert document.state == Document.State.QUEUED
    assert document.attempts == 0
    with pytest.raises(ActionRefused):
        retry_document(by=cast.front_desk, document=document)


def test_a_failure_does_not_hold_up_the_queue(cast):
    asked(cast, html=page(cast, "<img src='file:///etc/passwd'>"))
    good = asked(cast)
    while render_next() is not None:
        pass
    good.refresh_from_db()
    assert good.state == Document.State.READY


def test_a_claimed_document_is_taken_up_again_only_after_its_lease(cast):
    document, now = asked(cast), timezone.now()
    assert claim_next(at=now).pk == document.pk
    assert claim_next(at=now + actions.LEASE - timedelta(seconds=1)) is None
    again = claim_next(at=now + actions.LEASE)
    assert again.pk == document.pk
    assert again.attempts == 2


def test_a_document_that_loses_its_worker_too_often_is_parked(cast):
    asked(cast)
    at = timezone.now()
    for _attempt in range(MOST_ATTEMPTS):
        assert claim_next(at=at).state == Document.State.RENDERING
        at += actions.LEASE
    assert claim_next(at=at).state == Document.State.FAILED
    assert claim_next(at=at) is None


def test_a_late_worker_does_not_make_a_second_file(cast, monkeypatch):
    asked(cast)
    slow = claim_next(at=timezone.now())
    Document.objects.update(lease_until=timezone.now())
    quick = render_next()
    assert quick.attempts == 2
    late = actions._store(slow, actions.Rendered(b"%PDF-other", 1))
    quick.refresh_from_db()
    assert late.state == Document.State.RENDERING
    assert read_pdf(quick) != b"%PDF-other"
    assert len(stored_files()) == 1


def test_a_file_left_behind_by_a_killed_worker_is_replaced(cast):
    document = asked(cast)
    default_storage.save(document.file_name, ContentFile(b"half"))
    assert render_next().state == Document.State.READY
    document.refresh_from_db()
    assert read_pdf(document).startswith(b"%PDF-")
    assert len(stored_files()) == 1


def test_a_changed_file_is_not_given_out(cast, client_for):
    asked(cast)
    document = render_next()
    default_storage.delete(document.file_name)
    default_storage.save(document.file_name, ContentFile(b"%PDF-forged"))
    with pytest.raises(ActionRefused):
        read_pdf(document)


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_damaged_or_missing_file_is_told_and_breaks_no_page(cast, client_for, damage):
    """Below the storage: what a failing disk or a hand in the folder does."""
    asked(cast)
    document = render_next()
    path = Path(default_storage.path(document.file_name))
    if damage == "gone":
        path.unlink()
    else:
        sealed = bytearray(path.read_bytes())
        sealed[40] ^= 1
        path.write_bytes(sealed)
    response = client_for(cast.practitioner).get(opened(document))
    assert response.status_code == 302


def opened(document):
    return reverse("documents:open", args=[document.patient.number, document.public_id])


def test_the_pdf_is_given_to_those_who_may_read_it_and_to_nobody_else(cast, client_for):
    asked(cast)
    document = render_next()
    response = client_for(cast.practitioner).get(opened(document))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store"
    assert "sandbox" in response["Content-Security-Policy"]
    assert client_for(cast.front_desk).get(opened(document)).status_code == 403
    assert client_for(cast.practitioner2).get(opened(document)).status_code == 404
    wrong = reverse("documents:open", args=[cast.stranger.number, document.public_id])
    assert client_for(cast.practitioner).get(wrong).status_code == 404
    assert AuditEntry.objects.filter(what="documents:open", action="read").count() == 1


def test_the_state_is_polled_until_it_is_final_and_names_no_content_to_the_desk(cast, client_for):
    document = asked(cast)
    url = reverse("documents:state", args=[cast.patient.number, document.public_id])
    desk = client_for(cast.front_desk)
    waiting = desk.get(url).content.decode()
    assert "every 2s" in waiting
    assert "X-Polling" in waiting
    assert "neck" not in waiting
    render_next()
    ready = desk.get(url).content.decode()
    assert "every 2s" not in ready
    assert opened(document) not in ready
    mine = client_for(cast.practitioner).get(url).content.decode()
    assert opened(document) in mine
    assert "neck" in mine


def test_staff_can_try_again_and_the_panel_shows_it(cast, client_for):
    document = asked(cast, html=page(cast, "<img src='file:///etc/passwd'>"))
    render_next()
    desk = client_for(cast.front_desk)
    panel = desk.get(reverse("documents:panel", args=[cast.patient.number])).content.decode()
    assert "Failed" in panel
    retry = reverse("documents:retry", args=[cast.patient.number, document.public_id])
    assert desk.get(retry).status_code == 405
    assert desk.post(retry).status_code == 302
    document.refresh_from_db()
    assert document.state == Document.State.QUEUED


@pytest.mark.parametrize("rows", [1, 3])
def test_the_panel_asks_as_often_for_one_as_for_three(
    cast, client_for, rows, django_assert_max_num_queries
):
    for _row in range(rows):
        asked(cast)
    client = client_for(cast.practitioner)
    with django_assert_max_num_queries(10):
        client.get(reverse("documents:panel", args=[cast.patient.number]))


def test_the_system_is_named_for_what_the_worker_writes(cast):
    asked(cast)
    with acting(SYSTEM):
        render_next()
    last = AuditEntry.objects.filter(what__icontains="document").latest("pk")
    assert last.actor_kind == "system"
    assert cast.patient.pk in last.patients
