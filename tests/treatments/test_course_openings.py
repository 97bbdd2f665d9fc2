"""What is proposed can be booked as it stands: hours, leave, blocks, rooms, devices, the clocks."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from clinic.errors import ActionRefused
from clinic.places.models import Device, LocationDay, WorkingHours
from tests.conftest import Cast, make_patient
from tests.treatments.course_world import MONDAY, booked, course_plan, moment, on
from treatments.courses.actions import Choice
from treatments.courses.models import PlannedVisit
from treatments.courses.screen import Screen
from treatments.courses.standing import course_of
from treatments.diary.actions import book
from treatments.diary.blocks import block
from treatments.diary.models import Service
from treatments.plans.models import Plan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday():
    with on(0):
        yield


def crowded(cast: Cast, seed: int) -> None:
    """A diary with closed days, leave, working hours, a device, and other people's visits."""
    random = Random(seed)
    cast.here.closed_weekdays = [6]
    cast.here.save()
    treatment = cast.treatment
    sessions = Service.objects.filter(kind=Service.Kind.SESSION)
    sessions.exclude(pk=treatment.pk).update(is_active=False)  # so that the screen takes this one
    treatment.before_minutes, treatment.after_minutes = random.choice([(0, 0), (20, 10)])
    treatment.device_kind = random.choice(["", "mesogun"])
    treatment.save()
    Device.objects.create(
        location=cast.here, kind="mesogun", make="A", model="1", serial_number="1"
    )
    for weekday in random.sample(range(6), 4):
        WorkingHours.objects.create(
            staff=cast.practitioner,
            location=cast.here,
            weekday=weekday,
            starts_at="09:00",
            ends_at=random.choice(["12:30", "17:00"]),
        )
    for day in random.sample(range(1, 60), 6):
        LocationDay.objects.create(location=cast.here, day=MONDAY + timedelta(days=day))
    away = random.randint(1, 40)
    block(
        by=cast.manager,
        location=cast.here,
        staff=random.choice([cast.practitioner, cast.colleague]),
        starts_at=moment(cast, away, 0),
        ends_at=moment(cast, away + 6, 0),
        kind="leave",
    )
    _others(cast, random)


def _others(cast: Cast, random: Random) -> None:
    people = [make_patient(cast.here, f"Ana{n}", "López") for n in range(4)]
    for _n in range(60):
        try:
            book(
                by=cast.front_desk,
                location=cast.here,
                patient=random.choice(people),
                service=random.choice([cast.treatment, cast.consultation]),
                starts_at=moment(cast, random.randint(1, 50), random.randint(8, 19)),
                practitioner=None,
            )
        except ActionRefused:
            continue


def proposals(cast: Cast, plan: Plan) -> list[Choice]:
    rows = Screen(course_of(plan), cast.here, timezone.now()).rows
    assert all(row.slot and row.room for row in rows)
    return [
        Choice(
            row.number,
            row.slot.starts_at,
            row.slot.practitioner_id,
            "On leave" if row.asks_reason else "",
        )
        for row in rows
    ]


@pytest.mark.parametrize("seed", range(10))
def test_every_proposal_can_be_booked_as_it_stands(cast: Cast, seed: int) -> None:
    crowded(cast, seed)
    plan = course_plan(cast, (6, 7, 14))
    found = proposals(cast, plan)
    assert found == proposals(cast, plan)
    booked(cast, plan, choices=found)
    course = course_of(plan)
    assert len(course.booked) == 6
    outside = [step.number for step in course.booked if not step.is_lawful]
    assert outside == [choice.number for choice in found if choice.reason]


def test_twenty_sessions_are_booked_in_one_go(cast: Cast) -> None:
    plan = course_plan(cast, (20, 7, 10))
    booked(cast, plan, choices=proposals(cast, plan))
    assert PlannedVisit.objects.filter(number=20).exists()
    assert course_of(plan).left == 0
