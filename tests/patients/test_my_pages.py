"""The patient's other pages: who opened the record, what was agreed to, photos, messages."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.errors import ActionRefused
from patients.messages.models import Message
from patients.photos.allowing import withdraw
from patients.photos.models import PhotoShare
from patients.photos.sharing import end_share, share_photo
from patients.registry.access_log import openings
from tests.access.world import World, make_world
from tests.conftest import Cast
from tests.patients.test_portal import RIGHT, question

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast: Cast) -> World:
    """One whose photo is not shown to the patient any more."""
    world = make_world(cast.here, cast.practitioner, cast.treatment)
    end_share(by=cast.practitioner, photo=world.patient.photos.get(), at=timezone.now())
    return world


def inside(world: World) -> Client:
    client = Client()
    client.post(question(world.token), RIGHT)
    return client


def get(client: Client, world: World, name: str, *more) -> str:
    response = client.get(reverse(name, args=[world.token, *more]))
    assert response.status_code == 200, name
    return response.content.decode()


def test_who_opened_the_record_is_told_by_day_and_person(cast: Cast, world: World, client_for):
    desk, client = client_for(cast.front_desk), inside(world)
    for _time in range(3):
        desk.get(reverse("patients:detail", args=[world.patient.number]))
    get(client, world, "portal:home")
    text = get(client, world, "portal:opened")
    assert text.count(cast.front_desk.name) == 1
    assert "Patient page" in text
    assert cast.front_desk.email not in text, "a name is told, not an address"
    assert "patient by link" not in text, "the patient knows of themselves"
    assert world.secret not in text


def test_the_log_pages_by_key_and_costs_one_query(
    cast: Cast, world: World, client_for, django_assert_num_queries, monkeypatch
):
    desk = client_for(cast.front_desk)
    for _time in range(5):
        desk.get(reverse("patients:detail", args=[world.patient.number]))
    monkeypatch.setattr("patients.registry.access_log.ENTRIES_READ", 2)
    with django_assert_num_queries(1):
        first = openings([world.patient.pk], cast.here.zone)
    assert first.older
    before = first.older.removeprefix("?before=")
    second = openings([world.patient.pk], cast.here.zone, before=before)
    assert second.days
    for nonsense in ("x", "-1", "9" * 40, "²"):
        assert openings([world.patient.pk], cast.here.zone, before=nonsense) == first


def test_everything_agreed_to_is_gathered_with_its_withdrawal(world: World):
    client = inside(world)
    page = get(client, world, "portal:agreed")
    slots = re.findall(r'hx-get="([^"]+)"', page)
    assert len(slots) == 3
    shown = "".join(client.get(slot).content.decode() for slot in slots)
    assert reverse("my-photos:withdraw", args=[world.token, "teaching"]) in shown
    assert reverse("my-photos:withdraw", args=[world.token, "publicity"]) not in shown


def test_the_patient_sees_the_photos_that_are_shown_and_no_others(
    cast: Cast, world: World, client_for
):
    photo, client = world.patient.photos.get(), inside(world)
    picture = reverse("my-photos:picture", args=[world.token, photo.public_id])
    assert client.get(picture).status_code == 404
    practitioner = client_for(cast.practitioner)
    share = reverse("photos:share", args=[world.patient.number, photo.public_id])
    assert client_for(cast.front_desk).post(share).status_code == 403
    assert client_for(cast.practitioner2).post(share).status_code == 404
    assert practitioner.get(share).status_code == 405
    assert practitioner.post(share).status_code == 302
    assert client.get(picture).status_code == 200
    assert str(photo.public_id) in get(client, world, "my-photos:pictures")
    assert "Look at 1 photo" in get(client, world, "my-photos:panel")
    assert Client().get(picture).status_code == 302
    unshare = reverse("photos:unshare", args=[world.patient.number, photo.public_id])
    practitioner.post(unshare)
    assert client.get(picture).status_code == 404


def test_a_shown_photo_goes_with_its_permission_and_with_its_removal(cast: Cast, world: World):
    photo, client = world.patient.photos.get(), inside(world)
    picture = reverse("my-photos:picture", args=[world.token, photo.public_id])
    share_photo(by=cast.practitioner, photo=photo, at=timezone.now())
    assert client.get(picture).status_code == 200
    withdraw(by=cast.practitioner, patient=world.patient, use="record", how="spoken")
    assert client.get(picture).status_code == 404


def test_a_photo_is_shown_once_and_the_end_of_it_stays(cast: Cast, world: World):
    photo = world.patient.photos.get()
    share_photo(by=cast.practitioner, photo=photo, at=timezone.now())
    with pytest.raises(ActionRefused, match="already"):
        share_photo(by=cast.practitioner, photo=photo, at=timezone.now())
    with pytest.raises(ActionRefused):
        end_share(by=cast.manager, photo=photo, at=timezone.now())
    end_share(by=cast.practitioner, photo=photo, at=timezone.now())
    with pytest.raises(ActionRefused):
        end_share(by=cast.practitioner, photo=photo, at=timezone.now())
    share_photo(by=cast.practitioner, photo=photo, at=timezone.now())
    assert PhotoShare.objects.count() == 3


def test_another_patients_link_opens_no_shown_photo(cast: Cast, world: World):
    other = make_world(cast.here, cast.practitioner, cast.treatment)
    photo = world.patient.photos.get()
    share_photo(by=cast.practitioner, photo=photo, at=timezone.now())
    url = reverse("my-photos:picture", args=[other.token, photo.public_id])
    assert inside(other).get(url).status_code == 404


def test_what_was_sent_is_read_again_without_its_links(world: World):
    Message.objects.create(
        patient=world.patient,
        kind="reminder",
        key="x",
        channel="email",
        language="en",
        recipient=world.patient.email,
        subject="A reminder",
        body="See {link} and {code}.",
        due_at=timezone.now(),
        state="sent",
        sent_at=timezone.now(),
    )
    text = get(inside(world), world, "my-messages:sent")
    assert "A reminder" in text
    assert "{link}" not in text
    assert "{code}" not in text
    assert world.secret not in text, "one that failed was not sent"


def test_no_address_and_no_title_says_who_or_what(world: World):
    client = inside(world)
    names = ("home", "agreed", "opened", "passkeys")
    for name in [f"portal:{name}" for name in names] + ["my-recovery:page", "my-data:index"]:
        url = reverse(name, args=[world.token])
        page = get(client, world, name)
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL).group(1)
        for secret in (world.canary, world.patient.number, "meso"):
            assert secret.lower() not in (url + title).lower()
