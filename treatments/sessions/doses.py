"""Doses of a session: what was drawn, what went in, and whether it may.

Pure: no rows, no clock. Volumes in mL, masses in mg (toxins in units), creams in g, areas in cm²,
depths in mm, times in minutes, weights in kg; every figure is a `Decimal`. No limit is written
here: each comes in with the catalogue row that carries its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from treatments.catalogue.limits import LIDOCAINE, LidocaineLimits
from treatments.mixes.contents import (
    ZERO,
    Clash,
    Component,
    Held,
    Pair,
    actives,
    by_syringe,
    clashes,
    contents,
    drawn_ml,
    holds,
    is_mixture,
)

TOXIN_GROUP = "toxin"
HAND, GUN, DEVICE = "hand", "gun", "device"
LIMPID = "limpid"
HUNDREDTH = Decimal("0.01")
THOUSANDTH = Decimal("0.001")
BALANCE_TOLERANCE_ML = Decimal("0.01")
"""Volumes are read off a syringe to the hundredth; two readings may differ by one."""
DERMAL_DEPTH_MM = Decimal(4)
"""The dermis ends at about 4 mm: dermal techniques reach it, hypodermic ones go on (S12b)."""
FACE_VOLUME_ML = Decimal(3)
"""The largest volume published for one facial session (S32a); more asks for a second look."""


class Level(Enum):
    """What a finding does to the signature."""

    REFUSE = "refuse"
    WARN = "warn"


class Rule(Enum):
    """Which check spoke; the words for each are in `words.py`."""

    WEIGHT_MISSING = "weight missing"
    LIDOCAINE_OVER = "lidocaine over the limit"
    LIDOCAINE_UNLIMITED = "no limit in the catalogue"
    CREAM_GRAMS = "cream grams"
    CREAM_AREA = "cream area"
    CREAM_TOO_LONG = "cream on too long"
    CREAM_TOO_SHORT = "cream wait short"
    CREAM_STILL_ON = "cream still on"
    CREAM_CHILD = "cream for a child"
    LOT_MISSING = "lot number missing"
    LOT_NO_EXPIRY = "lot expiry missing"
    LOT_EXPIRED = "lot expired"
    LOT_HELD_BACK = "lot held back"
    LOT_SHORT = "lot holds too little"
    NOT_INJECTABLE = "not for injection"
    NOTHING_DRAWN = "points but nothing drawn"
    MORE_THAN_DRAWN = "more injected than drawn"
    BALANCE = "drawn is not injected and discarded"
    NO_AREA = "nothing treated"
    NO_POINTS = "area without points or volume"
    SUBSTANCE_VOLUME = "substance volume"
    SUBSTANCE_POINTS = "substance points"
    SUBSTANCE_AREA = "substance area"
    SUBSTANCE_ALONE = "substance mixed"
    SUBSTANCE_COURSE = "substance sessions"
    SUBSTANCE_INTERVAL = "substance interval"
    DO_NOT_MIX = "do not mix"
    NEVER_INJECT = "never inject"
    SEVERAL_ACTIVES = "more than one active in a syringe"
    NOT_PREPARED = "syringe not prepared"
    NOT_LIMPID = "syringe not limpid"
    PHARMACY_ONLY = "mixed outside a pharmacy"
    KEPT_TOO_LONG = "syringe kept too long"
    NO_SYRINGE = "area without a syringe"
    NO_DEVICE = "device missing"
    NO_MINUTES = "minutes of the device missing"
    AVOID_MIXING = "avoid mixing"
    FACE_VOLUME = "face volume"
    DEPTH = "depth for a dermal technique"
    TOXIN_BRAND = "toxin of another brand"
    TOO_SOON = "sooner than the plan"
    PAST_THE_PLAN = "past the last session"


@dataclass(frozen=True)
class Finding:
    """One thing to say: a rule, its force, and the figures for the sentence."""

    rule: Rule
    level: Level
    figures: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def refuses(self) -> bool:
        return self.level is Level.REFUSE


@dataclass(frozen=True)
class Injection:
    """One treated area. `extra_ml` is volume not counted per point: a film, threads.

    `syringe`: the label of the one it was given from; empty where there is only one. `minutes`:
    how long a needle-free device worked.
    """

    area: str
    name: str
    points: int
    ml_per_point: Decimal
    extra_ml: Decimal = ZERO
    depth_mm: Decimal = Decimal(1)
    is_dermal: bool = True
    is_face: bool = False
    syringe: str = ""
    method: str = HAND
    device: str = ""
    minutes: Decimal | None = None

    @property
    def ml(self) -> Decimal:
        """points x mL per point, and what was given without points, in mL."""
        return self.points * self.ml_per_point + self.extra_ml


@dataclass(frozen=True)
class ChildLimit:
    """A cream's ceiling for ages [from_months, to_months), and optionally a body weight band."""

    from_months: int
    to_months: int
    max_g: Decimal | None = None
    max_cm2: Decimal | None = None
    max_minutes: int | None = None


