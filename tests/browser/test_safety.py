"""Safety in a browser: an event with its point, a lot traced and recalled, a look-back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from aftercare.safety.models import AdverseEvent, LookBack, RecallContact
from aftercare.safety.questions import add_case, ask_look_back
from clinic.audit.context import SYSTEM, acting
from patients.registry.models import Patient
from tests.aftercare.safety_world import AT, Clinic, make_clinic, make_lot
from tests.browser.conftest import DESK, PHONE, SIZES, Person, look, settled, sizes
from tests.conftest import Cast
from treatments.catalogue.models import Lot

LONG = "Wolfeschlegelsteinhausenbergerdorff-Montgomery"


@pytest.fixture
def exposed(transactional_db: None, cast: Cast) -> list[Patient]:
    """Five who were given lot BAD and five who were not; the first has a very long name."""
    clinic: Clinic = make_clinic(cast)
    with acting(SYSTEM):
        bad, good = make_lot(cast.here, "BAD"), make_lot(cast.here, "GOOD")
        people = [clinic.patient(name=LONG, phone="+33612345678")]
        people += [clinic.patient() for _number in range(9)]
        for number, patient in enumerate(people):
            lot = bad if number < 5 else good
            clinic.session(patient, [lot], at=AT + timedelta(hours=number), room=cast.room)
    return people


def question(cast: Cast, ill: list[Patient]) -> LookBack:
    with acting(SYSTEM):
        asked = ask_look_back(
            by=cast.manager,
            location=cast.here,
            title="Abscesses",
            since=AT.date(),
            until=AT.date() + timedelta(days=30),
        )
        for patient in ill:
            onset = AT.date() + timedelta(days=21)
            add_case(by=cast.manager, question=asked, patient=patient, onset_on=onset)
    return asked


@pytest.mark.parametrize("size", sizes("tablet", "phone"))
def test_an_event_with_its_point_on_the_chart(
    cast: Cast,
    exposed: list[Patient],
    person: Callable[..., Person],
    size: str,
) -> None:
    page = (
        person(size, SIZES[size])
        .sign_in(cast.practitioner)
        .go(f"/patients/{exposed[1].number}/events/new/")
    )
    page.get_by_label("What it is").select_option(label="Bacterial abscess, cellulitis")
    page.get_by_label("Grade (CTCAE)").select_option("2")
    page.get_by_label("Related to the treatment").select_option("possible")
    page.get_by_label("After which session").select_option(index=1)
    page.get_by_label("What is seen").fill("Red, warm, 2 cm.")
    page.get_by_label("Look at it again on").fill("2027-01-04")
    point(page)
    look(page, f"safety-event-form-{size}")
    page.get_by_role("button", name="Save the event").click()
    expect(page.get_by_role("heading", name="From the session’s record")).to_be_visible()
    expect(page.locator(".site-point")).to_have_count(1)
    look(page, f"safety-event-{size}")
    event = AdverseEvent.objects.get()
    assert event.chart == "face-left"
    assert event.point_x == pytest.approx(0.51, abs=0.03)
    assert [lot["number"] for lot in event.facts["lots"]] == ["BAD"]


def point(page: Page) -> None:
    """By touch on another chart, then one step by the keyboard."""
    page.get_by_role("button", name="Face, left").click()
    sheet = page.locator("[data-sheet]")
    expect(sheet.locator("svg")).to_be_visible()
    sheet.scroll_into_view_if_needed()
    sheet.click()
    expect(page.locator(".site-point")).to_have_count(1)
    sheet.press("ArrowRight")


def test_from_a_lot_to_a_call_that_reached(
    cast: Cast, exposed: list[Patient], person: Callable[..., Person]
) -> None:
    boss = person("desk", DESK).sign_in(cast.manager)
    page = boss.go("/safety/trace/")
    page.get_by_label("Lot number").fill("bad")
    page.get_by_role("button", name="Who was exposed?").click()
    expect(page.get_by_text("Lot BAD of")).to_be_visible()
    look(page, "safety-trace-desk")
    page.get_by_role("button", name="Hold it back now").click()
    expect(page.get_by_text("Quarantined")).to_be_visible()
    page.get_by_label("Why").fill("The maker warns.")
    page.get_by_role("button", name="Begin the recall").click()
    look(page, "safety-recall-desk")
    assert Lot.objects.get(number="BAD").state == "quarantined"
    desk = person("phone", PHONE).sign_in(cast.front_desk)
    page = desk.go("/safety/")
    look(page, "safety-index-phone")
    page.get_by_role("link", name="Recall 1").click()
    look(page, "safety-recall-phone")
    page.get_by_role("link", name=LONG).click()
    page.get_by_label("What came of it").select_option("reached")
    look(page, "safety-contact-phone")
    page.get_by_role("button", name="Write it down").click()
    settled(page)
    assert RecallContact.objects.filter(attempts__outcome="reached").count() == 1


@pytest.mark.parametrize("size", sizes("phone", "desk"))
def test_a_look_back_says_what_it_is_not(
    cast: Cast,
    exposed: list[Patient],
    person: Callable[..., Person],
    size: str,
) -> None:
    asked = question(cast, exposed[:4])
    page = person(size, SIZES[size]).sign_in(cast.manager).go(f"/safety/look-back/{asked.pk}/")
    first = page.locator(".look-back-rows tbody tr").first
    expect(first).to_contain_text("Lot BAD")
    expect(page.get_by_text("Association is not proof.")).to_be_visible()
    look(page, f"safety-look-back-{size}")
    first.get_by_role("link").click()
    expect(page.get_by_role("link", name="Everyone exposed to it")).to_be_visible()
    look(page, f"safety-look-back-opened-{size}")
