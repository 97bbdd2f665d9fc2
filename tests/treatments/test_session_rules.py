"""Which rule may stop a signature: each acts as it is meant to, and is quiet when it should be.

Every row is a rule that a session or its doses can meet: it blocks, it warns, or it lets a
physician decide; next to it the nearest case that must not be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from clinic.audit.context import SYSTEM, acting
from clinic.places.models import CountryProfile
from tests.treatments.session_world import (
    NOON,
    READY,
    World,
    current,
    make_history,
    make_lot,
    make_world,
    sign_consent,
)
from tests.treatments.test_doses import (
    CHIN,
    DEOXY,
    EMLA,
    KETO,
    KYBELLA,
    LIDO,
    TODAY,
    drawn,
    session,
)
from treatments.catalogue.models import Incompatibility, Lot, Product
from treatments.consents.models import Consent
from treatments.mixes.contents import Pair, Strength
from treatments.screening.actions import blocking, override
from treatments.sessions import actions, doses
from treatments.sessions.actions import NotSignable, verdicts_of
from treatments.sessions.doses import Brand, Course, Given, Injection, Rule
from treatments.sessions.entries import MixEntry
from treatments.sessions.parts import Parts

D = Decimal
BLOCKS, WARNS = True, False
TOXIN = Strength("botulinum-toxin", "Botulinum toxin", D(20), "U", group="toxin")
CHIN_SESSION = {"injections": (CHIN,), "rules": (KYBELLA,)}
IN_FACE = Injection("cheek", "Cheek", 60, D("0.05"), is_face=True)


def chin(**more: Any) -> Given:
    injection = replace(CHIN, **{k: v for k, v in more.items() if k in ("points", "area")})
    rule = replace(KYBELLA, **{k: v for k, v in more.items() if k not in ("points", "area")})
    ml = str(injection.ml)
    return session(drawn(ml, DEOXY), injections=(injection,), rules=(rule,))


def mixed(pair: Pair, *strengths: Strength) -> Given:
    given = session(*[drawn("1", one) for one in strengths], ml=str(len(strengths)))
    return replace(given, pairs=(pair,))


def creamed(**change: Any) -> Given:
    return session(drawn("1", KETO), ml="1", creams=(replace(EMLA, **change),))


def child(months: int, grams: str) -> Given:
    return replace(creamed(grams=D(grams), area_cm2=D(10), minutes=60), age_months=months)


BY_FORCE: dict[str, tuple[Rule, bool, Given, Given]] = {
    "lidocaine above the limit for the weight": (
        Rule.LIDOCAINE_OVER, BLOCKS,
        session(drawn("11.26", LIDO), ml="11.26", weight_kg=D(50)),
        session(drawn("11.25", LIDO), ml="11.25", weight_kg=D(50)),
    ),
    "lidocaine without a weight": (
        Rule.WEIGHT_MISSING, BLOCKS,
        session(drawn("1", LIDO), ml="1", weight_kg=None),
        session(drawn("1", KETO), ml="1", weight_kg=None),
    ),
    "EMLA above 60 g": (Rule.CREAM_GRAMS, BLOCKS, creamed(grams=D("60.01")), creamed(grams=D(12))),
    "EMLA above 600 cm²": (
        Rule.CREAM_AREA, BLOCKS, creamed(area_cm2=D("600.1")), creamed(area_cm2=D(600)),
    ),
    "EMLA above 5 h": (Rule.CREAM_TOO_LONG, BLOCKS, creamed(minutes=301), creamed(minutes=300)),
    "EMLA for an infant": (Rule.CREAM_CHILD, BLOCKS, child(11, "2.01"), child(11, "2")),
    "EMLA for a child of six": (Rule.CREAM_CHILD, BLOCKS, child(72, "20.01"), child(144, "20.01")),
    "deoxycholic acid above 10 mL": (
        Rule.SUBSTANCE_VOLUME, BLOCKS, chin(points=51), chin(points=50),
    ),
    "deoxycholic acid above 50 points": (
        Rule.SUBSTANCE_POINTS, BLOCKS, chin(points=51), chin(points=50),
    ),
    "deoxycholic acid a seventh time": (
        Rule.SUBSTANCE_COURSE, BLOCKS, chin(earlier_sessions=6), chin(earlier_sessions=5),
    ),
    "deoxycholic acid within a month": (
        Rule.SUBSTANCE_INTERVAL, BLOCKS, chin(days_since_last=29), chin(days_since_last=30),
    ),
    "deoxycholic acid elsewhere": (Rule.SUBSTANCE_AREA, BLOCKS, chin(area="abdomen"), chin()),
    "deoxycholic acid mixed": (
        Rule.SUBSTANCE_ALONE, BLOCKS,
        session(drawn("5", DEOXY), drawn("5"), **CHIN_SESSION),
        session(drawn("5", DEOXY), drawn("5", syringe="B"), **CHIN_SESSION),
    ),
    "a lot that expired": (
        Rule.LOT_EXPIRED, BLOCKS,
        session(drawn("1", KETO, expires_on=TODAY - timedelta(days=1)), ml="1"),
        session(drawn("1", KETO, expires_on=TODAY), ml="1"),
    ),
    "an expiry that is missing": (
        Rule.LOT_NO_EXPIRY, BLOCKS,
        session(drawn("1", KETO, expires_on=None), ml="1"),
        session(drawn("1", KETO), ml="1"),
    ),
    "a cream's lot that is missing": (Rule.LOT_MISSING, BLOCKS, creamed(lot=""), creamed(lot="T1")),
    "a cream's lot that expired": (
        Rule.LOT_EXPIRED, BLOCKS,
        creamed(expires_on=TODAY - timedelta(days=1)), creamed(expires_on=TODAY),
    ),
    "a recalled lot": (
        Rule.LOT_HELD_BACK, BLOCKS,
        session(drawn("1", KETO, held_back="recalled"), ml="1"),
        session(drawn("1", KETO), ml="1"),
    ),
    "a product that is not for injection": (
        Rule.NOT_INJECTABLE, BLOCKS,
        session(drawn("1", KETO, is_injectable=False), ml="1"),
        session(drawn("1", KETO), ml="1"),
    ),
    "a pair that must not be mixed": (
        Rule.DO_NOT_MIX, BLOCKS,
        mixed(Pair("ketoprofen", "lidocaine", True, ""), KETO, LIDO),
        mixed(Pair("ketoprofen", "lidocaine", True, ""), LIDO),
    ),
    "a pair to avoid": (
        Rule.AVOID_MIXING, WARNS,
        mixed(Pair("ketoprofen", "lidocaine", False, ""), KETO, LIDO),
        mixed(Pair("ketoprofen", "lidocaine", False, "", unless=("lidocaine",)), KETO, LIDO),
    ),
    "sooner than the plan": (
        Rule.TOO_SOON, WARNS,
        session(drawn("1", KETO), ml="1", course=Course(2, 4, 14, days_since_last=13)),
        session(drawn("1", KETO), ml="1", course=Course(2, 4, 14, days_since_last=14)),
    ),
    "more sessions than planned": (
        Rule.PAST_THE_PLAN, WARNS,
        session(drawn("1", KETO), ml="1", course=Course(5, 4)),
        session(drawn("1", KETO), ml="1", course=Course(4, 4)),
    ),
    "deeper than 4 mm with a dermal technique": (
        Rule.DEPTH, WARNS,
        session(drawn("3", KETO), injections=(replace(IN_FACE, depth_mm=D("4.01")),)),
        session(drawn("3", KETO), injections=(replace(IN_FACE, depth_mm=D(4)),)),
    ),
    "more than 3 mL in the face": (
        Rule.FACE_VOLUME, WARNS,
        session(drawn("3.05", KETO), injections=(replace(IN_FACE, points=61),)),
        session(drawn("3", KETO), injections=(IN_FACE,)),
    ),
    "a toxin of another brand": (
        Rule.TOXIN_BRAND, WARNS,
        session(drawn("1", TOXIN, code="b"), ml="1", last_toxin=Brand("a", "Brand A")),
        session(drawn("1", TOXIN, code="a"), ml="1", last_toxin=Brand("a", "Brand A")),
    ),
    "a wait that was short": (
        Rule.CREAM_TOO_SHORT, WARNS, creamed(minutes=59), creamed(minutes=60),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_FORCE)
def test_the_rule_speaks_with_its_force_and_is_quiet_beside_it(name: str) -> None:
    rule, blocks, loud, quiet = BY_FORCE[name]
    met = [f for f in doses.check(loud) if f.rule is rule]
    assert met, f"{name}: nothing was said"
    assert {f.refuses for f in met} == {blocks}
    assert rule not in {f.rule for f in doses.check(quiet)}


# --- those that need rows -------------------------------------------------------------------


@pytest.fixture
def world(cast: Any) -> Iterator[World]:
    with acting(SYSTEM):
        yield make_world(cast)


def refusal(world: World, begun: Any, **fields: Any) -> str:
    with pytest.raises(NotSignable) as caught:
        world.sign(begun, **fields)
    return " ".join(caught.value.problems)


def given_again(world: World, begun: Any) -> None:
    """The newer history is confirmed; nothing else changes."""
    actions.save_preparation(by=world.practitioner, session=begun, entry=READY, at=NOON)


def test_every_session_starts_from_one_that_can_be_signed(world: World) -> None:
    assert world.sign(world.fill(world.start())).is_signed


def test_a_withdrawn_consent_blocks(world: World) -> None:
    begun = world.fill(world.start())
    before = begun.started_at - timedelta(minutes=1)
    Consent.objects.filter(pk=world.consent.pk).update(withdrawn_at=before)
    assert "withdrawn" in refusal(world, begun)


def test_an_allergy_to_what_is_in_the_syringe_blocks_and_a_physician_may_decide(
    world: World,
) -> None:
    begun = world.fill(world.start())
    amide = {"allergies": ["allergy-amide-anaesthetic"], "no_known_allergies": False}
    make_history(world.plan.patient, 2, **amide)
    given_again(world, begun)
    assert "Screening:" in refusal(world, begun)
    for verdict in blocking(verdicts_of(Parts.of(begun), NOON)):
        override(
            by=world.practitioner,
            patient=world.plan.patient,
            verdict=verdict,
            reason="Skin test negative last month.",
        )
    signed = world.sign(begun)
    assert any(one["overridden"] for one in signed.screening)


def test_an_allergy_to_something_else_does_not(world: World) -> None:
    begun = world.fill(world.start())
    soy = {"allergies": ["allergy-soy"], "no_known_allergies": False}
    make_history(world.plan.patient, 2, **soy)
    given_again(world, begun)
    assert world.sign(begun).is_signed


def test_pregnancy_blocks(world: World) -> None:
    begun = world.fill(world.start())
    make_history(world.plan.patient, 2, pregnant=True)
    given_again(world, begun)
    assert "Screening:" in refusal(world, begun)


def test_a_minor_may_not_be_given_a_toxin_where_the_law_says_so(world: World, cast: Any) -> None:
    toxin = make_lot(cast.here, "botulinum-100")
    named = [*world.consent.substances, "botulinum-toxin"]
    begun = world.start()
    sign_consent(world.plan, cast.practitioner, substances=named)
    mix = [MixEntry(toxin, D(3))]
    world.fill(begun, mix=mix)
    cast.patient.birth_date = date(2010, 1, 1)
    cast.patient.save()
    CountryProfile.objects.filter(pk="FR").update(adults_only_toxin_filler=True)
    assert "Screening:" in refusal(world, begun)
    cast.patient.birth_date = date(1985, 3, 15)
    cast.patient.save()
    assert world.sign(begun).is_signed


@pytest.mark.parametrize("blocks", [True, False])
def test_a_warned_substance_blocks_only_by_the_country_s_profile(
    world: World, cast: Any, blocks: bool
) -> None:
    lot = make_lot(cast.here, "glutathione-100")
    begun = world.start()
    named = [*world.consent.substances, "glutathione"]
    sign_consent(world.plan, cast.practitioner, substances=named)
    world.fill(begun, mix=[MixEntry(lot, D(3))])
    CountryProfile.objects.filter(pk="FR").update(blocks_warned_substances=blocks)
    if blocks:
        assert "Screening:" in refusal(world, begun)
    else:
        assert any("glutathione" in one["rule"] for one in world.sign(begun).screening)


def test_the_catalogue_s_own_pairs_are_the_ones_that_count(world: World, cast: Any) -> None:
    """Every pair of the table, in one syringe: refused or warned as its row says."""
    for row in Incompatibility.objects.current().exclude(level="allowed"):
        assert row.effect_en
        assert row.source_refs, row.code
    lidocaine, diclofenac = world.lidocaine, make_lot(cast.here, "diclofenac-75")
    begun = world.start()
    named = [*world.consent.substances, "diclofenac", "sodium-bicarbonate"]
    sign_consent(world.plan, cast.practitioner, substances=named)
    mix = [MixEntry(lidocaine, D(1)), MixEntry(diclofenac, D(2))]
    world.fill(begun, mix=mix)
    assert "Milky" in refusal(world, begun)
    salt = make_lot(cast.here, "sodium-bicarbonate-14")
    world.fill(begun, mix=[*mix[:1], MixEntry(diclofenac, D(1)), MixEntry(salt, D(1))])
    assert world.sign(begun).is_signed


def test_a_lot_of_a_cosmetic_is_not_even_offered(world: World, cast: Any) -> None:
    serum = make_lot(cast.here, "peptide-cosmetic")
    begun = world.fill(world.start(), mix=[MixEntry(serum, D(3))])
    assert "not made for injection" in refusal(world, begun)
    assert Lot.objects.filter(pk=serum.pk).exists()
    assert "NOT_INJECTABLE" in current(Product, "peptide-cosmetic").flags
