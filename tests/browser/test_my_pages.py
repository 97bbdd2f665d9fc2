"""The patient’s pages on a phone: looked at one by one, opened with a passkey; rights at a desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session as LoginSession
from playwright.sync_api import Page, expect

from patients.portal.models import Passkey
from patients.rights.models import RightsRequest
from tests.access.world import World, make_world
from tests.browser.conftest import PHONE, SIZES, Person, look, sizes
from tests.conftest import Cast

MINE = ("", "today/", "data/", "agreed/", "opened/", "photos/pictures/", "messages/sent/")
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def world(transactional_db: None, cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


def let_in(page: Page, world: World, base: str) -> None:
    page.goto(f"{base}/my/{world.token}/")
    born = world.patient.birth_date
    for part, value in enumerate((born.day, born.month, born.year)):
        page.locator(f"[name=birth_date_{part}]").fill(str(value))
    page.get_by_role("button").filter(has_text="Continue").click()
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()


def test_every_page_of_the_patients_own(world: World, person: Callable[..., Person]) -> None:
    patient = person("patient", PHONE)
    patient.expects("404", "422")
    page = patient.page
    for path in ("/my/", "/my/sent/", "/my/passkey/", "/my/nonsense/"):
        patient.go(path)
        look(page, f"my-door-{path.strip('/').replace('/', '-')}")
    let_in(page, world, patient.base)
    for path in MINE:
        patient.go(f"/my/{world.token}/{path}")
        look(page, f"my-{path.strip('/').replace('/', '-') or 'home'}")
    patient.go(f"/my/{world.token}/data/")
    page.locator("#ask").get_by_role("button", name="Send").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "my-data-error")


def test_what_a_patient_typed_waits_until_their_pages_are_open_again(
    world: World, person: Callable[..., Person]
) -> None:
    patient = person("patient", PHONE)
    page = patient.page
    let_in(page, world, patient.base)
    patient.go(f"/my/{world.token}/data/")
    page.locator("#ask").get_by_role("radio").nth(1).check()
    page.get_by_label("In your own words").fill("Please send me a copy.")
    LoginSession.objects.all().delete()
    patient.expects("401")
    send = page.locator("#ask").get_by_role("button", name="Send")
    send.click()
    told = page.get_by_role("alert").filter(has_text="closed for your safety")
    expect(told).to_be_visible()
    look(page, "my-data-closed")
    with patient.context.expect_page() as opened:
        told.get_by_role("link", name="Open again").click()
    let_in(opened.value, world, patient.base)
    send.dblclick()
    expect(page.locator(".my-words", has_text="Please send me a copy.")).to_have_count(1)
    assert (
        RightsRequest.objects.filter(patient=world.patient, words__contains="a copy").count() == 1
    )


def test_a_passkey_is_made_on_the_phone_and_opens_the_pages(
    world: World, person: Callable[..., Person]
) -> None:
    patient = person("patient", PHONE)
    page = patient.page
    base = patient.base.replace("127.0.0.1", "localhost")
    device = patient.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    let_in(page, world, base)
    page.goto(f"{base}/my/{world.token}/passkeys/")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.locator("[data-passkey-said]")).to_have_text("Give the device a name.")
    look(page, "passkey-nameless")
    page.get_by_label("What do you call this device?").fill("My phone")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()
    patient.context.clear_cookies()
    page.goto(f"{base}/my/passkey/")
    look(page, "passkey-use")
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()
    assert Passkey.objects.get(name="My phone").last_used_at is not None


@pytest.mark.parametrize("size", sizes("desk", "phone"))
def test_the_rights_of_a_patient_at_the_desk(
    cast: Cast, world: World, person: Callable[..., Person], size: str
) -> None:
    manager = person("manager", SIZES[size]).sign_in(cast.manager)
    manager.expects("422")
    page, base = manager.page, f"/patients/{world.patient.number}/rights/"
    request = world.arguments["rights"]["pk"]
    for path in ("/rights/", base, f"{base}request/{request}/"):
        manager.go(path)
        look(page, f"rights-{path.strip('/').replace('/', '-')}")
    page.get_by_role("button", name="Decide and tell the patient").click()
    expect(page.get_by_text("Choose what you decide.").first).to_be_visible()
    look(page, "rights-error")
    page.get_by_label("Erase what may go now; the record is kept and restricted").check()
    page.get_by_label("Words to the patient").fill("What may go is gone.")
    page.get_by_role("button", name="Decide and tell the patient").click()
    expect(page.get_by_text("What may go is gone.")).to_be_visible()
    look(page, "rights-decided")
