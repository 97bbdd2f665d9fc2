"""A message is sent once, at its time, or someone is told."""

from __future__ import annotations

import re
import smtplib
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.delivery.outcome import NotHandedOver, Rejected, Unknown
from clinic.errors import ActionRefused
from patients.messages import sending
from patients.messages.actions import (
    cancel_messages,
    queue_message,
    resend_message,
    send_link,
    settle_message,
)
from patients.messages.models import Message
from patients.messages.sending import LEASE, MOST_ATTEMPTS, claim_next, give_up_lost, send_next
from patients.portal.actions import open_link
from patients.portal.models import Link

pytestmark = pytest.mark.django_db
S = Message.State


def queued(cast, key="k1", **more):
    values = {
        "patient": cast.patient,
        "kind": "reminder",
        "key": key,
        "subject": "Your clinic has something for you",
        "body": "Hello",
        "due_at": timezone.now(),
    }
    return queue_message(**{**values, **more})


def refused_by(error):
    def hand_over(message, body):
        raise error

    return hand_over


def test_one_key_is_one_row_and_one_letter(cast):
    assert queued(cast).pk == queued(cast).pk
    assert send_next().state == S.SENT
    assert send_next() is None
    (letter,) = mail.outbox
    assert letter.to == ["elodie@example.org"]
    assert letter.extra_headers["Message-ID"] == Message.objects.get().message_id
    assert letter.reply_to == ["clinic@example.org"]


def test_without_an_address_there_is_no_row(cast):
    cast.patient.email = ""
    assert queued(cast) is None
    assert not Message.objects.exists()


def test_nothing_is_sent_before_its_time(cast):
    queued(cast, due_at=timezone.now() + timedelta(hours=1))
    assert send_next() is None
    assert send_next(at=timezone.now() + timedelta(hours=2)).state == S.SENT


def test_a_link_is_made_at_the_moment_of_sending(cast):
    queued(cast, body="Open {link} please")
    assert not Link.objects.exists()
    send_next()
    link = Link.objects.get()
    (url,) = re.findall(r"http://\S+", mail.outbox[0].body)
    assert "/my/" in url
    assert link.token_hash not in url


def test_a_cancelled_message_is_not_sent(cast):
    queued(cast)
    assert cancel_messages(keys=["k1", "unknown"]) == 1
    assert send_next() is None
    assert not mail.outbox


def test_cancelling_between_claim_and_sending_holds_it_back(cast, monkeypatch):
    queued(cast)
    monkeypatch.setattr(sending, "_body", lambda message: str(cancel_messages(keys=["k1"])))
    send_next()
    assert Message.objects.get().state == S.CANCELLED
    assert not mail.outbox


def test_what_was_not_handed_over_is_tried_again_later_and_then_fails(cast, monkeypatch):
    message = queued(cast)
    monkeypatch.setattr(sending, "_hand_over", refused_by(NotHandedOver("away")))
    for attempt in range(1, MOST_ATTEMPTS):
        assert send_next(at=timezone.now()).state == S.PENDING
        message.refresh_from_db()
        assert message.attempts == attempt
        assert message.lease_until > timezone.now() + timedelta(seconds=50)
        assert send_next(at=timezone.now()) is None
        Message.objects.update(lease_until=timezone.now())
    assert send_next(at=timezone.now()).state == S.FAILED
    assert send_next(at=timezone.now() + timedelta(days=9)) is None


@pytest.mark.parametrize(
    ("error", "state"), [(Rejected("no"), S.FAILED), (Unknown("?"), S.UNCERTAIN)]
)
def test_final_answers_are_final(cast, monkeypatch, error, state):
    queued(cast)
    monkeypatch.setattr(sending, "_hand_over", refused_by(error))
    assert send_next().state == state
    assert send_next(at=timezone.now() + timedelta(days=1)) is None


def test_a_worker_lost_before_sending_costs_nothing(cast):
    queued(cast)
    now = timezone.now()
    assert claim_next(at=now).attempts == 1
    assert claim_next(at=now + LEASE - timedelta(seconds=1)) is None
    assert claim_next(at=now + LEASE).attempts == 2


def test_a_worker_lost_while_sending_leaves_the_message_uncertain(cast):
    queued(cast)
    now = timezone.now()
    assert sending._begin(claim_next(at=now))
    assert give_up_lost(at=now) == 0
    assert give_up_lost(at=now + LEASE) == 1
    message = Message.objects.get()
    assert message.state == S.UNCERTAIN
    assert message.error
    assert send_next(at=now + timedelta(days=1)) is None
    assert not mail.outbox


def test_a_slow_worker_that_does_finish_says_so(cast):
    queued(cast)
    now = timezone.now()
    slow = claim_next(at=now)
    sending._begin(slow)
    give_up_lost(at=now + LEASE)
    assert sending._note_sent(slow).state == S.SENT


def test_people_decide_about_what_went_wrong(cast, monkeypatch):
    message = queued(cast)
    with pytest.raises(ActionRefused):
        settle_message(by=cast.front_desk, message=message, at=timezone.now())
    monkeypatch.setattr(sending, "_hand_over", refused_by(Unknown("?")))
    send_next()
    monkeypatch.undo()
    again = resend_message(by=cast.front_desk, message=message, at=timezone.now())
    assert again.state == S.PENDING
    assert send_next().state == S.SENT
    with pytest.raises(ActionRefused):
        resend_message(by=cast.front_desk, message=message, at=timezone.now())


def test_a_settled_message_is_no_longer_trouble(cast, monkeypatch):
    message = queued(cast)
    monkeypatch.setattr(sending, "_hand_over", refused_by(Rejected("no")))
    send_next()
    assert list(Message.objects.all().troubled()) == [message]
    settle_message(by=cast.front_desk, message=message, at=timezone.now())
    assert not Message.objects.all().troubled().exists()


