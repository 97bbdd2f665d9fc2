"""What people do to pages: click twice, go back, open two tabs, lose the network, sign out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as LoginSession
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.audit.context import SYSTEM, acting
from patients.registry.models import Patient
from tests.browser.conftest import DESK, TABLET, Person, look, settled, sign_in_by_hand, soon
from tests.conftest import Cast
from tests.treatments.plan_parts import COMPLETE_NOTE, hand_in_history
from treatments.consultations.actions import save_consultation, start_consultation
from treatments.consultations.models import Consultation
from treatments.diary.models import Appointment


@pytest.fixture
def desk(cast: Cast, person: Callable[..., Person]) -> Person:
    return person("front desk", DESK).sign_in(cast.front_desk)


@pytest.fixture
def tablet(cast: Cast, person: Callable[..., Person]) -> Person:
    return person("practitioner", TABLET).sign_in(cast.practitioner)


@pytest.fixture
def note(cast: Cast) -> Consultation:
    """A note that lacks nothing but its signature."""
    with acting(SYSTEM):
        hand_in_history(cast.patient)
        begun = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
        return save_consultation(
            by=cast.practitioner,
            consultation=begun,
            revision=begun.revision,
            values=dict(COMPLETE_NOTE),
        )


def address(note: Consultation) -> str:
    return f"/patients/{note.patient.number}/consultations/{note.pk}/edit/"


def test_a_double_click_books_once(cast: Cast, desk: Person) -> None:
    tomorrow = timezone.localdate(timezone=cast.here.zone) + timedelta(days=1)
    page = desk.go(f"/diary/book/?patient={cast.patient.number}&date={tomorrow}&time=11:00")
    page.get_by_role("button", name="Book", exact=True).dblclick()
    page.wait_for_url(re.compile(r"/diary/\?date="))
    booked = Appointment.objects.get()
    assert booked.starts_at == datetime.combine(tomorrow, time(11), tzinfo=cast.here.zone)


def test_a_cut_network_keeps_the_booking_form_and_says_so(cast: Cast, desk: Person) -> None:
    tomorrow = timezone.localdate(timezone=cast.here.zone) + timedelta(days=1)
    page = desk.go(f"/diary/book/?patient={cast.patient.number}&date={tomorrow}&time=11:00")
    settled(page)
    desk.expects("ERR_INTERNET_DISCONNECTED", "htmx:")
    desk.context.set_offline(True)
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="could not be sent")).to_be_visible()
    expect(page.get_by_label("Time")).to_have_value("11:00")
    desk.context.set_offline(False)
    page.get_by_role("button", name="Book", exact=True).click()
    page.wait_for_url(re.compile(r"/diary/\?date="))
    assert Appointment.objects.count() == 1


def test_sending_the_same_form_again_after_going_back_books_once(cast: Cast, desk: Person) -> None:
    tomorrow = timezone.localdate(timezone=cast.here.zone) + timedelta(days=1)
    page = desk.go(f"/diary/book/?patient={cast.patient.number}&date={tomorrow}&time=11:00")
    page.get_by_role("button", name="Book", exact=True).click()
    page.wait_for_url(re.compile(r"/diary/\?date="))
    desk.expects("422")
    page.go_back()
    page.get_by_role("button", name="Book", exact=True).click()
    settled(page)
    assert Appointment.objects.count() == 1


def test_going_back_to_a_booking_shows_the_free_times_of_its_day(cast: Cast, desk: Person) -> None:
    later = str(timezone.localdate(timezone=cast.here.zone) + timedelta(days=3))
    page = desk.go(f"/diary/book/?patient={cast.patient.number}")
    settled(page)
    free = page.locator("[data-free]").first
    expect(free).not_to_have_attribute("value", re.compile(later))
    page.get_by_label("Date").fill(later)
    page.get_by_label("Time").fill("11:00")
    expect(free).to_have_attribute("value", re.compile(later))
    page.get_by_role("button", name="Book", exact=True).click()
    page.wait_for_url(re.compile(r"/diary/\?date="))
    page.go_back()
    expect(page.get_by_label("Date")).to_have_value(later)
    expect(free).to_have_attribute("value", re.compile(later))


def type_a_new_patient(page: Page) -> None:
    page.get_by_label("Family name").fill("Okafor")
    page.get_by_label("Given name").fill("Ngozi")
    for part, value in enumerate((15, 3, 1985)):
        page.locator(f"#id_birth_date_{part}").fill(str(value))


def test_a_form_keeps_what_was_typed_while_the_sign_in_has_ended(cast: Cast, desk: Person) -> None:
    """And is sent from where it is once somebody has signed in again elsewhere."""
    type_a_new_patient(desk.go("/patients/register/"))
    page, register = desk.page, desk.page.get_by_role("button", name="Register")
    LoginSession.objects.all().delete()
    register.dblclick()
    told = page.get_by_role("alert").filter(has_text="You are signed out")
    expect(told).to_be_visible()
    look(page, "kept-signed-out")
    with desk.context.expect_page() as opened:
        told.get_by_role("link", name="Sign in").click()
    # Whoever else signs in does not send it in their name.
    sign_in_by_hand(opened.value, cast.manager)
    opened.value.wait_for_url("**/today/")
    desk.expects("401")
    told.get_by_role("button", name="Close").click()
    register.click()
    expect(told).to_be_visible()
    assert not Patient.objects.filter(family_name="Okafor").exists()
    LoginSession.objects.all().delete()
    opened.value.goto(desk.base + "/sign-in/")
    sign_in_by_hand(opened.value, cast.front_desk)
    opened.value.wait_for_url("**/today/")
    expect(page.get_by_label("Given name")).to_have_value("Ngozi")
    register.click()
    expect(page.locator("h1")).to_contain_text("OKAFOR, Ngozi")
    assert Patient.objects.filter(family_name="Okafor").count() == 1


def test_a_form_keeps_what_was_typed_while_the_network_is_cut(cast: Cast, desk: Person) -> None:
    type_a_new_patient(desk.go("/patients/register/"))
    desk.expects("ERR_INTERNET_DISCONNECTED")
    desk.context.set_offline(True)
    register = desk.page.get_by_role("button", name="Register")
    register.click()
    told = desk.page.get_by_role("alert").filter(has_text="could not be sent")
    expect(told).to_be_visible()
    desk.context.set_offline(False)
    register.dblclick()
    expect(desk.page.locator("h1")).to_contain_text("OKAFOR, Ngozi")
    assert Patient.objects.filter(family_name="Okafor").count() == 1


def test_going_back_to_a_form_that_was_refused_shows_the_form(cast: Cast, desk: Person) -> None:
    """It came by POST; without more the browser would show an error of its own."""
    desk.expects("422")
    page = desk.go("/patients/register/")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    type_a_new_patient(page)
    page.get_by_role("button", name="Register").click()
    expect(page.locator("h1")).to_contain_text("OKAFOR, Ngozi")
    page.go_back()
    expect(page.get_by_label("Family name")).to_have_value("")


def test_a_double_click_signs_once_and_going_back_changes_nothing(
    note: Consultation, tablet: Person
) -> None:
    page = tablet.go(address(note))
    page.get_by_role("button", name="Sign and close").dblclick()
    page.wait_for_url(re.compile(r"/consultations/\d+/$"))
    expect(page.locator("main")).to_contain_text("Signed")
    note.refresh_from_db()
    signed_at, concern = note.signed_at, note.concern
    assert signed_at
    page.go_back()
    settled(page)
    # Never cached: going back asks again, and a signed note has no form any more.
    expect(page.locator("form#note")).to_have_count(0)
    note.refresh_from_db()
    assert (note.signed_at, note.concern) == (signed_at, concern)


def test_the_older_of_two_tabs_is_told(note: Consultation, tablet: Person) -> None:
    tablet.expects("409")
    older = tablet.go(address(note))
    newer = tablet.context.new_page()
    newer.goto(tablet.base + address(note))
    newer.get_by_label("Examination").fill("Written in the newer tab.")
    expect(newer.locator("[data-saving]")).to_contain_text("Saved", timeout=15_000)
    older.get_by_label("Examination").fill("Written in the older tab.")
    expect(older.locator("[data-saving]")).to_contain_text("Not saved:", timeout=15_000)
    assert older.get_by_label("Examination").input_value() == "Written in the older tab."
    note.refresh_from_db()
    assert note.examination == "Written in the newer tab."


def test_signed_out_in_the_middle_of_a_word(cast: Cast, note: Consultation, tablet: Person) -> None:
    """The words stay, the state says why, and after signing in elsewhere they are saved."""
    page = tablet.go(address(note))
    settled(page)
    LoginSession.objects.all().delete()
    page.get_by_label("Examination").fill("Not to be lost.")
    expect(page.locator("[data-saving]")).to_contain_text("sign in again", timeout=15_000)
    assert page.get_by_label("Examination").input_value() == "Not to be lost."
    other = tablet.context.new_page()
    other.goto(tablet.base + "/sign-in/")
    sign_in_by_hand(other, cast.practitioner)
    other.wait_for_url("**/today/")
    tablet.expects("401", "403")
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("[data-saving]")).to_contain_text("Saved", timeout=15_000)
    note.refresh_from_db()
    assert note.examination == "Not to be lost."


def test_another_patients_number_in_the_address(
    cast: Cast, note: Consultation, tablet: Person
) -> None:
    """404 for a stranger of another location, and for this note under another's number."""
    tablet.expects("404")
    assert cast.stranger.pk != cast.patient.pk
    for path in (
        f"/patients/{cast.stranger.number}/",
        address(note).replace(cast.patient.number, cast.stranger.number),
        "/patients/P999999/",
    ):
        answer = tablet.page.goto(tablet.base + path)
        assert answer
        assert answer.status == 404, path
        assert "Keefe" not in tablet.page.content()


