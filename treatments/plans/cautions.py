"""What a plan must be told about: refusals that stop it, and warnings that do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from django.utils.translation import gettext as _

from treatments.plans.totals import Totals

DEEPEST_DERMAL_MM = Decimal(4)
"""Deeper than 4 mm is no longer a dermal technique (classical limit of the method)."""

MOST_FACE_ML = Decimal(3)
"""More than 3 mL in a face in one session is beyond the published totals."""

ANYTHING = "*"


@dataclass(frozen=True)
class Caution:
    """One remark; `blocks` means that the plan cannot be accepted. `source`: references."""

    text: str
    blocks: bool = False
    source: str = ""


@dataclass(frozen=True)
class AreaFacts:
    """One planned area in mm and mL; the technique's usual depths may be unknown."""

    code: str
    name: str
    is_face: bool
    technique: str
    is_dermal: bool
    depth_mm: Decimal
    points: int
    ml_per_point: Decimal
    usual_depth_mm: tuple[Decimal | None, Decimal | None] = (None, None)

    @property
    def ml(self) -> Decimal:
        return self.points * self.ml_per_point


@dataclass(frozen=True)
class Limits:
    """What a label sets: mL and points in one session, sessions in all, days between them."""

    max_ml: Decimal | None = None
    max_points: int | None = None
    max_sessions: int | None = None
    min_gap_days: int | None = None


@dataclass(frozen=True)
class SubstanceFacts:
    """A substance with its marks, and the mL of the products that bring it to one session.

    `limits` are those of its label: at most so many mL and points a session, so many sessions,
    and at least so many days between them.
    """

    code: str
    name: str
    group: str = ""
    ml: Decimal = Decimal(0)
    flags: frozenset[str] = frozenset()
    limits: Limits = Limits()
    areas_only: tuple[str, ...] = ()
    is_blocked: bool = False
    source: str = ""


@dataclass(frozen=True)
class Pair:
    """An incompatibility of two sides: a substance code, `group:<group>`, or `*` for anything.

    It counts only together with all of `only_with`, and not together with any of `unless`.
    """

    first: str
    second: str
    level: str
    effect: str
    source: str = ""
    only_with: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()

    def concerns(self, one: SubstanceFacts, other: SubstanceFacts, mix: Set[str]) -> bool:
        """Whether it speaks of these two in a mix of these codes, in either order."""
        holds = self.only_with <= mix and not self.unless & mix
        return holds and (self._fits(one, other) or self._fits(other, one))

    def _fits(self, one: SubstanceFacts, other: SubstanceFacts) -> bool:
        return self.first in _names(one) and self.second in _names(other)


def _names(one: SubstanceFacts) -> tuple[str, str, str]:
    return one.code, f"group:{one.group}", ANYTHING


@dataclass(frozen=True)
class SessionFacts:
    """Sessions with the same mix: which ones, their totals, products and substances."""

    label: str
    totals: Totals
    products: tuple[str, ...]
    substances: tuple[SubstanceFacts, ...]
    diluents: int = 0


@dataclass(frozen=True)
class PlanFacts:
    """Everything the cautions look at."""

    areas: Sequence[AreaFacts]
    sessions: Sequence[SessionFacts]
    pairs: Sequence[Pair] = ()
    pharmacy_only: bool = False
    blocks_warned: bool = False
    country: str = ""
    count: int = 0
    shortest_gap_days: int | None = None
    not_injectable: Sequence[str] = field(default_factory=tuple)


def cautions(plan: PlanFacts) -> list[Caution]:
    """All remarks on a plan, refusals first; each said once."""
    found = [
        *_about_areas(plan.areas),
        *_about_products(plan),
        *(remark for session in plan.sessions for remark in _about_session(plan, session)),
    ]
    return sorted(dict.fromkeys(found), key=lambda caution: not caution.blocks)


def _about_areas(areas: Iterable[AreaFacts]) -> list[Caution]:
    found = [remark for area in areas for remark in _about_depth(area)]
    face_ml = sum((area.ml for area in areas if area.is_face), Decimal(0))
    if face_ml > MOST_FACE_ML:
        text = _("%(ml)s mL in the face in one session; published totals stay at or below 3 mL.")
        found.append(Caution(text % {"ml": _plain(face_ml)}, source="S32a"))
    return found


def _about_depth(area: AreaFacts) -> list[Caution]:
    said = {"area": area.name, "depth": _plain(area.depth_mm), "technique": area.technique}
    if area.is_dermal and area.depth_mm > DEEPEST_DERMAL_MM:
        text = _("%(area)s: %(depth)s mm is deeper than 4 mm, too deep for a dermal technique.")
        return [Caution(text % said, source="S6a")]
    lowest, highest = area.usual_depth_mm
    if (lowest and area.depth_mm < lowest) or (highest and area.depth_mm > highest):
        text = _("%(area)s: %(depth)s mm is outside the usual depth of %(technique)s.")
        return [Caution(text % said)]
    return []


def _about_products(plan: PlanFacts) -> list[Caution]:
    text = _("%(product)s is not made for injection and cannot be part of a plan.")
    return [
        Caution(text % {"product": name}, blocks=True, source="S68a")
        for name in plan.not_injectable
    ]


