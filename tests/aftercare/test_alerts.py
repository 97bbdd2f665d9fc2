"""A red flag is told to the people of the location: at once, once each, and no more once taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aftercare.watch import alerts, calls
from aftercare.watch.actions import answer_check_in, open_due, plan_watch
from aftercare.watch.alerts import escalate_due, tell_of
from aftercare.watch.calls import call_for_silence, give_back, note_attempt, take_call
from aftercare.watch.models import Alert, AlsoTold, Call, CheckIn
from aftercare.watch.ruling import save_rules
from aftercare.watch.tasks import open_check_ins
from clinic.access.models import Membership, Staff
from clinic.errors import ActionRefused
from clinic.places.models import WorkingHours
from patients.messages import sending
from patients.messages.models import Message
from patients.messages.sending import claim_next, send_next
from patients.portal.models import Link
from patients.rights.gathering import everything
from tests.aftercare.safety_world import Clinic, make_clinic
from tests.aftercare.watch_races import at_once, due_check_ins
from tests.at_once import Crowd
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""At eleven on the clock of the clinic, which is open."""
NIGHT = MONDAY + timedelta(hours=13)
"""At midnight: quiet hours, and nobody is on duty."""
RULES = {"red_minutes": 30, "silent_hours": 48, "least_patients": 10}


@pytest.fixture
def asked(cast: Cast) -> CheckIn:
    """Treated yesterday by the practitioner, asked this morning."""
    return ask(make_clinic(cast), "Zebulon")


def ask(clinic: Clinic, name: str) -> CheckIn:
    patient = clinic.patient(name, email=f"{name.lower()}@example.org")
    session = clinic.session(patient, at=MONDAY - timedelta(hours=26))
    plan_watch(session=session)
    open_due(at=MONDAY - timedelta(hours=1))
    return session.check_ins.get(step="24h")


def answer(check_in: CheckIn, at: datetime = MONDAY, sign: str = "infection") -> Call:
    answer_check_in(check_in=check_in, signs=[sign], well=False, at=at)
    return Call.objects.get(check_in=check_in)


def told(**how: Any) -> list[str]:
    """To whom alerts go, by name; twice where twice."""
    rows = Message.objects.filter(kind="alert", **how)
    return sorted(rows.values_list("staff__name", flat=True))


def test_who_treated_and_who_is_on_duty_are_told_at_once(cast: Cast, asked: CheckIn) -> None:
    WorkingHours.objects.create(
        staff=cast.colleague, location=cast.here, weekday=1, starts_at=time(8), ends_at=time(12)
    )
    call = answer(asked)
    assert told() == ["Ada Rossi"], "the colleague works on Tuesdays"
    assert (call.told_at, call.escalate_at) == (MONDAY, MONDAY + timedelta(minutes=15))
    message = Message.objects.get(kind="alert")
    assert (message.due_at, message.recipient) == (MONDAY, cast.practitioner.email)


def test_a_colleague_on_duty_is_told_too(cast: Cast, asked: CheckIn) -> None:
    answer(asked)
    assert told() == ["Ada Rossi", "Noor Haddad"]


def test_it_says_that_somebody_is_needed_and_not_who_for(
    cast: Cast, asked: CheckIn, settings: Any
) -> None:
    settings.SMS_URL = "json://localhost"
    Staff.objects.filter(pk=cast.practitioner.pk).update(phone="+33639980001")
    patient = answer(asked).patient
    escalate_due(at=MONDAY + timedelta(hours=1))
    rows = list(Message.objects.filter(kind="alert"))
    assert {row.channel for row in rows} == {"email", "sms"}
    for row in rows:
        words = f"{row.subject} {row.body}"
        for secret in (patient.given_name, patient.family_name, patient.number, "infection"):
            assert secret not in words
    first = next(row for row in rows if row.channel == "email")
    assert first.subject == "A check-in needs you"
    assert reverse("watch:safety") in first.body


@pytest.mark.parametrize(("phone", "gateway"), [("", "json://localhost"), ("+33639980001", "")])
def test_no_sms_without_a_phone_or_a_gateway(
    cast: Cast, asked: CheckIn, settings: Any, phone: str, gateway: str
) -> None:
    settings.SMS_URL = gateway
    Staff.objects.filter(pk=cast.practitioner.pk).update(phone=phone)
    answer(asked)
    assert not Message.objects.filter(kind="alert", channel="sms").exists()


