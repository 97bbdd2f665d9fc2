"""Which fact meets which rule: the tables of the domain, and properties that always hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from treatments.catalogue.models import Anaesthetic, Area, Contraindication, Product, Substance
from treatments.screening.engine import (
    ALLERGY,
    Facts,
    Proposal,
    Rules,
    blocking,
    screen,
)
from treatments.screening.rulebook import rules_for

pytestmark = pytest.mark.django_db
ON = date(2026, 3, 16)
FACTS = Facts(
    birth_date=date(1985, 3, 15),
    history_version=1,
    submitted_on=date(2026, 3, 10),
    no_known_allergies=True,
)


def verdicts(facts=FACTS, on=ON, **proposed):
    proposal = Proposal(**proposed)
    return screen(facts, proposal, rules_for(proposal), on)


def stating(*codes, **fields):
    return replace(FACTS, conditions=frozenset(codes), **fields)


def keyed(found):
    return {v.key.split(":")[1] + "/" + v.key.rsplit(":", 1)[1]: v for v in found}


def test_a_healthy_adult_meets_nothing():
    assert verdicts(substances=["hyaluronic-acid", "lidocaine"], areas=["cheek"]) == []


def test_without_a_history_nothing_goes_on_and_nobody_may_decide():
    (verdict,) = verdicts(Facts(birth_date=date(1985, 3, 15)), substances=["hyaluronic-acid"])
    assert (verdict.level, verdict.blocks, verdict.overridable) == ("stop", True, False)
    assert verdict.rule == "screening:no-history"


@pytest.mark.parametrize(
    ("allergen", "proposed"),
    [
        ("soy", {"substances": ["phosphatidylcholine"]}),
        ("fish", {"substances": ["polynucleotides"]}),
        ("milk-protein", {"substances": ["botulinum-toxin"]}),
        ("ester-anaesthetic", {"substances": ["procaine"]}),
        ("paba", {"substances": ["procaine"]}),
        ("sulfonamide", {"substances": ["procaine"]}),
        ("amide-anaesthetic", {"substances": ["lidocaine"]}),
        ("amide-anaesthetic", {"anaesthetics": ["emla"]}),
        ("amide-anaesthetic", {"anaesthetics": ["lmx4"]}),
        ("venom", {"substances": ["hyaluronidase"]}),
        ("benzyl-alcohol", {"substances": ["deoxycholic-acid"], "areas": ["submental"]}),
        ("metabisulfite", {"substances": ["tranexamic-acid"]}),
        ("nsaid", {"substances": ["ketoprofen"]}),
    ],
)
@pytest.mark.parametrize("prefix", ["", ALLERGY])
def test_an_allergy_to_an_ingredient_or_its_kin_blocks(allergen, proposed, prefix):
    facts = replace(FACTS, allergies=frozenset({prefix + allergen}), no_known_allergies=False)
    (verdict,) = blocking(verdicts(facts, **proposed))
    assert (verdict.level, verdict.overridable) == ("stop", True)
    assert verdict.source


def test_an_allergy_to_something_else_blocks_nothing():
    facts = replace(FACTS, allergies=frozenset({"allergy-soy"}), no_known_allergies=False)
    assert blocking(verdicts(facts, substances=["lidocaine"])) == []


@pytest.mark.parametrize("fact", [{"pregnant": True}, {"conditions": frozenset({"pregnancy"})}])
def test_pregnancy_blocks_until_a_physician_decides(fact):
    (verdict,) = blocking(verdicts(replace(FACTS, **fact), substances=["hyaluronic-acid"]))
    assert verdict.rule == "contraindication:pregnancy"
    assert verdict.overridable


def test_deciding_on_pregnancy_does_not_cover_a_substance_that_names_it():
    found = blocking(verdicts(replace(FACTS, pregnant=True), substances=["dutasteride"]))
    assert {v.rule for v in found} == {"contraindication:pregnancy", "substance:dutasteride"}


@pytest.mark.parametrize("code", ["skin-infection", "active-herpes"])
def test_infection_at_the_site_blocks(code):
    (verdict,) = blocking(verdicts(stating(code)))
    assert verdict.overridable


@pytest.mark.parametrize(
    ("born", "country", "substance", "rule", "blocks"),
    [
        (date(2008, 3, 17), "GB", "botulinum-toxin", "under-18-toxin-filler", True),
        (date(2008, 3, 17), "GB", "hyaluronic-acid-crosslinked", "under-18-toxin-filler", True),
        (date(2008, 3, 17), "GB", "vitamin-b", "under-18", False),
        (date(2008, 3, 17), "FR", "botulinum-toxin", "under-18", False),
        (date(2008, 3, 16), "GB", "botulinum-toxin", None, False),
    ],
)
def test_age(born, country, substance, rule, blocks):
    found = verdicts(replace(FACTS, birth_date=born), substances=[substance], country=country)
    named = [v for v in found if v.rule.startswith("contraindication:under-18")]
    assert [v.rule for v in named] == ([f"contraindication:{rule}"] if rule else [])
    assert bool(blocking(named)) == blocks
    assert all(v.overridable for v in named)


@pytest.mark.parametrize(("current", "count"), [(True, 1), (False, 0)])
def test_a_pacemaker_matters_for_current(current, count):
    found = verdicts(stating("pacemaker"), uses_current=current)
    assert [v.level for v in found] == ["stop"] * count
    assert blocking(found) == []


def test_not_injectable_cannot_be_decided():
    found = blocking(verdicts(substances=["peptides"], products=["peptide-cosmetic"]))
    assert {v.rule for v in found} == {"substance:peptides", "product:peptide-cosmetic"}
    assert not any(v.overridable for v in found)


@pytest.mark.parametrize("code", ["glutathione", "exosomes", "phosphatidylcholine"])
@pytest.mark.parametrize(("country", "level"), [("FR", "caution"), ("US", "stop")])
def test_a_warned_substance_warns_or_is_blocked_by_the_country(code, country, level):
    (verdict,) = verdicts(substances=[code], country=country)
    assert (verdict.level, verdict.blocks, verdict.overridable) == (level, level == "stop", False)


def test_hormones_are_blocked_by_default():
    (verdict,) = blocking(verdicts(substances=["hormones"]))
    assert verdict.overridable


@pytest.mark.parametrize(
    ("areas", "blocked"),
    [(["submental"], 0), (["cheek"], 1), (["submental", "abdomen"], 1), ([], 0)],
)
def test_deoxycholic_acid_stays_under_the_chin(areas, blocked):
    found = blocking(verdicts(substances=["deoxycholic-acid"], areas=areas))
    assert len(found) == blocked
    assert all(v.overridable for v in found)


@pytest.mark.parametrize(
    ("condition", "substance", "level"),
    [
        ("thrombosis", "tranexamic-acid", "stop"),
        ("subarachnoid-haemorrhage", "tranexamic-acid", "stop"),
        ("colour-vision-defect", "tranexamic-acid", "stop"),
        ("epilepsy", "tranexamic-acid", "stop"),
        ("oral-contraceptive", "tranexamic-acid", "caution"),
        ("g6pd", "vitamin-c", "stop"),
        ("asthma", "glutathione", "physician"),
        ("neuromuscular-disease", "botulinum-toxin", "stop"),
        ("dysphagia", "deoxycholic-acid", "physician"),
        ("anticoagulant", "prp", "physician"),
        ("antiphospholipid", "phosphatidylcholine", "physician"),
        ("heart-block", "lidocaine", "physician"),
        ("cholinesterase-deficiency", "procaine", "physician"),
        ("hyaluronidase-medicines", "hyaluronidase", "caution"),
        ("may-become-pregnant", "dutasteride", "stop"),
        ("heart-disease", "minoxidil", "physician"),
        ("wilson-disease", "zinc", "physician"),
        ("arrhythmia", "caffeine", "physician"),
        ("hypothyroidism", "l-carnitine", "physician"),
        ("cancer", "growth-factors", "physician"),
        ("hormone-cancer", "hormones", "stop"),
        ("peptic-ulcer", "ketoprofen", "physician"),
        ("diabetes", "methylprednisolone", "physician"),
    ],
)
def test_conditions_of_a_substance(condition, substance, level):
    found = verdicts(stating(condition), substances=[substance], areas=["submental"])
    by_substance = [v for v in found if v.rule == f"substance:{substance}"]
    met = [v for v in by_substance if v.key.endswith(f":{condition}")]
    assert [v.level for v in met] == [level]
    assert not any(v.blocks for v in met)


@pytest.mark.parametrize("condition", ["g6pd", "methaemoglobinaemia", "methaemoglobin-medicines"])
def test_conditions_of_emla(condition):
    found = verdicts(stating(condition), anaesthetics=["emla"])
    assert [v.rule for v in found] == ["anaesthetic:emla"]
    assert verdicts(stating(condition), anaesthetics=["lmx4"]) == []


@pytest.mark.parametrize(
    ("condition", "level"),
    [
        ("coagulation-disorder", "physician"),
        ("diabetes-insulin", "physician"),
        ("renal-disease", "physician"),
        ("autoimmune", "physician"),
        ("keloid", "physician"),
        ("isotretinoin", "physician"),
        ("bdd", "physician"),
        ("anaphylaxis", "physician"),
        ("hyperthyroidism", "caution"),
        ("allergy-iodine", None),
        ("aminoglycosides", "caution"),
        ("fainting", "caution"),
        ("fever", "wait"),
        ("vaccination", "wait"),
        ("recent-antibiotics", "wait"),
        ("chemo-radiotherapy", "stop"),
    ],
)
def test_general_conditions_advise(condition, level):
    found = [v for v in verdicts(stating(condition)) if v.rule.endswith(condition)]
    assert level is None or [v.level for v in found] == [level]
    assert blocking(found) == []


def test_gallstones_matter_for_fat():
    assert verdicts(stating("gallstones"), substances=["hyaluronic-acid"]) == []
    found = verdicts(stating("gallstones"), substances=["caffeine"])
    assert [v.rule for v in found] == ["contraindication:gallstones"]


def test_cold_sores_matter_on_the_face():
    facts = replace(FACTS, cold_sores=True)
    assert [v.level for v in verdicts(facts, areas=["upper-lip"])] == ["caution"]
    assert verdicts(facts, areas=["abdomen"]) == []


@pytest.mark.parametrize(
    ("on", "waits"), [(date(2026, 3, 10), 1), (date(2026, 3, 16), 1), (date(2026, 3, 17), 0)]
)
def test_a_wait_ends_on_its_day(on, waits):
    found = verdicts(stating("vaccination"), on=on)
    assert [v.until for v in found] == [date(2026, 3, 17)] * waits


def test_unknown_and_other_allergies_are_pointed_out():
    (unknown,) = verdicts(replace(FACTS, no_known_allergies=False))
    assert (unknown.rule, unknown.level) == ("screening:allergies", "caution")
    facts = replace(FACTS, no_known_allergies=False, other_allergies="kiwi")
    (other,) = verdicts(facts)
    assert "kiwi" in other.fact


def test_what_refuses_comes_first():
    facts = stating("fainting", "thrombosis", pregnant=True)
    found = verdicts(facts, substances=["tranexamic-acid"])
    assert [v.blocks for v in found] == sorted((v.blocks for v in found), reverse=True)


@pytest.fixture
def everything():
    """Rules of all that can be proposed, and the codes to draw from."""
    codes = {
        "substances": list(Substance.objects.current().values_list("code", flat=True)),
        "anaesthetics": list(Anaesthetic.objects.current().values_list("code", flat=True)),
        "products": list(Product.objects.current().values_list("code", flat=True)),
        "areas": list(Area.objects.current().values_list("code", flat=True)),
    }
    rules = {c: rules_for(Proposal(**codes, country=c)) for c in ("FR", "GB", "US")}
    stated = list(Contraindication.objects.current().values_list("code", flat=True))
    return codes, rules, stated


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_further_fact_never_lifts_a_block(everything, data):
    codes, by_country, stated = everything
    proposal = data.draw(_proposals(codes))
    rules: Rules = by_country[proposal.country]
    facts, more = data.draw(_facts(stated)), data.draw(_facts(stated))
    both = replace(
        facts,
        conditions=facts.conditions | more.conditions,
        medicines=facts.medicines | more.medicines,
        allergies=facts.allergies | more.allergies,
        pregnant=facts.pregnant or more.pregnant,
        cold_sores=facts.cold_sores or more.cold_sores,
    )
    before = screen(facts, proposal, rules, ON)
    after = screen(both, proposal, rules, ON)
    assert {v.key for v in blocking(before)} <= {v.key for v in blocking(after)}
    assert {v.key for v in before if v.level == "stop"} <= {v.key for v in after}
    for verdict in after:
        assert verdict.rule in rules.names()
        assert verdict.title
        assert verdict.level in ("stop", "physician", "wait", "caution")
    assert len({v.key for v in after}) == len(after)
    assert screen(both, proposal, rules, ON) == after


def _proposals(codes):
    def some(name):
        return st.lists(st.sampled_from(codes[name]), max_size=4, unique=True)

    return st.builds(
        Proposal,
        substances=some("substances"),
        anaesthetics=some("anaesthetics"),
        products=some("products"),
        areas=some("areas"),
        uses_current=st.booleans(),
        country=st.sampled_from(["FR", "GB", "US"]),
    )


def _facts(stated):
    some = st.frozensets(st.sampled_from([*stated, "no-such-code"]), max_size=5)
    return st.builds(
        Facts,
        birth_date=st.just(date(1990, 1, 1)) | st.just(date(2010, 1, 1)),
        history_version=st.just(1),
        submitted_on=st.just(date(2026, 3, 1)),
        conditions=some,
        medicines=some,
        allergies=some,
        pregnant=st.sampled_from([None, False, True]),
        cold_sores=st.booleans(),
    )
