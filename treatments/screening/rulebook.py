"""The catalogue's current rows as the rules that screening compares facts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clinic.places.models import CountryProfile
from treatments.catalogue.models import (
    Anaesthetic,
    Area,
    CatalogueRow,
    Contraindication,
    Product,
    Substance,
)
from treatments.catalogue.sources import Citations
from treatments.screening.engine import (
    Condition,
    ConditionRule,
    Country,
    MatterRule,
    Place,
    Proposal,
    Rules,
)


def rules_for(proposal: Proposal) -> Rules:
    """The rules that a proposal can meet; at most seven queries."""
    conditions = list(Contraindication.objects.current())
    matters = _matter_rows(proposal)
    cite = Citations.of([*conditions, *(row for _, row in matters)])
    return Rules(
        conditions={row.code: _condition(row, cite) for row in conditions},
        matters={f"{kind}:{row.code}": _matter(kind, row, cite) for kind, row in matters},
        places=_places() if proposal.areas else {},
        country=_country(proposal.country),
    )


def _matter_rows(proposal: Proposal) -> list[tuple[str, Any]]:
    wanted: Iterable[tuple[str, type[CatalogueRow], Any]] = (
        ("substance", Substance, proposal.substances),
        ("anaesthetic", Anaesthetic, proposal.anaesthetics),
        ("product", Product, proposal.products),
    )
    return [
        (kind, row)
        for kind, model, codes in wanted
        if codes
        for row in model._default_manager.filter(is_current=True, code__in=codes)
    ]


def _condition(row: Contraindication, cite: Citations) -> ConditionRule:
    return ConditionRule(
        code=row.code,
        version=row.version,
        title=row.name,
        level=row.level,
        kind=row.kind,
        source=cite.text(row.source_refs),
        verified=row.is_approved,
        blocks=row.blocks,
        wait_days=row.wait_days,
        only_for=row.only_for,
        since=row.created_at.date(),
        needs_reason=row.needs_reason,
        needs_doctor=row.needs_doctor,
        terms=tuple(row.terms),
        crosses=frozenset(row.crosses),
    )


def _matter(kind: str, row: Any, cite: Citations) -> MatterRule:
    """Of a substance, anaesthetic or product; what a kind does not have stays empty."""
    return MatterRule(
        kind=kind,
        code=row.code,
        version=row.version,
        title=row.name,
        source=cite.text(row.source_refs),
        verified=row.is_approved,
        caution=row.said("caution") if hasattr(row, "caution_en") else "",
        group=getattr(row, "group", ""),
        flags=frozenset(getattr(row, "flags", ())),
        allergens=frozenset(getattr(row, "allergens", ())),
        conditions=tuple(_of_condition(rule, cite) for rule in getattr(row, "rules", ())),
        areas_only=frozenset(getattr(row, "areas_only", ())),
        is_blocked=getattr(row, "is_blocked_by_default", False),
        is_toxin_or_filler=getattr(row, "is_toxin_or_filler", False),
        is_diluent=getattr(row, "is_diluent", False),
        since=row.created_at.date(),
    )


def _of_condition(rule: Mapping[str, Any], cite: Citations) -> Condition:
    return Condition(
        code=rule["condition"],
        level=rule["level"],
        source=cite.text([rule["source"]]),
        blocks=bool(rule.get("blocks")),
    )


def _places() -> dict[str, Place]:
    areas = {area.code: area for area in Area.objects.current()}
    return {
        code: Place(area.name, area.group, frozenset(_upwards(code, areas)))
        for code, area in areas.items()
    }


def _upwards(code: str, areas: Mapping[str, Area]) -> set[str]:
    """The area and all it lies in; a circle in the data ends the climb."""
    climbed: set[str] = set()
    while code and code not in climbed:
        climbed.add(code)
        code = areas[code].parent if code in areas else ""
    return climbed


def _country(code: str) -> Country:
    profile = CountryProfile.objects.filter(pk=code).first() if code else None
    if profile is None:
        return Country()
    return Country(
        adults_only_toxin_filler=profile.adults_only_toxin_filler,
        blocks_warned=profile.blocks_warned_substances,
        pharmacy_only=profile.mixing_in_pharmacy_only,
        name=profile.name,
        source=profile.source,
    )
