"""The catalogue in the browser: browsing, editing, adding and approving."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import translation

from clinic.errors import ActionRefused
from clinic.web.rows import RowsField
from treatments.catalogue.actions import add_row, approve_row, edit_row, take_out_of_use
from treatments.catalogue.kinds import KINDS
from treatments.catalogue.models import (
    Anaesthetic,
    Contraindication,
    Product,
    Recipe,
    Substance,
    Technique,
)
from treatments.catalogue.presentation import figures, listings
from treatments.catalogue.recipes import contents_of

pytestmark = pytest.mark.django_db
FRAME = 2
"""Statements that any page costs once it is warm: session and person."""


@pytest.fixture
def practitioner(cast, client_for):
    return client_for(cast.practitioner)


@pytest.fixture
def manager(cast, client_for):
    return client_for(cast.manager)


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
        "/catalogue/stock/999999/",
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


HERE = [kind for kind in KINDS if not kind.written_at]
"""The kinds whose rows the catalogue itself changes."""


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.slug)
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
        if isinstance(bound.field, RowsField):
            boxes = bound.field.widget.boxes(bound.html_name, value or [])
            sent |= {
                name: one for name, one in boxes.items() if one is not None and one is not False
            }
            continue
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


@pytest.mark.parametrize(
    ("kind", "code", "name", "value"),
    [
        ("anaesthetics", "emla", "child_limits-0-max_g", "little"),
        ("anaesthetics", "emla", "child_limits-0-from_months", "-1"),
        ("anaesthetics", "emla", "child_limits-0-max_minutes", "0"),
        ("anaesthetics", "emla", "child_limits-0-to_months", ""),
        ("protocols", "face-4x15", "phases-0-sessions", "0"),
        ("protocols", "face-4x15", "phases-0-gap_max_days", "soon"),
        ("protocols", "face-4x15", "phases-0-kind", "later"),
    ],
)
def test_figures_of_a_structure_are_numbers(manager, kind, code, name, value):
    url = reverse("catalogue:edit", args=[kind, code])
    page = manager.post(url, {**posted(manager.get(url)), name: value})
    assert page.status_code == 422
    assert page.context["form"].errors[name.partition("-")[0]][0].startswith("Row 1, ")


def test_a_ceiling_is_added_and_kept_as_it_was_written(manager):
    url = reverse("catalogue:edit", args=["anaesthetics", "lmx4"])
    shipped = Anaesthetic.objects.current().get(code="lmx4").child_limits
    before = [{k: v for k, v in one.items() if v is not None} for one in shipped]
    at = f"child_limits-{len(before)}"
    more = {f"{at}-from_months": "12", f"{at}-to_months": "24", f"{at}-max_g": "1,50"}
    values = {**posted(manager.get(url)), **more, f"{at}-source": "S75a"}
    assert manager.post(url, values).status_code == 302
    row = Anaesthetic.objects.current().get(code="lmx4")
    new = {"from_months": 12, "to_months": 24, "max_g": "1.5", "source": "S75a"}
    assert row.child_limits == [*before, new]


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
    approve_row(by=cast.manager, row=row)
    with pytest.raises(ActionRefused, match="already"):
        approve_row(by=cast.practitioner, row=row)


# --- what a row is made of, and rows of one's own ---------------------------------------------


def test_a_strength_is_edited_and_the_old_version_keeps_its_own(manager):
    url = reverse("catalogue:edit", args=["products", "lidocaine-2"])
    values = posted(manager.get(url))
    assert values["ingredients-0-substance"] == "lidocaine"
    values["ingredients-0-per_ml"] = "21,5"
    assert manager.post(url, values).status_code == 302
    old, new = Product.objects.filter(code="lidocaine-2").order_by("version")
    assert [one.per_ml for one in old.ingredients.all()] == [20]
    assert [one.per_ml for one in new.ingredients.all()] == [Decimal("21.5")]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ingredients-0-per_ml", "", "Row 1, Strength"),
        ("ingredients-0-per_ml", "-2", "Row 1, Strength"),
        ("ingredients-0-per_ml", "NaN", "Row 1, Strength"),
        ("ingredients-0-unit", "kg", "Row 1, Unit"),
        ("ingredients-0-substance", "unobtainium", "Row 1, Substance"),
        ("ingredients-1-substance", "procaine", "Row 2, Strength"),
        ("country_flags-0-country", "FR", "Row 1, Mark"),
        ("country_flags-0-flag", "RX", "Row 1, Country"),
    ],
)
def test_a_mistake_in_a_row_names_its_row(manager, name, value, said):
    url = reverse("catalogue:edit", args=["products", "lidocaine-2"])
    page = manager.post(url, {**posted(manager.get(url)), name: value})
    assert page.status_code == 422
    field = name.partition("-")[0]
    assert said in page.context["form"].errors[field][0]
    assert f'name="{name}"' in page.content.decode()


def test_round_figures_are_written_as_people_write_them(manager, practitioner):
    page = manager.get(reverse("catalogue:edit", args=["products", "ha-1"])).content.decode()
    assert 'value="10"' in page
    assert "E+" not in page
    page = practitioner.get("/catalogue/mixes/low-back-pain-3/").content.decode()
    assert "160 mg" in page
    assert "E+" not in page


def test_marks_are_ticked_and_their_order_is_no_change(manager):
    url = reverse("catalogue:edit", args=["products", "botulinum-100"])
    values = posted(manager.get(url))
    assert values["flags"] == ["RX", "OFFLABEL"]
    page = manager.post(url, {**values, "flags": ["OFFLABEL", "RX"]})
    assert "Nothing has changed" in page.content.decode()
    assert manager.post(url, {**values, "flags": ["RX"]}).status_code == 302
    assert Product.objects.current().get(code="botulinum-100").flags == ["RX"]


def test_each_substance_once(manager):
    url = reverse("catalogue:edit", args=["products", "lidocaine-2"])
    again = {"ingredients-1-substance": "lidocaine", "ingredients-1-per_ml": "3"}
    page = manager.post(url, {**posted(manager.get(url)), **again, "ingredients-1-unit": "mg"})
    assert "Each substance once" in page.context["form"].errors["ingredients"][0]


def test_a_mark_holds_in_its_country_alone(manager):
    url = reverse("catalogue:edit", args=["products", "organic-silicon-1"])
    mark = {"country_flags-0-country": "FR", "country_flags-0-flag": "NOT_INJECTABLE"}
    assert manager.post(url, {**posted(manager.get(url)), **mark}).status_code == 302
    row = Product.objects.current().get(code="organic-silicon-1")
    assert row.country_flags == {"FR": ["NOT_INJECTABLE"]}
    assert row.flags_in("FR") == {"NOT_INJECTABLE"}
    assert row.flags_in("GB") == set()
    page = manager.get(reverse("catalogue:row", args=["products", row.code])).content.decode()
    assert "FR: not for injection" in page


NEW = {
    "code": "silica-plus",
    "name_en": "Silica Plus",
    "name_fr": "Silice Plus",
    "source_refs": "GK",
    "maker": "Example",
    "container_ml": "5",
    "measured_in": "mL",
    "ingredients-0-substance": "organic-silicon",
    "ingredients-0-per_ml": "5",
    "ingredients-0-unit": "mg",
}


def test_a_product_of_one_s_own(manager, practitioner):
    url = reverse("catalogue:add", args=["products"])
    assert manager.get(url).status_code == 200
    assert manager.post(url, NEW).status_code == 302
    row = Product.objects.current().get(code="silica-plus")
    assert (row.version, row.origin, row.is_approved) == (1, "clinic", False)
    assert [one.substance.code for one in row.ingredients.all()] == ["organic-silicon"]
    again = manager.post(url, NEW)
    assert "already" in again.context["form"].errors["code"][0]
    assert practitioner.get(url).status_code == 403


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "a b"}, "code"),
        ({"code": "new"}, "code"),
        ({"source_refs": ""}, "source_refs"),
        ({"source_refs": "S999a"}, "source_refs"),
        ({"name_en": ""}, "name_en"),
        ({"container_ml": "x"}, "container_ml"),
    ],
)
def test_a_new_row_that_will_not_do(manager, changed, field):
    page = manager.post(reverse("catalogue:add", args=["products"]), {**NEW, **changed})
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not Product.objects.filter(name_en="Silica Plus").exists()


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.slug)
def test_every_kind_can_be_added_to(manager, kind):
    assert manager.get(reverse("catalogue:add", args=[kind.slug])).status_code == 200


def test_advice_is_written_in_the_room_of_the_sheets_alone(manager):
    """Here it would be in force before anybody has approved it."""
    page = manager.get("/catalogue/advice/base-heat/").content.decode()
    assert reverse("sheet-texts:block", args=["base-heat"]) in page
    assert manager.get(reverse("catalogue:edit", args=["advice", "base-heat"])).status_code == 404
    assert manager.get(reverse("catalogue:add", args=["advice"])).status_code == 404
    for verb in ("catalogue:out-of-use", "catalogue:use"):
        assert manager.post(reverse(verb, args=["advice", "base-heat", 1])).status_code == 404


def test_only_a_manager_adds_and_takes_out(cast):
    with pytest.raises(ActionRefused):
        add_row(by=cast.practitioner, model=Product, values={"code": "x"})
    with pytest.raises(ActionRefused):
        take_out_of_use(by=cast.practitioner, row=Product.objects.current().first())


def test_a_row_out_of_use_is_not_offered_and_comes_back(manager):
    out = reverse("catalogue:out-of-use", args=["products", "caffeine-25", 1])
    assert manager.post(out).status_code == 302
    assert not Product.objects.current().filter(code="caffeine-25").exists()
    listed = "/catalogue/products/"
    assert "caffeine-25" not in manager.get(listed).content.decode()
    assert "caffeine-25" in manager.get(listed, {"show": "out-of-use"}).content.decode()
    call_command("load_catalogue", verbosity=0)
    assert not Product.objects.current().filter(code="caffeine-25").exists()
    assert "not in force" in manager.get("/catalogue/products/caffeine-25/").content.decode()
    manager.post(reverse("catalogue:use", args=["products", "caffeine-25", 1]))
    assert Product.objects.current().filter(code="caffeine-25").exists()


# --- mixes -----------------------------------------------------------------------------------


def test_a_published_mix_comes_to_what_was_published():
    """T4: 3 mL holding lidocaine 20 mg, ketoprofen 160 mg and methylprednisolone 40 mg."""
    contents = contents_of(Recipe.objects.current().get(code="low-back-pain-3"))
    assert contents.total_ml == 3
    assert {(one.substance.code, one.amount, one.unit) for one in contents.held} == {
        ("lidocaine", 20, "mg"),
        ("ketoprofen", 160, "mg"),
        ("methylprednisolone", 40, "mg"),
    }


def test_a_mix_shows_its_strengths(practitioner):
    contents = contents_of(Recipe.objects.current().get(code="melasma-txa-4-vitamin-c-3"))
    held = {one.substance.code: one.per_ml for one in contents.held}
    assert held["tranexamic-acid"] == 4
    assert held["vitamin-c"] == 30
    page = practitioner.get("/catalogue/mixes/melasma-txa-4/").content.decode()
    assert "Together 5 mL" in page
    assert "4 mg/mL" in page


def mix(*lines):
    rows = [{"kind": kind, "code": code, "ml": ml, "is_diluent": False} for kind, code, ml in lines]
    return Recipe(code="x", lines=rows)


def test_a_mix_says_which_pairs_clash_and_which_do_not():
    bad = mix(("product", "deoxycholic-10", "2"), ("product", "sodium-chloride-09", "2"))
    assert [clash.level for clash in contents_of(bad).clashes] == ["refuse"]
    alone = mix(("product", "deoxycholic-10", "2"))
    assert contents_of(alone).clashes == []


def test_a_mix_with_an_open_line_says_so(practitioner, manager):
    url = reverse("catalogue:add", args=["mixes"])
    values = {
        "code": "our-face-mix",
        "name_en": "Our face mix",
        "name_fr": "Notre mélange visage",
        "source_refs": "GK",
        "lines-0-what": "substance:hyaluronic-acid",
        "lines-0-ml": "2.50",
        "lines-1-what": "product:sodium-chloride-09",
        "lines-1-ml": "1",
        "lines-1-is_diluent": "on",
    }
    assert manager.post(url, values).status_code == 302
    row = Recipe.objects.current().get(code="our-face-mix")
    assert row.lines == [
        {"kind": "substance", "code": "hyaluronic-acid", "ml": "2.5", "is_diluent": False},
        {"kind": "product", "code": "sodium-chloride-09", "ml": "1", "is_diluent": True},
    ]
    page = practitioner.get("/catalogue/mixes/our-face-mix/").content.decode()
    assert "leaves its product open" in page
    empty = manager.post(url, {**values, "code": "other", "lines-0-what": "", "lines-0-ml": "",
                               "lines-1-what": "", "lines-1-ml": ""})  # fmt: skip
    assert "At least one row" in empty.context["form"].errors["lines"][0]


def test_an_edited_mix_is_a_new_version(manager):
    url = reverse("catalogue:edit", args=["mixes", "melasma-txa-4"])
    values = {**posted(manager.get(url)), "lines-1-ml": "9.8"}
    assert manager.post(url, values).status_code == 302
    old, new = Recipe.objects.filter(code="melasma-txa-4").order_by("version")
    assert (old.total_ml, new.total_ml) == (5, 10)
