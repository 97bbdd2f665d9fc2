"""Bringing the shipped rows into the database without touching a clinic's own edits.

Each shipped row is known by a hash of its content. The newest shipped version of a code with the
same hash means that there is nothing to do; otherwise the row becomes a new version, in force at
once unless the version in force is the clinic's own, or the clinic has taken the row out of use.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from clinic.places.models import CountryProfile
from treatments.catalogue.kinds import KINDS, Kind
from treatments.catalogue.models import CatalogueRow, Ingredient, Product, Source, Substance
from treatments.catalogue.sources import refs_of, source_key

DATA = Path(__file__).parent / "data"
LOCK = 7_305_221
"""Advisory lock number: two servers starting at once load one after the other."""

Shipped = dict[str, Any]


@dataclass
class Report:
    """What a load did. Each list holds `kind/code`."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def changes(self) -> int:
        """How many rows were written."""
        return len(self.created) + len(self.updated) + len(self.held_back)


class CatalogueError(Exception):
    """A shipped file is wrong; the message names the file and the row."""


def read(slug: str, folder: Path = DATA) -> list[Shipped]:
    """The rows of a data file; none where the file is not there."""
    path = folder / f"{slug}.json"
    rows: list[Shipped] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return [_area(row) for row in rows] if slug == "areas" else rows


def _area(row: Shipped) -> Shipped:
    """A region as the charts are drawn from it, in the words of the catalogue."""
    coded = row["source"] != "local"
    return {
        "code": row["code"],
        "name_en": row["name_en"],
        "name_fr": row["name_fr"],
        "snomed": row["snomed"] or "",
        "parent": row["parent"] or "",
        "group": row["group"],
        "charts": row["charts"],
        "is_sided": row["sided"],
        "typical_cm2": str(row["typical_area_cm2"]) if row["typical_area_cm2"] else None,
        "thorax_risk": row["thorax_risk"],
        "is_submental": row["submental"],
        "source_refs": ["S127b"] if coded else ["GK"],
        "source_note": f"{row['source']}, {row['snomed']}" if coded else "",
        "general_knowledge": not coded,
    }


def content_hash(row: Shipped) -> str:
    """The same for the same content, whatever the order of the keys."""
    written = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


