"""The catalogue in the browser: browsing, editing, approving, and the shelf."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from clinic.errors import ActionRefused
from treatments.catalogue.actions import approve_row, edit_row, receive_lot, set_lot_state
from treatments.catalogue.kinds import KINDS
from treatments.catalogue.models import Contraindication, Lot, Product, Substance, Technique
from treatments.catalogue.presentation import figures, listings

pytestmark = pytest.mark.django_db
FRAME = 2
"""Statements that any page costs once it is warm: session and person."""


@pytest.fixture
def practitioner(cast, client_for):
    return client_for(cast.practitioner)


@pytest.fixture
def manager(cast, client_for):
    return client_for(cast.manager)


def lot(cast, number="L1", days=200, product="lidocaine-2", **fields):
    product = Product.objects.current().get(code=product)
    expires = timezone.localdate() + timedelta(days=days)
    return Lot.objects.create(
        location=cast.here,
        product=product,
        number=number,
        expires_on=expires,
        quantity_ml=50,
        **fields,
    )


def test_the_landing_page_counts_in_one_query(practitioner, django_assert_num_queries):
    practitioner.get("/catalogue/")
    with django_assert_num_queries(FRAME + 1):
        page = practitioner.get("/catalogue/")
    assert "not been verified by a clinician" in page.content.decode()
    for kind in KINDS:
        assert reverse("catalogue:rows", args=[kind.slug]) in page.content.decode()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_row_has_a_page(practitioner, kind, django_assert_max_num_queries):
    assert practitioner.get(reverse("catalogue:rows", args=[kind.slug])).status_code == 200
    for row in kind.model.objects.current()[:4]:
        with django_assert_max_num_queries(9):
            page = practitioner.get(reverse("catalogue:row", args=[kind.slug, row.code]))
        assert page.status_code == 200, row.code
        assert "Not verified by a clinician" in page.content.decode()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_figure_has_a_label(language):
    with translation.override(language):
        for row in (row for kind in KINDS for row in kind.model.objects.current()):
            for figure in figures(row):
                assert "_" not in str(figure.label), (row.code, figure)
                assert figure.value or figure.lines
            for listing in listings(row):
                assert all(len(one["cells"]) == len(listing.columns) for one in listing.rows)


def test_a_list_costs_the_same_for_any_length(practitioner, django_assert_num_queries):
    practitioner.get("/catalogue/")
    for kind in ("modalities", "contraindications"):
        with django_assert_num_queries(FRAME + 1):
            practitioner.get(reverse("catalogue:rows", args=[kind]))


def test_search_takes_accents_and_several_words(practitioner):
    def found(q):
        return practitioner.get("/catalogue/substances/", {"q": q}).content.decode()

    assert "/catalogue/substances/caffeine/" in found("cafeine")
    assert "/catalogue/substances/tranexamic-acid/" in found("acid tranex")
    assert "Nothing found" in found("zzzz")
    assert "Nothing found" in found("%_\\'\";--")
    assert practitioner.get("/catalogue/substances/?q=%00a").status_code == 200


def test_a_long_kind_is_paged_by_key(practitioner, monkeypatch):
    monkeypatch.setattr("treatments.catalogue.views.PAGE", 40)
    seen, url = set(), "/catalogue/contraindications/"
    while url:
        page = practitioner.get(url)
        rows = page.context["rows"]
        seen |= {row.code for row in rows}
        next_url = page.context["next_url"]
        url = "/catalogue/contraindications/" + next_url if next_url else ""
    assert len(seen) == Contraindication.objects.current().count() > 90


def test_a_row_shows_its_source_and_what_it_brings(practitioner):
    page = practitioner.get("/catalogue/substances/deoxycholic-acid/").content.decode()
    for words in (
        "KYBELLA label",
        "law, regulator, label, guideline or peer-reviewed paper",
        "never mixed or diluted",
        "Do not mix or dilute.",
        "Call us for an uneven smile",
        "prescription only",
        "10 mL",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    "url",
    [
        "/catalogue/spells/",
        "/catalogue/substances/unobtainium/",
        "/catalogue/substances/lidocaine/?version=99",
        "/catalogue/lots/999999/",
    ],
)
def test_what_is_not_there_is_404(practitioner, url):
    assert practitioner.get(url).status_code == 404


def test_an_edit_makes_a_version_that_waits_for_approval(manager, practitioner, cast):
    url = reverse("catalogue:edit", args=["techniques", "papule"])
    values = posted(manager.get(url))
    values["spacing_max_mm"] = "9"
    assert manager.post(url, values).status_code == 302
    row = Technique.objects.current().get(code="papule")
    assert (row.version, row.spacing_max_mm, row.origin) == (2, 9, "clinic")
    practitioner.post(reverse("catalogue:approve", args=["techniques", "papule", 2]))
    row.refresh_from_db()
    assert row.approved_by == cast.practitioner
    page = manager.get("/catalogue/techniques/papule/").content.decode()
    assert "Approved by Ada Rossi" in page
    assert "Version 1" in page
    old = manager.get("/catalogue/techniques/papule/?version=1").content.decode()
    assert "This version is not in force" in old


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_kind_can_be_edited_without_harm(manager, kind):
    """What the form shows and takes back unchanged is no change."""
    for row in kind.model.objects.current()[:3]:
        url = reverse("catalogue:edit", args=[kind.slug, row.code])
        page = manager.post(url, posted(manager.get(url)))
        assert page.status_code == 422
        assert "Nothing has changed" in page.content.decode(), row.code


def posted(page):
    """What a browser sends back of the page's form."""
    form = page.context["form"]
    sent = {}
    for bound in form:
        value = bound.value()
        if value is not None and value is not False:
            sent[bound.html_name] = value
    return sent


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("source_refs", "", "required"),
        ("source_refs", "S999a", "There is no source S999"),
        ("name_en", "", "required"),
        ("name_en", "x" * 201, "at most 200"),
        ("rules", "thrombosis", "condition, level, source"),
        ("rules", "thrombosis, never, GK", "no level"),
        ("rules", "the-plague, stop, GK", "Not in the catalogue: the-plague"),
        ("rules", "thrombosis, stop, S999a", "Not in the catalogue: S999"),
        ("rules", "thrombosis, stop, GK, perhaps", "condition, level, source"),
        ("limits", "not json", "valid JSON"),
        ("limits", '{"max_ml": "lots"}', "positive number"),
        ("limits", '{"colour": 3}', "Limits may be"),
        ("limits", '{"name": 3}', "Limits may be"),
        ("flags", "LICENSED", "LICENSED"),
    ],
)
def test_bad_input_beside_the_field(manager, field, value, said):
    url = reverse("catalogue:edit", args=["substances", "lidocaine"])
    values = {**posted(manager.get(url)), field: value}
    page = manager.post(url, values)
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert said in page.content.decode()
    assert Substance.objects.filter(code="lidocaine").count() == 1


