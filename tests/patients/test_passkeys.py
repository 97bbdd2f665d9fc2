"""A passkey in place of a link: made by the patient, bound to its host, of use to nobody else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AuditEntry
from patients.portal import passkeys
from patients.portal.actions import PASSKEY_LIFE
from patients.portal.models import Link, Passkey
from tests.patients.software_key import Device, Flag
from tests.patients.test_portal import inside

pytestmark = pytest.mark.django_db
USE, BEGIN = "/my/passkey/", "/my/passkey/begin/"


@pytest.fixture(autouse=True)
def at_localhost(settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
    settings.DEMO = True


def post(client, url, body=None):
    return client.post(url, json.dumps(body or {}), "application/json", HTTP_HOST="localhost")


def made(cast, device: Device, name: str = "My phone"):
    client, token = inside(cast.patient)
    options = post(client, reverse("portal:passkey-begin", args=[token])).json()
    sent = {"name": name, "answer": device.make(options)}
    return post(client, reverse("portal:passkeys", args=[token]), sent), options


def used(device: Device, client: Client | None = None):
    client = client or Client()
    answer = device.use(post(client, BEGIN).json())
    return post(client, USE, {"answer": answer}), answer


def test_a_passkey_opens_the_pages_without_link_or_birth_date(cast):
    device = Device()
    answer, _options = made(cast, device)
    assert answer.status_code == 200
    client = Client()
    opened, _answer = used(device, client)
    assert opened.status_code == 200
    page = client.get(opened.json()["to"])
    assert page.status_code == 200
    assert cast.patient.given_name in page.content.decode()
    assert Passkey.objects.get().last_used_at is not None


def test_what_the_device_keeps_says_nothing_of_whose_it_is(cast):
    _answer, options = made(cast, Device())
    told = json.dumps(options)
    for secret in (cast.patient.given_name, cast.patient.family_name, cast.patient.number, "1985"):
        assert secret not in told
    stored = json.dumps([e.after for e in AuditEntry.objects.filter(what="patients_passkey")])
    assert "credential" not in stored
    assert "My phone" in stored


def test_the_page_asks_for_any_passkey_and_names_none(cast):
    made(cast, Device())
    options = post(Client(), BEGIN).json()["publicKey"]
    assert not options.get("allowCredentials")
    assert options["userVerification"] == "required"


def broken(device: Device) -> list[Device]:
    return [
        Device(),
        replace(device, key=Device().key),
        replace(device, origin="https://evil.example"),
        replace(device, origin="http://localhost.evil.example"),
        replace(device, host="evil.example"),
        replace(device, flags=Flag.UP),
    ]


def test_another_key_host_origin_or_an_unverified_person_is_refused(cast):
    device = Device()
    made(cast, device)
    answers = set()
    for wrong in broken(device):
        opened, _answer = used(wrong)
        answers.add((opened.status_code, opened.content))
    assert len(answers) == 1
    assert {status for status, _body in answers} == {422}
    assert used(device)[0].status_code == 200, "the control: the right one still opens"


def test_an_answer_is_good_once_and_only_for_its_question(cast):
    device, client = Device(), Client()
    made(cast, device)
    first, answer = used(device, client)
    assert first.status_code == 200
    assert post(client, USE, {"answer": answer}).status_code == 422
    post(client, BEGIN)
    assert post(client, USE, {"answer": answer}).status_code == 422
    assert post(Client(), USE, {"answer": answer}).status_code == 422


def test_a_counter_that_goes_back_tells_of_a_copy(cast):
    device = Device()
    made(cast, device)
    used(device)
    used(device)
    assert used(replace(device, counter=1))[0].status_code == 422
    assert used(device)[0].status_code == 200


def test_a_device_that_does_not_count_is_welcome(cast):
    device = Device()
    made(cast, device)
    for _time in range(2):
        assert used(replace(device, counter=-1))[0].status_code == 200


@pytest.mark.parametrize("by", ["patient", "desk"])
def test_one_taken_away_opens_nothing(cast, client_for, by):
    device = Device()
    made(cast, device)
    row = Passkey.objects.get()
    if by == "patient":
        client, token = inside(cast.patient)
        client.post(reverse("portal:passkey-remove", args=[token, row.pk]))
    else:
        desk = client_for(cast.front_desk)
        desk.post(reverse("rights:passkeys-off", args=[cast.patient.number]))
    assert used(device)[0].status_code == 422


def test_nobody_takes_away_another_patients(cast):
    made(cast, Device())
    cast.stranger.birth_date = cast.patient.birth_date
    cast.stranger.save()
    client, token = inside(cast.stranger)
    client.post(reverse("portal:passkey-remove", args=[token, Passkey.objects.get().pk]))
    assert Passkey.objects.in_use().count() == 1


def test_the_device_wants_a_name_and_makes_one_passkey_only(cast):
    device = Device()
    refused, _options = made(cast, device, name="  ")
    assert (refused.status_code, refused.json()["field"]) == (422, "name")
    made(cast, device)
    again, options = made(cast, device)
    assert again.status_code == 422
    assert options["publicKey"]["excludeCredentials"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '{"answer": 5}',
        '{"answer": {}}',
        '{"answer": {"id": 5, "rawId": []}}',
        '{"answer": {"id": "eA", "rawId": "eA", "type": "public-key", "response": {}}}',
        '{"answer": {"id": "eA", "rawId": "eA", "type": "public-key", "response":'
        ' {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}}}',
        "{" * 3000,
    ],
)
def test_nonsense_is_refused_and_breaks_nothing(cast, body):
    client = Client()
    post(client, BEGIN)
    answer = client.post(USE, body, "application/json", HTTP_HOST="localhost")
    assert answer.status_code == 422
    inside_client, token = inside(cast.patient)
    post(inside_client, reverse("portal:passkey-begin", args=[token]))
    url = reverse("portal:passkeys", args=[token])
    assert inside_client.post(url, body, "application/json").status_code == 422


def test_after_a_merge_it_opens_the_file_that_counts(cast, settings):
    device = Device()
    made(cast, device)
    kept = cast.stranger
    type(kept).objects.filter(pk=cast.patient.pk).update(merged_into=kept)
    client = Client()
    opened, _answer = used(device, client)
    assert kept.given_name in client.get(opened.json()["to"]).content.decode()


def test_its_link_lasts_half_a_day_and_no_longer(cast):
    device = Device()
    made(cast, device)
    used(device)
    link = Link.objects.latest("pk")
    assert link.expires_at - timezone.now() <= PASSKEY_LIFE


def test_outside_the_demo_only_a_host_with_tls_counts(settings):
    settings.DEMO = False
    assert not passkeys._is_ours("http://localhost", "localhost")
    assert not passkeys._is_ours("http://clinic.example", "clinic.example")
    assert passkeys._is_ours("https://clinic.example", "clinic.example")


def test_an_address_of_numbers_makes_none(cast):
    assert not passkeys.can_be_used_at("127.0.0.1")
    assert passkeys.can_be_used_at("localhost")
    page = Client().get(USE, HTTP_HOST="127.0.0.1").content.decode()
    assert "do not work at this address" in page


def test_one_address_asks_and_answers_a_few_times_only(cast):
    codes = [post(Client(), BEGIN).status_code for _time in range(61)]
    assert codes == [200] * 60 + [429]
    assert post(Client(), USE, {"answer": {}}).status_code == 429
