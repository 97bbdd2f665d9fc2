"""The day as the calendar gets it; dragging, undoing, overriding, walking in, blocking."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.places.models import DayHours, LocationDay, WorkingHours
from tests.access.world import make_world
from tests.conftest import Cast, make_patient
from treatments.diary import blocks
from treatments.diary.actions import Changed, book, cancel, move, set_status
from treatments.diary.ground import stamp_of
from treatments.diary.models import Appointment, Block
from treatments.diary.slots import instant, whole_day
from treatments.diary.trace import trace_of
from treatments.diary.transitions import ALLOWED
from treatments.diary.undo import read_token, undo, undo_token, way_back

DAY = date(2026, 5, 19)
NOW = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)
JSON = {"Accept": "application/json"}
BOARD = re.compile(r'<script type="application/json" id="board">(.*?)</script>', re.DOTALL)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def at(cast: Cast, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return instant(day, time(hour, minute), cast.here.zone)


def booked(cast: Cast, hour: int = 10, minute: int = 0, **wish: Any) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.consultation,
        "starts_at": at(cast, hour, minute),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


def board(client: Client, query: str = "") -> dict[str, Any]:
    page = client.get(f"/diary/?date={DAY}{query}").content.decode()
    found = BOARD.search(page)
    assert found, page
    data: dict[str, Any] = json.loads(found[1])
    asked = client.get(f"/diary/?date={DAY}{query}", headers=JSON)
    assert asked.json() == data
    return data


# ---- the board ---------------------------------------------------------------------------------


def test_the_board_says_what_the_day_is(cast, client_for) -> None:
    cast.consultation.before_minutes, cast.consultation.after_minutes = 10, 15
    cast.consultation.save()
    row = booked(cast)
    gone = cancel(by=cast.front_desk, appointment=booked(cast, 14), reason="ill")
    data = board(client_for(cast.front_desk))
    (line,) = data["lines"]
    assert line[0] == row.pk != gone.pk
    assert line[1:3] == ["2026-05-19T10:00", "2026-05-19T10:30"]
    assert line[6:8] == ["MARTIN, Élodie", "ÉM"]
    assert line[11:14] == ["missing", "2026-05-19T10:10", "2026-05-19T10:45"]
    assert line[15:] == [trace_of(row), True]
    assert (data["first"], data["last"], data["offset"]) == ("08:00", "20:00", "+02:00")
    assert [name for _pk, name in data["columns"]] == ["Ada Rossi", "Noor Haddad"]
    assert data["looks"]["arrived"] == ["wait", "person-walking", "Arrived"]
    by_room = board(client_for(cast.front_desk), "&by=room")
    assert [name for _pk, name in by_room["columns"]] == ["Rive Gauche 1", "Rive Gauche 2"]


def test_no_text_ends_the_script_it_stands_in(cast, client_for) -> None:
    booked(cast, patient=make_patient(cast.here, "</script><b>", "<!--&amp;"))
    page = client_for(cast.front_desk).get(f"/diary/?date={DAY}").content.decode()
    assert "<b>" not in page
    assert board(client_for(cast.front_desk))["lines"][0][6] == "<!--&AMP;, </script><b>"


def test_who_is_off_and_what_is_closed_is_shaded(cast, client_for) -> None:
    WorkingHours.objects.create(
        staff=cast.practitioner,
        location=cast.here,
        weekday=DAY.weekday(),
        starts_at=time(9),
        ends_at=time(12),
    )
    DayHours.objects.create(staff=cast.colleague, location=cast.here, day=DAY)
    shades = board(client_for(cast.front_desk))["shades"]
    mine = [shade[:2] for shade in shades if shade[2] == cast.practitioner.pk]
    assert mine == [
        ["2026-05-19T08:00", "2026-05-19T09:00"],
        ["2026-05-19T12:00", "2026-05-19T20:00"],
    ]
    assert ["2026-05-19T08:00", "2026-05-19T20:00", cast.colleague.pk] in shades
    assert ["2026-05-19T00:00", "2026-05-19T08:00", None] in shades


def test_a_closed_day_says_why(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    LocationDay.objects.create(location=cast.here, day=DAY, reason="New floor")
    assert board(client)["closed"] == [["2026-05-19", "Closed: New floor"]]
    assert "Closed: New floor" in client.get(f"/diary/?date={DAY}&view=list").content.decode()
    LocationDay.objects.all().delete()
    cast.here.closes_on_holidays = True
    cast.here.save()
    bastille = client.get("/diary/?date=2026-07-14", headers=JSON).json()
    assert bastille["closed"][0][1].startswith("Closed: ")
    assert board(client)["closed"] == []


def test_blocks_lie_on_their_columns(cast, client_for) -> None:
    when = {"by": cast.manager, "location": cast.here, "ends_at": at(cast, 13)}
    blocks.block(starts_at=at(cast, 12), staff=cast.practitioner, reason="Lunch", **when)
    blocks.block(starts_at=at(cast, 12, 15), room=cast.room, **when)
    blocks.block(starts_at=at(cast, 12, 30), **when)
    client = client_for(cast.front_desk)
    shown = [block[1][-5:] for block in board(client)["blocks"]]
    assert shown == ["12:00", "12:30"]
    assert [b[1][-5:] for b in board(client, "&by=room")["blocks"]] == ["12:15", "12:30"]
    page = client.get(f"/diary/?date={DAY}&view=list").content.decode()
    assert page.count("slash-circle") >= 3
    assert "Lunch" in page


def test_elsewhere_a_block_shows_without_its_reason(cast, client_for) -> None:
    cast.practitioner.memberships.create(location=cast.there)
    blocks.block(
        by=cast.manager,
        location=cast.here,
        staff=cast.practitioner,
        starts_at=at(cast, 12),
        ends_at=at(cast, 13),
        reason="Dentist",
    )
    page = client_for(cast.front_desk2).get(f"/diary/?date={DAY}&view=list").content.decode()
    assert "Ada Rossi" in page
    assert "Dentist" not in page


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("view", ["day", "week", "list"])
def test_six_statements_with_blocks_and_hours(cast, client_for, rows: int, view: str) -> None:
    for number in range(rows):
        booked(cast, 9 + number, patient=make_patient(cast.here, f"Ana{number}", "López"))
        blocks.block(
            by=cast.manager,
            location=cast.here,
            room=cast.here.rooms.last(),
            starts_at=at(cast, 14 + number),
            ends_at=at(cast, 15 + number),
        )
        day = DAY + timedelta(days=number)
        LocationDay.objects.create(
            location=cast.here, day=day, opens_at=time(8), closes_at=time(19)
        )
    client = client_for(cast.front_desk)
    client.get("/diary/")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/diary/?date={DAY}&view={view}").status_code == 200
    assert len(queries) <= 6, [query["sql"][:90] for query in queries]


# ---- noticing ----------------------------------------------------------------------------------


def test_the_stamp_changes_with_what_is_shown_and_not_otherwise(cast, client_for) -> None:
    client = client_for(cast.front_desk)

    def stamp() -> str:
        asked = client.get(f"/diary/stamp/?date={DAY}&days=1", headers={"X-Polling": "1"})
        return str(asked.json()["stamp"])

    seen = [stamp()]
    row = booked(cast)
    seen.append(stamp())
    set_status(by=cast.front_desk, appointment=row, status="confirmed")
    seen.append(stamp())
    move(
        by=cast.front_desk,
        appointment=row,
        starts_at=at(cast, 11),
        practitioner=cast.practitioner,
        minutes=45,
    )
    seen.append(stamp())
    made = blocks.block(
        by=cast.manager,
        location=cast.here,
        room=cast.here.rooms.last(),
        starts_at=at(cast, 14),
        ends_at=at(cast, 15),
    )
    seen.append(stamp())
    assert len(set(seen)) == len(seen)
    blocks.unblock(by=cast.manager, block=made)
    assert stamp() == seen[-2] == board(client)["stamp"]
    booked(cast, starts_at=at(cast, 10, day=DAY + timedelta(days=1)))
    assert stamp() == seen[-2]
    assert stamp_of(cast.there.pk, whole_day(DAY, cast.there.zone)) != seen[-2]


def test_asking_for_the_stamp_is_cheap_and_leaves_no_trace(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    client.get("/diary/stamp/")
    before = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/diary/stamp/?date={DAY}&days=7").status_code == 200
    assert len(queries) <= 3, [query["sql"][:90] for query in queries]
    assert AuditEntry.objects.count() == before
    for bad in ("?date=x", "?date=9999-12-31&days=7", f"?date={DAY}&days=x", "?date=0001-01-01"):
        assert client.get(f"/diary/stamp/{bad}").status_code in (200, 400)


def test_the_diary_left_open_signs_out(cast, client_for, settings) -> None:
    client = client_for(cast.front_desk)
    with time_machine.travel(NOW, tick=False) as clock:
        assert client.get("/diary/").status_code == 200
        for _minute in range(settings.IDLE_MINUTES):
            clock.shift(timedelta(minutes=1))
            polled = {"X-Polling": "1"}
            assert client.get(f"/diary/stamp/?date={DAY}", headers=polled).status_code == 200
            assert client.get("/diary/", headers=polled | JSON).status_code == 200
        clock.shift(timedelta(minutes=1))
        gone = client.get(f"/diary/stamp/?date={DAY}", headers={"X-Polling": "1"})
        assert gone["Location"].startswith("/sign-in/")


def test_without_its_header_the_same_asking_would_keep_it_open(cast, client_for, settings) -> None:
    client = client_for(cast.front_desk)
    with time_machine.travel(NOW, tick=False) as clock:
        assert client.get("/diary/").status_code == 200
        for _minute in range(settings.IDLE_MINUTES + 5):
            clock.shift(timedelta(minutes=1))
            assert client.get(f"/diary/stamp/?date={DAY}").status_code == 200


# ---- dragging ----------------------------------------------------------------------------------


def dragged(client: Client, row: Appointment, **wish: str) -> Any:
    local = row.starts_at.astimezone(row.location.zone)
    sent = {
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}",
        "minutes": str(int((row.ends_at - row.starts_at).total_seconds()) // 60),
        "practitioner": str(row.practitioner_id),
        "room": str(row.room_id),
        "or_any_room": "1",
        "seen": trace_of(row),
    } | wish
    return client.post(f"/diary/{row.pk}/move/", sent, headers=JSON)


def test_a_card_is_dragged_and_undone(cast, client_for) -> None:
    row = set_status(by=cast.front_desk, appointment=booked(cast), status="confirmed")
    client = client_for(cast.front_desk)
    answer = dragged(client, row, time="15:00", minutes="60", practitioner=str(cast.colleague.pk))
    assert answer.json()["said"] == "Moved to 19-May-2026 at 15:00 with Noor Haddad."
    moved = Appointment.objects.get()
    assert (moved.starts_at, moved.ends_at) == (at(cast, 15), at(cast, 16))
    assert (moved.practitioner, moved.status) == (cast.colleague, "booked")
    back = client.post("/diary/undo/", {"undo": answer.json()["undo"], "next": "/diary/"})
    assert back["Location"] == "/diary/"
    again = Appointment.objects.get()
    assert trace_of(again) == trace_of(row)
    assert again.status == "confirmed"


def test_a_dragged_card_takes_another_room_where_its_own_is_taken(cast, client_for) -> None:
    row = booked(cast)
    other = make_patient(cast.here, "Ana", "López")
    booked(cast, 15, practitioner=cast.colleague, patient=other, room=row.room)
    client = client_for(cast.front_desk)
    refused = dragged(client, row, time="15:00", or_any_room="")
    assert refused.status_code == 422
    assert "Rive Gauche 1 is already taken" in refused.json()["refused"]
    assert "now in Rive Gauche 2" in dragged(client, row, time="15:00").json()["said"]


def test_a_refused_drag_says_who_is_taken_and_offers_times(cast, client_for) -> None:
    row = booked(cast)
    booked(cast, 15, patient=make_patient(cast.here, "Ana", "López"))
    client = client_for(cast.front_desk)
    refused = dragged(client, row, time="15:15").json()
    assert "Ada Rossi is already booked from 15:00 to 15:30" in refused["refused"]
    assert (refused["over"], refused["changed"]) == (False, False)
    assert [offer["time"] for offer in refused["offers"]] == ["15:30", "15:45", "16:00"]
    taken = dragged(client, row, time="15:15", offer=refused["offers"][0]["value"])
    assert taken.status_code == 200
    assert Appointment.objects.get(pk=row.pk).starts_at == at(cast, 15, 30)


@pytest.mark.parametrize(
    "wish", [{"time": "x"}, {"minutes": "0"}, {"minutes": "x"}, {"date": ""}, {"room": "x"}]
)
def test_a_drag_that_makes_no_sense(cast, client_for, wish: dict[str, str]) -> None:
    row = booked(cast)
    refused = dragged(client_for(cast.front_desk), row, **wish)
    assert refused.status_code == 422
    assert refused.json()["refused"]
    assert trace_of(Appointment.objects.get()) == trace_of(row)


def test_of_two_people_with_one_card_the_second_is_told(cast, client_for) -> None:
    row = booked(cast)
    first, second = client_for(cast.front_desk), client_for(cast.manager)
    assert dragged(first, row, time="15:00").status_code == 200
    refused = dragged(second, row, time="16:00")
    assert refused.status_code == 422
    assert refused.json()["changed"] is True
    assert "now on 19-May-2026 at 15:00 with Ada Rossi" in refused.json()["refused"]
    assert Appointment.objects.get().starts_at == at(cast, 15)
    # The control: the one who does not say what they saw overwrites it.
    assert dragged(second, row, time="16:00", seen="").status_code == 200


def test_on_the_page_too_and_the_next_try_is_with_open_eyes(cast, client_for) -> None:
    row = booked(cast)
    client, url = client_for(cast.front_desk), f"/diary/{row.pk}/move/"
    sent = {"date": str(DAY), "time": "16:00", "practitioner": "any", "seen": trace_of(row)}
    set_status(by=cast.manager, appointment=row, status="confirmed")
    refused = client.post(url, sent)
    assert "Someone has changed this appointment meanwhile" in refused.content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', refused.content.decode())
    assert seen
    assert client.post(url, sent | {"seen": seen[1]}).status_code == 302


def test_the_length_changes_on_the_page(cast, client_for) -> None:
    row = booked(cast)
    client, url = client_for(cast.front_desk), f"/diary/{row.pk}/move/"
    assert 'name="minutes" value="30"' in client.get(url).content.decode()
    sent = {"date": str(DAY), "time": "10:00", "minutes": "50", "next": "/diary/?view=list"}
    sent |= {"practitioner": str(row.practitioner_id), "room": str(row.room_id)}
    assert client.post(url, sent)["Location"] == "/diary/?view=list"
    assert Appointment.objects.get().ends_at == at(cast, 10, 50)
    fragment = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment


# ---- undoing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [(before, after) for before, following in ALLOWED.items() for after in following],
)
def test_each_change_of_status_has_a_way_back_or_none_is_offered(before: str, after: str) -> None:
    way = way_back(after, before)
    if before in {"cancelled", "held"}:
        assert way is None
        return
    assert way
    assert way[-1] == before
    assert not {"cancelled", "no_show"} & set(way[:-1])
    for now, then in itertools.pairwise([after, *way]):
        assert then in ALLOWED[now]


def test_a_status_and_a_cancellation_are_undone_from_the_notice(cast, client_for) -> None:
    row = booked(cast)
    client = client_for(cast.front_desk)
    for url, sent in (("status", {"status": "arrived"}), ("cancel", {"reason": "ill"})):
        client.post(f"/diary/{row.pk}/{url}/", sent | {"next": "/diary/?view=list"})
        page = client.get("/diary/?view=list").content.decode()
        token = re.search(r'name="undo" value="([^"]+)"', page)
        assert token
        assert Appointment.objects.get().status != "booked"
        undone = client.post("/diary/undo/", {"undo": token[1]})
        assert undone["Location"] == f"/diary/{row.pk}/"
        assert Appointment.objects.get().status == "booked"
        assert Appointment.objects.get().cancel_reason == ""


def test_what_was_changed_since_or_is_taken_is_not_undone(cast) -> None:
    row = booked(cast)
    moved = move(
        by=cast.front_desk, appointment=row, starts_at=at(cast, 15), practitioner=cast.practitioner
    )
    told = read_token(undo_token(row, moved))
    booked(cast, patient=make_patient(cast.here, "Ana", "López"))
    with pytest.raises(ActionRefused, match="Ada Rossi is already booked"):
        undo(by=cast.front_desk, appointment=row, told=told)
    set_status(by=cast.front_desk, appointment=row, status="confirmed")
    with pytest.raises(Changed):
        undo(by=cast.front_desk, appointment=row, told=told)


def test_a_token_is_ours_and_not_old(cast, client_for) -> None:
    row = booked(cast)
    gone = cancel(by=cast.front_desk, appointment=row, reason="ill")
    token = undo_token(row, gone)
    client = client_for(cast.front_desk)
    forged = client.post("/diary/undo/", {"undo": token[:-2] + "xx"}, headers=JSON)
    assert forged.status_code == 422
    assert client.post("/diary/undo/", {}, headers=JSON).status_code == 422
    assert client_for(cast.front_desk2).post("/diary/undo/", {"undo": token}).status_code == 404
    assert client.post("/diary/undo/", {"undo": token, "next": "https://evil.example/"})[
        "Location"
    ] == (f"/diary/{row.pk}/")
    later = time_machine.travel(NOW + timedelta(minutes=20), tick=False)
    with later, pytest.raises(ActionRefused, match="too late"):
        read_token(token)


# ---- over what is taken, and under 18 ----------------------------------------------------------


def form(cast: Cast, patient: Any, **values: str) -> dict[str, str]:
    return {
        "patient": patient.number,
        "service": str(cast.consultation.pk),
        "date": DAY.isoformat(),
        "time": "10:00",
        "practitioner": str(cast.practitioner.pk),
        "room": "any",
        "key": str(uuid.uuid4()),
    } | values


def test_booking_over_wants_the_setting_and_a_reason(cast, client_for) -> None:
    booked(cast)
    client, other = client_for(cast.front_desk), make_patient(cast.here, "Ana", "López")
    sent = form(cast, other)
    assert 'name="over"' not in client.post("/diary/book/", sent).content.decode()
    forced = client.post("/diary/book/", sent | {"over": "1", "overlap_reason": "pain"})
    assert "does not allow" in forced.content.decode()
    cast.here.allows_overlap = True
    cast.here.save()
    assert 'name="over"' in client.post("/diary/book/", sent).content.decode()
    without = client.post("/diary/book/", sent | {"over": "1", "overlap_reason": " "})
    assert "Say why it is booked over" in without.content.decode()
    # A reason alone, without the button, is no override.
    assert client.post("/diary/book/", sent | {"overlap_reason": "pain"}).status_code == 422
    made = client.post("/diary/book/", sent | {"over": "1", "overlap_reason": "Acute pain"})
    assert made.status_code == 302
    row = Appointment.objects.get(patient=other)
    assert row.overlap_reason == "Acute pain"
    assert "Acute pain" in client.get(f"/diary/{row.pk}/").content.decode()
    assert "Booked over" in client.get(f"/diary/?date={DAY}&view=list").content.decode()
    assert [line[14] for line in board(client)["lines"]] == ["", "Acute pain"]


def test_moving_over(cast, client_for) -> None:
    cast.here.allows_overlap = True
    cast.here.save()
    row = booked(cast)
    booked(cast, 15, patient=make_patient(cast.here, "Ana", "López"))
    client = client_for(cast.front_desk)
    assert dragged(client, row, time="15:00").json()["over"] is True
    assert dragged(client, row, time="15:00", over="1").status_code == 422
    over = dragged(client, row, time="15:00", over="1", overlap_reason="Acute pain")
    assert over.status_code == 200
    assert Appointment.objects.get(pk=row.pk).overlap_reason == "Acute pain"


def test_a_minor_is_booked_only_as_directed(cast, client_for) -> None:
    cast.here.country.adults_only_toxin_filler = True
    cast.here.country.save()
    cast.consultation.adults_only = True
    cast.consultation.save()
    child = make_patient(cast.here, "Kim", "Young", birth_date=date(2010, 1, 1))
    client, sent = client_for(cast.front_desk), form(cast, child)
    page = client.post("/diary/book/", sent).content.decode()
    assert "without a doctor’s direction" in page
    assert f'<option value="{cast.colleague.pk}">Noor Haddad, RPPS 1</option>' in page
    assert client.post("/diary/book/", sent | {"directed_by": "999"}).status_code == 422
    made = client.post("/diary/book/", sent | {"directed_by": str(cast.colleague.pk)})
    assert made.status_code == 302
    row = Appointment.objects.get()
    assert row.directed_by == cast.colleague
    assert "Directed by" in client.get(f"/diary/{row.pk}/").content.decode()


# ---- walking in --------------------------------------------------------------------------------


def test_who_walks_in_is_booked_for_now_and_has_arrived(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    assert client.get("/diary/walk-in/")["Location"] == "/patients/?for=book&walk=1"
    on = client.get(f"/diary/book/?patient={cast.patient.number}&walk=1")
    assert on["Location"] == f"/diary/walk-in/?patient={cast.patient.number}"
    assert client.get(on["Location"]).status_code == 200
    key = str(uuid.uuid4())
    sent = {"patient": cast.patient.number, "service": str(cast.consultation.pk), "key": key}
    with time_machine.travel(datetime(2026, 5, 18, 8, 13, 40, tzinfo=UTC), tick=False):
        first = client.post("/diary/walk-in/", sent)
        again = client.post("/diary/walk-in/", sent)
    assert first["Location"] == again["Location"]
    row = Appointment.objects.get()
    assert (row.starts_at, row.status) == (datetime(2026, 5, 18, 8, 10, tzinfo=UTC), "arrived")
    assert row.practitioner == cast.practitioner


def test_when_nobody_is_free_now_the_next_times_of_today_are_offered(cast, client_for) -> None:
    for who in (cast.practitioner, cast.colleague):
        other = make_patient(cast.here, who.name, "López")
        booked(cast, starts_at=NOW, practitioner=who, patient=other)
    client = client_for(cast.front_desk)
    sent = {"patient": cast.patient.number, "service": str(cast.consultation.pk)}
    refused = client.post("/diary/walk-in/", sent | {"key": str(uuid.uuid4())})
    assert refused.status_code == 422
    offers = refused.context["offers"]
    assert [f"{offer.start:%H:%M}" for offer in offers] == ["10:30", "10:45", "11:00"]
    key = str(uuid.uuid4())
    taken = client.post("/diary/walk-in/", sent | {"key": key, "offer": offers[0].value})
    assert taken.status_code == 302
    row = Appointment.objects.get(patient=cast.patient)
    assert (row.starts_at, row.status) == (NOW + timedelta(minutes=30), "arrived")


def test_a_walk_in_of_elsewhere_is_not_known(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    for number in (cast.stranger.number, "P٣", "x" * 40):
        assert client.get(f"/diary/walk-in/?patient={number}").status_code == 404
        sent = {"patient": number, "service": str(cast.consultation.pk)}
        assert client.post("/diary/walk-in/", sent).status_code == 404


# ---- blocking ----------------------------------------------------------------------------------


def wish(what: str, **values: str) -> dict[str, str]:
    return {"what": what, "date": str(DAY), "starts": "12:00", "ends": "13:00"} | values


def test_blocking_and_giving_back(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    asked = f"/diary/block/?date={DAY}&starts=12:00&ends=13:00&practitioner={cast.practitioner.pk}"
    page = client.get(asked).content.decode()
    assert f'value="staff-{cast.practitioner.pk}" selected' in page
    assert 'value="12:00"' in page
    sent = wish(f"staff-{cast.practitioner.pk}", reason="Lunch")
    assert client.post("/diary/block/", sent)["Location"] == f"/diary/?date={DAY}"
    row = Block.objects.get()
    assert (row.staff, row.starts_at, row.ends_at) == (
        cast.practitioner,
        at(cast, 12),
        at(cast, 13),
    )
    assert (row.made_by, row.kind) == (cast.front_desk, "pause")
    with pytest.raises(ActionRefused, match="Ada Rossi: Blocked"):
        booked(cast, 12)
    assert "Lunch" in client.get(f"/diary/block/{row.pk}/").content.decode()
    assert client_for(cast.front_desk2).post(f"/diary/block/{row.pk}/").status_code == 404
    assert client.post(f"/diary/block/{row.pk}/").status_code == 302
    assert booked(cast, 12).pk


def test_whoever_is_booked_is_listed_first(cast, client_for) -> None:
    booked(cast, 12, 15)
    client, sent = client_for(cast.front_desk), wish("all")
    refused = client.post("/diary/block/", sent)
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "1 appointment is booked in this time" in page
    assert "MARTIN, Élodie" in page
    assert not Block.objects.exists()
    assert client.post("/diary/block/", sent | {"anyway": "1"}).status_code == 302
    assert Block.objects.get().location == cast.here


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"what": "staff-999999"}, "Choose from the list"),
        ({"what": "x"}, "Choose from the list"),
        ({"starts": "13:30"}, "end must be after the start"),
        ({"starts": "x"}, "Enter a time"),
        ({"date": "2026-02-30"}, "real date"),
        ({"date": "2026-03-29", "starts": "02:30"}, "clocks skip"),
    ],
)
def test_bad_input_on_the_block_form(cast, client_for, change: dict[str, str], said: str) -> None:
    refused = client_for(cast.front_desk).post("/diary/block/", wish("all") | change)
    assert refused.status_code == 422
    assert said in refused.content.decode()
    assert not Block.objects.exists()


def test_things_of_another_location_are_not_blocked_here(cast, client_for) -> None:
    for what in (f"staff-{cast.practitioner2.pk}", f"room-{cast.there.rooms.first().pk}"):
        refused = client_for(cast.front_desk).post("/diary/block/", wish(what))
        assert refused.status_code == 422


def test_leave_is_lifted_by_a_manager_alone(cast, client_for) -> None:
    leave = blocks.block(
        by=cast.manager,
        location=cast.here,
        staff=cast.practitioner,
        kind=Block.Kind.LEAVE,
        starts_at=at(cast, 8),
        ends_at=at(cast, 20),
    )
    desk = client_for(cast.front_desk)
    assert "Give the time back" not in desk.get(f"/diary/block/{leave.pk}/").content.decode()
    assert desk.post(f"/diary/block/{leave.pk}/").status_code == 403
    assert client_for(cast.manager).post(f"/diary/block/{leave.pk}/").status_code == 302


# ---- what other rooms add ----------------------------------------------------------------------


def test_consent_that_is_missing_is_marked(cast, client_for) -> None:
    world = make_world(cast.here, cast.practitioner, cast.treatment)
    visit = world.arguments["appointment"]["pk"]
    plan = world.patient.plans.get()
    client, url = client_for(cast.front_desk), f"/consents/marks/?appointments={visit},x,9999"
    assert client.get(url).json() == {}
    plan.state = "accepted"
    plan.accepted_at = NOW
    plan.save()
    assert client.get(url).json()[str(visit)]["word"] == "consent"
    assert client_for(cast.front_desk2).get(url).json() == {}
