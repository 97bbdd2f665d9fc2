"""A made-up plan, to see a text as a patient would read it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.places.device_kinds import kind_name
from clinic.places.models import Location
from treatments.catalogue.models import Area, Flag, Product, Protocol, Substance, Technique
from treatments.consents.text import (
    Facts,
    area_line,
    lines_for,
    page,
    phase_line,
    statements_of,
    substance_line,
)
from treatments.consents.tongue import speaking_for_a_look
from treatments.consents.wording import Wording, completed
from treatments.consultations.alternatives import ALTERNATIVES
from treatments.consultations.indications import indication_name
from treatments.plans.models import Phase, PlanArea

SAMPLE_AREAS = ("cheek", "decollete")
SAMPLE_SUBSTANCES = ("hyaluronic-acid", "tranexamic-acid", "lidocaine")
SAMPLE_BORN = date(1984, 3, 15)


def sample_page(wording: Wording, location: Location, language: str) -> dict[str, object]:
    """The page and the statements of a sample plan at a location; nothing is stored."""
    with speaking_for_a_look(language):
        facts = sample_facts(location)
        html = page(facts, wording.texts, wording.off_label)
    sentences = completed(wording, language).statements
    return {"html": html, "statements": statements_of(sentences, off_label=True, minor=True)}


def sample_facts(location: Location) -> Facts:
    """A course for the face with what the catalogue holds, in the language in force."""
    technique = Technique.objects.current().filter(device_kind="mesogun").first()
    areas = list(Area.objects.current().filter(code__in=SAMPLE_AREAS))
    substances = list(Substance.objects.current().filter(code__in=SAMPLE_SUBSTANCES))
    keys = {"base", "anaesthetic", "thorax", f"country:{location.country_id}"}
    keys |= {f"substance:{one.code}" for one in substances}
    keys |= {f"flag:{flag}" for one in substances for flag in one.flags}
    protocol = Protocol.objects.current().exclude(result_en="").first()
    return Facts(
        location=location,
        practitioner=Staff(name=_("Dr Example"), registration_number="12345"),
        patient="Camille Example",
        birth_date=SAMPLE_BORN,
        number="P000000",
        title=_("Sample plan"),
        indication=indication_name("face-rejuvenation"),
        areas=[area_line(_part(one, technique)) for one in areas if technique],
        techniques=[technique.name] if technique else [],
        devices=[kind_name("mesogun")],
        substances=[
            substance_line(one, [Product(name_en=one.name_en, name_fr=one.name_fr)])
            for one in substances
        ],
        uses_off_label=any(Flag.OFFLABEL in one.flags for one in substances),
        anaesthetics=[one.name for one in substances if one.is_local_anaesthetic],
        published=protocol.said("result") if protocol else "",
        is_negative=bool(protocol and protocol.is_negative),
        sessions=[
            phase_line(Phase(kind="induction", sessions=4, gap_min_days=14, gap_max_days=21))
        ],
        risks=[line.said("text") for line in lines_for(keys)],
        alternatives=[str(label) for _code, label in ALTERNATIVES],
    )


def _part(area: Area, technique: Technique) -> PlanArea:
    side = "both" if area.is_sided else "none"
    return PlanArea(area=area, side=side, technique=technique, depth_mm=Decimal(2))
