"""Each person, room and device is held for exactly the time it is needed, and blocks hold too."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from clinic.errors import ActionRefused
from clinic.places.models import DayHours, Device, LocationDay, WorkingHours
from tests.conftest import Cast, make_patient, make_staff
from tests.treatments.test_diary import DAY, at, booked, clock  # noqa: F401  (a fixture)
from treatments.diary.actions import Taken, book, cancel, move, set_status
from treatments.diary.blocks import Stranding, block, stranded_by, unblock
from treatments.diary.contention import broken_constraint
from treatments.diary.free import free_times
from treatments.diary.models import Appointment, Block, Service
from treatments.diary.slots import instant
from treatments.diary.visit import Visit

KEPT_OUT = "not_in_blocked_time"


@pytest.fixture
def gun(cast: Cast) -> Device:
    return Device.objects.create(
        location=cast.here, kind="mesogun", make="Gun", model="One", serial_number="S1"
    )


@pytest.fixture
def numbing(cast: Cast, gun: Device) -> Service:
    """An hour, of it 20 minutes of numbing; 15 minutes of cleaning after it; with a mesogun."""
    return Service.objects.create(
        kind="session",
        name_en="With numbing",
        name_fr="Avec anesthésie",
        minutes=60,
        before_minutes=20,
        after_minutes=15,
        device_kind="mesogun",
    )


def clock_time(cast: Cast, text: str) -> datetime:
    return instant(DAY, time.fromisoformat(text), cast.here.zone)


def patient_of(cast: Cast, given: str = "Ana"):
    return make_patient(cast.here, given, "López")


def held(cast: Cast, numbing: Service) -> Appointment:
    """Ada Rossi from 10:20 to 11:00, room 1 from 10:00 to 11:15, the gun from 10:20 to 11:15."""
    return booked(cast, service=numbing)


def write(cast: Cast, numbing: Service, times: str, **same: Any) -> Appointment:
    """Written past every check of ours: `start hands-on end clean`, sharing only what is given."""
    start, hands_on, end, clean = (clock_time(cast, part) for part in times.split())
    values = {
        "location": cast.here,
        "service": numbing,
        "patient": patient_of(cast),
        "practitioner": cast.colleague,
        "room": cast.here.rooms.last(),
        "starts_at": start,
        "practitioner_from": None if hands_on == start else hands_on,
        "ends_at": end,
        "room_until": None if clean == end else clean,
    } | same
    with transaction.atomic():
        return Appointment.objects.create(**values)


SHARED = {
    "practitioner_not_twice": "practitioner",
    "room_not_twice": "room",
    "device_not_twice": "device",
    "patient_not_twice": "patient",
}
TOUCHING = [
    ("practitioner_not_twice", "09:50 09:50 10:20 10:20", "09:50 09:50 10:21 10:21"),
    ("practitioner_not_twice", "11:00 11:00 11:30 11:30", "10:59 10:59 11:30 11:30"),
    ("practitioner_not_twice", "10:30 11:00 11:30 11:30", "10:30 10:59 11:30 11:30"),
    ("practitioner_not_twice", "09:00 09:00 10:00 11:30", "09:00 09:00 10:25 11:30"),
    ("room_not_twice", "09:30 09:30 10:00 10:00", "09:30 09:30 10:01 10:01"),
    ("room_not_twice", "09:00 09:00 09:45 10:00", "09:00 09:00 09:45 10:01"),
    ("room_not_twice", "11:15 11:15 11:45 11:45", "11:14 11:14 11:45 11:45"),
    ("room_not_twice", "11:15 11:20 11:45 11:45", "11:14 11:20 11:45 11:45"),
    ("device_not_twice", "09:50 09:50 10:20 10:20", "09:50 09:50 10:21 10:21"),
    ("device_not_twice", "09:30 09:30 10:00 10:20", "09:30 09:30 10:00 10:21"),
    ("device_not_twice", "10:45 11:15 11:45 11:45", "10:45 11:14 11:45 11:45"),
    ("patient_not_twice", "09:30 09:30 10:00 10:30", "09:30 09:30 10:01 10:01"),
    ("patient_not_twice", "11:00 11:00 11:30 11:30", "10:59 11:20 11:30 11:30"),
]


@pytest.mark.parametrize(("constraint", "beside", "into"), TOUCHING)
def test_the_database_holds_each_for_the_time_it_is_needed(
    cast, numbing, constraint: str, beside: str, into: str
) -> None:
    first = held(cast, numbing)
    shared = {SHARED[constraint]: getattr(first, SHARED[constraint])}
    with pytest.raises(IntegrityError) as refused:
        write(cast, numbing, into, **shared)
    assert broken_constraint(refused.value) == constraint
    assert write(cast, numbing, beside, **shared).pk


@pytest.mark.parametrize(("constraint", "_beside", "into"), TOUCHING)
@pytest.mark.parametrize("status", Appointment.GIVEN_UP)
def test_what_is_given_up_holds_nothing(
    cast, numbing, constraint: str, _beside: str, into: str, status: str
) -> None:
    first = held(cast, numbing)
    Appointment.objects.filter(pk=first.pk).update(status=status)
    assert write(cast, numbing, into, **{SHARED[constraint]: getattr(first, SHARED[constraint])}).pk


@pytest.mark.parametrize(
    ("times", "constraint"),
    [
        ("10:00 10:00 10:00 10:00", "appointment_ends_after_it_starts"),
        ("10:00 11:00 11:00 11:00", "appointment_preparation_within_visit"),
        ("10:00 09:59 11:00 11:00", "appointment_preparation_within_visit"),
        ("10:00 10:00 11:00 10:59", "appointment_room_until_end"),
    ],
)
def test_the_times_of_a_visit_make_sense(cast, numbing, times: str, constraint: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        write(cast, numbing, times)
    assert broken_constraint(refused.value) == constraint


# ---- booking -----------------------------------------------------------------------------------


def test_two_sessions_dovetail_while_the_second_patient_is_being_numbed(cast, numbing) -> None:
    Device.objects.create(
        location=cast.here, kind="mesogun", make="Gun", model="Two", serial_number="S2"
    )
    first = held(cast, numbing)
    other = patient_of(cast)
    with pytest.raises(Taken, match=r"Ada Rossi is already booked from 10:20 to 11:00\."):
        booked(cast, 10, 35, patient=other, service=numbing)
    second = booked(cast, 10, 40, patient=other, service=numbing)
    assert second.hands_on_at == first.ends_at
    assert (second.practitioner, second.room) == (first.practitioner, cast.here.rooms.last())
    assert second.device != first.device


def test_the_room_is_taken_while_it_is_cleaned_and_then_free(cast, numbing) -> None:
    first = held(cast, numbing)
    other = patient_of(cast)
    with pytest.raises(Taken, match=r"Rive Gauche 1 is already taken from 10:00 to 11:15\."):
        booked(cast, 11, 0, patient=other, room=first.room)
    assert booked(cast, 11, 15, patient=other, room=first.room).room == first.room


def test_the_only_device_is_named_with_the_time_until_when_it_is_needed(cast, numbing) -> None:
    held(cast, numbing)
    wish = {"practitioner": cast.colleague, "patient": patient_of(cast), "service": numbing}
    with pytest.raises(Taken) as refused:
        booked(cast, 10, 45, **wish)
    assert "Gun One (S1) is already taken from 10:20 to 11:15." in refused.value.message
    assert booked(cast, 11, 0, **wish).device.serial_number == "S1"


def test_any_device_of_the_kind_that_is_in_use(cast, numbing, gun) -> None:
    held(cast, numbing)
    others = [("needle_free", True, cast.here), ("mesogun", False, cast.here)]
    others.append(("mesogun", True, cast.there))
    Device.objects.bulk_create(
        Device(location=place, kind=kind, is_active=active, serial_number=f"N{number}")
        for number, (kind, active, place) in enumerate(others)
    )
    wish = {"practitioner": cast.colleague, "patient": patient_of(cast), "service": numbing}
    with pytest.raises(Taken, match="No device"):
        booked(cast, **wish)
    spare = Device.objects.create(
        location=cast.here, kind="mesogun", make="Gun", model="Two", serial_number="S2"
    )
    assert booked(cast, **wish).device == spare


def test_a_device_out_of_service_is_not_given_out(cast, numbing, gun) -> None:
    block(
        by=cast.manager,
        location=cast.here,
        device=gun,
        kind=Block.Kind.OUT_OF_SERVICE,
        starts_at=at(cast, 10, 30),
        ends_at=at(cast, 11),
    )
    with pytest.raises(Taken, match="No device"):
        booked(cast, service=numbing)
    assert booked(cast, 10, 40, service=numbing).device == gun  # the hands are on it from 11:00


def test_one_statement_chooses_and_one_writes(cast, numbing) -> None:
    cast.here.country  # noqa: B018  (fetched before)
    with CaptureQueriesContext(connection) as queries:
        booked(cast, service=numbing)
    mine = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(mine) == 2, mine  # chooses; writes, and is told whether it stands


def test_longer_and_shorter_by_minutes(cast, numbing) -> None:
    row = held(cast, numbing)
    wish = {"by": cast.front_desk, "appointment": row, "practitioner": row.practitioner_id}
    longer = move(starts_at=row.starts_at, minutes=90, **wish)
    assert (longer.ends_at, longer.hands_on_at, longer.clean_at) == (
        at(cast, 11, 30),
        at(cast, 10, 20),
        at(cast, 11, 45),
    )
    shorter = move(starts_at=row.starts_at, minutes=15, **wish)
    assert (shorter.ends_at, shorter.hands_on_at) == (at(cast, 10, 15), at(cast, 10, 10))
    for minutes in (0, 4, 481):
        with pytest.raises(ActionRefused, match="from 5 minutes to 8 hours"):
            move(starts_at=row.starts_at, minutes=minutes, **wish)
    booked(cast, 11, patient=patient_of(cast))
    with pytest.raises(Taken, match="Ada Rossi is already booked from 11:00 to 11:30"):
        move(starts_at=row.starts_at, minutes=90, **wish)
    row.refresh_from_db()
    assert row.ends_at == at(cast, 10, 15)


def test_a_visit_keeps_the_times_it_was_booked_with(cast, numbing) -> None:
    row = held(cast, numbing)
    Service.objects.filter(pk=numbing.pk).update(minutes=30, before_minutes=0, after_minutes=0)
    row = Appointment.objects.get(pk=row.pk)
    moved = move(
        by=cast.front_desk, appointment=row, starts_at=at(cast, 14), practitioner=row.practitioner
    )
    assert (moved.hands_on_at, moved.ends_at, moved.clean_at) == (
        at(cast, 14, 20),
        at(cast, 15),
        at(cast, 15, 15),
    )


# ---- blocked time ------------------------------------------------------------------------------


def blocked(cast: Cast, start: str = "12:00", end: str = "13:00", **wish: Any) -> Block:
    return block(
        by=cast.manager,
        location=cast.here,
        starts_at=clock_time(cast, start),
        ends_at=clock_time(cast, end),
        **wish,
    )


def of_kind(cast: Cast, gun: Device, kind: str) -> dict[str, Any]:
    things = {"staff": cast.practitioner, "room": cast.room, "device": gun}
    return {kind: things[kind]} if kind in things else {}


BLOCKED = [
    ("staff", "11:00 11:20 12:00 12:15", "11:00 11:20 12:01 12:15"),
    ("staff", "12:40 13:00 13:30 13:30", "12:40 12:59 13:30 13:30"),
    ("room", "11:00 11:20 11:45 12:00", "11:00 11:20 11:45 12:01"),
    ("room", "13:00 13:20 13:30 13:30", "12:59 13:20 13:30 13:30"),
    ("device", "11:00 11:20 11:45 12:00", "11:00 11:20 11:45 12:01"),
    ("device", "12:40 13:00 13:30 13:30", "12:40 12:59 13:30 13:30"),
    ("place", "11:00 11:20 12:00 12:15", "11:00 11:20 12:01 12:15"),
    ("place", "13:00 13:20 13:30 13:30", "12:59 13:20 13:30 13:30"),
]


@pytest.mark.parametrize(("kind", "beside", "into"), BLOCKED)
def test_the_database_keeps_bookings_out_of_blocked_time(
    cast, numbing, gun, kind: str, beside: str, into: str
) -> None:
    blocked(cast, **of_kind(cast, gun, kind))
    mine = {"practitioner": cast.practitioner, "room": cast.room, "device": gun}
    with pytest.raises(IntegrityError) as refused:
        write(cast, numbing, into, **mine)
    assert broken_constraint(refused.value) == KEPT_OUT
    row = write(cast, numbing, beside, **mine)
    start, hands_on, end, clean = (clock_time(cast, part) for part in into.split())
    moved = {
        "starts_at": start,
        "practitioner_from": hands_on if hands_on > start else None,
        "ends_at": end,
        "room_until": clean,
    }
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Appointment.objects.filter(pk=row.pk).update(**moved)
    assert broken_constraint(refused.value) == KEPT_OUT
    Appointment.objects.filter(pk=row.pk).update(status="cancelled")
    Appointment.objects.filter(pk=row.pk).update(**moved)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Appointment.objects.filter(pk=row.pk).update(status="booked")
    assert broken_constraint(refused.value) == KEPT_OUT


def test_another_persons_block_keeps_nobody_else_out(cast, numbing, gun) -> None:
    blocked(cast, staff=cast.colleague)
    blocked(cast, room=cast.here.rooms.last())
    block(
        by=cast.manager,
        location=cast.there,
        starts_at=at(cast, 12),
        ends_at=at(cast, 13),
    )
    assert booked(cast, 12, service=numbing).room == cast.room


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("staff", r"Ada Rossi: Leave from 12:00 to 13:00\."),
        ("room", r"Rive Gauche 1: Leave from 12:00 to 13:00\."),
        ("place", r"Rive Gauche: Leave from 12:00 to 13:00\."),
    ],
)
def test_a_block_is_named(cast, gun, kind: str, said: str) -> None:
    blocked(cast, kind=Block.Kind.LEAVE, **of_kind(cast, gun, kind))
    with pytest.raises(Taken, match=said):
        booked(cast, 12, 30, room=cast.room)


def test_a_block_of_several_days_says_which(cast) -> None:
    block(
        by=cast.manager,
        location=cast.here,
        staff=cast.practitioner,
        kind=Block.Kind.LEAVE,
        starts_at=at(cast, 12),
        ends_at=at(cast, 12, day=date(2026, 5, 26)),
    )
    with pytest.raises(Taken, match=r"Leave from 19 May 12:00 to 26 May 12:00\."):
        booked(cast, 15)


def test_a_closed_afternoon_that_touches_only_the_cleaning_is_not_in_the_way(cast, numbing) -> None:
    blocked(cast, "11:00", "13:00")
    held(cast, numbing)
    with pytest.raises(Taken) as refused:
        booked(cast, patient=patient_of(cast), service=numbing)
    assert "Blocked" not in refused.value.message


def test_what_is_booked_in_the_time_is_listed_first(cast, numbing, gun) -> None:
    row = held(cast, numbing)
    gone = booked(cast, 12, patient=patient_of(cast))
    cancel(by=cast.front_desk, appointment=gone, reason="ill")
    for kind in ("staff", "room", "device", "place"):
        with pytest.raises(Stranding) as refused:
            blocked(cast, "10:30", "13:00", **of_kind(cast, gun, kind))
        assert refused.value.appointments == [row]
    assert not Block.objects.exists()
    assert blocked(cast, "09:00", "10:20", staff=cast.practitioner).pk
    assert blocked(cast, "11:15", "12:00", room=row.room).pk
    with pytest.raises(ActionRefused, match="after the start"):
        blocked(cast, "12:00", "12:00")


def test_a_stranded_visit_goes_its_way_but_never_back_in(cast, numbing) -> None:
    row = held(cast, numbing)
    made = blocked(cast, "10:00", "13:00", staff=cast.practitioner, although_booked=True)
    assert list(stranded_by(made)) == [row]
    for status in ("confirmed", "arrived", "in_room"):
        row = set_status(by=cast.front_desk, appointment=row, status=status)
    assert list(stranded_by(made)) == [row]
    set_status(by=cast.front_desk, appointment=row, status="done")
    assert not stranded_by(made)
    other = booked(cast, 14, patient=patient_of(cast))
    blocked(cast, "14:00", "15:00", staff=cast.practitioner, although_booked=True)
    cancel(by=cast.front_desk, appointment=other, reason="ill")
    with pytest.raises(Taken, match="Ada Rossi: Blocked from 14:00 to 15:00"):
        set_status(by=cast.front_desk, appointment=other, status="booked")


def test_a_stranded_visit_moves_out_and_the_time_is_given_back(cast) -> None:
    row = booked(cast, 12)
    made = blocked(cast, staff=cast.practitioner, although_booked=True)
    wish = {"by": cast.front_desk, "appointment": row, "practitioner": cast.practitioner}
    with pytest.raises(Taken, match="Blocked from 12:00"):
        move(starts_at=at(cast, 12, 15), **wish)
    move(starts_at=at(cast, 13), **wish)
    assert not stranded_by(made)
    unblock(by=cast.manager, block=made)
    assert move(starts_at=at(cast, 12, 15), **wish).starts_at == at(cast, 12, 15)


# ---- on purpose --------------------------------------------------------------------------------


@pytest.fixture
def lenient(cast: Cast) -> Cast:
    cast.here.allows_overlap = True
    cast.here.save()
    return cast


def test_over_what_is_taken_only_where_allowed_and_with_a_reason(cast) -> None:
    booked(cast)
    other = patient_of(cast)
    with pytest.raises(ActionRefused, match="does not allow"):
        booked(cast, patient=other, overlap_reason="an emergency")
    cast.here.allows_overlap = True
    cast.here.save()
    with pytest.raises(Taken):
        booked(cast, patient=other, overlap_reason="   ")
    row = booked(cast, patient=other, overlap_reason=" an emergency " + "x" * 400)
    assert row.overlap_reason.startswith("an emergency x")
    assert len(row.overlap_reason) == 300


def test_never_the_same_patient_twice_whatever_the_reason(lenient) -> None:
    booked(lenient)
    with pytest.raises(Taken, match="The patient already has an appointment"):
        booked(lenient, practitioner=lenient.colleague, overlap_reason="please")


def test_what_was_booked_over_is_taken_for_everybody_else(lenient) -> None:
    first = booked(lenient)
    over = booked(lenient, patient=patient_of(lenient), overlap_reason="emergency")
    assert over.practitioner == first.practitioner
    cancel(by=lenient.front_desk, appointment=first, reason="ill")
    with pytest.raises(Taken, match="Ada Rossi is already booked"):
        booked(lenient, patient=patient_of(lenient, "Bo"))
    with pytest.raises(Taken, match="Ada Rossi is already booked"):
        set_status(by=lenient.front_desk, appointment=first, status="booked")


def test_a_slip_is_taken_back_beside_what_was_booked_over(lenient) -> None:
    first = booked(lenient)
    booked(lenient, patient=patient_of(lenient), overlap_reason="emergency")
    late = at(lenient, 10, 10)
    set_status(by=lenient.front_desk, appointment=first, status="no_show", at=late)
    row = set_status(by=lenient.front_desk, appointment=first, status="arrived", at=late)
    assert row.status == "arrived"


def test_over_blocked_and_closed_time_and_back_to_the_rules_when_moved(lenient) -> None:
    blocked(lenient, "10:00", "11:00")
    row = booked(lenient, overlap_reason="emergency")
    assert booked(lenient, 22, patient=patient_of(lenient), overlap_reason="late flight").pk
    moved = move(
        by=lenient.front_desk,
        appointment=row,
        starts_at=at(lenient, 12),
        practitioner=lenient.practitioner,
    )
    assert moved.overlap_reason == ""
    with pytest.raises(IntegrityError) as refused:
        write(
            lenient,
            lenient.treatment,
            "12:00 12:00 12:30 12:30",
            practitioner=lenient.practitioner,
        )
    assert broken_constraint(refused.value) == "practitioner_not_twice"


# ---- under 18 ----------------------------------------------------------------------------------


@pytest.fixture
def toxin(cast: Cast) -> Service:
    return Service.objects.create(
        kind="session", name_en="Toxin", name_fr="Toxine", minutes=30, adults_only=True
    )


def at_there(cast: Cast, toxin: Service, born: date, **wish: Any) -> Appointment:
    cast.there.country.adults_only_toxin_filler = True
    cast.there.country.save()
    return book(
        by=cast.front_desk2,
        location=cast.there,
        patient=make_patient(cast.there, "Kit", "Young", birth_date=born),
        service=toxin,
        starts_at=instant(DAY, time(10), cast.there.zone),
        practitioner=None,
        **wish,
    )


def test_under_18_nothing_that_the_law_keeps_from_it(cast, toxin) -> None:
    with pytest.raises(ActionRefused, match="Under 18"):
        at_there(cast, toxin, date(2008, 5, 20))  # 18 on the day after
    assert at_there(cast, toxin, date(2008, 5, 19)).directed_by is None  # 18 on the day itself


def test_a_doctor_may_direct_it_and_is_kept(cast, toxin) -> None:
    with pytest.raises(ActionRefused, match="registered practitioner"):
        at_there(cast, toxin, date(2009, 1, 1), directed_by=cast.front_desk2)
    row = at_there(cast, toxin, date(2009, 1, 1), directed_by=cast.practitioner2)
    assert row.directed_by == cast.practitioner2
    moved = move(
        by=cast.front_desk2,
        appointment=row,
        starts_at=row.starts_at + timedelta(hours=1),
        practitioner=None,
    )
    assert moved.directed_by == cast.practitioner2


def test_elsewhere_and_otherwise_there_is_no_such_rule(cast, toxin) -> None:
    young = make_patient(cast.here, "Kit", "Young", birth_date=date(2010, 1, 1))
    assert booked(cast, patient=young, service=toxin).pk
    cast.there.country.adults_only_toxin_filler = True
    cast.there.country.save()
    assert book(
        by=cast.front_desk2,
        location=cast.there,
        patient=young,
        service=cast.consultation,
        starts_at=instant(DAY, time(15), cast.there.zone),
        practitioner=None,
    ).pk


# ---- hours -------------------------------------------------------------------------------------


def works(cast: Cast, *hours: tuple[int, int], weekday: int = DAY.weekday()) -> None:
    for starts, ends in hours:
        WorkingHours.objects.create(
            staff=cast.practitioner,
            location=cast.here,
            weekday=weekday,
            starts_at=time(starts),
            ends_at=time(ends),
        )


def offered(cast: Cast, practitioner=None) -> set[str]:
    found = free_times(
        location=cast.here,
        day=DAY,
        visit=Visit.of_service(cast.consultation),
        after=at(cast, 0),
        practitioner_id=(practitioner or cast.practitioner).pk,
    )
    return {f"{free.start:%H:%M}" for free in found}


def test_off_duty(cast) -> None:
    works(cast, (9, 12), (14, 17))
    for hour, minute in ((8, 45), (11, 45), (12, 30), (13, 45), (16, 45)):
        with pytest.raises(ActionRefused, match=r"Ada Rossi does not work at this time\."):
            booked(cast, hour, minute)
    assert booked(cast, 11, 30).pk
    assert booked(cast, 14, patient=patient_of(cast)).pk
    assert booked(cast, 8, practitioner=None, patient=patient_of(cast)).practitioner == (
        cast.colleague
    )


def test_hours_that_touch_are_one_stretch(cast) -> None:
    works(cast, (9, 12), (12, 15))
    assert "11:45" in offered(cast)
    assert booked(cast, 11, 45).pk


def test_hours_of_another_weekday_are_not_of_this_one(cast) -> None:
    works(cast, (9, 12), weekday=(DAY.weekday() + 1) % 7)
    assert offered(cast) == set()
    with pytest.raises(ActionRefused, match="does not work"):
        booked(cast, 10)


def test_a_practitioner_may_come_when_the_numbing_is_over(cast, numbing) -> None:
    works(cast, (9, 12))
    with pytest.raises(ActionRefused, match="does not work"):
        booked(cast, 8, 35, service=numbing)
    assert booked(cast, 8, 40, service=numbing).hands_on_at == at(cast, 9)


def test_hours_of_one_day_go_before_the_weekly_ones(cast) -> None:
    works(cast, (9, 12))
    entry = DayHours.objects.create(
        staff=cast.practitioner, location=cast.here, day=DAY, starts_at=time(15), ends_at=time(17)
    )
    with pytest.raises(ActionRefused, match="does not work"):
        booked(cast, 10)
    assert booked(cast, 15).pk
    entry.starts_at = entry.ends_at = None
    entry.save()
    with pytest.raises(ActionRefused, match="does not work"):
        booked(cast, 16, patient=patient_of(cast))


def test_days_with_hours_of_their_own_and_closed_days_say_so(cast) -> None:
    entry = LocationDay.objects.create(
        location=cast.here, day=DAY, opens_at=time(10), closes_at=time(14)
    )
    with pytest.raises(ActionRefused, match="is open from 10:00 to 14:00; this visit would not"):
        booked(cast, 9, 45)
    assert booked(cast, 13, 30).pk
    entry.opens_at = entry.closes_at = None
    entry.save()
    with pytest.raises(ActionRefused, match=r"Rive Gauche is closed on that day\."):
        booked(cast, 12, patient=patient_of(cast))
    entry.delete()
    cast.here.closed_weekdays = [DAY.weekday()]
    cast.here.save()
    with pytest.raises(ActionRefused, match=r"Rive Gauche is closed on that day\."):
        booked(cast, 12, patient=patient_of(cast))


def test_a_visit_beyond_midnight_does_not_fit_in_a_day_of_its_own_hours(cast) -> None:
    LocationDay.objects.create(location=cast.here, day=DAY, opens_at=time(8), closes_at=time(20))
    long = Service.objects.create(kind="session", name_en="Long", name_fr="Longue", minutes=420)
    with pytest.raises(ActionRefused, match="is open from 08:00 to 20:00"):
        booked(cast, 18, service=long)  # its end, 01:00, is before 20:00 on the clock


def test_a_public_holiday_is_named_in_the_language_of_the_page(cast) -> None:
    cast.here.closes_on_holidays = True
    cast.here.save()
    bastille = at(cast, 10, day=date(2026, 7, 14))
    with pytest.raises(ActionRefused, match=r"closed on that day \(National Day\)"):
        booked(cast, starts_at=bastille)
    with translation.override("fr"), pytest.raises(ActionRefused, match=r"Fête nationale"):
        booked(cast, starts_at=bastille)
    LocationDay.objects.create(
        location=cast.here, day=date(2026, 7, 14), opens_at=time(9), closes_at=time(12)
    )
    assert booked(cast, starts_at=bastille).pk


def test_refusals_in_french(cast) -> None:
    booked(cast)
    with translation.override("fr"):
        with pytest.raises(Taken, match=r"Ada Rossi est déjà pris\(e\) de 10:00 à 10:30"):
            booked(cast, patient=patient_of(cast))
        with pytest.raises(ActionRefused, match="est ouvert de 08:00 à 20:00"):
            booked(cast, 7)


def test_someone_of_another_role_is_not_given_a_session(cast) -> None:
    nurse = make_staff("Nour Desk", "front_desk", cast.here)
    with pytest.raises(ActionRefused, match="does not work at this location"):
        booked(cast, practitioner=nurse)
    call = Service.objects.create(
        kind="review", name_en="Call", name_fr="Appel", minutes=15, role="front_desk"
    )
    assert booked(cast, service=call, practitioner=None).practitioner == cast.front_desk
