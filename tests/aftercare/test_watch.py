"""The watch: rows delivered when due, answers that reach a person, calls worked off once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import chain
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, InternalError, OperationalError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from aftercare.sheets.models import Sheet
from aftercare.watch import actions as watch_actions
from aftercare.watch import call_views
from aftercare.watch.actions import (
    answer_check_in,
    follow_up_signed_sessions,
    open_due,
    plan_watch,
    resume_watch,
    stop_watch,
)
from aftercare.watch.calls import (
    call_for_silence,
    finish_call,
    give_back,
    note_attempt,
    take_call,
)
from aftercare.watch.deadlines import is_open, next_working_day
from aftercare.watch.models import Call, CheckIn, WatchRules
from aftercare.watch.reported import red_in_check_ins
from aftercare.watch.tasks import open_check_ins
from clinic.access.models import Membership, Staff
from clinic.audit.context import SYSTEM, acting
from clinic.errors import ActionRefused
from clinic.places.models import LocationDay
from patients.messages.models import Message
from patients.messages.rules import save_refusals
from patients.photos.allowing import is_allowed
from patients.registry.models import Patient, Registration
from tests.access.world import World, make_world
from tests.conftest import Cast
from treatments.catalogue.actions import add_row, edit_row, take_out_of_use
from treatments.catalogue.models import CheckInSign, CheckInTime, Technique
from treatments.plans.reports import reports_of
from treatments.sessions.models import Session

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
STEPS = {"4h", "24h", "72h", "7d", "2w", "6w", "12w"}


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
    assert set(signed.check_ins.values_list("step", flat=True)) == STEPS
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
    second = second_session(signed)
    queue = watch_actions.say

    def say(*, key: str, **values: Any) -> Message | None:
        if key == f"check-in-{first.pk}":
            raise KeyError("broken")
        return queue(key=key, **values)

    monkeypatch.setattr(watch_actions, "say", say)
    with pytest.raises(KeyError, match="broken"):
        open_due(at=AT + timedelta(hours=5))
    assert signed.check_ins.get(step="4h").state == "planned"
    assert second.check_ins.get(step="4h").state == "open"


def second_session(session: Session, hours: int = 0) -> Session:
    """Another one of the same patient, so many hours later, with its watch."""
    second = Session.objects.get(pk=session.pk)
    second.pk, second.number = None, session.number + 1
    second.started_at = second.signed_at = AT + timedelta(hours=hours)
    second.save(force_insert=True)
    plan_watch(session=second)
    return second


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
    assert message.valid_until == signed.check_ins.get(step="24h").due_at
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
    assert call.due_at == AT + timedelta(minutes=30)


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


def test_amber_is_called_by_the_end_of_the_next_day_on_which_the_clinic_is_open(
    cast: Cast,
) -> None:
    cast.here.closed_weekdays, cast.here.closes_on_holidays = [5, 6], True
    friday = datetime(2026, 11, 27, 15, tzinfo=UTC)
    closes = cast.here.closes_at
    monday = datetime.combine(date(2026, 11, 30), closes, tzinfo=cast.here.zone)
    assert next_working_day(friday, cast.here) == monday
    LocationDay.objects.create(location=cast.here, day=date(2026, 11, 30), reason="Training")
    assert next_working_day(friday, cast.here) == monday + timedelta(days=1)
    cast.here.country_id = "FR"
    before_christmas = datetime(2026, 12, 24, 9, tzinfo=UTC)
    after = next_working_day(before_christmas, cast.here)
    assert after.astimezone(cast.here.zone).date() == date(2026, 12, 28)


def test_which_number_answers_follows_the_opening_hours(cast: Cast) -> None:
    cast.here.closed_weekdays = [6]
    noon = datetime.combine(date(2026, 11, 27), time(12), tzinfo=cast.here.zone)
    assert is_open(noon, cast.here)
    assert not is_open(noon + timedelta(hours=12), cast.here)
    assert not is_open(noon + timedelta(days=2), cast.here)


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
    said = {"result": "reached", "outcome": "Seen, antibiotics.", "ending": "seen"}
    for lacking in ("result", "outcome", "ending"):
        bad = client.post(reverse("watch:call", args=[call.pk]), said | {lacking: ""})
        assert bad.status_code == 422
    done = client.post(reverse("watch:call", args=[call.pk]), said)
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


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("sent", "No answer yet"),
        ("failed", "The message did not arrive"),
        ("uncertain", "Not known whether the message arrived"),
        ("cancelled", "The message was never sent"),
        ("pending", "The message has not left yet"),
    ],
)
def test_a_message_that_did_not_arrive_is_no_unanswered_question(
    cast: Cast,
    open_check_in: CheckIn,
    client_for: Callable[[Staff], Client],
    state: str,
    words: str,
) -> None:
    now = timezone.now()
    Message.objects.filter(pk=open_check_in.message_id).update(state=state, sent_at=now)
    CheckIn.objects.filter(pk=open_check_in.pk).update(due_at=now - timedelta(hours=1))
    number, session = open_check_in.patient.number, open_check_in.session_id
    client = client_for(cast.practitioner)
    for name, values in (("watch:session", [number, session]), ("watch:panel", [number])):
        assert words in client.get(reverse(name, args=values)).content.decode()
    # What did not arrive is not waited for: it is silence at once.
    listed = words in client.get(reverse("watch:safety")).content.decode()
    assert listed is (state in ("failed", "uncertain", "cancelled"))


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


def test_many_calls_are_listed_page_by_page_each_once_and_red_first(
    cast: Cast,
    world: World,
    signed: Session,
    client_for: Callable[[Staff], Client],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    """Fifty on a page; several are due at the same moment."""
    now = timezone.now()
    asked = CheckIn.objects.bulk_create(
        CheckIn(patient=world.patient, session=signed, step=f"x{n}", due_at=now, state="open")
        for n in range(103)
    )
    Call.objects.bulk_create(
        Call(
            patient=world.patient,
            location=cast.here,
            check_in=one,
            is_red=n % 3 != 0,
            due_at=now + timedelta(hours=n % 7),
        )
        for n, one in enumerate(asked)
    )
    client, address, pages = client_for(cast.practitioner), reverse("watch:safety"), []
    url = address
    while url:
        with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
            context = client.get(url).context
        pages.append([call.pk for call in context["calls"]])
        url = address + context["next_url"] if context["next_url"] else ""
        assert bool(context["previous_url"]) is (len(pages) > 1)
    calls = Call.objects.filter(location=cast.here)
    wanted = sorted(calls, key=lambda call: (not call.is_red, call.due_at, call.pk))
    assert [len(page) for page in pages] == [50, 50, len(wanted) - 100]
    assert [*chain(*pages)] == [call.pk for call in wanted]
    # The last of the first page was dealt with meanwhile: the next page begins where it did.
    finish_call(by=cast.practitioner, call=Call.objects.get(pk=pages[0][-1]), outcome="Well.")
    behind = client.get(address, {"after": pages[0][-1]}).context["calls"]
    assert [call.pk for call in behind] == pages[1]


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 40, "0"])
def test_a_list_behind_no_call_is_the_list(
    cast: Cast, open_check_in: CheckIn, client_for: Callable[[Staff], Client], after: str
) -> None:
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, note="", at=AT)
    client, address = client_for(cast.practitioner), reverse("watch:safety")
    found = client.get(address, {"after": after})
    assert found.status_code == 200
    assert found.context["calls"] == client.get(address).context["calls"] != []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_calls_of_all_ones_locations_are_one_list(
    cast: Cast,
    rows: int,
    client_for: Callable[[Staff], Client],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    now = timezone.now()
    names: dict[int, list[str]] = {}
    for place, staff in ((cast.here, cast.practitioner), (cast.there, cast.practitioner2)):
        for n in range(rows):
            world = make_world(place, staff, cast.treatment)
            Patient.objects.filter(pk=world.patient.pk).update(family_name=f"At{place.pk}No{n}")
            names.setdefault(place.pk, []).append(f"AT{place.pk}NO{n}")
            asked = CheckIn.objects.create(
                patient=world.patient,
                session=world.patient.sessions.first(),
                step="x",
                due_at=now,
                state="open",
            )
            Call.objects.create(
                patient=world.patient,
                location=place,
                check_in=asked,
                is_red=place == cast.there,
                due_at=now - timedelta(hours=1),
            )
    one = client_for(cast.practitioner)
    page = one.get(reverse("watch:safety"), {"place": cast.there.pk}).content.decode()
    assert all(name in page for name in names[cast.here.pk])
    assert not any(name in page for name in names[cast.there.pk]), "a strange location"
    hidden = Call.objects.filter(location=cast.there).first()
    assert hidden is not None
    assert one.get(reverse("watch:call", args=[hidden.pk])).status_code == 404
    Registration.objects.create(patient=hidden.patient, location=cast.here)
    page = one.get(reverse("watch:safety")).content.decode()
    assert names[cast.there.pk][0] not in page, "a patient of both, called from there"
    Membership.objects.create(staff=cast.practitioner, location=cast.there)
    both = client_for(cast.practitioner)
    for view in ("watch:today", "watch:safety"):
        both.get(reverse(view))
        with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
            page = both.get(reverse(view)).content.decode()
        red, amber = names[cast.there.pk][0], names[cast.here.pk][0]
        assert page.index(red) < page.index(amber), "red first, wherever it is"
        assert f"<strong>{cast.there.name}</strong>" in page
    page = both.get(reverse("watch:safety"), {"place": cast.there.pk}).content.decode()
    assert not any(name in page for name in names[cast.here.pk])


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


# -- nothing stale, nothing lost ------------------------------------------------------------------


def states(session: Session) -> dict[str, str]:
    return dict(session.check_ins.values_list("step", "state"))


def test_after_a_long_silence_of_the_worker_only_the_newest_question_is_asked(
    signed: Session,
) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(days=8))
    assert states(signed)["4h"] == states(signed)["24h"] == states(signed)["72h"] == "missed"
    assert states(signed)["7d"] == "open"
    assert Message.objects.filter(kind="check-in").count() == 1


def test_a_record_brought_over_late_asks_nobody_as_if_it_were_the_day(signed: Session) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(weeks=26))
    assert set(states(signed).values()) == {"missed"}
    assert not Message.objects.filter(kind="check-in").exists()
    assert signed.check_ins.get(step="12w") in CheckIn.objects.silent(AT + timedelta(weeks=26))


def test_quiet_hours_never_delay_a_red_flag(world: World, open_check_in: CheckIn) -> None:
    """At eleven in the evening the call is due within the half hour, and the number that answers
    at night is the one that is shown."""
    night = datetime.combine(date(2026, 11, 25), time(23), tzinfo=world.place.zone)
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=night)
    assert Call.objects.get(check_in=open_check_in).due_at == night + timedelta(minutes=30)
    assert not is_open(night, world.place)


def test_an_unanswered_question_stays_silence_and_its_message_goes_no_more(
    signed: Session,
) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(hours=5))
    first = Message.objects.get(kind="check-in")
    open_due(at=AT + timedelta(hours=30))
    first.refresh_from_db()
    assert (states(signed)["4h"], states(signed)["24h"]) == ("silent", "open")
    assert first.state == "cancelled"
    check_in = signed.check_ins.get(step="4h")
    with pytest.raises(ActionRefused, match="not open any more"):
        answer_check_in(check_in=check_in, signs=[], well=True, at=AT)


def test_two_sessions_ask_together_and_each_is_answered_by_itself(signed: Session) -> None:
    plan_watch(session=signed)
    second = second_session(signed, hours=2)
    open_due(at=AT + timedelta(hours=5))
    open_due(at=AT + timedelta(hours=7))
    one = Message.objects.get(kind="check-in")
    open_ones = CheckIn.objects.filter(state="open", session__in=[signed, second])
    assert {row.session_id for row in open_ones} == {signed.pk, second.pk}
    assert {row.message_id for row in open_ones} == {one.pk}
    answer_check_in(check_in=signed.check_ins.get(step="4h"), signs=[], well=True, at=AT)
    one.refresh_from_db()
    assert one.state == "pending"  # it still asks for the other
    answer_check_in(check_in=second.check_ins.get(step="4h"), signs=[], well=True, at=AT)
    one.refresh_from_db()
    assert one.state == "cancelled"


def test_who_wants_no_messages_at_all_is_silent_from_the_start(
    cast: Cast, world: World, signed: Session
) -> None:
    save_refusals(by=world.patient, patient=world.patient, kinds=["all"])
    plan_watch(session=signed)
    at = AT + timedelta(hours=5)
    open_due(at=at)
    assert not Message.objects.filter(kind="check-in").exists()
    assert signed.check_ins.get(step="4h") in CheckIn.objects.silent(at)


def test_silence_is_one_line_for_a_session_and_ends_with_an_answer_or_a_call(
    cast: Cast, signed: Session
) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(hours=5))
    open_due(at=AT + timedelta(hours=30))
    mine = CheckIn.objects.filter(session=signed)
    assert not mine.silent(AT + timedelta(hours=60))
    late = AT + timedelta(hours=73)
    [row] = mine.silent(late)
    assert (row.step, row.unanswered) == ("24h", 2)  # type: ignore[attr-defined]
    call = call_for_silence(by=cast.practitioner, check_in=row, at=late)
    assert call_for_silence(by=cast.practitioner, check_in=row, at=late) == call
    assert (call.reason, call.is_red) == ("silence", False)
    assert not mine.silent(late)


def test_the_silent_are_listed_page_by_page_each_once_the_newest_first(
    cast: Cast,
    signed: Session,
    client_for: Callable[[Staff], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two on a page; two were asked at the same moment."""
    monkeypatch.setattr(call_views, "MOST_CALLS", 2)
    made = []
    for number, days in enumerate((9, 8, 8, 7, 6)):
        signed.pk, signed.number, signed._state.adding = None, 20 + number, True
        signed.save()
        due = timezone.now() - timedelta(days=days)
        made.append(
            CheckIn.objects.create(
                patient=signed.patient, session=signed, step="7d", due_at=due, state="silent"
            )
        )
    CheckIn.objects.filter(pk=made[1].pk).update(due_at=made[2].due_at)
    client, address, pages = client_for(cast.practitioner), reverse("watch:safety"), []
    url = address
    while url:
        context = client.get(url).context
        pages.append([row.pk for row in context["silent"]])
        assert bool(context["silent_first"]) is (len(pages) > 1)
        url = address + context["silent_next"] if context["silent_next"] else ""
    ours = [row.pk for row in reversed(made)]
    assert [pk for pk in chain(*pages) if pk in ours] == ours
    assert {len(page) for page in pages[:-1]} == {2}
    for strange in ("", "x", "9" * 40, "0"):
        found = client.get(address, {"silent": strange})
        assert [row.pk for row in found.context["silent"]] == pages[0]


