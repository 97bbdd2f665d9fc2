"""Many people book the same time at the same moment, each over a connection of their own."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.places.models import Room
from tests.at_once import Crowd
from tests.conftest import Cast, make_patient
from treatments.diary import actions, candidates
from treatments.diary.models import Appointment

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 64
FEWER = 12
"""Enough to book twice where nothing forbids it."""
ROUNDS = 1
"""The soak makes twenty."""
CONSTRAINTS = ("practitioner_not_twice", "room_not_twice", "patient_not_twice")
OVERLAPS = """
    SELECT count(*) FROM treatments_appointment one JOIN treatments_appointment other
        ON one.id < other.id AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
    WHERE one.status NOT IN ('cancelled', 'no_show')
        AND other.status NOT IN ('cancelled', 'no_show')
        AND (one.practitioner_id = other.practitioner_id OR one.room_id = other.room_id
             OR one.patient_id = other.patient_id)
"""


def at_once(work: list[Callable[[], int]], crowd: Crowd | None = None) -> Counter[int]:
    """Start everything at the same moment; how often each status came back."""
    return Counter((crowd or Crowd()).run(work))


def double_bookings() -> int:
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        return int(cursor.fetchone()[0])


def poster(client: Client, sent: dict[str, object]) -> Callable[[], int]:
    return lambda: client.post("/diary/book/", sent).status_code


def slot(cast: Cast, number: int) -> dict[str, object]:
    day: date = timezone.localdate() + timedelta(days=7)
    return {
        "patient": cast.patient.number,
        "service": cast.consultation.pk,
        "date": day.isoformat(),
        "time": f"{8 + number // 2:02}:{number % 2 * 30:02}",
        "practitioner": str(cast.practitioner.pk),
        "room": "any",
    }


def browsers(cast: Cast, client_for: Callable[..., Client], count: int) -> list[Client]:
    """As many browsers of the front desk, each signed in for itself."""
    return [client_for(cast.front_desk) for _n in range(count)]


def crowd(cast: Cast, clients: list[Client], number: int) -> list[Callable[[], int]]:
    """One wish for the slot from each browser; every other one for a patient of its own."""
    others = [cast.patient.number, *cast.others]  # type: ignore[attr-defined]
    return [
        poster(
            client,
            slot(cast, number)
            | {"key": str(uuid.uuid4()), "patient": others[n % len(others) if n % 2 else 0]},
        )
        for n, client in enumerate(clients)
    ]


@pytest.fixture
def roomy(cast: Cast) -> Cast:
    Room.objects.bulk_create(Room(location=cast.here, name=f"Extra {n}") for n in range(3))
    cast.others = [make_patient(cast.here, f"Ana{n}", "López").number for n in range(24)]  # type: ignore[attr-defined]
    return cast


def test_of_64_at_once_one_books_and_63_are_told(roomy, client_for) -> None:
    clients = browsers(roomy, client_for, AT_ONCE)
    for number in range(ROUNDS):
        answers = at_once(crowd(roomy, clients, number))
        assert answers == {302: 1, 422: AT_ONCE - 1}
    assert Appointment.objects.count() == ROUNDS
    assert double_bookings() == 0


def test_any_practitioner_and_any_room_fill_up_and_no_further(roomy, client_for) -> None:
    clients = browsers(roomy, client_for, 24)
    wish = slot(roomy, 4) | {"practitioner": "any"}
    jobs = [
        poster(client, wish | {"patient": number, "key": str(uuid.uuid4())})
        for client, number in zip(clients, roomy.others, strict=True)
    ]
    assert at_once(jobs) == {302: 2, 422: 22}  # two practitioners work here
    assert double_bookings() == 0


def test_one_form_sent_many_times_books_once_and_answers_the_same(roomy, client_for) -> None:
    sent = slot(roomy, 5) | {"key": str(uuid.uuid4())}
    answers = at_once([poster(client, sent) for client in browsers(roomy, client_for, 20)])
    assert answers == {302: 20}
    assert Appointment.objects.count() == 1


@contextmanager
def without_constraints() -> Iterator[None]:
    with connection.cursor() as cursor:
        kept = {}
        for name in CONSTRAINTS:
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
            )
            kept[name] = cursor.fetchone()[0]
            cursor.execute(f"ALTER TABLE treatments_appointment DROP CONSTRAINT {name}")
        try:
            yield
        finally:
            cursor.execute("DELETE FROM treatments_appointment")
            for name, definition in kept.items():
                cursor.execute(
                    f"ALTER TABLE treatments_appointment ADD CONSTRAINT {name} {definition}"
                )


def all_look_first(monkeypatch: pytest.MonkeyPatch, look_at: Callable[[], None]) -> Crowd:
    """A crowd in which everybody has chosen among the free before anybody writes."""
    together, choose = Crowd(), candidates.choose

    def choosing(wish: candidates.Wish) -> object:
        chosen = choose(wish)
        look_at()
        together.stand()
        return chosen

    monkeypatch.setattr(actions, "choose", choosing)
    return together


def test_without_the_constraints_the_same_crowd_books_twice(roomy, client_for, monkeypatch) -> None:
    together = all_look_first(monkeypatch, lambda: None)
    clients = browsers(roomy, client_for, FEWER)
    with without_constraints():
        at_once(crowd(roomy, clients, 0), together)
        assert double_bookings() > 0
    answers = at_once(crowd(roomy, clients, 20))
    assert answers == {302: 1, 422: FEWER - 1}
