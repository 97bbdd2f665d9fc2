"""The watch in the demo: a call that reached nobody, somebody silent put on the list, a watch
stopped, and a location that shows results of few patients already."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from aftercare.watch.actions import stop_watch
from aftercare.watch.calls import call_for_silence, note_attempt
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.ruling import save_rules
from clinic.access.models import Staff
from clinic.access.permissions import Role
from treatments.catalogue.models import Scale
from treatments.plans.models import Plan
from treatments.scales.actions import record_score
from treatments.scales.reading import ScaleView
from treatments.sessions.models import Session

MOST_SILENT = 2
SCORED = {
    "low-back-pain": ("nrs-pain", ((8, 3), (7, 2), (6, 4), (8, 5))),
    "face-rejuvenation": ("wsrs", ((3, 2), (4, 3), (3, 3), (2, 2))),
    "hydration": ("wsrs", ((2, 2), (3, 2))),
}
"""Of an indication: the scale, and before and after of one patient after the other."""
FEW = 3
"""Patients that a result needs here: a demo has no more."""


def keep_watch(ground: Ground, now: datetime) -> None:
    """All at the first location, whose practitioner looks at it first."""
    place = ground.places[0]
    _rules(place)
    _scores(place, now)
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
            escalate_minutes=15,
            also_told=[manager],
        )


def _scores(place: Place, now: datetime) -> None:
    """Before the first session and after the last one, of those whom nobody has scored yet."""
    scales = Scale.objects.in_force({code for code, _pairs in SCORED.values()})
    told = Plan.objects.filter(
        location=place.location,
        indication__in=SCORED,
        sessions__signed_at__isnull=False,
        patient__scores__isnull=True,
    ).distinct()
    for number, plan in enumerate(told.order_by("pk")):
        code, pairs = SCORED[plan.indication]
        days = list(plan.sessions.filter(signed_at__isnull=False).order_by("number"))
        last = min(days[-1].started_at + timedelta(days=1), now)
        before, after = pairs[number % len(pairs)]
        for at, value in ((days[0].started_at - timedelta(minutes=15), before), (last, after)):
            _score(plan, scales[code], value, at)


def _score(plan: Plan, scale: Scale, value: int, at: datetime) -> None:
    view = ScaleView(scale)
    answers = {item.code: Decimal(value) for item in view.items}
    with then(at, plan.made_by):
        for side in view.sides:
            record_score(
                by=plan.made_by,
                patient=plan.patient,
                scale=scale,
                answers=answers,
                at=at,
                side=side,
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
    silent = list(CheckIn.objects.silent(now).filter(session__location=place.location))
    if len(silent) < MOST_SILENT:
        return
    doctor = place.practitioners[0]
    with then(now - timedelta(minutes=10), doctor) as at:
        call_for_silence(by=doctor, check_in=silent[-1], at=at)


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