def test_who_speaks_while_waiting_to_be_called_for_silence_is_called_for_that(
    cast: Cast, open_check_in: CheckIn
) -> None:
    at = AT + timedelta(days=3)
    call = call_for_silence(by=cast.practitioner, check_in=open_check_in, at=at)
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=at)
    call.refresh_from_db()
    assert (call.reason, call.is_red, call.due_at) == ("answer", True, at + timedelta(minutes=30))


def test_a_stopped_watch_asks_nothing_more_and_can_be_resumed(
    cast: Cast, world: World, signed: Session
) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(hours=5))
    with pytest.raises(ActionRefused):
        stop_watch(by=cast.practitioner, session=signed, reason=" ")
    with pytest.raises(ActionRefused):
        stop_watch(by=cast.front_desk, session=signed, reason="No right")
    assert stop_watch(by=cast.practitioner, session=signed, reason="Moved to Lyon") == 7
    assert Message.objects.get(kind="check-in").state == "cancelled"
    assert open_due(at=AT + timedelta(weeks=20)) == 0
    assert resume_watch(by=cast.practitioner, session=signed, at=AT + timedelta(hours=80)) == 4
    assert states(signed)["72h"] == "cancelled"
    assert states(signed)["7d"] == "planned"
    with pytest.raises(ActionRefused):
        resume_watch(by=cast.practitioner, session=signed, at=AT + timedelta(hours=80))