def test_amber_and_green_alarm_nobody(cast: Cast, asked: CheckIn) -> None:
    answer_check_in(check_in=asked, signs=[], well=True, note="A bruise?", at=MONDAY)
    assert Call.objects.get().told_at is None
    assert escalate_due(at=MONDAY + timedelta(days=2)) == 0
    assert told() == []


def test_at_night_it_leaves_at_once_also_when_the_worker_was_late(
    cast: Cast, asked: CheckIn
) -> None:
    answer(asked, at=NIGHT)
    assert told() == ["Ada Rossi"], "nobody is on duty"
    with time_machine.travel(NIGHT, tick=False):
        claimed = claim_next(at=NIGHT)
    assert claimed is not None
    assert (claimed.kind, claimed.state) == ("alert", "claimed")
    # Due in the evening, taken up in the night: a question to a patient would wait for the morning.
    Message.objects.filter(kind="alert").update(
        due_at=NIGHT - timedelta(hours=5), state="pending", lease_until=None
    )
    claimed = claim_next(at=NIGHT)
    assert claimed is not None
    assert claimed.state == "claimed"


def test_it_overtakes_whatever_else_is_due(cast: Cast, asked: CheckIn) -> None:
    answer(asked)
    claimed = claim_next(at=MONDAY + timedelta(minutes=1))
    assert claimed is not None
    assert claimed.kind == "alert"


def test_where_nobody_is_to_be_told_everybody_is_at_once(cast: Cast, asked: CheckIn) -> None:
    Staff.objects.filter(pk=cast.practitioner.pk).update(is_active=False)
    call = answer(asked, at=NIGHT)
    assert told() == ["Fleur Petit", "Max Moreau", "Noor Haddad"]
    assert call.everyone_told_at == NIGHT


def test_further_people_are_told_on_duty_or_not(cast: Cast, asked: CheckIn) -> None:
    save_rules(by=cast.manager, location=cast.here, also_told=[cast.manager], **RULES)
    answer(asked, at=NIGHT)
    assert told() == ["Ada Rossi", "Max Moreau"]


def test_once_taken_nothing_more_leaves(cast: Cast, asked: CheckIn) -> None:
    call = answer(asked)
    take_call(by=cast.colleague, call=call)
    assert told(state="cancelled") == ["Ada Rossi", "Noor Haddad"]
    assert escalate_due(at=MONDAY + timedelta(hours=3)) == 0
    assert told(state="pending") == []


def test_when_nobody_takes_it_everybody_is_told_once(cast: Cast, asked: CheckIn) -> None:
    call = answer(asked)
    assert escalate_due(at=MONDAY + timedelta(minutes=14)) == 0
    at = MONDAY + timedelta(minutes=15)
    assert [escalate_due(at=at), escalate_due(at=at)] == [1, 0]
    rows = Message.objects.filter(alert__to_everyone=True)
    names = sorted(rows.values_list("staff__name", flat=True))
    assert names == ["Ada Rossi", "Fleur Petit", "Max Moreau", "Noor Haddad"]
    desk = rows.get(staff=cast.front_desk)
    assert reverse("watch:safety") not in desk.body, "the desk may not open it"
    assert "find" in desk.body
    call.refresh_from_db()
    assert call.everyone_told_at == at


def test_given_back_it_is_nobodys_again(cast: Cast, asked: CheckIn) -> None:
    call = answer(asked)
    take_call(by=cast.colleague, call=call)
    give_back(by=cast.colleague, call=call)
    assert escalate_due(at=MONDAY + timedelta(minutes=20)) == 1


def test_after_a_try_everybody_hears_only_when_it_is_left_again(cast: Cast, asked: CheckIn) -> None:
    call = answer(asked)
    note_attempt(by=cast.colleague, call=call, result="no-answer", at=MONDAY)
    assert escalate_due(at=MONDAY + timedelta(minutes=40)) == 0
    assert escalate_due(at=MONDAY + timedelta(minutes=45)) == 1


def test_nobody_is_told_twice(cast: Cast, asked: CheckIn) -> None:
    call = answer(asked)
    tell_of(call, MONDAY + timedelta(minutes=1))
    Call.objects.update(told_at=None)
    call.refresh_from_db()
    tell_of(call, MONDAY + timedelta(minutes=2))
    assert told() == ["Ada Rossi", "Noor Haddad"]
    assert Alert.objects.count() == 2


def test_who_has_the_call_for_silence_hears_that_it_is_red(cast: Cast, asked: CheckIn) -> None:
    call = call_for_silence(by=cast.colleague, check_in=asked, at=MONDAY)
    take_call(by=cast.colleague, call=call, at=MONDAY)
    answer(asked, at=MONDAY)
    assert told() == ["Noor Haddad"]


