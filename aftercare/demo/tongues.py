"""Arabic in force for consents, Hebrew not yet; a patient who reads each of them best."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from aftercare.demo import courses
from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from patients.intake.actions import review_history, save_draft, submit_history
from patients.intake.models import History
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from treatments.catalogue.models import Protocol
from treatments.consents.actions import approve_text, prepare_consent, send_consent
from treatments.consents.models import ConsentTemplate, ConsentWords
from treatments.consents.words import approve_words
from treatments.plans.actions import accept_plan, make_plan

HEALTHY = {
    "conditions": [],
    "medicines": [],
    "allergies": [],
    "no_known_allergies": True,
    "pregnant": False,
    "breastfeeding": False,
    "cold_sores": False,
    "fear_of_needles": False,
    "weight_kg": Decimal(64),
}


def tell_tongues(ground: Ground, now: datetime) -> None:
    """Laila’s consent waits in Arabic behind her link; for Noa there is none in Hebrew yet."""
    place = ground.places[0]
    doctor = place.practitioners[0]
    with then(now - timedelta(days=3), ground.manager) as at:
        approve_words(by=ground.manager, row=ConsentWords.objects.get(code="ar"), at=at)
        text = ConsentTemplate.objects.get(code="fr-ar")
        approve_text(by=ground.manager, template=text, at=at)
    laila = _registered(place, now, ("Laila ليلى", "Mansour منصور"), "laila.mansour", "ar")
    _registered(place, now, ("Noa נועה", "Peretz פרץ"), "noa.peretz", "he")
    course = courses.FACE
    with then(now - timedelta(days=1), doctor) as at:
        review_history(by=doctor, history=History.objects.get(patient=laila, version=1))
        plan = make_plan(
            by=doctor,
            patient=laila,
            location=place.location,
            protocol=Protocol.objects.current().filter(indication=course.indication).first(),
            indication=course.indication,
            title=course.title,
            areas=courses.area_specs(course, ground),
            mix=courses.mix_specs(course, ground),
            phases=courses.phase_specs(course),
        )
        accepted = accept_plan(by=doctor, plan=plan)
        paper = prepare_consent(by=doctor, plan=accepted, language=laila.language, at=at)
        send_consent(by=doctor, consent=paper, at=at)


def _registered(
    place: Place, now: datetime, name: tuple[str, str], mail: str, language: str
) -> Patient:
    """Their name in Latin letters and in their own, so that both find them."""
    with then(now - timedelta(days=4), place.desk):
        patient = register_patient(
            by=place.desk,
            location=place.location,
            given_name=name[0],
            family_name=name[1],
            birth_date=date(1988, 5, 17),
            sex="female",
            phone="",
            email=f"{mail}@example.com",
            language=language,
        )
    with then(now - timedelta(days=4), patient):
        draft = save_draft(patient=patient, origin=History.Origin.LINK, values=HEALTHY)
        submit_history(history=draft, signed_name=" ".join(name))
    return patient
