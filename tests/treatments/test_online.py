"""A patient books, moves and cancels by link: the way, its rules, and what it must withstand."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar

from clinic.errors import ActionRefused
from patients.messages.models import Message
from patients.messages.sending import send_next
from patients.portal.actions import open_link
from patients.portal.codes import MOST_PER_WINDOW
from patients.portal.models import Code
from tests.conftest import Cast, make_patient
from treatments.diary import hooks
from treatments.diary.actions import book, cancel, set_status
from treatments.diary.hooks import ReasonWanted
from treatments.diary.models import Appointment
from treatments.diary.slots import instant
from treatments.online import actions
from treatments.online.models import VisitRequest

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 19)
NOW = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)
LATE = "It is too late to change this visit here"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def online(cast: Cast) -> Cast:
    cast.consultation.is_online = True
    cast.consultation.save()
    return cast


def at(cast: Cast, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return instant(day, time(hour, minute), cast.here.zone)


class Browser:
    """A patient who has opened their link and proved their birth date."""

    def __init__(self, patient) -> None:
        self.client = Client()
        self.token = re.search(r"/my/([^/]+)/", open_link(patient)).group(1)
        born = patient.birth_date
        proof = {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year}
        assert (
            self.client.post(reverse("portal:prove", args=[self.token]), proof).status_code == 302
        )

    def url(self, name: str, *args) -> str:
        return reverse(f"my-visits:{name}", args=[self.token, *args])

    def get(self, name: str, *args, **query):
        return self.client.get(self.url(name, *args), query)

    def post(self, name: str, *args, **sent):
        return self.client.post(self.url(name, *args), sent)

    def ask(self, cast: Cast, **sent) -> VisitRequest:
        sent = {"service": cast.consultation.pk, "location": cast.here.pk} | sent
        answer = self.post("book", **sent)
        assert answer.status_code == 302, answer.content.decode()
        return VisitRequest.objects.latest("pk")

    def choose(self, row: VisitRequest, clock: str = "10:00", day: date = DAY):
        return self.post("times", row.public_id, time=f"{day}T{clock}|0")


def the_code() -> str:
    """Send what is due, and read the code in the newest letter."""
    while send_next() is not None:
        pass
    return re.search(r"\b\d{6}\b", mail.outbox[-1].body).group()


def booked(cast: Cast, hour: int = 10, **wish) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.consultation,
        "starts_at": at(cast, hour),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


# ---- booking -----------------------------------------------------------------------------------


def test_the_whole_way(online) -> None:
    browser = Browser(online.patient)
    assert "Book a visit" in browser.get("panel").content.decode()
    row = browser.ask(online, practitioner=online.practitioner.pk)
    assert "10:00" in browser.get("times", row.public_id).content.decode()
    assert browser.choose(row)["Location"] == browser.url("confirm", row.public_id)
    page = browser.get("confirm", row.public_id).content.decode()
    assert "e•••@example.org" in page
    assert "elodie@example.org" not in page
    assert not Appointment.objects.exists()
    done = browser.post("confirm", row.public_id, code=the_code())
    made = Appointment.objects.get()
    assert done["Location"] == browser.url("visit", made.pk)
    assert (made.starts_at, made.practitioner, made.status) == (
        at(online, 10),
        online.practitioner,
        "booked",
    )
    assert made.booked_by is None
    shown = browser.get("visit", made.pk).content.decode()
    assert "Tuesday 19 May 2026, 10:00" in shown
    # Back, and the form again: the same visit, not another one.
    again = browser.post("confirm", row.public_id, code="000000")
    assert again["Location"] == browser.url("visit", made.pk)
    assert browser.get("times", row.public_id)["Location"] == browser.url("visit", made.pk)
    assert browser.choose(row, "11:00")["Location"] == browser.url("visit", made.pk)
    assert Appointment.objects.get().starts_at == at(online, 10)


def test_nothing_in_an_address_says_who_or_what(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online, practitioner=online.practitioner.pk)
    for answer in (browser.choose(row), browser.post("confirm", row.public_id, code="1")):
        address = answer.headers.get("Location", "") + answer.wsgi_request.get_full_path()
        rest = address.replace(browser.token, "")
        for word in (online.patient.number, "Martin", "onsultation", "Rossi", "10:00", "service"):
            assert word not in rest


def test_looking_changes_nothing(online) -> None:
    row = booked(online)
    browser = Browser(online.patient)
    asked = browser.ask(online)
    browser.choose(asked, "15:00")
    before = [list(m.objects.values()) for m in (Appointment, VisitRequest, Code, Message)]
    for name, args in (
        ("panel", ()),
        ("book", ()),
        ("visit", (row.pk,)),
        ("calendar", (row.pk,)),
        ("times", (asked.public_id,)),
        ("confirm", (asked.public_id,)),
    ):
        for method in ("get", "head"):
            assert getattr(browser.client, method)(browser.url(name, *args)).status_code == 200
    for name, args in (("move", (row.pk,)), ("cancel", (row.pk,)), ("code", (asked.public_id,))):
        for method in ("get", "head"):
            assert getattr(browser.client, method)(browser.url(name, *args)).status_code == 405
    after = [list(m.objects.values()) for m in (Appointment, VisitRequest, Code, Message)]
    assert before == after


def test_a_time_taken_meanwhile_loses_neither_wish_nor_code(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online, practitioner=online.practitioner.pk)
    browser.choose(row)
    code = the_code()
    booked(online, patient=make_patient(online.here, "Ana", "López"))
    answer = browser.post("confirm", row.public_id, code=code)
    assert answer["Location"] == browser.url("times", row.public_id) + "?from=2026-05-19"
    page = browser.client.get(answer["Location"]).content.decode()
    assert "has just been taken" in page
    assert "10:30" in page
    browser.choose(row, "10:30")
    assert len(mail.outbox) == 1
    assert "Book it" in browser.get("confirm", row.public_id).content.decode()
    browser.post("confirm", row.public_id)
    assert Appointment.objects.filter(patient=online.patient).get().starts_at == at(online, 10, 30)


def test_any_practitioner_is_whoever_is_free_at_the_moment_of_booking(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online)
    browser.choose(row)
    code = the_code()
    booked(online, patient=make_patient(online.here, "Ana", "López"))
    browser.post("confirm", row.public_id, code=code)
    assert Appointment.objects.get(patient=online.patient).practitioner == online.colleague


def test_two_tabs_are_two_requests(online) -> None:
    browser = Browser(online.patient)
    first, second = browser.ask(online), browser.ask(online)
    browser.choose(first, "10:00")
    code = the_code()
    browser.choose(second, "14:00")
    newest = the_code()
    browser.post("confirm", first.public_id, code=code)
    assert "not the code" in browser.post("confirm", second.public_id, code=code).content.decode()
    browser.post("confirm", second.public_id, code=newest)
    assert {row.starts_at for row in Appointment.objects.all()} == {at(online, 10), at(online, 14)}


def test_the_notice_and_the_days_ahead(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online)
    today = NOW.date()
    page = browser.get("times", row.public_id).content.decode()
    assert f"{today}T13:45" not in page  # it is 10:00, and four hours are needed
    assert f"{today}T14:00" in page
    early = browser.client.post(
        browser.url("times", row.public_id), {"time": f"{today}T13:45|0"}, follow=True
    )
    assert "too soon to book here" in early.content.decode()
    far = browser.client.post(
        browser.url("times", row.public_id), {"time": "2026-09-01T10:00|0"}, follow=True
    )
    assert "too far ahead" in far.content.decode()
    assert not Code.objects.exists()


@pytest.mark.parametrize(
    "time", ["", "x", "2026-05-19", "2026-13-01T10:00|1", "2026-05-19T99:00|1"]
)
def test_a_time_that_is_none_is_refused(online, time) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online)
    answer = browser.post("times", row.public_id, time=time)
    assert answer["Location"] == browser.url("times", row.public_id)
    assert not Code.objects.exists()


def test_switched_off_and_not_online(online) -> None:
    browser = Browser(online.patient)
    sent = {"service": online.treatment.pk, "location": online.here.pk}
    assert browser.post("book", **sent).status_code == 422
    row = browser.ask(online)
    online.here.online_booking = False
    online.here.save()
    assert browser.post("book", **sent).status_code == 422
    assert "call us" in browser.get("panel").content.decode()
    assert (
        "call us"
        in browser.client.post(
            browser.url("times", row.public_id), {"time": f"{DAY}T10:00|0"}, follow=True
        ).content.decode()
    )


def test_another_location_cannot_be_slipped_in(online) -> None:
    sent = {"service": online.consultation.pk, "location": online.there.pk}
    assert Browser(online.patient).post("book", **sent).status_code == 422


def test_three_to_come_are_enough(online) -> None:
    browser = Browser(online.patient)
    for hour in (9, 10, 11):
        booked(online, hour, by=None)
    row = browser.ask(online)
    browser.choose(row, "15:00")
    answer = browser.post("confirm", row.public_id, code=the_code())
    assert answer.status_code == 422
    assert "Please call us to book" in answer.content.decode()


def test_under_18_the_law_is_said_and_nothing_is_booked(cast) -> None:
    """England: toxin and filler only from 18, at booking."""
    young = make_patient(
        cast.there, "Zoë", "Young", birth_date=date(2008, 6, 1), email="zoe@example.org"
    )
    cast.there.country.adults_only_toxin_filler = True
    cast.there.country.save()
    cast.consultation.is_online = cast.consultation.adults_only = True
    cast.consultation.save()
    browser = Browser(young)
    row = browser.ask(cast, location=cast.there.pk)
    browser.choose(row)
    answer = browser.post("confirm", row.public_id, code=the_code())
    assert answer.status_code == 422
    assert "Under 18" in answer.content.decode()
    browser.choose(row, day=date(2026, 6, 2))  # the day after the birthday
    browser.post("confirm", row.public_id)
    assert Appointment.objects.get().patient == young


# ---- the code ----------------------------------------------------------------------------------


def coded(cast: Cast) -> tuple[Browser, VisitRequest, str]:
    browser = Browser(cast.patient)
    row = browser.ask(cast)
    browser.choose(row)
    return browser, row, the_code()


def other_than(code: str, number: int) -> str:
    return f"{(int(code) + number) % 1_000_000:06}"


def test_a_hundred_wrong_codes_open_nothing(online) -> None:
    browser, row, code = coded(online)
    for number in range(1, 101):
        answer = browser.post("confirm", row.public_id, code=other_than(code, number))
        assert answer.status_code == 422
    assert "Too many wrong codes" in answer.content.decode()
    assert browser.post("confirm", row.public_id, code=code).status_code == 422
    assert not Appointment.objects.exists()
    assert Code.objects.get().wrong_answers == Code.MOST_WRONG_ANSWERS


def test_without_the_count_the_hundred_would_be_tried(online, monkeypatch) -> None:
    """The negative control: what stops the guesser is the count."""
    monkeypatch.setattr(Code, "MOST_WRONG_ANSWERS", 1000)
    browser, row, code = coded(online)
    for number in range(1, 11):
        browser.post("confirm", row.public_id, code=other_than(code, number))
    assert browser.post("confirm", row.public_id, code=code).status_code == 302


def test_a_code_lasts_ten_minutes_from_when_it_left(online, clock) -> None:
    browser, row, code = coded(online)
    clock.shift(timedelta(minutes=10))
    assert "ten minutes old" in browser.post("confirm", row.public_id, code=code).content.decode()
    browser.post("code", row.public_id, channel="email")
    fresh = the_code()
    clock.shift(timedelta(minutes=9, seconds=59))
    assert browser.post("confirm", row.public_id, code=fresh).status_code == 302


def test_before_it_has_left_no_code_is_right(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online)
    browser.choose(row)
    answer = browser.post("confirm", row.public_id, code="000000")
    assert "still on its way" in answer.content.decode()
    assert Code.objects.get().wrong_answers == 0


def test_only_a_keyed_hash_is_kept_and_no_message_holds_the_code(online) -> None:
    _browser, _row, code = coded(online)
    assert code not in str(list(Code.objects.values()))
    assert code not in str(list(Message.objects.values()))


def test_codes_are_not_sent_without_end(online, clock) -> None:
    browser, row, _code = coded(online)
    browser.post("code", row.public_id)  # a double click: the first one counts
    assert Code.objects.count() == 1
    for _n in range(10):
        clock.shift(timedelta(seconds=61))
        browser.post("code", row.public_id)
    assert Code.objects.count() == MOST_PER_WINDOW
    answer = browser.client.post(browser.url("code", row.public_id), follow=True)
    assert "Too many codes" in answer.content.decode()
    clock.shift(timedelta(hours=1))
    Browser(online.patient).post("code", row.public_id)
    assert Code.objects.count() == MOST_PER_WINDOW + 1


def test_by_sms_when_that_is_wished_and_a_call_when_there_is_no_way(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online)
    row.starts_at = at(online, 10)
    row.save()
    browser.post("code", row.public_id, channel="sms")
    assert Message.objects.get().channel == "sms"
    online.patient.email = online.patient.phone = ""
    online.patient.save()
    bare = browser.ask(online)
    answer = browser.client.post(
        browser.url("times", bare.public_id), {"time": f"{DAY}T10:00|0"}, follow=True
    )
    assert "no address to send a code to" in answer.content.decode()


def test_a_code_typed_with_a_space_is_right(online) -> None:
    browser, row, code = coded(online)
    answer = browser.post("confirm", row.public_id, code=f" {code[:3]} {code[3:]} ")
    assert answer.status_code == 302


# ---- moving and cancelling ---------------------------------------------------------------------


def test_moving_one_s_own(online) -> None:
    row, browser = booked(online, 16), Browser(online.patient)
    there = browser.post("move", row.pk)["Location"]
    asked = VisitRequest.objects.get()
    assert there == browser.url("times", asked.public_id)
    browser.choose(asked, "16:15")  # overlaps its own old time
    page = browser.get("confirm", asked.public_id).content.decode()
    assert "Until now" in page
    assert not Code.objects.exists()
    row.refresh_from_db()
    assert row.starts_at == at(online, 16)
    browser.post("confirm", asked.public_id)
    browser.post("confirm", asked.public_id)
    row.refresh_from_db()
    assert row.starts_at == at(online, 16, 15)


def test_cancelling_one_s_own_twice(online) -> None:
    row, browser = booked(online, 16), Browser(online.patient)
    assert "Cancel this visit" in browser.get("visit", row.pk).content.decode()
    for _click in range(2):
        assert browser.post("cancel", row.pk).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.cancel_reason) == ("cancelled", "Cancelled by the patient, by link.")
    assert "This visit is cancelled" in browser.get("visit", row.pk).content.decode()
    assert browser.post("move", row.pk)["Location"] == browser.url("visit", row.pk)
    assert not VisitRequest.objects.exists()


def test_too_late_is_a_call(online, clock) -> None:
    row, browser = booked(online, 16), Browser(online.patient)
    clock.move_to(at(online, 16) - timedelta(hours=24) + timedelta(seconds=1))
    browser = Browser(online.patient)
    page = browser.get("visit", row.pk).content.decode()
    assert LATE in page
    assert online.here.phone in page
    assert "Cancel this visit" not in page
    answer = browser.client.post(browser.url("cancel", row.pk), follow=True).content.decode()
    assert "can no longer be changed here" in answer
    browser.post("move", row.pk)
    row.refresh_from_db()
    assert row.status == "booked"
    assert not VisitRequest.objects.exists()


def test_the_notice_is_asked_again_when_the_move_is_carried_out(online, clock) -> None:
    row, browser = booked(online, 16), Browser(online.patient)
    browser.post("move", row.pk)
    asked = VisitRequest.objects.get()
    browser.choose(asked, "10:00", date(2026, 5, 25))
    clock.move_to(at(online, 16) - timedelta(hours=23))
    with pytest.raises(ActionRefused, match="no longer be changed"):
        actions.carry_out(request=asked, at=at(online, 16) - timedelta(hours=23))


def test_what_does_not_fit_the_course_is_said_to_the_patient(online, monkeypatch) -> None:
    def gap(*, by, appointment, reason) -> None:
        raise ReasonWanted("Say why it may lie outside.", may_give=False)

    row, browser = booked(online, 16), Browser(online.patient)
    browser.post("move", row.pk)
    asked = VisitRequest.objects.get()
    browser.choose(asked, "10:00", date(2026, 5, 25))
    monkeypatch.setattr(hooks, "_moving", [gap])
    answer = browser.post("confirm", asked.public_id)
    assert answer.status_code == 422
    assert "does not fit your course" in answer.content.decode()
    row.refresh_from_db()
    assert row.starts_at == at(online, 16)


@pytest.mark.parametrize("status", ["arrived", "cancelled"])
def test_what_is_no_longer_to_come_cannot_be_moved(online, status) -> None:
    row = booked(online, 16)
    asked = actions.ask_to_move(appointment=row, at=NOW)
    asked = actions.choose_time(request=asked, starts_at=at(online, 10), at=NOW)
    if status == "cancelled":
        cancel(by=online.front_desk, appointment=row, reason="ill")
    else:
        set_status(by=online.front_desk, appointment=row, status=status)
    with pytest.raises(ActionRefused):
        actions.carry_out(request=asked, at=NOW)


# ---- others ------------------------------------------------------------------------------------


def test_another_patient_s_visit_and_request_are_not_there(online) -> None:
    other = make_patient(online.here, "Ana", "López", email="ana@example.org")
    row = booked(online, 16)
    mine = Browser(online.patient).ask(online)
    theirs = Browser(other)
    for name, arg in (
        ("visit", row.pk),
        ("calendar", row.pk),
        ("times", mine.public_id),
        ("confirm", mine.public_id),
        ("times", uuid.uuid4()),
        ("visit", 10**12),
    ):
        assert theirs.get(name, arg).status_code == 404
    for name, arg in (
        ("move", row.pk),
        ("cancel", row.pk),
        ("code", mine.public_id),
        ("times", mine.public_id),
    ):
        assert theirs.post(name, arg).status_code == 404
    row.refresh_from_db()
    assert row.status == "booked"


def test_a_request_of_yesterday_is_not_there(online, clock) -> None:
    row = Browser(online.patient).ask(online)
    clock.shift(timedelta(hours=13))
    assert Browser(online.patient).get("times", row.public_id).status_code == 404


def test_no_free_times_say_when_the_next_are(online) -> None:
    online.here.closed_weekdays = [0, 1, 2, 3, 4, 5]
    online.here.save()
    browser = Browser(online.patient)
    row = browser.ask(online)
    assert "Sunday 24 May" in browser.get("times", row.public_id).content.decode()
    later = browser.client.get(browser.url("times", row.public_id) + "?from=2026-05-25")
    assert "Sunday 31 May" in later.content.decode()
    online.here.closed_weekdays = [0, 1, 2, 3, 4, 5, 6]
    online.here.save()
    assert "waiting list" in browser.get("times", row.public_id).content.decode()


@pytest.mark.parametrize("week", ["", "x", "1970-01-01", "9999-12-31", "2026-02-30"])
def test_any_week_asked_for_is_answered(online, week) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online)
    assert (
        browser.client.get(f"{browser.url('times', row.public_id)}?from={week}").status_code == 200
    )


def test_anyone_will_do(online) -> None:
    browser = Browser(online.patient)
    row = browser.ask(online, practitioner=online.practitioner.pk)
    browser.post("times", row.public_id, who="any")
    row.refresh_from_db()
    assert row.practitioner is None


def test_a_held_time_is_not_a_visit_yet(online) -> None:
    row = booked(online, 16, held=True)
    browser = Browser(online.patient)
    assert browser.get("visit", row.pk).status_code == 404
    assert browser.post("cancel", row.pk).status_code == 404
    assert "No visit is booked" in browser.get("panel").content.decode()


def test_the_calendar_file(online) -> None:
    row, browser = booked(online, 16), Browser(online.patient)
    answer = browser.get("calendar", row.pk)
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event.start == at(online, 16)
    assert str(event.start.tzinfo) == "Europe/Paris"
    assert event.end - event.start == timedelta(minutes=30)
    text = answer.content.decode()
    assert "onsultation" not in text
    assert "Martin" not in text


def test_in_french(online) -> None:
    online.patient.language = "fr"
    online.patient.save()
    browser = Browser(online.patient)
    row = browser.ask(online)
    page = browser.get("times", row.public_id).content.decode()
    assert "Mardi 19 mai" in page


def test_the_pages_cost_the_same_for_one_visit_and_for_three(online) -> None:
    browser = Browser(online.patient)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get("panel")
        return len(queries)

    booked(online, 9)
    one = cost()
    booked(online, 10)
    booked(online, 11)
    assert cost() == one