@pytest.mark.parametrize("odd", [{"max_g": "little"}, {"from_months": -1}, {"max_minutes": 0}])
def test_a_child_s_ceiling_is_a_number(manager, odd):
    url = reverse("catalogue:edit", args=["anaesthetics", "emla"])
    entry = {"from_months": 0, "to_months": 12, "max_g": "2", "max_cm2": None, **odd}
    page = manager.post(url, {**posted(manager.get(url)), "child_limits": json.dumps([entry])})
    assert page.status_code == 422
    assert "must be a positive number" in page.context["form"].errors["child_limits"][0]


def test_rules_are_edited_as_lines(manager):
    url = reverse("catalogue:edit", args=["substances", "lidocaine"])
    values = {**posted(manager.get(url)), "rules": "porphyria, stop, GK, refuses\n\n"}
    assert manager.post(url, values).status_code == 302
    row = Substance.objects.current().get(code="lidocaine")
    assert row.rules == [
        {"condition": "porphyria", "level": "stop", "source": "GK", "blocks": True}
    ]


def test_a_negative_figure_is_refused(manager):
    url = reverse("catalogue:edit", args=["products", "lidocaine-2"])
    page = manager.post(url, {**posted(manager.get(url)), "container_ml": "-5"})
    assert page.status_code == 422


def test_an_edited_product_keeps_its_ingredients(cast):
    row = Product.objects.current().get(code="dexpanthenol-biotin")
    new = edit_row(by=cast.manager, row=row, values={"container_ml": Decimal(10)})
    assert {i.substance.code for i in new.ingredients.all()} == {"dexpanthenol", "biotin"}


def test_an_edit_of_an_old_version_is_refused(cast):
    row = Technique.objects.current().get(code="papule")
    edit_row(by=cast.manager, row=row, values={"spacing_max_mm": 9})
    with pytest.raises(ActionRefused, match="newer version"):
        edit_row(by=cast.manager, row=row, values={"spacing_max_mm": 8})
    with pytest.raises(ActionRefused, match="newer version"):
        approve_row(by=cast.practitioner, row=row)


