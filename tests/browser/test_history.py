"""The history as people meet it: on a phone with a bad network, at the desk, handed over, read."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.audit.context import SYSTEM, acting
from patients.intake.actions import review_history, save_draft, submit_history
from patients.intake.models import Confirmation, History
from patients.portal.actions import open_link
from tests.browser.conftest import DESK, PHONE, TABLET, Person, draw_signature, look, settled, soon
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
SAID = {
    "weight_kg": 61,
    "pregnant": False,
    "breastfeeding": False,
    "conditions": ["keloid"],
    "medicines": [],
    "allergies": [],
    "no_known_allergies": True,
    "cold_sores": False,
}
OFFLINE = ("ERR_INTERNET_DISCONNECTED", "Failed to load resource", "Failed to fetch")


def hand_in(cast: Cast, **changed: object) -> History:
    with acting(SYSTEM):
        draft = save_draft(patient=cast.patient, origin="link", values=SAID | changed)
        return submit_history(history=draft, signed_name="Élodie Martin")


def by_link(cast: Cast, phone: Person) -> Page:
    """In by the personal link and the birth date."""
    with acting(SYSTEM):
        link = open_link(cast.patient)
    page = phone.go(re.sub(r"^https?://[^/]+", "", link))
    for label, value in (("Day", "15"), ("Month", "3"), ("Year", "1985")):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("h1")).to_contain_text("Hello")
    return page


def onward(page: Page, step: str) -> None:
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(f"**/{step}/")
    settled(page)


def saved(page: Page) -> None:
    expect(page.locator("[data-saving]")).to_have_text(re.compile(r"Saved \d\d:\d\d"))


def none_of_these(page: Page) -> None:
    page.locator("#id_none").check()


def test_on_a_phone_that_loses_the_network_and_is_changed_for_another(
    cast: Cast, person: Callable[..., Person]
) -> None:
    phone = person("phone", PHONE)
    phone.expects(*OFFLINE)
    page = by_link(cast, phone)
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Your weight").fill("62")
    saved(page)
    # The network goes while the page is being sent: the page stays, and says what is true.
    phone.context.set_offline(True)
    page.get_by_label("Your weight").fill("62,5")
    expect(page.locator("[data-saving]")).to_have_text("Not saved: offline")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator(".history-keep")).to_contain_text("Keep this page open")
    expect(page.get_by_label("Your weight")).to_have_value("62,5")
    look_offline(page)
    phone.context.set_offline(False)
    saved(page)
    onward(page, "pregnancy")
    page.locator("#id_pregnant_1").check()
    page.locator("#id_breastfeeding_1").check()
    none_of_these(page)
    onward(page, "conditions")
    # What follows a yes shows once it is ticked, and only then.
    insulin = page.get_by_role("checkbox", name="Do you take insulin for diabetes?")
    expect(insulin).to_be_hidden()
    page.get_by_role("checkbox", name="Do you have diabetes?").check()
    expect(insulin).to_be_visible()
    insulin.check()
    look(page, "history-conditions-open")
    saved(page)
    # The phone is laid away in the middle of the page; another one goes on with it.
    other = person("other phone", PHONE)
    again = by_link(cast, other)
    again.get_by_role("link", name="Continue").click()
    again.wait_for_url("**/conditions/")
    expect(again.get_by_role("checkbox", name="Do you have diabetes?")).to_be_checked()
    expect(again.get_by_text("This page was begun and kept.")).to_be_visible()
    again.get_by_role("checkbox", name="Do you have asthma?").check()
    saved(again)
    # The first one has an older page: it is told, and overwrites nothing.
    phone.expects("409")
    page.get_by_role("checkbox", name="Do you have porphyria?").check()
    expect(page.locator("[data-saving]")).to_contain_text("answered elsewhere")
    onward(again, "medicines")
    finish(again)
    history = History.objects.get(patient=cast.patient)
    assert {"diabetes", "diabetes-insulin", "asthma"} <= set(history.conditions)
    assert "porphyria" not in history.conditions
    assert history.signed_how == "drawn"
    assert history.details["vaccination"]["on"] == timezone.localdate().isoformat()


def look_offline(page: Page) -> None:
    """The words for it are on the page, and nothing sticks out."""
    expect(page.locator("[data-offline]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def finish(page: Page) -> None:
    """From the medicines to the signature."""
    none_of_these(page)
    onward(page, "allergies")
    page.get_by_label("Bee or wasp stings").check()
    page.get_by_label("What happened?").fill("Swollen arm in 2019")
    onward(page, "recent")
    when = page.locator("#id_on_vaccination")
    expect(when).to_be_hidden()
    page.get_by_role("checkbox", name="Have you had a vaccination in the last week?").check()
    when.fill(timezone.localdate().isoformat())
    page.locator("#id_kind_0").select_option("filler")
    page.locator("#id_year_0").fill("2021")
    look(page, "history-recent")
    onward(page, "skin")
    none_of_these(page)
    page.locator("#id_cold_sores_0").check()
    look(page, "history-skin")
    onward(page, "hopes")
    none_of_these(page)
    page.locator("#id_fear_of_needles_0").check()
    look(page, "history-hopes")
    onward(page, "check")
    look(page, "history-check")
    draw_signature(page)
    page.get_by_role("button", name="Sign and send").click()
    page.wait_for_url("**/done/")


def test_a_proof_that_has_run_out_loses_nothing(cast: Cast, person: Callable[..., Person]) -> None:
    phone = person("phone", PHONE)
    phone.expects("403", "401")
    page = by_link(cast, phone)
    page.get_by_role("link", name="Start").click()
    page.wait_for_url("**/about/")
    settled(page)
    phone.context.clear_cookies()
    page.get_by_label("Your weight").fill("62")
    state = page.locator("[data-saving]")
    expect(state).to_contain_text("open your link again")
    page.get_by_role("button", name="Save and continue").click()
    expect(state).to_contain_text("open your link again")
    expect(page.get_by_label("Your weight")).to_have_value("62")
    with phone.context.expect_page() as opened:
        state.get_by_role("link").click()
    other = opened.value
    for label, value in (("Day", "15"), ("Month", "3"), ("Year", "1985")):
        other.get_by_label(label).fill(value)
    other.get_by_role("button", name="Continue").click()
    expect(other.locator("h1")).to_contain_text("Hello")
    page.bring_to_front()
    page.get_by_label("Your weight").fill("63")
    saved(page)
    onward(page, "pregnancy")
    other.close()


def test_the_desk_types_one_in_and_a_practitioner_reviews_it(
    cast: Cast, person: Callable[..., Person]
) -> None:
    desk = person("front desk", DESK).sign_in(cast.front_desk)
    page = desk.go(f"/patients/{cast.patient.number}/")
    settled(page)
    page.get_by_role("link", name="Fill it in now").click()
    look(page, "history-desk-about")
    onward(page, "pregnancy")
    page.locator("#id_pregnant_2").check()
    page.locator("#id_breastfeeding_1").check()
    none_of_these(page)
    look(page, "history-desk-pregnancy")
    onward(page, "conditions")
    none_of_these(page)
    page.get_by_role("checkbox", name="Do you have asthma?").check()
    expect(page.locator("#id_none")).not_to_be_checked()
    onward(page, "medicines")
    finish_at_the_desk(page)
    expect(page.locator(".patient-bar, [data-patient-bar], header").first).to_be_visible()
    assert History.objects.get(patient=cast.patient).signed_how == "told"
    reader = person("practitioner", TABLET).sign_in(cast.practitioner)
    page = reader.go("/histories/")
    look(page, "histories-to-review")
    page.get_by_role("link", name=re.compile("MARTIN")).click()
    expect(page.locator("main")).to_contain_text("Told to Fleur Petit")
    page.get_by_label("Note of the review").fill("To be signed at the visit")
    look(page, "history-detail")
    page.get_by_role("button", name="Sign the review").dblclick()
    expect(page.locator("main")).to_contain_text("Reviewed by Ada Rossi")
    assert History.objects.get(patient=cast.patient).reviewed_by == cast.practitioner


def finish_at_the_desk(page: Page) -> None:
    for step in ("allergies", "recent", "skin"):
        none_of_these(page)
        onward(page, step)
    none_of_these(page)
    page.locator("#id_cold_sores_1").check()
    onward(page, "hopes")
    none_of_these(page)
    page.locator("#id_fear_of_needles_1").check()
    page.get_by_text("Questionnaire on appearance (BDDQ-AS)").click()
    look(page, "history-desk-hopes")
    onward(page, "check")
    page.get_by_label("The patient is not here").check()
    look(page, "history-desk-check")
    page.get_by_role("button", name="Sign and send").click()
    page.wait_for_url(re.compile(r"/patients/P?\d+/$"))
    settled(page)


def test_differences_side_by_side_and_nothing_changed_signed(
    cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        review_history(by=cast.practitioner, history=hand_in(cast))
    hand_in(cast, conditions=["keloid", "thrombosis"], medicines=["anticoagulant"])
    reader = person("practitioner", DESK).sign_in(cast.practitioner)
    page = reader.go(f"/patients/{cast.patient.number}/history/")
    changed = page.locator(".history-changed")
    expect(changed).to_have_count(2)
    look(page, "history-differences")
    page.set_viewport_size(PHONE)
    look(page, "history-differences-phone")
    page.set_viewport_size(DESK)
    page.get_by_role("link", name="Anything changed?").click()
    look(page, "history-anything-changed")
    page.get_by_role("button", name="Sign: nothing has changed").click()
    reader.expects("422")
    expect(page.locator("[data-error-summary]")).to_be_visible()
    draw_signature(page)
    page.get_by_role("button", name="Sign: nothing has changed").click()
    page.wait_for_url("**/history/")
    expect(page.locator("main")).to_contain_text("Confirmed unchanged")
    assert Confirmation.objects.get().taken_by == cast.practitioner


def test_handed_over_the_tablet_shows_nothing_else(
    cast: Cast, person: Callable[..., Person]
) -> None:
    hand_in(cast)
    tablet = person("tablet", TABLET).sign_in(cast.practitioner)
    page = tablet.go(f"/patients/{cast.patient.number}/history/")
    page.get_by_role("button", name="Hand this device to the patient").click()
    expect(page.locator("h1")).to_contain_text("Hello")
    look(page, "history-handed")
    tablet.go("/today/")
    expect(page.get_by_label("Email")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Nothing has changed").click()
    look(page, "history-unchanged")
    draw_signature(page)
    page.get_by_role("button", name="Sign: nothing has changed").click()
    expect(page.locator("main")).to_contain_text("give the device back")
    page.get_by_role("main").get_by_role("button", name="I am done").click()
    expect(page.get_by_label("Email")).to_be_visible()
    soon(lambda: Confirmation.objects.count() == 1)
    page.go_back()
    assert "lodie" not in page.locator("main").inner_text()


def test_in_french(cast: Cast, person: Callable[..., Person]) -> None:
    hand_in(cast, conditions=["keloid", "thrombosis"])
    reader = person("practitioner", DESK).sign_in(cast.practitioner)
    reader.context.add_cookies([{"name": "language", "value": "fr", "url": reader.base}])
    base = f"/patients/{cast.patient.number}/history/"
    for path in (base, f"{base}unchanged/", f"{base}new/recent/", f"{base}new/hopes/"):
        page = reader.go(path)
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        look(page, f"history-french-{path.strip('/').split('/')[-1]}")
