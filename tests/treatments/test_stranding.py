"""Changes that would leave appointments behind: asked about, made anyway, listed until moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.places import actions
from clinic.places.device_kinds import DEVICE_KINDS
from clinic.places.models import Device, Location, LocationDay, WorkingHours
from clinic.places.stranding import Concerned, Stranding
from tests.at_once import PATIENCE_S, Crowd
from tests.clinic.test_places import LOCATION
from tests.conftest import Cast, make_patient, make_staff
from treatments.catalogue.models import Technique
from treatments.diary import candidates
from treatments.diary.absences import add_absence
from treatments.diary.actions import book, cancel, move
from treatments.diary.fit import Reason, left_behind, misfits
from treatments.diary.models import Appointment, Block
from treatments.diary.slots import instant

DAY = date(2026, 5, 19)  # a Tuesday
NOW = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def device(cast) -> Device:
    return Device.objects.create(
        location=cast.here, kind="mesogun", make="U225", model="B", serial_number="SN 1"
    )


@pytest.fixture
def visit(cast, device) -> Appointment:
    """Ten o'clock on Tuesday, on a device."""
    cast.treatment.device_kind = "mesogun"
    cast.treatment.save()
    return booked(cast)


def booked(cast: Cast, hour: int = 10, **wish: Any) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.treatment,
        "starts_at": instant(DAY, time(hour), cast.here.zone),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


def of_location(cast: Cast, **values: Any) -> dict[str, Any]:
    as_it_is = {"name": "Rive Gauche", "opens_at": "08:00", "closes_at": "20:00"}
    return LOCATION | as_it_is | values


def of_staff(cast: Cast, **values: Any) -> dict[str, Any]:
    return {
        "name": "Ada Rossi",
        "email": cast.practitioner.email,
        "role": "practitioner",
        "registration_number": "RPPS 1",
        "language": "en",
        "is_active": "on",
        "locations": [cast.here.pk],
    } | values


def of_service(cast: Cast, **values: Any) -> dict[str, Any]:
    return {
        "name_en": "Treatment session",
        "name_fr": "Séance",
        "kind": "session",
        "role": "practitioner",
        "minutes": "45",
        "before_minutes": "0",
        "after_minutes": "0",
        "room_kind": "",
        "device_kind": "mesogun",
        "is_active": "on",
    } | values


def of_device(**values: Any) -> dict[str, Any]:
    return {"kind": "mesogun", "make": "U225", "model": "B", "serial_number": "SN 1"} | values


def without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


DAYS_OFF = {"first": "2026-05-18", "last": "2026-05-22"}
CHANGES: dict[str, tuple[Callable[[Cast, Device], tuple[str, dict[str, Any]]], Reason]] = {
    "earlier closing": (
        lambda c, d: (f"locations/{c.here.pk}/", of_location(c, closes_at="10:30")),
        Reason.CLOSED,
    ),
    "a closed weekday": (
        lambda c, d: (f"locations/{c.here.pk}/", of_location(c, closed_weekdays=["1"])),
        Reason.CLOSED,
    ),
    "another time zone": (
        lambda c, d: (f"locations/{c.here.pk}/", of_location(c, timezone="America/New_York")),
        Reason.CLOSED,
    ),
    "a closed day": (
        lambda c, d: (f"locations/{c.here.pk}/days/", {"day": "2026-05-19", "off": "on"}),
        Reason.CLOSED,
    ),
    "a closed week": (lambda c, d: (f"locations/{c.here.pk}/closed/", DAYS_OFF), Reason.CLOSED),
    "weekly hours": (
        lambda c, d: (
            f"staff/{c.practitioner.pk}/hours/",
            {"day1-0-from": "14:00", "day1-0-until": "18:00"},
        ),
        Reason.OFF_DUTY,
    ),
    "a day off": (
        lambda c, d: (f"staff/{c.practitioner.pk}/days/", {"day": "2026-05-19", "off": "on"}),
        Reason.OFF_DUTY,
    ),
    "leave": (lambda c, d: (f"staff/{c.practitioner.pk}/leave/", DAYS_OFF), Reason.AWAY),
    "a person gone": (
        lambda c, d: (f"staff/{c.practitioner.pk}/", without(of_staff(c), "is_active")),
        Reason.PRACTITIONER_GONE,
    ),
    "another role": (
        lambda c, d: (f"staff/{c.practitioner.pk}/", of_staff(c, role="front_desk")),
        Reason.PRACTITIONER_GONE,
    ),
    "a room gone": (
        lambda c, d: (f"rooms/{c.room.pk}/", {"name": "Rive Gauche 1", "kind": "treatment"}),
        Reason.ROOM_GONE,
    ),
    "a room out of service": (
        lambda c, d: (f"rooms/{c.room.pk}/outage/", {"first": "2026-05-19"}),
        Reason.ROOM_BLOCKED,
    ),
    "a service for other rooms": (
        lambda c, d: (
            f"services/{c.treatment.pk}/",
            of_service(c, room_kind="consultation"),
        ),
        Reason.ROOM_KIND,
    ),
    "a service for other devices": (
        lambda c, d: (f"services/{c.treatment.pk}/", of_service(c, device_kind="jet")),
        Reason.DEVICE_KIND,
    ),
    "a service done by others": (
        lambda c, d: (f"services/{c.treatment.pk}/", of_service(c, role="front_desk")),
        Reason.PRACTITIONER_GONE,
    ),
    "a device gone": (lambda c, d: (f"devices/{d.pk}/", of_device()), Reason.DEVICE_GONE),
    "a device of another kind": (
        lambda c, d: (f"devices/{d.pk}/", of_device(kind="jet", is_active="on")),
        Reason.DEVICE_KIND,
    ),
    "a device out of service": (
        lambda c, d: (f"devices/{d.pk}/outage/", {"first": "2026-05-18"}),
        Reason.DEVICE_BLOCKED,
    ),
}


