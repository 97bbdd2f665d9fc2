"""What a mix comes to: its volume, what of each substance is in it, and which pairs clash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from treatments.catalogue.models import Incompatibility, Product, Recipe, Substance

PLACES = Decimal("0.001")
KINDS = ("product", "substance")
ANYTHING = "*"


@dataclass(frozen=True)
class Part:
    """A line of a recipe with its row; `row` is None where the catalogue no longer has it."""

    row: Product | Substance | None
    code: str
    kind: str
    ml: Decimal
    is_diluent: bool

    @property
    def slug(self) -> str:
        """The kind of row it is, as addresses have it."""
        return f"{self.kind}s"


@dataclass(frozen=True)
class Held:
    """A substance in the mix: how much in all and per mL, in `unit`; from the products alone."""

    substance: Substance
    amount: Decimal
    per_ml: Decimal
    unit: str


@dataclass(frozen=True)
class Contents:
    """A recipe worked out; `is_open`: a line leaves its product open, so amounts are partial."""

    parts: list[Part]
    held: list[Held]
    total_ml: Decimal
    clashes: list[Incompatibility]
    is_open: bool


def contents_of(recipe: Recipe) -> Contents:
    """What is in a mix, by the versions in force; four queries."""
    codes = {kind: [one["code"] for one in recipe.lines if one["kind"] == kind] for kind in KINDS}
    products = Product.objects.current().prefetch_related("ingredients__substance")
    known: dict[tuple[str, str], Product | Substance] = {
        ("product", row.code): row for row in products.filter(code__in=codes["product"])
    }
    for row in Substance.objects.current().filter(code__in=codes["substance"]):
        known["substance", row.code] = row
    parts = [
        Part(
            known.get((line["kind"], line["code"])),
            line["code"],
            line["kind"],
            Decimal(str(line["ml"])),
            bool(line.get("is_diluent")),
        )
        for line in recipe.lines
    ]
    return Contents(
        parts=parts,
        held=_held(parts, recipe.total_ml),
        total_ml=recipe.total_ml,
        clashes=_clashes(parts),
        is_open=any(part.kind == "substance" or part.row is None for part in parts),
    )


def _held(parts: Iterable[Part], total: Decimal) -> list[Held]:
    sums: dict[tuple[str, str], tuple[Substance, Decimal]] = {}
    for part in parts:
        if not isinstance(part.row, Product):
            continue
        for line in part.row.ingredients.all():
            key = (line.substance.code, line.unit)
            before = sums.get(key, (line.substance, Decimal(0)))[1]
            sums[key] = (line.substance, before + line.per_ml * part.ml)
    return [
        Held(substance, amount, (amount / total).quantize(PLACES), unit)
        for (_code, unit), (substance, amount) in sums.items()
        if total
    ]


def _clashes(parts: Iterable[Part]) -> list[Incompatibility]:
    """The pairs of the catalogue that both sides of are in the mix, in different lines."""
    each = [_names_of(part) for part in parts]
    there = set().union(*each) if each else set()
    pairs = Incompatibility.objects.current().exclude(level=Incompatibility.Level.ALLOWED)
    return [pair for pair in pairs if _meets(pair, each, there)]


def _names_of(part: Part) -> set[str]:
    """A line's substances, by code and by group."""
    if isinstance(part.row, Product):
        rows = [line.substance for line in part.row.ingredients.all()]
    else:
        rows = [part.row] if part.row is not None else []
    return {row.code for row in rows} | {f"group:{row.group}" for row in rows if row.group}


def _meets(pair: Incompatibility, each: list[set[str]], there: set[str]) -> bool:
    if not there.issuperset(pair.only_with) or there.intersection(pair.unless):
        return False
    one, other = sorted((pair.first, pair.second), key=lambda name: name == ANYTHING)
    first = [number for number, names in enumerate(each) if one in names]
    second = [n for n, names in enumerate(each) if other == ANYTHING or other in names]
    return any(here != there for here in first for there in second)
