"""A patient under age: the mother signs on her phone, an interpreter and the practitioner after."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from aftercare.demo import courses
from aftercare.demo.clock import then
from aftercare.demo.consents import ON_THEIR_OWN, PHOTOS
from aftercare.demo.ground import Ground, Place
from clinic.access.models import Staff
from clinic.web.fields import Signature
from patients.intake.actions import review_history, save_draft, submit_history
from patients.intake.models import History
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from treatments.catalogue.models import Protocol
from treatments.consents.actions import open_text, prepare_consent, send_consent, sign_consent
from treatments.consents.attending import Attendant
from treatments.consents.models import Consent
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.models import Consultation
from treatments.plans.actions import accept_plan, make_plan
from treatments.plans.models import Plan

SON, MOTHER = ("Tiago", "Ferreira"), "Inês Ferreira"
YEARS = 16
HEALTHY = {
    "conditions": [],
    "medicines": [],
    "allergies": [],
    "no_known_allergies": True,
    "pregnant": False,
    "breastfeeding": False,
    "cold_sores": False,
    "fear_of_needles": False,
    "weight_kg": Decimal(61),
}


def tell_minor(ground: Ground, now: datetime) -> None:
    """A rower of sixteen with a painful back, on the way to the countersignature."""
    place = ground.places[0]
    doctor = place.practitioners[0]
    patient = _registered(place, now)
    note = _seen(place, doctor, patient, now - timedelta(days=2))
    plan = _planned(ground, place, doctor, patient, note)
    _signed(doctor, patient, plan, now)


def _registered(place: Place, now: datetime) -> Patient:
    day = now.astimezone(place.location.zone).date()
    with then(now - timedelta(days=6), place.desk):
        patient = register_patient(
            by=place.desk,
            location=place.location,
            given_name=SON[0],
            family_name=SON[1],
            birth_date=date(day.year - YEARS, 1, 12),
            sex="male",
            phone="+33639981616",
            email="ines.ferreira@example.com",
            language="fr",
        )
    with then(now - timedelta(days=5), patient):
        draft = save_draft(patient=patient, origin=History.Origin.LINK, values=HEALTHY)
        submit_history(history=draft, signed_name=MOTHER)
    return patient


def _seen(place: Place, doctor: Staff, patient: Patient, at: datetime) -> Consultation:
    with then(at, doctor):
        review_history(by=doctor, history=History.objects.get(patient=patient, version=1))
        note = start_consultation(by=doctor, patient=patient, location=place.location)
        values = {
            "concern": "Pain low in the back since the rowing season, worse when he sits.",
            "indications": [courses.BACK.indication],
            "areas": sorted({spot.area for spot in courses.BACK.spots}),
            "examination": "No red flag, no deficit. Tender on both sides, L4 to S1.",
            "fitzpatrick": 3,
            "discussion": "With him and his mother: exercises first, then five sessions at most.",
            "alternatives": "Physiotherapy alone, rest from rowing, doing nothing.",
            "decision": "suitable",
        }
        note = save_consultation(
            by=doctor, consultation=note, revision=note.revision, values=values
        )
        return sign_consultation(by=doctor, consultation=note)


def _planned(
    ground: Ground, place: Place, doctor: Staff, patient: Patient, note: Consultation
) -> Plan:
    course = courses.BACK
    assert note.signed_at is not None
    with then(note.signed_at + timedelta(minutes=5), doctor):
        plan = make_plan(
            by=doctor,
            patient=patient,
            location=place.location,
            consultation=note,
            protocol=Protocol.objects.current().filter(indication=course.indication).first(),
            indication=course.indication,
            title=course.title,
            areas=courses.area_specs(course, ground),
            mix=courses.mix_specs(course, ground),
            phases=courses.phase_specs(course),
        )
        return accept_plan(by=doctor, plan=plan)


def _signed(doctor: Staff, patient: Patient, plan: Plan, now: datetime) -> Consent:
    with then(now - timedelta(days=1, hours=20), doctor) as at:
        paper = prepare_consent(by=doctor, plan=plan, language=patient.language, at=at)
        send_consent(by=doctor, consent=paper, at=at)
    with then(now - timedelta(hours=21), patient) as at:
        open_text(consent=paper, device=ON_THEIR_OWN, at=at)
    with then(now - timedelta(hours=3), patient) as at:
        return sign_consent(
            consent=paper,
            statements=[one["code"] for one in paper.statements],
            signed_name=" ".join(SON),
            method=Consent.Method.DRAWN,
            signature_svg=_drawn(1).svg,
            strokes=_drawn(1).strokes,
            photos=PHOTOS,
            attendants=[_mother()],
            awaits=["interpreter"],
            device=ON_THEIR_OWN,
            at=at,
        )


def _mother() -> Attendant:
    drawn = _drawn(2)
    return Attendant(
        role="guardian",
        name=MOTHER,
        capacity="Mother",
        identity="link",
        signature_svg=drawn.svg,
        strokes=drawn.strokes,
    )


def _drawn(hand: int) -> Signature:
    """A line that rises and falls, in one of two hands."""
    points = [(20.0 + 14 * step, 70.0 + (-1) ** step * (12 + 9 * hand)) for step in range(24)]
    return Signature(strokes=[points], width=600, height=140, typed_name="")
