"""The watch in the demo: a call that reached nobody, somebody silent put on the list, a watch
stopped, and a location that shows results of few patients already."""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from aftercare.watch.actions import stop_watch
from aftercare.watch.calls import call_for_silence, note_attempt
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.ruling import save_rules
from clinic.access.models import Staff
from clinic.access.permissions import Role
from treatments.sessions.models import Session

FEW = 3
"""Patients that a result needs here: a demo has no more."""


def keep_watch(ground: Ground, now: datetime) -> None:
    """All at the first location, whose practitioner looks at it first."""
    place = ground.places[0]
    _rules(place)
    _nobody_answered(place, now)
    _silent(place, now)
    _stopped(place, now)


def _rules(place: Place) -> None:
    manager = Staff.objects.filter(role=Role.MANAGER, memberships__location=place.location).first()
    if manager is not None:
        save_rules(
            by=manager,
            location=place.location,
            red_minutes=30,
            silent_hours=48,
            least_patients=FEW,
        )


def _nobody_answered(place: Place, now: datetime) -> None:
    """The oldest call that is not red: rung once, and due again by the next working day."""
    call = Call.objects.filter(location=place.location, is_red=False).waiting().first()
    if call is None or call.created_at > now - timedelta(minutes=20):
        return
    doctor = place.practitioners[0]
    with then(now - timedelta(minutes=15), doctor) as at:
        note_attempt(by=doctor, call=call, result="no-answer", at=at)


def _silent(place: Place, now: datetime) -> None:
    """The one who has been silent longest is to be called; the others wait on the list."""
    silent = CheckIn.objects.silent(now).filter(session__location=place.location).last()
    if silent is None:
        return
    doctor = place.practitioners[0]
    with then(now - timedelta(minutes=10), doctor) as at:
        call_for_silence(by=doctor, check_in=silent, at=at)


def _stopped(place: Place, now: datetime) -> None:
    """Somebody moved away: nothing more is asked after their last session."""
    still_asked = CheckIn.objects.filter(state=CheckIn.State.PLANNED, due_at__gt=now)
    rows = Session.objects.filter(
        location=place.location, plan__state="stopped", check_ins__in=still_asked
    )
    session = rows.order_by("-started_at").first()
    if session is None:
        return
    doctor = place.practitioners[0]
    with then(now - timedelta(hours=3), doctor):
        stop_watch(by=doctor, session=session, reason="Has moved away; cared for elsewhere.")
