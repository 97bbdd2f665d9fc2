"""Which fact of a history meets which rule of the catalogue. Pure: no database, no clock.

Few rules refuse: those with the force of a label or a law, allergies, pregnancy, infection at the
site, and what a clinic has marked as refusing. All others advise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

STOP, PHYSICIAN, WAIT, CAUTION = "stop", "physician", "wait", "caution"
GRAVITY = {STOP: 0, PHYSICIAN: 1, WAIT: 2, CAUTION: 3}
ADULT = 18
"""Years; Botulinum Toxin and Cosmetic Fillers (Children) Act 2021, S71a."""

ALLERGY = "allergy-"
PREGNANCY, BREASTFEEDING, COLD_SORES = "pregnancy", "breastfeeding", "cold-sores"
UNDER_AGE, UNDER_AGE_LAW = "under-18", "under-18-toxin-filler"
DISTRESS = "bddq-positive"
ABOUT_HISTORY = (
    "no-history",
    "allergies",
    "other-allergies",
    "pregnancy-not-asked",
    "mixing",
)
BUILT_IN = frozenset(f"screening:{code}" for code in ABOUT_HISTORY)
"""Rules that are no catalogue rows: those about the history itself, and a country's switch."""
FEWEST_MIXED = 2


@dataclass(frozen=True)
class Detail:
    """What was said about one fact: the day it happened, and the patient's words."""

    on: date | None = None
    text: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known of a patient. `history_version` None: no history has been handed in.

    `pregnant` and `breastfeeding` None: not asked; `pregnancy_applies` False: the patient said
    that neither can concern them. `details` by code of a condition, event or medicine.
    `skin_type`: Fitzpatrick 1 to 6. `distress`: what BDDQ-AS and COPS say; None: not taken.
    """

    birth_date: date
    history_version: int | None = None
    submitted_on: date | None = None
    conditions: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    allergies: frozenset[str] = frozenset()
    no_known_allergies: bool = False
    other_allergies: str = ""
    medicines_text: str = ""
    pregnancy_applies: bool | None = None
    pregnant: bool | None = None
    breastfeeding: bool | None = None
    cold_sores: bool = False
    details: Mapping[str, Detail] = field(default_factory=dict)
    skin_type: int | None = None
    distress: bool | None = None

    @property
    def stated(self) -> frozenset[str]:
        """Codes of every condition, event and medicine that was said to hold."""
        said = {
            PREGNANCY: self.pregnant,
            BREASTFEEDING: self.breastfeeding,
            COLD_SORES: self.cold_sores,
            DISTRESS: self.distress,
        }
        return self.conditions | self.medicines | {code for code, holds in said.items() if holds}

    @property
    def allergens(self) -> frozenset[str]:
        """Codes of the allergens, however they were written down."""
        return frozenset(code.removeprefix(ALLERGY) for code in self.allergies)

    @property
    def is_pregnancy_open(self) -> bool:
        """Whether pregnancy or breastfeeding could concern this patient and was not asked."""
        return self.pregnancy_applies is not False and None in (self.pregnant, self.breastfeeding)

    def age_on(self, day: date) -> int:
        """Whole years lived on a day; a 29 February birthday falls on 1 March in common years."""
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True)
class Proposal:
    """What is to be given: codes of the catalogue, and the code of the country.

    `mixtures`: the products that come into one syringe together; none given, all of them do.
    """

    substances: Collection[str] = ()
    techniques: Collection[str] = ()
    areas: Collection[str] = ()
    uses_current: bool = False
    country: str = ""
    anaesthetics: Collection[str] = ()
    products: Collection[str] = ()
    mixtures: Collection[Collection[str]] = ()


@dataclass(frozen=True)
class ConditionRule:
    """A contraindication in force. `only_for` as in the catalogue; empty means always.

    `since`: the day from which this version of the rule is in force. `terms` and `crosses` as in
    the catalogue.
    """

    code: str
    version: int
    title: str
    level: str
    kind: str = "condition"
    source: str = ""
    verified: bool = False
    blocks: bool = False
    wait_days: int | None = None
    only_for: Mapping[str, Any] = field(default_factory=dict)
    since: date | None = None
    needs_reason: bool = False
    needs_doctor: bool = False
    terms: tuple[str, ...] = ()
    crosses: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"contraindication:{self.code}"


@dataclass(frozen=True)
class Condition:
    """What a substance says of one condition."""

    code: str
    level: str
    source: str = ""
    blocks: bool = False


@dataclass(frozen=True)
class MatterRule:
    """A substance, anaesthetic or product in force; `kind` says which."""

    kind: str
    code: str
    version: int
    title: str
    source: str = ""
    verified: bool = False
    caution: str = ""
    group: str = ""
    flags: frozenset[str] = frozenset()
    allergens: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    areas_only: frozenset[str] = frozenset()
    is_blocked: bool = False
    is_toxin_or_filler: bool = False
    is_diluent: bool = False
    since: date | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.code}"


@dataclass(frozen=True)
class Place:
    """Where an area lies: its group on the charts, and itself with all it is part of."""

    title: str
    group: str
    within: frozenset[str]


@dataclass(frozen=True)
class Country:
    """The switches of a country profile that change what may be given."""

    adults_only_toxin_filler: bool = False
    blocks_warned: bool = False
    pharmacy_only: bool = False
    name: str = ""
    source: str = ""


@dataclass(frozen=True)
class Rules:
    """The current catalogue, as far as a proposal needs it."""

    conditions: Mapping[str, ConditionRule] = field(default_factory=dict)
    matters: Mapping[str, MatterRule] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    country: Country = Country()

    def names(self) -> frozenset[str]:
        """Every rule there is."""
        known = {rule.name for rule in self.conditions.values()} | BUILT_IN
        return frozenset(known | {rule.name for rule in self.matters.values()})


@dataclass(frozen=True)
class Verdict:
    """A fact that met a rule. `key` binds a physician's decision to rule, version and fact.

    `blocks`: nothing may be signed or started until a physician has decided; where it is not
    `overridable` nobody can. `until`: the first day on which a wait is over. `history`: the
    version of the history that was read. `since`: the day from which the fact is known;
    `rule_since`: the day from which this version of the rule is in force. `needs_reason`: nobody
    is found suitable without a reason for it; `needs_doctor`: a decision names the doctor who
    directs it.
    """

    key: str
    level: str
    rule: str
    version: int
    title: str
    fact: str
    source: str
    until: date | None = None
    overridable: bool = False
    overridden: bool = False
    blocks: bool = False
    verified: bool = False
    decision: str = ""
    history: int | None = None
    since: date | None = None
    rule_since: date | None = None
    needs_reason: bool = False
    needs_doctor: bool = False


def screen(facts: Facts, proposal: Proposal, rules: Rules, on: date) -> list[Verdict]:
    """Every verdict on a day, what refuses first, then by gravity; each rule and fact once."""
    matters = _proposed(proposal, rules)
    known = known_facts(facts, rules)
    found = [
        *_history(facts),
        *_age(facts, matters, rules, on),
        *_conditions(facts, known, proposal, rules, matters, on),
        *_lone_allergies(facts, known, proposal, rules, matters),
        *_mixing(matters, proposal.mixtures, rules.country),
        *(v for matter in matters for v in _matter(matter, facts, known, proposal, rules)),
    ]
    once = {verdict.key: replace(verdict, history=facts.history_version) for verdict in found}
    return sorted(once.values(), key=lambda v: (not v.blocks, GRAVITY[v.level], v.key))


def blocking(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that refuse and that no physician has decided."""
    return [verdict for verdict in verdicts if verdict.blocks and not verdict.overridden]


