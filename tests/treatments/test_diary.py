"""Booking, moving, cancelling; the pages of the diary and of Today."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.places.models import LocationDay
from patients.intake.models import History
from tests.conftest import Cast, make_patient
from treatments.diary import actions
from treatments.diary.actions import Taken, book, cancel, move, set_status
from treatments.diary.models import Appointment, Service
from treatments.diary.slots import instant
from treatments.diary.transitions import ALLOWED

DAY = date(2026, 5, 19)
NOW = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def at(cast: Cast, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return instant(day, time(hour, minute), cast.here.zone)


def booked(cast: Cast, hour: int = 10, minute: int = 0, **wish) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.consultation,
        "starts_at": at(cast, hour, minute),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


def form(cast: Cast, **values: str) -> dict[str, str]:
    return {
        "patient": cast.patient.number,
        "service": str(cast.consultation.pk),
        "date": DAY.isoformat(),
        "time": "10:00",
        "practitioner": str(cast.practitioner.pk),
        "room": "any",
        "key": str(uuid.uuid4()),
    } | values


# ---- booking -----------------------------------------------------------------------------------


def test_a_visit_is_booked_with_the_first_free_room(cast) -> None:
    row = booked(cast)
    assert (row.ends_at - row.starts_at, row.room) == (timedelta(minutes=30), cast.room)
    assert (row.status, row.booked_by) == ("booked", cast.front_desk)


def test_touching_visits_are_fine(cast) -> None:
    booked(cast, 10)
    assert booked(cast, 10, 30).starts_at == at(cast, 10, 30)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"minute": 15}, "Ada Rossi is already booked from 10:00 to 10:30"),
        (
            {"other_practitioner": True},
            "The patient already has an appointment from 10:00 to 10:30",
        ),
        (
            {"other_practitioner": True, "other_patient": True, "same_room": True},
            "Rive Gauche 1 is",
        ),
    ],
)
def test_a_double_booking_names_who_or_what_is_taken(cast, wish, said) -> None:
    first = booked(cast)
    asked: dict = {}
    if wish.get("other_practitioner"):
        asked["practitioner"] = cast.colleague
    if wish.get("other_patient"):
        asked["patient"] = make_patient(cast.here, "Ana", "López")
    if wish.get("same_room"):
        asked["room"] = first.room
    with pytest.raises(Taken) as refused:
        booked(cast, 10, wish.get("minute", 0), **asked)
    assert said in refused.value.message
    assert Appointment.objects.count() == 1


def test_no_room_left(cast) -> None:
    booked(cast)
    booked(cast, practitioner=cast.colleague, patient=make_patient(cast.here, "Ana", "López"))
    cast.here.rooms.update(is_active=False)
    with pytest.raises(Taken, match="No room is free"):
        booked(cast, 14)


def test_any_practitioner_takes_the_free_one(cast) -> None:
    booked(cast)
    other = make_patient(cast.here, "Ana", "López")
    assert booked(cast, practitioner=None, patient=other).practitioner == cast.colleague
    with pytest.raises(Taken, match="No practitioner is free"):
        booked(cast, practitioner=None, patient=make_patient(cast.here, "Bo", "Chen"))


def test_a_cancelled_time_is_free_again(cast) -> None:
    cancel(by=cast.front_desk, appointment=booked(cast), reason="ill")
    assert booked(cast).pk


def test_the_same_key_answers_the_same_and_no_other_visit(cast) -> None:
    key = uuid.uuid4()
    first = booked(cast, idempotency_key=key)
    assert booked(cast, idempotency_key=key) == first
    with pytest.raises(ActionRefused, match="already used"):
        booked(cast, 15, idempotency_key=key)
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(("hour", "minute"), [(7, 45), (19, 45), (3, 0)])
def test_outside_the_opening_hours(cast, hour: int, minute: int) -> None:
    with pytest.raises(ActionRefused, match="open from 08:00 to 20:00"):
        booked(cast, hour, minute)


def test_long_past_is_refused_and_this_morning_is_not(cast) -> None:
    evening = datetime(2026, 5, 19, 19, 0, tzinfo=UTC)
    assert booked(cast, 10, at=evening).pk
    with pytest.raises(ActionRefused, match="12 hours past"):
        booked(cast, 10, starts_at=at(cast, 10, day=DAY - timedelta(days=1)), at=evening)


@pytest.mark.parametrize("kind", ["practitioner", "room"])
def test_people_and_rooms_of_another_location_are_refused(cast, kind: str) -> None:
    wrong = cast.practitioner2 if kind == "practitioner" else cast.there.rooms.first()
    with pytest.raises(ActionRefused) as refused:
        booked(cast, **{kind: wrong})
    assert refused.value.field == kind


def test_a_lost_race_is_a_new_choice(cast, monkeypatch) -> None:
    """Someone else takes the chosen room between the choice and the insert."""
    other = make_patient(cast.here, "Ana", "López")
    choose, stolen = actions.choose, []

    def and_then_someone_else(wish):
        chosen = choose(wish)
        if not stolen:
            stolen.append(
                Appointment.objects.create(
                    location=cast.here,
                    patient=other,
                    practitioner=cast.colleague,
                    room_id=chosen.room,
                    service=cast.consultation,
                    starts_at=wish.needs.patient.start,
                    ends_at=wish.needs.patient.end,
                )
            )
        return chosen

    monkeypatch.setattr(actions, "choose", and_then_someone_else)
    assert booked(cast).room != stolen[0].room


# ---- moving, status ----------------------------------------------------------------------------


def test_a_visit_moves_and_keeps_its_length(cast) -> None:
    row = set_status(by=cast.front_desk, appointment=booked(cast), status="confirmed")
    moved = move(
        by=cast.front_desk,
        appointment=row,
        starts_at=at(cast, 10, 15),
        practitioner=cast.colleague,
    )
    assert moved.ends_at == at(cast, 10, 45)
    assert (moved.practitioner, moved.status) == (cast.colleague, "booked")


def test_a_visit_does_not_move_onto_another(cast) -> None:
    booked(cast, 10)
    second = booked(cast, 14)
    with pytest.raises(Taken, match="Ada Rossi is already booked"):
        move(
            by=cast.front_desk,
            appointment=second,
            starts_at=at(cast, 10, 15),
            practitioner=cast.practitioner,
        )
    second.refresh_from_db()
    assert second.starts_at == at(cast, 14)


def test_the_database_refuses_a_move_that_was_not_seen_coming(cast, monkeypatch) -> None:
    booked(cast, 10)
    second = booked(cast, 14)
    blind = (cast.practitioner.pk, cast.here.rooms.last().pk, None)
    monkeypatch.setattr(actions, "choose", lambda wish: blind)
    with pytest.raises(Taken, match="already"):
        move(
            by=cast.front_desk,
            appointment=second,
            starts_at=at(cast, 10),
            practitioner=cast.practitioner,
        )


@pytest.mark.parametrize("status", ["arrived", "done", "cancelled", "no_show"])
def test_only_what_is_to_come_moves(cast, status: str) -> None:
    row = booked(cast)
    Appointment.objects.filter(pk=row.pk).update(status=status)
    with pytest.raises(ActionRefused, match="still to come"):
        move(
            by=cast.front_desk,
            appointment=row,
            starts_at=at(cast, 15),
            practitioner=cast.practitioner,
        )


@pytest.mark.parametrize("status", sorted(ALLOWED))
@pytest.mark.parametrize("following", sorted(ALLOWED))
def test_each_transition_is_allowed_or_refused_as_the_table_says(
    cast, status: str, following: str
) -> None:
    row = booked(cast)
    Appointment.objects.filter(pk=row.pk).update(status=status)
    after = at(cast, 11)
    allowed = following == status or (following in ALLOWED[status] and following != "cancelled")
    if allowed:
        changed = set_status(by=cast.front_desk, appointment=row, status=following, at=after)
        assert changed.status == following
        return
    with pytest.raises(ActionRefused):
        set_status(by=cast.front_desk, appointment=row, status=following, at=after)
    row.refresh_from_db()
    assert row.status == status


def test_nobody_is_missed_before_the_time(cast) -> None:
    with pytest.raises(ActionRefused, match="not begun"):
        set_status(by=cast.front_desk, appointment=booked(cast), status="no_show")


def test_a_cancelled_visit_comes_back_only_if_its_time_is_free(cast) -> None:
    row = cancel(by=cast.front_desk, appointment=booked(cast), reason="ill")
    booked(cast)
    with pytest.raises(Taken):
        set_status(by=cast.front_desk, appointment=row, status="booked")


def test_cancelling_wants_a_reason_and_is_done_once(cast) -> None:
    row = booked(cast)
    with pytest.raises(ActionRefused, match="Say why"):
        cancel(by=cast.front_desk, appointment=row, reason="  ")
    assert cancel(by=cast.front_desk, appointment=row, reason="ill").cancel_reason == "ill"
    assert cancel(by=cast.front_desk, appointment=row, reason="again").cancel_reason == "ill"
    done = booked(cast, 12)
    Appointment.objects.filter(pk=done.pk).update(status="done")
    with pytest.raises(ActionRefused, match="cannot be cancelled"):
        cancel(by=cast.front_desk, appointment=done, reason="late")


# ---- pages -------------------------------------------------------------------------------------


def test_the_desk_books(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    assert client.get("/diary/book/")["Location"] == "/patients/?for=book"
    page = client.get(f"/diary/book/?patient={cast.patient.number}&date={DAY}").content.decode()
    assert "MARTIN, Élodie" in page
    assert "T08:00|" in page
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    assert uuid.UUID(key[1])
    client.get("/diary/")
    with CaptureQueriesContext(connection) as queries:
        response = client.post("/diary/book/", form(cast))
    assert response.status_code == 302
    statements = [query["sql"].split()[0:3] for query in queries]
    # The transaction is a savepoint here, as every test runs in one of its own.
    assert len(queries) <= 10, statements
    row = Appointment.objects.get()
    assert row.starts_at == at(cast, 10)
    entry = AuditEntry.objects.get(what="treatments_appointment")
    assert (entry.action, entry.patients) == ("create", [cast.patient.pk])


def test_a_form_sent_twice_books_once(cast, client_for) -> None:
    client, sent = client_for(cast.front_desk), form(cast)
    first, second = client.post("/diary/book/", sent), client.post("/diary/book/", sent)
    assert first["Location"] == second["Location"]
    assert Appointment.objects.count() == 1


def test_to_htmx_the_form_alone_or_where_to_go(cast, client_for) -> None:
    client, by_htmx = client_for(cast.front_desk), {"HX-Request": "true"}
    done = client.post("/diary/book/", form(cast), headers=by_htmx)
    assert (done.status_code, done["HX-Redirect"][:13]) == (200, "/diary/?date=")
    taken = form(cast, key=str(uuid.uuid4()))
    refused = client.post("/diary/book/", taken, headers=by_htmx)
    page = refused.content.decode().strip()
    assert refused.status_code == 422
    assert page.startswith("<title>Error: Book a visit")
    assert "data-error-summary" in page
    assert "Next free times" in page
    assert page.endswith("</form>")


def test_a_refusal_keeps_what_was_typed_and_offers_the_next_three(cast, client_for) -> None:
    booked(cast)
    client = client_for(cast.front_desk)
    sent = form(cast, patient=make_patient(cast.here, "Ana", "López").number)
    refused = client.post("/diary/book/", sent)
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Ada Rossi is already booked from 10:00 to 10:30" in page
    assert 'value="10:00"' in page
    assert f'value="{DAY}"' in page
    offers = refused.context["offers"]
    assert [f"{offer.start:%H:%M}" for offer in offers] == ["10:30", "10:45", "11:00"]
    taken = client.post("/diary/book/", sent | {"offer": offers[0].value})
    assert taken.status_code == 302
    assert Appointment.objects.filter(starts_at=at(cast, 10, 30)).count() == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("patient", "", "Choose the patient"),
        ("patient", "P1", "Choose the patient"),
        ("patient", "x" * 400, "Choose the patient"),
        ("patient", "P999999", "not known at your location"),
        ("service", "", "required"),
        ("service", "999999", "Choose from the list"),
        ("service", "x", "Choose from the list"),
        ("date", "", "required"),
        ("date", "2026-02-30", "real date"),
        ("date", "0001-01-01", "between 2000 and 2100"),
        ("date", "9999-12-31", "between 2000 and 2100"),
        ("date", "2020-01-01", "12 hours past"),
        ("time", "", "required"),
        ("time", "25:00", "Enter a time"),
        ("time", "07:00", "is open from"),
        ("time", "19:45", "is open from"),
        ("practitioner", "abc", "Choose from the list"),
        ("practitioner", "999999", "does not work at this location"),
        ("practitioner", "9" * 40, "Choose from the list"),
        ("room", "-1", "Choose from the list"),
        ("room", "999999", "not at this location"),
        ("key", "", "Open this form anew"),
        ("key", "not-a-key", "Open this form anew"),
        ("offer", "garbage|", ""),
    ],
)
def test_bad_input_on_the_booking_form(cast, client_for, field, value, said) -> None:
    response = client_for(cast.front_desk).post("/diary/book/", form(cast, **{field: value}))
    if not said:
        assert response.status_code == 302
        return
    assert response.status_code == 422
    assert said in response.content.decode()
    assert Appointment.objects.count() == 0


def test_ids_of_another_location_in_the_body(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    for field, value in (
        ("patient", cast.stranger.number),
        ("practitioner", str(cast.practitioner2.pk)),
        ("room", str(cast.there.rooms.first().pk)),
    ):
        response = client.post("/diary/book/", form(cast, **{field: value}))
        assert response.status_code == 422
        assert "Keefe" not in response.content.decode()
        assert "Harbour" not in response.content.decode()
    assert client.get(f"/diary/book/?patient={cast.stranger.number}").status_code == 404
    assert client.get("/diary/book/?patient=P٣").status_code == 404
    assert Appointment.objects.count() == 0


def test_a_time_that_the_clocks_skip(cast, client_for) -> None:
    cast.here.opens_at = time(1)
    cast.here.save()
    response = client_for(cast.front_desk).post(
        "/diary/book/", form(cast, date="2027-03-28", time="02:30")
    )
    assert response.status_code == 422
    assert "clocks skip" in response.content.decode()


def test_free_times_follow_the_form(cast, client_for) -> None:
    booked(cast, 8)
    client = client_for(cast.front_desk)
    asked = form(cast, patient=make_patient(cast.here, "Ana", "López").number)
    page = client.get("/diary/free/", asked).content.decode()
    assert "T08:00|" not in page
    assert "T08:30|" in page
    assert "<html" not in page
    assert client.get("/diary/free/").status_code == 200


def test_where_nothing_is_free_the_next_day_that_has_a_time_is_shown(cast, client_for) -> None:
    day_before = DAY - timedelta(days=1)
    LocationDay.objects.create(location=cast.here, day=day_before, reason="Works")
    client = client_for(cast.front_desk)
    page = client.get("/diary/free/", form(cast, date=day_before.isoformat())).content.decode()
    assert "Next free: Tuesday 19 May" in page
    assert f'value="{DAY}T08:00|' in page
    assert "Next free" not in client.get("/diary/free/", form(cast)).content.decode()
    refused = client.post("/diary/book/", form(cast, date=day_before.isoformat(), time="10:00"))
    offers = re.findall(r'offer" value="([^|]+)', refused.content.decode().split('id="free"')[0])
    assert offers == [f"{DAY}T08:00", f"{DAY}T08:15", f"{DAY}T08:30"]


def test_the_last_times_of_a_day_are_offered_with_the_first_of_the_next(cast, client_for) -> None:
    cast.here.closes_at = time(18)
    cast.here.save()
    booked(cast, 17)
    asked = form(cast, time="17:00", practitioner=str(cast.practitioner.pk))
    client = client_for(cast.front_desk)
    page = client.post(
        "/diary/book/", asked | {"patient": make_patient(cast.here, "Ana", "López").number}
    ).content.decode()
    offers = re.findall(r'offer" value="([^|]+)', page.split('id="free"')[0])
    following = DAY + timedelta(days=1)
    assert offers == [f"{DAY}T17:30", f"{following}T08:00", f"{following}T08:15"]


@pytest.mark.parametrize("view", ["day", "week", "list", "nonsense"])
def test_the_diary(cast, client_for, view: str) -> None:
    booked(cast)
    gone = cancel(by=cast.front_desk, appointment=booked(cast, 12), reason="ill")
    client = client_for(cast.front_desk)
    page = client.get(f"/diary/?date={DAY}&view={view}").content.decode()
    assert "MARTIN, Élodie" in page
    assert "10:00" in page
    assert ("12:00–12:30" in page) is (view == "list")
    assert gone.status == "cancelled"
    assert client.get("/diary/?date=nonsense").status_code == 200
    assert client.get("/diary/?date=0001-01-01&view=week").status_code == 200
    assert "Keefe" not in page


def fill(cast: Cast, count: int) -> None:
    for number in range(count):
        patient = make_patient(cast.here, f"Ana{number}", "López")
        booked(cast, 8 + number // 4, number % 4 * 15, patient=patient, service=short(cast))


def short(cast: Cast) -> Service:
    return Service.objects.get_or_create(
        kind="review", minutes=15, defaults={"name_en": "Review", "name_fr": "Contrôle"}
    )[0]


@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.parametrize(
    "url", [f"/diary/?date={DAY}", f"/diary/?date={DAY}&view=list", f"/diary/?date={DAY}&view=week"]
)
def test_six_statements_for_any_number_of_visits(cast, client_for, rows: int, url: str) -> None:
    fill(cast, rows)
    client = client_for(cast.front_desk)
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(url).content.decode()
    assert page.count("LÓPEZ") >= rows
    assert len(queries) <= 6, [query["sql"][:90] for query in queries]


def test_the_diary_is_audited_once_with_everyone_on_it(cast, client_for) -> None:
    fill(cast, 3)
    client_for(cast.front_desk).get(f"/diary/?date={DAY}")
    entry = AuditEntry.objects.get(what="diary:day")
    assert len(entry.patients) == 3


def test_the_other_locations_day_is_empty(cast, client_for) -> None:
    booked(cast)
    assert "MARTIN" not in client_for(cast.front_desk2).get(f"/diary/?date={DAY}").content.decode()


@pytest.fixture
def on_the_day():
    with time_machine.travel(datetime(2026, 5, 19, 6, 30, tzinfo=UTC), tick=False):
        yield


def test_today_shows_a_practitioner_their_own_and_the_desk_everyones(
    cast, client_for, on_the_day
) -> None:
    booked(cast)
    other = make_patient(cast.here, "Ana", "López")
    booked(cast, practitioner=cast.colleague, patient=other)
    mine = client_for(cast.practitioner).get("/today/").content.decode()
    assert "MARTIN" in mine
    assert "LÓPEZ" not in mine
    assert "LÓPEZ" in client_for(cast.practitioner).get("/today/?all").content.decode()
    desk = client_for(cast.front_desk).get("/today/").content.decode()
    assert "MARTIN" in desk
    assert "LÓPEZ" in desk


def test_today_says_what_is_missing(cast, client_for, on_the_day) -> None:
    booked(cast)
    client = client_for(cast.practitioner)
    assert "history is not handed in" in client.get("/today/").content.decode()
    History.objects.create(
        patient=cast.patient,
        version=1,
        origin="link",
        submitted_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    assert "history is" not in client.get("/today/").content.decode()
    last = booked(
        cast, starts_at=at(cast, 9, day=date(2026, 5, 10)), at=datetime(2026, 5, 9, tzinfo=UTC)
    )
    Appointment.objects.filter(pk=last.pk).update(status="done")
    assert "older than the last visit" in client.get("/today/").content.decode()


def test_an_empty_today(cast, client_for) -> None:
    assert "No visits today" in client_for(cast.practitioner).get("/today/").content.decode()


def test_the_day_of_a_visit(cast, client_for) -> None:
    row = booked(cast)
    client = client_for(cast.front_desk)
    url = f"/diary/{row.pk}/"
    page = client.get(url).content.decode()
    assert "Tuesday 19 May 2026, 10:00–10:30" in page
    assert client.post(f"{url}status/", {"status": "arrived"})["Location"] == url
    back = client.post(f"{url}status/", {"status": "in_room", "next": "/today/"})
    assert back["Location"] == "/today/"
    away = client.post(f"{url}status/", {"status": "done", "next": "https://evil.example/"})
    assert away["Location"] == url
    refused = client.post(f"{url}status/", {"status": "cancelled"})
    assert refused.status_code == 422
    assert client.post(f"{url}status/", {"status": "x"}).status_code == 422
    assert client.post(f"{url}status/", {}).status_code == 422


def test_cancelling_on_the_page(cast, client_for) -> None:
    row = booked(cast)
    client = client_for(cast.front_desk)
    for reason in ("", "x" * 301):
        refused = client.post(f"/diary/{row.pk}/cancel/", {"reason": reason})
        assert refused.status_code == 422
    assert client.post(f"/diary/{row.pk}/cancel/", {"reason": "ill"}).status_code == 302
    page = client.get(f"/diary/{row.pk}/").content.decode()
    assert "ill" in page
    assert Appointment.objects.get().status == "cancelled"


def test_moving_on_the_page(cast, client_for) -> None:
    row = booked(cast)
    booked(cast, 14)
    client, url = client_for(cast.front_desk), f"/diary/{row.pk}/move/"
    assert 'value="10:00"' in client.get(url).content.decode()
    wish = {"date": str(DAY), "time": "14:00", "practitioner": str(cast.practitioner.pk)}
    refused = client.post(url, wish)
    assert refused.status_code == 422
    assert 'value="14:00"' in refused.content.decode()
    assert len(refused.context["offers"]) == 3
    for bad in ({"date": "x"}, {"time": "x"}, {"practitioner": "x"}, {"date": "", "time": ""}):
        assert client.post(url, wish | bad).status_code == 422
    assert client.post(url, wish | {"time": "16:00"}).status_code == 302
    row.refresh_from_db()
    assert row.starts_at == at(cast, 16)


def test_a_visit_elsewhere_is_not_there_or_not_writable(cast, client_for) -> None:
    row = booked(cast)
    stranger = client_for(cast.front_desk2)
    pages = (f"/diary/{row.pk}/", f"/diary/{row.pk}/move/", "/diary/99999999999999999999/")
    for url in pages:
        assert stranger.get(url).status_code == 404
    assert stranger.post(f"/diary/{row.pk}/status/", {"status": "done"}).status_code == 404
    cast.patient.registrations.create(location=cast.there)
    assert stranger.get(f"/diary/{row.pk}/").status_code == 200
    assert stranger.post(f"/diary/{row.pk}/status/", {"status": "arrived"}).status_code == 403
    assert stranger.post(f"/diary/{row.pk}/cancel/", {"reason": "x"}).status_code == 403
    assert stranger.get(f"/diary/{row.pk}/move/").status_code == 403


def test_the_patients_appointments(cast, client_for) -> None:
    booked(cast)
    page = client_for(cast.front_desk).get(f"/patients/{cast.patient.number}/appointments/")
    assert "19-May-2026 10:00" in page.content.decode()
    assert b"<html" not in page.content


def test_get_changes_nothing(cast, client_for) -> None:
    row = booked(cast)
    client = client_for(cast.front_desk)
    for url in (f"/diary/{row.pk}/status/", f"/diary/{row.pk}/cancel/"):
        assert client.get(url).status_code == 405
