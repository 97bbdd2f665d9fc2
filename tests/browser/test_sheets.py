"""The aftercare sheet on real screens: a line of one's own, the phone, the manager's texts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from aftercare.sheets.models import Sheet
from clinic.audit.context import SYSTEM, acting
from patients.portal.actions import token_hash
from patients.portal.models import Link
from tests.browser.conftest import PHONE, SIZES, Person, look, sizes
from tests.conftest import Cast
from tests.treatments.session_world import make_world


@pytest.fixture
def token(cast: Cast) -> str:
    """A link of the patient of the cast."""
    known = secrets.token_urlsafe(32)
    Link.objects.create(
        patient=cast.patient,
        token_hash=token_hash(known),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return known


@pytest.mark.parametrize("size", sizes("desk", "phone"))
def test_a_line_is_added_the_patient_reads_and_it_is_given_again(
    size: str, cast: Cast, token: str, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        world = make_world(cast)
        session = world.sign(world.fill(world.start()))
    doctor = person("doctor", SIZES[size]).sign_in(cast.practitioner)
    doctor.expects("422")
    page = doctor.go(reverse("sheets:prepare", args=[cast.patient.number, session.pk]))
    line = page.get_by_label("A line of your own")
    line.fill("It will be painless.")
    page.get_by_role("button", name="Give the sheet now").click()
    expect(page.locator(".invalid-feedback, .field-error").first).to_contain_text("painless")
    look(page, "sheet-refused")
    line.fill("Ring me on Monday.")
    expect(page.locator("#preview")).to_contain_text("Ring me on Monday.")
    page.get_by_role("button", name="Give the sheet now").click()
    expect(page.locator("article.sheet")).to_contain_text("Ring me on Monday.")
    look(page, "sheet-given")
    sheet = Sheet.objects.get(session=session)

    patient = person("patient", PHONE)
    own = patient.go(reverse("my-sheets:sheet", args=[token, sheet.pk]))
    born = cast.patient.birth_date
    own.locator("[name=birth_date_0]").fill(str(born.day))
    own.locator("[name=birth_date_1]").fill(str(born.month))
    own.locator("[name=birth_date_2]").fill(str(born.year))
    own.locator("main form button").first.click()
    expect(own.locator("article.sheet")).to_contain_text("Ring me on Monday.")
    look(own, "sheet-phone")
    page.reload()
    expect(page.get_by_text("opened by the patient")).to_be_visible()
    own.get_by_role("button", name="I have read this").click()
    expect(own.get_by_text("Thank you for reading it.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("read by the patient")).to_be_visible()


@pytest.mark.parametrize("size", sizes("phone", "desk"))
def test_the_texts_on_every_page_of_theirs(
    size: str, cast: Cast, person: Callable[..., Person]
) -> None:
    """Looked at, tried and typed, not saved: the catalogue is loaded once for the whole run."""
    manager = person("manager", SIZES[size]).sign_in(cast.manager)
    for path in (
        "",
        "new/",
        "advice/base-heat/1/",
        "words/ar/",
        "try/?areas=cheek&techniques=papule&language=fr&treated_at=2026-03-28T18:00",
    ):
        look(manager.go(f"/settings/aftercare/{path}"), "sheet-texts")
    page = manager.go("/settings/aftercare/advice/base-heat/")
    look(page, "sheet-text-edit")
    page.locator("[name=text_en]").fill("No sauna, please, until {until}.")
    expect(page.locator("#preview")).to_contain_text("No sauna, please, until")
    page.locator("[name=text_en]").fill("Painless until {until}.")
    expect(page.locator("#preview")).to_contain_text("never that nothing hurts")
