"""Consents on their way: sent and unread, asked about, within the time to think, interpreted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.courses import HANDS, MELASMA
from aftercare.demo.ground import Ground, Place
from clinic.web.fields import Signature
from patients.registry.models import Patient
from treatments.consents.actions import (
    answer_question,
    approve_text,
    ask_question,
    open_text,
    prepare_consent,
    send_consent,
    wording_of,
    write_text,
)
from treatments.consents.attending import Attendant
from treatments.consents.in_force import text_for
from treatments.consents.models import Consent
from treatments.plans.models import Plan

PHOTOS = {"record": True, "teaching": False, "publicity": False}
"""What the demo's patients allow while signing; some allow teaching later."""
HOURS_TO_THINK = 48
ON_THEIR_OWN = "own device"


def interpreter(signature: Signature) -> Attendant:
    """Who translated for one of the demo's patients."""
    return Attendant(
        role="interpreter",
        name="Amina Belkacem",
        capacity="Interpreter of the hospital service",
        language="Arabic",
        signature_svg=signature.svg,
        strokes=signature.strokes,
    )


def tell_consents(ground: Ground, now: datetime) -> None:
    """One consent of each kind that is not simply signed, and the texts they are made from."""
    paris, london = ground.places
    _approve_and_write(ground, paris, now)
    _ask_about(paris, now)
    _send_only(london, now)
    _think_it_over(london, now)


def _approve_and_write(ground: Ground, place: Place, now: datetime) -> None:
    """The French text is approved; the manager's next English one waits for somebody."""
    doctor, manager = place.practitioners[0], ground.manager
    with then(now - timedelta(days=30), doctor) as at:
        approve_text(by=doctor, template=text_for("FR", "fr"), at=at)
    with then(now - timedelta(days=1), manager):
        said = wording_of(text_for("FR", "en"))
        more = f"{said.texts['withdraw']['text']} A call or a letter is enough."
        part = {**said.texts["withdraw"], "text": more}
        write_text(
            by=manager,
            country="FR",
            language="en",
            wording=replace(said, texts={**said.texts, "withdraw": part}),
            note="Asked for by two patients",
        )


def _waiting(place: Place, title: str) -> list[tuple[Plan, Patient]]:
    """Accepted plans of a course that nobody has signed for."""
    plans = Plan.objects.filter(location=place.location, title=title, state=Plan.State.ACCEPTED)
    unsigned = plans.exclude(consents__signed_at__isnull=False)
    return [(plan, plan.patient) for plan in unsigned.select_related("patient").order_by("pk")]


def _ask_about(place: Place, now: datetime) -> None:
    """Sent, opened, two questions asked; one is answered and one is open."""
    for plan, patient in _waiting(place, MELASMA.title)[:1]:
        consent = Consent.objects.filter(plan=plan).latest("pk")
        with then(now - timedelta(days=3), place.desk) as at:
            send_consent(by=place.desk, consent=consent, at=at)
        with then(now - timedelta(days=2, hours=3), patient) as at:
            open_text(consent=consent, device=ON_THEIR_OWN, at=at)
            first = ask_question(
                consent=consent,
                text="Can I go to the mountains two weeks after a session?",
                device=ON_THEIR_OWN,
                at=at,
            )
        with then(now - timedelta(days=2), plan.made_by) as at:
            answer_question(
                by=plan.made_by,
                question=first,
                answer="Yes, after ten days, with sun protection factor 50 and a hat.",
                at=at,
            )
        with then(now - timedelta(hours=2), patient) as at:
            ask_question(
                consent=consent,
                text="I take the pill. Does that matter with tranexamic acid?",
                device=ON_THEIR_OWN,
                at=at,
            )


def _send_only(place: Place, now: datetime) -> None:
    for plan, _patient in _waiting(place, HANDS.title)[:1]:
        consent = Consent.objects.filter(plan=plan).latest("pk")
        with then(now - timedelta(days=1), place.desk) as at:
            send_consent(by=place.desk, consent=consent, at=at)


def _think_it_over(place: Place, now: datetime) -> None:
    """From now on this location gives two days; the patient opened the text this morning."""
    place.location.cooling_off_hours = HOURS_TO_THINK
    place.location.save(update_fields=["cooling_off_hours"])
    for plan, patient in _waiting(place, HANDS.title)[1:2]:
        with then(now - timedelta(hours=7), plan.made_by) as at:
            language = patient.language
            consent = prepare_consent(by=plan.made_by, plan=plan, language=language, at=at)
            send_consent(by=plan.made_by, consent=consent, at=at)
        with then(now - timedelta(hours=5), patient) as at:
            open_text(consent=consent, device=ON_THEIR_OWN, at=at)