@transaction.atomic
def load(folder: Path = DATA) -> Report:
    """Load every file of the folder. Raises `CatalogueError`; then nothing is written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    report = Report()
    refs = load_sources(read("sources", folder))
    load_countries(read("countries", folder))
    for kind in sorted(KINDS, key=lambda kind: kind.model is Product):
        load_kind(kind, read(kind.slug, folder), refs, report)
    return report


def load_sources(rows: Iterable[Shipped]) -> set[str]:
    """Write new and changed citations; the references now known."""
    known = dict(Source.objects.values_list("ref", "citation"))
    changed = [Source(**row) for row in rows if known.get(row["ref"]) != row["citation"]]
    Source.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["ref"], update_fields=["citation"]
    )
    return set(known) | {source.ref for source in changed}


def load_countries(rows: Iterable[Shipped]) -> None:
    """Add profiles that are not there; one that is there belongs to the clinic."""
    known = set(CountryProfile.objects.values_list("code", flat=True))
    CountryProfile.objects.bulk_create(
        [CountryProfile(**row) for row in rows if row["code"] not in known]
    )


def load_kind(kind: Kind, rows: list[Shipped], refs: set[str], report: Report) -> None:
    """Load one file."""
    versions = _versions(kind.model)
    fresh: list[tuple[CatalogueRow, Shipped]] = []
    superseded: list[int] = []
    for row in rows:
        old = versions.get(row["code"], [])
        if _newest_hash(old) == content_hash(row):
            report.unchanged += 1
            continue
        new = _version_of(kind, row, refs, old)
        superseded += [version.pk for version in old if version.is_current and new.is_current]
        fresh.append((new, row))
        _note(report, kind, new, old)
    shipped = {row["code"] for row in rows}
    report.removed += [
        f"{kind.slug}/{code}"
        for code, old in versions.items()
        if code not in shipped and any(v.is_current and v.origin == "shipped" for v in old)
    ]
    _write(kind.model, fresh, superseded)


def hold(model: type[CatalogueRow], name: str, row: Shipped, report: Report) -> None:
    """Keep a shipped text that nobody of the clinic has read: never put in force by loading, and
    what is in force stays until somebody approves the new one. `name`: in the report.
    """
    old = list(model._default_manager.filter(code=row["code"]).order_by("version"))
    if _newest_hash(old) == content_hash(row):
        report.unchanged += 1
        return
    model._default_manager.create(
        **row,
        version=old[-1].version + 1 if old else 1,
        is_current=False,
        origin=CatalogueRow.Origin.SHIPPED,
        shipped_hash=content_hash(row),
    )
    (report.held_back if old else report.created).append(name)


def _versions(model: type[CatalogueRow]) -> dict[str, list[CatalogueRow]]:
    found: dict[str, list[CatalogueRow]] = defaultdict(list)
    wanted = ("code", "version", "is_current", "origin", "shipped_hash")
    for row in model._default_manager.only(*wanted).order_by("code", "version"):
        found[row.code].append(row)
    return found


def _newest_hash(versions: list[CatalogueRow]) -> str | None:
    shipped = [row.shipped_hash for row in versions if row.origin == CatalogueRow.Origin.SHIPPED]
    return shipped[-1] if shipped else None


def _version_of(kind: Kind, row: Shipped, refs: set[str], old: list[CatalogueRow]) -> CatalogueRow:
    edited = any(v.is_current and v.origin == CatalogueRow.Origin.CLINIC for v in old)
    out_of_use = bool(old) and not any(v.is_current for v in old)
    values = {key: value for key, value in row.items() if key != "ingredients"}
    new = kind.model(
        **values,
        version=old[-1].version + 1 if old else 1,
        is_current=not (edited or out_of_use),
        origin=CatalogueRow.Origin.SHIPPED,
        shipped_hash=content_hash(row),
    )
    _check(kind, new, refs)
    return new


def _check(kind: Kind, row: CatalogueRow, refs: set[str]) -> None:
    unknown = [ref for ref in refs_of(row) if source_key(ref) not in refs]
    if unknown or not row.source_refs:
        raise CatalogueError(f"{kind.slug}.json, {row.code}: unknown or no source {unknown}")
    try:
        row.clean_fields()
    except ValidationError as error:
        raise CatalogueError(f"{kind.slug}.json, {row.code}: {error.message_dict}") from error


def _note(report: Report, kind: Kind, new: CatalogueRow, old: list[CatalogueRow]) -> None:
    name = f"{kind.slug}/{new.code}"
    if not old:
        report.created.append(name)
    elif new.is_current:
        report.updated.append(name)
    else:
        report.held_back.append(name)


def _write(
    model: type[CatalogueRow],
    fresh: list[tuple[CatalogueRow, Shipped]],
    superseded: list[int],
) -> None:
    if not fresh:
        return
    model._default_manager.filter(pk__in=superseded).update(is_current=False)
    model._default_manager.bulk_create([row for row, _ in fresh])
    if model is Product:
        _write_ingredients(fresh)


def _write_ingredients(fresh: list[tuple[CatalogueRow, Shipped]]) -> None:
    substances = {row.code: row.pk for row in Substance.objects.current()}
    wanted = []
    for product, row in fresh:
        for line in row.get("ingredients", []):
            if line["substance"] not in substances:
                raise CatalogueError(f"products.json, {product.code}: no {line['substance']}")
            wanted.append(
                Ingredient(
                    product_id=product.pk,
                    substance_id=substances[line["substance"]],
                    per_ml=line["per_ml"],
                    unit=line["unit"],
                )
            )
    Ingredient.objects.bulk_create(wanted)
