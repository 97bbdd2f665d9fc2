"""Doses: the label's own figures, the published session, and what may never be accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from treatments.catalogue.limits import LidocaineLimits, Limit
from treatments.mixes.contents import Component, Pair, Strength, drawn_ml
from treatments.sessions import doses
from treatments.sessions.doses import (
    ChildLimit,
    Course,
    Cream,
    Given,
    Injection,
    Rule,
    SubstanceRule,
)

D = Decimal
TODAY = date(2026, 3, 10)
LABEL = LidocaineLimits(Limit(D("4.5"), D(300)), Limit(D(7), D(500)))
LIDO = Strength("lidocaine", "Lidocaine", D(20), group="local-anaesthetic")
PRILO = Strength("prilocaine", "Prilocaine", D(20), group="local-anaesthetic")
DEOXY = Strength("deoxycholic-acid", "Deoxycholic acid", D(10))
KETO = Strength("ketoprofen", "Ketoprofen", D(80))
CHIN = Injection("submental", "Under the chin", 50, D("0.2"), depth_mm=D(6), is_dermal=False)
KYBELLA = SubstanceRule(
    "deoxycholic-acid",
    "Deoxycholic acid",
    max_ml=D(10),
    max_points=50,
    areas_only=("submental",),
    alone=True,
    max_sessions=6,
    min_days=30,
)
EMLA = Cream(
    "EMLA",
    D(2),
    D(20),
    60,
    lidocaine_mg_per_g=D(25),
    max_g=D(60),
    max_cm2=D(600),
    wait_minutes=60,
    longest_minutes=300,
    child_limits=(
        ChildLimit(3, 12, D(2), D(20), 60),
        ChildLimit(12, 72, D(10), D(100)),
        ChildLimit(72, 144, D(20), D(200)),
    ),
)


def drawn(ml: str, *strengths: Strength, **more: object) -> Component:
    more.setdefault("expires_on", date(2027, 1, 1))
    more.setdefault("lot", "L1")
    return Component("Vial", D(ml), strengths, **more)  # type: ignore[arg-type]


def session(*components: Component, ml: str = "0", **more: object) -> Given:
    more.setdefault("injections", (Injection("cheek", "Cheek", 1, D(ml)),))
    more.setdefault("limits", LABEL)
    more.setdefault("weight_kg", D(70))
    return Given(TODAY, components, **more)  # type: ignore[arg-type]


def rules(given: Given) -> set[Rule]:
    return {finding.rule for finding in doses.check(given)}


def refused(given: Given) -> set[Rule]:
    return {finding.rule for finding in doses.check(given) if finding.refuses}


@pytest.mark.parametrize(
    ("kg", "epinephrine", "mg"),
    [(50, False, 225), (60, False, 270), (70, False, 300), (70, True, 490), (80, True, 500)],
)
def test_the_label_s_own_limits(kg: int, epinephrine: bool, mg: int) -> None:
    given = session(drawn("1", LIDO, has_epinephrine=epinephrine), ml="1", weight_kg=D(kg))
    assert doses.lidocaine_limit_mg(given) == mg


def test_225_mg_is_11_25_ml_of_two_percent() -> None:
    assert D("11.25") * LIDO.per_ml == Limit(D("4.5"), D(300)).for_weight(D(50))


@pytest.mark.parametrize("kg", ["0", "-1", "NaN", "Infinity"])
def test_an_impossible_weight_has_no_limit(kg: str) -> None:
    with pytest.raises(ValueError):
        Limit(D("4.5"), D(300)).for_weight(D(kg))


def test_the_published_low_back_session_holds_20_mg_in_3_ml() -> None:
    mix = (drawn("1", LIDO), drawn("2", KETO))
    given = session(*mix, ml="3")
    assert doses.lidocaine_total_mg(given) == 20
    assert [(a.substance, a.injected) for a in doses.amounts(mix, given.injections)] == [
        ("lidocaine", D(20)),
        ("ketoprofen", D(160)),
    ]
    assert refused(given) == set()


def test_only_the_share_that_went_in_counts() -> None:
    given = session(drawn("4", LIDO), ml="1", discarded_ml=D(3))
    assert doses.lidocaine_total_mg(given) == 20
    assert doses.amounts(given.components, given.injections)[0].per_ml == 20


def test_cream_and_needle_are_added() -> None:
    cream = replace(EMLA, grams=D(5))
    given = session(drawn("9", LIDO), ml="9", creams=(cream,), weight_kg=D(68))
    assert doses.lidocaine_total_mg(given) == 305
    assert Rule.LIDOCAINE_OVER in refused(given)
    over = next(f for f in doses.check(given) if f.rule is Rule.LIDOCAINE_OVER)
    assert over.figures == {"total": "305", "limit": "300", "weight": "68"}


def test_a_plain_source_brings_the_lower_limit_back() -> None:
    mixed = session(drawn("1", LIDO, has_epinephrine=True), drawn("1", LIDO), ml="2")
    creamed = session(drawn("1", LIDO, has_epinephrine=True), ml="1", creams=(EMLA,))
    assert doses.lidocaine_limit_mg(mixed) == doses.lidocaine_limit_mg(creamed) == 300


def test_no_weight_no_lidocaine() -> None:
    assert refused(session(drawn("1", LIDO), ml="1", weight_kg=None)) == {Rule.WEIGHT_MISSING}
    assert refused(session(drawn("2", KETO), ml="2", weight_kg=None)) == set()


def test_no_figures_in_the_catalogue_is_not_no_limit() -> None:
    assert refused(session(drawn("1", LIDO), ml="1", limits=None)) == {Rule.LIDOCAINE_UNLIMITED}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"grams": D("60.01")}, Rule.CREAM_GRAMS),
        ({"area_cm2": D("600.1")}, Rule.CREAM_AREA),
        ({"minutes": 301}, Rule.CREAM_TOO_LONG),
        ({"minutes": 59}, Rule.CREAM_TOO_SHORT),
        ({"is_off": False}, Rule.CREAM_STILL_ON),
    ],
)
def test_cream_bounds(change: dict[str, object], rule: Rule) -> None:
    at_the_bound = replace(EMLA, grams=D(60), area_cm2=D(600), minutes=300)
    assert doses.check_creams([at_the_bound], None) == []
    found = doses.check_creams([replace(EMLA, **change)], None)  # type: ignore[arg-type]
    assert [f.rule for f in found] == [rule]
    assert found[0].refuses is (rule not in {Rule.CREAM_TOO_SHORT, Rule.CREAM_STILL_ON})


@pytest.mark.parametrize(
    ("months", "grams", "allowed"),
    [(3, "2", True), (11, "2.1", False), (12, "10", True), (71, "10.1", False), (144, "21", True)],
)
def test_a_child_has_lower_ceilings(months: int, grams: str, allowed: bool) -> None:
    found = doses.check_creams([replace(EMLA, grams=D(grams))], months)
    assert (found == []) is allowed


def test_one_cream_on_two_places_is_added_up() -> None:
    half = replace(EMLA, grams=D(30), area_cm2=D(300))
    other = replace(half, name="LMX4", max_g=None, max_cm2=None, child_limits=())
    assert doses.check_creams([half, half, other], None) == []
    more = replace(half, grams=D("30.01"), area_cm2=D("300.1"))
    found = doses.check_creams([half, more], None)
    assert [f.rule for f in found] == [Rule.CREAM_GRAMS, Rule.CREAM_AREA]
    assert found[0].figures["got"] == "60.01"
    child = replace(EMLA, grams=D(6), area_cm2=D(60))
    assert [f.rule for f in doses.check_creams([child, child], 40)] == [Rule.CREAM_CHILD] * 2


def test_deoxycholic_acid_within_its_label() -> None:
    assert refused(session(drawn("10", DEOXY), injections=(CHIN,), rules=(KYBELLA,))) == set()


@pytest.mark.parametrize(
    ("injection", "rule_change", "mix", "rule"),
    [
        ({"points": 51}, {}, ("10.2",), Rule.SUBSTANCE_POINTS),
        ({"points": 50, "ml_per_point": D("0.21")}, {}, ("10.5",), Rule.SUBSTANCE_VOLUME),
        ({"area": "abdomen"}, {}, ("10",), Rule.SUBSTANCE_AREA),
        ({}, {"earlier_sessions": 6}, ("10",), Rule.SUBSTANCE_COURSE),
        ({}, {"days_since_last": 29}, ("10",), Rule.SUBSTANCE_INTERVAL),
    ],
)
def test_deoxycholic_acid_beyond_its_label(
    injection: dict[str, object], rule_change: dict[str, object], mix: tuple[str], rule: Rule
) -> None:
    given = session(
        drawn(mix[0], DEOXY),
        injections=(replace(CHIN, **injection),),  # type: ignore[arg-type]
        rules=(replace(KYBELLA, **rule_change),),  # type: ignore[arg-type]
    )
    assert rule in refused(given)


def test_deoxycholic_acid_from_two_lots_is_not_a_mixture_but_with_a_diluent_it_is() -> None:
    two_lots = session(drawn("5", DEOXY), drawn("5", DEOXY), injections=(CHIN,), rules=(KYBELLA,))
    diluted = session(drawn("5", DEOXY), drawn("5"), injections=(CHIN,), rules=(KYBELLA,))
    assert refused(two_lots) == set()
    assert refused(diluted) == {Rule.SUBSTANCE_ALONE}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"expires_on": date(2026, 3, 9)}, Rule.LOT_EXPIRED),
        ({"expires_on": None}, Rule.LOT_NO_EXPIRY),
        ({"lot": " "}, Rule.LOT_MISSING),
        ({"held_back": "recalled"}, Rule.LOT_HELD_BACK),
        ({"on_shelf_ml": D("0.99")}, Rule.LOT_SHORT),
        ({"is_injectable": False}, Rule.NOT_INJECTABLE),
    ],
)
def test_lots_that_may_not_be_used(change: dict[str, object], rule: Rule) -> None:
    good = drawn("1", KETO, on_shelf_ml=D(1))
    assert doses.check_lot(replace(good, expires_on=TODAY), TODAY) == []
    bad = replace(good, **change)  # type: ignore[arg-type]
    assert [f.rule for f in doses.check_lot(bad, TODAY)] == [rule]


@pytest.mark.parametrize(
    ("pair", "mix", "clash"),
    [
        (Pair("ketoprofen", "lidocaine", True, ""), (KETO, LIDO), True),
        (Pair("ketoprofen", "lidocaine", True, ""), (KETO,), False),
        (Pair("*", "ketoprofen", True, ""), (KETO, LIDO), True),
        (Pair("group:local-anaesthetic", "group:local-anaesthetic", True, ""), (LIDO, LIDO), False),
        (Pair("group:local-anaesthetic", "group:local-anaesthetic", True, ""), (LIDO, PRILO), True),
        (Pair("ketoprofen", "lidocaine", True, "", ("saline",)), (KETO, LIDO), False),
        (
            Pair("ketoprofen", "lidocaine", True, "", (), ("prilocaine",)),
            (KETO, LIDO, PRILO),
            False,
        ),
    ],
)
def test_pairs(pair: Pair, mix: tuple[Strength, ...], clash: bool) -> None:
    found = doses.check_mix([drawn("1", strength) for strength in mix], [pair])
    assert bool(found) is clash
    assert all(f.refuses for f in found)
    assert not any(f.refuses for f in doses.check_mix([], [replace(pair, refuses=False)]))


def test_epinephrine_in_a_vial_counts_as_the_substance() -> None:
    pair = Pair("epinephrine", "*", True, "")
    both = [drawn("1", LIDO, has_epinephrine=True), drawn("1", KETO)]
    assert [f.rule for f in doses.check_mix(both, [pair])] == [Rule.DO_NOT_MIX]


def test_balance() -> None:
    assert refused(session(drawn("3", KETO), ml="2.85", discarded_ml=D("0.15"))) == set()
    assert refused(session(drawn("3", KETO), ml="2.85", discarded_ml=D("0.16"))) == set()
    assert refused(session(drawn("3", KETO), ml="2.85", discarded_ml=D("0.17"))) == {Rule.BALANCE}
    assert refused(session(drawn("3", KETO), ml="3.02")) == {Rule.MORE_THAN_DRAWN}
    assert refused(session(ml="1")) == {Rule.NOTHING_DRAWN}
    assert refused(session(injections=())) == {Rule.NO_AREA}


def test_what_only_asks_for_a_second_look() -> None:
    deep_face = Injection("cheek", "Cheek", 100, D("0.031"), depth_mm=D("4.1"), is_face=True)
    given = session(
        drawn("3.1", KETO), injections=(deep_face,), course=Course(2, 4, 15, days_since_last=14)
    )
    assert rules(given) == {Rule.DEPTH, Rule.FACE_VOLUME, Rule.TOO_SOON}
    assert refused(given) == set()


def test_a_toxin_of_another_brand_warns() -> None:
    units = Strength("botulinum-toxin", "Botulinum toxin", D(20), "U", group="toxin")
    mix = (Component("Brand B", D(1), (units,), code="b"), Component("Water", D(1), code="w"))
    [found] = doses.check_brand(mix, doses.Brand("a", "Brand A"))
    assert (found.rule, found.refuses) == (Rule.TOXIN_BRAND, False)
    assert found.figures == {"name": "Brand B", "before": "Brand A"}
    assert doses.check_brand(mix, doses.Brand("b", "Brand B")) == []
    assert doses.check_brand(mix, None) == []


def test_a_session_past_the_last_warns() -> None:
    past = session(drawn("1", KETO), ml="1", course=Course(5, 4))
    assert (rules(past), refused(past)) == ({Rule.PAST_THE_PLAN}, set())


def test_an_area_with_nothing_in_it_is_refused() -> None:
    empty = Injection("cheek", "Cheek", 0, D("0.1"))
    film = Injection("cheek", "Cheek", 0, D(0), extra_ml=D(1))
    assert Rule.NO_POINTS in refused(session(drawn("1", KETO), injections=(empty,)))
    assert refused(session(drawn("1", KETO), injections=(film,))) == set()


volumes = st.decimals(min_value="0.01", max_value=40, places=2)
weights = st.decimals(min_value=2, max_value=400, places=1)


@for_all(
    ml=volumes, share=st.decimals(0, 1, places=2), kg=weights, grams=volumes, adr=st.booleans()
)
def test_nothing_above_the_limit_is_ever_accepted(
    ml: Decimal, share: Decimal, kg: Decimal, grams: Decimal, adr: bool
) -> None:
    given = session(
        drawn(str(ml), LIDO, has_epinephrine=adr),
        ml=str(ml * share),
        weight_kg=kg,
        creams=(replace(EMLA, grams=grams),),
        discarded_ml=ml - ml * share,
    )
    total = ml * share * 20 + grams * 25
    accepted = not refused(given)
    assert not accepted or total <= min(D("4.5") * kg, D(300))


@for_all(ml=volumes, more=volumes, kg=weights)
def test_more_lidocaine_is_never_less_refused(ml: Decimal, more: Decimal, kg: Decimal) -> None:
    some = session(drawn(str(ml), LIDO), ml=str(ml), weight_kg=kg)
    extra = session(drawn(str(ml + more), LIDO), ml=str(ml + more), weight_kg=kg)
    assert doses.lidocaine_total_mg(some) < doses.lidocaine_total_mg(extra)
    assert Rule.LIDOCAINE_OVER not in refused(some) or Rule.LIDOCAINE_OVER in refused(extra)


@for_all(kg=weights, more=weights, adr=st.booleans())
def test_the_limit_grows_with_weight_up_to_its_cap(kg: Decimal, more: Decimal, adr: bool) -> None:
    limit = LABEL.with_epinephrine if adr else LABEL.plain
    assert limit.for_weight(kg) <= limit.for_weight(kg + more) <= limit.cap_mg


@for_all(parts=st.lists(volumes, min_size=1, max_size=5), share=st.decimals(0, 1, places=3))
def test_mass_is_neither_made_nor_lost(parts: list[Decimal], share: Decimal) -> None:
    mix = [drawn(str(ml), LIDO, KETO) for ml in parts]
    total = drawn_ml(mix)
    injections = [Injection("cheek", "Cheek", 1, total * share)]
    for amount in doses.amounts(mix, injections):
        assert abs(amount.drawn * share - amount.injected) < D("0.000001")
        assert abs(amount.per_ml * total - amount.drawn) < D("0.000001")


@for_all(drawn_=volumes, injected=volumes, thrown=volumes)
def test_only_a_balanced_syringe_is_accepted(
    drawn_: Decimal, injected: Decimal, thrown: Decimal
) -> None:
    given = session(drawn(str(drawn_), KETO), ml=str(injected), discarded_ml=thrown)
    accepted = not refused(given)
    assert accepted == (
        abs(drawn_ - injected - thrown) <= D("0.01") and injected <= drawn_ + D("0.01")
    )


@for_all(points=st.integers(1, 2000), per_point=st.decimals("0.001", "0.5", places=3))
def test_points_times_volume_is_the_total(points: int, per_point: Decimal) -> None:
    assert Injection("cheek", "Cheek", points, per_point).ml == points * per_point


@pytest.mark.parametrize(
    ("value", "text"), [("2.500", "2.5"), ("20", "20"), ("0.004", "0"), ("0.125", "0.13")]
)
def test_figures_read_as_people_write_them(value: str, text: str) -> None:
    assert doses.show(D(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.005", "0.005"),
        ("2.505", "2.505"),
        ("16.66666666", "16.667"),
        ("0.00166666", "0.0017"),
        ("300", "300"),
        ("0", "0"),
    ],
)
def test_the_record_keeps_small_amounts(value: str, text: str) -> None:
    assert doses.kept(D(value)) == text
