"""From a plan, stored or still being typed, to the plain facts that its rules look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any
from typing import Protocol as Shape

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.places.models import CountryProfile
from patients.intake.facts import latest_history
from patients.registry.models import Patient
from treatments.catalogue.lidocaine import limits_in_force
from treatments.catalogue.limits import LIDOCAINE
from treatments.catalogue.models import (
    Area,
    Flag,
    Incompatibility,
    Product,
    Substance,
    Technique,
)
from treatments.catalogue.models import Protocol as PublishedCourse
from treatments.plans.cautions import (
    AreaFacts,
    Limits,
    Pair,
    PlanFacts,
    SessionFacts,
    SubstanceFacts,
    SyringeFacts,
)
from treatments.plans.course import Stretch, shares_of, total
from treatments.plans.models import Plan, Side
from treatments.plans.totals import Drawn, Given, Strength, Totals, session_totals

FACE_GROUPS = ("face", "eyes", "lips")


class AreaPart(Shape):
    """A planned area, as a row or as a spec."""

    @property
    def area(self) -> Area: ...
    @property
    def technique(self) -> Technique: ...
    @property
    def depth_mm(self) -> Decimal: ...
    @property
    def points(self) -> int: ...
    @property
    def ml_per_point(self) -> Decimal: ...
    @property
    def side(self) -> str: ...
    @property
    def spacing_mm(self) -> Decimal | None: ...
    @property
    def needle_mm(self) -> Decimal | None: ...
    @property
    def syringe(self) -> str: ...


class MixPart(Shape):
    """A line of the mix, as a row or as a spec."""

    @property
    def from_session(self) -> int: ...
    @property
    def to_session(self) -> int | None: ...
    @property
    def product(self) -> Product: ...
    @property
    def ml(self) -> Decimal: ...
    @property
    def syringe(self) -> str: ...


def plan_facts(plan: Plan) -> PlanFacts:
    """The facts of a stored plan, in a number of queries that does not grow with its rows."""
    return facts_of(
        areas=list(plan.areas.select_related("area", "technique")),
        mix=list(
            plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
        ),
        phases=list(plan.phases.all()),
        country=plan.location.country,
        patient=plan.patient,
        protocol=plan.protocol,
    )


def facts_of(
    *,
    areas: Sequence[AreaPart],
    mix: Sequence[MixPart],
    phases: Sequence[Stretch],
    country: CountryProfile,
    patient: Patient,
    protocol: PublishedCourse | None = None,
) -> PlanFacts:
    """The same for parts that are not stored yet."""
    made_of = {i.substance.code for line in mix for i in line.product.ingredients.all()}
    substances = Substance.objects.in_force(made_of)
    return PlanFacts(
        areas=[_area(part) for part in areas],
        sessions=_sessions(areas, mix, total(phases), substances),
        pairs=_pairs(),
        blocks_warned=country.blocks_warned_substances,
        country=country.name,
        count=total(phases),
        shortest_gap_days=min((phase.gap_min_days for phase in phases), default=None)
        if total(phases) > 1
        else None,
        not_injectable=[
            part.product.name for part in mix if Flag.NOT_INJECTABLE in part.product.flags
        ],
        negative=protocol.said("result") if protocol and protocol.is_negative else "",
        negative_source=", ".join(protocol.source_refs) if protocol else "",
        **(_lidocaine(patient) if LIDOCAINE in made_of else {}),
    )


def _lidocaine(patient: Patient) -> dict[str, Any]:
    """The weight that the newest history gives, and the most lidocaine for it."""
    history, limits = latest_history(patient), limits_in_force()
    weight = history.weight_kg if history else None
    if not weight or limits is None:
        return {}
    most = limits.plain.for_weight(weight), limits.with_epinephrine.for_weight(weight)
    return {"weight_kg": weight, "lidocaine": most}


def _area(part: AreaPart) -> AreaFacts:
    return AreaFacts(
        code=part.area.code,
        name=part.area.name,
        is_face=is_face(part.area),
        technique=part.technique.name,
        is_dermal=part.technique.is_dermal,
        depth_mm=part.depth_mm,
        points=part.points,
        ml_per_point=part.ml_per_point,
        usual_depth_mm=(part.technique.depth_min_mm, part.technique.depth_max_mm),
        spacing_mm=part.spacing_mm,
        usual_spacing_mm=(part.technique.spacing_min_mm, part.technique.spacing_max_mm),
        usual_ml=(part.technique.volume_min_ml, part.technique.volume_max_ml),
        needle_mm=part.needle_mm,
        over_thorax=part.area.thorax_risk,
        cm2=_cm2(part),
        syringe=part.syringe,
    )


def _cm2(part: AreaPart) -> Decimal | None:
    """The usual size; a sided area's is that of one side."""
    size: Decimal | None = part.area.typical_cm2
    return size * 2 if size is not None and part.side == Side.BOTH else size


