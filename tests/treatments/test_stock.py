"""The shelf by its rules: what arrives, is opened, used, counted, thrown away, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from clinic.errors import ActionRefused
from tests.treatments.session_world import NOON, D, current
from tests.treatments.stock_world import FAR, MULTI, SINGLE, check_ledger, deliver, lines
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Lot, Product
from treatments.stock.actions import (
    NotInStock,
    correct,
    count_lot,
    discard_container,
    open_container,
    set_level,
    set_lot_state,
    use_in_session,
    waste,
)
from treatments.stock.attention import attention, low_products
from treatments.stock.gs1 import Package
from treatments.stock.life import containers_for, discard_by
from treatments.stock.models import Movement, OpenContainer, PackageCode
from treatments.stock.shelf import (
    available,
    choosable,
    lots_and_tubes,
)

pytestmark = pytest.mark.django_db
PACKAGE = Package(gtin="09506000134352", lot="L1", expires_on=FAR, serial="S1")


def use(cast: Any, *lots: tuple[Lot, str], at: datetime = NOON, **fields: Any) -> list[Movement]:
    used = {lot.pk: D(amount) for lot, amount in lots}
    values = {"by": cast.practitioner, "session_id": 7, "location": cast.here}
    return use_in_session(used=used, at=at, **{**values, **fields})


# --- arriving ---------------------------------------------------------------------------------


def test_a_delivery_is_the_first_line_of_the_ledger(cast):
    lot = deliver(cast, received_from="  Example   Supplies ")
    assert (lot.quantity_ml, lot.received_from) == (20, "Example Supplies")
    line = lot.movements.get()
    assert (line.kind, line.change_ml, line.by) == ("received", 20, cast.practitioner)
    check_ledger(lot)


def test_a_second_delivery_of_a_lot_adds_to_it(cast):
    first = deliver(cast)
    edit_row(
        by=cast.manager, row=first.product, values={"container_ml": D(4), "source_refs": ["GK"]}
    )
    second = deliver(cast, number=" L1 ", quantity_ml=D("2.5"))
    assert (second.pk, second.quantity_ml) == (first.pk, D("22.5"))
    check_ledger(second)
    elsewhere = deliver(cast, by=cast.practitioner2, location=cast.there)
    assert elsewhere.pk != first.pk


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"number": "  "}, "number"),
        ({"expires_on": date(2026, 3, 6)}, "expires_on"),
        ({"expires_on": date(2029, 1, 1)}, "expires_on"),
        ({"quantity_ml": D(0)}, "quantity_ml"),
        ({"quantity_ml": D("NaN")}, "quantity_ml"),
        ({"quantity_ml": D(1_000_000)}, "quantity_ml"),
    ],
)
def test_a_delivery_that_will_not_do(cast, changed, field):
    lot = deliver(cast)
    with pytest.raises(ActionRefused) as refused:
        deliver(cast, **changed)
    assert refused.value.field == field
    assert lines(lot) == [("received", 20)]


def test_the_same_package_cannot_arrive_twice(cast):
    lot = deliver(cast, package=PACKAGE)
    with pytest.raises(ActionRefused, match=r"serial S1.*07-Mar-2026"):
        deliver(cast, package=PACKAGE)
    other = Package(gtin=PACKAGE.gtin, lot="L1", expires_on=FAR, serial="S2")
    deliver(cast, package=other)
    check_ledger(lot)
    assert Lot.objects.get().quantity_ml == 40


def test_a_product_number_is_learned_and_a_slip_is_put_right_by_a_manager(cast):
    deliver(cast, package=PACKAGE)
    known = PackageCode.objects.get()
    assert (known.gtin, known.product_code, known.content_ml) == (PACKAGE.gtin, MULTI, 20)
    with pytest.raises(ActionRefused, match="another product"):
        deliver(cast, SINGLE, "L2", package=PACKAGE)
    deliver(cast, SINGLE, "L3", package=PACKAGE, by=cast.manager)
    assert PackageCode.objects.get().product_code == SINGLE


def test_a_recalled_lot_is_not_taken_in_again(cast):
    set_lot_state(by=cast.practitioner, lot=deliver(cast), state="recalled", reason="Letter")
    with pytest.raises(ActionRefused, match="recalled"):
        deliver(cast)


def test_a_lot_expires_at_the_end_of_its_day_where_it_lies(cast):
    day = {"expires_on": date(2026, 3, 28)}
    in_paris = datetime(2026, 3, 28, 22, 59, tzinfo=UTC)
    deliver(cast, number="A", at=in_paris, **day)
    with pytest.raises(ActionRefused, match="expired"):
        deliver(cast, number="B", at=in_paris + timedelta(minutes=1), **day)


# --- opening, and the in-use life -------------------------------------------------------------


def test_an_opened_container_is_over_after_its_life_and_never_after_its_expiry(cast):
    lot = deliver(cast)
    opened = open_container(by=cast.practitioner, lot=lot, at=NOON)
    assert (opened.discard_by - opened.opened_at, opened.left_ml) == (timedelta(hours=24), 5)
    assert available(lot, NOON) == 20
    assert available(lot, opened.discard_by - timedelta(seconds=1)) == 20
    assert available(lot, opened.discard_by) == 15
    soon = deliver(cast, number="L2", expires_on=date(2026, 3, 10))
    last = open_container(by=cast.practitioner, lot=soon, at=NOON)
    assert last.discard_by == datetime(2026, 3, 11, tzinfo=cast.here.zone)


def test_the_life_is_hours_that_pass_whatever_the_clock_does(cast):
    """The night of 28 to 29 March 2026 is an hour short in Paris."""
    opened = datetime(2026, 3, 28, 12, tzinfo=cast.here.zone)
    until = discard_by(opened.astimezone(UTC), 24, FAR, cast.here.zone)
    assert until.astimezone(cast.here.zone).hour == 13


def test_without_an_in_use_life_it_lasts_until_it_expires(cast):
    assert discard_by(NOON, None, date(2026, 3, 12), cast.here.zone) == datetime(
        2026, 3, 13, tzinfo=cast.here.zone
    )


def test_what_cannot_be_opened(cast):
    single = deliver(cast, SINGLE)
    with pytest.raises(ActionRefused, match="single-dose"):
        open_container(by=cast.practitioner, lot=single, at=NOON)
    lot = deliver(cast, quantity_ml=D(5))
    open_container(by=cast.practitioner, lot=lot, at=NOON)
    with pytest.raises(ActionRefused, match="No sealed container"):
        open_container(by=cast.practitioner, lot=lot, at=NOON)
    late = datetime(2030, 7, 1, 12, tzinfo=UTC)
    more = deliver(cast, number="L2")
    with pytest.raises(ActionRefused, match="expired"):
        open_container(by=cast.practitioner, lot=more, at=late)
    set_lot_state(by=cast.practitioner, lot=more, state="quarantined", reason="Warm")
    with pytest.raises(ActionRefused, match="held back"):
        open_container(by=cast.practitioner, lot=more, at=NOON)


@pytest.mark.parametrize(
    ("amount", "sealed", "opened"),
    [
        ("2", "20", ["5"]),
        ("5", "20", ["5"]),
        ("5.01", "20", ["5", "5"]),
        ("12", "20", ["5", "5", "5"]),
        ("7", "7", ["5", "2"]),
        ("9", "7", ["5", "2"]),
        ("0", "7", []),
    ],
)
def test_how_many_containers_an_amount_takes(amount, sealed, opened):
    assert containers_for(D(amount), D(sealed), D(5)) == [D(one) for one in opened]


# --- using ------------------------------------------------------------------------------------


def test_the_rest_of_a_single_dose_is_thrown_away_and_written_down(cast):
    lot = deliver(cast, SINGLE)
    use(cast, (lot, "2"))
    assert lines(lot)[1:] == [("used", -2), ("wasted", -3)]
    assert lot.movements.get(kind="wasted").reason.startswith("Single-dose")
    use(cast, (lot, "5"))
    assert lines(lot)[3:] == [("used", -5)]
    assert available(lot, NOON) == 10
    check_ledger(lot)


def test_the_rest_of_a_multi_dose_stays_open_and_is_used_first(cast):
    lot = deliver(cast)
    use(cast, (lot, "2"))
    opened = OpenContainer.objects.get()
    assert (opened.held_ml, opened.left_ml, lines(lot)[1:]) == (5, 3, [("opened", 0), ("used", -2)])
    use(cast, (lot, "4"), at=NOON + timedelta(hours=1))
    opened.refresh_from_db()
    assert (opened.left_ml, opened.ended_at) == (0, NOON + timedelta(hours=1))
    assert OpenContainer.objects.standing().get().left_ml == 4
    check_ledger(lot)


def test_a_container_that_is_over_is_not_used(cast):
    lot = deliver(cast, quantity_ml=D(10))
    open_container(by=cast.practitioner, lot=lot, at=NOON - timedelta(hours=25))
    use(cast, (lot, "5"))
    with pytest.raises(NotInStock, match="only 0 mL"):
        use(cast, (lot, "1"))
    check_ledger(lot)


def test_what_was_drawn_in_time_may_be_signed_later(cast):
    lot = deliver(cast, quantity_ml=D(5))
    opened = open_container(by=cast.practitioner, lot=lot, at=NOON - timedelta(hours=23))
    after = opened.discard_by + timedelta(minutes=20)
    with pytest.raises(NotInStock):
        use(cast, (lot, "1"), at=after)
    use(cast, (lot, "1"), at=after, drawn_at=NOON)
    check_ledger(lot)


def test_all_or_nothing_and_every_problem_is_told(cast):
    good, short = deliver(cast, SINGLE), deliver(cast, number="L2", quantity_ml=D(1))
    held, there = deliver(cast, number="L3"), deliver(
        cast, number="L4", by=cast.practitioner2, location=cast.there
    )  # fmt: skip
    set_lot_state(by=cast.practitioner, lot=held, state="quarantined", reason="Warm")
    with pytest.raises(NotInStock) as refused, transaction.atomic():
        use(cast, (good, "2"), (short, "3"), (held, "1"), (there, "1"))
    told = refused.value.problems
    assert len(told) == 3
    for word in ("only 1 mL", "held back", "not on the shelf here"):
        assert any(word in one for one in told), word
    good.refresh_from_db()
    assert good.quantity_ml == 20


def test_grams_of_a_cream_come_from_its_tube(cast):
    tube = deliver(cast, "emla-5", quantity_ml=D(10))
    use(cast, (tube, "4"))
    assert lines(tube)[1:] == [("used", -4), ("wasted", -1)]
    with pytest.raises(NotInStock, match="only 5 g"):
        use(cast, (tube, "6"))


def test_a_lot_that_is_not_there_is_never_passed_over(cast):
    with pytest.raises(NotInStock, match="not on the shelf"):
        use_in_session(
            by=cast.practitioner, session_id=7, location=cast.here, used={999_999: D(1)}, at=NOON
        )


# --- choosing ---------------------------------------------------------------------------------


def test_what_is_over_first_is_offered_first(cast):
    late, soon = deliver(cast, number="LATE"), deliver(
        cast, number="SOON", expires_on=date(2026, 4, 1)
    )  # fmt: skip
    assert [lot.number for lot in choosable(cast.here, NOON)] == ["SOON", "LATE"]
    open_container(by=cast.practitioner, lot=late, at=NOON)
    assert [lot.number for lot in choosable(cast.here, NOON)] == ["LATE", "SOON"]
    assert available(soon, NOON) == 20


def test_what_cannot_be_chosen(cast):
    good = deliver(cast, number="GOOD")
    deliver(cast, number="EXPIRED", expires_on=date(2026, 3, 9))
    for state in ("quarantined", "recalled"):
        lot = deliver(cast, number=state)
        set_lot_state(by=cast.practitioner, lot=lot, state=state, reason="x")
    deliver(cast, number="THERE", by=cast.practitioner2, location=cast.there)
    over = deliver(cast, number="OVER", quantity_ml=D(5))
    open_container(by=cast.practitioner, lot=over, at=NOON - timedelta(hours=30))
    assert list(choosable(cast.here, NOON)) == [good]
    assert lots_and_tubes(cast.here, NOON)[0] == [good]
    assert set(lots_and_tubes(cast.here, NOON, [over.pk])[0]) == {good, over}
    assert available(over, NOON) == 0


def test_creams_are_not_drawn_into_syringes(cast):
    tube, lot = deliver(cast, "emla-5"), deliver(cast, SINGLE)
    assert lots_and_tubes(cast.here, NOON)[0] == [lot]
    assert lots_and_tubes(cast.here, NOON)[1] == [tube]
    marks = {"country_flags": {"FR": ["NOT_INJECTABLE"]}, "source_refs": ["GK"]}
    barred = edit_row(by=cast.manager, row=current(Product, "caffeine-25"), values=marks)
    deliver(cast, barred.code)
    deliver(cast, barred.code, by=cast.practitioner2, location=cast.there)
    assert lots_and_tubes(cast.here, NOON)[0] == [lot]
    assert len(lots_and_tubes(cast.there, NOON)[0]) == 1


# --- counting, throwing away, correcting --------------------------------------------------------


def test_a_count_books_the_difference(cast):
    lot = deliver(cast)
    count_lot(by=cast.practitioner, lot=lot, counted_ml=D("17.5"), reason="Monthly", at=NOON)
    count_lot(by=cast.practitioner, lot=lot, counted_ml=D(18), reason="Found one", at=NOON)
    count_lot(by=cast.practitioner, lot=lot, counted_ml=D(18), reason="As booked", at=NOON)
    assert lines(lot)[1:] == [("counted", D("-2.5")), ("counted", D("0.5")), ("counted", 0)]
    check_ledger(lot)


def test_what_is_missing_is_taken_from_the_sealed_first(cast):
    lot = deliver(cast, quantity_ml=D(10))
    opened = open_container(by=cast.practitioner, lot=lot, at=NOON)
    waste(by=cast.practitioner, lot=lot, amount_ml=D(4), reason="Broken", at=NOON)
    opened.refresh_from_db()
    assert opened.left_ml == 5
    waste(by=cast.practitioner, lot=lot, amount_ml=D(3), reason="Broken", at=NOON)
    opened.refresh_from_db()
    assert opened.left_ml == 3
    count_lot(by=cast.practitioner, lot=lot, counted_ml=D(0), reason="Gone", at=NOON)
    opened.refresh_from_db()
    assert (opened.left_ml, opened.ended_at) == (0, NOON)
    check_ledger(lot)


def test_a_container_is_thrown_away_once(cast):
    lot = deliver(cast)
    opened = open_container(by=cast.practitioner, lot=lot, at=NOON)
    discard_container(by=cast.practitioner, container=opened, reason="Over", at=NOON)
    with pytest.raises(ActionRefused, match="already"):
        discard_container(by=cast.practitioner, container=opened, reason="Over", at=NOON)
    assert lines(lot)[2:] == [("wasted", -5)]
    check_ledger(lot)


def test_a_slip_is_corrected_both_ways(cast):
    lot = deliver(cast)
    correct(by=cast.practitioner, lot=lot, change_ml=D(-4), reason="Typed twice", at=NOON)
    correct(by=cast.practitioner, lot=lot, change_ml=D("0.25"), reason="Misread", at=NOON)
    assert lot.movements.last().kind == "corrected"
    check_ledger(lot)


def test_expired_and_recalled_stock_can_still_be_thrown_away(cast):
    lot = deliver(cast, expires_on=date(2026, 3, 9))
    set_lot_state(by=cast.practitioner, lot=lot, state="recalled", reason="Letter", at=NOON)
    waste(by=cast.practitioner, lot=lot, amount_ml=D(20), reason="Sent back", at=NOON)
    assert lines(lot)[1:] == [("state", 0), ("wasted", -20)]


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "20.01", "1000000"])
def test_amounts_that_cannot_be(cast, amount):
    lot = deliver(cast)
    with pytest.raises(ActionRefused):
        waste(by=cast.practitioner, lot=lot, amount_ml=D(amount), reason="x", at=NOON)
    with pytest.raises(ActionRefused):
        correct(by=cast.practitioner, lot=lot, change_ml=-abs(D(amount)) * 21, reason="x", at=NOON)
    assert lines(lot) == [("received", 20)]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_every_change_by_hand_says_why(cast, reason):
    lot, by = deliver(cast), cast.practitioner
    opened = open_container(by=by, lot=lot, at=NOON)
    for act in (
        lambda: count_lot(by=by, lot=lot, counted_ml=D(1), reason=reason),
        lambda: waste(by=by, lot=lot, amount_ml=D(1), reason=reason),
        lambda: correct(by=by, lot=lot, change_ml=D(1), reason=reason),
        lambda: discard_container(by=by, container=opened, reason=reason),
        lambda: set_lot_state(by=by, lot=lot, state="recalled", reason=reason),
    ):
        with pytest.raises(ActionRefused) as refused:
            act()
        assert refused.value.field == "reason"


def test_states_are_in_the_ledger_and_a_recall_is_final(cast):
    lot = deliver(cast)
    for state in ("quarantined", "available", "recalled"):
        lot = set_lot_state(by=cast.practitioner, lot=lot, state=state, reason="x", at=NOON)
    with pytest.raises(ActionRefused, match="stays recalled"):
        set_lot_state(by=cast.practitioner, lot=lot, state="available", reason="x")
    reasons = lot.movements.filter(kind="state").order_by("number").values_list("reason", flat=True)
    assert list(reasons) == ["quarantined: x", "available: x", "recalled: x"]


def test_only_those_who_keep_the_stock_here_may_change_it(cast):
    lot = deliver(cast)
    opened = open_container(by=cast.practitioner, lot=lot, at=NOON)
    for by in (cast.front_desk, cast.practitioner2):
        for act in (
            lambda by=by: deliver(cast, by=by),
            lambda by=by: open_container(by=by, lot=lot, at=NOON),
            lambda by=by: count_lot(by=by, lot=lot, counted_ml=D(1), reason="x"),
            lambda by=by: waste(by=by, lot=lot, amount_ml=D(1), reason="x"),
            lambda by=by: correct(by=by, lot=lot, change_ml=D(1), reason="x"),
            lambda by=by: discard_container(by=by, container=opened, reason="x"),
            lambda by=by: set_lot_state(by=by, lot=lot, state="recalled", reason="x"),
            lambda by=by: set_level(by=by, location=cast.here, product=lot.product, least_ml=D(1)),
            lambda by=by: use(cast, (lot, "1"), by=by),
        ):
            with pytest.raises(ActionRefused, match="may not"):
                act()
    assert lines(lot) == [("received", 20), ("opened", 0)]


# --- low, and what needs attention --------------------------------------------------------------


def test_low_is_below_the_level_counting_only_what_may_be_used(cast):
    lot = deliver(cast, quantity_ml=D(10))
    set_level(by=cast.manager, location=cast.here, product=lot.product, least_ml=D(10))
    assert low_products(cast.here, NOON) == []
    open_container(by=cast.practitioner, lot=lot, at=NOON)
    [low] = low_products(cast.here, NOON + timedelta(hours=24))
    assert (low.product, low.there, low.least) == (lot.product, 5, 10)
    assert low_products(cast.there, NOON) == []
    set_level(by=cast.manager, location=cast.here, product=lot.product, least_ml=D(4))
    assert low_products(cast.here, NOON + timedelta(hours=24)) == []
    for _again in range(2):
        set_level(by=cast.manager, location=cast.here, product=lot.product, least_ml=None)


def test_attention_in_the_same_number_of_queries(cast, django_assert_num_queries):
    for number in range(3):
        lot = deliver(cast, number=f"OVER{number}")
        open_container(by=cast.practitioner, lot=lot, at=NOON - timedelta(days=2))
        deliver(cast, SINGLE, f"SOON{number}", expires_on=date(2026, 4, 1 + number))
        deliver(cast, SINGLE, f"GONE{number}", expires_on=date(2026, 3, 7 + number))
    set_level(by=cast.manager, location=cast.here, product=current(Product, "ha-1"), least_ml=D(1))
    with django_assert_num_queries(7):
        found = attention(cast.here, NOON, 2)
        assert [len(part) for part in (found.over, found.low, found.expired, found.expiring)] == [
            2,
            1,
            2,
            2,
        ]
    assert not attention(cast.there, NOON, 2)


# --- the database says no -----------------------------------------------------------------------


def line(lot: Lot, **fields: Any) -> Movement:
    values: dict[str, Any] = {
        "number": 99,
        "kind": "received",
        "change_ml": D(1),
        "before_ml": D(20),
        "after_ml": D(21),
        "at": NOON,
    }
    return Movement.objects.create(lot=lot, **{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"after_ml": D(22)}, "movement_adds_up"),
        ({"before_ml": D(-2), "after_ml": D(-1)}, "movement_adds_up"),
        ({"change_ml": D(-21), "after_ml": D(-1), "kind": "counted", "reason": "x"}, "adds_up"),
        ({"change_ml": D(-1), "after_ml": D(19)}, "movement_sign_of_kind"),
        ({"kind": "used", "session_id": 1}, "movement_sign_of_kind"),
        ({"kind": "wasted", "reason": "x"}, "movement_sign_of_kind"),
        ({"kind": "opened"}, "movement_sign_of_kind"),
        ({"kind": "corrected"}, "movement_says_why"),
        ({"kind": "used", "change_ml": D(-1), "after_ml": D(19)}, "movement_used_in_a_session"),
        ({"number": 1}, "movement_number_once"),
        ({"number": 52}, "held another amount"),
        ({"package": "g s"}, "movement_package_once"),
    ],
)
def test_a_line_that_cannot_be(cast, fields, constraint):
    lot = deliver(cast)
    line(lot, number=50, package="g s")
    line(lot, number=51, before_ml=D(21), after_ml=D(22))
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        line(lot, **fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"left_ml": D(6)}, "open_container_amounts_possible"),
        ({"left_ml": D(-1)}, "open_container_amounts_possible"),
        ({"discard_by": NOON - timedelta(seconds=1)}, "open_container_times_possible"),
        ({"ended_at": NOON}, "open_container_ended_is_empty"),
        ({"left_ml": D(0)}, "open_container_ended_is_empty"),
    ],
)
def test_a_container_that_cannot_be(cast, fields, constraint):
    opened = open_container(by=cast.practitioner, lot=deliver(cast), at=NOON)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OpenContainer.objects.filter(pk=opened.pk).update(**fields)
    OpenContainer.objects.filter(pk=opened.pk).update(left_ml=D(2))


def test_a_lot_is_never_below_zero(cast):
    lot = deliver(cast)
    with pytest.raises(IntegrityError, match="lot_quantity_not_negative"), transaction.atomic():
        Lot.objects.filter(pk=lot.pk).update(quantity_ml=D("-0.01"))
    Lot.objects.filter(pk=lot.pk).update(quantity_ml=D(0))


def test_a_line_is_never_changed_or_deleted(cast):
    lot = deliver(cast)
    with pytest.raises(DatabaseError, match="closed"), transaction.atomic():
        lot.movements.update(change_ml=D(5), after_ml=D(5))
    with pytest.raises(DatabaseError, match="closed"), transaction.atomic():
        lot.movements.all().delete()
    check_ledger(lot)


def test_codes_and_levels_that_cannot_be(cast):
    deliver(cast, package=PACKAGE)
    for fields in ({"gtin": "950600013435"}, {"gtin": "0950600013435x"}, {"content_ml": D(0)}):
        with pytest.raises(IntegrityError, match="package_code"), transaction.atomic():
            PackageCode.objects.create(
                **{
                    "gtin": "09506000134369",
                    "product_code": MULTI,
                    "content_ml": D(1),
                    "learned_by": cast.practitioner,
                    "learned_at": NOON,
                    **fields,
                }
            )
