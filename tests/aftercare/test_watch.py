"""The watch: rows delivered when due, answers that reach a person, calls worked off once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, OperationalError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aftercare.sheets.models import Sheet
from aftercare.watch import actions as watch_actions
from aftercare.watch.actions import (
    answer_check_in,
    finish_call,
    follow_up_signed_sessions,
    next_working_day,
    open_due,
    plan_watch,
    take_call,
)
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.reported import red_in_check_ins
from aftercare.watch.schedule import STEPS
from aftercare.watch.tasks import open_check_ins
from clinic.access.models import Staff
from clinic.audit.context import SYSTEM, acting
from clinic.errors import ActionRefused
from patients.messages.models import Message
from tests.access.world import World, make_world
from tests.conftest import Cast
from treatments.plans.reports import reports_of
from treatments.sessions.models import Session

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


@pytest.fixture
def signed(world: World) -> Session:
    """A signed session that nobody has followed up yet."""
    plan = world.patient.plans.get()
    return Session.objects.create(
        patient=world.patient,
        location=world.place,
        plan=plan,
        consent=plan.consents.get(),
        practitioner=world.practitioner,
        number=9,
        history_version=1,
        started_at=AT,
        antiseptic="chlorhexidine",
        adverse_events="none",
        signed_at=AT,
        signed_by=world.practitioner,
    )


@pytest.fixture
def open_check_in(signed: Session) -> CheckIn:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(hours=30))
    return signed.check_ins.get(step="24h")


def test_a_signed_session_gets_its_sheet_and_its_watch_by_itself(signed: Session) -> None:
    assert follow_up_signed_sessions() == 1
    assert Sheet.objects.filter(session=signed).count() == 1
    assert set(signed.check_ins.values_list("step", flat=True)) == set(STEPS)
    assert follow_up_signed_sessions() == 0


def test_a_session_that_cannot_be_followed_up_holds_up_no_other(
    world: World, signed: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken one comes first, and its error is still raised for the log and the health page."""
    second = Session.objects.get(pk=signed.pk)
    second.pk, second.number, second.signed_at = None, 10, AT + timedelta(hours=1)
    second.save(force_insert=True)
    plan_watch(session=second)
    second.check_ins.exclude(step="4h").delete()
    second.check_ins.update(due_at=timezone.now() - timedelta(hours=1))
    third = Session.objects.get(pk=signed.pk)
    third.pk, third.number, third.signed_at = None, 11, AT + timedelta(hours=2)
    third.save(force_insert=True)
    broken = watch_actions.give_sheet

    def give_sheet(*, by: Staff | None, session: Session) -> Sheet:
        if session.pk == signed.pk:
            raise KeyError("broken")
        return broken(by=by, session=session)

    monkeypatch.setattr(watch_actions, "give_sheet", give_sheet)
    with acting(SYSTEM), pytest.raises(KeyError, match="broken"):
        open_check_ins()
    assert not signed.check_ins.exists()
    assert third.check_ins.count() == len(STEPS)
    assert second.check_ins.get().state == "open"


