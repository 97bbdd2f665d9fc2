"""Which fact meets which rule: the tables of the domain, and properties that always hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.intake.models import History
from patients.registry.models import Patient
from treatments.catalogue.models import (
    Anaesthetic,
    Area,
    Contraindication,
    Product,
    Substance,
    Technique,
)
from treatments.screening.engine import (
    ALLERGY,
    ConditionRule,
    Detail,
    Facts,
    Proposal,
    Rules,
    blocking,
    mentioned,
    screen,
)
from treatments.screening.facts import facts_of
from treatments.screening.rulebook import rules_for

pytestmark = pytest.mark.django_db
ON = date(2026, 3, 16)
FACTS = Facts(
    birth_date=date(1985, 3, 15),
    history_version=1,
    submitted_on=date(2026, 3, 10),
    no_known_allergies=True,
    pregnant=False,
    breastfeeding=False,
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
        "techniques": list(Technique.objects.current().values_list("code", flat=True)),
    }
    rules = {c: rules_for(Proposal(**codes, country=c)) for c in ("FR", "GB", "US")}
    stated = list(Contraindication.objects.current().values_list("code", flat=True))
    return codes, rules, stated


def test_an_allergy_that_calls_for_care_does_so_whatever_is_given():
    for code in ("allergy-iodine", "allergy-latex"):
        facts = replace(FACTS, allergies=frozenset({code}), no_known_allergies=False)
        (verdict,) = verdicts(facts, substances=["hyaluronic-acid"])
        assert (verdict.rule, verdict.level) == (f"contraindication:{code}", "caution")
    facts = replace(FACTS, allergies=frozenset({"allergy-soy"}), no_known_allergies=False)
    assert verdicts(facts, substances=["hyaluronic-acid"]) == []


def test_a_cross_allergy_says_that_it_is_one():
    facts = replace(FACTS, allergies=frozenset({"allergy-paba"}), no_known_allergies=False)
    row = Substance.objects.current().get(code="procaine")
    row.allergens = ["ester-anaesthetic"]
    row.save()
    (verdict,) = blocking(verdicts(facts, substances=["procaine"]))
    assert "cross-react" in verdict.fact
    assert blocking(verdicts(facts, substances=["lidocaine"])) == []


def test_a_product_can_hold_an_allergen_of_its_own():
    facts = replace(FACTS, allergies=frozenset({"allergy-benzyl-alcohol"}))
    assert blocking(verdicts(facts, products=["polyvitamin-5"])) == []
    Product.objects.filter(code="polyvitamin-5").update(allergens=["benzyl-alcohol"])
    (verdict,) = blocking(verdicts(facts, products=["polyvitamin-5"]))
    assert verdict.rule == "product:polyvitamin-5"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Apixaban 5 mg", "apixaban"),
        ("je prends de l’HEPARINE", "héparine"),
        ("none", ""),
        ("apixabanesque", ""),
        ("", ""),
    ],
)
def test_words_are_found_whole_and_without_accents(text, meant):
    assert mentioned(text, ("warfarin", "apixaban", "héparine")) == meant


def test_what_was_written_down_counts_as_ticked():
    facts = replace(FACTS, medicines_text="apixaban since May", other_allergies="Soja")
    found = keyed(verdicts(facts, substances=["phosphatidylcholine"]))
    assert "“apixaban”" in found["anticoagulant/anticoagulant"].fact
    assert found["phosphatidylcholine/allergy-soy"].blocks
    assert "“soja”" in found["phosphatidylcholine/allergy-soy"].fact


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ({"pregnant": None}, False),
        ({"breastfeeding": None}, False),
        ({"pregnant": None, "breastfeeding": None, "pregnancy_applies": False}, True),
        ({}, True),
    ],
)
def test_not_asked_is_not_no(answers, asked):
    found = verdicts(replace(FACTS, **answers))
    assert [v.rule for v in found] == ["screening:pregnancy-not-asked"] * (not asked)
    assert blocking(found) == []


def test_the_skin_type_is_a_fact_too():
    assert verdicts(replace(FACTS, skin_type=3)) == []
    (verdict,) = verdicts(replace(FACTS, skin_type=5))
    assert verdict.rule == "contraindication:dark-skin"
    assert "5" in verdict.fact
    row = Substance.objects.current().get(code="vitamin-c")
    row.rules = [*row.rules, {"condition": "dark-skin", "level": "physician", "source": "GK"}]
    row.save()
    found = verdicts(replace(FACTS, skin_type=5), substances=["vitamin-c"])
    assert "substance:vitamin-c" in [v.rule for v in found]
    assert "substance:vitamin-c" not in [
        v.rule for v in verdicts(replace(FACTS, skin_type=2), substances=["vitamin-c"])
    ]


def test_mixing_is_left_to_a_pharmacy_where_the_law_says_so():
    mixed = {"products": ["ha-1", "vitamin-c-10"]}
    (verdict,) = verdicts(**mixed, country="FR")
    assert (verdict.rule, verdict.level, verdict.blocks) == ("screening:mixing", "caution", False)
    assert "S70a" in verdict.source
    assert verdicts(**mixed, country="GB") == []
    assert verdicts(products=["ha-1", "sodium-chloride-09"], country="FR") == []


RULE = ConditionRule("event", 1, "An event", "wait", wait_days=14)
DAYS = st.dates(date(2019, 1, 1), date(2029, 12, 31))


@settings(max_examples=300)
@given(happened=DAYS, told_after=st.integers(0, 60), wait=st.integers(1, 400), late=st.booleans())
def test_a_wait_is_exact_to_the_day(happened, told_after, wait, late):
    """Over leap days and clock changes: days are counted, not hours."""
    told = happened + timedelta(days=told_after)
    facts = replace(
        FACTS,
        submitted_on=told,
        conditions=frozenset({"event"}),
        details={"event": Detail(on=happened)},
    )
    rules = Rules(conditions={"event": replace(RULE, wait_days=wait)})
    until = happened + timedelta(days=wait)
    on = until if late else until - timedelta(days=1)
    found = screen(facts, Proposal(), rules, on)
    assert [(v.until, v.since) for v in found] == ([] if late else [(until, happened)])


def test_a_day_that_is_later_than_the_history_does_not_count():
    facts = replace(
        FACTS,
        conditions=frozenset({"event"}),
        details={"event": Detail(on=FACTS.submitted_on + timedelta(days=30))},
    )
    (verdict,) = screen(facts, Proposal(), Rules(conditions={"event": RULE}), ON)
    assert verdict.until == FACTS.submitted_on + timedelta(days=14)


def test_without_a_day_the_wait_counts_from_the_history():
    facts = replace(FACTS, conditions=frozenset({"event"}))
    (verdict,) = screen(facts, Proposal(), Rules(conditions={"event": RULE}), ON)
    assert verdict.until == FACTS.submitted_on + timedelta(days=14)


@settings(max_examples=200)
@given(born=DAYS, years=st.integers(0, 30))
def test_a_birthday_is_reached_on_its_day(born, years):
    facts = Facts(birth_date=born)
    leap = (born.month, born.day) == (2, 29)
    year = born.year + years
    try:
        birthday = born.replace(year=year)
    except ValueError:
        birthday = date(year, 3, 1)
    assert facts.age_on(birthday) == years
    assert facts.age_on(birthday - timedelta(days=1)) == years - 1 or (leap and years == 0)


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "Europe/Paris", date(2026, 3, 29)),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "Europe/Paris", date(2026, 3, 29)),
        (datetime(2026, 10, 24, 21, 59, tzinfo=UTC), "Europe/Paris", date(2026, 10, 24)),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), "Europe/Paris", date(2026, 10, 25)),
        (datetime(2028, 2, 29, 4, 59, tzinfo=UTC), "America/New_York", date(2028, 2, 28)),
    ],
)
def test_a_day_is_that_of_the_location(moment, zone, day):
    history = History(version=1, submitted_at=moment, answers={})
    patient = Patient(birth_date=date(1985, 3, 15))
    assert facts_of(patient, history, zone=ZoneInfo(zone)).submitted_on == day


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_further_fact_never_lifts_a_stop(everything, data):
    codes, by_country, stated = everything
    proposal = data.draw(_proposals(codes))
    rules: Rules = by_country[proposal.country]
    facts, more = data.draw(_facts(stated)), data.draw(_facts(stated))
    both = replace(
        facts,
        conditions=facts.conditions | more.conditions,
        medicines=facts.medicines | more.medicines,
        allergies=facts.allergies | more.allergies,
        other_allergies=f"{facts.other_allergies}; {more.other_allergies}",
        medicines_text=f"{facts.medicines_text}; {more.medicines_text}",
        pregnant=facts.pregnant or more.pregnant,
        breastfeeding=facts.breastfeeding or more.breastfeeding,
        cold_sores=facts.cold_sores or more.cold_sores,
        skin_type=facts.skin_type or more.skin_type,
        distress=facts.distress or more.distress,
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


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_and_repetition_of_what_is_proposed_do_not_matter(everything, data):
    codes, by_country, stated = everything
    proposal, facts = data.draw(_proposals(codes)), data.draw(_facts(stated))
    mixed_up = replace(
        proposal,
        substances=data.draw(st.permutations([*proposal.substances, *proposal.substances])),
        anaesthetics=data.draw(st.permutations(list(proposal.anaesthetics))),
        products=data.draw(st.permutations([*proposal.products, *proposal.products])),
        areas=data.draw(st.permutations(list(proposal.areas))),
        techniques=data.draw(st.permutations(list(proposal.techniques))),
    )
    rules = by_country[proposal.country]
    assert screen(facts, mixed_up, rules, ON) == screen(facts, proposal, rules, ON)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_giving_more_never_lifts_a_stop_either(everything, data):
    codes, by_country, stated = everything
    one, other = data.draw(_proposals(codes)), data.draw(_proposals(codes))
    facts, rules = data.draw(_facts(stated)), by_country[one.country]
    both = replace(
        one,
        substances=[*one.substances, *other.substances],
        anaesthetics=[*one.anaesthetics, *other.anaesthetics],
        products=[*one.products, *other.products],
        areas=[*one.areas, *other.areas],
        techniques=[*one.techniques, *other.techniques],
        uses_current=one.uses_current or other.uses_current,
    )
    before, after = (screen(facts, what, rules, ON) for what in (one, both))
    assert {v.key for v in blocking(before)} <= {v.key for v in blocking(after)}


def _proposals(codes):
    def some(name):
        return st.lists(st.sampled_from(codes[name]), max_size=4, unique=True)

    return st.builds(
        Proposal,
        substances=some("substances"),
        anaesthetics=some("anaesthetics"),
        products=some("products"),
        areas=some("areas"),
        techniques=some("techniques"),
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
        other_allergies=st.sampled_from(["", "soy", "kiwi", "guêpe"]),
        medicines_text=st.sampled_from(["", "warfarin", "iron"]),
        pregnancy_applies=st.sampled_from([None, False, True]),
        pregnant=st.sampled_from([None, False, True]),
        breastfeeding=st.sampled_from([None, False, True]),
        cold_sores=st.booleans(),
        skin_type=st.sampled_from([None, 2, 5]),
        distress=st.sampled_from([None, False, True]),
    )
