"""What may stop a treatment (section 14 of the domain), rule by rule: it acts, and it is quiet.

Of the printed rows these belong to screening and are tested here:

| row of section 14 | here |
| --- | --- |
| age under 18, toxin or filler, England; a named doctor's direction | `test_under_18…` |
| allergy matches an ingredient or a cross-allergen | `test_blocks…`, `test_an_allergy…` |
| pregnancy or breastfeeding, active infection at the site | `test_blocks…` |
| product flagged NOT_INJECTABLE | `test_not_injectable…` |
| WARNED or UNAPPROVED_US substance (block by country) | `test_a_warned_substance…` |
| BDDQ-AS positive or COPS of 40 and over | `test_distress…` |
| deoxycholic acid: area other than submental | `test_deoxycholic_acid…` |

The others are tested where their figures are:

| row of section 14 | where |
| --- | --- |
| lidocaine sum over the limit, weight missing | `test_doses.py`, `test_sessions.py` |
| EMLA amounts, areas, hours, children; waiting time short | `test_doses.py` |
| deoxycholic acid: volume, points, number, interval, mixing | `test_doses.py` |
| lot expired, recalled, without number or expiry | `test_doses.py`, `test_sessions.py` |
| consent missing, withdrawn, not covering, time to think | `test_consents.py`, `test_sessions.py` |
| "do not mix" and "avoid" | `test_doses.py`, `test_plans.py` |
| interval, number of sessions, depth, face volume | `test_doses.py`, `test_plans.py` |
| toxin of another brand with the same units | `test_doses.py` |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from clinic.errors import ActionRefused
from patients.intake.models import History
from tests.conftest import Cast, make_patient
from tests.treatments.plan_parts import COMPLETE_NOTE
from treatments.catalogue.actions import approve_row, edit_row
from treatments.catalogue.models import Contraindication, Source
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.screening import rulebook
from treatments.screening.actions import blocking, override, screen_patient, unanswered
from treatments.screening.engine import Proposal
from treatments.screening.rulebook import rules_for

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 16, 9, tzinfo=UTC)
NOTHING: dict[str, Any] = {
    "no_known_allergies": True,
    "pregnant": False,
    "breastfeeding": False,
    "answers": {"edition": 2},
}


def hand_in(patient, version=1, **said):
    given = NOTHING | said
    if "allergies" in said or "other_allergies" in said:
        given["no_known_allergies"] = False
    return History.objects.create(
        patient=patient, version=version, origin="link", submitted_at=AT, **given
    )


def verdicts(patient, **proposed):
    proposed.setdefault("country", "FR")
    return screen_patient(patient=patient, proposal=Proposal(**proposed), at=AT)


@dataclass
class Case:
    """What is said and proposed when the rule acts; `quiet`: what of it is otherwise when not."""

    rule: str
    said: dict[str, Any]
    proposed: dict[str, Any]
    quiet_said: dict[str, Any] = field(default_factory=dict)
    quiet_proposed: dict[str, Any] | None = None


def allergy(code, proposed, harmless=("hyaluronic-acid",)):
    return Case(
        code,
        {"allergies": [f"allergy-{code}"]},
        proposed,
        {"allergies": [f"allergy-{code}"]},
        {"substances": list(harmless)},
    )


BLOCKS = [
    allergy("soy", {"substances": ["phosphatidylcholine"]}),
    allergy("fish", {"substances": ["polynucleotides"]}),
    allergy("milk-protein", {"substances": ["botulinum-toxin"]}),
    allergy("ester-anaesthetic", {"substances": ["procaine"]}, ["lidocaine"]),
    allergy("amide-anaesthetic", {"substances": ["lidocaine"]}, ["procaine"]),
    allergy("amide-anaesthetic", {"anaesthetics": ["emla"]}, ["procaine"]),
    allergy("venom", {"substances": ["hyaluronidase"]}),
    allergy("benzyl-alcohol", {"substances": ["deoxycholic-acid"], "areas": ["submental"]}),
    allergy("metabisulfite", {"substances": ["tranexamic-acid"]}),
    Case("pregnancy", {"pregnant": True}, {"substances": ["vitamin-c"]}),
    Case("breastfeeding", {"breastfeeding": True}, {"substances": ["vitamin-c"]}),
    Case("skin-infection", {"conditions": ["skin-infection"]}, {"areas": ["cheek"]}),
    Case("active-herpes", {"conditions": ["active-herpes"]}, {"areas": ["upper-lip"]}),
]


@pytest.mark.parametrize("case", BLOCKS, ids=lambda case: case.rule)
def test_blocks_until_a_physician_decides(cast, case):
    hand_in(cast.patient, **case.said)
    (stop,) = blocking(verdicts(cast.patient, **case.proposed))
    assert stop.level == "stop"
    assert stop.source
    assert stop.since == date(2026, 3, 16)
    assert stop.rule_since
    for by in (cast.front_desk, cast.manager):
        with pytest.raises(ActionRefused, match="practitioner"):
            override(by=by, patient=cast.patient, verdict=stop, reason="please")
    override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="weighed")
    assert blocking(verdicts(cast.patient, **case.proposed)) == []


@pytest.mark.parametrize("case", BLOCKS, ids=lambda case: case.rule)
def test_stays_quiet_without_the_fact_or_without_the_substance(cast, case):
    hand_in(cast.patient, **case.quiet_said)
    proposed = case.proposed if case.quiet_proposed is None else case.quiet_proposed
    assert blocking(verdicts(cast.patient, **proposed)) == []


def test_under_18_toxin_or_filler_in_england_needs_a_named_doctor(cast):
    minor = make_patient(cast.there, "Otto", "Young", birth_date=date(2012, 1, 1))
    hand_in(minor)
    toxin = {"substances": ["botulinum-toxin"], "country": "GB"}
    (stop,) = blocking(verdicts(minor, **toxin))
    assert (stop.rule, stop.needs_doctor) == ("contraindication:under-18-toxin-filler", True)
    assert stop.since == date(2012, 1, 1)
    with pytest.raises(ActionRefused, match="Name the doctor") as refused:
        override(by=cast.practitioner, patient=minor, verdict=stop, reason="medical need")
    assert refused.value.field == "directed_by"
    override(
        by=cast.practitioner,
        patient=minor,
        verdict=stop,
        reason="medical need",
        directed_by="Dr  Amara Obi, GMC 1234567",
    )
    (decided,) = [v for v in verdicts(minor, **toxin) if v.rule == stop.rule]
    assert "Dr Amara Obi, GMC 1234567" in decided.decision
    assert blocking([decided]) == []


@pytest.mark.parametrize(
    ("born", "country", "substance"),
    [
        (date(2008, 3, 16), "GB", "botulinum-toxin"),  # eighteen today
        (date(2012, 1, 1), "GB", "vitamin-b"),
        (date(2012, 1, 1), "FR", "botulinum-toxin"),  # another country's law
    ],
)
def test_under_18_stays_quiet(cast, born, country, substance):
    young = make_patient(cast.there, "Otto", "Young", birth_date=born)
    hand_in(young)
    assert blocking(verdicts(young, substances=[substance], country=country)) == []


def test_not_injectable_blocks_and_nobody_may_decide(cast):
    hand_in(cast.patient)
    found = blocking(verdicts(cast.patient, products=["peptide-cosmetic"]))
    assert [v.overridable for v in found] == [False]
    with pytest.raises(ActionRefused, match="Nobody"):
        override(by=cast.practitioner, patient=cast.patient, verdict=found[0], reason="x")
    assert blocking(verdicts(cast.patient, products=["ha-1"])) == []


@pytest.mark.parametrize("code", ["glutathione", "exosomes", "phosphatidylcholine"])
def test_a_warned_substance_warns_and_is_blocked_where_the_country_says_so(cast, code):
    hand_in(cast.patient)
    (warned,) = verdicts(cast.patient, substances=[code])
    assert (warned.level, warned.blocks) == ("caution", False)
    (stop,) = blocking(verdicts(cast.patient, substances=[code], country="US"))
    with pytest.raises(ActionRefused, match="Nobody"):
        override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="x")
    assert verdicts(cast.patient, substances=["hyaluronic-acid"], country="US") == []


@pytest.mark.parametrize(
    ("psychology", "acts"),
    [
        ({"bddq": [True, True, 3, 1, 1, 1, False]}, True),
        ({"bddq": [True, True, 1, 1, 1, 1, True]}, True),
        ({"bddq": [True, True, 2, 2, 2, 2, False]}, False),
        ({"bddq": [True, False, 5, 5, 5, 5, True]}, False),
        ({"cops": 40}, True),
        ({"cops": 39}, False),
        ({}, False),
    ],
)
def test_distress_warns_and_asks_for_a_reason(cast, psychology, acts):
    hand_in(cast.patient, psychology=psychology)
    found = verdicts(cast.patient, substances=["hyaluronic-acid"])
    assert blocking(found) == []
    assert [v.rule for v in unanswered(found)] == ["contraindication:bddq-positive"] * acts
    note = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
    note = save_consultation(
        by=cast.practitioner, consultation=note, revision=0, values=COMPLETE_NOTE
    )
    if not acts:
        assert sign_consultation(by=cast.practitioner, consultation=note, at=AT).is_signed
        return
    with pytest.raises(ActionRefused, match="nobody has answered"):
        sign_consultation(by=cast.practitioner, consultation=note, at=AT)
    (verdict,) = unanswered(found)
    override(
        by=cast.practitioner,
        patient=cast.patient,
        verdict=verdict,
        reason="Seen by a psychologist, letter on file",
    )
    assert sign_consultation(by=cast.practitioner, consultation=note, at=AT).is_signed


def test_distress_lets_a_note_be_signed_that_refers(cast):
    hand_in(cast.patient, psychology={"cops": 55})
    note = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
    values = COMPLETE_NOTE | {
        "decision": "refer",
        "decision_reason": "Distress before the treatment",
        "refer_to": "Dr Lemoine",
    }
    note = save_consultation(by=cast.practitioner, consultation=note, revision=0, values=values)
    signed = sign_consultation(by=cast.practitioner, consultation=note, at=AT)
    (kept,) = [v for v in signed.screening if v["rule"] == "contraindication:bddq-positive"]
    assert kept["level"] == "physician"
    assert "S112b" in kept["source"]


def test_deoxycholic_acid_stays_under_the_chin_unless_decided(cast):
    hand_in(cast.patient)
    acid = {"substances": ["deoxycholic-acid"]}
    (stop,) = blocking(verdicts(cast.patient, **acid, areas=["abdomen"]))
    override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="off-label, agreed")
    assert blocking(verdicts(cast.patient, **acid, areas=["abdomen"])) == []
    # For that area only.
    assert len(blocking(verdicts(cast.patient, **acid, areas=["abdomen", "flank"]))) == 1
    assert blocking(verdicts(cast.patient, **acid, areas=["submental"])) == []


def test_everything_else_only_advises(cast):
    """What section 14 does not print does not refuse, however grave it reads."""
    said = ["thrombosis", "coagulation-disorder", "cancer", "epilepsy", "heart-disease", "keloid"]
    hand_in(cast.patient, conditions=said, medicines=["anticoagulant", "chemo-radiotherapy"])
    found = verdicts(cast.patient, substances=["tranexamic-acid"], areas=["cheek"])
    assert {"stop", "physician"} <= {v.level for v in found}
    assert blocking(found) == []
    assert unanswered(found) == []


RULE = Contraindication.objects.filter(is_current=True, code="pregnancy")
CHANGES: dict[str, Callable[[Cast], object]] = {
    "a version more": lambda cast: edit_row(
        by=cast.manager, row=RULE.get(), values={"name_en": "Expecting a child"}
    ),
    "an approval": lambda cast: approve_row(by=cast.practitioner, row=RULE.get()),
    "a citation": lambda cast: Source.objects.update(citation="Rewritten"),
}


def kept_rule() -> tuple[str, bool, str]:
    rule = rules_for(Proposal()).conditions["pregnancy"]
    return rule.title, rule.verified, rule.source


@pytest.mark.parametrize("change", CHANGES)
def test_kept_rules_are_read_anew_at_any_change(cast: Cast, change: str) -> None:
    before = kept_rule()
    with CaptureQueriesContext(connection) as queries:
        assert kept_rule() == before
    assert len(queries) == 1
    CHANGES[change](cast)
    assert kept_rule() != before


def test_without_the_stamp_a_change_would_be_missed(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr(rulebook, "STAMP", "SELECT 'always the same'")
    monkeypatch.setattr(rulebook, "_kept", {})
    before = kept_rule()
    Source.objects.update(citation="Rewritten")
    assert kept_rule() == before


def test_kept_rules_speak_the_language_asked(db: None) -> None:
    with translation.override("fr"):
        assert kept_rule()[0] == RULE.get().name_fr
    assert kept_rule()[0] == RULE.get().name_en
