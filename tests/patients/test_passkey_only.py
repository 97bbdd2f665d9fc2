"""A patient whose pages open with a passkey alone: what still opens, what does not, the way out."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from patients.messages.actions import send_link
from patients.messages.door import choose_passkey_only, let_links_open, reset_door
from patients.messages.models import Message
from patients.messages.sending import send_next
from patients.portal import views
from patients.portal.actions import open_on_tablet, prove
from patients.portal.models import Link, Passkey, PasskeyOnly, PasskeyOnlyQuerySet
from patients.portal.passkeys import is_only_way, remove_passkey
from tests.patients.software_key import Device
from tests.patients.test_passkeys import BEGIN, at_localhost, made, post, used  # noqa: F401
from tests.patients.test_portal import RIGHT, home, inside, question, token_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(cast) -> Device:
    """A device whose passkey has opened the pages once."""
    one = Device()
    made(cast, one)
    assert used(one)[0].status_code == 200
    return one


@pytest.fixture
def shut(cast, device) -> Device:
    choose_passkey_only(patient=cast.patient, at=timezone.now())
    return device


def at_the_door(device: Device, token: str, client: Client | None = None, wanted: str = ""):
    client = client or Client()
    answer = device.use(post(client, BEGIN).json())
    address = reverse("portal:prove-passkey", args=[token]) + (f"?next={wanted}" if wanted else "")
    return client, post(client, address, {"answer": answer})


def get(client: Client, url: str):
    return client.get(url, HTTP_HOST="localhost")


def test_a_link_asks_for_the_passkey_and_for_no_birth_date(cast, shut):
    token = token_for(cast.patient)
    client = Client()
    door = get(client, get(client, home(token))["Location"])
    text = door.content.decode()
    assert door.status_code == 200
    assert "birth_date" not in text
    assert reverse("portal:prove-passkey", args=[token]) in text
    assert cast.patient.family_name not in text
    answer = client.post(question(token), RIGHT, HTTP_HOST="localhost")
    assert answer.status_code == 403
    assert get(client, home(token)).status_code == 302
    assert prove(token=token, birth_date=cast.patient.birth_date, at=timezone.now()) is None
    assert Link.objects.latest("pk").wrong_answers == 0


def test_without_the_patients_word_the_same_steps_open(cast, shut, monkeypatch):
    """The negative control; and the door alone is not what refuses a birth date."""
    token = token_for(cast.patient)
    monkeypatch.setattr(views, "asks_for_passkey", lambda link: False)
    assert Client().post(question(token), RIGHT).status_code == 404
    monkeypatch.setattr(PasskeyOnlyQuerySet, "in_force", lambda rows: rows.none())
    client = Client()
    assert client.post(question(token), RIGHT).status_code == 302
    assert client.get(home(token)).status_code == 200


def test_the_passkey_opens_the_very_page_that_the_message_was_for(cast, shut, mailoutbox):
    Message.objects.filter(channel="sms").update(state="cancelled")
    send_link(by=cast.front_desk, patient=cast.patient, at=timezone.now())
    while send_next():
        pass
    letter = mailoutbox[-1].body
    assert "passkey" in letter
    assert "date of birth" not in letter
    token = re.search(r"/my/([^/]{40,})/", letter).group(1)
    form = reverse("my-history:panel", args=[token])
    client, answer = at_the_door(shut, token, wanted=form)
    assert answer.json() == {"to": form}
    assert get(client, form).status_code == 200
    assert Link.objects.latest("pk").opened_at is not None


def test_another_patients_passkey_opens_nothing(cast, shut):
    other = Device()
    cast.stranger.birth_date = cast.patient.birth_date
    cast.stranger.save()
    client, token = inside(cast.stranger)
    options = post(client, reverse("portal:passkey-begin", args=[token])).json()
    sent = {"name": "Theirs", "answer": other.make(options)}
    post(client, reverse("portal:passkeys", args=[token]), sent)
    mine = token_for(cast.patient)
    client, answer = at_the_door(other, mine)
    assert answer.status_code == 422
    assert get(client, home(mine)).status_code == 302


def test_who_is_inside_by_birth_date_is_outside_from_then_on(cast, device):
    client, token = inside(cast.patient)
    assert get(client, home(token)).status_code == 200
    choose_passkey_only(patient=cast.patient, at=timezone.now())
    assert get(client, home(token)).status_code == 302


def test_a_tablet_of_the_clinic_stays_open(cast, shut):
    at = timezone.now()
    pages = ("my-history:panel",)
    token = open_on_tablet(patient=cast.patient, pages=pages, at=at)
    client = Client()
    session = client.session
    link = Link.objects.latest("pk")
    session["patient_links"] = {f"{link.token_hash}-{cast.patient.pk}": int(at.timestamp())}
    session.save()
    assert get(client, reverse("my-history:panel", args=[token])).status_code == 200


def test_it_cannot_be_chosen_before_a_passkey_has_opened(cast):
    with pytest.raises(ActionRefused, match="once"):
        choose_passkey_only(patient=cast.patient, at=timezone.now())
    made(cast, Device())
    with pytest.raises(ActionRefused, match="once"):
        choose_passkey_only(patient=cast.patient, at=timezone.now())
    assert not is_only_way(cast.patient)


def test_only_who_came_in_by_passkey_chooses_it_on_the_page(cast, device):
    client, token = inside(cast.patient)
    page = reverse("my-messages:door", args=[token])
    client.post(page, {"what": "shut"})
    assert not PasskeyOnly.objects.exists()
    client, answer = at_the_door(device, token)
    assert answer.status_code == 200
    client.post(page, {"what": "shut"}, HTTP_HOST="localhost")
    assert is_only_way(cast.patient)
    shown = get(client, reverse("portal:passkeys", args=[token])).content.decode()
    assert "Let links open them again" in shown
    client.post(page, {"what": "open"}, HTTP_HOST="localhost")
    assert not is_only_way(cast.patient)
    assert inside(cast.patient)


def test_each_change_is_told_to_every_address(cast, device):
    choose_passkey_only(patient=cast.patient, at=timezone.now())
    choose_passkey_only(patient=cast.patient, at=timezone.now())
    told = Message.objects.filter(kind="passkey")
    assert sorted(told.values_list("channel", flat=True)) == ["email", "sms"]
    let_links_open(patient=cast.patient, at=timezone.now())
    let_links_open(patient=cast.patient, at=timezone.now())
    assert told.count() == 4


def test_the_last_passkey_is_not_taken_away_while_nothing_else_opens(cast, shut):
    row = Passkey.objects.get()
    made_never_used = Passkey.objects.create(
        patient=cast.patient, credential_id=b"x", credential=b"x", name="New"
    )
    with pytest.raises(ActionRefused):
        remove_passkey(patient=cast.patient, pk=row.pk, at=timezone.now())
    assert remove_passkey(patient=cast.patient, pk=made_never_used.pk, at=timezone.now())
    let_links_open(patient=cast.patient, at=timezone.now())
    assert remove_passkey(patient=cast.patient, pk=row.pk, at=timezone.now())


def test_a_lost_device_locks_nobody_out_for_ever(cast, shut, client_for):
    """The desk makes sure who asks; that it did is in the trail, and the patient is told."""
    desk, page = client_for(cast.front_desk), reverse("links:door", args=[cast.patient.number])
    desk.post(reverse("rights:passkeys-off", args=[cast.patient.number]))
    assert Passkey.objects.in_use().count() == 0
    token = token_for(cast.patient)
    assert Client().post(question(token), RIGHT).status_code == 403, "not by that alone"
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"remove_keys": "on"}).status_code == 422, "how do you know?"
    assert desk.post(page, {"identity": "papers", "remove_keys": "on"}).status_code == 302
    row = PasskeyOnly.objects.get()
    assert (row.ended_by, row.identity) == (cast.front_desk, "papers")
    assert AuditEntry.objects.filter(what="patients_passkeyonly", action="change").exists()
    assert Message.objects.filter(kind="passkey").count() == 4
    assert Client().post(question(token), RIGHT).status_code == 404, "links of before are closed"
    assert inside(cast.patient)


def test_the_desk_of_another_clinic_lets_nobody_in(cast, shut, client_for):
    page = reverse("links:door", args=[cast.patient.number])
    away = client_for(cast.front_desk2)
    assert away.post(page, {"identity": "papers"}).status_code == 404
    assert is_only_way(cast.patient)


def test_reset_twice_is_refused(cast, shut):
    reset_door(
        by=cast.front_desk,
        patient=cast.patient,
        identity="known",
        remove_keys=False,
        at=timezone.now(),
    )
    assert Passkey.objects.in_use().count() == 1
    with pytest.raises(ActionRefused, match="already"):
        reset_door(
            by=cast.front_desk,
            patient=cast.patient,
            identity="known",
            remove_keys=False,
            at=timezone.now(),
        )


def test_the_patients_page_at_the_desk_says_so(cast, shut, client_for):
    panel = client_for(cast.front_desk).get(reverse("messages:panel", args=[cast.patient.number]))
    assert reverse("links:door", args=[cast.patient.number]) in panel.content.decode()


def test_a_look_at_the_door_changes_nothing(cast, shut):
    token = token_for(cast.patient)
    before = AuditEntry.objects.count()
    for _time in range(2):
        assert get(Client(), question(token)).status_code == 200
        assert Client().head(question(token), HTTP_HOST="localhost").status_code == 200
    assert AuditEntry.objects.count() == before
    assert Link.objects.latest("pk").opened_at is None
