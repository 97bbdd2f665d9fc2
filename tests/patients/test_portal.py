"""The patient's own pages: a link, a birth date, and nothing that tells a stranger anything."""

from __future__ import annotations

import re
import threading
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AuditEntry
from patients.documents.actions import render_next, request_document
from patients.documents.models import Document
from patients.portal.actions import open_link, prove, revoke_links, token_hash
from patients.portal.models import Link

pytestmark = pytest.mark.django_db
RIGHT = {"birth_date_0": "15", "birth_date_1": "3", "birth_date_2": "1985"}
WRONG = {**RIGHT, "birth_date_0": "16"}


def token_for(patient) -> str:
    return re.search(r"/my/([^/]+)/", open_link(patient)).group(1)


def home(token: str) -> str:
    return reverse("portal:home", args=[token])


def question(token: str) -> str:
    return reverse("portal:prove", args=[token])


def inside(patient) -> tuple[Client, str]:
    client, token = Client(), token_for(patient)
    assert client.post(question(token), RIGHT).status_code == 302
    return client, token


def test_only_the_hash_of_a_token_is_kept(cast):
    token = token_for(cast.patient)
    link = Link.objects.get()
    assert link.token_hash == token_hash(token)
    assert len(token) >= 43
    audited = AuditEntry.objects.filter(what__icontains="link")
    assert not any(token in str(entry.__dict__) for entry in audited)


def test_the_way_in(cast):
    client, token = Client(), token_for(cast.patient)
    first = client.get(home(token))
    assert first.status_code == 302
    assert first["Location"].startswith(question(token))
    asking = client.get(first["Location"])
    assert asking.status_code == 200
    let_in = client.post(first["Location"], RIGHT)
    assert let_in["Location"] == home(token)
    shown = client.get(home(token))
    assert shown.status_code == 200
    assert cast.patient.given_name in shown.content.decode()


def test_before_the_proof_nothing_is_told_and_nothing_changes(cast):
    client, token = Client(), token_for(cast.patient)
    before = Link.objects.values().get()
    text = client.get(question(token)).content.decode()
    for secret in (
        cast.patient.given_name,
        cast.patient.family_name,
        cast.patient.number,
        cast.here.name,
        "1985",
    ):
        assert secret not in text
    assert Link.objects.values().get() == before
    assert not AuditEntry.objects.filter(action="read").exists()


def test_a_scanner_that_opens_the_link_uses_nothing_up(cast):
    token = token_for(cast.patient)
    for _visit in range(20):
        Client().get(home(token), follow=True)
        Client().head(home(token))
    assert inside_with(token).get(home(token)).status_code == 200


def inside_with(token: str) -> Client:
    client = Client()
    client.post(question(token), RIGHT)
    return client


def test_five_wrong_answers_close_the_link(cast):
    token = token_for(cast.patient)
    for _answer in range(5):
        assert Client().post(question(token), WRONG).status_code == 422
    assert Client().post(question(token), RIGHT).status_code == 404
    assert Client().get(home(token)).status_code == 404


def test_a_closed_link_ends_a_proof_given_before(cast):
    client, token = inside(cast.patient)
    revoke_links(patient=cast.patient, at=timezone.now())
    assert client.get(home(token)).status_code == 404


def test_unknown_expired_closed_and_locked_links_look_the_same(cast):
    expired, closed, locked = (token_for(cast.patient) for _link in range(3))
    Link.objects.filter(token_hash=token_hash(expired)).update(expires_at=timezone.now())
    Link.objects.filter(token_hash=token_hash(closed)).update(revoked_at=timezone.now())
    Link.objects.filter(token_hash=token_hash(locked)).update(wrong_answers=5)
    answers = set()
    for token in (expired, closed, locked, "never-was", "é", "x" * 3000):
        for url in (home(token), question(token)):
            response = Client().get(url)
            answers.add((response.status_code, shape_of(response, token)))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


def shape_of(response, token: str) -> str:
    """The page without what differs by itself: the address in it and the form token."""
    text = re.sub(r'name="next" value="[^"]*"', "", response.content.decode())
    text = re.sub(r'action="/my/[^"]*/again/"', "", text)
    text = re.sub(r'csrfmiddlewaretoken" value="[^"]*"', "", text)
    return re.sub(r'X-CSRFToken": "[^"]*"', "", text)


def test_the_proof_is_for_one_link_one_browser_and_half_an_hour(cast):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client, token = inside(cast.patient)
        other = token_for(cast.patient)
        assert client.get(home(other)).status_code == 302
        assert Client().get(home(token)).status_code == 302
        clock.shift(29 * 60)
        assert client.get(home(token)).status_code == 200
        clock.shift(29 * 60)
        assert client.get(home(token)).status_code == 200
        clock.shift(31 * 60)
        assert client.get(home(token)).status_code == 302


def test_polling_does_not_keep_a_proof_awake(cast):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client, token = inside(cast.patient)
        clock.shift(20 * 60)
        client.get(home(token), headers={"X-Polling": "yes"})
        clock.shift(15 * 60)
        assert client.get(home(token)).status_code == 302


