"""Consents as they are given: a parent's phone, an interpreter after them, a patient who withdraws
while the needle is in the air; and every page of theirs at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.audit.context import SYSTEM, acting
from patients.portal.actions import open_link
from patients.registry.models import Patient
from tests.browser.conftest import (
    DESK,
    PHONE,
    SIZES,
    TABLET,
    Person,
    axe,
    no_overflow,
    picture,
    settled,
)
from tests.conftest import PASSWORD, Cast, make_patient
from tests.treatments.plan_parts import hand_in_history, opened_consent, signature, signed_consent
from tests.treatments.session_world import make_world
from tests.treatments.test_consent_minors import mother
from tests.treatments.test_consent_signing import serum_plan
from treatments.consents.actions import prepare_consent, sign_consent, withdraw
from treatments.consents.models import Consent

LONG = ("Maximiliane-Alexandra Konstantina", "von Hohenstein-Wildenburg-Schwarzenfels")


def minor_of(cast: Cast, given: str = "Otto", family: str = "Young") -> Patient:
    today = timezone.localdate()
    patient = make_patient(cast.here, given, family, birth_date=date(today.year - 12, 1, 2))
    hand_in_history(patient)
    return patient


def let_in(someone: Person, patient: Patient) -> str:
    """Into the patient's pages; their beginning."""
    token = open_link(patient).rstrip("/").rsplit("/", 1)[-1]
    page = someone.go(f"/my/{token}/")
    born = patient.birth_date
    for part, value in enumerate((born.day, born.month, born.year)):
        page.locator(f"[name=birth_date_{part}]").fill(str(value))
    page.locator("main form button").first.click()
    page.wait_for_url(f"**/my/{token}/")
    return f"/my/{token}/"


def draw(page: Page, name: str) -> None:
    """A signature into the box of a field."""
    box = page.locator(f"[data-signature]:has([name={name}_strokes]) canvas")
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place
    left, top = place["x"] + 30, place["y"] + place["height"] / 2
    page.mouse.move(left, top)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(left + 16 * step, top + (14 if step % 2 else -14))
    page.mouse.up()