def unfit(cast: Cast) -> dict[int, list[Reason]]:
    return misfits(Concerned(location=cast.here), NOW)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_lists_what_it_strands_and_asks(cast, client_for, visit, device, name) -> None:
    make, reason = CHANGES[name]
    path, sent = make(cast, device)
    client = client_for(cast.manager)
    asked = client.post(f"/settings/{path}", sent)
    page = asked.content.decode()
    assert asked.status_code == 422
    assert "1 appointment would no longer fit" in page
    assert "MARTIN, Élodie" in page
    assert f"/diary/{visit.pk}/move/" in page
    assert f'name="known" value="{visit.pk}"' in page
    assert unfit(cast) == {}, "changed though it was only asked about"
    done = client.post(f"/settings/{path}", sent | {"known": str(visit.pk)})
    assert done.status_code == 302
    assert unfit(cast) == {visit.pk: [reason]}
    visit.refresh_from_db()
    assert visit.status == "booked"
    listed = client.get("/diary/to-move/").content.decode()
    assert "MARTIN, Élodie" in listed
    assert f"/diary/{visit.pk}/move/" in listed
    assert "1 appointment to be moved" in client.get("/diary/to-move/panel/").content.decode()
    cancel(by=cast.front_desk, appointment=visit, reason="Told.")
    assert "MARTIN" not in client.get("/diary/to-move/").content.decode()


def test_a_change_that_strands_nothing_is_made_at_once(cast, client_for, visit) -> None:
    sent = of_location(cast, closes_at="19:00", closed_weekdays=["6"])
    assert client_for(cast.manager).post(f"/settings/locations/{cast.here.pk}/", sent).status_code
    cast.here.refresh_from_db()
    assert (cast.here.closes_at, cast.here.closed_weekdays) == (time(19), [6])


def test_a_public_holiday_strands_what_is_booked_on_it(cast, client_for) -> None:
    whit_monday = instant(date(2026, 5, 25), time(10), cast.here.zone)
    booked(cast, starts_at=whit_monday)
    sent = of_location(cast, closes_on_holidays="on")
    response = client_for(cast.manager).post(f"/settings/locations/{cast.here.pk}/", sent)
    assert response.status_code == 422
    assert "is closed then" in response.content.decode()


def test_moving_takes_it_off_the_list(cast, visit) -> None:
    add_absence(
        by=cast.manager,
        thing=cast.practitioner,
        location=cast.here,
        first=DAY,
        last=DAY,
        at=NOW,
        known=[visit.pk],
    )
    assert unfit(cast) == {visit.pk: [Reason.AWAY]}
    move(
        by=cast.front_desk,
        appointment=visit,
        starts_at=visit.starts_at,
        practitioner=cast.colleague,
    )
    assert unfit(cast) == {}


