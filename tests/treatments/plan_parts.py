"""Rows and values that the tests of notes, plans and consents share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from patients.intake.models import History
from treatments.catalogue.models import Area, Ingredient, Product, Substance, Technique
from treatments.consents.actions import open_text, prepare_consent, sign_consent
from treatments.consents.models import Consent
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.models import Consultation
from treatments.plans.actions import accept_plan, make_plan
from treatments.plans.models import Plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec

D = Decimal
COMPLETE_NOTE: dict[str, Any] = {
    "concern": "Pain in the lower back for two weeks.",
    "indications": ["low-back-pain"],
    "areas": ["lower-back"],
    "examination": "Tender points beside L4 and L5.",
    "fitzpatrick": 3,
    "discussion": "Five short sessions; what helps and what may happen.",
    "alternatives": "Tablets, physiotherapy, waiting.",
    "decision": "suitable",
}


def area(code: str) -> Area:
    found: Area = Area.objects.current().get(code=code)
    return found


def technique(code: str) -> Technique:
    found: Technique = Technique.objects.current().get(code=code)
    return found


def substance(code: str, name: str = "", **fields: Any) -> Substance:
    fields.setdefault("name_en", name or code)
    fields.setdefault("name_fr", name or code)
    return Substance.objects.get_or_create(code=code, version=1, defaults=fields)[0]


def product(code: str, *strengths: tuple[Substance, str], name: str = "", **fields: Any) -> Product:
    fields.setdefault("container_ml", D(10))
    fields.setdefault("maker", "Maker")
    fields |= {"name_en": name or code, "name_fr": name or code}
    row, is_new = Product.objects.get_or_create(code=code, version=1, defaults=fields)
    if not is_new:
        return row
    for one, per_ml in strengths:
        Ingredient.objects.create(product=row, substance=one, per_ml=D(per_ml))
    return row


def back(points: int = 20, ml: str = "0.15", code: str = "lower-back") -> AreaSpec:
    return AreaSpec(
        area=area(code),
        technique=technique("sim-pain"),
        depth_mm=D(4),
        ml_per_point=D(ml),
        points=points,
        spacing_mm=D(20),
        needle_gauge=27,
        needle_mm=D(4),
    )


def pain_mix() -> list[MixSpec]:
    """The published course: lidocaine and NSAID throughout, steroid 40 mg twice, then 20 mg."""
    lidocaine = product(
        "test-lidocaine-2", (substance("test-lidocaine", is_local_anaesthetic=True), "20")
    )
    ketoprofen = product("test-ketoprofen", (substance("test-ketoprofen"), "80"))
    steroid = product("test-steroid", (substance("test-steroid", flags=["OFFLABEL"]), "40"))
    saline = product("test-saline", is_diluent=True)
    return [
        MixSpec(lidocaine, D(1)),
        MixSpec(ketoprofen, D("1")),
        MixSpec(steroid, D(1), from_session=1, to_session=2),
        MixSpec(steroid, D("0.5"), from_session=3, to_session=5),
        MixSpec(saline, D("0.5"), from_session=3),
    ]


def make_pain_plan(cast: Any, **changed: Any) -> Plan:
    values: dict[str, Any] = {
        "patient": cast.patient,
        "location": cast.here,
        "indication": "low-back-pain",
        "title": "Low back pain, five sessions",
        "areas": [back()],
        "phases": [PhaseSpec(sessions=5, gap_min_days=3, gap_max_days=3)],
    }
    values.update(changed)
    if "mix" not in values:
        values["mix"] = pain_mix()
    return make_plan(by=cast.practitioner, **values)


def accepted_plan(cast: Any, **changed: Any) -> Plan:
    return accept_plan(by=cast.practitioner, plan=make_pain_plan(cast, **changed))


def hand_in_history(patient: Any) -> History:
    """A history with nothing against it, handed in by the patient."""
    found: History = History.objects.get_or_create(
        patient=patient,
        version=1,
        defaults={
            "origin": "link",
            "no_known_allergies": True,
            "weight_kg": D(62),
            "pregnant": False,
            "submitted_at": timezone.now(),
            "signed_name": "Élodie Martin",
        },
    )[0]
    return found


def signed_note(cast: Any, **changed: Any) -> Consultation:
    hand_in_history(cast.patient)
    note = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
    note = save_consultation(
        by=cast.practitioner,
        consultation=note,
        revision=note.revision,
        values={**COMPLETE_NOTE, **changed},
    )
    return sign_consultation(by=cast.practitioner, consultation=note)


def signature(consent: Consent, **changed: Any) -> dict[str, Any]:
    """What signing this consent takes."""
    return {
        "consent": consent,
        "statements": [one["code"] for one in consent.statements],
        "signed_name": "Élodie Martin",
        "method": "drawn",
        "signature_svg": '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        "strokes": [[[1, 2], [3, 4]]],
        "device": "tablet",
        "photos": {"record": True, "teaching": False, "publicity": False},
        **changed,
    }


def opened_consent(cast: Any, plan: Plan, language: str = "en") -> Consent:
    """Prepared, and opened by the patient."""
    consent = prepare_consent(by=cast.practitioner, plan=plan, language=language)
    return open_text(consent=consent, device="tablet")


def signed_consent(cast: Any, plan: Plan, language: str = "en") -> Consent:
    consent = opened_consent(cast, plan, language)
    return sign_consent(**signature(consent))