def unanswered(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those, and the ones that only warn but ask for a reason that nobody has written yet."""
    return [v for v in verdicts if (v.blocks or v.needs_reason) and not v.overridden]


@dataclass(frozen=True)
class Known:
    """The facts as codes, with what was understood from the patient's own words.

    `written`: of a code that was not ticked, the words that mean it.
    """

    stated: frozenset[str]
    allergens: frozenset[str]
    written: Mapping[str, str]


def known_facts(facts: Facts, rules: Rules) -> Known:
    """What was ticked, what the patient wrote in words, and what follows from the skin type.

    A medicine or an allergy that was written down instead of ticked counts as ticked: the most
    careful reading.
    """
    written = {
        rule.code: words
        for rule in rules.conditions.values()
        if (words := mentioned(_own_words(rule.kind, facts), rule.terms))
    }
    by_skin = {
        rule.code
        for rule in rules.conditions.values()
        if facts.skin_type in rule.only_for.get("skin_types", ())
    }
    allergens = {code.removeprefix(ALLERGY) for code in written if code.startswith(ALLERGY)}
    return Known(
        stated=facts.stated | by_skin | {c for c in written if not c.startswith(ALLERGY)},
        allergens=facts.allergens | allergens,
        written={
            code: words
            for code, words in written.items()
            if code not in facts.stated and code.removeprefix(ALLERGY) not in facts.allergens
        },
    )


def _own_words(kind: str, facts: Facts) -> str:
    return {"medicine": facts.medicines_text, "allergy": facts.other_allergies}.get(kind, "")


def mentioned(text: str, terms: Iterable[str]) -> str:
    """The first of the terms that stands in a text as words of its own; accents do not matter."""
    if not text:
        return ""
    words = f" {_plain(text)} "
    return next((term for term in terms if _plain(term) and f" {_plain(term)} " in words), "")


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(one for one in bare if not unicodedata.combining(one))
    return " ".join(re.findall(r"\w+", letters))


def _proposed(proposal: Proposal, rules: Rules) -> list[MatterRule]:
    names = [f"substance:{code}" for code in sorted(set(proposal.substances))]
    names += [f"anaesthetic:{code}" for code in sorted(set(proposal.anaesthetics))]
    names += [f"product:{code}" for code in sorted(set(proposal.products))]
    return [rules.matters[name] for name in names if name in rules.matters]


def _history(facts: Facts) -> Iterator[Verdict]:
    if facts.history_version is None:
        yield _about_history(
            "no-history",
            STOP,
            _("No medical history"),
            _("The patient has not handed in a medical history."),
            blocks=True,
        )
        return
    if facts.other_allergies:
        text = _("In the patient's words: %(text)s") % {"text": facts.other_allergies}
        yield _about_history("other-allergies", CAUTION, _("Other allergies"), text)
    if not (facts.allergies or facts.no_known_allergies or facts.other_allergies):
        text = _("The history does not say whether there are any.")
        yield _about_history("allergies", CAUTION, _("Allergies not known"), text)
    if facts.is_pregnancy_open:
        text = _("The history does not say. Ask before treating.")
        title = _("Pregnancy or breastfeeding not asked")
        yield _about_history("pregnancy-not-asked", CAUTION, title, text)


def _about_history(
    code: str, level: str, title: str, fact: str, *, blocks: bool = False
) -> Verdict:
    return Verdict(
        key=f"screening:{code}",
        level=level,
        rule=f"screening:{code}",
        version=1,
        title=title,
        fact=fact,
        source="",
        blocks=blocks,
        verified=True,
    )


def _age(facts: Facts, matters: list[MatterRule], rules: Rules, on: date) -> Iterator[Verdict]:
    age = facts.age_on(on)
    if age >= ADULT:
        return
    forbidden = any(matter.is_toxin_or_filler for matter in matters)
    by_law = forbidden and rules.country.adults_only_toxin_filler
    rule = rules.conditions.get(UNDER_AGE_LAW if by_law else UNDER_AGE)
    if rule:
        fact = _("The patient is %(age)s years old.") % {"age": age}
        yield _verdict(rule, "age", fact=fact, since=facts.birth_date)


def _conditions(
    facts: Facts,
    known: Known,
    proposal: Proposal,
    rules: Rules,
    matters: list[MatterRule],
    on: date,
) -> Iterator[Verdict]:
    for code in sorted(known.stated):
        rule = rules.conditions.get(code)
        if rule is None or not _concerns(rule.only_for, proposal, rules, matters):
            continue
        until = _over_on(rule, facts)
        if until is None or on < until:
            yield _verdict(
                rule,
                code,
                fact=_said(facts, known, code),
                since=_since(facts, code) if _is_said(facts, known, code) else None,
                until=until,
            )


def _lone_allergies(
    facts: Facts, known: Known, proposal: Proposal, rules: Rules, matters: list[MatterRule]
) -> Iterator[Verdict]:
    """Allergies that call for care whatever is given. One that stops does so through what holds
    the allergen, see `_matter`."""
    for code in sorted(ALLERGY + allergen for allergen in known.allergens):
        rule = rules.conditions.get(code)
        if rule is None or rule.level == STOP or rule.blocks:
            continue
        if _concerns(rule.only_for, proposal, rules, matters):
            yield _verdict(rule, code, fact=_said(facts, known, code), since=_since(facts, code))


def _mixing(
    matters: list[MatterRule], mixtures: Collection[Collection[str]], country: Country
) -> Iterator[Verdict]:
    """Where the law leaves mixing to a pharmacy: in one syringe more than one product that is not
    a diluent."""
    acting = [one for one in matters if one.kind == "product" and not one.is_diluent]
    groups = [[one for one in acting if one.code in group] for group in mixtures] or [acting]
    mixed = [one for one in acting if any(one in g and len(g) >= FEWEST_MIXED for g in groups)]
    if not country.pharmacy_only or not mixed:
        return
    yield Verdict(
        key="screening:mixing",
        level=CAUTION,
        rule="screening:mixing",
        version=1,
        title=_("%(country)s: mixtures are made up in a pharmacy only") % {"country": country.name},
        fact=", ".join(one.title for one in mixed),
        source=country.source,
        verified=True,
    )


def _concerns(
    only_for: Mapping[str, Any], proposal: Proposal, rules: Rules, matters: list[MatterRule]
) -> bool:
    """Whether a narrowed rule is about this proposal; one match is enough.

    That the skin type fits was seen before, when the fact was found.
    """
    if not only_for or set(only_for) == {"skin_types"}:
        return True
    places = [rules.places[code] for code in proposal.areas if code in rules.places]
    offered = {
        "substances": set(proposal.substances),
        "groups": {matter.group for matter in matters},
        "techniques": set(proposal.techniques),
        "areas": set(proposal.areas).union(*(place.within for place in places)),
        "area_groups": {place.group for place in places},
    }
    if only_for.get("current") and proposal.uses_current:
        return True
    return any(offered[name].intersection(only_for.get(name, ())) for name in offered)


def _over_on(rule: ConditionRule, facts: Facts) -> date | None:
    """The first day without the rule. It counts from the day of the event; where the patient did
    not say when, from the day the history was handed in: the event was then or before.
    """
    start = _since(facts, rule.code)
    if rule.wait_days is None or start is None:
        return None
    return start + timedelta(days=rule.wait_days)


def _since(facts: Facts, code: str) -> date | None:
    """The day of the event, never later than the history that tells of it; else that day."""
    happened = facts.details.get(code, Detail()).on
    if happened is None or facts.submitted_on is None:
        return happened or facts.submitted_on
    return min(happened, facts.submitted_on)


def _matter(
    matter: MatterRule, facts: Facts, known: Known, proposal: Proposal, rules: Rules
) -> Iterator[Verdict]:
    yield from _status(matter, rules.country)
    yield from _places(matter, proposal, rules)
    for condition in matter.conditions:
        if condition.code in known.stated:
            named = rules.conditions.get(condition.code)
            yield _verdict(
                matter,
                condition.code,
                level=condition.level,
                title=_titled(matter, named.title if named else condition.code),
                fact=_said(facts, known, condition.code),
                since=_since(facts, condition.code)
                if _is_said(facts, known, condition.code)
                else None,
                source=condition.source,
                blocks=condition.blocks,
            )
    for allergen in sorted(known.allergens):
        yield from _allergen(matter, allergen, facts, known, rules)


def _allergen(
    matter: MatterRule, allergen: str, facts: Facts, known: Known, rules: Rules
) -> Iterator[Verdict]:
    """An allergy to what it holds, or to what crosses with that."""
    code = ALLERGY + allergen
    named = rules.conditions.get(code)
    crossing = (named.crosses if named else frozenset()) & matter.allergens
    if allergen not in matter.allergens and not crossing:
        return
    said = _said(facts, known, code)
    if allergen not in matter.allergens:
        said = _("%(said)s It may cross-react.") % {"said": said}
    yield _verdict(
        matter,
        code,
        level=STOP,
        title=_titled(matter, named.title if named else allergen),
        fact=said,
        since=_since(facts, code),
        source=named.source if named else matter.source,
        blocks=True,
    )


def _status(matter: MatterRule, country: Country) -> Iterator[Verdict]:
    """What the law or an authority says of it, whoever the patient is."""
    if "NOT_INJECTABLE" in matter.flags:
        yield _verdict(
            matter,
            "not-injectable",
            level=STOP,
            title=_("%(what)s: not for injection") % {"what": matter.title},
            fact=_("A cosmetic in a vial is not an injectable."),
            blocks=True,
            overridable=False,
        )
    if matter.is_blocked:
        yield _verdict(
            matter,
            "blocked",
            level=STOP,
            title=_("%(what)s: blocked by default") % {"what": matter.title},
            fact=matter.caution,
            blocks=True,
        )
    if matter.flags & {"WARNED", "UNAPPROVED_US"}:
        yield _verdict(
            matter,
            "warned",
            level=STOP if country.blocks_warned else CAUTION,
            title=_("%(what)s: authority warning or no approval") % {"what": matter.title},
            fact=matter.caution,
            blocks=country.blocks_warned,
            overridable=False,
        )


def _places(matter: MatterRule, proposal: Proposal, rules: Rules) -> Iterator[Verdict]:
    """The label's areas; going elsewhere needs a reason and an off-label consent."""
    if not matter.areas_only:
        return
    for code in sorted(set(proposal.areas)):
        place = rules.places.get(code) or Place(code, "", frozenset({code}))
        if matter.areas_only.isdisjoint(place.within):
            yield _verdict(
                matter,
                f"area-{code}",
                level=STOP,
                title=_("%(what)s: not for this area") % {"what": matter.title},
                fact=place.title,
                blocks=True,
            )


def _titled(matter: MatterRule, condition: str) -> str:
    return _("%(what)s: %(condition)s") % {"what": matter.title, "condition": condition}


def _is_said(facts: Facts, known: Known, code: str) -> bool:
    """Whether the history says it, in a tick or in words; not what follows from the skin type."""
    return code in facts.stated or code in known.written


def _said(facts: Facts, known: Known, code: str) -> str:
    """Where the fact stands, from when, and in which words."""
    version = facts.history_version or "–"
    if code in known.written:
        text = _("Written in version %(version)s of the history: “%(words)s”.")
        return text % {"version": version, "words": known.written[code]}
    detail = facts.details.get(code, Detail())
    parts = [_("Stated in version %(version)s of the history.") % {"version": version}]
    if code == DISTRESS:
        parts = [
            _("By the questionnaires in version %(version)s of the history.") % {"version": version}
        ]
    elif not (_is_said(facts, known, code) or code.removeprefix(ALLERGY) in facts.allergens):
        parts = [_("Skin type %(type)s of the last note.") % {"type": facts.skin_type}]
    if detail.text:
        parts.append(_("In the patient's words: %(text)s") % {"text": detail.text})
    return " ".join(parts)


def _verdict(rule: ConditionRule | MatterRule, met: str, *, fact: str, **given: Any) -> Verdict:
    """A verdict of a rule about the fact with code `met`; what is not given is the rule's own."""
    level = str(given.get("level") or getattr(rule, "level", CAUTION))
    return Verdict(
        key=f"{rule.name}:{rule.version}:{met}",
        level=level,
        rule=rule.name,
        version=rule.version,
        title=given.get("title") or rule.title,
        fact=fact,
        source=given.get("source") or rule.source,
        until=given.get("until"),
        overridable=given.get("overridable", level != CAUTION),
        blocks=given.get("blocks", getattr(rule, "blocks", False)),
        verified=rule.verified,
        since=given.get("since"),
        rule_since=rule.since,
        needs_reason=getattr(rule, "needs_reason", False),
        needs_doctor=getattr(rule, "needs_doctor", False),
    )
