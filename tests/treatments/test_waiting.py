"""The waiting list: who a time suits, offers in turn, answers, and the desk's own way."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.errors import ActionRefused
from patients.messages.sending import send_next
from patients.registry.models import Patient
from tests.at_once import PATIENCE_S, Crowd
from tests.conftest import Cast, make_patient
from tests.treatments.test_online import Browser
from treatments.diary import hooks
from treatments.diary.actions import SECOND_THOUGHTS, book, cancel, move, set_status
from treatments.diary.hooks import ReasonWanted
from treatments.diary.models import Appointment, FreedTime
from treatments.diary.slots import Span, instant
from treatments.waiting import actions, working
from treatments.waiting.actions import (
    accept,
    add_entry,
    book_waiting,
    decline,
    offer_time,
    withdraw,
)
from treatments.waiting.hours import end_of_quiet, is_quiet
from treatments.waiting.matching import Time, matches
from treatments.waiting.models import WaitingEntry, WaitingOffer
from treatments.waiting.working import end_due, offer_freed

DAY = date(2026, 5, 19)
NOW = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)
"""A Monday, ten o'clock in Paris."""
S, A = WaitingEntry.State, WaitingOffer.Answer


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """A clinic that offers freed times by itself."""
    cast.here.waiting_automatic = True
    cast.here.save()
    return cast


def at(cast: Cast, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return instant(day, time(hour, minute), cast.here.zone)


def person(cast: Cast, name: str, **fields: Any) -> Patient:
    return make_patient(cast.here, name, "Waiting", email=f"{name.lower()}@example.org", **fields)


def waits(cast: Cast, patient: Patient | str | None = None, **wishes: Any) -> WaitingEntry:
    someone = person(cast, patient) if isinstance(patient, str) else patient or cast.patient
    blank = dict.fromkeys(actions.WISHES) | {
        "service": cast.consultation,
        "weekdays": [],
        "from_date": NOW.date(),
        "notice_hours": 2,
        "note": "",
    }
    return add_entry(by=cast.front_desk, patient=someone, location=cast.here, **blank | wishes)


def booked(cast: Cast, hour: int = 10, **wish: Any) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": wish.pop("patient", None) or person(cast, f"Busy{uuid.uuid4().hex[:6]}"),
        "service": cast.consultation,
        "starts_at": at(cast, hour),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


def given_up(cast: Cast, hour: int = 10, **wish: Any) -> FreedTime:
    """A time that was booked, and is free again for longer than a second thought."""
    row = booked(cast, hour, **wish)
    cancel(by=cast.front_desk, appointment=row, reason="ill")
    return FreedTime.objects.get(appointment=row)


def work(moment: datetime) -> None:
    """What the beat does, in its order."""
    end_due(at=moment)
    offer_freed(at=moment)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def open_offers() -> list[WaitingOffer]:
    return list(WaitingOffer.objects.open())


# ---- what is freed -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_cancelling_and_moving_away_free_a_time(cast) -> None:
    row = booked(cast)
    move(by=cast.front_desk, appointment=row, starts_at=at(cast, 14), practitioner=None)
    cancel(by=cast.front_desk, appointment=row, reason="ill")
    freed = FreedTime.objects.order_by("pk")
    assert [(one.starts_at, one.ends_at - one.starts_at) for one in freed] == [
        (at(cast, 10), timedelta(minutes=30)),
        (at(cast, 14), timedelta(minutes=30)),
    ]


@pytest.mark.django_db
def test_neither_the_past_nor_another_length_nor_a_hold_frees_one(cast, clock) -> None:
    row, held = booked(cast), booked(cast, 15, held=True)
    start, who = row.starts_at, row.practitioner_id
    move(by=cast.front_desk, appointment=row, starts_at=start, practitioner=who, minutes=20)
    cancel(by=cast.front_desk, appointment=held, reason="no answer")
    clock.move_to(at(cast, 10, 5))
    cancel(by=cast.front_desk, appointment=row, reason="did not come")
    assert not FreedTime.objects.exists()


@pytest.mark.django_db
def test_a_slip_that_is_undone_is_offered_to_nobody(busy) -> None:
    waits(busy)
    freed = given_up(busy)
    work(NOW + SECOND_THOUGHTS - timedelta(seconds=1))
    set_status(by=busy.front_desk, appointment=freed.appointment, status="booked")
    work(after(10))
    assert not WaitingOffer.objects.exists()
    assert FreedTime.objects.get().settled_at is not None


# ---- whom it suits -----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wishes", "suits"),
    [
        ({}, True),
        ({"weekdays": [1]}, True),
        ({"weekdays": [0, 2, 3, 4, 5, 6]}, False),
        ({"earliest": time(10)}, True),
        ({"earliest": time(10, 15)}, False),
        ({"latest": time(10, 30)}, True),
        ({"latest": time(10, 29)}, False),
        ({"from_date": DAY}, True),
        ({"from_date": DAY + timedelta(days=1)}, False),
        ({"until_date": DAY}, True),
        ({"until_date": DAY - timedelta(days=1)}, False),
        ({"notice_hours": 24}, True),
        ({"notice_hours": 25}, False),
    ],
)
def test_a_time_suits_or_it_does_not(cast, wishes, suits) -> None:
    entry = waits(cast, **wishes)
    span = Span(at(cast, 10), at(cast, 10, 30))
    found = matches([entry], Time(span, cast.practitioner.pk, cast.here.zone), NOW)
    assert [match.starts_at for match in found] == ([at(cast, 10)] if suits else [])


