"""The story on each size of screen, by keyboard, and what sticks below the patient bar."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from patients.registry.models import Patient
from tests.bench.long_record import LongRecord
from tests.browser.conftest import SIZES, TABLET, Person, look
from tests.conftest import Cast
from treatments.sessions.actions import start_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(transactional_db: None, cast: Cast) -> Patient:
    made = LongRecord(cast.here, cast.practitioner, plans=2, sessions_each=5, photos_each=2).write()
    Patient.objects.filter(pk=made.pk).update(
        given_name="Wilhelmina Alexandrina Philippa",
        family_name="Featherstonehaugh-Cholmondeley-Marjoribanks",
    )
    return Patient.objects.get(pk=made.pk)


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.soak), "dark"])
def test_the_story_is_readable_on_every_screen(
    cast: Cast, patient: Patient, person: Callable[..., Person], scheme: str
) -> None:
    for name, size in SIZES.items():
        doctor = person(f"{name}-{scheme}", size, color_scheme=scheme).sign_in(cast.practitioner)
        doctor.expects("404")  # the pictures of these photos were never stored
        page = doctor.go(reverse("story:page", args=[patient.number]))
        expect(page.locator(".story-map").first).to_be_visible()
        look(page, f"story-{name}-{scheme}")


def test_it_is_narrowed_and_followed_by_keyboard(
    cast: Cast, patient: Patient, person: Callable[..., Person]
) -> None:
    doctor = person("keys", TABLET).sign_in(cast.practitioner)
    doctor.expects("404")
    page = doctor.go(reverse("story:page", args=[patient.number]))
    page.locator(".story-filter > summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reactions and adverse events").press("Space")
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    expect(page).to_have_url(re.compile("kind=reaction"))
    expect(page.get_by_text("Bruise of 1 cm").first).to_be_visible()
    expect(page.locator(".story-note")).to_have_count(0)
    page.get_by_role("link", name="Session 4").first.press("Enter")
    expect(page.get_by_role("heading", name="Session 4 of 6")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Reactions and adverse events")).to_be_checked()


def test_the_strip_of_a_session_stands_right_below_the_bar(
    cast: Cast, patient: Patient, person: Callable[..., Person]
) -> None:
    draft = start_session(by=cast.practitioner, plan=patient.plans.get(state="accepted"))
    for name, size in SIZES.items():
        doctor = person(f"strip-{name}", size).sign_in(cast.practitioner)
        doctor.expects("404")
        page = doctor.go(reverse("sessions:edit", args=[patient.number, draft.pk]))
        expect(page.locator(".patient-bar [data-slot]")).to_have_count(0)
        page.evaluate("scrollTo(0, 1200)")
        bar = ".patient-bar" if size["width"] >= 700 else ".patient-key"
        page.wait_for_function(
            """(bar) => {
              const above = document.querySelector(bar).getBoundingClientRect().bottom;
              const strip = document.querySelector('.session-strip');
              return Math.abs(strip.getBoundingClientRect().top - above) <= 1;
            }""",
            arg=bar,
        )


def test_no_pupil_shines_on_a_device_that_is_dark(
    cast: Cast, patient: Patient, person: Callable[..., Person]
) -> None:
    session = patient.sessions.latest("pk")
    for scheme, chosen, dark in (
        ("dark", None, True),
        ("dark", "light", False),
        ("light", "dark", True),
    ):
        doctor = person(f"{scheme}-{chosen}", TABLET, color_scheme=scheme)
        doctor.expects("404")
        page = doctor.sign_in(cast.practitioner).go(
            reverse("sessions:detail", args=[patient.number, session.pk])
        )
        if chosen:
            page.evaluate("(theme) => localStorage.setItem('theme', theme)", chosen)
            page.reload()
        assert is_dark(page) == dark
        pupil = page.locator(".chart .dark").first.evaluate("(e) => getComputedStyle(e).color")
        assert (pupil == "rgb(5, 7, 10)") == dark


def is_dark(page: Page) -> bool:
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return bool(ground == "rgb(18, 22, 28)")