def test_what_is_stranded_already_is_not_asked_about_again(cast, visit) -> None:
    WorkingHours.objects.create(
        staff=cast.practitioner, location=cast.here, weekday=0, starts_at=time(9), ends_at=time(12)
    )
    assert list(unfit(cast)) == [visit.pk]
    room = visit.room
    actions.save_room(
        by=cast.manager, location=cast.here, room=room, name="X", kind="treatment", is_active=False
    )
    assert unfit(cast)[visit.pk] == [Reason.OFF_DUTY, Reason.ROOM_GONE]


def test_a_booking_made_after_the_question_is_asked_about_too(cast, client_for, visit) -> None:
    client = client_for(cast.manager)
    url = f"/settings/staff/{cast.practitioner.pk}/leave/"
    assert client.post(url, DAYS_OFF).status_code == 422
    later = booked(cast, 15, patient=make_patient(cast.here, "Late", "Comer"))
    again = client.post(url, DAYS_OFF | {"known": str(visit.pk)})
    assert again.status_code == 422
    assert "2 appointments would no longer fit" in again.content.decode()
    assert not Block.objects.exists()
    both = client.post(url, DAYS_OFF | {"known": f"{visit.pk},{later.pk}"})
    assert both.status_code == 302


def test_thousands_can_be_confirmed_at_once(cast, client_for, visit) -> None:
    known = ",".join(str(visit.pk + number) for number in range(3_000))
    url = f"/settings/staff/{cast.practitioner.pk}/leave/"
    assert client_for(cast.manager).post(url, DAYS_OFF | {"known": known}).status_code == 302


@pytest.mark.parametrize("known", ["x", "-1", "9" * 40, "1;2", "²"])
def test_a_wrong_list_of_the_known_confirms_nothing(cast, client_for, visit, known: str) -> None:
    url = f"/settings/staff/{cast.practitioner.pk}/leave/"
    assert client_for(cast.manager).post(url, DAYS_OFF | {"known": known}).status_code == 422
    assert not Block.objects.exists()


def test_what_was_booked_over_hours_on_purpose_fits_until_something_new_comes(cast) -> None:
    Location.objects.filter(pk=cast.here.pk).update(allows_overlap=True)
    cast.here.refresh_from_db()
    add_absence(
        by=cast.manager, thing=cast.practitioner, location=cast.here, first=DAY, last=DAY, at=NOW
    )
    Block.objects.update(created_at=NOW - timedelta(days=1))
    visit = booked(cast, 21, overlap_reason="The patient flies tonight.")
    assert unfit(cast) == {}
    Block.objects.update(created_at=NOW + timedelta(days=1))
    assert unfit(cast) == {visit.pk: [Reason.AWAY]}


def test_what_is_over_given_up_or_under_way_is_not_listed(cast, visit) -> None:
    visit.room.is_active = False
    visit.room.save()
    for status in ("cancelled", "no_show", "arrived", "in_room", "done"):
        Appointment.objects.update(status=status)
        assert unfit(cast) == {}
    Appointment.objects.update(status="confirmed")
    assert list(unfit(cast)) == [visit.pk]
    assert misfits(Concerned(location=cast.here), visit.starts_at + timedelta(minutes=1)) == {}


def test_the_patients_of_other_locations_are_counted_and_not_named(cast, client_for) -> None:
    both = make_staff("Bea Both", "practitioner", cast.here, cast.there)
    visit = book(
        by=cast.front_desk2,
        location=cast.there,
        patient=cast.stranger,
        service=cast.treatment,
        starts_at=instant(DAY, time(10), cast.there.zone),
        practitioner=both,
    )
    client, url = client_for(cast.manager), f"/settings/staff/{both.pk}/leave/"
    page = client.post(url, DAYS_OFF).content.decode()
    assert "1 of them is at a location that is not yours" in page
    assert "KEEFE" not in page.upper()
    assert client.post(url, DAYS_OFF | {"known": str(visit.pk)}).status_code == 302