@pytest.mark.django_db
def test_the_practitioner_the_length_and_the_sooner_visit_count(cast) -> None:
    later = booked(cast, 9, patient=cast.patient)
    theirs = waits(cast, "Theirs", practitioner=cast.colleague)
    longer = waits(cast, "Longer", service=cast.treatment)
    has_sooner = waits(cast, instead_of=later)
    part = waits(cast, "Part", earliest=time(10, 15))
    span = Span(at(cast, 10), at(cast, 10, 45))
    entries = [theirs, longer, has_sooner, part]
    found = matches(entries, Time(span, cast.practitioner.pk, cast.here.zone), NOW)
    assert [(one.entry, one.starts_at) for one in found] == [
        (longer, at(cast, 10)),
        (part, at(cast, 10, 15)),
    ]


@pytest.mark.django_db
def test_who_fills_the_time_comes_first_then_who_waits_longest(cast, clock) -> None:
    short = waits(cast, "Short")
    clock.shift(60)
    newer = waits(cast, "Newer", service=cast.treatment)
    clock.shift(60)
    newest = waits(cast, "Newest", service=cast.treatment)
    span = Span(at(cast, 10), at(cast, 11))
    found = matches([newest, short, newer], Time(span, cast.practitioner.pk, cast.here.zone), NOW)
    assert [one.entry for one in found] == [newer, newest, short]


@pytest.mark.django_db
def test_across_the_change_of_the_clocks_the_wish_is_on_the_wall(cast) -> None:
    day = date(2026, 10, 25)
    entry = waits(cast, earliest=time(10), latest=time(10, 30), weekdays=[6], notice_hours=0)
    span = Span(at(cast, 9, day=day), at(cast, 12, day=day))
    found = matches([entry], Time(span, cast.practitioner.pk, cast.here.zone), NOW)
    assert [one.starts_at for one in found] == [at(cast, 10, day=day)]


def test_the_quiet_hours_are_the_clinic_s(cast) -> None:
    zone = cast.here.zone
    assert is_quiet(at(cast, 7, 59), zone)
    assert not is_quiet(at(cast, 8), zone)
    assert not is_quiet(at(cast, 20, 59), zone)
    assert is_quiet(at(cast, 21), zone)
    assert end_of_quiet(at(cast, 21), zone) == at(cast, 8, day=DAY + timedelta(days=1))
    assert end_of_quiet(at(cast, 3), zone) == at(cast, 8)


