"""Blocking and booking the same time at the same moment, and any practitioner in a crowd."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clinic.errors import ActionRefused
from clinic.places.models import Room
from tests.at_once import PATIENCE_S, Crowd
from tests.conftest import Cast, make_patient, make_staff
from tests.treatments.test_booking_race import all_look_first, at_once, double_bookings
from treatments.diary import actions, blocks, candidates
from treatments.diary.actions import Taken, book
from treatments.diary.blocks import Stranding, block
from treatments.diary.models import Appointment, Block
from treatments.diary.slots import instant

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16
ROUNDS = 4
TRIGGERS = ("ab_not_in_block_when_booked", "ab_not_in_block_when_moved")
BOOKED_INTO_BLOCKS = """
    SELECT count(*) FROM treatments_appointment a JOIN treatments_block b
        ON a.practitioner_id = b.staff_id
        AND coalesce(a.practitioner_from, a.starts_at) < b.ends_at AND a.ends_at > b.starts_at
    WHERE a.status NOT IN ('cancelled', 'no_show')
"""


def moment(cast: Cast, number: int) -> datetime:
    day = timezone.localdate() + timedelta(days=7 + number)
    return instant(day, time(10), cast.here.zone)


def booked_into_blocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(BOOKED_INTO_BLOCKS)
        return int(cursor.fetchone()[0])


def said(action: Callable[[], object]) -> int:
    """1 for what was done, 0 for what was refused."""
    try:
        action()
    except ActionRefused:
        return 0
    return 1


def booking(cast: Cast, patient: object, starts_at: datetime) -> Callable[[], int]:
    wish = {"by": None, "location": cast.here, "service": cast.consultation}
    wish |= {"practitioner": cast.practitioner.pk, "starts_at": starts_at, "patient": patient}
    return lambda: said(lambda: book(**wish))  # type: ignore[arg-type]


def blocking(cast: Cast, starts_at: datetime) -> Callable[[], int]:
    span = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=4)}
    return lambda: said(lambda: block(by=None, location=cast.here, staff=cast.practitioner, **span))


def crowd(
    cast: Cast, number: int, looked: threading.Event | None = None
) -> list[Callable[[], int]]:
    """Each half hour of four is booked while the four hours are blocked.

    `looked`: they are blocked when somebody who books has looked.
    """
    start = moment(cast, number)
    halves = range(0, 30 * (THREADS // 2), 30)
    wishes = zip(cast.others, halves, strict=False)  # type: ignore[attr-defined]
    jobs = [booking(cast, who, start + timedelta(minutes=after)) for who, after in wishes]
    blocks_it = blocking(cast, start)

    def late() -> int:
        if looked:
            looked.wait(PATIENCE_S)
        return blocks_it()

    return [*jobs, *[late] * (THREADS - len(jobs))]


@pytest.fixture
def busy(cast: Cast) -> Cast:
    Room.objects.bulk_create(Room(location=cast.here, name=f"Extra {n}") for n in range(8))
    cast.others = [make_patient(cast.here, f"Ana{n}", "López") for n in range(THREADS)]  # type: ignore[attr-defined]
    return cast


def test_a_block_and_a_booking_at_once_never_both_hold(busy) -> None:
    for number in range(ROUNDS):
        at_once(crowd(busy, number))
        assert booked_into_blocks() == 0
    assert Appointment.objects.exists() or Block.objects.exists()


@contextmanager
def without_the_trigger() -> Iterator[None]:
    with connection.cursor() as cursor:
        for name in TRIGGERS:
            cursor.execute(f"ALTER TABLE treatments_appointment DISABLE TRIGGER {name}")
        try:
            yield
        finally:
            cursor.execute("DELETE FROM treatments_appointment")
            for name in TRIGGERS:
                cursor.execute(f"ALTER TABLE treatments_appointment ENABLE TRIGGER {name}")


def test_without_the_trigger_the_same_crowd_books_into_blocks(busy, monkeypatch) -> None:
    """Nor the lock that a booking takes before it looks, which alone would keep them apart."""
    monkeypatch.setattr(candidates, "LOCK", "SELECT 1")
    looked = threading.Event()
    together = all_look_first(monkeypatch, looked.set)
    with without_the_trigger():
        at_once(crowd(busy, 0, looked), together)
        assert booked_into_blocks() > 0


def beside_an_open(written: Callable[[], object], other: Callable[[], object]) -> tuple[bool, str]:
    """Write and keep the transaction open while `other` runs: whether it waited, what it said."""
    together, has_written = Crowd(), threading.Event()

    def first() -> bool:
        with transaction.atomic():
            written()
            has_written.set()
            return together.stand()

    def second() -> str:
        has_written.wait(PATIENCE_S)
        other()
        return "done"

    waited, answer = together.run([first, second])
    return waited, answer if answer == "done" else type(answer).__name__


def test_each_waits_for_the_other_and_then_sees_it(busy) -> None:
    first, second = moment(busy, 0), moment(busy, 1)
    span = {"starts_at": first, "ends_at": first + timedelta(hours=1)}
    wish = {"by": None, "location": busy.here, "service": busy.consultation}
    wish |= {"practitioner": busy.practitioner, "patient": busy.patient}

    def blocks_it(**times: datetime) -> Callable[[], object]:
        return lambda: block(by=None, location=busy.here, staff=busy.practitioner, **times)

    def books_it(starts_at: datetime) -> Callable[[], object]:
        return lambda: book(starts_at=starts_at, **wish)  # type: ignore[arg-type]

    assert beside_an_open(books_it(first), blocks_it(**span)) == (True, Stranding.__name__)
    later = {"starts_at": second, "ends_at": second + timedelta(hours=1)}
    assert beside_an_open(blocks_it(**later), books_it(second)) == (True, Taken.__name__)
    assert booked_into_blocks() == 0


def test_a_block_that_does_not_wait_strands_unseen(busy, monkeypatch) -> None:
    monkeypatch.setattr(blocks, "wait_for_bookings", lambda: None)
    monkeypatch.setattr(candidates, "LOCK", "SELECT 1")
    start = moment(busy, 0)
    wish = {"by": None, "location": busy.here, "service": busy.consultation}
    wish |= {"practitioner": busy.practitioner, "patient": busy.patient, "starts_at": start}
    span = {"starts_at": start, "ends_at": start + timedelta(hours=1)}
    answer = beside_an_open(
        lambda: book(**wish),  # type: ignore[arg-type]
        lambda: block(by=None, location=busy.here, staff=busy.practitioner, **span),
    )
    assert answer == (False, "done")
    assert booked_into_blocks() == 1


def any_for(busy: Cast, starts_at: datetime) -> Callable[[], int]:
    taken_by = iter(busy.others)  # type: ignore[attr-defined]
    lock = threading.Lock()

    def run() -> int:
        with lock:
            patient = next(taken_by)
        wish = {"by": None, "location": busy.here, "service": busy.consultation}
        return said(
            lambda: book(patient=patient, starts_at=starts_at, practitioner=None, **wish)  # type: ignore[arg-type]
        )

    return run


def test_any_practitioner_in_a_crowd_until_nobody_is_left(busy) -> None:
    for number in range(6):
        make_staff(f"Doctor {number}", "practitioner", busy.here)
    run = any_for(busy, moment(busy, 0))
    answers = at_once([run] * THREADS)
    assert answers == {1: 8, 0: THREADS - 8}
    assert double_bookings() == 0


def test_one_of_many_moves_into_the_last_gap(busy) -> None:
    start = moment(busy, 0)
    rows = [
        book(
            by=None,
            location=busy.here,
            service=busy.consultation,
            patient=who,
            practitioner=busy.practitioner,
            starts_at=start + timedelta(minutes=30 * number),
        )
        for number, who in enumerate(busy.others[:8])  # type: ignore[attr-defined]
    ]
    gap = start + timedelta(minutes=30 * len(rows))

    def moving(row: Appointment) -> Callable[[], int]:
        wish = {"by": None, "appointment": row, "practitioner": busy.practitioner}
        return lambda: said(lambda: actions.move(starts_at=gap, **wish))  # type: ignore[arg-type]

    assert at_once([moving(row) for row in rows]) == {1: 1, 0: len(rows) - 1}
    assert double_bookings() == 0
