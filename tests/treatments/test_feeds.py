"""Calendar feeds: the right times, no name, and an address that can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from clinic.access.models import Membership, Staff
from clinic.access.permissions import Role
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.places.zones import changes, vtimezone
from tests.conftest import Cast, make_location, make_patient, make_staff
from treatments.diary.actions import cancel, move
from treatments.diary.models import Appointment, Block
from treatments.feeds.actions import close_feed, open_feed, set_shows
from treatments.feeds.limits import MOST_GUESSES, MOST_READINGS
from treatments.feeds.models import Feed

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ZONES = {
    "Europe/Paris": [(2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31)],
    "Europe/London": [(2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31)],
    "Asia/Beirut": [(2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31)],
    "America/Sao_Paulo": [],
}


def visit(cast: Cast, starts: datetime, minutes: int = 45, **fields: Any) -> Appointment:
    given = {"patient": cast.patient, "practitioner": cast.practitioner, "room": cast.room}
    given |= {"location": cast.here, "service": cast.treatment} | fields
    ends = starts + timedelta(minutes=minutes)
    return Appointment.objects.create(starts_at=starts, ends_at=ends, **given)


def opened(cast: Cast, subject: Any = None, shows: str = "initials") -> str:
    """The path of a fresh feed."""
    by = cast.manager if subject else cast.practitioner
    address = open_feed(by=by, subject=subject or cast.practitioner, shows=shows)
    return "/" + address.split("/", 3)[3]


def read(path: str) -> Calendar:
    response = Client().get(path)
    assert response.status_code == 200
    return Calendar.from_ical(response.content)


def events(calendar: Calendar) -> list[Any]:
    return sorted(calendar.walk("VEVENT"), key=lambda event: event["UID"])


@pytest.fixture(autouse=True)
def _at_a_known_time() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("at", ["2026-03-20", "2026-10-20", "2027-03-20", "2027-10-20"])
def test_local_times_are_right_across_each_change_of_the_clock(
    cast: Cast, name: str, at: str
) -> None:
    """Nine in the morning is nine in the morning, every day of a fortnight, by three readings."""
    place = make_location("Elsewhere", name)
    Membership.objects.create(staff=cast.practitioner, location=place)
    zone, wanted = ZoneInfo(name), []
    first = datetime.fromisoformat(at)
    for day in range(16):
        local = (first + timedelta(days=day)).replace(hour=9)
        starts = local.replace(tzinfo=zone).astimezone(UTC)
        visit(cast, starts, location=place, room=place.rooms.first())
        wanted.append((local, starts))
    with time_machine.travel(first.replace(tzinfo=UTC), tick=False):
        calendar = read(opened(cast))
    [told] = [part for part in calendar.walk("VTIMEZONE") if part["TZID"] == name]
    by_its_own_rules = told.to_tz(lookup_tzid=False)
    found = sorted(calendar.walk("VEVENT"), key=lambda event: event.start)
    assert len(found) == 16
    for event, (local, starts) in zip(found, wanted, strict=True):
        assert event["DTSTART"].params["TZID"] == name
        assert event.start.replace(tzinfo=None) == local
        assert event.start.astimezone(UTC) == starts
        assert local.replace(tzinfo=by_its_own_rules).astimezone(UTC) == starts


@pytest.mark.parametrize(("name", "days"), ZONES.items())
def test_the_clock_changes_when_it_does(name: str, days: list[tuple[int, int, int]]) -> None:
    zone = ZoneInfo(name)
    found = list(changes(zone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)))
    for moment in found:
        just_before = moment - timedelta(seconds=1)
        assert moment.astimezone(zone).utcoffset() != just_before.astimezone(zone).utcoffset()
    # On the clock that runs until then, as RFC 5545 counts: in Beirut at midnight.
    onsets = [part["DTSTART"].dt for part in vtimezone(name, 2026, 2027).subcomponents[1:]]
    assert [(at.year, at.month, at.day) for at in onsets] == days
    for at, moment in zip(onsets, found, strict=True):
        offset = (moment - timedelta(seconds=1)).astimezone(zone).utcoffset()
        assert at == (moment + offset).replace(tzinfo=None)


def test_the_hour_that_comes_twice_is_told_in_utc(cast: Cast) -> None:
    again = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Paris, the second time
    visit(cast, again)
    with time_machine.travel(again - timedelta(days=2), tick=False):
        [event] = events(read(opened(cast)))
    assert event.start.astimezone(UTC) == again


def test_no_name_is_ever_in_a_feed(cast: Cast) -> None:
    canary = make_patient(cast.here, "Canarygiven", "Canaryfamily", email="canary@example.org")
    visit(
        cast,
        NOW + timedelta(days=1),
        patient=canary,
        cancel_reason="canaryreason",
        overlap_reason="canaryoverlap",
    )
    Block.objects.create(
        location=cast.here,
        staff=cast.practitioner,
        kind="leave",
        starts_at=NOW + timedelta(days=2),
        ends_at=NOW + timedelta(days=3),
        reason="canary: hospital",
    )
    for subject in (None, cast.room):
        for shows in ("initials", "busy"):
            response = Client().get(opened(cast, subject, shows))
            text = response.content.decode() + repr(response.headers)
            assert "canary" not in text.lower()
            assert canary.number not in text
            assert ("CC Treatment session" in text) == (shows == "initials")
            assert ("Leave" in text) == (shows == "initials" and subject is None)


def test_what_a_calendar_program_needs(cast: Cast) -> None:
    row = visit(
        cast, NOW + timedelta(days=1), practitioner_from=NOW + timedelta(days=1, minutes=20)
    )
    path = opened(cast)
    response = Client().get(path)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "no-store, private"
    assert "Set-Cookie" not in response.headers
    [event] = events(read(path))
    assert event["UID"].startswith(f"appointment-{row.pk}@")
    assert (event["SEQUENCE"], event["STATUS"]) == (0, "CONFIRMED")
    assert event["SUMMARY"] == "ÉM Treatment session"
    assert event.start == row.practitioner_from  # the room's own feed has the preparation
    [in_room] = events(read(opened(cast, cast.room)))
    assert in_room.start == row.starts_at

    moved = move(
        by=cast.front_desk,
        appointment=row,
        starts_at=row.starts_at + timedelta(hours=2),
        practitioner=cast.practitioner,
        room=cast.room,
    )
    [again] = events(read(path))
    assert (again["UID"], again["SEQUENCE"]) == (event["UID"], 1)
    assert again.end == moved.ends_at
    cancel(by=cast.front_desk, appointment=row, reason="ill")
    assert events(read(path)) == []


def test_a_window_and_only_ones_own(cast: Cast) -> None:
    for days in (-31, -29, 179, 181):
        visit(cast, NOW + timedelta(days=days))
    visit(cast, NOW + timedelta(days=1), practitioner=cast.colleague, room=cast.here.rooms.last())
    assert len(events(read(opened(cast)))) == 2
    assert len(events(read(opened(cast, cast.colleague)))) == 1


def test_blocks_are_busy(cast: Cast) -> None:
    at = {"starts_at": NOW + timedelta(days=1), "ends_at": NOW + timedelta(days=1, hours=1)}
    for subject in ({"staff": cast.practitioner}, {"room": cast.room}, {}):
        Block.objects.create(location=cast.here, kind="closed", **subject, **at)
    Block.objects.create(location=cast.there, kind="closed", **at)
    assert len(events(read(opened(cast)))) == 2
    assert len(events(read(opened(cast, cast.room)))) == 2


def test_a_wrong_secret_and_a_person_who_left_are_not_there(cast: Cast) -> None:
    path = opened(cast)
    assert Client().get("/feeds/none.ics").status_code == 404
    assert Client().get(path[:-5] + "x.ics").status_code == 404
    for change in ({"is_active": False}, {"role": Role.FRONT_DESK}):
        Staff.objects.filter(pk=cast.practitioner.pk).update(**change)
        assert Client().get(path).status_code == 404
        Staff.objects.filter(pk=cast.practitioner.pk).update(is_active=True, role=Role.PRACTITIONER)
        assert Client().get(path).status_code == 200
    room = opened(cast, cast.room)
    type(cast.room).objects.filter(pk=cast.room.pk).update(is_active=False)
    assert Client().get(room).status_code == 404


def test_a_new_address_ends_the_old_one_at_once(cast: Cast) -> None:
    old = opened(cast)
    assert Client().get(old).status_code == 200
    new = opened(cast)
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200
    close_feed(by=cast.practitioner, subject=cast.practitioner)
    assert Client().get(new).status_code == 404


def test_the_secret_is_kept_nowhere(cast: Cast) -> None:
    secret = opened(cast).removeprefix("/feeds/").removesuffix(".ics")
    kept = repr(list(Feed.objects.values())) + repr(list(AuditEntry.objects.values()))
    assert secret not in kept
    assert Feed.objects.get().token_hash not in repr(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.filter(what="treatments_feed", action="create").exists()


def test_too_many_readings_and_guesses_are_refused(cast: Cast) -> None:
    path = opened(cast)
    answers = [Client().get(path).status_code for _ in range(MOST_READINGS + 1)]
    assert answers == [200] * MOST_READINGS + [429]
    guesses = [Client().get(f"/feeds/{n}.ics").status_code for n in range(MOST_GUESSES + 1)]
    assert guesses == [404] * MOST_GUESSES + [429]


@pytest.mark.parametrize("count", [1, 3])
def test_a_feed_costs_the_same_however_much_is_in_it(
    cast: Cast, django_assert_num_queries, count: int
) -> None:
    for number in range(count):
        visit(cast, NOW + timedelta(days=number + 1))
        Block.objects.create(
            location=cast.here,
            staff=cast.practitioner,
            starts_at=NOW + timedelta(days=number + 1, hours=5),
            ends_at=NOW + timedelta(days=number + 1, hours=6),
        )
    path = opened(cast)
    client = Client()
    with django_assert_num_queries(4):
        response = client.get(path)
    assert response.content.count(b"BEGIN:VEVENT") == 2 * count


def test_who_keeps_which_feed(cast: Cast, client_for) -> None:
    other = make_staff("Other Place", Role.PRACTITIONER, cast.there)
    for by, subject in (
        (cast.practitioner, cast.colleague),
        (cast.practitioner, cast.room),
        (cast.front_desk, cast.practitioner),
        (cast.front_desk, cast.front_desk),
        (cast.manager, other),
        (cast.manager, cast.there.rooms.first()),
    ):
        for verb in (open_feed, set_shows):
            with pytest.raises(ActionRefused):
                verb(by=by, subject=subject, shows="busy")
        with pytest.raises(ActionRefused):
            close_feed(by=by, subject=subject)
    with pytest.raises(ActionRefused):
        open_feed(by=cast.practitioner, subject=cast.practitioner, shows="everything")


def test_the_page_shows_the_address_once(cast: Cast, client_for) -> None:
    client = client_for(cast.practitioner)
    page = client.get("/settings/feeds/").content.decode()
    assert "Ada Rossi" in page
    assert "Noor Haddad" not in page
    change = reverse("feeds:change", args=["staff", cast.practitioner.pk])
    made = client.post(change, {"open": "1", "shows": "busy"})
    assert made["Cache-Control"] == "no-store"
    assert "/feeds/" in made.content.decode()
    assert "/feeds/" not in client.get("/settings/feeds/").content.decode().replace(
        "/settings/feeds/", ""
    )
    assert Feed.objects.get().shows == "busy"
    client.post(change, {"shows": "initials"})
    assert Feed.objects.get().shows == "initials"
    client.post(change, {"close": "1"})
    assert not Feed.objects.exists()
    colleague = reverse("feeds:change", args=["staff", cast.colleague.pk])
    assert client.post(colleague, {"open": "1"}).status_code == 404
    assert client.post("/settings/feeds/device/1/", {"open": "1"}).status_code == 404
    manager = client_for(cast.manager).get("/settings/feeds/").content.decode()
    assert "Noor Haddad" in manager
    assert "Rive Gauche 2" in manager
    assert "Paul Lee" not in manager
    assert client_for(cast.front_desk).get("/settings/feeds/").status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same(
    cast: Cast, client_for, django_assert_num_queries, count: int
) -> None:
    place: Location = cast.here
    for number in range(count):
        open_feed(
            by=cast.manager,
            subject=make_staff(f"P {number}", Role.PRACTITIONER, place),
            shows="busy",
        )
    client = client_for(cast.manager)
    client.get("/settings/feeds/")
    with django_assert_num_queries(5):
        client.get("/settings/feeds/")
