"""The mix bench: what a syringe holds, what may not go into one, and that nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from treatments.catalogue.limits import LidocaineLimits, Limit
from treatments.mixes.contents import (
    Component,
    Pair,
    Strength,
    actives,
    clashes,
    contents,
    discard_by,
    drawn_ml,
    is_mixture,
)
from treatments.sessions import doses
from treatments.sessions.doses import Given, Injection, Rule, SubstanceRule, Syringe
from treatments.sessions.totals import label_limits
from treatments.sessions.words import sentence

D = Decimal
TODAY = date(2026, 3, 10)
LIDO = Strength("lidocaine", "Lidocaine", D(20), group="local-anaesthetic")
HA = Strength("hyaluronic-acid", "Hyaluronic acid", D(10), group="hyaluronic")
SALT = Strength("sodium-chloride", "Sodium chloride", D(9), group="diluent")
DEOXY = Strength("deoxycholic-acid", "Deoxycholic acid", D(10))
OIL = Strength("castor", "Castor oil", D(900), group="oil-or-alcohol")
ONE_ACTIVE = Pair("active", "active", False, "One active per syringe.")
PARIS = ZoneInfo("Europe/Paris")


def vial(name: str, ml: str, *strengths: Strength, syringe: str = "A", **more: object) -> Component:
    more.setdefault("expires_on", date(2027, 1, 1))
    more.setdefault("lot", f"{name}-1")
    return Component(name, D(ml), strengths, syringe=syringe, code=name, **more)  # type: ignore[arg-type]


def into(area: str, ml: str, syringe: str = "") -> Injection:
    return Injection(area, area, 1, D(ml), syringe=syringe)


def two_syringes(**more: object) -> Given:
    """3 mL of lidocaine and saline in A, 2 mL of hyaluronic acid in B; 2.5 and 2 mL given."""
    more.setdefault("injections", (into("forehead", "2.5", "A"), into("cheek", "2", "B")))
    more.setdefault("syringes", (made("A", discarded_ml=D("0.5")), made("B")))
    more.setdefault("weight_kg", D(60))
    more.setdefault("limits", LidocaineLimits(Limit(D("4.5"), D(300)), Limit(D(7), D(500))))
    components = (
        vial("lido", "1", LIDO),
        vial("salt", "2", SALT, is_diluent=True),
        vial("ha", "2", HA, syringe="B"),
    )
    return Given(TODAY, components, **more)  # type: ignore[arg-type]


def made(label: str, **more: object) -> Syringe:
    more.setdefault("prepared_at", datetime(2026, 3, 10, 9, tzinfo=UTC))
    return Syringe(label, **more)  # type: ignore[arg-type]


def refused(given: Given) -> dict[Rule, str]:
    return {f.rule: sentence(f) for f in doses.check(given) if f.refuses}


def test_what_a_syringe_holds() -> None:
    held = contents([vial("lido", "1", LIDO), vial("ha", "2", HA)])
    assert [(one.substance, one.mass, one.unit) for one in held] == [
        ("lidocaine", D(20), "mg"),
        ("hyaluronic-acid", D(20), "mg"),
    ]
    assert [one.per_ml * 3 for one in held] == [D(20), D(20)]
    assert contents([]) == []


def test_each_syringe_gives_its_own_share() -> None:
    given = two_syringes()
    injected = {a.substance: a.injected for a in doses.amounts(given.components, given.injections)}
    assert round(injected["lidocaine"], 3) == D("16.667")
    assert injected["hyaluronic-acid"] == 20
    assert refused(given) == {}


def test_mass_balance_is_of_each_syringe_not_of_their_sum() -> None:
    given = two_syringes(injections=(into("forehead", "3", "A"), into("cheek", "1.5", "B")))
    said = refused(given)
    assert "Syringe" in said[Rule.BALANCE]
    both = [sentence(f) for f in doses.check(given) if f.rule is Rule.BALANCE]
    assert ["Syringe A" in words for words in both] == [True, False]
    assert "0.5 mL is left to discard" in both[1]


def test_more_out_of_one_syringe_than_into_it() -> None:
    given = two_syringes(injections=(into("forehead", "2", "A"), into("cheek", "2.5", "B")))
    assert "only 2 mL was drawn" in refused(given)[Rule.MORE_THAN_DRAWN]


def test_an_area_must_say_which_of_two_syringes() -> None:
    given = two_syringes(injections=(into("forehead", "2.5", "A"), into("cheek", "2")))
    assert "say which syringe" in refused(given)[Rule.NO_SYRINGE]
    dry = replace(given, injections=(*two_syringes().injections, into("neck", "0")))
    assert Rule.NO_SYRINGE not in refused(dry)


def test_the_only_syringe_goes_without_saying() -> None:
    given = Given(TODAY, (vial("ha", "2", HA),), (into("cheek", "2"),), syringes=(made("A"),))
    assert refused(given) == {}


def test_one_lot_in_two_syringes_is_counted_once_against_the_shelf() -> None:
    half = vial("ha", "2", HA, on_shelf_ml=D(3))
    given = two_syringes()
    both = replace(given, components=(half, replace(half, syringe="B")))
    assert "4 mL drawn, but only 3 mL" in refused(both)[Rule.LOT_SHORT]
    enough = replace(half, on_shelf_ml=D(4))
    assert Rule.LOT_SHORT not in refused(
        replace(given, components=(enough, replace(enough, syringe="B")))
    )


def test_incompatible_in_one_syringe_is_allowed_in_two() -> None:
    alone = Pair("deoxycholic-acid", "*", True, "Do not mix or dilute.")
    mixed = [vial("deoxy", "2", DEOXY), vial("lido", "1", LIDO)]
    assert [f.rule for f in doses.check_mix(mixed, [alone])] == [Rule.DO_NOT_MIX]
    apart = [mixed[0], replace(mixed[1], syringe="B")]
    assert doses.check_mix(apart, [alone]) == []


def test_what_may_never_be_injected_is_refused_alone() -> None:
    ban = Pair("group:oil-or-alcohol", "*", True, "Necrosis: never inject.")
    found = doses.check_mix([vial("oil", "1", OIL)], [ban])
    assert [(f.rule, f.refuses) for f in found] == [(Rule.NEVER_INJECT, True)]
    assert sentence(found[0]) == "Castor oil may not be injected. Necrosis: never inject."
    assert doses.check_mix([vial("ha", "1", HA)], [ban]) == []


def test_one_active_per_syringe_warns_and_a_diluent_is_none() -> None:
    mixed = [vial("lido", "1", LIDO), vial("ha", "1", HA)]
    [found] = doses.check_mix(mixed, [ONE_ACTIVE])
    assert (found.rule, found.refuses) == (Rule.SEVERAL_ACTIVES, False)
    assert "lido, ha" in sentence(found)
    diluted = [vial("lido", "1", LIDO), vial("salt", "1", SALT, is_diluent=True)]
    assert doses.check_mix(diluted, [ONE_ACTIVE]) == []
    assert doses.check_mix([mixed[0], replace(mixed[1], syringe="B")], [ONE_ACTIVE]) == []
    two_lots = [mixed[0], replace(mixed[0], lot="L2")]
    assert actives(two_lots) == ["lido"]
    assert not is_mixture(two_lots)


def test_a_mixture_comes_from_a_pharmacy_where_the_country_says_so() -> None:
    mix = (vial("lido", "1", LIDO), vial("ha", "1", HA))
    given = Given(
        TODAY,
        mix,
        (into("cheek", "2"),),
        syringes=(made("A"),),
        pharmacy_only=True,
        country="France",
        weight_kg=D(60),
        limits=two_syringes().limits,
    )
    assert "only in a pharmacy" in refused(given)[Rule.PHARMACY_ONLY]
    made_up = replace(given, syringes=(made("A", pharmacy="Pharmacie 417"),))
    diluted = replace(given, components=(mix[0], vial("salt", "1", SALT, is_diluent=True)))
    for quiet in (made_up, diluted, replace(given, pharmacy_only=False)):
        assert refused(quiet) == {}


@pytest.mark.parametrize("looks", ["turbid", "milky", "coloured", "particles"])
def test_only_a_limpid_syringe_is_given(looks: str) -> None:
    given = two_syringes(
        syringes=(made("A", discarded_ml=D("0.5")), made("B", appearance=looks, looks=looks))
    )
    assert refused(given) == {
        Rule.NOT_LIMPID: f"Syringe B: What is in the syringe is {looks}. Discard it."
    }


def test_a_syringe_nobody_prepared_and_one_kept_too_long() -> None:
    until = datetime(2026, 3, 10, 13, tzinfo=UTC)
    old = made("B", discard_by=until, until="14:00")
    given = two_syringes(syringes=(made("A", prepared_at=None, discarded_ml=D("0.5")), old))
    late = replace(given, given_until=until + timedelta(minutes=1))
    assert set(refused(late)) == {Rule.NOT_PREPARED, Rule.KEPT_TOO_LONG}
    in_time = replace(given, given_until=until)
    assert set(refused(in_time)) == {Rule.NOT_PREPARED}


def test_until_when_a_syringe_keeps() -> None:
    at = datetime(2026, 3, 10, 9, tzinfo=UTC)
    evening = datetime(2026, 3, 10, 23, 59, tzinfo=PARIS)
    assert discard_by(at, [vial("ha", "1", HA)], PARIS) == evening
    four_hours = vial("prp", "1", HA, in_use_hours=4)
    assert discard_by(at, [four_hours], PARIS) == at + timedelta(hours=4)
    day = replace(four_hours, in_use_hours=24)
    assert discard_by(at, [day], PARIS) == evening


def test_the_day_the_clocks_change_ends_at_its_own_midnight() -> None:
    before = datetime(2026, 3, 28, 22, tzinfo=PARIS)
    night = datetime(2026, 3, 29, 0, 30, tzinfo=PARIS)
    ends = [discard_by(at, [], PARIS).astimezone(UTC) for at in (before, night)]
    assert [(one.hour, one.minute) for one in ends] == [(22, 59), (21, 59)]


def test_a_label_s_limits_stand_beside_the_syringes_that_hold_it() -> None:
    rule = SubstanceRule("hyaluronic-acid", "Hyaluronic acid", max_ml=D(10), max_points=50)
    absent = replace(rule, substance="deoxycholic-acid")
    unlimited = replace(rule, substance="lidocaine", max_ml=None, max_points=None)
    [limit] = label_limits(replace(two_syringes(), rules=(rule, absent, unlimited)))
    assert (limit.max_ml, limit.max_points, limit.syringes) == (10, 50, ("B",))


def test_only_what_came_from_its_syringe_counts_against_a_label() -> None:
    rule = SubstanceRule("hyaluronic-acid", "Hyaluronic acid", max_ml=D(2), max_points=1)
    given = replace(two_syringes(), rules=(rule,))
    assert refused(given) == {}
    more = (*given.injections, into("chin", "0.01", "B"))
    assert Rule.SUBSTANCE_POINTS in refused(replace(given, injections=more))


volumes = st.decimals(min_value="0.01", max_value=40, places=2)
labels = st.sampled_from("ABC")


@for_all(
    parts=st.lists(st.tuples(labels, volumes), min_size=1, max_size=6),
    share=st.decimals(0, 1, places=3),
)
def test_mass_is_neither_made_nor_lost_over_syringes(
    parts: list[tuple[str, Decimal]], share: Decimal
) -> None:
    mix = [vial(f"v{n}", str(ml), LIDO, syringe=label) for n, (label, ml) in enumerate(parts)]
    drawn: dict[str, Decimal] = {}
    for label, ml in parts:
        drawn[label] = drawn.get(label, D(0)) + ml
    injections = [into("cheek", str(ml * share), label) for label, ml in drawn.items()]
    [amount] = doses.amounts(mix, injections)
    assert amount.drawn == drawn_ml(mix) * 20
    assert abs(amount.injected - amount.drawn * share) < D("0.000001")
    assert abs(amount.per_ml - 20) < D("0.000001")


@for_all(
    drawn=st.dictionaries(labels, volumes, min_size=1),
    moved=st.decimals("0.02", 5, places=2),
)
def test_each_syringe_balances_or_none_is_accepted(
    drawn: dict[str, Decimal], moved: Decimal
) -> None:
    mix = tuple(vial(label, str(ml), HA, syringe=label) for label, ml in drawn.items())
    tray = tuple(made(label, discarded_ml=D(0)) for label in drawn)
    whole = Given(
        TODAY,
        mix,
        tuple(into(label, str(ml), label) for label, ml in drawn.items()),
        syringes=tray,
    )
    assert refused(whole) == {}
    first = min(drawn)
    short = tuple(
        replace(i, ml_per_point=i.ml_per_point - min(moved, i.ml_per_point))
        if i.syringe == first
        else i
        for i in whole.injections
    )
    gone = drawn[first] - short[list(drawn).index(first)].ml
    assert (Rule.BALANCE in refused(replace(whole, injections=short))) == (gone > D("0.01"))
    discarded = tuple(
        replace(one, discarded_ml=gone) if one.label == first else one for one in tray
    )
    settled = refused(replace(whole, injections=short, syringes=discarded))
    assert set(settled) <= {Rule.NO_POINTS}


@for_all(parts=st.lists(st.sampled_from([LIDO, HA, SALT, DEOXY, OIL]), min_size=1, max_size=5))
def test_a_pair_is_met_whichever_way_round(parts: list[Strength]) -> None:
    mix = [vial(s.substance, "1", s) for s in parts]
    one = Pair("lidocaine", "hyaluronic-acid", True, "")
    other = Pair("hyaluronic-acid", "lidocaine", True, "")
    assert bool(clashes(mix, [one])) == bool(clashes(mix, [other])) == ({LIDO, HA} <= set(parts))
