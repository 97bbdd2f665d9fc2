"""The sessions still to come: counted to their courses, and some courses booked whole."""

from __future__ import annotations

import uuid
from datetime import datetime
from random import Random

from aftercare.demo.clock import then
from aftercare.demo.courses import HAIR
from aftercare.demo.ground import Ground, Place
from clinic.errors import ActionRefused
from treatments.courses.actions import Choice, book_course, count_in
from treatments.courses.screen import Screen
from treatments.courses.standing import Course, course_of, courses_of
from treatments.diary.models import Appointment, Service
from treatments.plans.models import Plan
from treatments.plans.progress import current_plans

WHOLE = 5
"""How many more courses of each location are booked to their end."""
REASON = "Suits the patient better; no objection."


def book_courses(ground: Ground, random: Random, now: datetime) -> int:
    """Every plan under way; how many appointments belong to a course in the end."""
    count = 0
    for place in ground.places:
        plans = Plan.objects.filter(location=place.location, state=Plan.State.ACCEPTED)
        found = courses_of(plans.select_related("patient", "made_by").order_by("pk"))
        for course in found.values():
            count += _count_in(place, course.plan, now)
        begun = [course for course in found.values() if course.treated and course.left]
        chosen = [course for course in begun if course.plan.title == HAIR.title]
        for course in [*chosen, *[one for one in begun if one not in chosen][:WHOLE]]:
            count += _book_rest(place, course_of(course.plan), random, now)
    return count


def _count_in(place: Place, plan: Plan, now: datetime) -> int:
    """The next visit was booked by itself, before there were courses."""
    visits = Appointment.objects.filter(
        patient=plan.patient_id,
        location=place.location,
        service__kind=Service.Kind.SESSION,
        status__in=("booked", "confirmed"),
        starts_at__gte=now,
        planned_visit__isnull=True,
    )
    visit = visits.order_by("starts_at").first()
    if visit is None or current_plans(plan.patient)[0].pk != plan.pk:
        return 0
    with then(now, plan.made_by):
        count_in(by=plan.made_by, plan=plan, appointment=visit, reason=REASON)
    return 1


def _book_rest(place: Place, course: Course, random: Random, now: datetime) -> int:
    """By the proposal, as the desk does it; nothing where it does not find every time."""
    rows = [row for row in Screen(course, place.location, now).rows if row.proposed]
    if not rows or any(row.slot is None or row.asks_reason for row in rows):
        return 0
    choices = [
        Choice(row.number, row.slot.starts_at, row.slot.practitioner_id) for row in rows if row.slot
    ]
    with then(now, place.desk):
        try:
            booked = book_course(
                by=place.desk,
                plan=course.plan,
                location=place.location,
                service=Service.objects.filter(kind=Service.Kind.SESSION).earliest("pk"),
                choices=choices,
                key=uuid.UUID(int=random.getrandbits(128), version=4),
            )
        except ActionRefused:
            return 0
    return len(booked)
