"""References such as `S59a` as a person can read them: the citation and its tier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise

from treatments.catalogue.models import CatalogueRow, Source

TIERS = ("a", "b", "c")


def source_key(ref: str) -> str:
    """`S59a` -> `S59`: the letter is the tier of that reference, not part of its name."""
    return ref[:-1] if ref[:1] == "S" and ref[-1:] in TIERS and ref[1:2].isdigit() else ref


def tier_of(ref: str) -> Source.Tier:
    """How much weight a reference has, by its letter."""
    if ref.startswith("SEED"):
        return Source.Tier.SEED
    return Source.Tier(ref[-1]) if ref != source_key(ref) else Source.Tier.NONE


@dataclass(frozen=True)
class Reference:
    """A reference resolved."""

    ref: str
    citation: str
    tier: str | Promise


@dataclass(frozen=True)
class Citations:
    """The citations of some rows, read in one query."""

    known: Mapping[str, str]

    @classmethod
    def of(cls, rows: Iterable[CatalogueRow]) -> Citations:
        """Those that the rows name, the conditions of substances included."""
        refs = {ref for row in rows for ref in refs_of(row)}
        keys = {source_key(ref) for ref in refs}
        found = Source.objects.filter(ref__in=keys).values_list("ref", "citation")
        return cls(dict(found))

    def resolve(self, refs: Iterable[str]) -> list[Reference]:
        """Each reference with its citation and the word for its tier."""
        return [
            Reference(ref, self.known.get(source_key(ref), ref), tier_of(ref).label) for ref in refs
        ]

    def text(self, refs: Iterable[str]) -> str:
        """On one line: `S59a KYBELLA label …; S57a …`."""
        return "; ".join(
            one.citation if one.ref == "GK" else f"{one.ref} {one.citation}"
            for one in self.resolve(refs)
        )


def refs_of(row: CatalogueRow) -> list[str]:
    """The row's own references and those of its conditions."""
    return [*row.source_refs, *(rule["source"] for rule in getattr(row, "rules", ()))]
