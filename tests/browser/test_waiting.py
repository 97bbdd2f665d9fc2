"""A visit booked by link on a phone, and a cancellation filled from the waiting list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from patients.messages.actions import send_link
from tests.browser.conftest import DESK, PHONE, House, Person, look, settled
from tests.browser.test_path import birth_date, morning_zone
from tests.conftest import Cast, make_patient
from treatments.diary.actions import book
from treatments.diary.free import next_free
from treatments.diary.models import Appointment
from treatments.diary.visit import Visit
from treatments.waiting.actions import WISHES, add_entry
from treatments.waiting.models import WaitingEntry

MAIL = "elodie@example.org"
LONG = "First consultation with a look at everything that has been done elsewhere before"


@pytest.fixture
def clinic(cast: Cast) -> Cast:
    """It is morning here, and the consultation, of a long name, can be booked by link."""
    cast.here.timezone = morning_zone()
    cast.here.save()
    cast.consultation.name_en = LONG
    cast.consultation.is_online = True
    cast.consultation.save()
    return cast


def open_own_page(house: House, phone: Person, number: int) -> Page:
    """The link of a letter, and the birth date."""
    page = phone.go(house.mailbox.link(house.letter(MAIL, number)))
    birth_date(page, 15, 3, 1985)
    page.get_by_role("button", name="Continue").click()
    settled(page)
    return page


def code_in(letter: object) -> str:
    text = letter.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    found = re.search(r"\b\d{6}\b", text)
    assert found, text
    return found.group()


def test_booked_moved_and_cancelled_on_a_phone(
    clinic: Cast, house: House, person: Callable[..., Person]
) -> None:
    phone = person("phone", PHONE)
    phone.expects("422")
    send_link(by=clinic.front_desk, patient=clinic.patient, at=timezone.now())
    page = open_own_page(house, phone, 1)
    page.get_by_role("link", name="Book a visit").click()
    look(page, "online-what")
    page.get_by_label(LONG).check()
    page.get_by_role("button", name="Show free times").click()
    look(page, "online-times")
    page.get_by_role("link", name="Later").click()
    page.locator("details[open] .visit-times button").first.click()
    look(page, "online-code")
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Book it").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    assert not Appointment.objects.exists()
    page.get_by_label("Code", exact=True).fill(code_in(house.letter(MAIL, 2)))
    page.get_by_role("button", name="Book it").dblclick()
    page.get_by_role("button", name="Choose another time").wait_for()
    look(page, "online-visit")
    row = Appointment.objects.get()
    assert row.patient == clinic.patient
    page.get_by_role("button", name="Choose another time").click()
    page.locator("details[open] .visit-times button").nth(2).click()
    look(page, "online-move")
    page.get_by_role("button", name="Move my visit").click()
    page.get_by_role("button", name="Choose another time").wait_for()
    before = row.starts_at
    row.refresh_from_db()
    assert row.starts_at != before
    page.go_back()
    page.go_forward()
    page.locator("summary", has_text="Cancel this visit").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_text("This visit is cancelled")).to_be_visible()
    look(page, "online-cancelled")
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_a_cancellation_filled_from_the_waiting_list(
    clinic: Cast, house: House, person: Callable[..., Person]
) -> None:
    """The desk hears a cancellation, offers the time, and the patient takes it on a phone."""
    desk, phone = person("desk", DESK).sign_in(clinic.front_desk), person("phone", PHONE)
    gone = tomorrow_s_visit(clinic)
    page = desk.go(f"/patients/{clinic.patient.number}/")
    settled(page)
    page.locator("#waiting-title + a").click()
    look(page, "waiting-add")
    page.get_by_label("Note").fill("Rings back after five.")
    page.get_by_role("button", name="Save").click()
    look(page, "waiting-entry")
    other = make_patient(clinic.here, "Ana", "López", email="ana@example.org")
    blank = dict.fromkeys(WISHES) | {"weekdays": [], "notice_hours": 2, "note": ""}
    wishes = blank | {"service": clinic.consultation, "from_date": timezone.localdate()}
    add_entry(by=clinic.front_desk, patient=other, location=clinic.here, **wishes)
    desk.go("/waiting/")
    look(page, "waiting-list")
    desk.go(f"/diary/{gone.pk}/")
    page.locator("summary", has_text="Cancel the appointment").click()
    page.get_by_label("Reason").fill("Has a cold")
    page.get_by_role("button", name="Yes, cancel it").click()
    settled(page)
    desk.go("/today/")
    settled(page)
    expect(page.locator(".waiting-now")).to_contain_text("2 people are waiting for this time")
    look(page, "waiting-today")
    page.locator(".waiting-now a", has_text=clinic.practitioner.name).click()
    look(page, "waiting-takers")
    page.locator(".taker", has_text="MARTIN").get_by_role("button", name="Offer").click()
    expect(page.locator("#held-title")).to_contain_text("is held until")
    look(page, "waiting-held")
    mine = open_own_page(house, phone, 1)
    look(mine, "offer-home")
    mine.get_by_role("link", name="Take it or leave it").click()
    look(mine, "offer")
    mine.get_by_role("button", name="I take it").click()
    expect(mine.locator("h1")).to_have_text("Your visit is booked")
    assert WaitingEntry.objects.get(patient=clinic.patient).state == "booked"
    made = Appointment.objects.live().get(patient=clinic.patient)
    assert (made.starts_at, made.status) == (gone.starts_at, "booked")
    page.reload()
    expect(page.locator("main")).to_contain_text("Accepted")
    desk.go("/today/")
    settled(page)
    expect(page.locator(".waiting-now")).to_have_count(0)


def tomorrow_s_visit(clinic: Cast) -> Appointment:
    """A visit of someone else at the first time that is free a day from now."""
    soon = timezone.now() + timedelta(hours=20)
    (free,) = next_free(
        1,
        location=clinic.here,
        day=soon.astimezone(clinic.here.zone).date(),
        visit=Visit.of_service(clinic.consultation),
        after=soon,
        practitioner_id=clinic.practitioner.pk,
    )
    return book(
        by=clinic.front_desk,
        location=clinic.here,
        patient=make_patient(clinic.here, "Bo", "Chen"),
        service=clinic.consultation,
        starts_at=free.starts_at,
        practitioner=clinic.practitioner,
    )
