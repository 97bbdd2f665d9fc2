"""The shipped catalogue: every row sourced, in two languages, and every reference resolves."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from treatments.catalogue.kinds import KINDS
from treatments.catalogue.loading import read
from treatments.catalogue.models import (
    AdviceBlock,
    Anaesthetic,
    Area,
    Contraindication,
    Incompatibility,
    Ingredient,
    Product,
    Protocol,
    Recipe,
    Scale,
    Substance,
    Technique,
)
from treatments.catalogue.sources import refs_of, source_key, tier_of

SOURCES = {row["ref"] for row in read("sources")}
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_row_has_a_listed_source_and_two_names(kind):
    rows = list(kind.model.objects.current())
    assert rows, kind.slug
    for row in rows:
        assert row.source_refs, row.code
        assert {source_key(ref) for ref in refs_of(row)} <= SOURCES, row.code
        assert row.name_en.strip(), row.code
        assert row.name_fr.strip(), row.code
        assert row.general_knowledge or "GK" not in row.source_refs, row.code
        assert not row.is_approved, "nothing is shipped as approved"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_a_text_in_english_is_there_in_french(kind):
    for row in kind.model.objects.current():
        for field in row._meta.fields:
            if field.name.endswith("_en") and getattr(row, field.name):
                french = field.name.removesuffix("_en") + "_fr"
                assert getattr(row, french), f"{row.code}.{french}"


def test_a_source_note_names_only_listed_sources():
    for kind in KINDS:
        for row in kind.model.objects.current():
            for ref in re.findall(r"\[(S\d+[abc]?|SEED\d)\]", row.source_note):
                assert ref in row.source_refs, f"{row.code} {ref}"


def test_tier_is_the_letter_of_the_reference():
    assert (tier_of("S59a"), tier_of("S102b"), tier_of("SEED1"), tier_of("GK")) == (
        "a",
        "b",
        "seed",
        "none",
    )
    assert source_key("S59a") == "S59"
    assert source_key("SEED1") == "SEED1"


def test_every_condition_of_a_substance_or_anaesthetic_is_a_contraindication():
    known = set(Contraindication.objects.current().values_list("code", flat=True))
    for model in (Substance, Anaesthetic):
        for row in model.objects.current():
            assert {rule["condition"] for rule in row.rules} <= known, row.code
            assert {rule["level"] for rule in row.rules} <= set(Contraindication.Level.values)


def test_every_allergen_can_be_stated():
    asked = {
        code.removeprefix("allergy-")
        for code in Contraindication.objects.filter(kind="allergy").values_list("code", flat=True)
    }
    held = {a for row in Substance.objects.current() for a in row.allergens}
    held |= {a for row in Anaesthetic.objects.current() for a in row.allergens}
    assert held <= asked


@pytest.mark.parametrize(
    "allergen",
    [
        "soy",
        "fish",
        "milk-protein",
        "ester-anaesthetic",
        "amide-anaesthetic",
        "venom",
        "benzyl-alcohol",
        "metabisulfite",
        "paba",
        "sulfonamide",
    ],
)
def test_cross_allergens_lead_to_a_substance(allergen):
    assert Substance.objects.current().filter(allergens__contains=[allergen]).exists()


def test_a_condition_that_matters_only_by_substance_is_named_by_one():
    named = {rule["condition"] for row in Substance.objects.current() for rule in row.rules}
    named |= {rule["condition"] for row in Anaesthetic.objects.current() for rule in row.rules}
    for row in Contraindication.objects.current():
        if row.only_for.get("by_substance"):
            assert row.code in named, row.code


def test_selectors_point_at_rows():
    areas = {a.code: a for a in Area.objects.current()}
    groups = {f"area:{name}" for a in areas.values() for name in (a.group, a.code)}
    techniques = {f"technique:{t.sheet_group}" for t in Technique.objects.current()}
    substances = {f"substance:{s.code}" for s in Substance.objects.current()}
    for block in AdviceBlock.objects.current():
        assert block.applies_to in {"base", "anaesthetic"} | groups | techniques | substances
    for row in Substance.objects.current():
        assert set(row.areas_only) <= set(areas)


def test_advice_with_hours_says_until_when():
    for block in AdviceBlock.objects.current():
        for text in (block.text_en, block.text_fr):
            assert ("{until}" in text) == (block.hours is not None), block.code


def test_five_founding_pieces_are_on_every_sheet():
    founding = AdviceBlock.objects.current().filter(is_founding=True)
    assert {block.topic for block in founding} == {"touch", "water", "exercise", "sun", "follow-up"}
    assert {block.applies_to for block in founding} == {"base"}


@pytest.mark.parametrize(
    ("topic", "hours"),
    [
        ("touch", 48),
        ("washing", 8),
        ("make-up", 12),
        ("exercise", 48),
        ("heat", 72),
        ("sun", 240),
        ("alcohol", 48),
        ("procedures", 336),
        ("electrotherapy", 72),
    ],
)
def test_base_hours_are_the_proposal(topic, hours):
    assert AdviceBlock.objects.current().get(applies_to="base", topic=topic).hours == hours


def test_deoxycholic_acid_carries_its_label():
    row = Substance.objects.current().get(code="deoxycholic-acid")
    assert row.areas_only == ["submental"]
    assert row.limits == {
        "max_ml": "10",
        "max_points": 50,
        "max_sessions": 6,
        "min_gap_days": 30,
        "ml_per_point": "0.2",
        "grid_mm": 10,
        "mg_per_cm2": "2",
        "never_mixed": True,
    }
    assert Incompatibility.objects.current().filter(
        first="deoxycholic-acid", second="*", level="refuse"
    )


@pytest.mark.parametrize(
    ("code", "per_kg", "cap"),
    [("lidocaine-plain", "4.5", "300"), ("lidocaine-epinephrine", "7", "500")],
)
def test_lidocaine_limits(code, per_kg, cap):
    row = Anaesthetic.objects.current().get(code=code)
    assert (row.mg_per_kg, row.max_mg) == (Decimal(per_kg), Decimal(cap))


def test_creams_carry_their_limits():
    emla = Anaesthetic.objects.current().get(code="emla")
    assert (emla.max_g, emla.max_cm2, emla.wait_min_minutes, emla.wait_max_minutes) == (
        60,
        600,
        60,
        300,
    )
    assert [(one["max_g"], one["max_cm2"]) for one in emla.child_limits] == [
        ("2", "20"),
        ("10", "100"),
        ("20", "200"),
    ]
    lmx4 = Anaesthetic.objects.current().get(code="lmx4")
    assert (lmx4.wait_min_minutes, lmx4.wait_max_minutes) == (30, 60)


def test_counts_of_the_tables():
    assert Technique.objects.current().exclude(code="needle-free").count() == 12
    assert Protocol.objects.current().filter(is_negative=True).count() == 2
    assert Substance.objects.current().filter(is_blocked_by_default=True).get().code == "hormones"


def test_published_back_pain_course_is_composed_exactly():
    """Lidocaine 20 mg, ketoprofen 160 mg, methylprednisolone 40 then 20 mg, 3 mL each (S60a)."""
    first = _mix({"lidocaine-2": "1", "ketoprofen-160": "1", "methylprednisolone-40": "1"})
    later = _mix(
        {
            "lidocaine-2": "1",
            "ketoprofen-160": "1",
            "methylprednisolone-40": "0.5",
            "sodium-chloride-09": "0.5",
        }
    )
    assert first == {"ml": 3, "lidocaine": 20, "ketoprofen": 160, "methylprednisolone": 40}
    assert {key: later[key] for key in first} == {**first, "methylprednisolone": 20}


def _mix(parts):
    total = {"ml": sum(map(Decimal, parts.values()))}
    for line in Ingredient.objects.filter(product__code__in=parts, product__is_current=True):
        code = line.substance.code
        total[code] = total.get(code, 0) + line.per_ml * Decimal(parts[line.product.code])
    return total


def test_fitzpatrick_bands_are_version_b_and_meet():
    bands = Scale.objects.current().get(code="fitzpatrick").bands
    assert [(b["minimum"], b["maximum"]) for b in bands] == [
        (0, 6),
        (7, 13),
        (14, 20),
        (21, 27),
        (28, 34),
        (35, 40),
    ]


@pytest.mark.parametrize(("code", "highest"), [("masi", 48), ("mmasi", 24)])
def test_masi_bounds_follow_from_its_items(code, highest):
    scale = Scale.objects.current().get(code=code)
    total = Decimal(0)
    for group in ("f", "lm", "rm", "c"):
        items = {
            item["code"][len(group) + 1 :]: item for item in scale.items if item["group"] == group
        }
        top = {key: max(o["value"] for o in item["options"]) for key, item in items.items()}
        total += Decimal(items["a"]["weight"]) * top["a"] * (top["d"] + top.get("h", 0))
    assert total == highest == scale.maximum


def test_goodman_baron_adds_up_to_its_maximum():
    scale = Scale.objects.current().get(code="goodman-baron-quantitative")
    assert sum(max(o["value"] for o in item["options"]) for item in scale.items) == scale.maximum


def test_a_cosmetic_in_a_vial_is_marked():
    assert "NOT_INJECTABLE" in Product.objects.current().get(code="peptide-cosmetic").flags


def test_what_goes_into_a_shipped_mix_is_in_the_catalogue():
    known = {
        ("product", code) for code in Product.objects.current().values_list("code", flat=True)
    } | {("substance", code) for code in Substance.objects.current().values_list("code", flat=True)}
    for mix in Recipe.objects.current():
        assert {(line["kind"], line["code"]) for line in mix.lines} <= known, mix.code
        assert mix.total_ml > 0


@pytest.mark.parametrize(
    ("code", "snomed"),
    [
        ("upper-eyelid", "41310005"),
        ("lower-eyelid", "40069000"),
        ("upper-lip", "16251004"),
        ("lower-lip", "66934001"),
        ("neck-anterior", "11584001"),
        ("neck-lateral", "5272005"),
        ("upper-abdomen", "699935000"),
        ("lower-abdomen", "699914002"),
        ("upper-back", "699893008"),
        ("lower-back", "113182001"),
        ("upper-arm-anterior", "45981001"),
        ("upper-arm-posterior", "72939005"),
        ("forearm-anterior", "70559009"),
        ("forearm-posterior", "41550009"),
        ("thigh-anterior", "61248009"),
        ("thigh-posterior", "4578000"),
        ("thigh-medial", "73958006"),
        ("knee-anterior", "181553006"),
        ("popliteal", "84507004"),
        ("lower-leg-anterior", "25763004"),
        ("lower-leg-posterior", "47224004"),
    ],
)
def test_neighbours_do_not_bear_each_other_s_code(code, snomed):
    """DICOM PS3.16 CID 4029; "upper back" is its "Skin of back of upper thoracic region"."""
    assert Area.objects.current().get(code=code).snomed == snomed
