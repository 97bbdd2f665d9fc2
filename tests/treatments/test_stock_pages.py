"""The shelf in the browser: receiving by code or by hand, one lot, changes, and Today."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.treatments.session_world import D, current
from tests.treatments.stock_world import FAR, MULTI, SINGLE, check_ledger, deliver, lines
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Lot, Product
from treatments.stock.actions import open_container, set_level, set_lot_state
from treatments.stock.models import Movement, OpenContainer, PackageCode, StockLevel

pytestmark = pytest.mark.django_db
FRAME = 2
"""Statements that any page costs once it is warm: session and person."""
SHELF, RECEIVE = "/catalogue/stock/", "/catalogue/stock/receive/"
GTIN = "09506000134352"
CODE = f"]d201{GTIN}1730063010L77\x1d21S1"


@pytest.fixture
def practitioner(cast, client_for):
    return client_for(cast.practitioner)


@pytest.fixture
def manager(cast, client_for):
    return client_for(cast.manager)


def arrived(cast, number="L1", days=200, code=SINGLE, **fields):
    """A lot that arrived a year ago and expires so many days from now."""
    now = timezone.now()
    return deliver(
        cast,
        code,
        number,
        expires_on=timezone.localdate() + timedelta(days=days),
        at=now - timedelta(days=365),
        **fields,
    )


# --- the lists --------------------------------------------------------------------------------


def test_lots_say_their_state_in_words(practitioner, cast):
    arrived(cast, "FRESH", 200)
    arrived(cast, "SOON", 60)
    arrived(cast, "OLD", -1)
    for number, state in (("HELD", "quarantined"), ("BACK", "recalled")):
        lot = arrived(cast, number)
        set_lot_state(by=cast.practitioner, lot=lot, state=state, reason="fridge failed")
    page = practitioner.get(SHELF)
    looks = {one["lot"].number: str(one["look"].word) for one in page.context["entries"]}
    assert looks == {
        "FRESH": "In date",
        "SOON": "Expires soon",
        "OLD": "Expired",
        "HELD": "Quarantined",
        "BACK": "Recalled",
    }
    assert "fridge failed" in page.content.decode()
    few = practitioner.get(SHELF, {"show": "attention"})
    assert {one["lot"].number for one in few.context["entries"]} == {"SOON", "OLD", "HELD", "BACK"}


def test_a_list_costs_the_same_at_any_length(practitioner, cast, django_assert_num_queries):
    product, day = current(Product, SINGLE), timezone.localdate()

    def fill(start: int, end: int) -> None:
        Lot.objects.bulk_create(
            [
                Lot(
                    location=cast.here,
                    product=product,
                    number=f"N{number}",
                    expires_on=day + timedelta(days=number % 7),
                    quantity_ml=number + 1,
                )
                for number in range(start, end)
            ]
        )

    practitioner.get("/catalogue/")
    for start, end in ((0, 1), (1, 3), (3, 300)):
        fill(start, end)
        for url in (SHELF, f"{SHELF}?show=attention", f"{SHELF}?q=N1"):
            with django_assert_num_queries(FRAME + 2):
                practitioner.get(url)
        with django_assert_num_queries(FRAME + 5):
            practitioner.get(f"{SHELF}products/")
        with django_assert_num_queries(FRAME + 6):
            practitioner.get(f"{SHELF}today/")


def test_every_lot_is_on_one_page_by_key(practitioner, cast, monkeypatch):
    monkeypatch.setattr("treatments.stock.views.PAGE", 2)
    for number in range(7):
        arrived(cast, f"N{number}", days=100 + number // 3)
    seen, url = [], SHELF
    while url:
        page = practitioner.get(url)
        seen += [one["lot"].number for one in page.context["entries"]]
        url = SHELF + page.context["next_url"] if page.context["next_url"] else ""
    assert seen == [f"N{number}" for number in range(7)]
    for odd in ("x", "2027-13-40.1", "2027-01-01.", ".", "2027-01-01.99999999999999999999"):
        assert practitioner.get(SHELF, {"after": odd}).status_code == 200


def test_search_and_used_up(practitioner, cast):
    arrived(cast, "AB-12")
    arrived(cast, "CD-34", code="caffeine-25")
    Lot.objects.filter(number="CD-34").update(quantity_ml=0)

    def found(**asked):
        return [one["lot"].number for one in practitioner.get(SHELF, asked).context["entries"]]

    assert found() == ["AB-12"]
    assert found(show="gone") == ["CD-34"]
    assert found(q="lidocaine ab") == ["AB-12"]
    assert found(q="lidocaïne") == ["AB-12"]
    assert found(q="cafeine", show="gone") == ["CD-34"]
    assert found(q="zzz") == []
    assert found(show="elsewhere", q="%_\\'\";--") == []
    assert practitioner.get(SHELF, {"q": "\0a"}).status_code == 200


def test_lots_of_another_location_are_not_there(cast, client_for):
    mine = arrived(cast, "OURS-77", code=MULTI)
    opened = open_container(by=cast.practitioner, lot=mine)
    other = client_for(cast.practitioner2)
    assert "OURS-77" not in other.get(SHELF).content.decode()
    for name in ("lot", "open", "count", "waste", "correct", "state"):
        url = reverse(f"stock:{name}", args=[mine.pk])
        assert other.post(url, {"amount": "1", "reason": "x"}).status_code in (404, 405), name
    assert other.get(f"{SHELF}{mine.pk}/").status_code == 404
    discard = reverse("stock:discard", args=[opened.pk])
    assert other.post(discard, {"reason": "x"}).status_code == 404
    assert lines(mine) == [("received", 20), ("opened", 0)]


def test_the_desk_looks_and_does_not_touch(cast, client_for):
    lot = arrived(cast, code=MULTI)
    opened = open_container(by=cast.practitioner, lot=lot)
    desk = client_for(cast.front_desk)
    assert desk.get(SHELF).status_code == 200
    page = desk.get(f"{SHELF}{lot.pk}/").content.decode()
    assert "Throw away" not in page
    assert desk.get(RECEIVE).status_code == 403
    assert desk.get(f"{SHELF}today/").status_code == 403
    for name in ("count", "waste", "correct", "state", "open"):
        assert desk.post(reverse(f"stock:{name}", args=[lot.pk])).status_code == 403
    assert desk.post(reverse("stock:discard", args=[opened.pk])).status_code == 403
    assert desk.post(reverse("stock:level", args=[SINGLE])).status_code == 403


# --- receiving --------------------------------------------------------------------------------


def typed(**changed):
    values = {
        "product": current(Product, SINGLE).pk,
        "number": "AB 12",
        "expires_on": FAR.isoformat(),
        "quantity_ml": "25,5",
        "received_from": "Example Supplies",
    }
    return {**values, **changed}


def test_receiving_by_hand(practitioner, cast):
    assert practitioner.post(RECEIVE, typed()).status_code == 302
    made = Lot.objects.get()
    assert (made.location, made.number, made.quantity_ml) == (cast.here, "AB 12", D("25.5"))
    practitioner.post(RECEIVE, typed(quantity_ml="1"))
    check_ledger(made)
    assert made.quantity_ml == D("26.5")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product", ""),
        ("product", "999999"),
        ("product", "x"),
        ("number", ""),
        ("number", "   "),
        ("number", "9" * 61),
        ("number", "a\x00b"),
        ("expires_on", ""),
        ("expires_on", "31/31/2030"),
        ("expires_on", "2001-01-01"),
        ("quantity_ml", "-1"),
        ("quantity_ml", "0"),
        ("quantity_ml", "NaN"),
        ("quantity_ml", "1e9"),
        ("quantity_ml", "much"),
        ("code", "nonsense"),
        ("code", "x" * 401),
        ("received_from", "x" * 121),
    ],
)
def test_bad_input_on_receiving(practitioner, field, value):
    page = practitioner.post(RECEIVE, typed(**{field: value}))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not Lot.objects.exists()


def test_a_code_fills_the_form_and_a_second_scan_knows_the_product(practitioner, cast):
    page = practitioner.post(RECEIVE, {"code": CODE, "read": "1"})
    assert page.status_code == 200
    form = page.context["form"]
    assert (form["number"].value(), form["expires_on"].value()) == ("L77", "2030-06-30")
    assert "is new here" in page.content.decode()
    assert not Lot.objects.exists(), "reading writes nothing"
    sent = typed(code=form["code"].value(), number="L77", quantity_ml="50", next="1")
    kept = practitioner.post(RECEIVE, sent)
    assert kept.url == RECEIVE
    assert Movement.objects.get().package == f"{GTIN} S1"
    again = practitioner.post(RECEIVE, {"code": CODE.replace("S1", "S2"), "read": "1"})
    form = again.context["form"]
    assert form["product"].value() == str(current(Product, SINGLE).pk)
    assert form["quantity_ml"].value() == "50"
    assert "Compare it with the package" in again.content.decode()


def test_the_same_package_is_told_beside_the_code(practitioner):
    practitioner.post(RECEIVE, typed(code=CODE, number="L77"))
    page = practitioner.post(RECEIVE, typed(code=CODE, number="L77"))
    assert "This very package" in page.context["form"].errors["code"][0]
    assert Lot.objects.get().quantity_ml == D("25.5")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "Scan or type"),
        ("hello", "not a GS1 code"),
        (f"01{GTIN}10AB17300630", "separators are missing"),
        ("0109506000134353", "check digit"),
    ],
)
def test_a_bad_code_says_so_beside_the_field_and_loses_nothing(practitioner, code, said):
    page = practitioner.post(RECEIVE, typed(code=code, read="1", quantity_ml="7"))
    form = page.context["form"]
    assert page.status_code == 422
    assert said in form.errors["code"][0]
    assert list(form.errors) == ["code"]
    for name, value in typed(quantity_ml="7").items():
        assert str(form[name].value()) == str(value), name
    assert not Lot.objects.exists()


def test_what_is_typed_must_not_contradict_the_code(practitioner):
    page = practitioner.post(RECEIVE, typed(code=CODE, number="L78", expires_on="2030-07-01"))
    errors = page.context["form"].errors
    assert "says L77" in errors["number"][0]
    assert "says 2030-06-30" in errors["expires_on"][0]
    assert not Lot.objects.exists()


def test_a_code_of_another_product_is_a_manager_s_to_change(practitioner, manager):
    practitioner.post(RECEIVE, typed(code=CODE, number="L77"))
    other = typed(
        code=CODE.replace("S1", "S3"), number="L77", product=current(Product, "caffeine-25").pk
    )
    page = practitioner.post(RECEIVE, other)
    assert "another product" in page.context["form"].errors["product"][0]
    assert manager.post(RECEIVE, other).status_code == 302
    assert PackageCode.objects.get().product_code == "caffeine-25"


def test_the_reader_may_run_where_it_is_needed_and_nowhere_else(practitioner):
    page = practitioner.get(RECEIVE)
    assert "'wasm-unsafe-eval'" in page["Content-Security-Policy"]
    assert "camera=(self)" in page["Permissions-Policy"]
    for url in (SHELF, "/today/", "/catalogue/"):
        policy = practitioner.get(url)["Content-Security-Policy"]
        assert "wasm" not in policy
        assert "unsafe" not in policy


# --- one lot ----------------------------------------------------------------------------------


def test_a_lot_page_in_the_same_number_of_queries(practitioner, cast, django_assert_num_queries):
    lot = arrived(cast, code=MULTI, quantity_ml=D(500))
    url = f"{SHELF}{lot.pk}/"
    practitioner.get(url)
    for more in (0, 2, 60):
        for _again in range(more):
            open_container(by=cast.practitioner, lot=lot)
        # The lot, its ledger, its open containers; and the reading goes into the trail.
        with django_assert_num_queries(FRAME + 4):
            page = practitioner.get(url)
    assert "next_url" in page.context
    older = practitioner.get(url + page.context["next_url"])
    numbers = [line.number for line, *_rest in [*page.context["lines"], *older.context["lines"]]]
    assert numbers == list(range(63, 0, -1))


def test_what_is_left_of_a_container_and_until_when(practitioner, cast):
    lot = arrived(cast, code=MULTI)
    practitioner.post(reverse("stock:open", args=[lot.pk]))
    page = practitioner.get(f"{SHELF}{lot.pk}/").content.decode()
    assert "5 mL left" in page
    assert "discard by" in page
    opened = OpenContainer.objects.get()
    OpenContainer.objects.filter(pk=opened.pk).update(
        opened_at=opened.opened_at - timedelta(days=2),
        discard_by=opened.discard_by - timedelta(days=2),
    )
    page = practitioner.get(f"{SHELF}{lot.pk}/").content.decode()
    assert "Over: throw it away" in page
    form = practitioner.get(reverse("stock:discard", args=[opened.pk]))
    assert "in-use life is over" in form.content.decode()
    done = practitioner.post(reverse("stock:discard", args=[opened.pk]), {"reason": "Over"})
    assert done.status_code == 302
    assert lines(lot)[2:] == [("wasted", -5)]


@pytest.mark.parametrize(
    ("name", "sent", "booked"),
    [
        ("count", {"amount": "18,5", "reason": "Monthly"}, ("counted", D("-1.5"))),
        ("waste", {"amount": "2", "reason": "Broken"}, ("wasted", D(-2))),
        ("correct", {"amount": "-3", "reason": "Slip"}, ("corrected", D(-3))),
        ("state", {"state": "quarantined", "reason": "Warm"}, ("state", D(0))),
    ],
)
def test_each_change_is_a_line(practitioner, cast, name, sent, booked):
    lot = arrived(cast)
    url = reverse(f"stock:{name}", args=[lot.pk])
    assert practitioner.get(url).status_code == 200
    refused = practitioner.post(url, {**sent, "reason": " "})
    assert refused.status_code == 422
    assert "reason" in refused.context["form"].errors
    assert practitioner.post(url, sent).status_code == 302
    assert lines(lot)[1:] == [booked]
    assert lot.movements.last().reason.endswith(sent["reason"])
    page = practitioner.get(f"{SHELF}{lot.pk}/").content.decode()
    assert sent["reason"] in page


def test_what_is_sent_twice_is_booked_once(practitioner, cast):
    key = practitioner.get(RECEIVE).context["form"]["key"].value()
    for status in (302, 422):
        page = practitioner.post(RECEIVE, typed(key=key))
        assert page.status_code == status
    assert "written down already" in page.content.decode()
    lot = Lot.objects.get()
    for name in ("waste", "correct", "count"):
        url = reverse(f"stock:{name}", args=[lot.pk])
        key = practitioner.get(url).context["form"]["key"].value()
        for status in (302, 422):
            sent = {"amount": "1", "reason": "x", "key": key}
            assert practitioner.post(url, sent).status_code == status
    assert [kind for kind, _change in lines(lot)] == ["received", "wasted", "corrected", "counted"]
    check_ledger(lot)
    assert practitioner.post(RECEIVE, typed(key="not-a-key")).status_code == 422


@pytest.mark.parametrize("amount", ["", "x", "NaN", "0", "-1", "20.01", "1e9"])
def test_what_cannot_be_thrown_away(practitioner, cast, amount):
    lot = arrived(cast)
    url = reverse("stock:waste", args=[lot.pk])
    page = practitioner.post(url, {"amount": amount, "reason": "x"})
    assert page.status_code == 422
    assert "amount" in page.context["form"].errors
    assert lines(lot) == [("received", 20)]


def test_a_product_without_in_use_life_says_so(practitioner, cast):
    lot = arrived(cast, code="lmx4-30")
    page = practitioner.get(f"{SHELF}{lot.pk}/").content.decode()
    assert "gives no in-use life" in page
    assert "20 g" in page
    single = arrived(cast, "S")
    assert "Single-dose" in practitioner.get(f"{SHELF}{single.pk}/").content.decode()


# --- products and levels ------------------------------------------------------------------------


def test_a_level_is_set_changed_and_cleared(practitioner, cast):
    arrived(cast)
    url = reverse("stock:level", args=[SINGLE])
    assert practitioner.get(url).status_code == 200
    assert practitioner.post(url, {"least_ml": "-1"}).status_code == 422
    assert practitioner.post(url, {"least_ml": "30"}).status_code == 302
    page = practitioner.get(f"{SHELF}products/").content.decode()
    assert "30 mL" in page
    assert "Low" in page
    practitioner.post(url, {"least_ml": "10"})
    assert StockLevel.objects.get().least_ml == 10
    practitioner.post(url, {"least_ml": ""})
    assert not StockLevel.objects.exists()
    assert practitioner.get(reverse("stock:level", args=["unobtainium"])).status_code == 404


def test_versions_of_a_product_are_one_product(practitioner, cast):
    lot = arrived(cast)
    values = {"container_ml": Decimal(10), "source_refs": ["GK"]}
    edit_row(by=cast.manager, row=lot.product, values=values)
    arrived(cast, "L2")
    page = practitioner.get(f"{SHELF}products/")
    there = {one["product"].code: one["there"] for one in page.context["entries"]}
    assert there[SINGLE] == "40 mL"


# --- Today ------------------------------------------------------------------------------------


def test_today_says_what_the_shelf_needs_and_is_silent_otherwise(practitioner, cast):
    assert "panel" not in practitioner.get(f"{SHELF}today/").content.decode()
    lot = arrived(cast, "FINE", code=MULTI)
    assert "panel" not in practitioner.get(f"{SHELF}today/").content.decode()
    open_container(by=cast.practitioner, lot=lot, at=timezone.now() - timedelta(hours=30))
    arrived(cast, "OLD", -1)
    arrived(cast, "SOON", 20)
    set_level(by=cast.manager, location=cast.here, product=lot.product, least_ml=D(100))
    page = practitioner.get(f"{SHELF}today/").content.decode()
    for words in ("over since", "OLD expired", "15 mL left, low below 100 mL", "SOON expires"):
        assert words in page, words
    assert f'hx-get="{SHELF}today/"' in practitioner.get("/today/").content.decode()


def test_a_product_s_page_says_what_is_there_or_that_there_is_none(practitioner, cast):
    url = reverse("stock:of-product", args=[SINGLE])
    assert f'hx-get="{url}"' in practitioner.get(f"/catalogue/products/{SINGLE}/").content.decode()
    arrived(cast, "OLD-LOT", -1)
    assert "No lot of it may be used here" in practitioner.get(url).content.decode()
    arrived(cast, "A-1")
    arrived(cast, "A-2", 20)
    page = practitioner.get(url).content.decode()
    assert page.index("A-2") < page.index("A-1")
    assert "40 mL" in page
    assert "OLD-LOT" not in page
    assert practitioner.get(reverse("stock:of-product", args=["unobtainium"])).status_code == 404
