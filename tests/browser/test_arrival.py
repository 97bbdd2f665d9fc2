"""A tablet at the door, held upright: arrive, fill in, leave nothing behind, and by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.audit.context import SYSTEM, acting
from tests.browser.conftest import SIZES, Person, look, sizes
from tests.conftest import Cast, make_patient
from treatments.diary.models import Appointment

pytestmark = pytest.mark.django_db(transaction=True)


def visit_now(cast: Cast, **wish: Any) -> Appointment:
    now = timezone.now()
    values = {
        "location": cast.here,
        "patient": cast.patient,
        "practitioner": cast.practitioner,
        "room": cast.room,
        "service": cast.consultation,
        "starts_at": now,
        "ends_at": now + timedelta(minutes=30),
    } | wish
    with acting(SYSTEM):
        return Appointment.objects.create(**values)


def put_at_the_door(cast: Cast, person: Callable[..., Person], size: str) -> Person:
    tablet = person("tablet", SIZES[size]).sign_in(cast.front_desk)
    page = tablet.go("/arrival/tablets/")
    look(page, f"arrival-tablets-{size}")
    page.get_by_label("Name of the tablet").fill("Entrance")
    page.get_by_role("button", name="Make it an arrival tablet").click()
    expect(page.get_by_role("heading", name="Welcome to Rive Gauche")).to_be_visible()
    return tablet


def say_who(page: Page, name: str, day: str = "15") -> None:
    page.get_by_label("Your given name and family name").fill(name)
    for label, value in (("Day", day), ("Month", "3"), ("Year", "1985")):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="I am here").click()


@pytest.mark.parametrize("size", sizes("tablet", "phone"))
def test_arriving_and_leaving_nothing(size, cast, person) -> None:
    row = visit_now(cast)
    tablet = put_at_the_door(cast, person, size)
    page = tablet.page
    look(page, f"arrival-start-{size}")
    say_who(page, "Nobody Atall")
    expect(page.get_by_role("heading", name="Please go to the desk")).to_be_visible()
    look(page, f"arrival-desk-{size}")
    page.go_back()
    expect(page.get_by_label("Your given name and family name")).to_have_value("")
    say_who(page, "Elodie Martin")
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()
    row.refresh_from_db()
    assert row.status == "arrived"
    look(page, f"arrival-arrived-{size}")
    page.get_by_role("link", name="Fill in your health questionnaire").click()
    expect(page.locator("[data-idle-left]")).to_be_visible()
    look(page, f"arrival-history-{size}")
    page.get_by_role("button", name="I am done").click()
    expect(page.get_by_role("heading", name="Welcome to Rive Gauche")).to_be_visible()
    for _step in range(3):
        page.go_back()
        expect(page.get_by_label("Your given name and family name")).to_have_value("")
        assert "lodie" not in page.content()


def test_it_goes_back_by_itself_unless_somebody_stays(cast, person) -> None:
    visit_now(cast)
    other = make_patient(cast.here, "Ana", "López", birth_date=cast.patient.birth_date)
    visit_now(cast, patient=other, practitioner=cast.colleague, room=cast.here.rooms.last())
    tablet = put_at_the_door(cast, person, "tablet")
    page = tablet.page
    page.clock.install()
    page.reload()
    say_who(page, "Ana Lopez")
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()
    page.clock.fast_forward(45_000)
    expect(page.get_by_role("alert").filter(has_text="about to close")).to_be_attached()
    look(page, "arrival-late")
    page.get_by_role("button", name="More time").click()
    expect(page.locator("[data-idle-left]")).to_have_text("60")
    page.clock.fast_forward(40_000)
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()
    page.clock.fast_forward(25_000)
    expect(page.get_by_role("heading", name="Welcome to Rive Gauche")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Your given name and family name")).to_have_value("")
    assert "Ana" not in page.content()
    page.get_by_label("Your given name and family name").fill("Half typed")
    page.clock.fast_forward(61_000)
    expect(page.get_by_label("Your given name and family name")).to_have_value("")