def test_the_task_tells_everybody(cast: Cast, asked: CheckIn) -> None:
    call = answer(asked)
    with time_machine.travel(MONDAY + timedelta(minutes=20), tick=False):
        open_check_ins()
    call.refresh_from_db()
    assert call.everyone_told_at is not None


def test_no_words_make_it_a_way_into_the_patients_pages(cast: Cast, asked: CheckIn) -> None:
    cast.here.name = "Rive {link} {code}"
    cast.here.save()
    asked.refresh_from_db()
    answer(asked)
    with time_machine.travel(MONDAY, tick=False):
        sent = send_next(at=MONDAY)
    assert sent is not None
    assert (sent.kind, sent.state) == ("alert", "sent")
    assert "/my/" not in mail.outbox[-1].body
    assert not Link.objects.exists()


def test_it_is_nothing_that_the_patient_was_sent(cast: Cast, asked: CheckIn) -> None:
    """Neither on their page nor, with the address of who works here, in their copy."""
    patient = answer(asked).patient
    mine = Message.objects.of_person(patient)
    assert mine.filter(kind="alert").exists()
    assert not mine.to_patients().filter(kind="alert").exists()
    tables = everything([patient.pk])["tables"]
    rows = [row for row in tables["patients_message"]["rows"] if row["kind"] == "alert"]
    assert rows
    assert not any("recipient" in row for row in rows)
    assert cast.practitioner.email not in str(rows)


def test_one_that_failed_is_sent_again_to_who_works_here(
    cast: Cast, asked: CheckIn, client_for: Callable[[Staff], Client]
) -> None:
    answer(asked)
    message = Message.objects.filter(kind="alert", staff=cast.practitioner).get()
    Message.objects.filter(pk=message.pk).update(state="failed", error="refused")
    Staff.objects.filter(pk=cast.practitioner.pk).update(email="new@example.org")
    desk = client_for(cast.front_desk)
    desk.post(reverse("messages:settle", args=[message.pk]), {"what": "resend"})
    message.refresh_from_db()
    assert (message.state, message.recipient) == ("pending", "new@example.org")


# -- on open pages -----------------------------------------------------------------------------


def alarm(client: Client, seen: str = "", page: str = "/patients/") -> Any:
    return client.get(
        reverse("watch:alarm") + (f"?seen={seen}" if seen else ""),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"},
    )


def test_every_open_page_says_so_until_it_is_taken(
    cast: Cast, asked: CheckIn, client_for: Callable[[Staff], Client]
) -> None:
    client = client_for(cast.colleague)
    assert "role=" not in alarm(client).content.decode()
    call = answer(asked)
    text = alarm(client).content.decode()
    assert "A check-in needs you at Rive Gauche" in text
    assert reverse("watch:call", args=[call.pk]) in text
    assert call.patient.family_name not in text
    seen = text.partition("?seen=")[2].partition('"')[0]
    assert alarm(client, seen).status_code == 204
    assert "role=" not in alarm(client, page="/today/").content.decode(), "it is on the list there"
    take_call(by=cast.practitioner, call=call)
    assert "role=" not in alarm(client, seen).content.decode()


def test_it_is_heard_at_ones_own_locations_alone(
    cast: Cast, asked: CheckIn, client_for: Callable[[Staff], Client]
) -> None:
    answer(asked)
    away = client_for(cast.practitioner2)
    assert "role=" not in alarm(away).content.decode()
    Membership.objects.create(staff=cast.practitioner2, location=cast.here)
    away = client_for(cast.practitioner2)
    session = away.session
    session["location"] = cast.there.pk
    session.save()
    assert "role=" not in alarm(away, page="/today/").content.decode(), "the list there has all"
    assert "Rive Gauche" in alarm(away).content.decode()


def test_an_open_call_list_is_told_of_what_came_after_it(
    cast: Cast, client_for: Callable[[Staff], Client]
) -> None:
    """It is drawn once, and may stand open all day."""
    client, clinic = client_for(cast.colleague), make_clinic(cast)
    first = answer(ask(clinic, "Zebulon"))
    page = client.get(reverse("watch:safety")).content.decode()
    assert first.patient.number in page
    element = page[page.index("data-alarm") :].partition(">")[0]
    assert "every 60s" in element
    seen = element.partition("?seen=")[2].partition('"')[0]
    there = reverse("watch:safety")
    assert alarm(client, seen, page=there).status_code == 204, "it is on the list"
    answer(ask(clinic, "Abigail"))
    assert "2 check-ins need you" in alarm(client, seen, page=there).content.decode()
    narrowed = client.get(there, {"place": cast.here.pk}).content.decode()
    assert "?seen=" not in narrowed[narrowed.index("data-alarm") :].partition(">")[0]


