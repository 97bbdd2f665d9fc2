"""Two desks book overlapping courses at the same moment: whole ones, or nothing."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable

import pytest
import time_machine
from django.db import connection

from clinic.audit.context import SYSTEM, acting
from clinic.places.models import Room
from tests.at_once import Crowd
from tests.conftest import Cast, make_patient
from tests.treatments.course_world import NOW, booked, choices, course_plan
from tests.treatments.test_booking_race import double_bookings
from treatments.courses.models import PlannedVisit
from treatments.courses.standing import Course, course_of
from treatments.diary.models import Appointment
from treatments.plans.models import Plan

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8
DAYS = (1, 8, 15, 22)


def at_once(work: list[Callable[[], object]], crowd: Crowd | None = None) -> Counter[str]:
    """Start everything at the same moment; `booked`, or how it was refused."""

    def by_the_system(job: Callable[[], object]) -> Callable[[], str]:
        def run() -> str:
            with acting(SYSTEM):
                job()
            return "booked"

        return run

    with time_machine.travel(NOW, tick=True):
        answers = (crowd or Crowd()).run([by_the_system(job) for job in work])
    return Counter(one if one == "booked" else type(one).__name__ for one in answers)


def test_overlapping_courses_are_booked_whole_or_not_at_all(cast: Cast) -> None:
    """Eight desks, two practitioners: each pair of courses shares its later days."""
    Room.objects.bulk_create(Room(location=cast.here, name=f"Extra {n}") for n in range(8))
    with time_machine.travel(NOW, tick=True), acting(SYSTEM):
        plans = [
            course_plan(cast, (4, 7, 10), patient=make_patient(cast.here, f"Ana{n}", "López"))
            for n in range(THREADS)
        ]
    who = (cast.practitioner, cast.colleague)
    days = [DAYS if n % 4 < 2 else (0, *DAYS[1:]) for n in range(THREADS)]

    def job(n: int) -> Callable[[], object]:
        wanted = choices(cast, days[n], who=who[n % 2].pk)
        return lambda: booked(cast, plans[n], choices=wanted, by=cast.practitioner)

    answers = at_once([job(n) for n in range(THREADS)])
    assert answers == {"booked": 2, "SomeTaken": THREADS - 2}
    per_plan = Counter(PlannedVisit.objects.values_list("plan", flat=True))
    assert sorted(per_plan.values()) == [4, 4]
    assert Appointment.objects.count() == 8
    assert double_bookings() == 0


def last_session(cast: Cast, crowd: Crowd | None = None) -> tuple[Counter[str], int]:
    """One session is left; eight desks give it to the same patient on eight days."""
    with time_machine.travel(NOW, tick=True), acting(SYSTEM):
        plan = course_plan(cast, (2, 7, 10))
        booked(cast, plan, 1)
    jobs = [
        lambda day=day: booked(cast, plan, choices=choices(cast, [day], 2))
        for day in [8, 8, 9, 9, 10, 10, 11, 11]
    ]
    return at_once(jobs, crowd), PlannedVisit.objects.filter(plan=plan).count()


def test_the_last_session_is_given_once(cast: Cast) -> None:
    answers, count = last_session(cast)
    assert answers == {"booked": 1, "ActionRefused": THREADS - 1}
    assert count == 2


def test_without_the_lock_and_the_trigger_it_would_be_given_more_often(cast, monkeypatch) -> None:
    """That the race above is one: all have counted what is left before anybody books."""
    crowd = Crowd()

    def counted(plan: Plan) -> Course:
        course = course_of(plan)
        crowd.stand()
        return course

    monkeypatch.setattr("treatments.courses.actions.course_of", counted)
    monkeypatch.setattr("treatments.courses.actions._locked", lambda plan: plan)
    monkeypatch.setattr("treatments.courses.actions._write_numbers", lambda plan: None)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE treatments_plannedvisit DISABLE TRIGGER ab_visit_within_plan")
    try:
        _answers, count = last_session(cast, crowd)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE treatments_plannedvisit ENABLE TRIGGER ab_visit_within_plan"
            )
    assert count > 2


def test_a_double_click_books_once(cast: Cast) -> None:
    with time_machine.travel(NOW, tick=True), acting(SYSTEM):
        plan = course_plan(cast, (4, 7, 10))
    key = uuid.uuid4()
    answers = at_once([lambda: booked(cast, plan, *DAYS, key=key) for _n in range(THREADS)])
    assert answers == {"booked": THREADS}
    assert Appointment.objects.count() == 4