def test_a_session_after_which_the_catalogue_asks_nothing_says_so_once(
    cast: Cast, signed: Session
) -> None:
    for row in CheckInTime.objects.current():
        take_out_of_use(by=cast.manager, row=row)
    assert follow_up_signed_sessions() == 1
    assert follow_up_signed_sessions() == 0
    [row] = signed.check_ins.all()
    assert (row.state, bool(row.stop_reason)) == ("cancelled", True)


def test_a_technique_has_its_own_time_and_an_old_watch_keeps_the_old_one(
    cast: Cast, world: World, signed: Session
) -> None:
    technique = Technique.objects.current().get(code="jet")
    plan_watch(session=signed)
    values = {
        "code": "jet-4h",
        "name_en": "6 hours after",
        "name_fr": "6 heures après",
        "source_refs": ["GK"],
        "source_note": "The clinic's own.",
        "general_knowledge": True,
        "applies_to": "technique:jet",
        "step": "4h",
        "hours": 6,
        "is_skipped": False,
        "wants_photo": True,
        "own_scale": "",
    }
    add_row(by=cast.manager, model=CheckInTime, values=values)
    assert signed.check_ins.get(step="4h").hours == 4
    draft = Session.objects.get(pk=signed.pk)
    draft.pk, draft.number, draft.signed_at, draft.signed_by = None, 20, None, None
    draft.save(force_insert=True)
    area = world.patient.sessions.get(number=1).treated_areas.get()
    area.pk, area.session, area.technique = None, draft, technique
    area.save(force_insert=True)
    draft.signed_at, draft.signed_by = AT, world.practitioner
    draft.save()
    plan_watch(session=draft)
    check_in = draft.check_ins.get(step="4h")
    assert (check_in.hours, check_in.step_name) == (6, "6 hours after")
    assert check_in.due_at == AT + timedelta(hours=6)