def _about_session(plan: PlanFacts, session: SessionFacts) -> list[Caution]:
    return [
        *_about_volume(session),
        *_about_mixing(plan, session),
        *_about_pairs(plan.pairs, session),
        *(remark for one in session.substances for remark in _about_substance(plan, one)),
    ]


def _about_volume(session: SessionFacts) -> list[Caution]:
    totals = session.totals
    if totals.agree or not (totals.drawn_ml or totals.injected_ml):
        return []
    said = {
        "sessions": session.label,
        "drawn": _plain(totals.drawn_ml),
        "injected": _plain(totals.injected_ml),
    }
    if totals.injected_ml > totals.drawn_ml:
        text = _("%(sessions)s: the points need %(injected)s mL, but only %(drawn)s mL is drawn.")
    else:
        text = _("%(sessions)s: %(drawn)s mL is drawn, but the points take only %(injected)s mL.")
    return [Caution(text % said)]


def _about_mixing(plan: PlanFacts, session: SessionFacts) -> list[Caution]:
    if not plan.pharmacy_only or len(session.products) - session.diluents < 2:
        return []
    text = _(
        "%(country)s: mixtures may be prepared only in a pharmacy. Order this mix ready made, "
        "or give the products in separate syringes."
    )
    return [Caution(text % {"country": plan.country}, source="S70a")]


def _about_pairs(pairs: Sequence[Pair], session: SessionFacts) -> list[Caution]:
    """An explicit permission of two named substances outweighs a rule about anything."""
    found = []
    codes = {one.code for one in session.substances}
    for one, other in combinations(session.substances, 2):
        rules = [pair for pair in pairs if pair.concerns(one, other, codes)]
        if any(rule.level == "allowed" for rule in rules):
            continue
        for rule in rules:
            text = _("%(one)s and %(other)s: %(effect)s")
            said = {"one": one.name, "other": other.name, "effect": rule.effect}
            found.append(Caution(text % said, rule.level == "refuse", rule.source))
    return found


def _about_substance(plan: PlanFacts, one: SubstanceFacts) -> list[Caution]:
    said = {"name": one.name, "country": plan.country}
    found = []
    if "NOT_INJECTABLE" in one.flags:
        text = _("%(name)s is not made for injection and cannot be part of a plan.")
        found.append(Caution(text % said, blocks=True, source=one.source))
    if one.is_blocked:
        text = _("%(name)s is blocked in this clinic's catalogue.")
        found.append(Caution(text % said, blocks=True, source=one.source))
    if "WARNED" in one.flags:
        found.append(_warned(plan, one))
    if "UNAPPROVED_US" in one.flags:
        text = _("%(name)s is not approved in the United States. The consent says so.")
        found.append(Caution(text % said, source=one.source))
    if one.areas_only:
        found += _about_places(plan, one)
    return found + _about_label(plan, one)


def _about_label(plan: PlanFacts, one: SubstanceFacts) -> list[Caution]:
    """A label's own limits refuse."""
    limits, points = one.limits, sum(area.points for area in plan.areas)
    said: list[str] = []
    if limits.max_ml is not None and one.ml > limits.max_ml:
        text = _("%(name)s: %(ml)s mL in one session; its label allows %(most)s mL.")
        said.append(text % {"name": one.name, "ml": _plain(one.ml), "most": _plain(limits.max_ml)})
    if limits.max_points is not None and points > limits.max_points:
        text = _("%(name)s: %(points)s points in one session; its label allows %(most)s.")
        said.append(text % {"name": one.name, "points": points, "most": limits.max_points})
    if limits.max_sessions is not None and plan.count > limits.max_sessions:
        text = _("%(name)s: %(count)s sessions; its label allows %(most)s.")
        said.append(text % {"name": one.name, "count": plan.count, "most": limits.max_sessions})
    gap = plan.shortest_gap_days
    if limits.min_gap_days is not None and gap is not None and gap < limits.min_gap_days:
        text = _("%(name)s: sessions %(gap)s days apart; its label asks for %(least)s.")
        said.append(text % {"name": one.name, "gap": gap, "least": limits.min_gap_days})
    return [Caution(words, blocks=True, source=one.source) for words in said]


def _warned(plan: PlanFacts, one: SubstanceFacts) -> Caution:
    said = {"name": one.name, "country": plan.country}
    if plan.blocks_warned:
        text = _("An authority warns about %(name)s, and the rules of %(country)s block it.")
    else:
        text = _("An authority warns about %(name)s. The consent says so.")
    return Caution(text % said, plan.blocks_warned, one.source)


def _about_places(plan: PlanFacts, one: SubstanceFacts) -> list[Caution]:
    elsewhere = [area.name for area in plan.areas if area.code not in one.areas_only]
    if not elsewhere:
        return []
    text = _(
        "%(name)s is labelled for another area than %(areas)s. This is off-label; the consent "
        "says so."
    )
    said = {"name": one.name, "areas": ", ".join(elsewhere)}
    return [Caution(text % said, source=one.source)]


def _plain(number: Decimal) -> str:
    """A figure without trailing zeros: 3.00 is 3, 0.050 is 0.05."""
    return f"{number.normalize():f}"
