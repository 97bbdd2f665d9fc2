"""What a syringe holds, and whether its parts go together.

Pure: no rows, no clock. Volumes in mL, masses in mg (toxins in units); every figure is a
`Decimal`. No limit is written here: each comes in with the catalogue row that carries its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from treatments.catalogue.limits import EPINEPHRINE

ANYTHING = "*"
ACTIVE = "active"
GROUP = "group:"
FIRST = "A"
ZERO = Decimal(0)
LAST_MINUTE = time(23, 59)


@dataclass(frozen=True)
class Strength:
    """A substance in a product: `per_ml` mg (or units) in one mL."""

    substance: str
    name: str
    per_ml: Decimal
    unit: str = "mg"
    group: str = ""


@dataclass(frozen=True)
class Component:
    """What was drawn from one lot into a syringe. `held_back`: the word for it, where it is."""

    name: str
    ml: Decimal
    strengths: tuple[Strength, ...] = ()
    has_epinephrine: bool = False
    is_injectable: bool = True
    lot: str = "?"
    expires_on: date | None = None
    held_back: str = ""
    on_shelf_ml: Decimal | None = None
    code: str = ""
    syringe: str = FIRST
    is_diluent: bool = False
    in_use_hours: int | None = None


@dataclass(frozen=True)
class Pair:
    """Two that do not go into one syringe: codes, `group:<group>`, or `*` for anything else.

    A group together with `*` may not be injected at all, alone or mixed. `active` with `active`
    is more than one active substance, whichever they are. A pair counts only together with all of
    `only_with`, and not together with any of `unless`.
    """

    first: str
    second: str
    refuses: bool
    effect: str
    only_with: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    @property
    def is_about_actives(self) -> bool:
        return self.first == self.second == ACTIVE

    @property
    def bans_a_group(self) -> bool:
        return self.second == ANYTHING and self.first.startswith(GROUP)


@dataclass(frozen=True)
class Clash:
    """A pair that was met. `second` is empty where `first` may not be injected at all."""

    pair: Pair
    first: str
    second: str


@dataclass(frozen=True)
class Held:
    """A substance in a syringe: in all, and in one mL of it, in `unit`."""

    substance: str
    name: str
    unit: str
    mass: Decimal
    per_ml: Decimal


def drawn_ml(components: Iterable[Component]) -> Decimal:
    """mL in the syringe: the sum of what was drawn from every lot."""
    return sum((c.ml for c in components), ZERO)


def by_syringe(components: Iterable[Component]) -> dict[str, tuple[Component, ...]]:
    """The components of each syringe, by its label, in the order of the labels."""
    found: dict[str, list[Component]] = {}
    for component in components:
        found.setdefault(component.syringe, []).append(component)
    return {label: tuple(found[label]) for label in sorted(found)}


def contents(components: Sequence[Component]) -> list[Held]:
    """Each substance of one syringe: mL drawn x strength, and that through the whole volume."""
    total = drawn_ml(components)
    mass: dict[tuple[str, str], Decimal] = {}
    names: dict[str, str] = {}
    for component in components:
        for s in component.strengths:
            key = (s.substance, s.unit)
            mass[key] = mass.get(key, ZERO) + component.ml * s.per_ml
            names[s.substance] = s.name
    return [
        Held(code, names[code], unit, found, found / total)
        for (code, unit), found in mass.items()
        if total > 0
    ]


def actives(components: Iterable[Component]) -> list[str]:
    """The products of a syringe that act, each once: what only dilutes does not.

    A product that its maker made of several substances is one.
    """
    found = {c.code or c.name: c.name for c in components if not c.is_diluent}
    return list(found.values())


def is_mixture(components: Iterable[Component]) -> bool:
    """Whether two products or more were put together; a diluent does not make a mixture."""
    return len(actives(components)) > 1


def discard_by(prepared_at: datetime, components: Iterable[Component], zone: tzinfo) -> datetime:
    """Until when a syringe prepared then may be given.

    To the last minute of its day on the location's clock, as it was made for one session; sooner
    where a product's life in use ends sooner, in hours from `prepared_at`.
    """
    parts = list(components)
    day = prepared_at.astimezone(zone).date()
    ends = [datetime.combine(day, LAST_MINUTE, tzinfo=zone)]
    ends += [
        prepared_at + timedelta(hours=c.in_use_hours) for c in parts if c.in_use_hours is not None
    ]
    return min(ends)


def clashes(components: Sequence[Component], pairs: Iterable[Pair]) -> list[Clash]:
    """The pairs that the components of one syringe meet."""
    found = (_clash(components, pair) for pair in pairs)
    return [clash for clash in found if clash is not None]


def holds(component: Component, substance: str) -> bool:
    """Whether a component has a substance in it."""
    return any(s.substance == substance for s in component.strengths)


def _clash(components: Sequence[Component], pair: Pair) -> Clash | None:
    held = {s.substance for c in components for s in c.strengths}
    if not held.issuperset(pair.only_with) or held.intersection(pair.unless):
        return None
    if pair.is_about_actives:
        names = actives(components)
        return Clash(pair, ", ".join(names), "") if len(names) > 1 else None
    if pair.bans_a_group:
        return next(
            (Clash(pair, s.name, "") for c in components for s in _matching(c, pair.first)), None
        )
    return _met(components, pair)


def _met(components: Sequence[Component], pair: Pair) -> Clash | None:
    one, other = (pair.second, pair.first) if pair.first == ANYTHING else (pair.first, pair.second)
    for component in components:
        for first in _matching(component, one):
            second = _partner(components, first, other)
            if second:
                return Clash(pair, first.name, second)
    return None


def _partner(components: Sequence[Component], first: Strength, code: str) -> str:
    """The name of what clashes with `first`: another substance, or for `*` another component."""
    for component in components:
        if code == ANYTHING and not holds(component, first.substance):
            return component.name
        for second in _matching(component, code):
            if second.substance != first.substance:
                return second.name
    return ""


def _matching(component: Component, code: str) -> list[Strength]:
    own = list(component.strengths)
    if component.has_epinephrine and not holds(component, EPINEPHRINE):
        own.append(Strength(EPINEPHRINE, component.name, ZERO, group="vasoconstrictor"))
    if code.startswith(GROUP):
        return [s for s in own if s.group == code.removeprefix(GROUP)]
    return [s for s in own if s.substance == code]