def test_what_was_asked_stays_as_it_was_asked(cast: Cast, open_check_in: CheckIn) -> None:
    row = CheckInSign.objects.current().get(code="infection")
    values = {"text_en": "Other words", "source_refs": row.source_refs}
    edit_row(by=cast.manager, row=row, values=values)
    answered = answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=AT)
    assert answered.said == ["Redness is spreading, there is pus, or I have a fever"]
    assert answered.events == ["abscess"]


def test_the_patients_own_score_is_one_of_the_grades(signed: Session) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(weeks=6))
    check_in = signed.check_ins.get(step="6w")
    assert check_in.own_scale is not None
    with pytest.raises(ActionRefused) as refused:
        answer_check_in(check_in=check_in, signs=[], well=True, own_value=Decimal(9), at=AT)
    assert refused.value.field == "own_value"
    done = answer_check_in(check_in=check_in, signs=[], well=True, own_value=Decimal(2), at=AT)
    assert done.own_words.startswith("2 of 5")
    assert done.colour == "green"


# -- calls ---------------------------------------------------------------------------------------


@pytest.fixture
def red_call(open_check_in: CheckIn) -> Call:
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=AT)
    return Call.objects.get(check_in=open_check_in)


def test_nobody_answered_so_it_is_due_again_and_anyone_may_take_it(
    cast: Cast, red_call: Call
) -> None:
    note_attempt(by=cast.practitioner, call=red_call, result="no-answer", at=AT)
    red_call.refresh_from_db()
    assert (red_call.done_at, red_call.taken_by) == (None, None)
    assert red_call.due_at == AT + timedelta(minutes=30)
    again = AT + timedelta(hours=2)
    note_attempt(by=cast.colleague, call=red_call, result="left-word", again_at=again, at=AT)
    red_call.refresh_from_db()
    assert red_call.due_at == again
    assert list(red_call.attempts.values_list("result", flat=True)) == ["no-answer", "left-word"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"result": ""}, "result"),
        ({"result": "reached"}, "ending"),
        ({"result": "reached", "ending": "seen"}, "outcome"),
        ({"result": "reached", "ending": "given-up", "outcome": "?"}, "ending"),
        ({"result": "no-answer", "ending": "advice", "outcome": "?"}, "ending"),
        ({"result": "no-answer", "ending": "given-up"}, "outcome"),
        ({"result": "no-answer", "again_at": AT - timedelta(hours=1)}, "again_on"),
        ({"result": "no-answer", "again_at": AT + timedelta(days=40)}, "again_on"),
        (
            {
                "result": "reached",
                "ending": "seen",
                "outcome": "?",
                "again_at": AT + timedelta(hours=1),
            },
            "again_on",
        ),
    ],
)
def test_half_a_call_is_refused_beside_the_field(
    cast: Cast, red_call: Call, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(ActionRefused) as refused:
        note_attempt(by=cast.practitioner, call=red_call, at=AT, **said)
    assert refused.value.field == field
    red_call.refresh_from_db()
    assert not red_call.attempts.exists()
    assert red_call.done_at is None


def test_a_call_left_lying_is_taken_over_and_not_before(cast: Cast, red_call: Call) -> None:
    take_call(by=cast.practitioner, call=red_call, at=AT)
    with pytest.raises(ActionRefused):
        take_call(by=cast.colleague, call=red_call, at=AT + timedelta(minutes=29))
    with pytest.raises(ActionRefused):
        give_back(by=cast.colleague, call=red_call)
    late = AT + timedelta(minutes=31)
    assert take_call(by=cast.colleague, call=red_call, at=late).taken_by == cast.colleague
    with pytest.raises(ActionRefused):
        take_call(by=cast.practitioner, call=red_call, at=late)
    assert give_back(by=cast.colleague, call=red_call).taken_by is None


def test_the_desk_neither_takes_nor_closes_a_call(cast: Cast, red_call: Call) -> None:
    with pytest.raises(ActionRefused):
        take_call(by=cast.front_desk, call=red_call)
    with pytest.raises(ActionRefused):
        finish_call(by=cast.front_desk, call=red_call, outcome="Fine")


def test_a_late_call_is_seen_on_today_and_the_page_asks_again_by_itself(
    cast: Cast, red_call: Call, client_for: Callable[[Staff], Client]
) -> None:
    client = client_for(cast.practitioner)
    page = client.get(reverse("watch:today")).content.decode()
    assert "late" in page
    address = re.search(r'hx-get="([^"]+)" hx-trigger="every', page)
    assert address
    assert client.get(address[1]).status_code == 204
    take_call(by=cast.colleague, call=red_call)
    changed = client.get(address[1])
    assert changed.status_code == 200
    assert cast.colleague.name in changed.content.decode()


def test_only_the_late_call_is_called_late(
    cast: Cast, red_call: Call, signed: Session, client_for: Callable[[Staff], Client]
) -> None:
    due = timezone.now() + timedelta(minutes=20)
    asked = CheckIn.objects.create(patient=red_call.patient, session=signed, step="x", due_at=due)
    second = Call.objects.create(
        patient=red_call.patient, location=cast.here, check_in=asked, is_red=True, due_at=due
    )
    client, there = client_for(cast.practitioner), due.astimezone(cast.here.zone)
    for address in ("watch:today", "watch:safety"):
        page = client.get(reverse(address)).content.decode()
        [late] = (
            row for row in page.split("<li ") if reverse("watch:call", args=[red_call.pk]) in row
        )
        [soon] = (
            row for row in page.split("<li ") if reverse("watch:call", args=[second.pk]) in row
        )
        assert ("Late" in late, "Late" in soon) == (True, False)
        assert f"by {there:%d-%b-%Y}, {there:%H:%M}" in soon


def test_the_rules_of_the_location_count(
    cast: Cast, open_check_in: CheckIn, client_for: Callable[[Staff], Client]
) -> None:
    client, address = client_for(cast.manager), reverse("watch-settings:index")
    rules = {"red_minutes": 10, "escalate_minutes": 7, "silent_hours": 6, "least_patients": 5}
    assert client.post(address, rules | {"red_minutes": 1}).status_code == 422
    assert client.post(address, rules | {"least_patients": "x"}).status_code == 422
    assert client.post(address, rules).status_code == 302
    assert WatchRules.objects.get(location=cast.here).silent_hours == 6
    answer_check_in(check_in=open_check_in, signs=["infection"], well=False, at=AT)
    assert Call.objects.get(check_in=open_check_in).due_at == AT + timedelta(minutes=10)


# -- on the phone --------------------------------------------------------------------------------


def test_a_photo_and_a_score_come_with_the_answer(
    cast: Cast, world: World, signed: Session, client_for: Callable[[Staff], Client]
) -> None:
    plan_watch(session=signed)
    open_due(at=AT + timedelta(weeks=6))
    check_in = signed.check_ins.get(step="6w")
    client = patient_browser(world)
    address = reverse("my-check-ins:check-in", args=[world.token, check_in.pk])
    said = {"signs": ["lump"], "own_value": "4"}
    for wrong in (b"no picture", b""):
        bad = client.post(address, said | {"photo": SimpleUploadedFile("x.jpg", wrong)})
        assert bad.status_code == 422
    assert client.post(address, said | {"own_value": "7"}).status_code == 422
    check_in.refresh_from_db()
    assert check_in.state == "open"
    photo = SimpleUploadedFile("x.jpg", a_picture())
    assert client.post(address, said | {"photo": photo}).status_code == 302
    check_in.refresh_from_db()
    assert check_in.colour == "red"
    assert check_in.photo is not None
    assert check_in.photo.taken_by is None
    assert is_allowed(world.patient, "record")
    page = client_for(cast.practitioner).get(reverse("watch:call", args=[check_in.call.pk]))
    shown = page.content.decode()
    assert str(check_in.photo.public_id) in shown
    assert (
        "4 of 5"
        in client_for(cast.practitioner)
        .get(reverse("watch:panel", args=[world.patient.number]))
        .content.decode()
    )


def a_picture() -> bytes:
    held = BytesIO()
    Image.new("RGB", (64, 48), "white").save(held, "JPEG")
    return held.getvalue()


def test_another_patients_check_in_is_not_there(cast: Cast, world: World) -> None:
    other = make_world(cast.here, cast.practitioner, cast.treatment)
    theirs = other.patient.check_ins.get(state="open")
    address = reverse("my-check-ins:check-in", args=[world.token, theirs.pk])
    assert patient_browser(world).get(address).status_code == 404


def test_the_watch_of_a_session_is_stopped_on_its_page(
    cast: Cast, world: World, signed: Session, client_for: Callable[[Staff], Client]
) -> None:
    plan_watch(session=signed)
    client, where = client_for(cast.practitioner), [world.patient.number, signed.pk]
    assert client.get(reverse("watch:session", args=where)).status_code == 200
    assert client.post(reverse("watch:stop", args=where), {"reason": ""}).status_code == 422
    assert client.post(reverse("watch:stop", args=where), {"reason": "Wish"}).status_code == 302
    assert "Wish" in client.get(reverse("watch:session", args=where)).content.decode()
    CheckIn.objects.filter(session=signed, step="12w").update(
        due_at=timezone.now() + timedelta(days=1)
    )
    assert client.post(reverse("watch:resume", args=where)).status_code == 302
    assert signed.check_ins.get(step="12w").state == "planned"
