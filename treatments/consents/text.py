"""The words of a consent, composed from the plan in the patient's language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from treatments.catalogue.models import Flag, Product, RiskLine, Substance
from treatments.consultations.indications import indication_name
from treatments.plans.cautions import LUNG_NEEDLE_MM
from treatments.plans.models import MixLine, Plan, PlanArea

TEMPLATE_VERSION = "1"
"""Raise it with every change of wording here or in `consent_text.html`: older consents then
no longer cover, and patients are asked anew."""

LANGUAGES = ("en", "fr")

TOLD_FLAGS = (Flag.OFFLABEL, Flag.UNAPPROVED_US, Flag.WARNED)
"""Marks of a substance that the patient is told about and agrees to separately."""


@dataclass(frozen=True)
class ConsentText:
    """What is frozen in a consent: the words, their hash, the statements, and what they cover."""

    html: str
    sha256: str
    statements: list[dict[str, str]]
    substances: list[str]
    techniques: list[str]
    areas: list[str]


@dataclass(frozen=True)
class SubstanceLine:
    """A substance as the patient reads it."""

    name: str
    brought_by: str
    flags: list[str]
    is_off_label: bool
    caution: str


def supported(language: str) -> str:
    """The language a consent is written in: the wanted one where there is a text for it."""
    wanted = (language or "")[:2].lower()
    return wanted if wanted in LANGUAGES else "en"


def compose(plan: Plan, language: str) -> ConsentText:
    """The consent for exactly this plan. Nothing in it depends on the day it is made."""
    areas = list(plan.areas.select_related("area", "technique"))
    mix = list(
        plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
    )
    with translation.override(supported(language)):
        lines = substance_lines(mix)
        statements = statements_for(
            any(line.is_off_label for line in lines) or bool(_elsewhere(areas, mix))
        )
        html = render_to_string(
            "treatments/consent_text.html",
            {
                "plan": plan,
                "patient": plan.patient,
                "location": plan.location,
                "country": plan.location.country,
                "indication": ", ".join(indication_name(code) for code in plan.indications),
                "areas": areas,
                "techniques": _names(part.technique for part in areas),
                "substances": lines,
                "anaesthetics": [one.name for one in _substances(mix) if one.is_local_anaesthetic],
                "risks": [
                    line.said("text") for line in risk_lines(areas, mix, plan.location.country_id)
                ],
                "phases": list(plan.phases.all()),
                "result": plan.protocol.said("result") if plan.protocol else "",
                "negative": bool(plan.protocol and plan.protocol.is_negative),
            },
        ).strip()
    return ConsentText(
        html=html,
        sha256=text_hash(html, statements),
        statements=statements,
        substances=sorted({one.code for one in _substances(mix)}),
        techniques=sorted({part.technique.code for part in areas}),
        areas=sorted({part.area.code for part in areas}),
    )


def text_hash(html: str, statements: Sequence[Mapping[str, str]]) -> str:
    """SHA-256 in hex of everything that is agreed to: the text, then each statement on a line."""
    words = "\n".join([html, *(one["text"] for one in statements)])
    return hashlib.sha256(words.encode()).hexdigest()


def statements_for(told_flags: bool) -> list[dict[str, str]]:
    """The sentences a patient ticks one by one, in the language in force."""
    sentences = {
        "read": _("I have read this text, or it was read to me, in a language I understand."),
        "questions": _("I could ask questions, and I understood the answers."),
        "risks": _("I understand the risks named above, the rare and the late ones too."),
        "uncertain": _("I understand that no result is promised."),
        "alternatives": _("I know the alternatives, and that I can choose no treatment."),
        "health": _(
            "I have told the clinic about my health, medicines and allergies, and I will tell it "
            "when something changes."
        ),
        "withdraw": _("I know that I can withdraw at any time without giving a reason."),
        "agree": _("I agree to the treatment described above."),
    }
    if told_flags:
        sentences["off_label"] = _(
            "I understand which products are used outside their licence, and that evidence for "
            "this use is limited."
        )
    return [{"code": code, "text": text} for code, text in sentences.items()]


def substance_lines(mix: Sequence[MixLine]) -> list[SubstanceLine]:
    """Every substance of the plan once, with its marks and those of the products that bring it."""
    return [
        SubstanceLine(
            name=one.name,
            brought_by=", ".join(_names(products)),
            flags=[str(Flag(flag).label) for flag in sorted(_marks(one, products)) if flag in Flag],
            is_off_label=bool(_marks(one, products) & set(TOLD_FLAGS)),
            caution=one.said("caution"),
        )
        for one, products in _bringers(mix)
    ]


def risk_lines(areas: Sequence[PlanArea], mix: Sequence[MixLine], country: str) -> list[RiskLine]:
    """The risks this plan must name, each once, in the catalogue's order."""
    applies = applicable(areas, mix) | {f"country:{country}"}
    rows = RiskLine.objects.current().filter(applies_to__in=applies)
    return list(rows.order_by("position", "code"))


def applicable(areas: Sequence[PlanArea], mix: Sequence[MixLine]) -> set[str]:
    """The `applies_to` keys of risk lines that this plan meets."""
    keys = {"base", "anaesthetic"}
    for part in areas:
        keys |= {
            f"area:{part.area.group}",
            f"area:{part.area.code}",
            f"technique:{part.technique.sheet_group}",
            f"technique:{part.technique.code}",
        }
        if part.area.thorax_risk and _reaches_deep(part):
            keys.add("thorax")
    for one, products in _bringers(mix):
        keys |= {f"substance:{one.code}"} | {f"flag:{flag}" for flag in _marks(one, products)}
    return keys | {f"elsewhere:{code}" for code in _elsewhere(areas, mix)}


def _elsewhere(areas: Sequence[PlanArea], mix: Sequence[MixLine]) -> set[str]:
    """Substances planned in an area that their label does not name: an off-label use."""
    return {
        one.code
        for one in _substances(mix)
        if one.areas_only and any(part.area.code not in one.areas_only for part in areas)
    }


def _reaches_deep(part: PlanArea) -> bool:
    """An unknown needle counts as a long one: the risk is named rather than forgotten."""
    needle = part.needle_mm
    return part.depth_mm > LUNG_NEEDLE_MM or (
        part.technique.uses_needle and (needle is None or needle > LUNG_NEEDLE_MM)
    )


def _bringers(mix: Sequence[MixLine]) -> list[tuple[Substance, list[Product]]]:
    """Each substance as the catalogue has it now, with the products that bring it."""
    found: dict[str, tuple[Substance, list[Product]]] = {}
    for line in mix:
        for part in line.product.ingredients.all():
            found.setdefault(part.substance.code, (part.substance, []))[1].append(line.product)
    now = Substance.objects.in_force(found)
    return [(now.get(code, one), products) for code, (one, products) in found.items()]


def _substances(mix: Sequence[MixLine]) -> list[Substance]:
    return [one for one, _products in _bringers(mix)]


def _marks(one: Substance, products: Sequence[Product]) -> set[str]:
    return set(one.flags).union(*(product.flags for product in products))


def _names(rows: Iterable[object]) -> list[str]:
    """Names in their order, each once."""
    return list(dict.fromkeys(str(row) for row in rows))
