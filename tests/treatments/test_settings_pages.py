"""Services, leave and what is out of service, as a manager types them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.errors import ActionRefused
from clinic.places.models import Device
from tests.conftest import Cast
from treatments.diary.absences import FAR, add_absence, shown
from treatments.diary.actions import book
from treatments.diary.models import Block, Service
from treatments.diary.slots import instant, midnight

NOW = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)
DAYS = {"first": "2026-05-20", "last": "2026-05-22", "reason": "Holidays"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def device(cast) -> Device:
    return Device.objects.create(
        location=cast.here, kind="mesogun", make="U225", model="B", serial_number="SN 1"
    )


def a_service(**values: str) -> dict[str, str]:
    return {
        "name_en": "Numbed session",
        "name_fr": "Séance avec crème",
        "kind": "session",
        "role": "practitioner",
        "minutes": "60",
        "before_minutes": "20",
        "after_minutes": "10",
        "room_kind": "treatment",
        "device_kind": "mesogun",
        "is_online": "on",
        "is_active": "on",
    } | values


# ---- services ----------------------------------------------------------------------------------


def test_a_service_is_added_shown_and_changed(cast, client_for) -> None:
    client = client_for(cast.manager)
    assert 'value="45"' in client.get("/settings/services/new/").content.decode()
    assert client.post("/settings/services/new/", a_service()).status_code == 302
    row = Service.objects.get(name_en="Numbed session")
    assert (row.minutes, row.before_minutes, row.after_minutes) == (60, 20, 10)
    assert (row.room_kind, row.device_kind, row.is_online) == ("treatment", "mesogun", True)
    page = client.get("/settings/services/").content.decode()
    assert "of these 20 preparation" in page
    assert "Mesogun" in page
    changed = a_service(name_en="x" * 80, device_kind="")
    assert client.post(f"/settings/services/{row.pk}/", changed).status_code == 302
    row.refresh_from_db()
    assert (row.name_en, row.device_kind) == ("x" * 80, "")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name_en": ""}, "required"),
        ({"name_fr": "x" * 81}, "at most 80"),
        ({"minutes": "4"}, "5 minutes to 8 hours"),
        ({"minutes": "481"}, "5 minutes to 8 hours"),
        ({"minutes": "-5"}, "greater than or equal to 0"),
        ({"minutes": "99999999999"}, "less than or equal to"),
        ({"before_minutes": "60"}, "shorter than the visit"),
        ({"after_minutes": "121"}, "two hours at most"),
        ({"kind": "party"}, "not one of the available"),
        ({"role": "emperor"}, "not a valid choice|not one of the available"),
        ({"room_kind": "cellar"}, "not one of the available"),
        ({"device_kind": "drill"}, "not one of the available"),
    ],
)
def test_bad_services(cast, client_for, values: dict, said: str) -> None:
    before = Service.objects.count()
    response = client_for(cast.manager).post("/settings/services/new/", a_service(**values))
    assert response.status_code == 422
    assert any(word in response.content.decode() for word in said.split("|"))
    assert Service.objects.count() == before


@pytest.mark.parametrize("rows", [1, 3])
def test_the_services_take_the_same_queries(cast, client_for, rows: int) -> None:
    for number in range(rows):
        Service.objects.create(kind="session", name_en=f"S{number}", name_fr=f"S{number}")
    client = client_for(cast.manager)
    client.get("/settings/services/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/settings/services/")
    assert len(queries) == 3, [query["sql"][:80] for query in queries]


# ---- leave, out of service, closed -------------------------------------------------------------


def test_leave_is_whole_days_of_the_locations_clock(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/staff/{cast.practitioner.pk}/leave/"
    across_summer_time = {"first": "2026-10-24", "last": "2026-10-25"}
    assert client.post(url, across_summer_time).status_code == 302
    row = Block.objects.get()
    assert (row.kind, row.staff, row.made_by) == ("leave", cast.practitioner, cast.manager)
    assert row.starts_at == datetime(2026, 10, 23, 22, tzinfo=UTC)
    assert row.ends_at - row.starts_at == timedelta(hours=49)
    page = client.get(url).content.decode()
    assert "24-Oct-2026" in page
    assert "25-Oct-2026" in page
    assert "26-Oct-2026" not in page
    mine = client_for(cast.practitioner).get("/settings/my-hours/away/").content.decode()
    assert "24-Oct-2026" in mine
    away = client.get("/settings/absences/").content.decode()
    assert "Ada Rossi" in away


def test_nothing_is_booked_in_leave_until_it_is_removed(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/staff/{cast.practitioner.pk}/leave/"
    client.post(url, DAYS)
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.consultation,
        "starts_at": instant(date(2026, 5, 22), time(10), cast.here.zone),
        "practitioner": cast.practitioner,
    }
    with pytest.raises(ActionRefused, match="Leave"):
        book(**wish)
    assert client.post(f"/settings/absences/{Block.objects.get().pk}/end/").status_code == 302
    assert not Block.objects.exists()
    assert book(**wish)


def test_a_device_is_out_of_service_until_further_notice(cast, client_for, device) -> None:
    client, url = client_for(cast.manager), f"/settings/devices/{device.pk}/outage/"
    assert client.post(url, {"first": "2026-05-18"}).status_code == 302
    row = Block.objects.get()
    assert (row.kind, row.device) == ("out_of_service", device)
    assert (row.starts_at, row.ends_at) == (NOW, midnight(FAR, cast.here.zone))
    assert "until further notice" in client.get(url).content.decode()
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        end = f"/settings/absences/{row.pk}/end/"
        assert client_for(cast.manager).post(end).status_code == 302
    row.refresh_from_db()
    assert row.ends_at == NOW + timedelta(days=2), "what has been stays in the records"


def test_a_location_is_closed_for_some_days(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/locations/{cast.here.pk}/closed/"
    assert client.post(url, DAYS).status_code == 302
    row = Block.objects.get()
    assert (row.kind, row.location, row.staff, row.room) == ("closed", cast.here, None, None)
    assert shown([row], NOW)[0].last == date(2026, 5, 22)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"first": ""}, "required"),
        ({"last": ""}, "required"),
        ({"last": "2026-05-19"}, "not be before the first"),
        ({"first": "2026-05-01", "last": "2026-05-17"}, "are past"),
        ({"last": "2036-05-22"}, "Two years at most"),
        ({"last": "9999-12-31"}, "between 2000 and 2100"),
        ({"first": "0001-01-01"}, "between 2000 and 2100"),
        ({"first": "soon"}, "valid date"),
        ({"reason": "x" * 201}, "at most 200"),
    ],
)
def test_bad_leave(cast, client_for, values: dict, said: str) -> None:
    url = f"/settings/staff/{cast.practitioner.pk}/leave/"
    response = client_for(cast.manager).post(url, DAYS | values)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Block.objects.exists()


def test_only_the_manager_of_the_location_ends_an_absence(cast: Cast, client_for) -> None:
    row = add_absence(
        by=None,
        thing=cast.practitioner2,
        location=cast.there,
        first=date(2026, 5, 20),
        last=date(2026, 5, 21),
        at=NOW,
    )
    url = f"/settings/absences/{row.pk}/end/"
    assert client_for(cast.manager).post(url).status_code == 404
    assert client_for(cast.practitioner2).post(url).status_code == 403
    pause = Block.objects.create(
        location=cast.here, starts_at=NOW, ends_at=NOW + timedelta(hours=1), kind="pause"
    )
    ended = client_for(cast.manager).post(f"/settings/absences/{pause.pk}/end/")
    assert ended.status_code == 404, "blocked time is the diary's"
    assert Block.objects.count() == 2