def test_a_form_may_leave_while_the_page_is_open_and_asking_is_no_reading(cast):
    client, token = inside(cast.patient)
    asked = reverse("portal:still-here", args=[token])
    before = AuditEntry.objects.count()
    answer = client.get(asked)
    assert (answer.status_code, len(answer.content)) == (200, 64)
    assert "no-store" in answer["Cache-Control"]
    assert Client().get(asked).status_code == 401
    assert client.get(reverse("portal:still-here", args=["x"])).status_code == 401
    assert AuditEntry.objects.count() == before


def test_the_session_key_changes_with_the_proof(cast):
    client, token = Client(), token_for(cast.patient)
    client.post(question(token), RIGHT)
    first = client.session.session_key
    second_token = token_for(cast.patient)
    client.post(question(second_token), RIGHT)
    assert client.session.session_key != first
    assert client.get(home(token)).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {},
        {**RIGHT, "birth_date_0": ""},
        {**RIGHT, "birth_date_0": "x"},
        {**RIGHT, "birth_date_1": "13"},
        {**RIGHT, "birth_date_2": "9999"},
        {**RIGHT, "birth_date_2": "9" * 400},
    ],
)
def test_bad_input_is_explained_and_costs_no_try(cast, given):
    token = token_for(cast.patient)
    response = Client().post(question(token), given)
    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()
    assert Link.objects.get().wrong_answers == 0


def test_one_address_may_not_try_for_ever(cast):
    tokens = [token_for(cast.patient) for _link in range(12)]
    statuses = [Client().post(question(t), WRONG).status_code for t in tokens for _try in range(4)]
    assert statuses.count(422) == 40
    assert statuses[-1] == 429


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/today/"])
def test_the_way_back_stays_under_the_link(cast, target):
    client, token = Client(), token_for(cast.patient)
    response = client.post(f"{question(token)}?next={target}", RIGHT)
    assert response["Location"] == home(token)
    response = client.post(f"{question(token)}?next={home(token)}../../today/", RIGHT)
    assert response["Location"] == home(token)


def test_pages_are_kept_by_no_cache_and_told_to_no_other_site(cast):
    client, token = inside(cast.patient)
    for response in (client.get(home(token)), Client().get(question(token))):
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"


def test_the_trail_names_the_patient(cast):
    client, token = inside(cast.patient)
    client.get(home(token))
    entry = AuditEntry.objects.filter(action="read").latest("pk")
    assert (entry.actor_kind, entry.who) == ("patient", "patient by link")
    assert entry.patients == [cast.patient.pk]


def test_the_language_is_the_patients_until_they_choose(cast):
    cast.patient.language = "fr"
    cast.patient.save()
    client, token = inside(cast.patient)
    assert 'lang="fr"' in client.get(home(token)).content.decode()[:400]
    client.cookies["language"] = "en"
    assert 'lang="en"' in client.get(home(token)).content.decode()[:400]


def test_a_fragment_without_proof_sends_the_whole_page_to_the_question(cast):
    token = token_for(cast.patient)
    response = Client().get(home(token), headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response["HX-Redirect"] == question(token)


def a_document(patient, kind):
    html = "<html lang='en'><head><title>T</title></head><body>x</body></html>"
    request_document(
        patient=patient, kind=kind, title=f"The {kind}", language="en", html=html, by="x"
    )
    return render_next()


def test_a_patient_fetches_their_own_papers_and_no_others(cast):
    mine = a_document(cast.patient, Document.Kind.CONSENT)
    clinical = a_document(cast.patient, Document.Kind.SESSION)
    strange = a_document(cast.stranger, Document.Kind.CONSENT)
    client, token = inside(cast.patient)
    page = client.get(home(token)).content.decode()
    assert "The consent" in page
    assert "The session" not in page

    def fetched(document):
        return client.get(reverse("portal:document", args=[token, document.public_id]))

    given = fetched(mine)
    assert given.status_code == 200
    assert given.content.startswith(b"%PDF-")
    assert "sandbox" in given["Content-Security-Policy"]
    assert fetched(clinical).status_code == 404
    assert fetched(strange).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_answers_given_at_once_are_each_counted(cast):
    token = token_for(cast.patient)
    ready = threading.Barrier(8)
    answers = []

    def guess() -> None:
        ready.wait()
        answers.append(prove(token=token, birth_date=date(1985, 3, 16), at=timezone.now()))
        connections.close_all()

    threads = [threading.Thread(target=guess) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(False) == 5
    assert answers.count(None) == 3
    assert Link.objects.get().wrong_answers == 5


def test_a_link_ends_after_a_week(cast):
    token = token_for(cast.patient)
    with time_machine.travel(timezone.now() + timedelta(days=6), tick=False):
        assert Client().get(home(token)).status_code == 302
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
        assert Client().get(home(token)).status_code == 404