def test_a_question_that_cannot_be_sent_holds_up_no_other(
    signed: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_watch(session=signed)
    first = signed.check_ins.get(step="4h")
    queue = watch_actions.queue_message

    def queue_message(*, key: str, **values: Any) -> Message | None:
        if key == f"check-in-{first.pk}":
            raise KeyError("broken")
        return queue(key=key, **values)

    monkeypatch.setattr(watch_actions, "queue_message", queue_message)
    with pytest.raises(KeyError, match="broken"):
        open_due(at=AT + timedelta(hours=30))
    states = dict(signed.check_ins.values_list("step", "state"))
    assert (states["4h"], states["24h"]) == ("planned", "open")


def test_planning_twice_makes_no_second_row(signed: Session) -> None:
    plan_watch(session=signed)
    plan_watch(session=signed)
    assert signed.check_ins.count() == len(STEPS)


def test_a_late_signature_does_not_delay_the_watch(signed: Session) -> None:
    """Signed the next morning, counted from the treatment: never later than three hours after."""
    assert signed.treated_at == AT
    signed.signed_at = AT + timedelta(hours=20)
    plan_watch(session=signed)
    assert signed.check_ins.get(step="72h").due_at == AT + timedelta(hours=75)


def test_the_watch_waits_for_the_signature(world: World) -> None:
    draft = world.patient.sessions.get(number=1)
    with pytest.raises(ActionRefused):
        plan_watch(session=draft)


def test_a_question_is_sent_when_due_and_once(signed: Session) -> None:
    plan_watch(session=signed)
    assert open_due(at=AT + timedelta(hours=3)) == 0
    assert open_due(at=AT + timedelta(hours=5)) == 1
    assert open_due(at=AT + timedelta(hours=5)) == 0
    message = Message.objects.get(kind="check-in")
    assert message == signed.check_ins.get(step="4h").message
    assert "{link}" in message.body
    assert world_words_absent(message)


def test_without_an_e_mail_the_question_goes_by_sms(world: World, signed: Session) -> None:
    world.patient.email, world.patient.phone = "", "+33612345678"
    world.patient.save()
    plan_watch(session=signed)
    open_due(at=AT + timedelta(hours=5))
    message = Message.objects.get(kind="check-in")
    assert (message.channel, message.recipient) == ("sms", "+33612345678")


def test_a_question_that_could_not_be_sent_does_not_look_unanswered(
    cast: Cast, world: World, signed: Session, client_for: Callable[[Staff], Client]
) -> None:
    world.patient.email = world.patient.phone = ""
    world.patient.save()
    plan_watch(session=signed)
    open_due(at=AT + timedelta(hours=5))
    page = client_for(cast.practitioner).get(reverse("watch:panel", args=[world.patient.number]))
    assert "Could not be sent" in page.content.decode()


def world_words_absent(message: Message) -> bool:
    return message.patient.family_name not in message.subject + message.body


def test_a_red_answer_opens_a_call_at_once(open_check_in: CheckIn) -> None:
    answered = answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=AT)
    assert answered.colour == "red"
    call = Call.objects.get(check_in=answered)
    assert call.is_red
    assert call.due_at == AT


def test_a_red_answer_is_known_to_the_stop_rules_and_a_green_one_is_not(
    open_check_in: CheckIn,
) -> None:
    plan = open_check_in.session.plan
    before = red_in_check_ins(plan)
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, note="hot", at=AT)
    (report,) = [one for one in red_in_check_ins(plan) if one not in before]
    assert report in reports_of(plan)
    assert report.at == AT
    assert report.words.endswith(": hot")


def test_a_green_answer_opens_none_and_words_are_read(open_check_in: CheckIn) -> None:
    before = red_in_check_ins(open_check_in.session.plan)
    answer_check_in(check_in=open_check_in, signs=[], well=True, at=AT)
    assert red_in_check_ins(open_check_in.session.plan) == before
    assert not Call.objects.filter(check_in=open_check_in).exists()


def test_words_without_a_sign_are_read_by_a_person(open_check_in: CheckIn) -> None:
    answered = answer_check_in(check_in=open_check_in, signs=[], well=True, note="odd", at=AT)
    assert answered.colour == "amber"


@pytest.mark.parametrize(
    ("signs", "well"),
    [([], False), (["infection"], True), (["lump"], False), (["no-such-sign"], False)],
)
def test_an_unclear_answer_is_refused(open_check_in: CheckIn, signs: list[str], well: bool) -> None:
    with pytest.raises(ActionRefused):
        answer_check_in(check_in=open_check_in, signs=signs, well=well, at=AT)
    open_check_in.refresh_from_db()
    assert open_check_in.state == "open"


def test_an_answer_is_given_once_and_stays(open_check_in: CheckIn) -> None:
    answer_check_in(check_in=open_check_in, signs=[], well=True, at=AT)
    with pytest.raises(ActionRefused):
        answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=AT)
    with pytest.raises((InternalError, IntegrityError, OperationalError)), transaction.atomic():
        CheckIn.objects.filter(pk=open_check_in.pk).update(colour="red")


