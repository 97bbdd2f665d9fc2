"""Pages about messages: a location's texts, a patient's choices, a gateway's reports."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.checks import require_production_settings
from patients.messages import sending
from patients.messages.actions import queue_message
from patients.messages.models import Message, MessageRules, MessageText
from patients.messages.rules import refused_by, save_refusals
from patients.messages.sending import send_next
from patients.portal.actions import open_link

pytestmark = pytest.mark.django_db
SECRET = "gateway-secret-of-more-than-32-letters"
WORDS = reverse("message-settings:words", args=["reminder", "en"])


@pytest.fixture
def gateway(settings):
    settings.SMS_REPORT_SECRET = SECRET
    return Client()


def text(cast, **more) -> Message:
    values = {
        "patient": cast.patient,
        "kind": "reminder",
        "key": "k",
        "subject": "",
        "body": "Hello",
        "due_at": timezone.now(),
        "channel": "sms",
    }
    return queue_message(**values | more)


def sent_text(cast, monkeypatch, error: Exception | None = None) -> Message:
    def hand_over(message, body):
        if error:
            raise error

    text(cast)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "_hand_over", hand_over)
        return send_next()


# ---- reports of a gateway ----------------------------------------------------------------------


def report(gateway, secret=SECRET, **fields):
    return gateway.post(f"/gateway/sms/{secret}/", fields)


def test_a_delivery_is_noted_once(cast, gateway, monkeypatch) -> None:
    message = sent_text(cast, monkeypatch)
    fields = {"ref": message.reference, "status": "DELIVERED", "id": "SM1"}
    assert report(gateway, **fields).status_code == 204
    message.refresh_from_db()
    first = message.delivered_at
    assert (message.state, message.provider_ref) == ("sent", "SM1")
    assert first is not None
    report(gateway, **fields)
    report(gateway, **fields | {"status": "failed"})  # late, and wrong
    message.refresh_from_db()
    assert (message.state, message.delivered_at) == ("sent", first)


def test_what_did_not_arrive_is_shown_to_the_desk(cast, gateway, monkeypatch, client_for) -> None:
    message = sent_text(cast, monkeypatch)
    body = json.dumps({"client_ref": message.reference, "MessageStatus": "undelivered"})
    answer = gateway.post(f"/gateway/sms/{SECRET}/", body, content_type="application/json")
    assert answer.status_code == 204
    assert list(Message.objects.all().troubled()) == [message]
    shown = client_for(cast.front_desk).get(reverse("messages:failures")).content.decode()
    assert "not delivered" in shown
    assert "Send again" in shown
    report(gateway, ref=message.reference, status="delivered")
    assert not Message.objects.all().troubled().exists()


def test_a_report_settles_what_nobody_knew(cast, gateway, monkeypatch) -> None:
    message = sent_text(cast, monkeypatch, sending.DeliveryError("?"))
    assert message.state == "uncertain"
    report(gateway, ref=message.reference, status="delivered")
    message.refresh_from_db()
    assert message.state == "sent"


def test_other_reports_change_nothing(cast, gateway, monkeypatch) -> None:
    waiting = text(cast)
    email = text(cast, key="e", channel="email")
    for fields in (
        {"ref": waiting.reference, "status": "delivered"},
        {"ref": email.reference, "status": "delivered"},
        {"ref": "message-99999999", "status": "delivered"},
        {"ref": "message-١", "status": "delivered"},
        {"status": "delivered"},
        {},
    ):
        assert report(gateway, **fields).status_code == 204
    assert not Message.objects.filter(delivered_at__isnull=False).exists()
    for body in ("[1]", "{", '{"ref": [1]}'):
        gateway.post(f"/gateway/sms/{SECRET}/", body, content_type="application/json")


def test_the_address_is_known_by_its_secret_alone(cast, gateway, settings) -> None:
    assert gateway.get(f"/gateway/sms/{SECRET}/").status_code == 405
    assert report(gateway, secret=f"{SECRET}x").status_code == 404
    assert report(gateway, secret="é").status_code == 404
    settings.SMS_REPORT_SECRET = ""
    assert report(gateway, secret=SECRET).status_code == 404


def test_who_guesses_is_not_heard_for_a_while(cast, gateway) -> None:
    answers = [report(gateway, secret=f"guess{n}").status_code for n in range(21)]
    assert answers == [404] * 20 + [429]
    assert report(gateway).status_code == 429


def test_a_short_secret_stops_the_start() -> None:
    given = {
        "demo": False,
        "debug": False,
        "secret_key": "abcdefgh" * 8,
        "allowed_hosts": ["clinic.example"],
        "base_url": "https://clinic.example",
        "database_url": "postgresql://a@b/c",
        "redis_url": "redis://a",
        "email_url": "smtp://a",
        "media_key_file": django_settings.MEDIA_KEY_FILE,
        "signing_p12_file": django_settings.SIGNING_P12_FILE,
        "default_from_email": "a@example.org",
    }
    require_production_settings(**given, sms_report_secret=SECRET)
    with pytest.raises(Exception, match="SMS_REPORT_SECRET"):
        require_production_settings(**given, sms_report_secret="short")


# ---- the settings ------------------------------------------------------------------------------


def test_a_manager_writes_a_text_and_goes_back(cast, client_for) -> None:
    manager = client_for(cast.manager)
    page = manager.get(WORDS).content.decode()
    assert "we are expecting you at {clinic}" in page
    assert "we are expecting you at Rive Gauche" in page  # the preview
    own = {"subject": "Soon", "body": "See you {when}", "sms": "{when}", "what": "save"}
    assert manager.post(WORDS, own).status_code == 302
    page = manager.get(WORDS).content.decode()
    assert "See you {when}" in page
    assert "version 1, by Max Moreau" in page
    assert "Your own text" in manager.get(reverse("message-settings:index")).content.decode()
    assert manager.post(WORDS, {"what": "shipped"}).status_code == 302
    assert "we are expecting you at {clinic}" in manager.get(WORDS).content.decode()
    assert MessageText.objects.count() == 2


def test_a_bad_text_comes_back_named_and_unsaved(cast, client_for) -> None:
    manager = client_for(cast.manager)
    bad = {"subject": "x", "body": "{{7*7}} {when}", "sms": "{when}", "what": "save"}
    answer = manager.post(WORDS, bad)
    assert answer.status_code == 422
    assert "{{7*7}}" in answer.content.decode()
    assert not MessageText.objects.exists()


def test_the_preview_keeps_nothing_and_comes_alone_to_htmx(cast, client_for) -> None:
    manager = client_for(cast.manager)
    typed = {"subject": "x", "body": "<b>{when}</b> {nobody}", "sms": "{when}", "what": "show"}
    part = manager.post(WORDS, typed, headers={"hx-request": "true"}).content.decode()
    assert part.lstrip().startswith("<section")
    assert "&lt;b&gt;" in part
    assert "{nobody}" in part
    assert "<html" in manager.post(WORDS, typed).content.decode()
    assert not MessageText.objects.exists()


def test_rules_are_saved_and_checked(cast, client_for) -> None:
    manager, url = client_for(cast.manager), reverse("message-settings:index")
    given = {
        "quiet_from": "20:00",
        "quiet_until": "09:00",
        "first_reminder_hours": "24",
        "second_reminder_hours": "",
        "recall_months": "6",
    }
    assert manager.post(url, given).status_code == 302
    rules = MessageRules.objects.get()
    assert (rules.location, rules.leads, rules.recall_months) == (cast.here, [24], 6)
    wrong = manager.post(url, given | {"second_reminder_hours": "30"})
    assert wrong.status_code == 422
    assert "second reminder comes after the first" in wrong.content.decode()


def test_only_a_manager_may(cast, client_for) -> None:
    for person in (cast.front_desk, cast.practitioner):
        assert client_for(person).get(WORDS).status_code == 403
        assert client_for(person).post(WORDS, {"what": "shipped"}).status_code == 403
    manager = client_for(cast.manager)
    assert manager.get("/settings/messages/nothing/en/").status_code == 404
    assert manager.get("/settings/messages/reminder/xx/").status_code == 404


# ---- what a patient does not want --------------------------------------------------------------


def test_the_desk_notes_what_a_patient_does_not_want(cast, client_for) -> None:
    desk = client_for(cast.front_desk)
    url = reverse("messages:choices", args=[cast.patient.number])
    assert desk.post(url, {"kinds": ["reminder", "recall"]}).status_code == 302
    assert refused_by(cast.patient) == {"reminder", "recall"}
    panel = desk.get(reverse("messages:panel", args=[cast.patient.number])).content.decode()
    assert "Reminders of appointments" in panel
    desk.post(url, {"kinds": ["all"]})
    panel = desk.get(reverse("messages:panel", args=[cast.patient.number])).content.decode()
    assert "call instead" in panel
    assert desk.post(url, {"kinds": ["everything"]}).status_code == 422
    assert client_for(cast.front_desk2).get(url).status_code == 404


def test_a_patient_chooses_on_their_own_page(cast) -> None:
    address = open_link(cast.patient).removeprefix(django_settings.BASE_URL)
    token = re.match(r"/my/([^/]+)/", address)[1]
    born: date = cast.patient.birth_date
    phone = Client()
    phone.post(
        reverse("portal:prove", args=[token]),
        {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year},
    )
    url = reverse("my-messages:choices", args=[token])
    assert "checked" not in phone.get(url).content.decode()
    assert not refused_by(cast.patient)  # looking changes nothing
    assert phone.post(url, {"kinds": ["recall"]}).status_code == 302
    assert refused_by(cast.patient) == {"recall"}
    panel = phone.get(reverse("my-messages:panel", args=[token])).content.decode()
    assert "Invitations to come again" in panel
    assert Client().post(url, {"kinds": []}).status_code == 302  # to prove who it is
    assert refused_by(cast.patient) == {"recall"}


# ---- history -----------------------------------------------------------------------------------


def test_the_panel_says_what_became_of_each(cast, client_for, gateway, monkeypatch) -> None:
    delivered = sent_text(cast, monkeypatch)
    report(gateway, ref=delivered.reference, status="delivered")
    text(cast, key="held", kind="confirmation")
    Message.objects.filter(key="held").update(state="cancelled")
    url = reverse("messages:panel", args=[cast.patient.number])
    panel = client_for(cast.front_desk).get(url).content.decode()
    for words in ("Reminder", "Delivered", "Confirmation", "Held back", "Cancelled"):
        assert words in panel


@pytest.mark.parametrize("rows", [1, 3])
def test_the_panel_asks_as_often_for_one_as_for_three(
    cast, client_for, rows, django_assert_max_num_queries
) -> None:
    for number in range(rows):
        text(cast, key=f"k{number}")
    save_refusals(by=cast.patient, patient=cast.patient, kinds=["recall"])
    desk = client_for(cast.front_desk)
    with django_assert_max_num_queries(12):
        desk.get(reverse("messages:panel", args=[cast.patient.number]))


def test_a_calendar_file_goes_with_an_e_mail(cast) -> None:
    text(cast, channel="email", subject="S", calendar="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    send_next()
    (part,) = mail.outbox[0].attachments
    assert part.get_content_type() == "text/calendar"
    assert part.get_param("method") == "PUBLISH"
    assert part.get_filename() == "appointment.ics"
    assert part.get_payload(decode=True).startswith(b"BEGIN:VCALENDAR\r\n")
