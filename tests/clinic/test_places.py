"""The settings that a manager changes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.access.models import Staff
from clinic.places.models import Device, Location, Room
from tests.conftest import make_staff

LOCATION = {
    "name": "Rive Droite",
    "country": "FR",
    "timezone": "Europe/Paris",
    "language": "fr",
    "address": "2 rue de l’Essai",
    "phone": "+33 1 23 45 67 89",
    "phone_out_of_hours": "+33 1 23 45 67 89",
    "email": "droite@example.org",
    "opens_at": "09:00",
    "closes_at": "18:00",
    "online_notice_hours": "4",
    "online_days_ahead": "60",
    "change_notice_hours": "24",
    "hold_minutes": "15",
    "most_offers": "3",
}
JARDIN = {"name": "Jardin", "kind": "treatment"}
URLS = [
    "",
    "locations/new/",
    "rooms/new/",
    "devices/new/",
    "staff/new/",
]


@pytest.mark.parametrize("url", URLS)
def test_settings_are_the_managers(cast, client_for, url: str) -> None:
    assert client_for(cast.manager).get(f"/settings/{url}").status_code == 200
    assert client_for(cast.front_desk).get(f"/settings/{url}").status_code == 403
    assert client_for(cast.practitioner).get(f"/settings/{url}").status_code == 403


def test_a_location_is_added_and_changed(cast, client_for) -> None:
    client = client_for(cast.manager)
    assert client.post("/settings/locations/new/", LOCATION).status_code == 302
    place = Location.objects.get(name="Rive Droite")
    assert cast.manager.memberships.filter(location=place).exists()
    changed = LOCATION | {"name": "Rive Haute"}
    assert client.post(f"/settings/locations/{place.pk}/", changed).status_code == 302
    place.refresh_from_db()
    assert place.name == "Rive Haute"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "required"),
        ("name", "x" * 121, "at most 120"),
        ("country", "ZZ", "not one of the available"),
        ("timezone", "Mars/Olympus", "not one of the available"),
        ("email", "x", "valid email"),
        ("opens_at", "noon", "valid time"),
        ("closes_at", "08:00", "after opening time"),
        ("hold_minutes", "4", "held for 5 to 240 minutes"),
        ("online_days_ahead", "366", "from 1 to 365 days ahead"),
    ],
)
def test_bad_input_of_a_location(cast, client_for, field: str, value: str, said: str) -> None:
    response = client_for(cast.manager).post("/settings/locations/new/", LOCATION | {field: value})
    assert response.status_code == 422
    assert said in response.content.decode()
    assert "2 rue de l’Essai" in response.content.decode()
    assert Location.objects.count() == 2


def test_rooms(cast, client_for) -> None:
    client = client_for(cast.manager)
    assert client.post("/settings/rooms/new/", JARDIN | {"is_active": "on"}).status_code == 302
    room = Room.objects.get(name="Jardin")
    assert room.location == cast.here
    again = client.post("/settings/rooms/new/", JARDIN)
    assert again.status_code == 422
    assert "already" in again.content.decode()
    assert client.post(f"/settings/rooms/{room.pk}/", JARDIN).status_code == 302
    room.refresh_from_db()
    assert not room.is_active
    assert client.post("/settings/rooms/new/", {}).status_code == 422


def test_devices(cast, client_for) -> None:
    client = client_for(cast.manager)
    sent = {
        "kind": "mesogun",
        "make": "U225",
        "model": "B",
        "serial_number": "SN 1",
        "is_active": "on",
    }
    assert client.post("/settings/devices/new/", sent).status_code == 302
    device = Device.objects.get()
    again = client.post("/settings/devices/new/", sent)
    assert again.status_code == 422
    assert again.content.decode().count("serial number already") == 2  # summary and field
    changed = client.post(f"/settings/devices/{device.pk}/", sent | {"model": "C"})
    assert changed.status_code == 302
    assert client.post("/settings/devices/new/", {"serial_number": "x" * 81}).status_code == 422


def person(cast, **values) -> dict:
    return {
        "name": "Nina Berg",
        "email": "nina@example.org",
        "role": "practitioner",
        "registration_number": "RPPS 9",
        "language": "en",
        "is_active": "on",
        "locations": [cast.here.pk],
    } | values


def test_staff_are_added_without_a_password(cast, client_for) -> None:
    client = client_for(cast.manager)
    assert client.post("/settings/staff/new/", person(cast)).status_code == 302
    nina = Staff.objects.get(email="nina@example.org")
    assert not nina.has_usable_password()
    assert nina.place_ids == [cast.here.pk]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "required"),
        ({"email": "x"}, "valid email"),
        ({"email": "ADA.ROSSI@example.org"}, "already signs in"),
        ({"role": "emperor"}, "not one of the available"),
        ({"locations": []}, "at least one location"),
        ({"locations": ["999999"]}, "not one of the available"),
        ({"locations": ["x"]}, "not a valid value"),
    ],
)
def test_bad_input_of_a_person(cast, client_for, values: dict, said: str) -> None:
    response = client_for(cast.manager).post("/settings/staff/new/", person(cast, **values))
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Staff.objects.filter(name="Nina Berg").exists()


def test_a_manager_does_not_place_people_where_they_have_no_say(cast, client_for) -> None:
    both = make_staff("Bea Both", "front_desk", cast.here, cast.there)
    client = client_for(cast.manager)
    refused = client.post("/settings/staff/new/", person(cast, locations=[cast.there.pk]))
    assert refused.status_code == 422
    sent = person(cast, name="Bea Both", email=both.email, role="front_desk", locations=[])
    assert client.post(f"/settings/staff/{both.pk}/", sent).status_code == 302
    assert list(both.memberships.values_list("location", flat=True)) == [cast.there.pk]


def test_nobody_locks_themselves_out(cast, client_for) -> None:
    client, url = client_for(cast.manager), f"/settings/staff/{cast.manager.pk}/"
    me = person(cast, name="Max Moreau", email=cast.manager.email, role="manager")
    assert (
        "cannot change your own role"
        in client.post(url, me | {"role": "front_desk"}).content.decode()
    )
    del me["is_active"]
    assert "cannot deactivate yourself" in client.post(url, me).content.decode()


def test_who_is_deactivated_is_out_at_the_next_request(cast, client_for) -> None:
    desk, manager = client_for(cast.front_desk), client_for(cast.manager)
    assert desk.get("/today/").status_code == 200
    sent = person(cast, name="Fleur Petit", email=cast.front_desk.email, role="front_desk")
    del sent["is_active"]
    assert manager.post(f"/settings/staff/{cast.front_desk.pk}/", sent).status_code == 302
    assert desk.get("/today/").status_code == 302


def test_other_locations_things_are_not_there(cast, client_for) -> None:
    client = client_for(cast.manager)
    room = cast.there.rooms.first()
    for url in (
        f"locations/{cast.there.pk}/",
        f"rooms/{room.pk}/",
        f"staff/{cast.practitioner2.pk}/",
        "devices/999999/",
    ):
        assert client.get(f"/settings/{url}").status_code == 404
        assert client.post(f"/settings/{url}", {}).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_settings_page_does_not_ask_more_for_more(cast, client_for, rows: int) -> None:
    for number in range(rows):
        make_staff(f"New {number}", "front_desk", cast.here)
        Room.objects.create(location=cast.here, name=f"New {number}")
    client = client_for(cast.manager)
    client.get("/settings/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/settings/")
    assert len(queries) == 9, [query["sql"][:80] for query in queries]