def test_amber_is_called_on_the_next_working_day(cast: Cast) -> None:
    friday = datetime(2026, 11, 27, 15, tzinfo=UTC)
    assert next_working_day(friday, cast.here).isoformat() == "2026-11-30T09:00:00+01:00"


def test_a_call_is_taken_by_one_person_and_closed_with_an_outcome(
    cast: Cast, open_check_in: CheckIn
) -> None:
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=AT)
    call = Call.objects.get(check_in=open_check_in)
    take_call(by=cast.practitioner, call=call)
    with pytest.raises(ActionRefused):
        take_call(by=cast.colleague, call=call)
    with pytest.raises(ActionRefused):
        finish_call(by=cast.practitioner, call=call, outcome="  ")
    finish_call(by=cast.practitioner, call=call, outcome="Seen today.")
    with pytest.raises(ActionRefused):
        finish_call(by=cast.practitioner, call=call, outcome="Again.")


def test_a_red_flag_is_on_today_and_on_the_call_list(
    cast: Cast, world: World, open_check_in: CheckIn, client_for: Callable[[Staff], Client]
) -> None:
    answer_check_in(
        check_in=open_check_in, signs=["infection"], well=False, note="It throbs", at=AT
    )
    client = client_for(cast.practitioner)
    for name in ("watch:today", "watch:safety"):
        page = client.get(reverse(name)).content.decode()
        assert world.patient.family_name.upper() in page
        assert "It throbs" in page
    call = Call.objects.get(check_in=open_check_in)
    client.post(reverse("watch:take", args=[call.pk]))
    bad = client.post(reverse("watch:call", args=[call.pk]), {"outcome": ""})
    assert bad.status_code == 422
    done = client.post(reverse("watch:call", args=[call.pk]), {"outcome": "Seen, antibiotics."})
    assert done.status_code == 302
    assert "It throbs" not in client.get(reverse("watch:today")).content.decode()


def test_silence_is_shown_as_silence(
    cast: Cast, world: World, signed: Session, client_for: Callable[[Staff], Client]
) -> None:
    CheckIn.objects.create(
        patient=world.patient,
        session=signed,
        step="7d",
        due_at=timezone.now() - timedelta(days=3),
        state="open",
    )
    page = client_for(cast.practitioner).get(reverse("watch:safety")).content.decode()
    assert page.count(world.patient.family_name.upper()) >= 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_call_list_costs_the_same_for_one_and_for_three(
    cast: Cast,
    rows: int,
    client_for: Callable[[Staff], Client],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for _row in range(rows):
        make_world(cast.here, cast.practitioner, cast.treatment)
    client = client_for(cast.practitioner)
    client.get(reverse("watch:safety"))
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        client.get(reverse("watch:safety"))


def patient_browser(world: World) -> Client:
    client = Client()
    born = world.patient.birth_date
    client.post(
        reverse("portal:prove", args=[world.token]),
        {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year},
    )
    return client


def test_the_patient_answers_on_the_phone(world: World, open_check_in: CheckIn) -> None:
    client = patient_browser(world)
    address = reverse("my-check-ins:check-in", args=[world.token, open_check_in.pk])
    assert client.get(address).status_code == 200
    nothing = client.post(address, {"signs": [], "note": "kept words"})
    assert nothing.status_code == 422
    assert "kept words" in nothing.content.decode()
    assert client.post(address, {"signs": ["no-such"]}).status_code == 422
    assert client.post(address, {"signs": [], "well": "on", "note": "x" * 1001}).status_code == 422
    assert client.post(address, {"signs": ["breathing"]}).status_code == 302
    page = client.get(address).content.decode()
    assert "112" in page
    assert world.place.phone in page


def test_opening_a_sheet_writes_nothing_until_the_patient_says_so(world: World) -> None:
    client = patient_browser(world)
    sheet = Sheet.objects.get(patient=world.patient)
    client.get(reverse("my-sheets:sheet", args=[world.token, sheet.pk]))
    sheet.refresh_from_db()
    assert sheet.first_read_at is None
    client.post(reverse("my-sheets:read", args=[world.token, sheet.pk]))
    sheet.refresh_from_db()
    assert sheet.first_read_at is not None