@dataclass(frozen=True)
class Cream:
    """A numbing cream on the skin. `minutes` counts until it came off, or until now.

    `longest_is_limit`: the label forbids more; without it a longer time is only unusual.
    """

    name: str
    grams: Decimal
    area_cm2: Decimal
    minutes: int
    is_off: bool = True
    lidocaine_mg_per_g: Decimal = ZERO
    max_g: Decimal | None = None
    max_cm2: Decimal | None = None
    wait_minutes: int | None = None
    longest_minutes: int | None = None
    longest_is_limit: bool = True
    child_limits: tuple[ChildLimit, ...] = ()
    lot: str = "?"
    expires_on: date | None = date.max
    held_back: str = ""

    @property
    def lidocaine_mg(self) -> Decimal:
        """All of it counts, as the label asks: grams x mg/g."""
        return self.grams * self.lidocaine_mg_per_g


@dataclass(frozen=True)
class SubstanceRule:
    """What a label says of one substance: volumes in mL, `alone` when it may not be mixed."""

    substance: str
    name: str
    max_ml: Decimal | None = None
    max_points: int | None = None
    areas_only: tuple[str, ...] = ()
    alone: bool = False
    max_sessions: int | None = None
    min_days: int | None = None
    earlier_sessions: int = 0
    days_since_last: int | None = None


@dataclass(frozen=True)
class Brand:
    """A product by its code, and its name."""

    code: str
    name: str


@dataclass(frozen=True)
class Course:
    """Where this session stands: its number, how many are planned, days since the last."""

    number: int
    planned: int
    gap_min_days: int | None = None
    days_since_last: int | None = None


@dataclass(frozen=True)
class Amount:
    """A substance in the syringe: per mL of the mix, drawn in all, and what went in."""

    substance: str
    name: str
    unit: str
    per_ml: Decimal
    drawn: Decimal
    injected: Decimal


@dataclass(frozen=True)
class Syringe:
    """How a syringe was made up. `looks` and `until` are the words for the sentence."""

    label: str
    prepared_at: datetime | None = None
    discard_by: datetime | None = None
    pharmacy: str = ""
    appearance: str = ""
    discarded_ml: Decimal | None = None
    looks: str = ""
    until: str = ""


@dataclass(frozen=True)
class Balance:
    """What became of one syringe, in mL. `discarded` is None until it is said."""

    label: str
    drawn: Decimal
    injected: Decimal
    discarded: Decimal | None

    @property
    def left(self) -> Decimal:
        """What is still in it."""
        return self.drawn - self.injected


@dataclass(frozen=True)
class Given:
    """Everything given in one session, as the checks see it.

    `given_until`: when the last of it went in. `pharmacy_only`: the country's rule for mixtures.
    """

    on: date
    components: tuple[Component, ...] = ()
    injections: tuple[Injection, ...] = ()
    creams: tuple[Cream, ...] = ()
    discarded_ml: Decimal | None = None
    weight_kg: Decimal | None = None
    age_months: int | None = None
    limits: LidocaineLimits | None = None
    rules: tuple[SubstanceRule, ...] = ()
    pairs: tuple[Pair, ...] = ()
    course: Course = Course(1, 1)
    last_toxin: Brand | None = None
    syringes: tuple[Syringe, ...] = ()
    given_until: datetime | None = None
    pharmacy_only: bool = False
    country: str = ""


