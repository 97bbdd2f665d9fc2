"""The ledger under a crowd, and under any order of doings."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.audit.context import SYSTEM, acting
from clinic.errors import ActionRefused
from tests.at_once import Crowd
from tests.treatments.session_world import NOON, D, World, current, make_world, sign_consent
from tests.treatments.stock_world import MULTI, SINGLE, check_ledger, deliver
from treatments.catalogue.models import Anaesthetic, Lot
from treatments.plans.models import Plan
from treatments.sessions.actions import stock_used
from treatments.sessions.entries import MixEntry
from treatments.sessions.models import Anaesthesia, Session
from treatments.stock import ledger
from treatments.stock.actions import (
    correct,
    count_lot,
    discard_container,
    open_container,
    receive_lot,
    use_in_session,
    waste,
)
from treatments.stock.models import Movement, OpenContainer

CROWD, ENOUGH_FOR = 32, 10


# --- 32 at once ---------------------------------------------------------------------------------


def plans_like(world: World, cast: Any, count: int) -> Iterator[World]:
    """More plans of the same kind, each with its consent."""
    for number in range(count):
        plan = Plan.objects.create(
            patient=cast.patient,
            location=cast.here,
            indication="skin-ageing",
            title=f"Plan {number}",
            made_by=cast.practitioner,
        )
        for part in ("areas", "mix", "phases"):
            for row in getattr(world.plan, part).all():
                row.pk, row.plan, row._state.adding = None, plan, True
                row.save()
        plan.state, plan.accepted_at = "accepted", NOON
        plan.save()
        yield replace(world, plan=plan, consent=sign_consent(plan, cast.practitioner))


def at_once(jobs: Iterable[Callable[[], Any]]) -> Counter[str]:
    """Run everything in a thread of its own, all let go together; what became of each."""

    def run(job: Callable[[], Any]) -> str:
        with acting(SYSTEM):
            job()
        return "done"

    answers = Crowd().run([partial(run, job) for job in jobs], (ActionRefused, IntegrityError))
    return Counter(map(became, answers))


def became(answer: Any) -> str:
    if isinstance(answer, ActionRefused):
        return "told" if answer.message else "nothing said"
    return "refused by the database" if isinstance(answer, IntegrityError) else str(answer)


@pytest.mark.django_db(transaction=True)
def test_of_32_signatures_on_stock_for_10_ten_succeed_and_the_rest_are_told(cast):
    """One lot of a single-dose ampoule of 5 mL, ten of them; each session draws 1 mL."""
    with acting(SYSTEM):
        world = make_world(cast)
        scarce = deliver(cast, SINGLE, "SCARCE", quantity_ml=D(5) * ENOUGH_FOR)
        plenty = deliver(cast, "ha-1", "PLENTY", quantity_ml=D(5) * CROWD)
        entries = [MixEntry(scarce, D(1)), MixEntry(plenty, D(2))]
        worlds = list(plans_like(world, cast, CROWD))
        sessions = [one.fill(one.start(), mix=entries) for one in worlds]
    outcomes = at_once(lambda s=one: world.sign(s) for one in sessions)
    assert outcomes == {"done": ENOUGH_FOR, "told": CROWD - ENOUGH_FOR}
    signed = Session.objects.filter(signed_at__isnull=False)
    assert signed.count() == ENOUGH_FOR
    for lot, drawn in ((scarce, 1), (plenty, 2)):
        check_ledger(lot)
        used = lot.movements.filter(kind="used")
        assert set(used.values_list("session_id", flat=True)) == set(
            signed.values_list("pk", flat=True)
        )
        assert [row.change_ml for row in used] == [-drawn] * ENOUGH_FOR
    assert scarce.quantity_ml == 0
    assert plenty.quantity_ml == D(5) * (CROWD - ENOUGH_FOR)


def uses(cast: Any, lot: Lot, count: int) -> list[Callable[[], Any]]:
    return [
        lambda number=number: use_in_session(
            by=cast.practitioner,
            session_id=number,
            location=cast.here,
            used={lot.pk: D(1)},
            at=NOON,
        )
        for number in range(1, count + 1)
    ]


def read_without_lock(together: int) -> Callable[[Iterable[int]], list[Lot]]:
    """As `ledger.locked`, but nobody waits: everyone has read before the first one writes."""
    everyone = threading.Barrier(together)

    def read(lot_ids: Iterable[int]) -> list[Lot]:
        rows = Lot.objects.filter(pk__in=list(lot_ids)).select_related("product", "location")
        found = list(rows.order_by("pk"))
        everyone.wait(timeout=60)
        return found

    return read


@contextmanager
def without_constraint(table: str, name: str, back: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute("SET session_replication_role = origin")
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {back}")


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_database_still_refuses(cast, monkeypatch):
    """Two who read the same quantity cannot both write the next line."""
    with acting(SYSTEM):
        lot = deliver(cast, SINGLE, quantity_ml=D(15))
    monkeypatch.setattr(ledger, "locked", read_without_lock(8))
    outcomes = at_once(uses(cast, lot, 8))
    assert outcomes == {"done": 1, "refused by the database": 7}
    check_ledger(lot)


@pytest.mark.django_db
def test_a_line_that_does_not_follow_the_one_before_is_refused(cast):
    """A fresh number with an amount that was read before another wrote."""
    with acting(SYSTEM):
        lot = deliver(cast, SINGLE, quantity_ml=D(15))
        stale = Lot.objects.get(pk=lot.pk)
        ledger.write(lot, "opened", D(0), by=None, at=NOON)
        ledger.write(lot, "wasted", D(-5), by=None, at=NOON, reason="broken")
        with pytest.raises(IntegrityError, match="held another amount"), transaction.atomic():
            ledger.write(stale, "wasted", D(-5), by=None, at=NOON, reason="broken")
    check_ledger(lot)


@pytest.mark.django_db(transaction=True)
def test_without_lock_and_constraint_the_harness_sees_the_fault(cast, monkeypatch):
    """The negative control: eight of three succeed, and the sum no longer balances."""
    with acting(SYSTEM):
        lot = deliver(cast, SINGLE, quantity_ml=D(15))
    monkeypatch.setattr(ledger, "locked", read_without_lock(8))
    once = ("treatments_movement", "movement_number_once", "UNIQUE (lot_id, number)")
    with without_constraint(*once):
        outcomes = at_once(uses(cast, lot, 8))
        assert outcomes == {"done": 8}
        with pytest.raises(AssertionError):
            check_ledger(lot)


@pytest.mark.django_db(transaction=True)
def test_a_lot_that_is_received_twice_at_once_is_one_lot(cast):
    """Sixteen boxes of one new lot, scanned by sixteen people."""

    def arrive() -> Lot:
        return deliver(cast, quantity_ml=D(5))

    assert at_once([arrive] * 16) == {"done": 16}
    lot = Lot.objects.get()
    check_ledger(lot)
    assert lot.quantity_ml == 80


@pytest.mark.django_db
def test_a_session_takes_what_was_drawn_and_the_grams_of_its_creams(cast):
    with acting(SYSTEM):
        world = make_world(cast)
        session = world.start()
        tube = deliver(cast, "emla-5")
        for lot, grams in ((tube, "2.5"), (tube, "1"), (None, "9")):
            Anaesthesia.objects.create(
                session=session,
                anaesthetic=current(Anaesthetic, "emla"),
                lot=lot,
                grams=D(grams),
                area_cm2=D(20),
                on_at=NOON,
            )
    used = {world.lidocaine.pk: 1, world.hyaluronic.pk: 2, tube.pk: D("3.5")}
    assert stock_used(session) == used


# --- any order of doings ------------------------------------------------------------------------

AMOUNT = st.integers(1, 1200).map(lambda hundredths: Decimal(hundredths) / 100)
DOING = st.one_of(
    st.tuples(st.just("use"), AMOUNT),
    st.tuples(st.just("receive"), AMOUNT),
    st.tuples(st.just("waste"), AMOUNT),
    st.tuples(st.just("count"), AMOUNT),
    st.tuples(st.just("less"), AMOUNT),
    st.tuples(st.just("more"), AMOUNT),
    st.tuples(st.just("open"), AMOUNT),
    st.tuples(st.just("discard"), AMOUNT),
    st.tuples(st.just("wait"), AMOUNT),
)


@pytest.mark.django_db
@pytest.mark.parametrize("code", [MULTI, SINGLE])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(doings=st.lists(DOING, max_size=12))
def test_whatever_is_done_in_whatever_order_the_ledger_balances(cast, code, doings):
    with transaction.atomic():
        lot, now = deliver(cast, code), NOON
        for what, amount in doings:
            before = list(lot.movements.values_list("number", "after_ml"))
            now += timedelta(hours=float(amount) * 3 if what == "wait" else 0.1)
            try:
                with transaction.atomic():
                    do(cast, lot, what, amount, now)
            except ActionRefused:
                assert list(lot.movements.values_list("number", "after_ml")) == before
            check_ledger(lot)
        assert_accounted(lot)
        transaction.set_rollback(True)


def do(cast: Any, lot: Lot, what: str, amount: Decimal, now: Any) -> None:
    by, said = cast.practitioner, {"reason": "x", "at": now}
    if what == "use":
        use_in_session(by=by, session_id=1, location=cast.here, used={lot.pk: amount}, at=now)
    elif what == "receive":
        receive_lot(
            by=by, location=cast.here, product=lot.product, number=lot.number,
            expires_on=lot.expires_on, quantity_ml=amount, at=now,
        )  # fmt: skip
    elif what == "waste":
        waste(by=by, lot=lot, amount_ml=amount, **said)
    elif what == "count":
        count_lot(by=by, lot=lot, counted_ml=amount, **said)
    elif what in ("less", "more"):
        correct(by=by, lot=lot, change_ml=amount if what == "more" else -amount, **said)
    elif what == "open":
        open_container(by=by, lot=lot, at=now)
    elif what == "discard" and (opened := lot.open_containers.standing().first()):
        discard_container(by=by, container=opened, **said)


def assert_accounted(lot: Lot) -> None:
    """Nothing was used from a container whose time was over."""
    used = Movement.objects.filter(lot=lot, kind="used", container__isnull=False)
    for row in used.select_related("container"):
        assert row.at < row.container.discard_by
    for opened in OpenContainer.objects.filter(lot=lot):
        assert opened.discard_by - opened.opened_at <= timedelta(hours=24)
