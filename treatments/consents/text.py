"""The words of a consent, from the plan and the clinic's text in the patient's language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.access.models import Staff
from clinic.places.device_kinds import kind_name
from clinic.places.models import Location
from clinic.tongues import isolated, listed
from clinic.web.phones import unbroken
from patients.photos.models import Use
from treatments.catalogue.models import Flag, Product, RiskLine, Substance
from treatments.consents.tongue import speaking
from treatments.consents.wording import (
    SECTIONS,
    STATEMENTS,
    Texts,
    Wording,
    completed,
    section_html,
)
from treatments.consultations.alternatives import alternative_name
from treatments.consultations.indications import indication_name
from treatments.plans.cautions import LUNG_NEEDLE_MM
from treatments.plans.models import MixLine, Phase, Plan, PlanArea, Side
from treatments.templatetags.figures import plain

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


@dataclass(frozen=True)
class Facts:
    """Everything of a plan that a consent says, in the language in force."""

    location: Location
    practitioner: Staff | None
    patient: str = ""
    birth_date: date | None = None
    number: str = ""
    title: str = ""
    indication: str = ""
    areas: list[str] = field(default_factory=list)
    techniques: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    substances: list[SubstanceLine] = field(default_factory=list)
    uses_off_label: bool = False
    is_minor: bool = False
    anaesthetics: list[str] = field(default_factory=list)
    published: str = ""
    is_negative: bool = False
    sessions: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)


def compose(
    plan: Plan,
    language: str,
    wording: Wording,
    practitioner: Staff | None = None,
    *,
    minor: bool = False,
) -> ConsentText:
    """The consent for exactly this plan, and for a `minor`; else the day it is made is no part."""
    areas = list(plan.areas.select_related("area", "technique"))
    mix = list(
        plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
    )
    with speaking(language):
        facts = facts_of(plan, areas, mix)
        treats = practitioner or facts.practitioner
        facts = replace(facts, practitioner=treats, is_minor=minor)
        html = page(facts, wording.texts, wording.off_label)
    sentences = completed(wording, language).statements
    statements = statements_of(sentences, off_label=facts.uses_off_label, minor=minor)
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


def statements_of(
    sentences: Mapping[str, str], *, off_label: bool, minor: bool
) -> list[dict[str, str]]:
    """The sentences that are ticked one by one, for a `minor` also that of who answers for them."""
    left_out = {code for code, said in (("off_label", off_label), ("guardian", minor)) if not said}
    codes = [code for code in STATEMENTS if code not in left_out]
    return [{"code": code, "text": sentences[code]} for code in codes]


def page(facts: Facts, texts: Texts, off_label: str) -> str:
    """The whole text as HTML, in the language in force."""
    words, blocks = _words(facts), _blocks(facts, off_label)
    sections = [
        {
            "heading": texts[code]["heading"],
            "html": mark_safe(section_html(texts[code]["text"], words, blocks)),  # noqa: S308
        }
        for code in SECTIONS
    ]
    context = {"facts": facts, "opening": sections[0], "sections": sections[1:]}
    return render_to_string("treatments/consent_text.html", context).strip()


def _words(facts: Facts) -> dict[str, str]:
    place = facts.location
    return {
        "patient": isolated(facts.patient),
        "clinic": isolated(place.name),
        "practitioner": isolated(_person(facts.practitioner)),
        "indication": facts.indication,
        "techniques": listed(facts.techniques),
        "phone": isolated(unbroken(place.phone)),
        "phone_out_of_hours": isolated(unbroken(place.phone_out_of_hours)),
        "emergency_number": isolated(unbroken(place.country.emergency_number)),
    }


def _person(staff: Staff | None) -> str:
    if staff is None:
        return ""
    registered = staff.registration_number
    return f"{staff.name} ({registered})" if registered else staff.name


def _blocks(facts: Facts, off_label: str) -> dict[str, str]:
    """Each block as HTML, empty where the plan has nothing to say in it."""
    heard = {True: _("A published study of such a course found no benefit:")}
    found = heard.get(facts.is_negative, _("What a published study of such a course found:"))
    numbed = _("The mix itself holds a local anaesthetic: %(names)s.") % {
        "names": listed(facts.anaesthetics)
    }
    device = _("Device: %(names)s.") % {"names": listed(facts.devices)}
    return {
        "areas": _list(facts.areas),
        "devices": _paragraph(device if facts.devices else ""),
        "substances": _substance_list(facts.substances, off_label),
        "published": _paragraph(f"{found} {isolated(facts.published)}" if facts.published else ""),
        "sessions": _list(facts.sessions),
        "anaesthetics": _paragraph(numbed if facts.anaesthetics else ""),
        "risks": _list(facts.risks),
        "alternatives": _list(facts.alternatives),
        "photo_uses": _list([str(use.label) for use in Use]),
    }


def _paragraph(text: str) -> str:
    return format_html("<p>{}</p>", text) if text else ""


def _list(items: Iterable[str | SafeString]) -> str:
    rows = format_html_join("", "<li>{}</li>", ((item,) for item in items))
    return format_html("<ul>{}</ul>", rows) if rows else ""


def _substance_list(lines: Sequence[SubstanceLine], off_label: str) -> str:
    if not lines:
        return _paragraph(_("No product is given."))
    return _list(_substance(line, off_label) for line in lines)


def _substance(line: SubstanceLine, off_label: str) -> SafeString:
    status = f"{_(':')} {listed(line.flags)}" if line.flags else ""
    caution = f". {line.caution}" if line.caution else ""
    said = format_html("<br>{}", off_label) if line.is_off_label else ""
    return format_html(
        "<strong>{}</strong> ({}){}{}{}", line.name, line.brought_by, status, caution, said
    )


def facts_of(plan: Plan, areas: Sequence[PlanArea], mix: Sequence[MixLine]) -> Facts:
    """What the consent for this plan says, in the language in force."""
    patient, lines = plan.patient, substance_lines(mix)
    country = plan.location.country_id
    note = plan.consultation
    return Facts(
        location=plan.location,
        practitioner=plan.made_by,
        patient=f"{patient.given_name} {patient.family_name}",
        birth_date=patient.birth_date,
        number=str(patient.number),
        title=plan.title,
        indication=listed(indication_name(code) for code in plan.indications),
        areas=[area_line(part) for part in areas],
        techniques=_names(part.technique for part in areas),
        devices=[
            kind_name(code)
            for code in dict.fromkeys(part.technique.device_kind for part in areas)
            if code
        ],
        substances=lines,
        uses_off_label=any(line.is_off_label for line in lines) or bool(_elsewhere(areas, mix)),
        anaesthetics=[one.name for one in _substances(mix) if one.is_local_anaesthetic],
        published=plan.protocol.said("result") if plan.protocol else "",
        is_negative=bool(plan.protocol and plan.protocol.is_negative),
        sessions=[phase_line(phase) for phase in plan.phases.all()],
        risks=[line.said("text") for line in risk_lines(areas, mix, country)],
        alternatives=[alternative_name(code) for code in note.alternatives_named] if note else [],
    )


def area_line(part: PlanArea) -> str:
    """ "Lower back (left): nappage, 4 mm deep"."""
    side = f" ({part.get_side_display()})" if part.side != Side.NONE else ""
    depth = _("%(depth)s mm deep") % {"depth": plain(part.depth_mm)}
    return f"{part.area.name}{side}{_(':')} {listed([part.technique.name, depth])}"


def phase_line(phase: Phase) -> str:
    """ "Induction: 5 sessions, 3 days apart"."""
    sessions = ngettext("%(sessions)s session", "%(sessions)s sessions", phase.sessions)
    least, most = phase.gap_min_days, phase.gap_max_days
    gap = (
        ngettext("%(days)s day apart", "%(days)s days apart", least) % {"days": least}
        if least == most
        else _("%(least)s to %(most)s days apart") % {"least": least, "most": most}
    )
    said = sessions % {"sessions": phase.sessions}
    return f"{phase.get_kind_display()}{_(':')} {listed([said, gap])}"


def substance_lines(mix: Sequence[MixLine]) -> list[SubstanceLine]:
    """Every substance of the plan once, with its marks and those of the products that bring it."""
    return [substance_line(one, products) for one, products in _bringers(mix)]


def substance_line(one: Substance, products: Sequence[Product]) -> SubstanceLine:
    """One substance as the patient reads it."""
    marks = _marks(one, products)
    return SubstanceLine(
        name=isolated(one.name),
        brought_by=listed(isolated(name) for name in _names(products)),
        flags=[str(Flag(flag).label) for flag in sorted(marks) if flag in Flag],
        is_off_label=bool(marks & set(TOLD_FLAGS)),
        caution=one.said("caution"),
    )


def risk_lines(areas: Sequence[PlanArea], mix: Sequence[MixLine], country: str) -> list[RiskLine]:
    """The risks this plan must name, each once, in the catalogue's order."""
    return lines_for(applicable(areas, mix) | {f"country:{country}"})


def lines_for(applies: Iterable[str]) -> list[RiskLine]:
    """The risk lines in force with one of these `applies_to`."""
    rows = RiskLine.objects.current().filter(applies_to__in=set(applies))
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
