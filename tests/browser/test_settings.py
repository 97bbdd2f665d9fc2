"""The settings of a manager: every page on a desk and on a phone, and a change that strands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.audit.context import SYSTEM, acting
from clinic.places.models import Device, Location, LocationDay, WorkingHours
from tests.browser.conftest import SIZES, Person, look, sizes
from tests.conftest import Cast
from treatments.diary.absences import add_absence
from treatments.diary.actions import book

LONG = "A reason that is longer than most, about works in the whole building and its cellar"


def fill(cast: Cast) -> Device:
    """Some of everything, a long word among it; one visit tomorrow."""
    today = timezone.localdate(timezone=cast.here.zone)
    tomorrow = today + timedelta(days=1)
    device = Device.objects.create(
        location=cast.here,
        kind="mesogun",
        make="Mesotec",
        model="U",
        serial_number="SN-" + "9" * 50,
    )
    LocationDay.objects.create(location=cast.here, day=tomorrow + timedelta(days=9), reason=LONG)
    for weekday in range(7):
        WorkingHours.objects.create(
            staff=cast.practitioner,
            location=cast.here,
            weekday=weekday,
            starts_at=time(8),
            ends_at=time(20),
        )
    book(
        by=cast.front_desk,
        location=cast.here,
        patient=cast.patient,
        service=cast.treatment,
        starts_at=datetime.combine(tomorrow, time(10), tzinfo=cast.here.zone),
        practitioner=cast.practitioner,
    )
    add_absence(
        by=cast.manager,
        thing=device,
        location=cast.here,
        first=today,
        last=None,
        reason=LONG,
        at=timezone.now(),
    )
    return device


@pytest.mark.parametrize("size", sizes("phone", "desk"))
def test_the_settings_and_a_change_that_strands(
    size: str, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        device = fill(cast)
    who, place = cast.practitioner.pk, cast.here.pk
    manager = person("manager", SIZES[size]).sign_in(cast.manager)
    for path in (
        "",
        f"locations/{place}/",
        f"locations/{place}/days/",
        f"locations/{place}/closed/",
        f"staff/{who}/hours/",
        f"staff/{who}/days/",
        f"staff/{who}/leave/",
        f"devices/{device.pk}/outage/",
        f"devices/{device.pk}/cleanings/",
        "cleaning/",
        "services/",
        "services/new/",
        "my-hours/",
    ):
        page = manager.go(f"/settings/{path}")
        expect(page.locator("[data-slot]")).to_have_count(0)
        look(page, f"settings-{path.replace('/', '-')}{size}")

    manager.expects("422")
    page = manager.go(f"/settings/locations/{place}/")
    page.get_by_label("Closes").fill("09:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("1 appointment would no longer fit")
    expect(page.get_by_role("alert")).to_contain_text("MARTIN, Élodie")
    look(page, f"settings-stranded-{size}")
    assert Location.objects.get(pk=place).closes_at == time(20)
    page.get_by_role("button", name="Change it anyway").click()
    page.wait_for_url("**/settings/")
    page = manager.go("/today/")
    page.get_by_role("link", name="All of them").click()
    expect(page.locator("main")).to_contain_text("Rive Gauche is closed then.")
    look(page, f"to-move-{size}")
    page.locator("main").get_by_role("link", name="Move").click()
    expect(page.locator("h1")).to_have_text("Move the appointment")
