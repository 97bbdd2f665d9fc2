"""What belongs to a substance, product or other row: what it clashes with and brings along."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from treatments.catalogue.kinds import KIND_BY_MODEL
from treatments.catalogue.models import (
    AdviceBlock,
    Anaesthetic,
    Area,
    CatalogueRow,
    CheckInTime,
    Incompatibility,
    Ingredient,
    Product,
    RiskLine,
    Substance,
    Technique,
)


@dataclass(frozen=True)
class Related:
    """A short list under a heading; each entry is a row and the words beside it."""

    title: str
    kind: str
    entries: list[tuple[CatalogueRow, str]]


def related_to(row: CatalogueRow) -> list[Related]:
    """The lists that are not empty; at most four queries."""
    if isinstance(row, Substance):
        keys = [f"substance:{row.code}", *(f"flag:{flag}" for flag in row.flags)]
        found = [_incompatibilities(row), _advice(keys), _risks(keys), _products(row)]
    elif isinstance(row, Area):
        found = [_advice([f"area:{row.group}", f"area:{row.code}"])]
    elif isinstance(row, Technique):
        keys = [f"technique:{row.sheet_group}", f"technique:{row.code}"]
        found = [_advice(keys), _times(keys)]
    elif isinstance(row, Anaesthetic):
        found = [_advice(["anaesthetic"]), _risks(["anaesthetic"])]
    elif isinstance(row, Product):
        found = [_holds(row)]
    else:
        found = []
    return [one for one in found if one.entries]


def _incompatibilities(row: Substance) -> Related:
    names = [row.code, f"group:{row.group}"]
    pairs = Incompatibility.objects.current().filter(Q(first__in=names) | Q(second__in=names))
    entries = [(pair, pair.said("effect")) for pair in pairs]
    return Related(_("Incompatible with"), KIND_BY_MODEL[Incompatibility].slug, entries)


def _advice(keys: list[str]) -> Related:
    blocks = AdviceBlock.objects.current().filter(applies_to__in=keys).order_by("position")
    entries = [(block, block.said("text").replace("{until}", "…")) for block in blocks]
    return Related(_("Advice on the aftercare sheet"), KIND_BY_MODEL[AdviceBlock].slug, entries)


def _times(keys: list[str]) -> Related:
    times = CheckInTime.objects.current().filter(applies_to__in=keys).order_by("hours")
    entries = [(time, _("left out") if time.is_skipped else f"{time.hours} h") for time in times]
    return Related(_("Check-ins of its own"), KIND_BY_MODEL[CheckInTime].slug, entries)


def _risks(keys: list[str]) -> Related:
    lines = RiskLine.objects.current().filter(applies_to__in=keys).order_by("position")
    entries = [(line, line.said("text")) for line in lines]
    return Related(_("Risks that the consent names"), KIND_BY_MODEL[RiskLine].slug, entries)


def _products(row: Substance) -> Related:
    lines = Ingredient.objects.filter(
        substance__code=row.code, product__is_current=True
    ).select_related("product")
    entries: list[tuple[CatalogueRow, str]] = [
        (line.product, _strength(line)) for line in lines.order_by("product__code")
    ]
    return Related(_("Products"), KIND_BY_MODEL[Product].slug, entries)


def _holds(row: Product) -> Related:
    entries: list[tuple[CatalogueRow, str]] = [
        (line.substance, _strength(line)) for line in row.ingredients.all()
    ]
    return Related(_("Holds"), KIND_BY_MODEL[Substance].slug, entries)


def _strength(line: Ingredient) -> str:
    return f"{line.per_ml.normalize():f} {line.unit}/mL"
