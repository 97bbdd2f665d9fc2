"""Documents prove themselves: sealed, checked by anyone, and bound to whose they are."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from clinic.embedded.keys import make_seal
from clinic.rendering import checking, sealing
from clinic.rendering.checking import CheckingFailed, look_at
from clinic.rendering.pdf import render_html, render_sealed
from clinic.rendering.sealing import Hole, SealUnavailable, fingerprint, sealed, signing_key
from patients.documents import actions, check_views
from patients.documents.actions import MOST_ATTEMPTS, read_pdf, render_next
from patients.documents.checking import Verdict, check_copy
from patients.documents.evidence import Evidence, Signed, check_address, with_evidence
from patients.documents.models import Document, SealCertificate
from tests.patients.four_scripts import PAPERS, whole_page
from tests.patients.seal_parts import (
    NO_PDFSIG,
    PDFSIG,
    flips,
    hole_of,
    loaded_check,
    pdfsig_accepts,
    time_authority,
)
from tests.patients.test_documents import asked, page

pytestmark = pytest.mark.django_db
PAGE = "<html lang='en'><head><title>T</title></head><body><h1>Words</h1></body></html>"
CHECK = "/verify/"


@pytest.fixture
def made(cast) -> tuple[Document, bytes]:
    asked(cast)
    document = render_next()
    return document, read_pdf(document)


@pytest.fixture
def other_key(settings, tmp_path):
    """Another clinic's key, in force from now on."""
    path = tmp_path / "other.p12"
    path.write_bytes(make_seal("Another clinic", datetime.now(UTC)))
    settings.SIGNING_P12_FILE = str(path)


# --- the seal -------------------------------------------------------------------------------------


def test_every_document_is_sealed_before_it_is_hashed_and_stored(made):
    document, pdf = made
    assert document.sha256 == hashlib.sha256(pdf).hexdigest()
    seen = look_at(pdf)
    assert seen is not None
    assert seen.holds
    assert seen.certificate == document.seal.fingerprint == fingerprint(signing_key().certificate)
    assert abs(seen.moment - document.ready_at) < timedelta(seconds=30)
    assert not seen.stamped


def test_the_seal_is_pades_says_whose_it_is_and_is_no_part_of_a_page(made):
    reader = PdfReader(BytesIO(made[1]))
    (field,) = reader.trailer["/Root"]["/AcroForm"]["/Fields"]
    seal = field["/V"].get_object()
    assert seal["/SubFilter"] == "/ETSI.CAdES.detached"
    assert seal["/Name"] == "Demo clinic"
    assert float(field["/Rect"][2]) < 0
    assert reader.trailer["/Root"]["/AcroForm"]["/SigFlags"] == 3


def test_it_is_never_called_what_it_is_not(made, client):
    said = made[0].html + client.get(CHECK).content.decode()
    assert "advanced" not in said.lower()
    assert "qualified" not in said.lower()


def test_forty_flips_are_found_by_hash_and_by_the_seal_alone(made):
    """By our own check through the hash; by pyHanko outside the seal and, as we ask it, inside."""
    _document, pdf = made
    with loaded_check() as job:
        assert '"holds": true' in job.work(pdf)[1]
        for at, copy in flips(pdf, 40, seed=1):
            assert not Document.objects.with_content(hashlib.sha256(copy).hexdigest()).exists()
            try:
                said = job.work(copy)[1]
            except job.Refused:
                continue
            assert '"holds": false' in said, at


@pytest.mark.skipif(PDFSIG is None, reason=NO_PDFSIG)
def test_flips_outside_the_seal_are_found_by_poppler_too(made, tmp_path):
    _document, pdf = made
    start, end = hole_of(pdf)
    assert pdfsig_accepts(pdf, tmp_path)
    for at, copy in flips(pdf, 12, seed=2):
        assert start <= at < end or not pdfsig_accepts(copy, tmp_path), at


def test_a_hole_that_is_none_is_not_filled():
    """What the cell says of its own work is looked at, not believed."""
    key, pdf = signing_key(), b"%PDF-1.7 <" + b"0" * 2 * signing_key().room + b"> rest"
    assert sealed(pdf, Hole(9, len(pdf) - 5), key).startswith(b"%PDF-1.7 <30")
    for wrong in (Hole(8, len(pdf) - 5), Hole(9, len(pdf)), Hole(0, 0)):
        with pytest.raises(SealUnavailable):
            sealed(pdf, wrong, key)


def test_words_cannot_pass_for_the_place_of_the_seal():
    """A title stands in the file as it is; it may not draw the seal to itself."""
    fake = "/Contents &lt;" + "0" * 2 * signing_key().room + "&gt;/ByteRange [" + " " * 40 + "]"
    made = render_sealed(PAGE.replace("<title>T", f"<title>{fake}"))
    seen = look_at(made.pdf)
    assert seen is not None
    assert seen.holds


