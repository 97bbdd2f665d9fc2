"""What patients are told of their appointments: once, in time, and only what is true."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from icalendar import Calendar

from clinic.places.models import Location
from patients.messages import sending
from patients.messages.models import Message
from patients.messages.rules import save_refusals, save_rules, save_words
from patients.messages.sending import send_next
from patients.messages.texts import Words
from tests.at_once import Crowd
from tests.conftest import Cast, make_location, make_patient
from tests.treatments.plan_parts import opened_consent, signature, signed_consent
from tests.treatments.test_consent_signing import serum_plan
from treatments.consents.actions import sign_consent, withdraw
from treatments.diary import notices
from treatments.diary.actions import book, cancel, move, set_status
from treatments.diary.invitation import calendar_of, uid_of
from treatments.diary.models import Appointment
from treatments.diary.notices import Notice
from treatments.diary.reminding import note_reminded_before, recall_due, remind_due
from treatments.diary.slots import instant
from treatments.diary.telling import note_told_before, tell_due

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 19)
NOW = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
RULES = {
    "quiet_from": time(21),
    "quiet_until": time(8),
    "first_reminder_hours": 48,
    "second_reminder_hours": 3,
    "recall_months": None,
}


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def at(cast: Cast, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return instant(day, time(hour, minute), cast.here.zone)


def booked(cast: Cast, hour: int = 10, minute: int = 0, day: date = DAY, **wish) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.consultation,
        "starts_at": at(cast, hour, minute, day),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


def moved(cast: Cast, row: Appointment, hour: int, day: date = DAY) -> Appointment:
    return move(
        by=cast.front_desk, appointment=row, starts_at=at(cast, hour, 0, day), practitioner=None
    )


def called_off(cast: Cast, row: Appointment) -> Appointment:
    return cancel(by=cast.front_desk, appointment=row, reason="ill")


def later(clock, **more) -> datetime:
    clock.shift(timedelta(**more))
    return timezone.now()


def tell(clock, **more) -> list[str]:
    """Let time pass, by default the three minutes; what kinds wait to be sent."""
    tell_due(at=later(clock, **(more or {"minutes": 3})))
    return kinds()


def kinds(state: str = "pending") -> list[str]:
    return list(Message.objects.filter(state=state).order_by("pk").values_list("kind", flat=True))


def send_all() -> int:
    count = 0
    while send_next(at=timezone.now()) is not None:
        count += 1
    return count


def event(letter=None) -> dict[str, object]:
    part = (letter or mail.outbox[-1]).attachments[0]
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    (found,) = calendar.walk("VEVENT")
    return {
        "uid": str(found["uid"]),
        "sequence": int(found["sequence"]),
        "status": str(found["status"]),
        "start": found["dtstart"].dt,
        "method": str(calendar["method"]),
    }


# ---- news --------------------------------------------------------------------------------------


def test_a_booking_is_confirmed_after_three_minutes_and_once(cast, clock) -> None:
    row = booked(cast)
    assert tell(clock, minutes=2, seconds=59) == []
    assert tell(clock, seconds=1) == ["confirmation"]
    assert tell(clock, minutes=30) == ["confirmation"]
    send_all()
    (letter,) = mail.outbox
    assert letter.subject == "Your appointment is booked"
    assert "Tuesday 19 May 2026, 10:00" in letter.body
    assert "/my/" in letter.body
    assert event()["uid"] == uid_of(row)
    assert (event()["method"], event()["status"], event()["sequence"]) == (
        "PUBLISH",
        "CONFIRMED",
        0,
    )
    assert cast.patient.family_name not in letter.subject + letter.body


def test_a_mistaken_move_taken_back_within_three_minutes_says_nothing(cast, clock) -> None:
    row = booked(cast)
    tell(clock)
    send_all()
    moved(cast, row, 14)
    assert tell(clock, minutes=2) == []
    moved(cast, row, 10)
    assert tell(clock, hours=1) == []
    assert len(mail.outbox) == 1
    moved(cast, row, 14)
    assert tell(clock) == ["change"]  # the negative control: not taken back, it is told


def test_a_move_and_a_cancellation_carry_on_the_same_calendar_entry(cast, clock) -> None:
    row = booked(cast)
    tell(clock)
    send_all()
    first = event()
    row = moved(cast, row, 15)
    assert tell(clock) == ["change"]
    send_all()
    second = event()
    called_off(cast, row)
    assert tell(clock) == ["cancellation"]
    send_all()
    third = event()
    assert first["uid"] == second["uid"] == third["uid"]
    assert first["sequence"] < second["sequence"] < third["sequence"]
    assert second["start"].hour == 15
    assert [one["status"] for one in (first, second, third)] == [
        "CONFIRMED",
        "CONFIRMED",
        "CANCELLED",
    ]
    set_status(by=cast.front_desk, appointment=row, status="booked")
    assert tell(clock) == ["confirmation"]
    send_all()
    assert event()["sequence"] > third["sequence"]


def test_booked_and_cancelled_within_three_minutes_says_nothing(cast, clock) -> None:
    called_off(cast, booked(cast))
    assert tell(clock, hours=1) == []
    assert not Message.objects.exists()


def test_what_was_not_yet_sent_is_held_back_and_told_anew(cast, clock) -> None:
    """The confirmation never went, so the patient is not told of a change of it."""
    row = booked(cast)
    tell(clock)
    moved(cast, row, 16)
    assert kinds("cancelled") == ["confirmation"]
    assert tell(clock) == ["confirmation"]
    send_all()
    (letter,) = mail.outbox
    assert "16:00" in letter.body


def test_another_room_is_no_news(cast, clock) -> None:
    row = booked(cast)
    tell(clock)
    send_all()
    other = cast.here.rooms.exclude(pk=row.room_id).get()
    move(
        by=cast.front_desk,
        appointment=row,
        starts_at=row.starts_at,
        practitioner=row.practitioner,
        room=other,
    )
    assert tell(clock) == []


def test_a_no_show_is_written_to_unless_it_was_a_slip(cast, clock) -> None:
    row = booked(cast, 11, day=NOW.date())
    tell(clock)
    send_all()
    later(clock, hours=2)
    set_status(by=cast.front_desk, appointment=row, status="no_show")
    set_status(by=cast.front_desk, appointment=row, status="arrived")
    assert tell(clock) == []
    set_status(by=cast.front_desk, appointment=row, status="confirmed")
    set_status(by=cast.front_desk, appointment=row, status="no_show")
    assert tell(clock) == ["no-show"]


def test_a_visit_that_has_begun_is_not_confirmed(cast, clock) -> None:
    booked(cast, 9, 30, day=NOW.date())
    assert tell(clock) == []


def test_two_visits_of_a_day_are_one_message_listing_both(cast, clock) -> None:
    booked(cast)
    later(clock, minutes=2)
    booked(cast, 10, 30, service=cast.treatment)
    assert tell(clock, minutes=1) == []  # the second may yet be changed
    assert tell(clock, minutes=2) == ["confirmation"]
    send_all()
    (letter,) = mail.outbox
    assert "- Tuesday 19 May 2026, 10:00\n- Tuesday 19 May 2026, 10:30" in letter.body
    calendar = Calendar.from_ical(letter.attachments[0].get_payload(decode=True))
    assert len(calendar.walk("VEVENT")) == 2


def test_of_a_merged_message_held_back_the_other_half_is_told_anew(cast, clock) -> None:
    first = booked(cast)
    booked(cast, 10, 30, service=cast.treatment)
    tell(clock)
    called_off(cast, first)
    assert kinds("cancelled") == ["confirmation"]
    assert tell(clock) == ["confirmation"]
    send_all()
    assert "10:30" in mail.outbox[0].body
    assert "10:00" not in mail.outbox[0].body


def test_a_text_that_tells_of_one_day_makes_a_message_for_each(cast, clock) -> None:
    one_day = "On {day} at {time} with {practitioner}."
    save_words(
        by=cast.manager,
        location=cast.here,
        kind="confirmation",
        language="en",
        words=Words("Booked", one_day, one_day),
    )
    booked(cast)
    booked(cast, 10, 30, service=cast.treatment)
    booked(cast, 12, day=DAY + timedelta(days=7))
    assert tell(clock) == ["confirmation", "confirmation"]
    bodies = set(Message.objects.values_list("body", flat=True))
    assert bodies == {
        "On Tuesday 19 May 2026 at 10:00 and 10:30 with Ada Rossi.",
        "On Tuesday 26 May 2026 at 12:00 with Ada Rossi.",
    }


def test_news_are_told_in_the_patients_language(cast, clock) -> None:
    cast.patient.language = "fr"
    cast.patient.save()
    booked(cast)
    tell(clock)
    message = Message.objects.get()
    assert "mardi 19 mai 2026, 10:00" in message.body
    assert message.subject == "Votre rendez-vous est enregistré"


def test_by_sms_where_there_is_no_e_mail(cast, clock) -> None:
    cast.patient.email = ""
    cast.patient.save()
    booked(cast)
    tell(clock)
    message = Message.objects.get()
    assert (message.channel, message.subject, message.calendar) == ("sms", "", "")
    assert "Tuesday 19 May 2026, 10:00" in message.body


def test_whoever_wants_nothing_gets_nothing(cast, clock) -> None:
    save_refusals(by=cast.front_desk, patient=cast.patient, kinds=["all"])
    booked(cast)
    assert tell(clock) == []
    assert not Appointment.objects.filter(notice_due_at__isnull=False).exists()


def test_what_was_in_the_diary_before_is_known(cast, clock) -> None:
    row = booked(cast)
    assert note_told_before(at=timezone.now()) == 1
    assert tell(clock) == []
    moved(cast, row, 12)
    assert tell(clock) == ["change"]


# ---- quiet hours -------------------------------------------------------------------------------


def test_news_of_the_night_wait_for_the_morning_together(cast, clock) -> None:
    clock.move_to(datetime(2026, 5, 11, 20, 30, tzinfo=UTC))  # 22:30 in Paris
    booked(cast)
    assert tell(clock) == []
    booked(cast, 10, 30, service=cast.treatment)
    assert tell(clock, hours=2) == []
    clock.move_to(datetime(2026, 5, 12, 6, 1, tzinfo=UTC))  # 08:01
    tell_due(at=timezone.now())
    assert kinds() == ["confirmation"]
    assert send_all() == 1


def test_news_of_an_early_visit_do_not_wait(cast, clock) -> None:
    row = booked(cast, 9, day=date(2026, 5, 12))
    tell(clock)
    send_all()
    clock.move_to(datetime(2026, 5, 11, 20, 30, tzinfo=UTC))
    called_off(cast, row)
    assert tell(clock) == ["cancellation"]
    assert send_all() == 1


def test_a_message_that_was_late_waits_for_the_morning(cast, clock) -> None:
    booked(cast)
    tell(clock)
    clock.move_to(datetime(2026, 5, 11, 20, 0, tzinfo=UTC))
    send_all()
    assert not mail.outbox
    clock.move_to(datetime(2026, 5, 12, 6, 0, tzinfo=UTC))
    assert send_all() == 1


# ---- reminders ---------------------------------------------------------------------------------


def remind(when: datetime) -> list[str]:
    remind_due(at=when)
    return kinds()


def told_long_ago(cast: Cast, clock, **visit) -> Appointment:
    row = booked(cast, **visit)
    tell(clock)
    send_all()
    return row


def test_a_visit_is_reminded_of_twice(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    two_days, hours = row.starts_at - timedelta(hours=48), row.starts_at - timedelta(hours=1.75)
    assert remind(two_days - timedelta(seconds=1)) == []
    clock.move_to(two_days)
    assert remind(two_days) == ["reminder"]
    assert remind(two_days + timedelta(minutes=1)) == ["reminder"]
    send_all()
    clock.move_to(hours)  # 08:15: three hours before lay in the quiet hours
    assert remind(hours) == ["reminder"]
    send_all()
    assert len(mail.outbox) == 3


def test_two_visits_of_a_day_are_one_reminder(cast, clock) -> None:
    told_long_ago(cast, clock)
    told_long_ago(cast, clock, hour=10, minute=30, service=cast.treatment)
    clock.move_to(at(cast, 10) - timedelta(hours=48))
    assert remind(timezone.now()) == ["reminder"]
    clock.shift(timedelta(hours=1))
    assert remind(timezone.now()) == ["reminder"]
    assert Message.objects.get(kind="reminder").body.count("May 2026") == 2


def test_what_was_just_booked_is_not_reminded_of(cast, clock) -> None:
    clock.move_to(at(cast, 10) - timedelta(hours=50))
    told_long_ago(cast, clock)
    assert remind(at(cast, 10) - timedelta(hours=40)) == []
    assert remind(at(cast, 10) - timedelta(hours=1.5)) == ["reminder"]  # the short one makes sense


def test_a_waiting_reminder_of_a_moved_visit_never_goes(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    clock.move_to(row.starts_at - timedelta(hours=48))
    remind(timezone.now())
    moved(cast, row, 15)
    assert kinds("cancelled") == ["reminder"]
    assert remind(timezone.now()) == []  # it is being changed
    assert tell(clock) == ["change"]
    called_off(cast, row)
    assert kinds() == []
    assert send_all() == 0


def test_a_reminder_too_late_to_be_of_use_is_shown_as_failed(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    clock.move_to(row.starts_at - timedelta(hours=1.5))
    remind(timezone.now())
    clock.move_to(row.starts_at)
    send_all()
    assert list(Message.objects.all().troubled().values_list("kind", flat=True)) == ["reminder"]


def test_no_reminder_for_who_does_not_want_any_or_is_here(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    save_refusals(by=cast.front_desk, patient=cast.patient, kinds=["reminder"])
    assert remind(row.starts_at - timedelta(hours=48)) == []
    save_refusals(by=cast.front_desk, patient=cast.patient, kinds=[])
    clock.move_to(row.starts_at - timedelta(hours=1))
    remind(timezone.now())
    assert kinds() == ["reminder"]
    set_status(by=cast.front_desk, appointment=row, status="arrived")
    assert kinds() == []


def test_a_location_chooses_its_reminders(cast, clock) -> None:
    save_rules(
        by=cast.manager,
        location=cast.here,
        **RULES | {"first_reminder_hours": 24, "second_reminder_hours": None},
    )
    row = told_long_ago(cast, clock)
    assert remind(row.starts_at - timedelta(hours=47)) == []
    assert remind(row.starts_at - timedelta(hours=24)) == ["reminder"]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_tick_with_nothing_due_asks_as_often_for_one_as_for_three(
    cast, clock, rows, django_assert_num_queries
) -> None:
    for number in range(rows):
        told_long_ago(cast, clock, hour=10 + number)
    with django_assert_num_queries(1):
        tell_due(at=timezone.now())
    with django_assert_num_queries(3):
        remind_due(at=timezone.now())


def test_what_was_reminded_of_elsewhere_is_not_reminded_of_again(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    early = row.starts_at - timedelta(hours=47)
    assert note_reminded_before(at=early) == 1
    assert remind(early + timedelta(hours=1)) == []
    assert remind(row.starts_at - timedelta(hours=1)) == ["reminder"]  # the short one


def test_reminders_go_on_when_a_consent_is_withdrawn(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    consent = signed_consent(cast, serum_plan(cast))
    withdraw(consent=consent)
    two_days = row.starts_at - timedelta(hours=48)
    clock.move_to(two_days)
    assert remind(two_days) == ["reminder"]


# ---- recall ------------------------------------------------------------------------------------


def test_who_has_not_been_back_is_invited_once(cast, clock) -> None:
    row = booked(cast, 11, day=NOW.date())
    for status in ("arrived", "done"):
        set_status(by=cast.front_desk, appointment=row, status=status)
    clock.move_to(NOW + timedelta(days=190))
    recall_due(at=timezone.now())
    assert kinds() == []  # off unless the location says so
    save_rules(by=cast.manager, location=cast.here, **RULES | {"recall_months": 6})
    recall_due(at=NOW + timedelta(days=180))
    assert kinds() == []
    recall_due(at=timezone.now())
    recall_due(at=later(clock, days=1))
    assert kinds() == ["recall"]


def test_who_has_something_booked_is_not_invited(cast, clock) -> None:
    row = booked(cast, 11, day=NOW.date())
    for status in ("arrived", "done"):
        set_status(by=cast.front_desk, appointment=row, status=status)
    save_rules(by=cast.manager, location=cast.here, **RULES | {"recall_months": 6})
    clock.move_to(NOW + timedelta(days=190))
    booked(cast, 11, day=date(2027, 1, 12))
    recall_due(at=timezone.now())
    assert kinds() == []


def test_who_has_withdrawn_a_consent_is_not_invited_until_they_sign_again(cast, clock) -> None:
    row = booked(cast, 11, day=NOW.date())
    for status in ("arrived", "done"):
        set_status(by=cast.front_desk, appointment=row, status=status)
    save_rules(by=cast.manager, location=cast.here, **RULES | {"recall_months": 6})
    plan = serum_plan(cast)
    withdraw(consent=signed_consent(cast, plan))
    clock.move_to(NOW + timedelta(days=190))
    recall_due(at=timezone.now())
    assert kinds() == []
    sign_consent(**signature(opened_consent(cast, plan)))
    recall_due(at=timezone.now())
    assert kinds() == ["recall"]


# ---- the calendar file over the changes of the clock -------------------------------------------

PLACES = ("Europe/Paris", "Europe/London", "Asia/Beirut", "America/Sao_Paulo")


def days_around(zone: str) -> list[date]:
    """The days next to both changes of the clock in 2026 and 2027, and the days of them."""
    changes = {
        "Europe/Paris": [date(2026, 10, 25), date(2027, 3, 28)],
        "Europe/London": [date(2026, 10, 25), date(2027, 3, 28)],
        "Asia/Beirut": [date(2026, 10, 25), date(2027, 3, 28)],
        # It keeps one clock since 2019; these are when it was changed.
        "America/Sao_Paulo": [date(2018, 11, 4), date(2019, 2, 17)],
    }[zone]
    return [day + timedelta(days=n) for day in changes for n in (-1, 0, 1)]


@pytest.mark.parametrize("zone", PLACES)
def test_an_invitation_shows_the_right_local_time_across_both_changes(cast, zone) -> None:
    place = make_location("Elsewhere", zone)
    days = days_around(zone)
    rows = [
        Appointment(
            pk=number,
            location=place,
            starts_at=instant(day, time(9, 15), place.zone),
            ends_at=instant(day, time(10), place.zone),
        )
        for number, day in enumerate(days)
    ]
    calendar = Calendar.from_ical(calendar_of(rows, place, "en", NOW))
    (described,) = calendar.walk("VTIMEZONE")
    assert described["tzid"] == zone
    own_rules = described.to_tz()
    for row, day, found in zip(rows, days, calendar.walk("VEVENT"), strict=True):
        start = found["dtstart"].dt
        assert found["dtstart"].params["TZID"] == zone
        assert (start.date(), start.time()) == (day, time(9, 15))
        assert start.astimezone(UTC) == row.starts_at.astimezone(UTC)
        # Also by the rules that the file itself brings, for a program that knows no zones.
        told = start.replace(tzinfo=own_rules)
        assert told.astimezone(UTC) == row.starts_at.astimezone(UTC)
        assert str(found["summary"]) == "Appointment at Elsewhere"


def test_an_hour_that_comes_twice_is_written_without_doubt(cast) -> None:
    place = cast.here
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Paris, the second time
    row = Appointment(pk=1, starts_at=second, ends_at=second + timedelta(minutes=30))
    (found,) = Calendar.from_ical(calendar_of([row], place, "en", NOW)).walk("VEVENT")
    assert found["dtstart"].dt.astimezone(UTC) == second


# ---- cancelling against sending ----------------------------------------------------------------


def race(cast: Cast, rounds: int, crowd: Crowd) -> list[str]:
    """Cancel at the very moment in which workers send; what was stale afterwards."""
    stale = []
    for number in range(rounds):
        patient = make_patient(cast.here, f"Ana{number}", "López", email=f"a{number}@example.org")
        day = timezone.localdate() + timedelta(days=10)
        row = booked(cast, 9, day=day, patient=patient)
        tell_due(at=timezone.now() + timedelta(minutes=3))
        message = Message.objects.get(patient=patient)
        Message.objects.filter(pk=message.pk).update(due_at=timezone.now())
        _sent, had_begun = crowd.run([send_next, partial(began, cast, row, message)])
        message.refresh_from_db()
        went = any(patient.email in letter.to for letter in mail.outbox)
        if went and not had_begun:
            stale.append(patient.email)
        assert went == (message.state == "sent")
    return stale


def began(cast: Cast, row: Appointment, message: Message) -> bool:
    """Cancel; whether the message had begun to leave by then."""
    called_off(cast, row)
    return Message.objects.filter(pk=message.pk, sending_since__isnull=False).exists()


@pytest.fixture
def never_quiet(cast) -> Location:
    save_rules(
        by=cast.manager,
        location=cast.here,
        **RULES | {"quiet_from": time(1), "quiet_until": time(1)},
    )
    return cast.here


@pytest.mark.django_db(transaction=True)
def test_of_twenty_races_of_cancelling_and_sending_nothing_stale_is_sent(cast, never_quiet) -> None:
    assert race(cast, 20, Crowd()) == []


@pytest.mark.django_db(transaction=True)
def test_without_holding_back_the_same_harness_sees_stale_messages(
    cast, never_quiet, monkeypatch
) -> None:
    """The negative control: the worker is slow, and cancelling leaves the message alone."""
    body, crowd = sending._body, Crowd()
    monkeypatch.setattr(notices, "hold_back_messages", lambda *, messages: [])
    monkeypatch.setattr(sending, "_body", lambda message: (crowd.stand(), body(message))[1])
    assert len(race(cast, 2, crowd)) == 2


def test_the_rows_keep_what_was_told(cast, clock) -> None:
    row = told_long_ago(cast, clock)
    (notice,) = Notice.objects.all()
    assert (notice.kind, notice.starts_at, notice.sequence) == ("confirmation", row.starts_at, 0)
    assert notice.message.location == cast.here