def is_face(area: Area) -> bool:
    """Whether an area counts towards the face's volume; eyes and lips are part of it."""
    return area.group in FACE_GROUPS


def _sessions(
    areas: Sequence[AreaPart],
    mix: Sequence[MixPart],
    count: int,
    in_force: Mapping[str, Substance],
) -> tuple[SessionFacts, ...]:
    """Sessions in a row with the same mix are one entry: sessions 1 to 2, sessions 3 to 5."""
    numbered = [(number, shares_of(mix, number)) for number in range(1, count + 1)]
    found = []
    for _key, stretch in groupby(numbered, key=lambda pair: [id(line) for line in pair[1]]):
        numbers_and_lines = list(stretch)
        lines = numbers_and_lines[0][1]
        found.append(
            SessionFacts(
                label=_label(numbers_and_lines[0][0], numbers_and_lines[-1][0]),
                totals=_totals(lines, areas),
                substances=_substances(lines, in_force),
                syringes=_syringes(lines, areas, in_force),
                with_epinephrine=_with_epinephrine(lines),
            )
        )
    return tuple(found)


def _totals(lines: Sequence[MixPart], areas: Sequence[AreaPart]) -> Totals:
    given = [Given(part.points, part.ml_per_point) for part in areas]
    return session_totals([_drawn(line) for line in lines], given)


def _syringes(
    lines: Sequence[MixPart], areas: Sequence[AreaPart], in_force: Mapping[str, Substance]
) -> tuple[SyringeFacts, ...]:
    """Each syringe that is filled or injected from, by its letter."""
    labels = {line.syringe for line in lines} | {part.syringe for part in areas}
    found = []
    for label in sorted(labels):
        own = [line for line in lines if line.syringe == label]
        injected = [part for part in areas if part.syringe == label]
        found.append(SyringeFacts(label, _totals(own, injected), _substances(own, in_force)))
    return tuple(found)


def _with_epinephrine(lines: Sequence[MixPart]) -> bool:
    """Whether all of the lidocaine comes with epinephrine, as the higher limit asks."""
    holding = [
        line
        for line in lines
        if any(part.substance.code == LIDOCAINE for part in line.product.ingredients.all())
    ]
    return bool(holding) and all(line.product.has_epinephrine for line in holding)


def _label(first: int, last: int) -> str:
    text = ngettext("Session %(first)s", "Sessions %(first)s to %(last)s", last - first + 1)
    return text % {"first": first, "last": last}


def _drawn(line: MixPart) -> Drawn:
    return Drawn(
        product=line.product.name,
        ml=line.ml,
        strengths=tuple(
            Strength(part.substance.code, part.substance.name, part.per_ml, part.unit)
            for part in line.product.ingredients.all()
        ),
    )


def _substances(
    lines: Sequence[MixPart], in_force: Mapping[str, Substance]
) -> tuple[SubstanceFacts, ...]:
    """Each substance once, with the marks and limits that the catalogue gives it now."""
    found: dict[str, SubstanceFacts] = {}
    for line in lines:
        for part in line.product.ingredients.all():
            one = in_force.get(part.substance.code, part.substance)
            before = found.get(one.code)
            flags = frozenset(one.flags) | (before.flags if before else frozenset())
            found[one.code] = SubstanceFacts(
                code=one.code,
                name=one.name,
                group=one.group,
                ml=line.ml + (before.ml if before else Decimal(0)),
                flags=flags,
                limits=_limits(one.limits),
                areas_only=tuple(one.areas_only),
                is_blocked=one.is_blocked_by_default,
                source=", ".join(one.source_refs) or _("general knowledge, unverified"),
                syringes=frozenset({line.syringe}) | (before.syringes if before else frozenset()),
            )
    return tuple(found.values())


def _limits(label: dict[str, Any]) -> Limits:
    most_ml = label.get("max_ml")
    return Limits(
        max_ml=Decimal(str(most_ml)) if most_ml is not None else None,
        max_points=_whole(label.get("max_points")),
        max_sessions=_whole(label.get("max_sessions")),
        min_gap_days=_whole(label.get("min_gap_days")),
    )


def _whole(value: object) -> int | None:
    """A count, also where a clinic has written it as text."""
    return None if value is None else int(Decimal(str(value)))


def _pairs() -> tuple[Pair, ...]:
    return tuple(
        Pair(
            first=row.first,
            second=row.second,
            level=row.level,
            effect=row.said("effect"),
            source=", ".join(row.source_refs),
            only_with=frozenset(row.only_with),
            unless=frozenset(row.unless),
        )
        for row in Incompatibility.objects.current()
    )
