"""Where a block of advice is said: everywhere, or after an area, a technique, a substance."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from treatments.catalogue.models import AdviceBlock, Area, Substance, Technique

EVERYWHERE, NUMBED = "base", "anaesthetic"
GROUPS = {
    "area:face": gettext_lazy("Face"),
    "area:eyes": gettext_lazy("Around the eyes"),
    "area:lips": gettext_lazy("Lips"),
    "area:neck-decollete-hands": gettext_lazy("Neck, neckline, hands"),
    "area:scalp": gettext_lazy("Scalp"),
    "area:body": gettext_lazy("Body"),
    "technique:ied-nappage": gettext_lazy("Epidermal techniques and nappage"),
    "technique:papule": gettext_lazy("Papules"),
    "technique:point-deep": gettext_lazy("Point by point, deep"),
    "technique:mesogun": gettext_lazy("Mesogun"),
    "technique:microneedling": gettext_lazy("Microneedling"),
    "technique:needle-free": gettext_lazy("Needle-free"),
}
"""The groups that the shipped blocks speak of, by name."""


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every selector there is, grouped for a select."""
    return [
        (_("Always"), [(EVERYWHERE, _("Every sheet")), (NUMBED, _("Numbing cream was used"))]),
        (_("Groups"), [(code, str(label)) for code, label in GROUPS.items()]),
        (_("One area"), [*_rows("area", Area)]),
        (_("One technique"), [*_rows("technique", Technique)]),
        (_("One substance"), [*_rows("substance", Substance)]),
    ]


def _rows(kind: str, model: type[Area | Technique | Substance]) -> Iterator[tuple[str, str]]:
    named = [(f"{kind}:{row.code}", row.name) for row in model.objects.current()]
    yield from sorted((pair for pair in named if pair[0] not in GROUPS), key=lambda pair: pair[1])


def names() -> dict[str, str]:
    """What each selector is called."""
    return {code: label for _group, pairs in choices() for code, label in pairs}


def is_known(selector: str) -> bool:
    """Whether any treatment could have it."""
    return selector in names() or AdviceBlock.objects.filter(applies_to=selector).exists()