# --- the time -------------------------------------------------------------------------------------


def test_a_time_stamp_authority_says_when_and_learns_a_hash_alone(settings):
    with time_authority() as (address, asked_of_it):
        settings.SIGNING_TSA_URL = address
        made = render_sealed(PAGE)
    seen = look_at(made.pdf)
    assert seen is not None
    assert (seen.holds, seen.stamped) == (True, True)
    (request,) = asked_of_it
    assert len(request) < 100


def test_without_its_answer_a_document_waits_and_the_queue_goes_on(cast, settings):
    first, at = asked(cast), timezone.now()
    settings.SIGNING_TSA_URL = "http://127.0.0.1:9/tsr"
    assert render_next(at=at).state == Document.State.RENDERING
    settings.SIGNING_TSA_URL = ""
    asked(cast)
    assert render_next(at=at).state == Document.State.READY
    assert render_next(at=at) is None
    assert render_next(at=at + actions.LEASE).state == Document.State.READY
    first.refresh_from_db()
    assert first.attempts == 2
    assert first.error == ""


def test_it_fails_with_the_reason_when_no_seal_can_be_set_at_all(cast, settings):
    asked(cast)
    settings.SIGNING_P12_FILE = "/nowhere/seal.p12"
    at = timezone.now()
    for _attempt in range(MOST_ATTEMPTS):
        assert render_next(at=at).state == Document.State.RENDERING
        at += actions.LEASE
    failed = render_next(at=at)
    assert failed.state == Document.State.FAILED
    assert "key" in failed.error
    assert not failed.sha256


# --- checking -------------------------------------------------------------------------------------


def test_a_copy_is_judged_by_what_is_kept_and_by_its_seal(made, cast):
    document, pdf = made
    same = check_copy(pdf)
    assert (same.verdict, same.made_at) == (Verdict.UNCHANGED, document.ready_at)
    assert same.is_genuine
    for changed in (
        pdf + b"\n",
        pdf.replace(b"/SigFlags 3", b"/SigFlags 1"),
        pdf[:-9] + b"9\n%%EOF\n",
    ):
        if changed != pdf:
            assert check_copy(changed).verdict == Verdict.ALTERED
    for foreign in (render_html(PAGE).pdf, b"%PDF-1.7", b"%PDF- /Contents <" + b"30" * 900 + b">"):
        assert check_copy(foreign).verdict == Verdict.NOT_OURS
    assert check_copy(render_sealed(PAGE).pdf).verdict == Verdict.SEALED


def test_a_seal_of_another_key_is_told_apart(made, other_key):
    checked = check_copy(render_sealed(PAGE).pdf)
    assert checked.verdict == Verdict.UNKNOWN_KEY
    assert checked.made_at is None


def test_a_former_key_is_still_known(cast, made, other_key):
    asked(cast)
    later = render_next()
    assert later.seal != made[0].seal
    assert check_copy(made[1]).verdict == Verdict.UNCHANGED
    assert check_copy(made[1] + b" ").verdict == Verdict.ALTERED


def test_a_document_from_before_there_were_seals_is_known_by_its_hash(cast, monkeypatch):
    asked(cast)
    monkeypatch.setattr(actions, "render_sealed", render_html)
    document = render_next()
    assert check_copy(read_pdf(document)).verdict == Verdict.KEPT


def test_a_file_that_takes_too_long_is_told(made, monkeypatch):
    monkeypatch.setattr(checking, "WALL_SECONDS", 0.05)
    with pytest.raises(CheckingFailed):
        check_copy(made[1] + b" ")


def sent(client: Client, content: bytes, **more):
    return client.post(CHECK, {"copy": SimpleUploadedFile("x.pdf", content)}, **more)


def test_anyone_may_check_and_learns_nothing_of_whom(made, cast, client):
    assert client.get(CHECK).status_code == 200
    response = sent(client, made[1])
    page_ = response.content.decode()
    assert response.status_code == 200
    assert "sealed by this clinic" in page_
    assert "UTC" in page_
    for secret in (cast.patient.family_name, cast.patient.number, "neck", "Rive Gauche"):
        assert secret not in page_
    altered = sent(client, made[1] + b" ").content.decode()
    assert "Altered" in altered


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "empty"), (b"hello", "not a PDF"), (b"%PDF-" + b" " * 50, "")]
)
def test_what_is_no_pdf_is_refused_by_name(client, content, said):
    response = sent(client, content)
    assert response.status_code == (422 if said else 200)
    assert said in response.content.decode()


def test_a_file_that_is_too_large_is_refused(client, monkeypatch):
    monkeypatch.setattr("patients.documents.forms.LARGEST_BYTES", 10)
    assert sent(client, b"%PDF-1.7 and more").status_code == 422


def test_the_page_wants_its_token(made):
    assert sent(Client(enforce_csrf_checks=True), made[1]).status_code == 403