# ---- in turn -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_cancellation_is_offered_in_turn_until_someone_takes_it(busy, clock) -> None:
    first = waits(busy, "First")
    clock.shift(1)
    second = waits(busy, "Second")
    given_up(busy)
    work(after(4))
    (offer,) = open_offers()
    assert (offer.entry, offer.expires_at) == (first, after(19))
    held = offer.appointment
    assert (held.status, held.starts_at, held.patient) == ("held", at(busy, 10), first.patient)
    work(after(10))
    assert open_offers() == [offer]
    work(after(19))
    offer.refresh_from_db()
    held.refresh_from_db()
    first.refresh_from_db()
    assert (offer.answer, held.status, first.state) == (A.EXPIRED, "cancelled", S.WAITING)
    (nextone,) = open_offers()
    assert nextone.entry == second
    accept(offer=nextone, at=after(20))
    second.refresh_from_db()
    assert (second.state, second.appointment.status) == (S.BOOKED, "booked")
    work(after(60))
    assert not open_offers()
    assert FreedTime.objects.get().settled_at is not None


@pytest.mark.django_db
def test_the_offer_says_when_and_until_and_nothing_of_why(busy) -> None:
    waits(busy)
    given_up(busy)
    work(after(4))
    while send_next(at=after(4)) is not None:
        pass
    (letter,) = mail.outbox
    assert "Tuesday 19 May 2026, 10:00" in letter.body
    assert "10:19" in letter.body
    assert "/my/" in letter.body
    assert "onsultation" not in letter.body + letter.subject


@pytest.mark.django_db
def test_a_refusal_passes_it_on_at_once(busy, clock) -> None:
    waits(busy, "First")
    clock.shift(1)
    second = waits(busy, "Second")
    given_up(busy)
    work(after(4))
    decline(offer=open_offers()[0], at=after(5))
    work(after(5))
    assert [offer.entry for offer in open_offers()] == [second]


@pytest.mark.django_db
def test_no_more_offers_than_the_location_wants(busy, clock) -> None:
    busy.here.most_offers = 2
    busy.here.save()
    for name in ("One", "Two", "Three"):
        waits(busy, name)
        clock.shift(1)
    given_up(busy)
    for minute in range(4, 120, 8):
        work(after(minute))
    assert WaitingOffer.objects.count() == 2
    assert not open_offers()
    assert FreedTime.objects.get().settled_at is not None


@pytest.mark.django_db
def test_nothing_is_offered_at_night_and_it_goes_on_in_the_morning(busy, clock) -> None:
    waits(busy)
    clock.move_to(at(busy, 22, day=NOW.date()))
    given_up(busy, 15)
    work(at(busy, 22, 30, day=NOW.date()))
    assert not open_offers()
    assert FreedTime.objects.get().look_at == at(busy, 8)
    work(at(busy, 8))
    assert len(open_offers()) == 1


@pytest.mark.django_db
def test_what_begins_before_the_morning_is_left_alone(busy, clock) -> None:
    busy.here.opens_at = time(7)
    busy.here.save()
    waits(busy)
    clock.move_to(at(busy, 22, day=NOW.date()))
    given_up(busy, 7)
    work(at(busy, 22, 30, day=NOW.date()))
    assert not WaitingOffer.objects.exists()
    assert FreedTime.objects.get().settled_at is not None


@pytest.mark.django_db
def test_by_hand_nothing_goes_out_by_itself(cast) -> None:
    waits(cast)
    given_up(cast)
    work(after(4))
    assert not WaitingOffer.objects.exists()
    assert FreedTime.objects.open(after(4)).still_free().count() == 1
    work(at(cast, 10, 1))
    assert FreedTime.objects.get().settled_at is not None


@pytest.mark.django_db
def test_who_cannot_be_offered_it_is_passed_over(busy, clock) -> None:
    """Busy at that time, out of reach, or booked otherwise since."""
    elsewhere = waits(busy, "Elsewhere")
    clock.shift(1)
    waits(busy, make_patient(busy.here, "No", "Address"))
    clock.shift(1)
    met = waits(busy, "Met")
    clock.shift(1)
    last = waits(busy, "Last")
    clock.shift(1)
    booked(
        busy,
        10,
        patient=elsewhere.patient,
        practitioner=busy.colleague,
        service=busy.treatment,
    )
    booked(busy, 16, patient=met.patient)
    given_up(busy)
    work(after(5))
    assert [offer.entry for offer in open_offers()] == [last]


