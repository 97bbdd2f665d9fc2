"""A spot check in French: pages change their language, stay whole, and keep no English word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from clinic.audit.context import SYSTEM, acting
from tests.browser.conftest import PHONE, SIZES, Person, look, sizes
from tests.conftest import Cast
from tests.treatments.plan_parts import hand_in_history
from tests.treatments.session_world import NOON, make_world

PAGES = ("/today/", "/patients/register/", "/diary/", "/patients/{number}/")


@pytest.mark.parametrize("size", sizes("phone", "desk"))
def test_staff_pages_in_french(size: str, cast: Cast, person: Callable[..., Person]) -> None:
    with acting(SYSTEM):
        hand_in_history(cast.patient)
    someone = person("practitioner", SIZES[size]).sign_in(cast.practitioner)
    someone.context.add_cookies([{"name": "language", "value": "fr", "url": someone.base}])
    for path in PAGES:
        page = someone.go(path.format(number=cast.patient.number))
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        look(page, f"french-{path.strip('/').split('/')[0]}-{size}")
        words = page.locator("main").inner_text()
        left = [word for word in ("Register", "Nothing", "Appointments", "Today") if word in words]
        assert not left, f"{path} still says {left}"


def test_a_session_in_french_on_a_phone_in_the_dark(
    cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        world = make_world(cast)
        signed = world.sign(world.fill(world.start()))
        begun = world.fill(world.start(at=NOON + timedelta(days=15)))
    someone = person("practitioner", PHONE, color_scheme="dark").sign_in(cast.practitioner)
    someone.context.add_cookies([{"name": "language", "value": "fr", "url": someone.base}])
    for path in (f"{signed.pk}/", f"{begun.pk}/edit/"):
        page = someone.go(f"/patients/{cast.patient.number}/sessions/{path}")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        look(page, f"french-session-{path.strip('/').replace('/', '-')}")


def test_the_sign_in_page_changes_its_language(person: Callable[..., Person]) -> None:
    someone = person("anyone", PHONE)
    page = someone.go("/sign-in/")
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_label("Mot de passe", exact=True)).to_be_visible()
    look(page, "french-sign-in")
