"""What the demo's patients know of their appointments: all but a few were told long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.messages.kinds import Refusal
from patients.messages.rules import RULE_FIELDS, rules_of, save_refusals, save_rules, save_words
from patients.messages.texts import Words
from treatments.diary.actions import move
from treatments.diary.models import Appointment
from treatments.diary.reminding import note_reminded_before
from treatments.diary.telling import note_told_before

FRESH = 2
"""Visits at each location that are moved while the demo opens: their messages are seen going."""
REFUSING = (("reminder",), ("recall", "offer"), ("all",))
OWN_WORDS = Words(
    "We look forward to seeing you",
    "Hello,\n\nwe look forward to seeing you at {clinic}:\n\n{when}\nwith {practitioner}\n\n"
    "{address}\nThe door is on the courtyard, second floor.\n\nIf you cannot come, please call "
    "{phone}.\n\nYour own page: {link}\n",
    "{clinic}: see you {when}. If you cannot come: {phone}.",
)


def tell_notices(ground: Ground, now: datetime) -> None:
    """Mark everyone as told; then a few fresh changes, a text of their own, and refusals."""
    with then(now):
        note_told_before(at=now)
        note_reminded_before(at=now)
    _own_words(ground, now)
    _refusals(ground, now)
    for place in ground.places:
        coming = Appointment.objects.live().filter(
            location=place.location,
            starts_at__gt=now + timedelta(days=4),
            status=Appointment.Status.BOOKED,
        )
        moved = 0
        for visit in coming.exclude(patient__email="").order_by("starts_at", "pk"):
            moved += _moved(visit, place.desk, now)
            if moved == FRESH:
                break


def _moved(visit: Appointment, desk: Staff, now: datetime) -> bool:
    """Half an hour later, where that is free."""
    try:
        with then(now - timedelta(minutes=3), desk):
            move(
                by=desk,
                appointment=visit,
                starts_at=visit.starts_at + timedelta(minutes=30),
                practitioner=visit.practitioner_id,
            )
    except ActionRefused:
        return False
    return True


def _own_words(ground: Ground, now: datetime) -> None:
    """Paris reminds in its own words and invites after nine months."""
    paris = ground.places[0].location
    with then(now - timedelta(days=60), ground.manager):
        save_words(
            by=ground.manager, location=paris, kind="reminder", language="en", words=OWN_WORDS
        )
        rules = {name: getattr(rules_of(paris), name) for name in RULE_FIELDS}
        save_rules(by=ground.manager, location=paris, **rules | {"recall_months": 9})


def _refusals(ground: Ground, now: datetime) -> None:
    """A few patients of each location do not want all there is."""
    for place in ground.places:
        visits = Appointment.objects.filter(location=place.location, starts_at__gt=now)
        some = visits.select_related("patient").order_by("starts_at", "pk")[: len(REFUSING)]
        for visit, kinds in zip(some, REFUSING, strict=False):
            with then(now - timedelta(days=30), place.desk):
                save_refusals(
                    by=place.desk,
                    patient=visit.patient,
                    kinds=[Refusal(kind).value for kind in kinds],
                )
