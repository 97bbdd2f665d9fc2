"""Loading again and again: nothing twice, nothing of the clinic's lost."""

from __future__ import annotations

import json
import shutil

import pytest
from django.core.management import call_command

from treatments.catalogue.actions import approve_row, edit_row, use_version
from treatments.catalogue.loading import DATA, CatalogueError, load
from treatments.catalogue.models import Ingredient, Product, Substance, Technique

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped(tmp_path):
    """A folder of shipped files that a test may change."""
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def change(folder, slug, code, **values):
    path = folder / f"{slug}.json"
    rows = json.loads(path.read_text())
    for row in rows:
        if row["code"] == code:
            row.update(values)
    path.write_text(json.dumps(rows))


def test_twice_is_no_change(shipped, django_assert_max_num_queries):
    load(shipped)
    with django_assert_max_num_queries(22):
        report = load(shipped)
    assert report.changes == 0
    assert report.unchanged > 400


def test_the_order_of_keys_is_no_change(shipped):
    path = shipped / "techniques.json"
    rows = [dict(reversed(row.items())) for row in json.loads(path.read_text())]
    path.write_text(json.dumps(rows))
    assert load(shipped).changes == 0


def test_a_changed_row_becomes_a_new_version_without_approval(shipped, cast):
    old = approve_row(by=cast.practitioner, row=Technique.objects.current().get(code="papule"))
    change(shipped, "techniques", "papule", spacing_max_mm="12")
    assert load(shipped).updated == ["techniques/papule"]
    new = Technique.objects.current().get(code="papule")
    assert (new.version, new.spacing_max_mm, new.is_approved) == (old.version + 1, 12, False)
    old.refresh_from_db()
    assert (old.is_current, old.spacing_max_mm, old.is_approved) == (False, 10, True)
    assert load(shipped).changes == 0


def test_going_back_is_a_new_version_too(shipped):
    change(shipped, "techniques", "papule", spacing_max_mm="12")
    load(shipped)
    change(shipped, "techniques", "papule", spacing_max_mm="10")
    assert load(shipped).updated == ["techniques/papule"]
    assert Technique.objects.current().get(code="papule").spacing_max_mm == 10


def test_a_clinics_edit_survives_an_update(shipped, cast):
    row = Technique.objects.current().get(code="papule")
    mine = edit_row(by=cast.manager, row=row, values={"spacing_max_mm": 8})
    assert load(shipped).changes == 0
    change(shipped, "techniques", "papule", spacing_max_mm="12")
    assert load(shipped).held_back == ["techniques/papule"]
    assert Technique.objects.current().get(code="papule") == mine
    assert load(shipped).changes == 0
    newer = Technique.objects.get(code="papule", spacing_max_mm=12)
    use_version(by=cast.manager, row=newer)
    assert Technique.objects.current().get(code="papule") == newer


def test_a_removed_row_is_reported_and_kept(shipped):
    path = shipped / "techniques.json"
    path.write_text(json.dumps([r for r in json.loads(path.read_text()) if r["code"] != "dry"]))
    assert load(shipped).removed == ["techniques/dry"]
    assert Technique.objects.current().filter(code="dry").exists()


def test_a_row_that_a_record_used_stays_as_it_was(shipped, cast):
    """A record points at a version; an update leaves that version and its parts alone."""
    used = Product.objects.current().get(code="lidocaine-2")
    strengths = set(Ingredient.objects.filter(product=used).values_list("pk", "per_ml"))
    change(
        shipped,
        "products",
        "lidocaine-2",
        ingredients=[{"substance": "lidocaine", "per_ml": "10", "unit": "mg"}],
    )
    load(shipped)
    assert set(Ingredient.objects.filter(product=used).values_list("pk", "per_ml")) == strengths
    new = Product.objects.current().get(code="lidocaine-2")
    assert new != used
    assert [i.per_ml for i in new.ingredients.all()] == [10]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"source_refs": ["S999a"]}, "S999a"),
        ({"source_refs": []}, "no source"),
        ({"flags": ["LICENSED"]}, "flags"),
        ({"rules": [{"condition": "x", "level": "stop", "source": "S998"}]}, "S998"),
    ],
)
def test_a_wrong_file_changes_nothing(shipped, values, said):
    change(shipped, "substances", "lidocaine", **values)
    change(shipped, "techniques", "papule", spacing_max_mm="12")
    with pytest.raises(CatalogueError, match=said):
        load(shipped)
    assert Technique.objects.current().get(code="papule").spacing_max_mm == 10


def test_a_product_of_an_unknown_substance_is_refused(shipped):
    unknown = [{"substance": "mercury", "per_ml": "1", "unit": "mg"}]
    change(shipped, "products", "lidocaine-2", ingredients=unknown)
    with pytest.raises(CatalogueError, match="mercury"):
        load(shipped)


def test_the_command_says_what_it_did(capsys):
    call_command("load_catalogue")
    assert "0 new, 0 updated" in capsys.readouterr().out


def test_one_version_is_in_force(shipped):
    change(shipped, "substances", "lidocaine", strengths_en="changed")
    load(shipped)
    assert Substance.objects.filter(code="lidocaine", is_current=True).count() == 1
