"""Two people who were registered twice: one already made one file, one still to be found; and the
calendar feeds of a practitioner and a room.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from patients.intake.actions import save_draft, submit_history
from patients.intake.models import History
from patients.registry.actions import register_patient
from patients.registry.merges import merge_patients
from patients.registry.models import Patient
from treatments.feeds.actions import open_feed
from treatments.feeds.models import Feed

SAID = {
    "weight_kg": 61,
    "pregnant": False,
    "breastfeeding": False,
    "conditions": [],
    "medicines": [],
    "allergies": [],
    "no_known_allergies": False,
    "other_allergies": "nickel",
    "cold_sores": False,
}


def register_twice(ground: Ground, now: datetime) -> None:
    """A second file for two patients of the first location, and the feeds of its diary."""
    place = ground.places[0]
    merged, waiting = Patient.objects.filter(locations=place.location).order_by("-pk")[1:3]
    with then(now - timedelta(days=6), place.desk):
        twin = _again(place, merged)
        draft = save_draft(patient=twin, origin=History.Origin.DESK, values=SAID)
        submit_history(history=draft, signed_name=merged.given_name + " " + merged.family_name)
        _again(place, waiting)
    with then(now - timedelta(days=5), ground.manager):
        reason = "Same date of birth, address and voice; the name was misspelt on the phone"
        merge_patients(by=ground.manager, survivor=merged, merged=twin, reason=reason)
        doctor, room = place.practitioners[0], place.rooms[0]
        open_feed(by=ground.manager, subject=doctor, shows=Feed.Shows.INITIALS)
        open_feed(by=ground.manager, subject=room, shows=Feed.Shows.BUSY)


def _again(place: Place, patient: Patient) -> Patient:
    """The same person, as somebody heard the name on the phone."""
    return register_patient(
        by=place.desk,
        location=place.location,
        given_name=patient.given_name,
        family_name=_misheard(patient.family_name),
        birth_date=patient.birth_date,
        sex=patient.sex,
        phone=patient.phone,
        language=patient.language,
    )


def _misheard(name: str) -> str:
    return name[:-1] if name.endswith("e") else f"{name}e"
