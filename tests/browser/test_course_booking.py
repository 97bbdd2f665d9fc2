"""A course of six booked whole by the desk, on one screen; its interactions counted and timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from datetime import time as clock

from django.urls import reverse
from playwright.sync_api import expect

from clinic.audit.context import SYSTEM, acting
from patients.registry.models import Patient
from tests.browser.conftest import DESK, PHONE, TABLET, Person, look, settled
from tests.conftest import Cast, make_patient
from tests.treatments.course_world import course_plan
from treatments.courses.standing import course_of
from treatments.diary.actions import book
from treatments.diary.models import Appointment
from treatments.plans.models import Plan


def planned(cast: Cast) -> Plan:
    cast.here.opens_at, cast.here.closes_at = clock(0), clock(23, 45)
    cast.here.save()
    with acting(SYSTEM):
        return course_plan(cast)


def test_a_course_of_six_in_one_screen(cast: Cast, person: Callable[..., Person]) -> None:
    plan = planned(cast)
    desk = person("desk", DESK).sign_in(cast.front_desk)
    page = desk.go(f"/patients/{plan.patient.number}/")
    settled(page)
    began = time.monotonic()
    page.get_by_role("link", name="Book 6 sessions").click()  # 1
    expect(page.locator("tr.course-new")).to_have_count(6)
    page.get_by_role("button", name="Book all 6 sessions").dblclick()  # 2
    expect(page.get_by_text("6 sessions are booked.")).to_be_visible()
    took = time.monotonic() - began
    print(f"a course of six: 2 interactions, {took:.1f} s of machine time")
    assert took < 20
    course = course_of(plan)
    assert len(course.booked) == Appointment.objects.count() == 6
    assert all(step.is_lawful for step in course.steps)
    look(page, "course-booked")
    marked(desk, plan)


def marked(desk: Person, plan: Plan) -> None:
    """`1 of 6` on the patient's page, on the appointment's, and in the diary's list."""
    step = course_of(plan).steps[0]
    page = desk.go(f"/diary/?view=list&date={step.on.isoformat()}")
    expect(page.locator(".course-mark")).to_have_text("1 of 6")
    page = desk.go(f"/diary/{step.appointment_id}/")
    expect(page.get_by_role("heading", name="Session 1 of 6")).to_be_visible()
    look(page, "course-appointment")
    page = desk.go(f"/patients/{plan.patient.number}/")
    expect(page.locator(".course-mark").first).to_have_text("1 of 6")


def test_wishes_other_times_and_a_time_that_is_taken_meanwhile(
    cast: Cast, person: Callable[..., Person]
) -> None:
    plan = planned(cast)
    desk = person("desk", DESK).sign_in(cast.front_desk)
    desk.expects("422")
    page = desk.go(reverse("courses:course", args=[plan.patient.number, plan.pk]))
    look(page, "course-proposed")
    page.get_by_label("Thu").check()
    page.get_by_label("Afternoon").check()
    expect(page.locator("tr.course-new strong").first).to_contain_text("Thu")
    page.get_by_role("button", name="Other times for session 2").click()
    expect(page.get_by_role("group", name="Other times for session 2")).to_be_focused()
    look(page, "course-others")
    page.locator("#row-2 ~ tr .course-times button").nth(7).click()
    expect(page.locator("#row-2").get_by_text("your choice")).to_be_visible()
    third = page.locator("[name=slot-3]").input_value()
    take_away(cast, third)
    page.get_by_role("button", name="Book all 6 sessions").click()
    expect(page.get_by_role("heading", name="Nothing was booked")).to_be_visible()
    expect(page.get_by_label("Thu")).to_be_checked()
    expect(page.locator("#row-2").get_by_text("your choice")).to_be_visible()
    assert page.locator("[name=slot-3]").input_value() != third
    look(page, "course-taken")
    page.get_by_role("button", name="Book all 6 sessions").click()
    expect(page.get_by_text("6 sessions are booked.")).to_be_visible()


def take_away(cast: Cast, slot: str) -> None:
    """Someone else books that very time."""
    row = course_slot(cast, slot)
    other: Patient = make_patient(cast.here, "Ana", "López")
    with acting(SYSTEM):
        book(
            by=cast.front_desk,
            location=cast.here,
            patient=other,
            service=cast.treatment,
            starts_at=row,
            practitioner=int(slot.partition("|")[2]),
        )


def course_slot(cast: Cast, slot: str) -> datetime:
    local = datetime.fromisoformat(slot.partition("|")[0])
    return local.replace(tzinfo=cast.here.zone)


def test_on_a_tablet_and_a_phone(cast: Cast, person: Callable[..., Person]) -> None:
    plan = planned(cast)
    for name, size in (("tablet", TABLET), ("phone", PHONE)):
        one = person(name, size).sign_in(cast.practitioner)
        page = one.go(reverse("courses:course", args=[plan.patient.number, plan.pk]))
        page.get_by_role("button", name="Other times for session 2").click()
        expect(page.get_by_role("group", name="Other times for session 2")).to_be_visible()
        look(page, f"course-{name}")
