"""Putting a tablet at the door, taking it back, and arriving at it."""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Value

from clinic.access.models import Staff
from clinic.audit.context import Actor, acting
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.portal.actions import open_on_tablet, token_hash
from patients.registry.models import Fold
from treatments.arrival.missing import pages_for
from treatments.arrival.models import Tablet
from treatments.diary.actions import set_status
from treatments.diary.models import Appointment
from treatments.diary.slots import whole_day

EARLY, LATE = timedelta(hours=2), timedelta(hours=1)
"""How long before and after its start a visit can be arrived for at the door."""
TOKEN_BYTES = 32
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
FEWEST_WORDS = 2


@transaction.atomic
def set_up(*, by: Staff, location: Location, name: str, at: datetime) -> tuple[Tablet, str]:
    """A new tablet of a location, and its secret, which exists only in what is returned."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    tablet = Tablet.objects.create(
        location=location, name=name.strip(), token_hash=token_hash(token), made_by=by, made_at=at
    )
    return tablet, token


@transaction.atomic
def take_back(*, by: Staff, tablet: Tablet, at: datetime) -> None:
    """From now on the browser is no tablet any more; a second time changes nothing."""
    Tablet.objects.in_use().filter(pk=tablet.pk).update(revoked_at=at)


def arrive(*, tablet: Tablet, name: str, birth_date: date, at: datetime) -> str | None:
    """Mark the one visit arrived that name and birth date mean, and open the forms still missing.

    The token of a portal link limited to those forms; None for everything else, whatever the
    reason: nobody of that name, no visit here today, too early or late, arrived already.
    """
    Tablet.objects.filter(pk=tablet.pk).update(used_at=at)
    visit = _the_visit(tablet.location, name, birth_date, at)
    if visit is None:
        return None
    who = Actor(kind="patient", id=visit.patient_id, who=f"patient at {tablet}", role="patient")
    with acting(who), transaction.atomic():
        try:
            set_status(by=None, appointment=visit, status=Appointment.Status.ARRIVED, at=at)
        except ActionRefused:
            return None
        pages = pages_for(visit.patient, at)
        return open_on_tablet(patient=visit.patient, pages=pages, at=at)


def _the_visit(location: Location, name: str, birth_date: date, at: datetime) -> Appointment | None:
    """One query whoever it is, so that nobody learns from the time it takes who is a patient."""
    today = whole_day(at.astimezone(location.zone).date(), location.zone)
    visits = (
        Appointment.objects.between(*today)
        .filter(location=location, patient__birth_date=birth_date)
        .select_related("patient")
        .annotate(typed=Fold(Value(name)))
    )
    meant = [
        visit
        for visit in visits
        if _is_named(visit.patient.folded_name, visit.typed)  # type: ignore[attr-defined]
    ]
    if len({visit.patient_id for visit in meant}) != 1:
        return None
    return next((visit for visit in meant if _is_due(visit, at)), None)


def _is_named(kept: str, typed: str) -> bool:
    """Whether each word that was typed, at least two, is one of the kept name's; in any order."""
    words = set(_words(typed))
    return len(words) >= FEWEST_WORDS and words <= set(_words(kept))


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name)


def _is_due(visit: Appointment, at: datetime) -> bool:
    return visit.status in EXPECTED and visit.starts_at - EARLY <= at <= visit.starts_at + LATE