def test_who_may_edit_and_approve(cast, client_for):
    row = Technique.objects.current().get(code="papule")
    with pytest.raises(ActionRefused):
        edit_row(by=cast.practitioner, row=row, values={"spacing_max_mm": 9})
    with pytest.raises(ActionRefused):
        approve_row(by=cast.front_desk, row=row)
    desk = client_for(cast.front_desk)
    assert desk.get("/catalogue/techniques/papule/").status_code == 200
    assert desk.get("/catalogue/techniques/papule/edit/").status_code == 403
    assert desk.post("/catalogue/techniques/papule/1/use/").status_code == 403
    assert desk.get("/catalogue/lots/receive/").status_code == 403
    approve_row(by=cast.manager, row=row)
    with pytest.raises(ActionRefused, match="already"):
        approve_row(by=cast.practitioner, row=row)


# --- the shelf -------------------------------------------------------------------------------


def test_lots_say_their_state_in_words(practitioner, cast, django_assert_num_queries):
    lot(cast, "FRESH", 200)
    lot(cast, "SOON", 60)
    lot(cast, "OLD", -1)
    lot(cast, "HELD", 200, state=Lot.State.QUARANTINED, state_reason="fridge failed")
    lot(cast, "BACK", 200, state=Lot.State.RECALLED)
    practitioner.get("/catalogue/")
    with django_assert_num_queries(FRAME + 2):
        page = practitioner.get("/catalogue/lots/")
    looks = {entry.number: str(look.word) for entry, look in page.context["entries"]}
    assert looks == {
        "FRESH": "In date",
        "SOON": "Expires soon",
        "OLD": "Expired",
        "HELD": "Quarantined",
        "BACK": "Recalled",
    }
    assert "fridge failed" in page.content.decode()
    few = practitioner.get("/catalogue/lots/?show=attention")
    assert {entry.number for entry, _ in few.context["entries"]} == {"SOON", "OLD", "HELD", "BACK"}


def test_lots_of_another_location_are_not_there(cast, client_for):
    mine = lot(cast, "OURS-77")
    other = client_for(cast.practitioner2)
    assert "OURS-77" not in other.get("/catalogue/lots/").content.decode()
    assert other.get(f"/catalogue/lots/{mine.pk}/").status_code == 404
    with pytest.raises(ActionRefused):
        set_lot_state(by=cast.practitioner2, lot=mine, state="recalled", reason="x")


def arriving(**changed):
    product = Product.objects.current().get(code="lidocaine-2")
    expires = timezone.localdate() + timedelta(days=90)
    values = {
        "product": product.pk,
        "number": "AB 12",
        "expires_on": expires.isoformat(),
        "quantity_ml": "25,5",
    }
    return {**values, **changed}


def test_receiving_a_lot(practitioner, cast):
    assert practitioner.post("/catalogue/lots/receive/", arriving()).status_code == 302
    made = Lot.objects.get(number="AB 12")
    assert (made.location, made.quantity_ml, made.state) == (
        cast.here,
        Decimal("25.5"),
        "available",
    )
    again = practitioner.post("/catalogue/lots/receive/", arriving())
    assert again.status_code == 422
    assert "already on the shelf" in str(again.context["form"].errors["number"])


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
    ],
)
def test_bad_input_on_receiving(practitioner, field, value):
    page = practitioner.post("/catalogue/lots/receive/", arriving(**{field: value}))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not Lot.objects.exists()


def test_a_lot_expires_at_the_end_of_its_day_where_it_lies(cast):
    product = Product.objects.current().get(code="lidocaine-2")
    values = {"product": product, "expires_on": date(2026, 3, 28), "quantity_ml": Decimal(5)}
    in_paris = datetime(2026, 3, 28, 22, 59, tzinfo=UTC)
    receive_lot(by=cast.practitioner, location=cast.here, number="A", at=in_paris, **values)
    with pytest.raises(ActionRefused, match="expired"):
        receive_lot(
            by=cast.practitioner,
            location=cast.here,
            number="B",
            at=in_paris + timedelta(minutes=1),
            **values,
        )


def test_holding_back_and_releasing_needs_a_reason(practitioner, cast):
    held = lot(cast)
    url = f"/catalogue/lots/{held.pk}/"
    page = practitioner.post(url, {"state": "quarantined", "reason": " "})
    assert page.status_code == 422
    assert practitioner.post(url, {"state": "gone", "reason": "x"}).status_code == 422
    assert practitioner.post(url, {"state": "available", "reason": "x"}).status_code == 422
    practitioner.post(url, {"state": "quarantined", "reason": "fridge failed"})
    held.refresh_from_db()
    assert (held.state, held.state_reason) == ("quarantined", "fridge failed")
    assert not Lot.objects.usable(timezone.localdate()).exists()
    practitioner.post(url, {"state": "recalled", "reason": "maker's letter"})
    page = practitioner.post(url, {"state": "available", "reason": "mistake"})
    assert page.status_code == 422
    held.refresh_from_db()
    assert held.state == "recalled"
