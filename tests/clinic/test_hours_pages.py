"""The settings of hours, days and cleanings, as typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.access.models import Staff
from clinic.places.models import (
    DayHours,
    Device,
    DeviceCleaning,
    Location,
    LocationDay,
    WorkingHours,
)
from tests.clinic.test_places import LOCATION
from tests.conftest import Cast, make_staff

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


def weekly(staff: Staff) -> list[tuple[int, str]]:
    rows = WorkingHours.objects.filter(staff=staff)
    return [(row.weekday, f"{row.starts_at:%H:%M}-{row.ends_at:%H:%M}") for row in rows]


# ---- a location --------------------------------------------------------------------------------


def test_closed_weekdays_holidays_and_overlap_are_kept(cast, client_for) -> None:
    sent = LOCATION | {
        "closed_weekdays": ["5", "6"],
        "closes_on_holidays": "on",
        "holiday_region": "FR:57",
        "allows_overlap": "on",
    }
    client, url = client_for(cast.manager), f"/settings/locations/{cast.here.pk}/"
    assert client.post(url, sent).status_code == 302
    place = Location.objects.get(pk=cast.here.pk)
    assert (place.closed_weekdays, place.closes_on_holidays) == ([5, 6], True)
    assert (place.holiday_region, place.allows_overlap) == ("57", True)
    page = client.get(url).content.decode()
    assert '<option value="FR:57" selected>' in page
    assert "24-May-2026" not in page
    assert "25-May-2026" in page
    assert "Pentecost Monday" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"closed_weekdays": ["7"]}, "not one of the available"),
        ({"closed_weekdays": ["x"]}, "not one of the available"),
        ({"holiday_region": "GB:ENG"}, "in another country"),
        ({"holiday_region": "FR:nowhere"}, "not one of the available"),
    ],
)
def test_bad_closings(cast, client_for, values: dict, said: str) -> None:
    url = f"/settings/locations/{cast.here.pk}/"
    response = client_for(cast.manager).post(url, LOCATION | values)
    assert response.status_code == 422
    assert said in response.content.decode()


def test_days_of_a_location_are_added_changed_and_removed(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/locations/{cast.here.pk}/days/"
    day = {"day": "2026-12-24", "starts_at": "09:00", "ends_at": "13:00", "reason": "Eve"}
    assert client.post(url, day).status_code == 302
    entry = LocationDay.objects.get()
    assert (entry.location, entry.closes_at, entry.reason) == (cast.here, time(13), "Eve")
    again = client.post(url, day)
    assert again.status_code == 422
    assert "an entry for this day already" in again.content.decode()
    assert "24-Dec-2026" in client.get(url).content.decode()
    change = f"/settings/days/{entry.pk}/"
    assert 'value="13:00"' in client.get(change).content.decode()
    assert client.post(change, {"day": "2026-12-24", "off": "on"}).status_code == 302
    entry.refresh_from_db()
    assert entry.is_closed
    assert client.post(f"{change}remove/").status_code == 302
    assert not LocationDay.objects.exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"day": ""}, "required"),
        ({"day": "2026-02-30"}, "valid date"),
        ({"day": "9999-01-01"}, "between 2000 and 2100"),
        ({"day": "2026-05-17"}, "is past"),
        ({"ends_at": ""}, "Enter a time"),
        ({"starts_at": "", "ends_at": ""}, "Enter a time"),
        ({"starts_at": "25:00"}, "valid time"),
        ({"starts_at": "13:00", "ends_at": "13:00"}, "after the start"),
        ({"starts_at": "14:00", "ends_at": "09:00"}, "after the start"),
        ({"reason": "x" * 121}, "at most 120"),
    ],
)
@pytest.mark.parametrize("kind", ["locations", "staff"])
def test_bad_days(cast, client_for, kind: str, values: dict, said: str) -> None:
    pk = cast.here.pk if kind == "locations" else cast.practitioner.pk
    day = {"day": "2026-12-24", "starts_at": "09:00", "ends_at": "13:00"} | values
    response = client_for(cast.manager).post(f"/settings/{kind}/{pk}/days/", day)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not LocationDay.objects.exists()
    assert not DayHours.objects.exists()


# ---- a person ----------------------------------------------------------------------------------


def test_a_week_is_kept_span_by_span_and_spans_that_touch_become_one(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/staff/{cast.practitioner.pk}/hours/"
    sent = {
        "day0-0-from": "14:00",
        "day0-0-until": "18:00",
        "day0-1-from": "09:00",
        "day0-1-until": "12:30",
        "day2-0-from": "09:00",
        "day2-0-until": "12:00",
        "day2-1-from": "12:00",
        "day2-1-until": "15:00",
    }
    assert client.post(url, sent).status_code == 302
    assert weekly(cast.practitioner) == [(0, "09:00-12:30"), (0, "14:00-18:00"), (2, "09:00-15:00")]
    page = client.get(url).content.decode()
    assert page.count('value="09:00"') == 2
    assert client.post(url, {}).status_code == 302
    assert weekly(cast.practitioner) == []
    assert "works whenever the location is open" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"day1-0-from": "09:00"}, "Both times are needed"),
        ({"day1-0-until": "09:00"}, "Both times are needed"),
        ({"day1-0-from": "12:00", "day1-0-until": "09:00"}, "after the start"),
        ({"day1-0-from": "x", "day1-0-until": "09:00"}, "valid time"),
        (
            {
                "day1-0-from": "09:00",
                "day1-0-until": "12:00",
                "day1-1-from": "11:00",
                "day1-1-until": "13:00",
            },
            "Tuesday: these hours overlap",
        ),
    ],
)
def test_bad_weeks(cast, client_for, sent: dict, said: str) -> None:
    url = f"/settings/staff/{cast.practitioner.pk}/hours/"
    response = client_for(cast.manager).post(url, sent)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert weekly(cast.practitioner) == []


def test_nobody_works_at_two_locations_at_once(cast, client_for) -> None:
    both = make_staff("Bea Both", "practitioner", cast.here, cast.there)
    WorkingHours.objects.create(
        staff=both, location=cast.there, weekday=0, starts_at=time(9), ends_at=time(12)
    )
    client, url = client_for(cast.manager), f"/settings/staff/{both.pk}/hours/"
    refused = client.post(url, {"day0-0-from": "11:00", "day0-0-until": "15:00"})
    assert refused.status_code == 422
    assert "at another location" in refused.content.decode()
    assert client.post(url, {"day0-0-from": "12:00", "day0-0-until": "15:00"}).status_code == 302
    assert WorkingHours.objects.filter(staff=both).count() == 2


def test_monday_is_copied_to_the_other_days_and_not_saved(cast, client_for) -> None:
    Location.objects.filter(pk=cast.here.pk).update(closed_weekdays=[5, 6])
    url = f"/settings/staff/{cast.practitioner.pk}/hours/"
    sent = {"day0-0-from": "09:15", "day0-0-until": "17:00", "copy": "yes"}
    response = client_for(cast.manager).post(url, sent)
    assert response.status_code == 200
    assert response.content.decode().count('value="09:15"') == 5
    assert "not saved yet" in response.content.decode()
    assert weekly(cast.practitioner) == []


def test_a_persons_days_are_added_changed_and_removed(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/staff/{cast.practitioner.pk}/days/"
    assert client.post(url, {"day": "2026-06-01", "off": "on"}).status_code == 302
    entry = DayHours.objects.get()
    assert (entry.staff, entry.location, entry.starts_at) == (cast.practitioner, cast.here, None)
    assert "already" in client.post(url, {"day": "2026-06-01", "off": "on"}).content.decode()
    change = f"/settings/staff/days/{entry.pk}/"
    sent = {"day": "2026-06-02", "starts_at": "10:00", "ends_at": "11:00"}
    assert client.post(change, sent).status_code == 302
    entry.refresh_from_db()
    assert (entry.day, entry.starts_at) == (date(2026, 6, 2), time(10))
    assert client.post(f"{change}remove/").status_code == 302
    assert not DayHours.objects.exists()


def test_everyone_sees_their_own_hours_and_only_those(cast, client_for) -> None:
    for who, start in ((cast.practitioner, 9), (cast.colleague, 10)):
        WorkingHours.objects.create(
            staff=who, location=cast.here, weekday=0, starts_at=time(start), ends_at=time(13)
        )
    DayHours.objects.create(staff=cast.practitioner, location=cast.here, day=date(2026, 6, 1))
    page = client_for(cast.practitioner).get("/settings/my-hours/").content.decode()
    assert "09:00–13:00" in page
    assert "10:00–13:00" not in page
    assert "01-Jun-2026" in page


# ---- other locations ---------------------------------------------------------------------------


def test_other_locations_hours_are_not_there(cast: Cast, client_for) -> None:
    client = client_for(cast.manager)
    day = LocationDay.objects.create(location=cast.there, day=date(2026, 6, 1))
    own = DayHours.objects.create(
        staff=cast.practitioner2, location=cast.there, day=date(2026, 6, 1)
    )
    device = Device.objects.create(
        location=cast.there, kind="jet", make="J", model="1", serial_number="J1"
    )
    room = cast.there.rooms.first()
    for url in (
        f"locations/{cast.there.pk}/days/",
        f"locations/{cast.there.pk}/closed/",
        f"days/{day.pk}/",
        f"staff/{cast.practitioner2.pk}/hours/",
        f"staff/{cast.practitioner2.pk}/days/",
        f"staff/{cast.practitioner2.pk}/leave/",
        f"staff/days/{own.pk}/",
        f"rooms/{room.pk}/outage/",
        f"devices/{device.pk}/outage/",
        f"devices/{device.pk}/cleanings/",
    ):
        assert client.get(f"/settings/{url}").status_code == 404, url
        assert client.post(f"/settings/{url}", {}).status_code == 404, url
    for url in (f"days/{day.pk}/remove/", f"staff/days/{own.pk}/remove/"):
        assert client.post(f"/settings/{url}").status_code == 404, url
    assert LocationDay.objects.exists()
    assert DayHours.objects.exists()


# ---- cleaning ----------------------------------------------------------------------------------


def test_a_cleaning_is_written_down_by_whoever_is_signed_in(cast, client_for, device) -> None:
    client, url = client_for(cast.practitioner), f"/settings/devices/{device.pk}/cleanings/"
    sent = {"date": "2026-05-18", "time": "09:30", "agent": "Alcohol 70 %", "note": "Head changed"}
    assert client.post(url, sent).status_code == 302
    row = DeviceCleaning.objects.get()
    assert (row.cleaned_by, row.cleaned_at) == (cast.practitioner, NOW - timedelta(minutes=30))
    page = client.get(url).content.decode()
    assert "18-May-2026 09:30" in page
    assert "Ada Rossi" in page
    assert "18-May-2026 09:30" in client.get("/settings/cleaning/").content.decode()
    assert client_for(cast.front_desk).get(url).status_code == 403


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"time": "10:30"}, "still to come"),
        ({"date": "2026-05-19"}, "still to come"),
        ({"agent": ""}, "required"),
        ({"agent": "x" * 121}, "at most 120"),
        ({"date": "1026-05-19"}, "between 2000 and 2100"),
    ],
)
def test_bad_cleanings(cast, client_for, device, values: dict, said: str) -> None:
    sent = {"date": "2026-05-18", "time": "09:30", "agent": "Alcohol"} | values
    response = client_for(cast.manager).post(f"/settings/devices/{device.pk}/cleanings/", sent)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not DeviceCleaning.objects.exists()


def test_a_cleaning_is_never_changed(cast, device) -> None:
    row = DeviceCleaning.objects.create(
        device=device, cleaned_at=NOW, agent="Alcohol", cleaned_by=cast.manager
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        DeviceCleaning.objects.filter(pk=row.pk).update(agent="Water")
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_the_log_is_paged_newest_first(cast, client_for, device) -> None:
    DeviceCleaning.objects.bulk_create(
        DeviceCleaning(
            device=device,
            cleaned_at=NOW - timedelta(hours=number // 2),
            agent=f"Agent {number:02d}.",
            cleaned_by=cast.manager,
        )
        for number in range(60)
    )
    client, url = client_for(cast.manager), f"/settings/devices/{device.pk}/cleanings/"
    seen, address, pages = [], url, 0
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    while address:
        context = client.get(address).context
        seen += [row.agent for row in context["cleanings"]]
        address = url + context["older"] if context["older"] else ""
        pages += 1
    assert (pages, len(seen), len(set(seen))) == (3, 60, 60)
    assert seen[0] == "Agent 01."
    assert len(queries) < 12