def test_asking_keeps_no_idle_login_alive(
    cast: Cast, client_for: Callable[[Staff], Client], settings: Any
) -> None:
    client = client_for(cast.practitioner)
    page = client.get("/today/").content.decode()
    slot = page[page.index("data-alarm") :][:300]
    assert "X-Polling" in slot
    assert reverse("watch:alarm") in slot
    start = timezone.now()
    for minutes in range(5, 5 * (settings.IDLE_MINUTES // 5 + 2), 5):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            headers = {"HX-Request": "true", "X-Polling": "yes"}
            status = client.get(reverse("watch:alarm"), headers=headers).status_code
    assert status == 401


def test_the_desk_is_not_asked_to_ask(cast: Cast, client_for: Callable[[Staff], Client]) -> None:
    assert "data-alarm" not in client_for(cast.front_desk).get("/today/").content.decode()


# -- the rules ---------------------------------------------------------------------------------


def test_the_manager_says_who_else_and_how_soon(
    cast: Cast, asked: CheckIn, client_for: Callable[[Staff], Client]
) -> None:
    manager, address = client_for(cast.manager), reverse("watch-settings:index")
    sent = {**RULES, "escalate_minutes": 5, "also_told": [cast.front_desk.pk]}
    assert manager.post(address, sent).status_code == 302
    assert AlsoTold.objects.get().staff == cast.front_desk
    assert manager.post(address, {**sent, "escalate_minutes": 1}).status_code == 422
    assert manager.post(address, {**sent, "also_told": [cast.practitioner2.pk]}).status_code == 422
    assert client_for(cast.practitioner).post(address, sent).status_code == 403
    with pytest.raises(ActionRefused):
        save_rules(by=cast.manager, location=cast.here, also_told=[cast.practitioner2], **RULES)
    cast.here.refresh_from_db()
    answer(asked)
    assert escalate_due(at=MONDAY + timedelta(minutes=5)) == 1
    assert manager.post(address, {**sent, "also_told": []}).status_code == 302
    assert not AlsoTold.objects.exists()


# -- many hands --------------------------------------------------------------------------------


def race_of_taking_and_sending(cast: Cast, rounds: int, crowd: Crowd | None = None) -> int:
    """Take a call at the very moment in which a worker sends word of it; how often word left that
    had not begun to leave when the call was taken.
    """
    stale = 0
    for session in due_check_ins(cast, rounds):
        check_in = session.check_ins.get()
        CheckIn.objects.filter(pk=check_in.pk).update(state="open")
        check_in.refresh_from_db()
        call = answer(check_in, at=timezone.now())
        begun: list[int] = []

        def take(call: Call = call, begun: list[int] = begun) -> None:
            take_call(by=cast.colleague, call=call)
            sent = Message.objects.filter(alert__call=call, sending_since__isnull=False)
            begun.append(sent.count())

        at_once(send_next, take, crowd=crowd)
        while send_next():
            pass
        left = Message.objects.filter(alert__call=call, state="sent").count()
        stale += left > begun[0]
    return stale


@pytest.mark.django_db(transaction=True)
def test_of_six_races_of_taking_and_sending_nothing_stale_is_sent(cast: Cast) -> None:
    assert race_of_taking_and_sending(cast, 6) == 0


@pytest.mark.django_db(transaction=True)
def test_without_holding_back_the_same_harness_sees_stale_word(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: taking a call leaves the messages alone."""
    body, crowd = sending._body, Crowd()
    monkeypatch.setattr(calls, "tell_no_more", lambda call: None)
    monkeypatch.setattr(sending, "_body", lambda message: (crowd.stand(), body(message))[1])
    assert race_of_taking_and_sending(cast, 2, crowd)


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_tell_everybody_once(cast: Cast) -> None:
    [session] = due_check_ins(cast, 1)
    CheckIn.objects.update(state="open")
    answer(session.check_ins.get(), at=timezone.now())
    later = timezone.now() + timedelta(hours=1)
    at_once(*[lambda: alerts.escalate_due(at=later)] * 3)
    assert Message.objects.filter(alert__to_everyone=True).count() == 4