@pytest.mark.django_db
def test_a_time_that_the_desk_has_filled_is_not_offered(busy) -> None:
    waits(busy)
    given_up(busy)
    booked(busy)
    work(after(4))
    assert not WaitingOffer.objects.exists()


@pytest.mark.django_db
def test_a_sooner_time_gives_up_the_later_one_and_so_on(busy, clock) -> None:
    later = booked(busy, 16, patient=busy.patient)
    entry = waits(busy, instead_of=later)
    clock.shift(1)
    other = waits(busy, "Other", earliest=time(15))
    given_up(busy)
    work(after(4))
    offer = WaitingOffer.objects.get(entry=entry)
    assert accept(offer=offer, at=after(5)) == later == accept(offer=offer, at=after(6))
    later.refresh_from_db()
    assert (later.starts_at, later.status) == (at(busy, 10), "booked")
    assert WaitingEntry.objects.get(pk=entry.pk).appointment == later
    assert Appointment.objects.live().filter(patient=busy.patient).count() == 1
    clock.move_to(after(5))
    work(after(9))
    assert [offer.entry for offer in open_offers()] == [other]


@pytest.mark.django_db
def test_the_desk_moves_the_visit_they_have_and_gives_up_one_of_another_kind(cast) -> None:
    later = booked(cast, 16, patient=cast.patient)
    entry = waits(cast, instead_of=later)
    wish = {"by": cast.front_desk, "practitioner": cast.practitioner, "at": NOW}
    for _click in range(2):
        made = book_waiting(entry=entry, starts_at=at(cast, 9), key=uuid.uuid4(), **wish)
        assert (made, made.starts_at) == (later, at(cast, 9))
    other = waits(cast, service=cast.treatment, instead_of=later)
    made = book_waiting(entry=other, starts_at=at(cast, 8), key=uuid.uuid4(), **wish)
    later.refresh_from_db()
    assert (made.service, later.status) == (cast.treatment, "cancelled")


@pytest.mark.django_db
def test_what_a_course_would_refuse_is_not_even_offered(cast, monkeypatch) -> None:
    def gap(*, by: Any, appointment: Appointment, reason: str) -> None:
        raise ReasonWanted("too early for its course", may_give=False)

    later = booked(cast, 16, patient=cast.patient)
    entry = waits(cast, instead_of=later)
    with monkeypatch.context() as patch:
        patch.setattr(hooks, "_moving", [gap])
        with pytest.raises(ActionRefused, match="too early for its course"):
            offered(cast, entry=entry)
    assert Appointment.objects.get() == later
    offered(cast, entry=entry)
    later.refresh_from_db()
    assert later.starts_at == at(cast, 16)
    assert not FreedTime.objects.exists()


# ---- answers -----------------------------------------------------------------------------------


def offered(cast: Cast, **more: Any) -> WaitingOffer:
    entry = more.pop("entry", None) or waits(cast)
    wish = {"starts_at": at(cast, 10), "practitioner": cast.practitioner, "at": NOW} | more
    return offer_time(by=cast.front_desk, entry=entry, **wish)


@pytest.mark.django_db
def test_answering_twice_changes_nothing(cast) -> None:
    offer = offered(cast)
    assert accept(offer=offer, at=after(1)) == accept(offer=offer, at=after(30))
    with pytest.raises(ActionRefused, match="already taken"):
        decline(offer=offer, at=after(2))
    assert Appointment.objects.get().status == "booked"


@pytest.mark.django_db
def test_after_the_hold_it_is_kindly_too_late_even_before_the_beat(cast) -> None:
    offer = offered(cast)
    with pytest.raises(ActionRefused, match="no longer held for you"):
        accept(offer=offer, at=offer.expires_at)
    end_due(at=offer.expires_at)
    with pytest.raises(ActionRefused, match="still on the waiting list"):
        accept(offer=offer, at=offer.expires_at)
    with pytest.raises(ActionRefused, match="This offer is over"):
        accept(offer=offer, at=offer.expires_at, by=cast.front_desk)