def test_a_parent_signs_on_their_phone_and_an_interpreter_after_them(
    transactional_db: None, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        minor = minor_of(cast)
        consent = prepare_consent(
            by=cast.practitioner, plan=serum_plan(cast, patient=minor), language="en"
        )
    parent = person("parent", PHONE)
    parent.expects("422")
    home = let_in(parent, minor)
    page = parent.go(f"{home}consents/{consent.pk}/")
    page.get_by_role("button", name="Open the text").click()
    for box in page.locator("[name=statements]").all():
        box.check()
    for use in ("record", "teaching", "publicity"):
        page.locator(f"[name=photo_{use}][value=no]").check()
    draw(page, "signature")
    page.locator("[name=interpreter_after]").check()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    expect(page.get_by_text("a holder of parental authority must sign too").first).to_be_visible()
    look_at(page, "phone", "consents-minor-refused")
    page.locator("[name=guardian_name]").fill("Claire Young")
    page.locator("[name=guardian_capacity]").fill("mother")
    draw(page, "guardian_signature")
    page.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_role("link", name="Sign now").click()
    look_at(page, "phone", "consents-interpreter")
    page.locator("[name=interpreter_name]").fill("Sam Okoye")
    page.locator("[name=interpreter_capacity]").fill("hospital service")
    page.locator("[name=interpreter_language]").fill("Igbo")
    draw(page, "interpreter_signature")
    page.get_by_role("button", name="Sign", exact=True).click()
    settled(page)
    expect(page.get_by_role("link", name="Sign now")).to_have_count(0)
    consent.refresh_from_db()
    assert consent.missing_roles == []
    assert {one.role for one in consent.attendants.all()} == {"guardian", "interpreter"}


def test_the_open_session_says_that_the_patient_has_withdrawn(
    transactional_db: None, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        world = make_world(cast)
        session = world.fill(world.start())
    needle = person("practitioner", TABLET).sign_in(cast.practitioner)
    page = needle.go(f"/patients/{cast.patient.number}/sessions/{session.pk}/edit/")
    told = page.get_by_text("Stop here.")
    expect(told).to_have_count(0)
    with acting(SYSTEM):
        withdraw(consent=Consent.objects.get(pk=world.consent.pk), reason="It hurts")
    expect(told).to_be_visible(timeout=15_000)
    look_at(page, "tablet", "consents-withdrawn-session")


def look_at(page: Page, size: str, name: str) -> None:
    axe(page)
    no_overflow(page)
    picture(page, f"{name}-{size}")


@pytest.mark.soak
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_of_theirs(
    transactional_db: None, cast: Cast, person: Callable[..., Person], language: str
) -> None:
    """By axe at every size, light and dark; a long name in the bar."""
    with acting(SYSTEM):
        paths, mine, patient = pages_of(cast, language)
    clinic = person("clinic", DESK).sign_in(cast.practitioner)
    own = person("own", DESK)
    home = let_in(own, patient)
    desk = person("desk", DESK).sign_in(cast.front_desk)
    manager = person("manager", DESK).sign_in(cast.manager)
    faults: list[str] = []
    for someone, found in (
        (clinic, paths),
        (desk, [f"/patients/{patient.number}/", "/today/"]),
        (
            manager,
            ["/settings/consents/", "/settings/consents/fr-fr/", "/settings/consents/fr-fr/1/"],
        ),
        (own, [home + path for path in mine]),
    ):
        someone.expects("422", "404")
        cookie = {"name": "language", "value": language, "url": someone.base}
        someone.context.add_cookies([cookie])  # type: ignore[list-item]
        for path in found:
            faults += walked(someone, path, language)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


def walked(someone: Person, path: str, language: str) -> list[str]:
    page, found = someone.go(path), []
    if page.locator("[name=password]").count():
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main form button").first.click()
        page.wait_for_url(f"**{path}")
    name = f"walk-{someone.name}-{path.strip('/').replace('/', '-')[-60:]}"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for size, box in SIZES.items():
            page.set_viewport_size(box)  # type: ignore[arg-type]
            page.wait_for_timeout(150)
            try:
                look_at(page, f"{size}-{scheme}-{language}", name)
            except (AssertionError, pytest.fail.Exception) as fault:
                found.append(f"{size}, {scheme}, {language}: {fault}")
    return found


def pages_of(cast: Cast, language: str) -> tuple[list[str], list[str], Patient]:
    """The practitioner's, the patient's own, and whose they are."""
    patient = minor_of(cast, *LONG)
    new = opened_consent(cast, serum_plan(cast, patient=patient), language)
    unread = prepare_consent(
        by=cast.practitioner, plan=serum_plan(cast, patient=patient), language=language
    )
    said: dict[str, Any] = {"signed_name": " ".join(LONG), "attendants": [mother(identity="link")]}
    half = opened_consent(cast, serum_plan(cast, patient=patient), language)
    half = sign_consent(**signature(half, **said), awaits=["interpreter", "witness"])
    done = opened_consent(cast, serum_plan(cast, patient=patient), language)
    done = sign_consent(**signature(done, **said))
    gone = opened_consent(cast, serum_plan(cast, patient=patient), language)
    gone = withdraw(consent=sign_consent(**signature(gone, **said)), reason="I thought again")
    adult = signed_consent(cast, serum_plan(cast), language)
    base = f"/patients/{patient.number}/"
    of = f"{base}consents/"
    paths = [
        f"{base}",
        f"{of}{new.pk}/",
        f"{of}{new.pk}/sign/",
        f"{of}{unread.pk}/sign/",
        f"{of}{half.pk}/",
        f"{of}{half.pk}/beside/interpreter/",
        f"{of}{half.pk}/signed/",
        f"{of}{done.pk}/countersign/",
        f"{of}{gone.pk}/",
        f"/patients/{cast.patient.number}/consents/{adult.pk}/",
        f"{base}plans/{new.plan_id}/",
        "/today/",
    ]
    mine = [
        "",
        "agreed/",
        f"consents/{new.pk}/",
        f"consents/{unread.pk}/",
        f"consents/{half.pk}/",
        f"consents/{half.pk}/beside/witness/",
        f"consents/{gone.pk}/",
    ]
    return paths, mine, patient
