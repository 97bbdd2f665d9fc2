"""What of the catalogue is said to a patient, in English: what a further language translates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from aftercare.sheets.words import FALLBACK
from treatments.catalogue.models import (
    AdverseEventType,
    AdviceBlock,
    Anaesthetic,
    Area,
    CatalogueRow,
    CheckInSign,
    CheckInTime,
    Scale,
    Substance,
    Technique,
)
from treatments.plans.models import Side

NAMED: tuple[type[CatalogueRow], ...] = (Area, Technique, Substance, Anaesthetic)


@dataclass(frozen=True)
class Group:
    """Texts of one kind, each once, in the order in which they are read."""

    label: str | Promise
    texts: tuple[str, ...]


def phrasebook() -> list[Group]:
    """Every text in force that a sheet, its questions and "Is this normal?" may say."""
    return [
        Group(_("Advice"), _once(_advice())),
        Group(_("What is normal, and what may show late"), _once(_reactions())),
        Group(_("Questions of the check-ins"), _once(_questions())),
        Group(_("Names of areas, techniques and substances"), _once(_names())),
    ]


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _advice() -> Iterable[str]:
    rows = AdviceBlock.objects.current().order_by("position", "code")
    return rows.values_list("text_en", flat=True)


def reactions() -> list[AdverseEventType]:
    """The usual reactions, which have a published end, and infections, which may show late."""
    rows = AdverseEventType.objects.current()
    return [row for row in rows if row.is_infection or row.expected_days is not None]


def _reactions() -> Iterable[str]:
    return [text for row in reactions() for text in (row.name_en, row.onset_en)]


def _questions() -> Iterable[str]:
    signs = CheckInSign.objects.current().order_by("position", "code")
    scales = Scale.objects.current().filter(
        code__in=CheckInTime.objects.current().exclude(own_scale="").values("own_scale")
    )
    grades = [
        option["label_en"] for row in scales for item in row.items for option in item["options"]
    ]
    return [*signs.values_list("text_en", flat=True), *grades]


def _names() -> Iterable[str]:
    with override(FALLBACK):
        sides = [str(side.label) for side in Side if side != Side.NONE]
    return [
        *sides,
        *(
            name
            for kind in NAMED
            for name in kind._default_manager.filter(is_current=True)
            .order_by("name_en")
            .values_list("name_en", flat=True)
        ),
    ]