@pytest.mark.django_db
def test_the_desk_books_or_cancels_the_hold_in_the_diary(cast) -> None:
    first, second = offered(cast), offered(cast, entry=waits(cast, "B"), starts_at=at(cast, 11))
    set_status(by=cast.front_desk, appointment=first.appointment, status="booked")
    cancel(by=cast.front_desk, appointment=second.appointment, reason="needed")
    with pytest.raises(ActionRefused):
        accept(offer=second, at=after(1))
    work(after(1))
    found = {one.pk: (one.answer, one.entry.state) for one in WaitingOffer.objects.all()}
    assert found == {
        first.pk: (A.ACCEPTED, S.BOOKED),
        second.pk: (A.TAKEN_BACK, S.WAITING),
    }


@pytest.mark.django_db
def test_leaving_the_list_frees_the_hold(cast) -> None:
    offer = offered(cast)
    withdraw(by=cast.front_desk, entry=offer.entry, at=after(1))
    offer.refresh_from_db()
    assert (offer.answer, offer.appointment.status) == (A.TAKEN_BACK, "cancelled")
    assert WaitingEntry.objects.get().state == S.WITHDRAWN
    other = offered(cast, entry=waits(cast, "B"))
    decline(offer=other, at=after(2), leave=True)
    assert WaitingEntry.objects.get(pk=other.entry_id).state == S.WITHDRAWN


@pytest.mark.django_db
def test_booked_by_phone_while_an_offer_is_out(cast) -> None:
    offer = offered(cast)
    key = uuid.uuid4()
    wish = {"starts_at": at(cast, 10), "practitioner": cast.practitioner, "at": after(1)}
    made = book_waiting(by=cast.front_desk, entry=offer.entry, key=key, **wish)
    again = book_waiting(by=cast.front_desk, entry=offer.entry, key=key, **wish)
    assert (made.status, again) == ("booked", made)
    with pytest.raises(ActionRefused, match="already been booked from the list"):
        book_waiting(by=cast.manager, entry=offer.entry, key=uuid.uuid4(), **wish)
    with pytest.raises(ActionRefused, match="no longer held"):
        accept(offer=offer, at=after(2))


@pytest.mark.django_db
def test_a_refused_booking_leaves_the_offer_as_it_is(cast) -> None:
    offer = offered(cast)
    booked(cast, 12)
    with pytest.raises(ActionRefused):
        book_waiting(
            by=cast.front_desk,
            entry=offer.entry,
            starts_at=at(cast, 12),
            practitioner=cast.practitioner,
            at=after(1),
        )
    offer.refresh_from_db()
    assert (offer.answer, offer.appointment.status) == (A.NONE, "held")


@pytest.mark.django_db
def test_too_soon_to_wait_for_an_answer(cast) -> None:
    with pytest.raises(ActionRefused, match="too soon"):
        offered(cast, at=at(cast, 9, 45))
    assert not Appointment.objects.exists()


