"""What a plan must be told about: refusals that stop it, and warnings that do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from treatments.catalogue.limits import LIDOCAINE
from treatments.plans.totals import Totals

DEEPEST_DERMAL_MM = Decimal(4)
"""Deeper than 4 mm is no longer a dermal technique (classical limit of the method)."""

MOST_FACE_ML = Decimal(3)
"""More than 3 mL in a face in one session is beyond the published totals."""

LUNG_NEEDLE_MM = Decimal(4)
"""A longer needle over the chest can reach the lung."""

ANYTHING = "*"
Range = tuple[Decimal | None, Decimal | None]


@dataclass(frozen=True)
class Caution:
    """One remark; `blocks` means that the plan cannot be accepted. `source`: references."""

    text: str
    blocks: bool = False
    source: str = ""


@dataclass(frozen=True)
class AreaFacts:
    """One planned area in mm and mL; the technique's usual figures may be unknown.

    `cm2` is the usual size of the area with the sides that are planned, where it is known.
    """

    code: str
    name: str
    is_face: bool
    technique: str
    is_dermal: bool
    depth_mm: Decimal
    points: int
    ml_per_point: Decimal
    usual_depth_mm: Range = (None, None)
    spacing_mm: Decimal | None = None
    usual_spacing_mm: Range = (None, None)
    usual_ml: Range = (None, None)
    needle_mm: Decimal | None = None
    over_thorax: bool = False
    cm2: Decimal | None = None
    syringe: str = "A"

    @property
    def ml(self) -> Decimal:
        return self.points * self.ml_per_point

    @property
    def grid_points(self) -> int | None:
        """How many points the spacing makes on an area of the usual size: cm² over spacing²."""
        if self.cm2 is None or not self.spacing_mm:
            return None
        return round(self.cm2 * 100 / self.spacing_mm**2)


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
    and at least so many days between them. `syringes`: the letters of those that hold it.
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
    syringes: frozenset[str] = frozenset("A")


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
class SyringeFacts:
    """One syringe of a session: its letter, its totals, and what is mixed in it."""

    label: str
    totals: Totals
    substances: tuple[SubstanceFacts, ...]


@dataclass(frozen=True)
class SessionFacts:
    """Sessions with the same mix: which ones, their totals, substances and syringes.

    `with_epinephrine`: all of their lidocaine is in solutions with epinephrine.
    """

    label: str
    totals: Totals
    substances: tuple[SubstanceFacts, ...]
    syringes: tuple[SyringeFacts, ...] = ()
    with_epinephrine: bool = False

    def amount_of(self, code: str) -> Decimal:
        """mg of a substance drawn for one session."""
        return sum(
            (one.drawn for one in self.totals.amounts if one.code == code and one.unit == "mg"),
            Decimal(0),
        )


@dataclass(frozen=True)
class PlanFacts:
    """Everything the cautions look at. `lidocaine`: the most in mg for the patient's weight, plain
    and with epinephrine; None where the weight is not known. `negative`: the published course that
    the plan follows, where it found no benefit.
    """

    areas: Sequence[AreaFacts]
    sessions: Sequence[SessionFacts]
    pairs: Sequence[Pair] = ()
    blocks_warned: bool = False
    country: str = ""
    count: int = 0
    shortest_gap_days: int | None = None
    not_injectable: Sequence[str] = field(default_factory=tuple)
    lidocaine: tuple[Decimal, Decimal] | None = None
    weight_kg: Decimal | None = None
    negative: str = ""
    negative_source: str = ""

    def lidocaine_limit(self, session: SessionFacts) -> Decimal | None:
        """The limit in mg that holds for these sessions."""
        return self.lidocaine and self.lidocaine[session.with_epinephrine]


def cautions(plan: PlanFacts) -> list[Caution]:
    """All remarks on a plan, refusals first; each said once."""
    found = [
        *_about_areas(plan.areas),
        *_about_products(plan),
        *_about_evidence(plan),
        *(remark for session in plan.sessions for remark in _about_session(plan, session)),
    ]
    return sorted(dict.fromkeys(found), key=lambda caution: not caution.blocks)


def _about_areas(areas: Iterable[AreaFacts]) -> list[Caution]:
    found = [
        remark
        for area in areas
        for remark in (*_about_depth(area), *_about_needle(area), *_about_grid(area))
    ]
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
    if _is_outside(area.depth_mm, area.usual_depth_mm):
        text = _("%(area)s: %(depth)s mm is outside the usual depth of %(technique)s.")
        return [Caution(text % said)]
    return []


def _is_outside(figure: Decimal, usual: Range) -> bool:
    lowest, highest = usual
    return bool((lowest and figure < lowest) or (highest and figure > highest))


def _about_needle(area: AreaFacts) -> list[Caution]:
    """The needle reaches the depth, and over the chest no further than it should."""
    if area.needle_mm is None:
        return []
    said = {
        "area": area.name,
        "needle": _plain(area.needle_mm),
        "depth": _plain(area.depth_mm),
        "most": _plain(LUNG_NEEDLE_MM),
    }
    found = []
    if area.needle_mm < area.depth_mm:
        text = _("%(area)s: a needle of %(needle)s mm does not reach %(depth)s mm.")
        found.append(Caution(text % said))
    if area.over_thorax and area.needle_mm > LUNG_NEEDLE_MM:
        text = _(
            "%(area)s: a needle of %(needle)s mm over the chest; longer than %(most)s mm it can "
            "reach the lung. The consent says so."
        )
        found.append(Caution(text % said, source="S97a"))
    return found


def _about_grid(area: AreaFacts) -> list[Caution]:
    """Spacing and volume per point outside what the technique is described with."""
    said = {"area": area.name, "technique": area.technique, "ml": _plain(area.ml_per_point)}
    found = []
    if area.spacing_mm and _is_outside(area.spacing_mm, area.usual_spacing_mm):
        text = _("%(area)s: %(spacing)s mm apart is outside the usual spacing of %(technique)s.")
        found.append(Caution(text % {**said, "spacing": _plain(area.spacing_mm)}))
    if area.ml_per_point and _is_outside(area.ml_per_point, area.usual_ml):
        text = _("%(area)s: %(ml)s mL per point is outside the usual volume of %(technique)s.")
        found.append(Caution(text % said))
    return found


def _about_evidence(plan: PlanFacts) -> list[Caution]:
    if not plan.negative:
        return []
    text = _("The published course that this plan follows found no benefit: %(result)s")
    return [Caution(text % {"result": plan.negative}, source=plan.negative_source)]


def _about_products(plan: PlanFacts) -> list[Caution]:
    text = _("%(product)s is not made for injection and cannot be part of a plan.")
    return [
        Caution(text % {"product": name}, blocks=True, source="S68a")
        for name in plan.not_injectable
    ]


def _about_session(plan: PlanFacts, session: SessionFacts) -> list[Caution]:
    return [
        *(remark for one in session.syringes for remark in _about_syringe(plan, session, one)),
        *_about_lidocaine(plan, session),
        *(remark for one in session.substances for remark in _about_substance(plan, one)),
    ]


def _about_syringe(plan: PlanFacts, session: SessionFacts, one: SyringeFacts) -> list[Caution]:
    where = session.label
    if len(session.syringes) > 1:
        said = {"sessions": session.label, "label": one.label}
        where = _("%(sessions)s, syringe %(label)s") % said
    return [*_about_volume(where, one.totals), *_about_pairs(plan.pairs, one.substances)]


def _about_volume(where: str, totals: Totals) -> list[Caution]:
    if totals.agree or not (totals.drawn_ml or totals.injected_ml):
        return []
    said = {
        "sessions": where,
        "drawn": _plain(totals.drawn_ml),
        "injected": _plain(totals.injected_ml),
    }
    if totals.injected_ml > totals.drawn_ml:
        text = _("%(sessions)s: the points need %(injected)s mL, but only %(drawn)s mL is drawn.")
    else:
        text = _("%(sessions)s: %(drawn)s mL is drawn, but the points take only %(injected)s mL.")
    return [Caution(text % said)]


def _about_lidocaine(plan: PlanFacts, session: SessionFacts) -> list[Caution]:
    """All of it counts, in every syringe; a numbing cream comes on top at the session."""
    total = session.amount_of(LIDOCAINE)
    if not total:
        return []
    said = {"sessions": session.label, "total": _plain(total)}
    limit = plan.lidocaine_limit(session)
    if limit is None:
        text = _(
            "%(sessions)s: %(total)s mg lidocaine; without the patient’s weight its limit is not "
            "known, and the session cannot be signed."
        )
        return [Caution(text % said, source="S73a")]
    if total <= limit:
        return []
    text = _("%(sessions)s: %(total)s mg lidocaine; at %(weight)s kg at most %(limit)s mg.")
    said |= {"limit": _plain(limit), "weight": _plain(plan.weight_kg or Decimal(0))}
    return [Caution(text % said, blocks=True, source="S73a")]


def _about_pairs(pairs: Sequence[Pair], mixed: Sequence[SubstanceFacts]) -> list[Caution]:
    """An explicit permission of two named substances outweighs a rule about anything."""
    found = []
    codes = {one.code for one in mixed}
    for one, other in combinations(mixed, 2):
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
    limits = one.limits
    points = sum(area.points for area in plan.areas if area.syringe in one.syringes)
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
    elsewhere = [
        area.name
        for area in plan.areas
        if area.code not in one.areas_only and area.syringe in one.syringes
    ]
    if not elsewhere:
        return []
    text = _(
        "%(name)s is labelled for another area than %(areas)s. This is off-label; the consent "
        "says so."
    )
    said = {"name": one.name, "areas": ", ".join(elsewhere)}
    return [Caution(text % said, source=one.source)]


def _plain(number: Decimal) -> str:
    """A figure without trailing zeros, with the language's own sign: 0.050 is 0.05, or 0,05."""
    return str(number_format(f"{number.normalize():f}", use_l10n=True))
