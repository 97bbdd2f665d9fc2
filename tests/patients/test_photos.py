"""Photos and what a patient allows them for: by the actions, and by the pages."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from PIL import Image
from pytest_django.fixtures import DjangoAssertNumQueries

from clinic.access.models import Staff
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from patients.photos import actions
from patients.photos.actions import (
    correct_photo,
    erase_next,
    put_back,
    read_photo,
    remove_photo,
)
from patients.photos.allowing import give, is_allowed, standing, withdraw
from patients.photos.gallery import IN_A_STRIP, PAGE, by_series, compared
from patients.photos.models import SIZES, Photo, PhotoPermission, PhotoQuerySet, Use
from patients.photos.naming import Names
from patients.photos.standards import SETS, parse_key
from patients.portal.actions import open_link
from patients.registry.merges import merge_patients, unmerge_patients
from patients.registry.models import Patient, Registration
from tests.at_once import PATIENCE_S, Crowd
from tests.conftest import Cast, make_patient
from tests.patients.hostile_uploads import HTML, NAMES
from tests.patients.photo_parts import add, allow, at, decoded, row, sent
from treatments.catalogue.models import Area

pytestmark = pytest.mark.django_db
FRONT = "face.none.front"
SHOTS = {shot.key: shot for one in SETS for shot in one.shots}


@pytest.fixture
def allowed(cast: Cast) -> Cast:
    allow(cast)
    return cast


@pytest.fixture
def page(allowed: Cast, client_for: Callable[[Staff], Client]) -> Client:
    return client_for(allowed.practitioner)


def url(name: str, photo: Photo | None = None, patient: Patient | None = None) -> str:
    number = (patient or photo.patient).number  # type: ignore[union-attr]
    return reverse(f"photos:{name}", args=[number, photo.public_id] if photo else [number])


def file(content: bytes, name: str = "a.jpg", claims: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, claims)


def stored_files() -> list[Path]:
    return [one for one in Path(django_settings.MEDIA_ROOT).rglob("*") if one.is_file()]


def permission(cast: Cast, **given: Any) -> PhotoPermission:
    values = {"use": "record", "said_on": timezone.localdate(), "how": "spoken"} | given
    return give(by=cast.practitioner, patient=cast.patient, **values)


# --- what the patient allows ----------------------------------------------------------------


def test_never_asked_is_not_allowed(cast: Cast) -> None:
    assert standing(cast.patient) == {"record": None, "teaching": None, "publicity": None}
    with pytest.raises(ActionRefused, match="does not allow"):
        add(cast)
    assert not stored_files()


def test_each_use_is_allowed_by_itself_and_the_last_word_counts(cast: Cast) -> None:
    permission(cast)
    permission(cast, use="teaching")
    assert is_allowed(cast.patient, Use.TEACHING)
    assert not is_allowed(cast.patient, Use.PUBLICITY)
    withdraw(by=cast.front_desk, patient=cast.patient, use="teaching", how="phone")
    assert not is_allowed(cast.patient, Use.TEACHING)
    assert is_allowed(cast.patient, Use.RECORD)
    said = standing(cast.patient)["teaching"]
    assert said is not None
    assert said.recorded_by == cast.front_desk
    permission(cast, use="teaching")
    assert is_allowed(cast.patient, Use.TEACHING)
    assert PhotoPermission.objects.filter(use="teaching").count() == 3


def test_who_may_record_it(cast: Cast) -> None:
    for person in (cast.front_desk, cast.manager):
        with pytest.raises(ActionRefused, match="practitioner"):
            give(
                by=person,
                patient=cast.patient,
                use="record",
                said_on=timezone.localdate(),
                how="spoken",
            )


def test_an_answer_is_refused_that_cannot_be_true(cast: Cast) -> None:
    today = timezone.localdate()
    for wrong in (
        {"said_on": today + timedelta(days=1)},
        {"said_on": cast.patient.birth_date - timedelta(days=1)},
        {"use": "anything"},
        {"how": "link"},
        {"how": "merge"},
        {"note": "x" * 301},
    ):
        with pytest.raises(ActionRefused):
            permission(cast, **wrong)
    permission(cast)
    with pytest.raises(ActionRefused, match="already"):
        permission(cast)
    withdraw(by=cast.practitioner, patient=cast.patient, use="record", how="spoken")
    with pytest.raises(ActionRefused, match="already"):
        withdraw(by=cast.practitioner, patient=cast.patient, use="record", how="spoken")
    with pytest.raises(ActionRefused, match="after that day"):
        permission(cast, said_on=today - timedelta(days=3))


def test_what_was_said_is_never_changed(allowed: Cast) -> None:
    for change in ({"is_given": False}, {"said_on": date(2020, 1, 1)}, {"use": "publicity"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            PhotoPermission.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        PhotoPermission.objects.all().delete()


def test_withdrawal_counts_at_once_for_every_photo(page: Client, allowed: Cast) -> None:
    photo = add(allowed)
    looks = [url(size, photo) for size in SIZES] + [url("detail", photo)]
    assert [page.get(one).status_code for one in looks] == [200] * 4
    withdraw(by=allowed.front_desk, patient=allowed.patient, use="record", how="phone")
    assert [page.get(one).status_code for one in looks] == [404] * 4
    gallery = page.get(url("gallery", patient=allowed.patient)).content.decode()
    assert str(photo.public_id) not in gallery
    assert "1 photo is kept and shown to nobody" in gallery
    with pytest.raises(ActionRefused):
        add(allowed)
    permission(allowed)
    assert page.get(looks[0]).status_code == 200


@pytest.mark.parametrize("use", ["teaching", "publicity"])
def test_a_photo_goes_out_only_for_what_is_allowed(page: Client, allowed: Cast, use: str) -> None:
    photo = add(allowed)
    assert page.get(url(use, photo)).status_code == 404
    allow(allowed, None, use)
    answer = page.get(url(use, photo))
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="photo-')
    assert allowed.patient.number not in answer["Content-Disposition"]
    assert AuditEntry.objects.filter(action="read", what=f"photos:{use}").count() == 1
    withdraw(by=allowed.practitioner, patient=allowed.patient, use=use, how="spoken")
    assert page.get(url(use, photo)).status_code == 404


def test_the_patient_takes_it_back_on_their_own_page(allowed: Cast) -> None:
    token = open_link(allowed.patient).rstrip("/").rpartition("/")[2]
    browser, born = Client(), allowed.patient.birth_date
    parts = {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year}
    browser.post(reverse("portal:prove", args=[token]), parts)
    assert b"Your photos" in browser.get(reverse("my-photos:panel", args=[token])).content
    browser.post(reverse("my-photos:withdraw", args=[token, "record"]))
    assert not is_allowed(allowed.patient, Use.RECORD)
    said = standing(allowed.patient)["record"]
    assert said is not None
    assert (said.how, said.recorded_by) == ("link", None)
    assert browser.post(reverse("my-photos:withdraw", args=[token, "other"])).status_code == 404


# --- keeping --------------------------------------------------------------------------------


def test_a_photo_is_kept_in_three_sizes_and_nothing_of_it_is_readable(allowed: Cast) -> None:
    photo = add(allowed, sent=sent((2_000, 1_500)))
    assert (photo.width, photo.height) == (2_000, 1_500)
    assert photo.stored_at is not None
    assert photo.erase_at is None
    assert decoded(read_photo(photo, "screen")).size == (1_600, 1_200)
    files = stored_files()
    assert len(files) == 3
    for one in files:
        assert b"JFIF" not in one.read_bytes()
        assert not one.read_bytes().startswith(b"\xff\xd8")
        assert allowed.patient.number not in str(one)


def test_a_changed_or_exchanged_file_is_not_shown(page: Client, allowed: Cast) -> None:
    one, other = add(allowed), add(allowed, sent=sent((100, 80)))
    first = Path(default_storage.path(one.stored_name("thumb")))
    first.write_bytes(Path(default_storage.path(other.stored_name("thumb"))).read_bytes())
    with pytest.raises(ActionRefused, match="damaged"):
        read_photo(one, "thumb")
    assert page.get(url("thumb", one)).status_code == 404
    Path(default_storage.path(one.stored_name("full"))).unlink()
    assert page.get(url("full", one)).status_code == 404


def test_the_same_photo_sent_twice_is_kept_once(allowed: Cast) -> None:
    name = uuid.uuid4()
    assert add(allowed, public_id=name) == add(allowed, public_id=name, sent=sent((99, 99)))
    assert len(stored_files()) == 3
    other = make_patient(allowed.here, "Other", "Person")
    allow(allowed, other)
    with pytest.raises(ActionRefused, match="being saved"):
        add(allowed, other, public_id=name)


def test_the_day_it_was_taken(allowed: Cast) -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x9003] = "2026:03:04 10:11:12"
    noted = sent(exif=tags)
    camera = add(allowed, sent=noted)
    assert (camera.taken_at, camera.dated_by) == (at("2026-03-04T10:11:12+01:00"), "camera")
    typed = add(allowed, sent=noted, taken_on=date(2026, 2, 1))
    assert (typed.taken_at, typed.dated_by) == (at("2026-02-01T12:00:00+01:00"), "person")
    assert add(allowed, sent=noted, from_camera=True).dated_by == "now"
    assert add(allowed).dated_by == "arrival"
    tags.get_ifd(0x8769)[0x9003] = "2099:03:04 10:11:12"
    assert add(allowed, sent=sent(exif=tags)).dated_by == "arrival"
    tags.get_ifd(0x8769)[0x9003] = "1970:01:01 00:00:00"
    assert add(allowed, sent=sent(exif=tags)).dated_by == "arrival"
    for day in (timezone.localdate() + timedelta(days=2), date(1960, 1, 1)):
        with pytest.raises(ActionRefused, match="between birth and today"):
            add(allowed, taken_on=day)


def test_only_a_practitioner_adds(allowed: Cast) -> None:
    for person in (allowed.front_desk, allowed.manager):
        with pytest.raises(ActionRefused, match="practitioner"):
            actions.add_photo(
                by=person,
                patient=allowed.patient,
                location=allowed.here,
                sent=sent(),
                area="face",
                side="none",
                view="front",
            )


def test_a_file_takes_only_so_many(allowed: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_OF_A_PATIENT", 1)
    add(allowed)
    with pytest.raises(ActionRefused, match="too many"):
        add(allowed)
    assert len(stored_files()) == 3


def test_permission_taken_back_while_it_is_stored(
    allowed: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(name: str, content: bytes) -> str:
        if is_allowed(allowed.patient, Use.RECORD):
            withdraw(by=allowed.front_desk, patient=allowed.patient, use="record", how="phone")
        return keep(name, content)

    keep = actions.keep
    monkeypatch.setattr(actions, "keep", slow)
    with pytest.raises(ActionRefused, match="does not allow"):
        add(allowed)
    assert not Photo.objects.kept().exists()
    assert len(stored_files()) == 3
    assert erase_next(at=timezone.now() + actions.UNDER_WAY) is not None
    assert not stored_files()


def test_what_was_cut_off_leaves_nothing(allowed: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after the first of three files: the row finds it again."""
    keep = actions.keep

    def dies(name: str, content: bytes) -> str:
        keep(name, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(actions, "keep", dies)
    with pytest.raises(KeyboardInterrupt):
        add(allowed)
    assert len(stored_files()) == 1
    assert not Photo.objects.kept().exists()
    assert erase_next() is None
    gone = erase_next(at=timezone.now() + actions.UNDER_WAY)
    assert gone is not None
    assert (gone.removal_reason, gone.removed_by) == ("cut-off", None)
    assert not stored_files()
    assert not Photo.objects.removed().exists()
    assert erase_next(at=timezone.now() + actions.UNDER_WAY) is None


def test_a_kept_picture_and_whose_it_is_are_closed(allowed: Cast) -> None:
    photo, other = add(allowed), make_patient(allowed.here, "Other", "Person")
    for change in ({"patient": other}, {"sha256": "1" * 64}, {"taken_by": allowed.colleague}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Photo.objects.filter(pk=photo.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        photo.delete()


CONSTRAINTS = {
    "photo_side_known": {"side": "up"},
    "photo_view_known": {"view": "inside"},
    "photo_stored_has_hash": {"sha256": ""},
    "photo_removed_says_why": {
        "removed_at": at("2026-01-01T00:00:00+00:00"),
        "erase_at": at("2026-01-01T00:00:00+00:00"),
    },
    "photo_erased_is_removed": {"erased_at": at("2026-01-01T00:00:00+00:00")},
    "photo_removed_will_be_erased": {
        "removed_at": at("2026-01-01T00:00:00+00:00"),
        "removal_reason": "cut-off",
    },
    "photo_not_taken_later": {"taken_at": at("2090-01-01T00:00:00+00:00")},
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_database_refuses(cast: Cast, name: str) -> None:
    row(cast)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        row(cast, **CONSTRAINTS[name])


def test_the_database_knows_the_uses_and_who_recorded(cast: Cast) -> None:
    values = {"patient": cast.patient, "said_on": timezone.localdate(), "is_given": True}
    for name, wrong in (
        ("photo_permission_use_known", {"use": "sale", "how": "link"}),
        ("photo_permission_says_who", {"use": "record", "how": "spoken"}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            PhotoPermission.objects.create(**values, **wrong)


# --- correcting, removing -------------------------------------------------------------------


def test_what_it_shows_is_corrected_with_a_trace(allowed: Cast) -> None:
    photo = add(allowed)
    right = {"area": "cheek", "side": "left", "view": "close-up"}
    fixed = correct_photo(by=allowed.practitioner, photo=photo, taken_on=date(2026, 1, 5), **right)
    assert (fixed.key, fixed.dated_by) == ("cheek.left.close-up", "person")
    trace = AuditEntry.objects.filter(what="patients_photo", action="change").latest("pk")
    assert trace.before["area"] == "face"
    assert trace.after["area"] == "cheek"
    with pytest.raises(ActionRefused):
        correct_photo(by=allowed.practitioner, photo=photo, taken_on=date(1950, 1, 5), **right)


def test_a_removed_photo_is_out_of_sight_at_once_and_can_come_back(
    page: Client, allowed: Cast
) -> None:
    photo = add(allowed)
    page.post(url("remove", photo), {"reason": "unusable", "note": ""})
    assert page.get(url("full", photo)).status_code == 404
    assert len(stored_files()) == 3
    assert erase_next() is None
    gallery = page.get(url("gallery", patient=allowed.patient)).content.decode()
    assert "Put it back" in gallery
    page.post(url("put-back", photo))
    assert page.get(url("full", photo)).status_code == 200
    remove_photo(by=allowed.practitioner, photo=photo, reason="twice")
    later = timezone.now() + actions.TO_THINK_AGAIN
    gone = erase_next(at=later)
    assert gone is not None
    assert not stored_files()
    with pytest.raises(ActionRefused, match="cannot be put back"):
        put_back(by=allowed.practitioner, photo=photo)
    kept = Photo.objects.get()
    assert (kept.removed_by, kept.removal_reason) == (allowed.practitioner, "twice")


@pytest.mark.parametrize("reason", ["wrong-patient", "asked"])
def test_what_must_go_goes_at_once(allowed: Cast, reason: str) -> None:
    photo = add(allowed)
    remove_photo(by=allowed.manager, photo=photo, reason=reason)
    with pytest.raises(ActionRefused, match="cannot be put back"):
        put_back(by=allowed.manager, photo=photo)
    assert erase_next() is not None
    assert not stored_files()


def test_a_removal_is_refused(allowed: Cast) -> None:
    photo = add(allowed)
    for person, reason, note in (
        (allowed.front_desk, "unusable", ""),
        (allowed.practitioner, "", ""),
        (allowed.practitioner, "cut-off", ""),
        (allowed.practitioner, "other", "  "),
        (allowed.practitioner, "other", "x" * 301),
    ):
        with pytest.raises(ActionRefused):
            remove_photo(by=person, photo=photo, reason=reason, note=note)
    remove_photo(by=allowed.practitioner, photo=photo, reason="other", note="A test")
    with pytest.raises(ActionRefused, match="was removed"):
        remove_photo(by=allowed.practitioner, photo=photo, reason="twice")
    with pytest.raises(ActionRefused, match="was removed"):
        correct_photo(
            by=allowed.practitioner,
            photo=photo,
            area="face",
            side="none",
            view="left",
            taken_on=timezone.localdate(),
        )


# --- one person, two files ------------------------------------------------------------------


@pytest.fixture
def twin(allowed: Cast) -> Patient:
    return make_patient(allowed.here, "Elodie", "Martine", birth_date=date(1985, 5, 13))


def merge(cast: Cast, survivor: Patient, merged: Patient) -> Any:
    return merge_patients(by=cast.practitioner, survivor=survivor, merged=merged, reason="Twice")


def test_the_kept_file_shows_the_photos_of_both(page: Client, allowed: Cast, twin: Patient) -> None:
    allow(allowed, twin)
    mine, theirs = add(allowed), add(allowed, twin)
    done = merge(allowed, allowed.patient, twin)
    theirs.refresh_from_db()
    assert theirs.patient == twin
    gallery = page.get(url("gallery", patient=allowed.patient)).content.decode()
    for photo in (mine, theirs):
        assert str(photo.public_id) in gallery
        assert page.get(url("full", photo, allowed.patient)).status_code == 200
    assert page.get(url("full", theirs, twin)).status_code == 200
    assert page.get(url("full", mine, twin)).status_code == 404
    assert page.post(url("correct", theirs, allowed.patient)).status_code == 403
    page.post(url("remove", theirs, allowed.patient), {"reason": "wrong-patient"})
    assert Photo.objects.removed().get() == theirs
    unmerge_patients(by=allowed.practitioner, merge=done, reason="Two people")
    gallery = page.get(url("gallery", patient=allowed.patient)).content.decode()
    assert str(theirs.public_id) not in gallery


def test_staff_of_the_kept_file_alone_see_the_earlier_files_photos(
    allowed: Cast, twin: Patient, client_for: Callable[[Staff], Client]
) -> None:
    allow(allowed, twin)
    photo = add(allowed, twin)
    both = {"patient": allowed.patient, "location": allowed.there}
    Registration.objects.create(**both)
    colleague = client_for(allowed.practitioner2)
    assert colleague.get(url("full", photo)).status_code == 404
    merge(allowed, allowed.patient, twin)
    assert colleague.get(url("full", photo, allowed.patient)).status_code == 200


def test_what_either_file_refuses_is_refused(allowed: Cast, twin: Patient) -> None:
    allow(allowed, None, "teaching")
    allow(allowed, twin, "publicity", "teaching")
    withdraw(by=allowed.practitioner, patient=twin, use="teaching", how="spoken")
    done = merge(allowed, allowed.patient, twin)
    got = {use: said and said.is_given for use, said in standing(allowed.patient).items()}
    assert got == {"record": True, "teaching": False, "publicity": True}
    twin.refresh_from_db()
    assert standing(twin)["publicity"] == standing(allowed.patient)["publicity"]
    unmerge_patients(by=allowed.practitioner, merge=done, reason="Two people")
    got = {use: said and said.is_given for use, said in standing(allowed.patient).items()}
    assert got == {"record": True, "teaching": True, "publicity": None}


# --- the pages ------------------------------------------------------------------------------


def test_several_at_once_each_by_itself(page: Client, allowed: Cast) -> None:
    files = [file(sent()), file(b"<html>"), file(sent(form="HEIF"), "b.heic")]
    answer = page.post(
        url("add", patient=allowed.patient), {"shot": "cheek.left.close-up", "pictures": files}
    )
    assert answer.status_code == 422
    assert "Picture 2: This is not a picture" in answer.content.decode()
    assert [one.key for one in Photo.objects.kept()] == ["cheek.left.close-up"] * 2
    again = page.post(
        url("add", patient=allowed.patient), {"shot": FRONT, "pictures": [file(sent())]}
    )
    assert again["Location"] == url("gallery", patient=allowed.patient)


def test_a_script_is_told_where_it_is_or_why_not(page: Client, allowed: Cast) -> None:
    where, one = url("add", patient=allowed.patient), {"X-One-Photo": "yes"}
    name = uuid.uuid4()
    for _twice in range(2):
        answer = page.post(
            where,
            {"shot": FRONT, "public_id": name, "from_camera": "on", "pictures": file(sent())},
            headers=one,
        )
        assert answer.status_code == 201
        assert answer.json()["url"].endswith(f"/photos/{name}/")
    assert Photo.objects.get().dated_by == "now"
    for wrong, why in (
        ({"shot": FRONT, "pictures": file(HTML)}, "not a picture"),
        ({"shot": "face.up.front", "pictures": file(sent())}, "Select a valid choice"),
        ({"shot": FRONT}, "Choose one or more"),
        ({"shot": FRONT, "pictures": [file(sent())] * 13}, "At most 12"),
    ):
        answer = page.post(where, wrong, headers=one)
        assert answer.status_code == 422
        assert why in answer.json()["message"]
    withdraw(by=allowed.practitioner, patient=allowed.patient, use="record", how="spoken")
    answer = page.post(where, {"shot": FRONT, "pictures": file(sent())}, headers=one)
    assert answer.status_code == 422
    assert "does not allow" in answer.json()["message"]


def test_no_name_of_a_file_goes_anywhere(page: Client, allowed: Cast) -> None:
    picture = sent()
    for start in range(0, len(NAMES), 5):
        files = [file(picture, name, "text/html") for name in NAMES[start : start + 5]]
        page.post(url("add", patient=allowed.patient), {"shot": FRONT, "pictures": files})
    root = Path(django_settings.MEDIA_ROOT)
    stored = stored_files()
    assert len(stored) == 3 * Photo.objects.kept().count() > 60
    for one in stored:
        folder, shelf, name = one.relative_to(root).parts
        assert folder == "photos"
        assert name.startswith(shelf)
        assert name.replace("-", "").isalnum()
    assert {one.name for one in root.parent.iterdir()} <= {"media", "media.key"}


def test_the_way_back_is_a_page_of_ours(page: Client, allowed: Cast) -> None:
    where, good = url("add", patient=allowed.patient), "/patients/?q=x"
    for wanted, got in (
        (good, good),
        ("https://elsewhere.example/", url("gallery", patient=allowed.patient)),
        ("//elsewhere.example/", url("gallery", patient=allowed.patient)),
        ("javascript:alert(1)", url("gallery", patient=allowed.patient)),
    ):
        answer = page.post(where, {"shot": FRONT, "pictures": file(sent()), "next": wanted})
        assert answer["Location"] == got


def test_a_picture_is_given_out_with_care(page: Client, allowed: Cast) -> None:
    photo = add(allowed)
    before = AuditEntry.objects.filter(action="read").count()
    answer = page.get(url("screen", photo))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    entry = AuditEntry.objects.filter(action="read").latest("pk")
    assert AuditEntry.objects.filter(action="read").count() == before + 1
    assert (entry.what, entry.patients) == ("photos:screen", [allowed.patient.pk])


def test_who_sees_a_picture(
    allowed: Cast, client_for: Callable[[Staff], Client], client: Client
) -> None:
    photo, other = add(allowed), make_patient(allowed.here, "Other", "Person")
    allow(allowed, other)
    seen = {
        person.email: client_for(person).get(url("full", photo)).status_code
        for person in (allowed.practitioner, allowed.manager, allowed.front_desk)
    }
    assert list(seen.values()) == [200, 200, 403]
    assert client_for(allowed.practitioner2).get(url("full", photo)).status_code == 404
    assert client.get(url("full", photo)).status_code == 302
    mine = client_for(allowed.practitioner)
    assert mine.get(url("full", photo, other)).status_code == 404
    assert mine.get("/media/" + photo.stored_name("full")).status_code == 404


def test_the_camera_is_open_to_one_page_alone(page: Client, allowed: Cast) -> None:
    take = page.get(url("take", patient=allowed.patient))
    assert "camera=(self)" in take["Permissions-Policy"]
    for other in ("gallery", "add", "compare", "permissions"):
        answer = page.get(url(other, patient=allowed.patient))
        assert "camera=()" in answer["Permissions-Policy"]


def test_the_ghost_is_the_last_photo_of_the_same_view(page: Client, allowed: Cast) -> None:
    old = row(allowed, taken_at=timezone.now() - timedelta(days=90))
    new = row(allowed, taken_at=timezone.now() - timedelta(days=10))
    row(allowed, view="left")
    removed = row(allowed)
    remove_photo(by=allowed.practitioner, photo=removed, reason="unusable")
    body = page.get(url("take", patient=allowed.patient)).content.decode()
    [front] = [part for part in body.split("data-shot=") if part.startswith('"face.none.front"')]
    assert str(new.public_id) in front
    assert str(old.public_id) not in body
    assert str(removed.public_id) not in body


def test_no_photo_without_permission_from_the_camera_page(cast: Cast, client_for: Any) -> None:
    answer = client_for(cast.practitioner).get(url("take", patient=cast.patient))
    assert answer["Location"] == url("permissions", patient=cast.patient)


def test_the_permissions_page_by_role(cast: Cast, client_for: Any) -> None:
    said = {"use": "record", "how": "spoken", "said_on": timezone.localdate(), "note": "n"}
    where = {name: url(name, patient=cast.patient) for name in ("permissions", "give", "withdraw")}
    desk, practitioner = client_for(cast.front_desk), client_for(cast.practitioner)
    assert desk.post(where["give"], said).status_code == 403
    assert practitioner.post(where["give"], said).status_code == 302
    assert practitioner.post(where["give"], said).status_code == 422
    assert b"Allowed" in desk.get(where["permissions"]).content
    wrong = practitioner.post(where["withdraw"], said | {"said_on": "2090-01-01"})
    assert wrong.status_code == 422
    assert b"id_record_said_on" in wrong.content
    assert desk.post(where["withdraw"], said).status_code == 302
    assert not is_allowed(cast.patient, Use.RECORD)


def test_comparing(page: Client, allowed: Cast) -> None:
    where = url("compare", patient=allowed.patient)
    assert b"Nothing to compare" in page.get(where).content
    days = [200, 100, 1]
    photos = [row(allowed, taken_at=timezone.now() - timedelta(days=day)) for day in days]
    first, middle, last = (str(one.public_id) for one in photos)
    for mode in ("side", "slider", "fade", "other"):
        body = page.get(where, {"mode": mode}).content.decode()
        assert f"{first}/screen/" in body
        assert f"{last}/screen/" in body
    body = page.get(where, {"before": last, "after": middle}).content.decode()
    assert body.index(f"{middle}/screen/") < body.index(f"{last}/screen/")
    assert "99 days apart" in body
    other = make_patient(allowed.here, "Other", "Person")
    allow(allowed, other)
    theirs = str(row(allowed, other).public_id)
    assert f"{theirs}/screen/" not in page.get(where, {"after": theirs}).content.decode()
    assert compared(photos[:1], "", "") is None


def test_by_view_and_by_day(page: Client, allowed: Cast) -> None:
    now = timezone.now()
    for day in range(IN_A_STRIP + 3):
        row(allowed, taken_at=now - timedelta(days=day))
    row(allowed, area="cheek", side="left", view="close-up")
    found = by_series(Photo.objects.of_file(allowed.patient.pk).shown(), Names())
    assert [(one.key, one.count, len(one.photos)) for one in found] == [
        ("cheek.left.close-up", 1, 1),
        (FRONT, IN_A_STRIP + 3, IN_A_STRIP),
    ]
    where = url("gallery", patient=allowed.patient)
    assert b"Cheek (left), close-up" in page.get(where, {"by": "view"}).content
    one_view = page.get(where, {"of": "cheek.left.close-up"}).content.decode()
    assert one_view.count("/thumb/") == 1
    assert page.get(where, {"of": "no.such.view", "after": "rubbish_x"}).status_code == 200


def test_a_long_list_is_read_page_by_page(page: Client, allowed: Cast) -> None:
    same = timezone.now()
    for number in range(PAGE + 5):
        row(allowed, taken_at=same - timedelta(days=number // 3))
    where = url("gallery", patient=allowed.patient)
    first = page.get(where)
    ids = {str(one.public_id) for one in Photo.objects.all()}
    seen = {one for one in ids if one in first.content.decode()}
    assert len(seen) == PAGE
    second = page.get(where + first.context["older"]).content.decode()
    assert {one for one in ids if one in second} == ids - seen


def test_the_face_in_the_patient_bar(page: Client, allowed: Cast, client_for: Any) -> None:
    where = url("avatar", patient=allowed.patient)
    assert page.get(where).status_code == 204
    row(allowed, view="left")
    assert page.get(where).status_code == 204
    face = row(allowed)
    assert str(face.public_id) in page.get(where).content.decode()
    home = reverse("patients:detail", args=[allowed.patient.number])
    assert where in page.get(home).content.decode()
    assert where not in client_for(allowed.front_desk).get(home).content.decode()
    withdraw(by=allowed.practitioner, patient=allowed.patient, use="record", how="spoken")
    assert page.get(where).status_code == 204


LISTS = {"gallery": 11, "gallery?by=view": 11, "panel": 9, "take": 8, "compare": 9}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_with_three_hundred(
    name: str,
    page: Client,
    allowed: Cast,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    where, _sep, query = name.partition("?")
    address = url(where, patient=allowed.patient) + (f"?{query}" if query else "")
    page.get(address)  # the first page of a session writes that it was seen
    counts = []
    for wanted in (2, 300):
        keys = list(SHOTS)
        for number in range(Photo.objects.count(), wanted):
            area, side, view = parse_key(keys[number // 2 % len(keys)])
            taken = timezone.now() - timedelta(days=number)
            row(allowed, area=area, side=side, view=view, taken_at=taken)
        with django_assert_num_queries(LISTS[name]) as captured:
            assert page.get(address).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- what there is to photograph ------------------------------------------------------------


def test_every_standard_view_is_of_an_area_that_the_catalogue_knows(db: None) -> None:
    areas = set(Area.objects.current().values_list("code", flat=True))
    assert {shot.area for shot in SHOTS.values()} <= areas
    assert len(SHOTS) == sum(len(one.shots) for one in SETS)
    for key in SHOTS:
        assert parse_key(key) == tuple(key.split("."))


def test_names_in_both_languages(db: None) -> None:
    assert Names().series("cheek", "left", "close-up") == "Cheek (left), close-up"
    assert Names().series("face", "none", "front") == "Face, front"
    with translation.override("fr"):
        assert Names().area("cheek") == "Joue"


def test_every_choice_is_offered_once(db: None) -> None:
    keys = [key for _group, shots in Names().choices() for key, _words in shots]
    assert len(keys) == len(set(keys))
    assert "cheek.left.close-up" in keys


# --- at the same moment ---------------------------------------------------------------------


@pytest.fixture
def committed(transactional_db: None, cast: Cast) -> Cast:
    return cast


def together(*deeds: Callable[[], object], crowd: Crowd | None = None) -> list[str]:
    """All of it at the same moment; what was refused, by its words."""
    crowd = crowd or Crowd()
    answers = crowd.run(deeds)
    return sorted(one.message if isinstance(one, ActionRefused) else "" for one in answers)


def test_one_photo_sent_four_times_at_once_is_kept_once(committed: Cast) -> None:
    allow(committed)
    name = uuid.uuid4()
    said = together(*[lambda: add(committed, public_id=name)] * 4)
    assert said.count("") >= 1
    assert Photo.objects.kept().count() == 1
    assert len(stored_files()) == 3


def test_under_names_of_their_own_they_are_four(committed: Cast) -> None:
    """The negative control: it is the name that makes them one."""
    allow(committed)
    together(*[lambda: add(committed)] * 4)
    assert Photo.objects.kept().count() == 4


def stored_while_taken_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A photo is on its way to the disk while a slow withdrawal is being written."""
    allow(cast)
    keep, storing, withdrawn = actions.keep, threading.Event(), threading.Event()
    crowd = Crowd()

    def slow(name: str, content: bytes) -> str:
        storing.set()
        withdrawn.wait(PATIENCE_S)
        return keep(name, content)

    monkeypatch.setattr(actions, "keep", slow)

    def take_back() -> None:
        storing.wait(PATIENCE_S)
        with transaction.atomic():
            withdraw(by=cast.front_desk, patient=cast.patient, use="record", how="phone")
            withdrawn.set()
            crowd.stand()

    return together(lambda: add(cast), take_back, crowd=crowd)


def test_a_withdrawal_while_a_photo_is_being_stored_is_not_overtaken(
    committed: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The withdrawal holds the patient; the photo waits for it and is then refused."""
    said = stored_while_taken_back(committed, monkeypatch)
    assert said[0] == ""
    assert "does not allow" in said[1]
    assert not Photo.objects.kept().exists()


def test_without_the_lock_it_is_overtaken(committed: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(actions, "lock_patient", lambda patient: None)
    assert stored_while_taken_back(committed, monkeypatch) == ["", ""]
    assert Photo.objects.kept().exists()
    assert not is_allowed(committed.patient, Use.RECORD)


def test_without_asking_at_each_use_a_withdrawal_would_be_seen_through(
    page: Client, allowed: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the withdrawal that counts at once."""
    photo = add(allowed)
    withdraw(by=allowed.front_desk, patient=allowed.patient, use="record", how="phone")
    assert page.get(url("full", photo)).status_code == 404
    monkeypatch.setattr(PhotoQuerySet, "allowed_for", lambda self, use: self)
    assert page.get(url("full", photo)).status_code == 200