def test_a_cut_network_is_said_and_mended(note: Consultation, tablet: Person) -> None:
    tablet.expects("ERR_INTERNET_DISCONNECTED", "Failed to fetch")
    page = tablet.go(address(note))
    settled(page)
    tablet.context.set_offline(True)
    page.get_by_label("Examination").fill("Written in the lift.")
    expect(page.locator("[data-saving]")).to_contain_text("Not saved: offline", timeout=15_000)
    tablet.context.set_offline(False)
    expect(page.locator("[data-saving]")).to_contain_text("Saved", timeout=15_000)
    note.refresh_from_db()
    assert note.examination == "Written in the lift."


def test_from_sign_in_to_a_booking_without_a_mouse(cast: Cast, person: Callable[..., Any]) -> None:
    desk = person("keyboard", DESK)
    page = desk.go("/sign-in/")
    reach(page, "#id_login")
    page.keyboard.type(cast.front_desk.email)
    page.keyboard.press("Tab")
    reach(page, "#id_password")
    page.keyboard.type("correct horse battery staple")
    page.keyboard.press("Enter")
    page.wait_for_url("**/today/")
    page.keyboard.press("/")
    page.keyboard.type("Martin")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/patients/\?q=Martin"))
    settled(page)
    reach(page, f"a[href='/patients/{cast.patient.number}/']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{cast.patient.number}/")
    settled(page)
    reach(page, "a[href^='/diary/book/']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/diary/book/"))
    settled(page)
    tomorrow = timezone.localdate(timezone=cast.here.zone) + timedelta(days=1)
    reach(page, "#id_date")
    page.locator("#id_date").fill(tomorrow.isoformat())
    reach(page, "#id_time")
    page.locator("#id_time").fill("11:00")
    reach(page, "form[data-book-form] .btn-primary")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/diary/\?date="))
    soon(lambda: Appointment.objects.filter(patient=cast.patient).exists())


def reach(page: Any, selector: str) -> None:
    """Press Tab until something has the focus, and see that the focus can be seen."""
    for _press in range(80):
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            ring = page.evaluate(
                """() => { const s = getComputedStyle(document.activeElement);
                   return s.outlineStyle !== "none" || s.boxShadow !== "none"; }"""
            )
            assert ring, f"{selector} has no visible focus"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} cannot be reached by Tab")