def show(value: Decimal) -> str:
    """A figure for the screen: at most two decimals, no trailing zeros."""
    text = f"{value.quantize(HUNDREDTH, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def kept(value: Decimal) -> str:
    """A figure for the record: three decimals, or two digits where that would be coarser.

    Volumes are entered to the thousandth of a mL, so none is rounded; 0.005 mg of epinephrine
    stays 0.005 mg.
    """
    step = THOUSANDTH
    if value and abs(value) < HUNDREDTH:
        step = Decimal(1).scaleb(value.adjusted() - 1)
    text = f"{value.quantize(step, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def injected_ml(injections: Iterable[Injection]) -> Decimal:
    """mL that went into the patient over all areas."""
    return sum((i.ml for i in injections), ZERO)


def share_injected(drawn: Decimal, injected: Decimal) -> Decimal:
    """The share of a syringe that went in, 0 to 1. A syringe is taken to be evenly mixed."""
    return min(injected / drawn, Decimal(1)) if drawn > 0 else ZERO


def labels_of(components: Iterable[Component]) -> list[str]:
    """The syringes that were filled, by their labels."""
    return list(by_syringe(components))


def from_syringe(
    label: str, injections: Iterable[Injection], labels: Sequence[str]
) -> list[Injection]:
    """What was given from one syringe; what names none came from the only one."""
    only = labels[0] if len(labels) == 1 else ""
    return [i for i in injections if (i.syringe or only) == label]


def amounts(components: Sequence[Component], injections: Sequence[Injection]) -> list[Amount]:
    """Each substance in mg or units, over all syringes.

    mL drawn x strength, times the share of its syringe that went in; `per_ml` through the volume
    of the syringes that hold it.
    """
    filled = by_syringe(components)
    found: dict[tuple[str, str], Amount] = {}
    volume: dict[tuple[str, str], Decimal] = {}
    for label, parts in filled.items():
        drawn = drawn_ml(parts)
        share = share_injected(drawn, injected_ml(from_syringe(label, injections, list(filled))))
        for held in contents(parts):
            key = (held.substance, held.unit)
            volume[key] = volume.get(key, ZERO) + drawn
            found[key] = _added(found.get(key), held, held.mass * share, volume[key])
    return list(found.values())


def _added(before: Amount | None, held: Held, injected: Decimal, volume: Decimal) -> Amount:
    drawn = held.mass + (before.drawn if before else ZERO)
    injected += before.injected if before else ZERO
    return Amount(held.substance, held.name, held.unit, drawn / volume, drawn, injected)


def lidocaine_injected_mg(
    components: Sequence[Component], injections: Sequence[Injection]
) -> Decimal:
    """mg of lidocaine that went in by needle."""
    given = amounts(components, injections)
    return sum((a.injected for a in given if a.substance == LIDOCAINE), ZERO)


def lidocaine_total_mg(given: Given) -> Decimal:
    """mg of lidocaine from every route: injected, and all of the cream (label, S73a)."""
    topical = sum((c.lidocaine_mg for c in given.creams), ZERO)
    return lidocaine_injected_mg(given.components, given.injections) + topical


def lidocaine_limit_mg(given: Given) -> Decimal | None:
    """The limit in mg that holds here; None without weight or figures.

    The higher limit is for solutions with epinephrine. As soon as one source is plain, a cream
    included, the lower one holds: the label gives no figure for the two together.
    """
    if given.limits is None or given.weight_kg is None or given.weight_kg <= 0:
        return None
    limit = given.limits.with_epinephrine if _all_with_epinephrine(given) else given.limits.plain
    return limit.for_weight(given.weight_kg)