def test_an_address_may_check_so_often_and_no_more(client, monkeypatch):
    monkeypatch.setattr(check_views, "MOST_PER_ADDRESS", 2)
    codes = [sent(client, b"%PDF-").status_code for _try in range(3)]
    assert codes == [200, 200, 429]
    assert sent(client, b"%PDF-", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_it_writes_nothing(made, client, django_assert_num_queries):
    with django_assert_num_queries(1):
        sent(client, made[1])


def test_the_command_says_the_same(made, tmp_path, capsys):
    document, pdf = made
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(pdf)
    bad.write_bytes(pdf + b" ")
    call_command("verify_document", str(good))
    said = capsys.readouterr().out
    assert "Unchanged" in said
    assert document.ready_at.isoformat() in said
    with pytest.raises(CommandError, match="Altered"):
        call_command("verify_document", str(bad))
    with pytest.raises(CommandError, match="No such file"):
        call_command("verify_document", str(tmp_path / "none.pdf"))


# --- bound to whose it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"html": "<html></html>"},
        {"title": "Another"},
        {"kind": "sheet"},
        {"language": "fr"},
        {"file_name": "documents/another"},
        {"created_by": "Somebody"},
        {"patient": "stranger"},
    ],
)
def test_the_words_and_whose_they_are_stay_while_it_waits(cast, change):
    document = asked(cast)
    if "patient" in change:
        change = {"patient": cast.stranger}
    with pytest.raises(DatabaseError, match="fixed"), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(**change)
    assert Document.objects.filter(pk=document.pk).update(error="this may change") == 1


def test_two_documents_cannot_share_a_file(cast, made):
    with pytest.raises(IntegrityError, match="document_file_is_its_own"):
        Document.objects.create(
            patient=cast.stranger,
            kind="consent",
            title="x",
            language="en",
            html="",
            created_by="x",
            file_name=made[0].file_name,
        )


# --- the evidence page ----------------------------------------------------------------------------


def evidence(**more) -> Evidence:
    zone = timezone.zoneinfo.ZoneInfo("Europe/Paris")
    signed = Signed(
        name="Élodie Martin",
        part="patient",
        method="drawn",
        moment=datetime(2026, 7, 1, 9, 30, tzinfo=zone),
        place="clinic device, Rive Gauche",
        image="<svg/>",
    )
    return Evidence(
        **{
            "subject": "Consent 1: Neck",
            "text_sha256": "ab" * 32,
            "template_version": "2026-01",
            "signatures": [signed],
            **more,
        }
    )


def test_the_evidence_page_holds_names_times_zone_method_place_and_hashes(cast):
    document = asked(cast, evidence=evidence())
    assert render_next().pages == 2
    document.refresh_from_db()
    text = PdfReader(BytesIO(read_pdf(document))).pages[1].extract_text()
    plain = text.replace("\n", "")
    for said in (
        *("Élodie Martin", "patient", "drawn", "clinic device, Rive Gauche", "01-Jul-2026, 09:30"),
        *("Europe/Paris", "2026-07-01T07:30:00+00:00", "2026-01", "ab" * 32),
        *(str(document.public_id), check_address(), hashlib.sha256(b"<svg/>").hexdigest()),
        hashlib.sha256(page(cast).rpartition("</body>")[0].encode()).hexdigest(),
    ):
        assert said in plain, said


def test_the_hash_of_the_data_moves_with_any_letter_of_it():
    pages = {
        with_evidence(f"<body>{words}</body>", evidence(), number=None, language="en")[9:]
        for words in ("a", "b", "a ")
    }
    assert len(pages) == 3


def test_the_address_on_the_page_is_that_of_the_check(settings):
    assert (
        check_address()
        == settings.BASE_URL + reverse("document-check")
        == settings.BASE_URL + CHECK
    )


def test_a_key_that_is_no_key_is_unavailable(settings, tmp_path):
    path = tmp_path / "none.p12"
    path.write_bytes(b"none")
    settings.SIGNING_P12_FILE = str(path)
    with pytest.raises(SealUnavailable):
        sealing.signing_key()
    assert not SealCertificate.objects.exists()


@pytest.mark.parametrize("language", PAPERS)
def test_a_consent_copies_out_right_in_each_script(language):
    """Each letter as it was written; a full stop may come before the line that it ends."""
    paper = PAPERS[language]
    made = render_sealed(whole_page(paper))
    text = "\n".join(one.extract_text() for one in PdfReader(BytesIO(made.pdf)).pages)
    lines = {" ".join(line.split()).strip(".•, ") for line in text.split("\n")}
    for words in (paper.title, paper.patient, paper.place, paper.heading, *paper.lines):
        said = words.strip(".")
        in_order = said in lines
        # A comma inside a line from right to left parts it in two for pypdf.
        parts = [part.strip() for part in said.split(",")]
        assert in_order or all(any(part in line for line in lines) for part in parts), words