def test_the_link_message_is_queued_once_a_minute_in_the_patients_language(cast):
    cast.patient.language = "fr"
    at = timezone.now().replace(second=5)
    first = send_link(by=cast.front_desk, patient=cast.patient, at=at)
    assert send_link(by=cast.front_desk, patient=cast.patient, at=at).pk == first.pk
    later = send_link(by=cast.front_desk, patient=cast.patient, at=at + timedelta(minutes=1))
    assert later.pk != first.pk
    assert first.language == "fr"
    assert cast.patient.family_name not in first.subject + first.body
    assert "{link}" in first.body


def test_the_desk_sends_a_link_with_one_button(cast, client_for):
    url = reverse("links:send", args=[cast.patient.number])
    desk = client_for(cast.front_desk)
    assert desk.get(url).status_code == 405
    assert desk.post(url).status_code == 302
    assert Message.objects.get().kind == "link"
    other = reverse("links:send", args=[cast.stranger.number])
    assert desk.post(other).status_code == 404


def test_the_list_shows_ones_own_patients_messages_and_filters(cast, client_for, monkeypatch):
    queued(cast)
    queued(cast, key="k2", patient=cast.stranger)
    monkeypatch.setattr(sending, "_hand_over", refused_by(Rejected("mailbox full")))
    while send_next() is not None:
        pass
    desk = client_for(cast.front_desk)
    every = desk.get(reverse("messages:index")).content.decode()
    assert "elodie@example.org" in every
    assert "sian@example.org" not in every
    assert "mailbox full" in desk.get("/messages/?state=failed").content.decode()
    assert "elodie@example.org" not in desk.get("/messages/?state=uncertain").content.decode()
    for key in ("x", "-1", "9" * 40, "1"):
        assert desk.get(f"/messages/?before={key}").status_code == 200


def test_the_failures_slot_is_empty_when_all_is_well(cast, client_for, monkeypatch):
    url = reverse("messages:failures")
    desk = client_for(cast.front_desk)
    assert "MARTIN" not in desk.get(url).content.decode()
    queued(cast)
    monkeypatch.setattr(sending, "_hand_over", refused_by(Unknown("?")))
    send_next()
    assert "MARTIN" in desk.get(url).content.decode()
    message = Message.objects.get()
    settle = reverse("messages:settle", args=[message.pk])
    assert client_for(cast.front_desk2).post(settle).status_code == 404
    desk.post(settle, {"what": "settle"})
    assert "MARTIN" not in desk.get(url).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_often_for_one_as_for_three(
    cast, client_for, rows, django_assert_max_num_queries
):
    for number in range(rows):
        queued(cast, key=f"k{number}")
    client = client_for(cast.front_desk)
    with django_assert_max_num_queries(8):
        client.get(reverse("messages:index"))


def test_the_panel_of_a_patient(cast, client_for):
    queued(cast)
    url = reverse("messages:panel", args=[cast.patient.number])
    assert "Your clinic has something" in client_for(cast.front_desk).get(url).content.decode()
    assert client_for(cast.front_desk2).get(url).status_code == 404


def drain_together(workers: int) -> None:
    ready = threading.Barrier(workers)

    def work() -> None:
        ready.wait()
        while send_next() is not None:
            pass
        connections.close_all()

    threads = [threading.Thread(target=work) for _worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_four_workers_send_each_message_once(cast):
    for number in range(24):
        queued(cast, key=f"k{number}")
    drain_together(4)
    sent = [letter.extra_headers["Message-ID"] for letter in mail.outbox]
    assert len(sent) == len(set(sent)) == 24
    assert Message.objects.filter(state=S.SENT).count() == 24


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_the_same_harness_sees_duplicates(cast, monkeypatch):
    """The negative control: workers that only look, and do not claim, send the same message."""
    meet = threading.Barrier(4, timeout=60)

    def look(*, at):
        message = Message.objects.due(at).first()
        if message is not None:
            message.state = S.CLAIMED
        try:
            meet.wait()
        except threading.BrokenBarrierError:
            return None
        return message

    monkeypatch.setattr(sending, "claim_next", look)
    monkeypatch.setattr(sending, "_begin", lambda message: True)
    monkeypatch.setattr(sending, "_finish", finish_anyway)
    for number in range(4):
        queued(cast, key=f"k{number}")
    drain_together(4)
    sent = [letter.extra_headers["Message-ID"] for letter in mail.outbox]
    assert len(sent) > len(set(sent))


def finish_anyway(message, **values):
    Message.objects.filter(pk=message.pk).update(**values)
    return message


def test_the_transport_is_not_asked_inside_a_transaction(cast, monkeypatch):
    queued(cast)
    depth = []
    inside = len(connection.savepoint_ids)
    monkeypatch.setattr(
        sending, "_hand_over", lambda *args: depth.append(len(connection.savepoint_ids))
    )
    send_next()
    assert depth == [inside]


def test_smtplib_is_what_it_was():
    """`_text` counts on `data` raising only for the answer to DATA itself."""
    assert issubclass(smtplib.SMTPDataError, smtplib.SMTPResponseException)


def test_open_links_are_closed_from_the_patients_page(cast, client_for):
    address = open_link(cast.patient)
    client = client_for(cast.front_desk)
    panel = client.get(reverse("messages:panel", args=[cast.patient.number]))
    assert "Close them" in panel.content.decode()
    client.post(reverse("links:close", args=[cast.patient.number]))
    assert Client().get(address).status_code == 404