def _all_with_epinephrine(given: Given) -> bool:
    injected = [c for c in given.components if holds(c, LIDOCAINE)]
    plain_cream = any(c.lidocaine_mg > 0 for c in given.creams)
    return bool(injected) and not plain_cream and all(c.has_epinephrine for c in injected)


def check(given: Given) -> list[Finding]:
    """Everything the checks have to say, refusals first."""
    said = [
        *check_lidocaine(given),
        *check_creams(given.creams, given.age_months),
        *(f for cream in given.creams for f in check_cream_lot(cream, given.on)),
        *(f for component in _by_lot(given.components) for f in check_lot(component, given.on)),
        *check_mix(given.components, given.pairs),
        *check_syringes(given),
        *(f for rule in given.rules for f in check_substance(rule, given)),
        *check_balance(given),
        *(f for injection in given.injections for f in check_injection(injection)),
        *check_face(given.injections),
        *check_brand(given.components, given.last_toxin),
        *check_course(given.course),
    ]
    return sorted(said, key=lambda finding: not finding.refuses)


def check_lidocaine(given: Given) -> list[Finding]:
    """The sum of all routes against the limit for the weight; no weight, no lidocaine."""
    total = lidocaine_total_mg(given)
    if total <= 0:
        return []
    if given.weight_kg is None or given.weight_kg <= 0:
        return [_refuse(Rule.WEIGHT_MISSING, total=show(total))]
    limit = lidocaine_limit_mg(given)
    if limit is None:
        return [_refuse(Rule.LIDOCAINE_UNLIMITED)]
    if total <= limit:
        return []
    figures = {"total": show(total), "limit": show(limit), "weight": show(given.weight_kg)}
    return [_refuse(Rule.LIDOCAINE_OVER, **figures)]


def check_creams(creams: Sequence[Cream], age_months: int | None) -> list[Finding]:
    """Each cream against its label (S74a): time on the skin, then grams and cm² of all its places.

    The label's ceilings are for the person, so two places of one cream are added up.
    """
    timed = [finding for cream in creams for finding in _check_time(cream)]
    summed = [f for cream in _added_up(creams) for f in _check_amount(cream, age_months)]
    return timed + summed


def _added_up(creams: Iterable[Cream]) -> list[Cream]:
    """Each cream once: g and cm² of all its places, and the longest time in minutes."""
    whole: dict[str, Cream] = {}
    for cream in creams:
        so_far = whole.get(cream.name)
        whole[cream.name] = cream if so_far is None else _both(so_far, cream)
    return list(whole.values())


def _both(one: Cream, other: Cream) -> Cream:
    return replace(
        one,
        grams=one.grams + other.grams,
        area_cm2=one.area_cm2 + other.area_cm2,
        minutes=max(one.minutes, other.minutes),
    )


def _check_time(cream: Cream) -> list[Finding]:
    found = []
    if cream.longest_minutes is not None and cream.minutes > cream.longest_minutes:
        level = Level.REFUSE if cream.longest_is_limit else Level.WARN
        figures = {"got": str(cream.minutes), "limit": str(cream.longest_minutes)}
        found.append(Finding(Rule.CREAM_TOO_LONG, level, {"name": cream.name, **figures}))
    if cream.wait_minutes is not None and cream.minutes < cream.wait_minutes:
        figures = {"got": str(cream.minutes), "limit": str(cream.wait_minutes)}
        found.append(Finding(Rule.CREAM_TOO_SHORT, Level.WARN, {"name": cream.name, **figures}))
    if not cream.is_off:
        found.append(Finding(Rule.CREAM_STILL_ON, Level.WARN, {"name": cream.name}))
    return found


def _check_amount(cream: Cream, age_months: int | None) -> list[Finding]:
    found = []
    if cream.max_g is not None and cream.grams > cream.max_g:
        found.append(_cream(Rule.CREAM_GRAMS, cream, cream.grams, cream.max_g))
    if cream.max_cm2 is not None and cream.area_cm2 > cream.max_cm2:
        found.append(_cream(Rule.CREAM_AREA, cream, cream.area_cm2, cream.max_cm2))
    return found + _check_child(cream, age_months)