def test_removing_a_day_can_strand_too(cast, client_for) -> None:
    entry = LocationDay.objects.create(
        location=cast.here, day=DAY, opens_at=time(8), closes_at=time(22)
    )
    visit = booked(cast, 21)
    client, url = client_for(cast.manager), f"/settings/days/{entry.pk}/remove/"
    asked = client.post(url)
    assert asked.status_code == 422
    assert "MARTIN, Élodie" in asked.content.decode()
    assert LocationDay.objects.exists()
    assert client.post(url, {"known": str(visit.pk)}).status_code == 302
    assert unfit(cast) == {visit.pk: [Reason.CLOSED]}


def test_a_changed_service_changes_no_booked_appointment(cast, client_for, visit) -> None:
    times = (visit.starts_at, visit.ends_at, visit.practitioner_from, visit.room_until)
    sent = of_service(cast, minutes="60", before_minutes="20", after_minutes="10")
    client = client_for(cast.manager)
    assert client.post(f"/settings/services/{cast.treatment.pk}/", sent).status_code == 302
    visit.refresh_from_db()
    assert (visit.starts_at, visit.ends_at, visit.practitioner_from, visit.room_until) == times
    cast.treatment.refresh_from_db()
    assert (cast.treatment.minutes, cast.treatment.after_minutes) == (60, 10)


# ---- cost --------------------------------------------------------------------------------------


def many(cast: Cast, count: int) -> None:
    """That many visits, all of them outside the hours and each at its own time."""
    start = instant(DAY, time(2), cast.here.zone)
    Appointment.objects.bulk_create(
        Appointment(
            location=cast.here,
            patient=cast.patient,
            practitioner=(cast.practitioner, cast.colleague)[number % 2],
            room=cast.room,
            service=cast.treatment,
            starts_at=start + timedelta(days=number // 10, minutes=15 * (number % 10)),
            ends_at=start + timedelta(days=number // 10, minutes=15 * (number % 10) + 15),
        )
        for number in range(count)
    )


def test_a_hundred_times_as_many_take_the_same_queries(cast, client_for) -> None:
    client, counts = client_for(cast.front_desk), []
    client.get("/diary/to-move/")
    for rows in (3, 300):
        Appointment.objects.all().delete()
        many(cast, rows)
        with CaptureQueriesContext(connection) as queries:
            found = misfits(Concerned(location=cast.here), NOW)
        assert len(found) == rows
        with CaptureQueriesContext(connection) as page:
            assert client.get("/diary/to-move/").status_code == 200
        counts.append((len(queries), len(page)))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 10
    assert len(left_behind(found, 20)) == 20


# ---- at the same time --------------------------------------------------------------------------


def close_early(cast: Cast) -> str:
    """Another connection shortens the hours; how that went."""
    place = Location.objects.get(pk=cast.here.pk)
    values = {name: getattr(place, name) for name in actions.LOCATION_FIELDS}
    values["closes_at"] = time(9)
    try:
        actions.save_location(by=cast.manager, location=place, **values)
    except Stranding as stranding:
        return f"asked about {len(stranding.appointments)}"
    return "made"


def race(cast: Cast, starts_at: datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The hours are shortened after a booking has looked at them and before it is written."""
    crowd, looked, choose = Crowd(), Event(), candidates.choose

    def slowly(wish: Any) -> Any:
        chosen = choose(wish)
        looked.set()
        crowd.stand()
        return chosen

    monkeypatch.setattr("treatments.diary.actions.choose", slowly)

    def change() -> str:
        looked.wait(PATIENCE_S)
        return close_early(cast)

    def book() -> None:
        with transaction.atomic():
            booked(cast, starts_at=starts_at)

    return str(crowd.run([change, book])[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_a_booking_in_the_middle_of_a_change_is_seen(cast, monkeypatch, locked: bool) -> None:
    """Without the lock taken before looking, the change is made and the booking left behind."""
    if not locked:
        monkeypatch.setattr(candidates, "LOCK", "SELECT 1")
    outcome = race(cast, instant(DAY, time(15), cast.here.zone), monkeypatch)
    assert outcome == ("asked about 1" if locked else "made")


def test_the_lists_of_kinds_know_what_the_catalogue_asks_for(db) -> None:
    asked = set(Technique.objects.values_list("device_kind", flat=True)) - {""}
    assert asked <= set(DEVICE_KINDS)
