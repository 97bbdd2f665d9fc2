"""The catalogue's current rows as the rules that screening compares facts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import get_language

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

# `xmin` changes with whatever is written to a row, be it a version more or an approval.
STAMP = """
SELECT md5(concat(
    (SELECT string_agg(concat(c.id, ' ', c.xmin), ',' ORDER BY c.id)
     FROM treatments_contraindication c WHERE c.is_current), ' ',
    (SELECT string_agg(concat(a.id, ' ', a.xmin), ',' ORDER BY a.id)
     FROM treatments_area a WHERE a.is_current), ' ',
    (SELECT string_agg(concat(s.ref, ' ', s.xmin), ',' ORDER BY s.ref) FROM treatments_source s)
))
"""


@dataclass(frozen=True)
class Standing:
    """The rules that do not depend on what is proposed, as they read in one language. Kept by each
    process as long as the stamp of their rows is the same: half of a screening's time was theirs.
    """

    stamp: str
    conditions: Mapping[str, ConditionRule]
    places: Mapping[str, Place]


_kept: dict[str, Standing] = {}


def rules_for(proposal: Proposal) -> Rules:
    """The rules that a proposal can meet; at most eight queries."""
    matters = _matter_rows(proposal)
    cite = Citations.of([row for _, row in matters])
    standing = _standing()
    return Rules(
        conditions=standing.conditions,
        matters={f"{kind}:{row.code}": _matter(kind, row, cite) for kind, row in matters},
        places=standing.places if proposal.areas else {},
        country=_country(proposal.country),
    )


def _standing() -> Standing:
    """Read anew only when something of it has changed."""
    language = get_language() or ""
    with connection.cursor() as cursor:
        cursor.execute(STAMP)
        stamp = str(cursor.fetchone()[0])
    known = _kept.get(language)
    if known is None or known.stamp != stamp:
        rows = list(Contraindication.objects.current())
        cite = Citations.of(rows)
        conditions = {row.code: _condition(row, cite) for row in rows}
        known = _kept[language] = Standing(stamp, conditions, _places())
    return known


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