def _check_child(cream: Cream, age_months: int | None) -> list[Finding]:
    if age_months is None:
        return []
    found = []
    for limit in cream.child_limits:
        if not limit.from_months <= age_months < limit.to_months:
            continue
        pairs = (
            (cream.grams, limit.max_g, "g"),
            (cream.area_cm2, limit.max_cm2, "cm²"),
            (
                Decimal(cream.minutes),
                None if limit.max_minutes is None else Decimal(limit.max_minutes),
                "min",
            ),
        )
        found += [
            _refuse(Rule.CREAM_CHILD, name=cream.name, got=show(got), limit=show(most), unit=unit)
            for got, most, unit in pairs
            if most is not None and got > most
        ]
    return found


def _by_lot(components: Iterable[Component]) -> list[Component]:
    """Each lot once, with what was drawn from it into all syringes."""
    found: dict[tuple[str, str], Component] = {}
    for c in components:
        key = (c.code or c.name, c.lot)
        before = found.get(key)
        found[key] = replace(c, ml=c.ml + before.ml) if before else c
    return list(found.values())


def check_lot(component: Component, on: date) -> list[Finding]:
    """A lot must have a number and a date, be in date on that day, be released, and be enough."""
    found = _check_batch(
        component.name, component.lot, component.expires_on, component.held_back, on
    )
    if component.on_shelf_ml is not None and component.ml > component.on_shelf_ml:
        figures = {"got": show(component.ml), "limit": show(component.on_shelf_ml)}
        found.append(_refuse(Rule.LOT_SHORT, name=component.name, lot=component.lot, **figures))
    if not component.is_injectable:
        found.append(_refuse(Rule.NOT_INJECTABLE, name=component.name))
    return found


def check_cream_lot(cream: Cream, on: date) -> list[Finding]:
    """The same for the tube of a numbing cream."""
    return _check_batch(cream.name, cream.lot, cream.expires_on, cream.held_back, on)


def _check_batch(
    name: str, lot: str, expires_on: date | None, held_back: str, on: date
) -> list[Finding]:
    found = []
    if not lot.strip():
        found.append(_refuse(Rule.LOT_MISSING, name=name))
    elif expires_on is None:
        found.append(_refuse(Rule.LOT_NO_EXPIRY, name=name, lot=lot))
    elif expires_on < on:
        said = expires_on.isoformat()
        found.append(_refuse(Rule.LOT_EXPIRED, name=name, lot=lot, date=said))
    if held_back:
        found.append(_refuse(Rule.LOT_HELD_BACK, name=name, lot=lot, state=held_back))
    return found


def check_mix(components: Sequence[Component], pairs: Iterable[Pair]) -> list[Finding]:
    """What is in one syringe against the catalogue's pairs, syringe by syringe."""
    rules = list(pairs)
    filled = by_syringe(components)
    return [
        _clash(clash, _named(label, filled))
        for label, parts in filled.items()
        for clash in clashes(parts, rules)
    ]


def _clash(clash: Clash, syringe: dict[str, str]) -> Finding:
    pair = clash.pair
    level = Level.REFUSE if pair.refuses else Level.WARN
    rule = Rule.DO_NOT_MIX if pair.refuses else Rule.AVOID_MIXING
    if not clash.second:
        rule = Rule.SEVERAL_ACTIVES if pair.is_about_actives else Rule.NEVER_INJECT
    figures = {"first": clash.first, "second": clash.second, "effect": pair.effect}
    return Finding(rule, level, {**figures, **syringe})


def _named(label: str, among: Sized) -> dict[str, str]:
    """The syringe's label for the sentence, where there is more than one to mean."""
    return {"syringe": label} if len(among) > 1 else {}


