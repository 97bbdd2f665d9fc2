"""Which fact of a history meets which rule of the catalogue. Pure: no database, no clock.

Few rules refuse: those with the force of a label or a law, allergies, pregnancy, infection at the
site, and what a clinic has marked as refusing. All others advise.
"""

from __future__ import annotations

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
PREGNANCY, COLD_SORES = "pregnancy", "cold-sores"
UNDER_AGE, UNDER_AGE_LAW = "under-18", "under-18-toxin-filler"
BUILT_IN = frozenset({"screening:no-history", "screening:allergies", "screening:other-allergies"})
"""Rules that are no catalogue rows, since they are about the history itself."""


@dataclass(frozen=True)
class Facts:
    """What is known of a patient. `history_version` None: no history has been handed in."""

    birth_date: date
    history_version: int | None = None
    submitted_on: date | None = None
    conditions: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    allergies: frozenset[str] = frozenset()
    no_known_allergies: bool = False
    other_allergies: str = ""
    pregnant: bool | None = None
    cold_sores: bool = False

    @property
    def stated(self) -> frozenset[str]:
        """Codes of every condition, event and medicine that holds."""
        found = self.conditions | self.medicines
        found |= {PREGNANCY} if self.pregnant else set()
        return found | ({COLD_SORES} if self.cold_sores else set())

    @property
    def allergens(self) -> frozenset[str]:
        """Codes of the allergens, however they were written down."""
        return frozenset(code.removeprefix(ALLERGY) for code in self.allergies)

    def age_on(self, day: date) -> int:
        """Whole years lived on a day."""
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True)
class Proposal:
    """What is to be given: codes of the catalogue, and the code of the country."""

    substances: Collection[str] = ()
    techniques: Collection[str] = ()
    areas: Collection[str] = ()
    uses_current: bool = False
    country: str = ""
    anaesthetics: Collection[str] = ()
    products: Collection[str] = ()


@dataclass(frozen=True)
class ConditionRule:
    """A contraindication in force. `only_for` as in the catalogue; empty means always."""

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
    version of the history that was read.
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


def screen(facts: Facts, proposal: Proposal, rules: Rules, on: date) -> list[Verdict]:
    """Every verdict on a day, what refuses first, then by gravity; each rule and fact once."""
    matters = _proposed(proposal, rules)
    found = [
        *_history(facts),
        *_age(facts, matters, rules, on),
        *_conditions(facts, proposal, rules, matters, on),
        *(verdict for matter in matters for verdict in _matter(matter, facts, proposal, rules)),
    ]
    once = {verdict.key: replace(verdict, history=facts.history_version) for verdict in found}
    return sorted(once.values(), key=lambda v: (not v.blocks, GRAVITY[v.level], v.key))


def blocking(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that refuse and that no physician has decided."""
    return [verdict for verdict in verdicts if verdict.blocks and not verdict.overridden]


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
        yield _verdict(rule, "age", fact=_("The patient is %(age)s years old.") % {"age": age})


def _conditions(
    facts: Facts, proposal: Proposal, rules: Rules, matters: list[MatterRule], on: date
) -> Iterator[Verdict]:
    for code in sorted(facts.stated):
        rule = rules.conditions.get(code)
        if rule is None or not _concerns(rule.only_for, proposal, rules, matters):
            continue
        until = _over_on(rule, facts)
        if until is None or on < until:
            yield _verdict(rule, code, fact=_said(facts), until=until)


def _concerns(
    only_for: Mapping[str, Any], proposal: Proposal, rules: Rules, matters: list[MatterRule]
) -> bool:
    """Whether a narrowed rule is about this proposal; one match is enough."""
    if not only_for:
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
    """A wait counts from the day the history was handed in: the event was then or before."""
    if rule.level != WAIT or rule.wait_days is None or facts.submitted_on is None:
        return None
    return facts.submitted_on + timedelta(days=rule.wait_days)


def _matter(
    matter: MatterRule, facts: Facts, proposal: Proposal, rules: Rules
) -> Iterator[Verdict]:
    yield from _status(matter, rules.country)
    yield from _places(matter, proposal, rules)
    for condition in matter.conditions:
        if condition.code in facts.stated:
            named = rules.conditions.get(condition.code)
            yield _verdict(
                matter,
                condition.code,
                level=condition.level,
                title=_titled(matter, named.title if named else condition.code),
                fact=_said(facts),
                source=condition.source,
                blocks=condition.blocks,
            )
    for allergen in sorted(matter.allergens & facts.allergens):
        named = rules.conditions.get(ALLERGY + allergen)
        yield _verdict(
            matter,
            ALLERGY + allergen,
            level=STOP,
            title=_titled(matter, named.title if named else allergen),
            fact=_said(facts),
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


def _said(facts: Facts) -> str:
    return _("Stated in version %(version)s of the history.") % {
        "version": facts.history_version or "–"
    }


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
    )
