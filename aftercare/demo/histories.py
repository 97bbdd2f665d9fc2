"""What changes after the first history: an update that nobody has read yet, a stop that a physician
has decided about, and "nothing has changed", signed before today's visit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import sin
from typing import Any

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from clinic.web.fields import Signature
from patients.intake.actions import (
    confirm_unchanged,
    new_draft,
    review_history,
    save_draft,
    submit_history,
)
from patients.intake.facts import latest_history
from patients.intake.models import History, Signing
from patients.registry.models import Patient
from treatments.diary.models import Appointment
from treatments.plans.models import Plan
from treatments.plans.reading import screen_plan
from treatments.screening.actions import blocking, override

KEPT = (
    "conditions",
    "medicines",
    "medicines_text",
    "allergies",
    "other_allergies",
    "no_known_allergies",
    "cold_sores",
    "fear_of_needles",
)
WEIGHED = (
    "Needle-free care without active substance until weaning; agreed with the patient and her "
    "paediatrician."
)


def tell_changes(ground: Ground, now: datetime) -> None:
    """For patients of the first location whose first history was read long ago."""
    place = ground.places[0]
    _hand_in_a_change(place, now)
    _decide_about_a_stop(place, now)
    _confirm_before_the_visit(place, now)


def _patients(place: Place, state: str) -> list[Patient]:
    """Whose course is in that state and whose newest history was read."""
    plans = Plan.objects.filter(location=place.location, state=state).select_related("patient")
    found = [plan.patient for plan in plans.order_by("pk")]
    return [one for one in found if (last := latest_history(one)) and last.reviewed_at]


def _hand_in_a_change(place: Place, now: datetime) -> None:
    """A blood thinner and a vaccination since the last visit; drawn on the patient's phone."""
    patient = _patients(place, Plan.State.ACCEPTED)[-1]
    told = now - timedelta(hours=15)
    changes = {
        "medicines": ["anticoagulant"],
        "conditions": ["vaccination"],
        "details": {
            "anticoagulant": {"text": "apixaban, since last month"},
            "vaccination": {"on": (told - timedelta(days=2)).date().isoformat()},
        },
        "procedures": [{"kind": "filler", "on": "2024-11", "what": "lips", "problem": ""}],
    }
    _update(patient, told, **changes)


def _decide_about_a_stop(place: Place, now: datetime) -> None:
    done = _patients(place, Plan.State.FINISHED)
    patient = next((one for one in done if one.sex == Patient.Sex.FEMALE), None)
    if patient is None:
        return
    doctor = place.practitioners[0]
    history = _update(patient, now - timedelta(days=3), breastfeeding=True)
    plan = Plan.objects.filter(patient=patient).latest("pk")
    with then(now - timedelta(days=2), doctor) as at:
        note = "Gave birth in the spring; breastfeeding. Nothing is injected until weaning."
        review_history(by=doctor, history=history, note=note)
        for verdict in blocking(screen_plan(plan, at)):
            override(by=doctor, patient=patient, verdict=verdict, reason=WEIGHED)


def _confirm_before_the_visit(place: Place, now: datetime) -> None:
    today = now.astimezone(place.location.zone).date()
    coming = Appointment.objects.filter(
        location=place.location, starts_at__date=today, patient__in=_patients(place, "accepted")
    )
    visit = coming.order_by("starts_at").select_related("patient").first()
    if visit is None:
        return
    patient = visit.patient
    history = latest_history(patient)
    if history is not None:
        with then(now - timedelta(hours=2), patient) as at:
            signed = _signature(patient)
            confirm_unchanged(history=history, origin=History.Origin.LINK, at=at, **signed)


def _update(patient: Patient, told: datetime, **changes: Any) -> History:
    """A new version that says the same but for the changes."""
    with then(told, patient):
        before = new_draft(patient=patient, origin=History.Origin.LINK)
        values = {name: getattr(before, name) for name in KEPT}
        values["conditions"] = [*before.conditions, *changes.pop("conditions", [])]
        last = latest_history(patient)
        weight = last.weight_kg if last else None
        answers = {"weight_kg": weight, "pregnant": False, "breastfeeding": False}
        draft = save_draft(
            patient=patient,
            origin=History.Origin.LINK,
            values=values | answers | changes,
        )
        return submit_history(history=draft, **_signature(patient))


def _signature(patient: Patient) -> dict[str, Any]:
    stroke = [(20.0 + 4 * x, 60 + 22 * sin(x / 3) - x / 2) for x in range(60)]
    drawn = Signature([stroke], 300, 120, "")
    return {
        "signed_name": f"{patient.given_name} {patient.family_name}",
        "how": Signing.DRAWN,
        "svg": drawn.svg,
        "strokes": [[list(point) for point in stroke]],
    }