def check_substance(rule: SubstanceRule, given: Given) -> list[Finding]:
    """One substance against its own label; silent when no syringe holds it.

    Only what was given from the syringes that hold it counts.
    """
    filled = by_syringe(given.components)
    holding = [name for name, c in filled.items() if any(holds(one, rule.substance) for one in c)]
    if not holding:
        return []
    own = [i for n in holding for i in from_syringe(n, given.injections, list(filled))]
    points = sum(i.points for i in own)
    volume = injected_ml(own)
    found = []
    if rule.max_ml is not None and volume > rule.max_ml:
        found.append(_rule(Rule.SUBSTANCE_VOLUME, rule, show(volume), show(rule.max_ml)))
    if rule.max_points is not None and points > rule.max_points:
        found.append(_rule(Rule.SUBSTANCE_POINTS, rule, str(points), str(rule.max_points)))
    outside = [i.name for i in own if i.area not in rule.areas_only]
    if rule.areas_only and outside:
        found.append(_rule(Rule.SUBSTANCE_AREA, rule, ", ".join(outside), ""))
    beside = [c for n in holding for c in filled[n] if not holds(c, rule.substance)]
    if rule.alone and beside:
        found.append(_rule(Rule.SUBSTANCE_ALONE, rule, "", ""))
    return found + _check_history(rule)


def _check_history(rule: SubstanceRule) -> list[Finding]:
    found = []
    if rule.max_sessions is not None and rule.earlier_sessions >= rule.max_sessions:
        number = str(rule.earlier_sessions + 1)
        found.append(_rule(Rule.SUBSTANCE_COURSE, rule, number, str(rule.max_sessions)))
    days, least = rule.days_since_last, rule.min_days
    if days is not None and least is not None and days < least:
        found.append(_rule(Rule.SUBSTANCE_INTERVAL, rule, str(days), str(least)))
    return found


def check_balance(given: Given) -> list[Finding]:
    """Mass balance of every syringe: drawn = injected + discarded, to 0.01 mL.

    Never more is injected than drawn, and with several syringes each area names its own.
    """
    if not given.injections:
        return [_refuse(Rule.NO_AREA)]
    filled = by_syringe(given.components)
    if not filled:
        injected = injected_ml(given.injections)
        return [_refuse(Rule.NOTHING_DRAWN, got=show(injected))] if injected > 0 else []
    strange = [i for i in given.injections if i.ml > 0 and _source(i, list(filled)) not in filled]
    return [
        *(_refuse(Rule.NO_SYRINGE, name=i.name) for i in strange),
        *(f for label in filled for f in _check_one_balance(label, given)),
    ]


def _source(injection: Injection, labels: Sequence[str]) -> str:
    return injection.syringe or (labels[0] if len(labels) == 1 else "")


def _check_one_balance(label: str, given: Given) -> list[Finding]:
    figures = balance_of(label, given)
    syringe = _named(label, labels_of(given.components))
    drawn, injected, thrown = figures.drawn, figures.injected, figures.discarded or ZERO
    if injected > drawn + BALANCE_TOLERANCE_ML:
        said = {"got": show(injected), "limit": show(drawn)}
        return [_refuse(Rule.MORE_THAN_DRAWN, **said, **syringe)]
    if abs(drawn - injected - thrown) > BALANCE_TOLERANCE_ML:
        said = {"drawn": show(drawn), "injected": show(injected), "discarded": show(thrown)}
        return [_refuse(Rule.BALANCE, **said, **syringe, left=show(figures.left))]
    return []


def balance_of(label: str, given: Given) -> Balance:
    """What became of one syringe, in mL."""
    filled = by_syringe(given.components)
    known = {one.label: one for one in given.syringes}
    said = known[label].discarded_ml if label in known else None
    if said is None and len(filled) == 1:
        said = given.discarded_ml
    return Balance(
        label=label,
        drawn=drawn_ml(filled.get(label, ())),
        injected=injected_ml(from_syringe(label, given.injections, list(filled))),
        discarded=said,
    )


