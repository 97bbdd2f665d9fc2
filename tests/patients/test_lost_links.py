"""A link asked for anew: sent to who is known, and never a word about whether anybody is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.messages.asking import MOST_PER_DAY, answer_next, ask_by_contact, read_contact
from patients.messages.kinds import ASKED_LINK
from patients.messages.models import Message
from patients.messages.sending import send_next
from patients.portal.actions import token_hash
from patients.portal.models import Link, LinkRequest
from tests.conftest import make_patient
from tests.patients.test_portal import RIGHT, WRONG, home, question, shape_of, token_for

pytestmark = pytest.mark.django_db
ASK = "/my/"


def answered() -> None:
    while answer_next(at=timezone.now()):
        pass


def asked_links():
    return Message.objects.filter(kind=ASKED_LINK)


def test_known_and_unknown_addresses_get_the_same_answer_and_the_same_work(cast):
    answers, works = set(), set()
    for contact in ("elodie@example.org", "ELODIE@example.org", "+33612345678", "no@example.org"):
        with CaptureQueriesContext(connection) as work:
            response = Client().post(ASK, {"contact": contact})
        works.add(len(work))
        answers.add((response.status_code, response["Location"], response.content))
    assert len(answers) == 1
    assert len(works) == 1
    assert LinkRequest.objects.count() == 4
    assert not asked_links().exists(), "nothing is looked up before the answer has gone"
    answered()
    assert not LinkRequest.objects.exists(), "whoever asked is forgotten"
    assert {m.patient_id for m in asked_links()} == {cast.patient.pk}
    assert asked_links().count() == 1, "three ways to say it within five minutes are one message"


def test_the_message_says_neither_who_nor_what_and_its_link_lasts_an_hour(cast, mailoutbox):
    ask_by_contact(contact="elodie@example.org", at=timezone.now())
    answered()
    assert send_next().state == Message.State.SENT
    [mail] = mailoutbox
    for secret in ("Élodie", "Martin", cast.patient.number, "1985", "meso", "treatment"):
        assert secret.lower() not in (mail.subject + mail.body).lower()
    token = re.search(r"/my/([^/]+)/", mail.body).group(1)
    client = Client()
    assert client.post(question(token), RIGHT).status_code == 302
    assert client.get(home(token)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert Client().get(home(token)).status_code == 404


def test_a_locked_link_is_replaced_with_one_press_and_the_patient_still_gets_in(cast, mailoutbox):
    token = token_for(cast.patient)
    for _try in range(5):
        Client().post(question(token), WRONG)
    page = Client().get(home(token))
    assert page.status_code == 404
    assert reverse("my-link:again", args=[token]) in page.content.decode()
    assert Client().post(reverse("my-link:again", args=[token])).status_code == 302
    answered()
    send_next()
    fresh = re.search(r"/my/([^/]+)/", mailoutbox[0].body).group(1)
    assert fresh != token
    client = Client()
    client.post(question(fresh), RIGHT)
    assert client.get(home(fresh)).status_code == 200
    assert Client().post(question(token), RIGHT).status_code == 404, "the old one stays closed"


def test_a_made_up_link_gets_the_same_page_and_answer(cast):
    locked = token_for(cast.patient)
    Link.objects.filter(token_hash=token_hash(locked)).update(wrong_answers=5)
    pages = {shape_of(Client().get(home(token)), token) for token in (locked, "never-was")}
    assert len(pages) == 1
    again = [
        Client().post(reverse("my-link:again", args=[token])) for token in (locked, "never-was")
    ]
    assert {(one.status_code, one["Location"]) for one in again} == {(302, "/my/sent/")}
    answered()
    assert asked_links().count() == 1


def test_looking_asks_for_nothing(cast):
    token = token_for(cast.patient)
    for url in (ASK, "/my/sent/", "/my/passkey/"):
        assert Client().get(url).status_code == 200
        assert Client().head(url).status_code == 200
    assert Client().get(reverse("my-link:again", args=[token])).status_code == 405
    assert not LinkRequest.objects.exists()


def test_nobody_floods_a_mailbox(cast):
    now = timezone.now()
    for minutes in range(0, 300, 5):
        ask_by_contact(contact="elodie@example.org", at=now)
        answer_next(at=now + timedelta(minutes=minutes))
    assert asked_links().count() == MOST_PER_DAY


def test_one_address_asks_for_a_few_only(cast):
    codes = [Client().post(ASK, {"contact": f"a{n}@example.org"}).status_code for n in range(14)]
    assert codes == [302] * 12 + [429] * 2
    token = token_for(cast.patient)
    assert Client().post(reverse("my-link:again", args=[token])).status_code == 429


def test_a_family_shares_an_address_but_a_crowd_does_not(cast):
    for number in range(3):
        make_patient(cast.here, f"Child{number}", email="Elodie@example.org")
    ask_by_contact(contact="elodie@example.org", at=timezone.now())
    answered()
    assert asked_links().count() == 4
    asked_links().delete()
    make_patient(cast.here, "One too many", email="elodie@example.org")
    ask_by_contact(contact="elodie@example.org", at=timezone.now())
    answered()
    assert not asked_links().exists()


def test_a_merged_file_is_not_written_to(cast):
    type(cast.patient).objects.filter(pk=cast.patient.pk).update(merged_into=cast.stranger)
    old = token_for(cast.patient)
    Link.objects.filter(token_hash=token_hash(old)).update(expires_at=timezone.now())
    ask_by_contact(contact="elodie@example.org", at=timezone.now())
    answered()
    assert not asked_links().exists()
    Client().post(reverse("my-link:again", args=[old]))
    answered()
    assert [m.patient_id for m in asked_links()] == [cast.stranger.pk]


@pytest.mark.parametrize("typed", ["", "   ", "a@b", "12", "éé@", "x" * 400, "+33 1", "<script>"])
def test_bad_input_is_told_beside_the_field(cast, typed):
    response = Client().post(ASK, {"contact": typed})
    assert response.status_code == 422
    text = response.content.decode()
    assert 'id="id_contact' in text
    assert "invalid-feedback" in text or "There is a problem" in text
    assert not LinkRequest.objects.exists()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" Elodie@Example.org ", "Elodie@Example.org"),
        ("06 12 34 56 78", "+33612345678"),
        ("+44 7911 123456", "+447911123456"),
        ("0612", ""),
        ("not an address", ""),
    ],
)
def test_an_address_is_read_as_people_write_it(typed, read):
    assert read_contact(typed) == read