@pytest.mark.django_db
def test_the_database_keeps_one_open_offer_and_one_entry_each(cast) -> None:
    offer = offered(cast)
    other = booked(cast, 14)
    with pytest.raises(IntegrityError, match="one_open_offer_each"), transaction.atomic():
        WaitingOffer.objects.create(
            entry=offer.entry, patient=cast.patient, appointment=other, expires_at=NOW
        )
    with pytest.raises(ActionRefused, match="already waiting"):
        waits(cast)
    for wrong in (
        {"until_date": date(2020, 1, 1)},
        {"earliest": time(12), "latest": time(11)},
        {"notice_hours": 721},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            waits(cast, f"X{uuid.uuid4().hex[:6]}", **wrong)


# ---- at the same moment ------------------------------------------------------------------------


def at_once(jobs: list[Callable[[], str]], crowd: Crowd | None = None) -> Counter[str]:
    answers = (crowd or Crowd()).run(jobs)
    return Counter("refused" if isinstance(one, ActionRefused) else one for one in answers)


def agrees() -> bool:
    """Each accepted offer has a booked visit and a booked entry, every other one has neither."""
    return all(
        (offer.answer == A.ACCEPTED)
        == (offer.appointment.status == "booked")
        == (offer.entry.state == S.BOOKED)
        for offer in WaitingOffer.objects.select_related("appointment", "entry")
        if offer.answer != A.NONE
    )


ROUNDS = 8


def race(
    cast: Cast, number: int, crowd: Crowd | None = None, looked: Event | None = None
) -> Counter[str]:
    """The patient answers in the very moment in which the hold ends, and two workers end it.

    `looked`: the answer comes when a worker has looked.
    """
    offer = offered(cast, entry=waits(cast, f"R{number}"), starts_at=at(cast, 9 + number))
    last = offer.expires_at - timedelta(seconds=1)

    def answer() -> str:
        if looked:
            looked.wait(PATIENCE_S)
        accept(offer=offer, at=last)
        return "accepted"

    def end() -> str:
        end_due(at=offer.expires_at)
        return "ended"

    return at_once([answer, end, end], crowd)


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_end_of_the_hold_never_both_count(cast) -> None:
    for number in range(ROUNDS):
        race(cast, number)
    end_due(at=after(60))
    assert agrees()
    assert not open_offers()


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_both_would_count(cast, monkeypatch) -> None:
    """The negative control: an end that looks without a lock overwrites the answer."""
    crowd, looked = Crowd(), Event()

    def blunt(pk: int, moment: datetime) -> None:
        seen = WaitingOffer.objects.get(pk=pk).answer
        looked.set()
        crowd.stand()
        if seen == A.NONE:
            WaitingOffer.objects.filter(pk=pk).update(answer=A.EXPIRED, answered_at=moment)
            WaitingEntry.objects.filter(offers__pk=pk).update(state=S.WAITING)

    monkeypatch.setattr(working, "_end", blunt)
    race(cast, 0, crowd, looked)
    assert not agrees()


@pytest.mark.django_db(transaction=True)
def test_two_desks_and_a_patient_take_one_time_once(cast) -> None:
    first, second = waits(cast, "First"), waits(cast, "Second")
    offer = offered(cast, entry=first)

    def phoned(entry: WaitingEntry) -> Callable[[], str]:
        def job() -> str:
            book_waiting(
                by=cast.front_desk,
                entry=entry,
                starts_at=at(cast, 10),
                practitioner=cast.practitioner,
                at=after(1),
                key=uuid.uuid4(),
            )
            return "booked"

        return job

    def answered() -> str:
        accept(offer=offer, at=after(1))
        return "booked"

    got = at_once([phoned(first), phoned(first), phoned(second), answered, answered])
    live = Appointment.objects.live().filter(starts_at=at(cast, 10))
    assert live.count() == 1
    assert got["booked"] in (1, 2)  # the patient's own double click is one visit
    assert WaitingEntry.objects.filter(state=S.BOOKED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_four_workers_offer_a_time_once(busy) -> None:
    for name in ("One", "Two", "Three"):
        waits(busy, name)
    for hour in (10, 11, 12):
        given_up(busy, hour)

    def tick() -> str:
        work(after(4))
        return "done"

    assert at_once([tick] * 4) == {"done": 4}
    assert len(open_offers()) == 3
    assert len({offer.freed_id for offer in open_offers()}) == 3
    assert Appointment.objects.filter(status="held").count() == 3


@pytest.mark.django_db
def test_one_that_breaks_does_not_hold_up_the_others(busy, monkeypatch) -> None:
    waits(busy, "One")
    broken, good = given_up(busy, 10), given_up(busy, 11)
    whole = working._next_offer

    def breaks(freed: FreedTime, moment: datetime) -> Any:
        if freed.pk == broken.pk:
            raise ZeroDivisionError
        return whole(freed, moment)

    monkeypatch.setattr(working, "_next_offer", breaks)
    with pytest.raises(ZeroDivisionError):
        offer_freed(at=after(4))
    assert [offer.freed for offer in open_offers()] == [good]


# ---- the desk's pages --------------------------------------------------------------------------


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"waiting:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
def test_from_a_refused_booking_onto_the_list(cast, client_for) -> None:
    booked(cast)
    client = client_for(cast.front_desk)
    sent = {
        "patient": cast.patient.number,
        "service": cast.consultation.pk,
        "date": DAY.isoformat(),
        "time": "10:00",
        "practitioner": cast.practitioner.pk,
        "room": "any",
        "key": uuid.uuid4(),
    }
    refused = client.post("/diary/book/", sent)
    there = f"/patients/{cast.patient.number}/waiting/add/"
    assert there in refused.content.decode()
    form = client.get(
        there, {"service": cast.consultation.pk, "practitioner": cast.practitioner.pk}
    ).content.decode()
    assert f'<option value="{cast.practitioner.pk}" selected>' in form
    made = client.post(
        there,
        {
            "service": cast.consultation.pk,
            "weekdays": [1, 3],
            "earliest": "09:00",
            "from_date": DAY.isoformat(),
            "notice_hours": 3,
        },
    )
    entry = WaitingEntry.objects.get()
    assert made["Location"] == f"/waiting/{entry.pk}/"
    assert (entry.weekdays, entry.made_by) == ([1, 3], cast.front_desk)
    assert "Tuesday, Thursday · from 09:00 · 3 hours of notice" in page(client, "list")
    assert "MARTIN" in page(client, "list", service=cast.consultation.pk)
    assert "MARTIN" not in page(client, "list", practitioner=cast.colleague.pk)
    assert "MARTIN" not in page(client, "list", show="booked")


@pytest.mark.django_db
def test_a_form_that_is_wrong_says_so(cast, client_for) -> None:
    there = f"/patients/{cast.patient.number}/waiting/add/"
    answer = client_for(cast.front_desk).post(
        there,
        {
            "service": cast.treatment.pk,
            "earliest": "12:00",
            "latest": "11:00",
            "from_date": "2026-05-19",
            "until_date": "2026-05-18",
            "notice_hours": "x",
            "practitioner": cast.practitioner2.pk,
        },
    )
    assert answer.status_code == 422
    assert not WaitingEntry.objects.exists()


@pytest.mark.django_db
def test_the_desk_fills_a_cancellation_by_phone(cast, client_for) -> None:
    waits(cast, "Alone", practitioner=cast.colleague)
    entry = waits(cast)
    freed = given_up(cast)
    client = client_for(cast.front_desk)
    assert "1 person is waiting for this time" in page(client, "today")
    shown = page(client, "freed", freed.pk)
    assert "MARTIN" in shown
    assert "Alone" not in shown
    value = f"{DAY}T10:00|{cast.practitioner.pk}"
    sent = {"time": value, "key": uuid.uuid4(), "freed": freed.pk}
    made = client.post(f"/waiting/{entry.pk}/book/", sent)
    again = client.post(f"/waiting/{entry.pk}/book/", sent)
    assert made["Location"] == again["Location"]
    assert Appointment.objects.live().get().patient == cast.patient
    assert "waiting for this time" not in page(client, "today")


@pytest.mark.django_db
def test_the_desk_offers_by_message_and_sees_what_comes_of_it(cast, client_for) -> None:
    entry, freed = waits(cast), given_up(cast)
    client = client_for(cast.front_desk)
    client.post(
        f"/waiting/{entry.pk}/offer/",
        {"time": f"{DAY}T10:00|{cast.practitioner.pk}", "freed": freed.pk},
    )
    (offer,) = open_offers()
    assert "held until 10:15" in page(client, "today")
    assert "They take it" in page(client, "entry", entry.pk)
    assert "offered 18-May-2026 10:00 by Fleur Petit" in page(client, "freed", freed.pk)
    client.post(f"/waiting/offers/{offer.pk}/", {"answer": "declined"})
    assert "Declined" in page(client, "entry", entry.pk)
    assert "1 person is waiting" in page(client, "today")
    client.post(f"/waiting/freed/{freed.pk}/leave/")
    assert "waiting for this time" not in page(client, "today")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent", ["", "x", f"{DAY}T10:00|", f"{DAY}T10:00|any", "2026-03-29T02:30|1"]
)
def test_a_button_that_nobody_has_does_nothing(cast, client_for, sent) -> None:
    entry = waits(cast)
    client = client_for(cast.front_desk)
    for name in ("book", "offer"):
        answer = client.post(f"/waiting/{entry.pk}/{name}/", {"time": sent})
        assert answer["Location"] == f"/waiting/{entry.pk}/"
    assert not Appointment.objects.exists()


@pytest.mark.django_db
def test_times_of_another_location_s_people_and_freed_rows_are_not_taken(cast, client_for) -> None:
    entry = waits(cast)
    client = client_for(cast.front_desk)
    client.post(f"/waiting/{entry.pk}/book/", {"time": f"{DAY}T10:00|{cast.practitioner2.pk}"})
    assert not Appointment.objects.exists()
    for name in ("entry", "change"):
        there = reverse(f"waiting:{name}", args=[entry.pk])
        assert client_for(cast.front_desk2).get(there).status_code == 404
    freed = given_up(cast)
    assert client_for(cast.front_desk2).get(f"/waiting/freed/{freed.pk}/").status_code == 404
    assert client_for(cast.front_desk2).post(f"/waiting/freed/{freed.pk}/leave/").status_code == 404


@pytest.mark.django_db
def test_who_can_take_a_time_that_the_desk_names(cast, client_for) -> None:
    waits(cast)
    client = client_for(cast.front_desk)
    asked = {"date": DAY, "time": "10:00", "minutes": 30, "practitioner": cast.practitioner.pk}
    assert "MARTIN" in page(client, "takers", **asked)
    assert "Nobody waits" in page(client, "takers", **asked | {"minutes": 20})
    assert "There is a problem" in page(client, "takers", **asked | {"time": "25:00"})


@pytest.mark.django_db
def test_lists_cost_the_same_for_one_and_for_three(cast, client_for) -> None:
    client = client_for(cast.front_desk)

    def cost(name: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, name)
        return len(queries)

    waits(cast, "One")
    given_up(cast, 10)
    cost("list")  # the first page of a person asks who they are
    before = [cost("list"), cost("today")]
    for name in ("Two", "Three"):
        waits(cast, name)
    given_up(cast, 11)
    given_up(cast, 12)
    assert [cost("list"), cost("today")] == before


# ---- the patient's page ------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_patient_takes_it_on_their_page(cast) -> None:
    offer, browser = offered(cast), Browser(cast.patient)
    home = reverse("my-offers:panel", args=[browser.token])
    there = reverse("my-offers:offer", args=[browser.token, offer.pk])
    assert "It is held for you until 10:15" in browser.client.get(home).content.decode()
    for method in ("get", "head"):
        assert getattr(browser.client, method)(there).status_code == 200
    assert Appointment.objects.get().status == "held"
    assert browser.client.post(there, {"answer": "perhaps"}).status_code == 302
    assert Appointment.objects.get().status == "held"
    for _click in range(2):
        answer = browser.client.post(there, {"answer": "accept"}, follow=True).content.decode()
    assert "Your visit is booked" in answer
    assert Appointment.objects.get().status == "booked"
    other = Browser(person(cast, "Other"))
    there = reverse("my-offers:offer", args=[other.token, offer.pk])
    assert other.client.get(there).status_code == 404
    assert other.client.post(there, {"answer": "accept"}).status_code == 404


@pytest.mark.django_db
def test_too_late_is_said_kindly(cast, clock) -> None:
    offer = offered(cast)
    clock.move_to(offer.expires_at)
    browser = Browser(cast.patient)
    there = reverse("my-offers:offer", args=[browser.token, offer.pk])
    assert "We could not wait any longer" in browser.client.get(there).content.decode()
    answer = browser.client.post(there, {"answer": "accept"}, follow=True).content.decode()
    assert "no longer held for you" in answer