def check_syringes(given: Given) -> list[Finding]:
    """Each syringe as it was made up: when, where, how it looks, and whether it still keeps."""
    filled = by_syringe(given.components)
    return [
        found
        for one in given.syringes
        if one.label in filled
        for found in _check_syringe(one, filled[one.label], given, _named(one.label, filled))
    ]


def _check_syringe(
    one: Syringe, parts: Sequence[Component], given: Given, syringe: dict[str, str]
) -> list[Finding]:
    found = []
    if one.prepared_at is None:
        found.append(_refuse(Rule.NOT_PREPARED, **syringe))
    if one.appearance not in ("", LIMPID):
        found.append(_refuse(Rule.NOT_LIMPID, looks=one.looks, **syringe))
    if given.pharmacy_only and is_mixture(parts) and not one.pharmacy.strip():
        names = ", ".join(actives(parts))
        found.append(_refuse(Rule.PHARMACY_ONLY, country=given.country, names=names, **syringe))
    if one.discard_by and given.given_until and given.given_until > one.discard_by:
        found.append(_refuse(Rule.KEPT_TOO_LONG, until=one.until, **syringe))
    return found


def check_injection(injection: Injection) -> list[Finding]:
    """One area: something was done there, and a dermal technique stayed in the dermis."""
    found = [*_check_device(injection)]
    by_device = injection.method == DEVICE
    if not by_device and injection.points <= 0 and injection.extra_ml <= 0:
        found.append(_refuse(Rule.NO_POINTS, name=injection.name))
    if injection.is_dermal and injection.depth_mm > DERMAL_DEPTH_MM:
        figures = {"got": show(injection.depth_mm), "limit": show(DERMAL_DEPTH_MM)}
        found.append(Finding(Rule.DEPTH, Level.WARN, {"name": injection.name, **figures}))
    return found


def _check_device(injection: Injection) -> list[Finding]:
    """A gun or device is known by its serial number; a needle-free one by its minutes too."""
    found = []
    if injection.method != HAND and not injection.device:
        found.append(_refuse(Rule.NO_DEVICE, name=injection.name))
    if injection.method == DEVICE and not injection.minutes:
        found.append(_refuse(Rule.NO_MINUTES, name=injection.name))
    return found


def check_face(injections: Iterable[Injection]) -> list[Finding]:
    """More than 3 mL in one face asks for a second look."""
    face = injected_ml(i for i in injections if i.is_face)
    if face <= FACE_VOLUME_ML:
        return []
    return [
        Finding(Rule.FACE_VOLUME, Level.WARN, {"got": show(face), "limit": show(FACE_VOLUME_ML)})
    ]


def check_brand(components: Iterable[Component], last: Brand | None) -> list[Finding]:
    """A toxin of another brand than last time: units do not convert (label, S57a)."""
    return [
        Finding(Rule.TOXIN_BRAND, Level.WARN, {"name": c.name, "before": last.name})
        for c in components
        if last is not None and c.code != last.code
        if any(s.group == TOXIN_GROUP for s in c.strengths)
    ]


def check_course(course: Course) -> list[Finding]:
    """Sooner than the plan's phase, or past its last session: both only warn."""
    found = []
    if course.number > course.planned:
        figures = {"got": str(course.number), "limit": str(course.planned)}
        found.append(Finding(Rule.PAST_THE_PLAN, Level.WARN, figures))
    days, least = course.days_since_last, course.gap_min_days
    if days is not None and least is not None and days < least:
        figures = {"got": str(days), "limit": str(least)}
        found.append(Finding(Rule.TOO_SOON, Level.WARN, figures))
    return found


def _refuse(rule: Rule, **figures: str) -> Finding:
    return Finding(rule, Level.REFUSE, figures)


def _cream(rule: Rule, cream: Cream, got: Decimal, limit: Decimal) -> Finding:
    return _refuse(rule, name=cream.name, got=show(got), limit=show(limit))


def _rule(rule: Rule, of: SubstanceRule, got: str, limit: str) -> Finding:
    return _refuse(rule, name=of.name, got=got, limit=limit)
