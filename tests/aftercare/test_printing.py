"""A session and the whole record as documents: what they say, once asked for, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from PIL import Image
from pypdf import PdfReader

from aftercare.story.actions import print_record, print_session
from aftercare.story.models import Printing
from clinic.access.models import Staff
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.rendering.pdf import RenderingRefused, render_html
from clinic.vault import keep
from patients.documents.actions import read_pdf, render_next
from patients.documents.models import Document
from patients.documents.pictures import with_pictures
from patients.photos.models import Photo, PhotoPermission, Use
from patients.registry.models import Patient
from tests.bench.long_record import LongRecord
from tests.conftest import Cast
from treatments.sessions.actions import add_addendum, start_session
from treatments.sessions.models import Session

pytestmark = pytest.mark.django_db
ClientFor = Callable[[Staff], Client]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    return LongRecord(cast.here, cast.practitioner, plans=1, sessions_each=2, photos_each=2).write()


@pytest.fixture
def session(patient: Patient) -> Session:
    found: Session = patient.sessions.get(number=1)
    return found


def thumbnail() -> bytes:
    out = BytesIO()
    Image.new("RGB", (270, 360), "#c0a090").save(out, "JPEG")
    return out.getvalue()


def rendered(printing: Printing) -> PdfReader:
    """The stored document, decrypted, as a reader."""
    done = render_next()
    assert done is not None
    assert done.pk == printing.document_id
    assert done.state == Document.State.READY, done.error
    return PdfReader(BytesIO(read_pdf(done)))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_a_printed_session_says_everything_that_was_signed(
    cast: Cast, patient: Patient, session: Session
) -> None:
    add_addendum(by=cast.practitioner, session=session, text="Bruise gone.", reason="Call")
    printing = print_session(by=cast.practitioner, session=session)
    said = words(rendered(printing))
    for part in (
        "Session 1",
        "LONGRECORD, Wilhelmina",
        patient.number,
        "Cheek, left",
        "Papule",
        "0.02 mL",
        "32 G",
        session.mix.all()[0].lot.number,
        "Chlorhexidine",
        "Anaesthetic none",
        "Tolerated well",
        "Bruise gone.",
        "Signed by Ada Rossi",
        "signed in with their own account",
        str(printing.document.public_id),
        session.consent.text_sha256,
    ):
        assert part in said, part
    document = printing.document
    document.refresh_from_db()
    assert document.kind == "session"
    assert len(document.sha256) == 64
    with default_storage.open(document.file_name) as stored:
        assert stored.read().startswith(b"%PDF-")
    assert b"%PDF-" not in Path(default_storage.path(document.file_name)).read_bytes()


def test_the_map_of_a_printed_session_holds_every_point(cast: Cast, session: Session) -> None:
    html = print_session(by=cast.practitioner, session=session).document.html
    points = sum(len(row.points) for row in session.treated_areas.all())
    marks = html.count("h0") + html.count("h3.8v3.8") + html.count("l1.9 3.8")
    assert points == 120
    assert marks == points


def test_asked_again_it_is_the_same_until_something_was_added(cast: Cast, session: Session) -> None:
    first = print_session(by=cast.practitioner, session=session)
    assert print_session(by=cast.colleague, session=session) == first
    with translation.override("fr"):
        french = print_session(by=cast.practitioner, session=session)
    assert french != first
    assert french.document.language == "fr"
    add_addendum(by=cast.practitioner, session=session, text="Later.", reason="Call")
    again = print_session(by=cast.practitioner, session=session)
    assert again != first
    assert "Later." in again.document.html


def test_one_that_failed_is_made_anew(cast: Cast, session: Session) -> None:
    first = print_session(by=cast.practitioner, session=session)
    Document.objects.filter(pk=first.document_id).update(state="failed")
    assert print_session(by=cast.practitioner, session=session) != first


def test_an_open_session_is_not_printed(cast: Cast, patient: Patient) -> None:
    plan = patient.plans.get()
    draft = start_session(by=cast.practitioner, plan=plan)
    with pytest.raises(ActionRefused, match="Sign the session first"):
        print_session(by=cast.practitioner, session=draft)


def test_each_printing_leaves_a_trace(cast: Cast, client_for: ClientFor, session: Session) -> None:
    client = client_for(cast.practitioner)
    way = [session.patient.number, session.pk]
    for _twice in range(2):
        answer = client.post(reverse("story:print-session", args=way))
        assert answer.status_code == 302
    traces = AuditEntry.objects.about(session.patient_id)
    assert traces.filter(what="story:print-session", who__startswith="Ada Rossi").count() == 2
    assert traces.filter(what="aftercare_printing", action="create").count() == 1
    printing = Printing.objects.get()
    with pytest.raises(Exception, match="closed"), transaction.atomic():
        Printing.objects.filter(pk=printing.pk).update(made_by=cast.colleague)


def test_the_page_says_where_a_printing_stands(
    cast: Cast, client_for: ClientFor, session: Session
) -> None:
    client = client_for(cast.practitioner)
    way = [session.patient.number, session.pk]
    assert "document-state" not in client.get(reverse("story:printed", args=way)).content.decode()
    printing = print_session(by=cast.practitioner, session=session)
    page = client.get(reverse("story:printed", args=way)).content.decode()
    assert "Queued" in page
    assert "every 2s" in page
    rendered(printing)
    page = client.get(reverse("story:printed", args=way)).content.decode()
    opened = reverse("documents:open", args=[way[0], printing.document.public_id])
    assert opened in page
    assert client.get(opened)["Content-Type"] == "application/pdf"


def test_the_whole_record_tells_all_rooms_and_lists_the_photos(
    cast: Cast, patient: Patient
) -> None:
    printing = print_record(by=cast.practitioner, patient=patient)
    said = words(rendered(printing))
    for part in (
        "Medical record",
        "Version 1",
        "My skin has become dull.",
        "Skin quality, course 1",
        "session 2",
        "the swelling is going down",
        "Face, front",
        "Signed by Ada Rossi",
    ):
        assert part in said, part
    assert "<img" not in printing.document.html


def test_photos_are_put_in_only_while_it_is_rendered(cast: Cast, patient: Patient) -> None:
    for photo in Photo.objects.filter(patient=patient):
        keep(photo.stored_name("thumb"), thumbnail())
    printing = print_record(by=cast.practitioner, patient=patient, with_photos=True)
    assert "base64" not in printing.document.html
    reader = rendered(printing)
    assert any(page.images for page in reader.pages)
    printing.document.refresh_from_db()
    assert "base64" not in printing.document.html


def test_a_photo_that_may_no_longer_be_shown_is_left_out(cast: Cast, patient: Patient) -> None:
    for photo in Photo.objects.filter(patient=patient):
        keep(photo.stored_name("thumb"), thumbnail())
    printing = print_record(by=cast.practitioner, patient=patient, with_photos=True)
    PhotoPermission.objects.create(
        patient=patient,
        use=Use.RECORD,
        is_given=False,
        said_on=timezone.localdate(),
        how="spoken",
        recorded_by=cast.practitioner,
    )
    assert not any(page.images for page in rendered(printing).pages)


def test_no_document_shows_the_photos_of_somebody_else(cast: Cast, patient: Patient) -> None:
    photo = Photo.objects.filter(patient=patient)[0]
    keep(photo.stored_name("thumb"), thumbnail())
    html = f'<img src="photo:{photo.public_id}" alt="x">'
    assert "base64" in with_pictures(html, patient.pk)
    assert with_pictures(html, cast.patient.pk) == '<img alt="x">'


@pytest.mark.parametrize("data", ["image/jpeg;base64,eA==", "image/png;base64,iVBORw0KGgo="])
def test_nothing_but_a_jpeg_comes_along_in_the_words(data: str) -> None:
    head = '<html lang="en"><head><title>t</title></head>'
    with pytest.raises(RenderingRefused):
        render_html(f'{head}<body><img src="data:{data}" alt="x"></body></html>')


def test_a_record_on_its_way_is_not_asked_for_twice(
    cast: Cast, client_for: ClientFor, patient: Patient
) -> None:
    client = client_for(cast.practitioner)
    way = reverse("story:print", args=[patient.number])
    client.post(way)
    client.post(way)
    assert Printing.objects.count() == 1
    client.post(way, {"photos": "on"})
    assert Printing.objects.filter(with_photos=True).count() == 1
    rendered(Printing.objects.get(with_photos=False))
    client.post(way)
    assert Printing.objects.filter(with_photos=False).count() == 2


def test_the_queries_of_printing_do_not_grow_with_the_sessions(cast: Cast) -> None:
    counts = []
    for sessions in (1, 3):
        patient = LongRecord(
            cast.here, cast.practitioner, plans=1, sessions_each=sessions, photos_each=sessions
        ).write()
        with CaptureQueriesContext(connection) as captured:
            print_record(by=cast.practitioner, patient=patient)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_session_has_no_photos_to_print(cast: Cast, session: Session) -> None:
    printing = print_session(by=cast.practitioner, session=session)
    other = Document.objects.create(
        patient=session.patient, kind="session", title="x", language="en", html="x", created_by="x"
    )
    with pytest.raises(IntegrityError, match="printing_photos_of_whole_record"):
        Printing.objects.create(
            patient=session.patient,
            session=session,
            with_photos=True,
            document=other,
            made_by=printing.made_by,
        )
