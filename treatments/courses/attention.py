"""Courses to look at: nothing booked though it is time, or still booked though ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from clinic.places.models import Location
from treatments.courses.models import PlannedVisit
from treatments.courses.standing import Course, courses_of
from treatments.diary.transitions import MOVABLE
from treatments.plans.models import Plan

RECENT = timedelta(days=120)
"""A plan accepted longer ago with nothing booked has been left by its patient."""
AHEAD = timedelta(days=7)
"""How long before its last lawful day a session without a booking is shown."""
MOST_READ, MOST_SHOWN = 60, 8


def to_book(location: Location, at: datetime) -> list[Course]:
    """Plans under way here whose next session is due within a week and not booked."""
    plans = _with_people(
        Plan.objects.filter(
            ~Exists(_coming(at)),
            location=location,
            patient__registrations__location=location,
            state=Plan.State.ACCEPTED,
            accepted_at__gte=at - RECENT,
        )
    )
    last = at.astimezone(location.zone).date() + AHEAD
    found = courses_of(plans.order_by("accepted_at")[:MOST_READ]).values()
    due = [one for one in found if one.left and (one.due is None or one.due[1] <= last)]
    return due[:MOST_SHOWN]


def to_cancel(location: Location, at: datetime) -> list[Course]:
    """Plans that have ended, with appointments here still to come."""
    ended = (Plan.State.STOPPED, Plan.State.FINISHED)
    visits = PlannedVisit.objects.filter(
        plan__state__in=ended,
        appointment__location=location,
        appointment__starts_at__gte=at,
        appointment__status__in=MOVABLE,
    )
    plans = _with_people(Plan.objects.filter(pk__in=visits.values("plan")))
    return list(courses_of(plans.order_by("pk")[:MOST_SHOWN]).values())


def _coming(at: datetime) -> QuerySet[PlannedVisit]:
    return PlannedVisit.objects.filter(
        plan=OuterRef("pk"), appointment__starts_at__gte=at, appointment__status__in=MOVABLE
    )


def _with_people(plans: QuerySet[Plan]) -> QuerySet[Plan]:
    return plans.select_related("patient", "made_by")
