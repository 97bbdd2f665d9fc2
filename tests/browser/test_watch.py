"""The whole story on a phone: read the consent ahead, sign, go home with the sheet, tell of a lump
at week six; and the practitioner, on a phone too, hears of it and calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from aftercare.sheets.models import Sheet
from aftercare.watch.models import Call, CheckIn
from patients.registry.models import Patient
from tests.aftercare.safety_world import make_clinic
from tests.browser.conftest import (
    PHONE,
    House,
    Person,
    draw_signature,
    look,
    morning_zone,
    settled,
    soon,
)
from tests.conftest import Cast, make_patient
from tests.treatments.plan_parts import accepted_plan, area, technique
from treatments.catalogue.models import Product
from treatments.consents.actions import countersign, prepare_consent, send_consent
from treatments.consents.models import Consent
from treatments.plans.models import Plan
from treatments.plans.specs import AreaSpec, MixSpec
from treatments.sessions.models import Session

D = Decimal
MAIL = "camille.laurent@example.org"


@dataclass
class Story:
    """Who takes part, and the patient's plan."""

    cast: Cast
    house: House
    phone: Person
    practitioner: Person
    patient: Patient
    plan: Plan
    letters: int = 0

    def follow_the_link(self) -> Page:
        """The next message comes; its link asks for the birth date, once in half an hour."""
        self.letters += 1
        page = self.phone.go(self.house.mailbox.link(self.house.letter(MAIL, self.letters)))
        if "/prove/" in page.url:
            born = self.patient.birth_date
            for part, value in enumerate((born.day, born.month, born.year)):
                page.locator(f"#id_birth_date_{part}").fill(str(value))
            page.get_by_role("button", name="Continue").click()
        settled(page)
        return page


@pytest.fixture
def story(cast: Cast, house: House, person: Callable[..., Person]) -> Story:
    """It is morning at the first location. The worker takes a tick of the test's alone."""
    cast.here.timezone = morning_zone()
    cast.here.save()
    patient = make_patient(cast.here, "Camille", "Laurent", email=MAIL, phone="+33612345678")
    forehead = AreaSpec(
        area=area("forehead"),
        technique=technique("papule"),
        depth_mm=D("1.5"),
        ml_per_point=D("0.05"),
        points=40,
        spacing_mm=D(10),
        needle_gauge=30,
        needle_mm=D(4),
    )
    mix = [MixSpec(Product.objects.current().get(code="ha-1"), D(2))]
    return Story(
        cast=cast,
        house=house,
        phone=person("patient", PHONE),
        practitioner=person("practitioner", PHONE).sign_in(cast.practitioner),
        patient=patient,
        plan=accepted_plan(cast, patient=patient, areas=[forehead], mix=mix),
    )


def test_from_reading_the_consent_to_the_call_about_a_lump_at_week_six(story: Story) -> None:
    read_ahead_and_sign(story)
    session = treated(story)
    go_home_with_the_sheet(story)
    six_weeks_pass(session)
    tell_of_a_lump(story)
    be_told(story)
    work_off(story, session)


def read_ahead_and_sign(story: Story) -> None:
    """Opened and read on the phone; not signed without every tick and choice."""
    doctor, phone = story.cast.practitioner, story.phone
    consent = prepare_consent(by=doctor, plan=story.plan, language="en")
    send_consent(by=doctor, consent=consent)
    page = story.follow_the_link()
    page.get_by_role("link", name="Read and sign").click()
    look(page, "story-consent-ahead")
    page.get_by_role("button", name="Open the text").click()
    expect(page.locator(".consent-text")).to_contain_text("Forehead")
    look(page, "story-consent-text")
    phone.expects("422")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_contain_text("tick every statement")
    for box in page.locator("[name=statements]").all():
        box.check()
    for use in ("record", "teaching", "publicity"):
        page.locator(f"[name=photo_{use}][value=no]").check()
    page.get_by_label("Full name of the person who signs").fill("Camille Laurent")
    draw_signature(page)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("main")).to_contain_text("Signed by Camille Laurent")
    look(page, "story-consent-signed")
    consent.refresh_from_db()
    assert consent.sent_at < consent.read_at < consent.signed_at
    assert (consent.method, consent.read_on_device) == ("drawn", "own device")


def treated(story: Story) -> Session:
    """Countersigned and treated this morning, behind the scenes."""
    countersign(by=story.cast.practitioner, consent=Consent.objects.get())
    made = make_clinic(story.cast)
    made.plans[story.patient.pk] = story.plan
    return made.session(story.patient, at=timezone.now() - timedelta(hours=1))


def go_home_with_the_sheet(story: Story) -> None:
    """It comes by itself; read on the phone."""
    story.house.open_check_ins()
    story.house.wait(lambda: Sheet.objects.filter(document__state="ready").exists())
    page = story.follow_the_link()
    look(page, "story-home-after")
    page.get_by_role("link", name="Aftercare sheet of").click()
    look(page, "story-sheet")
    page.get_by_role("button", name="I have read this").click()
    expect(page.locator("main")).to_contain_text("Thank you for reading it")
    assert Sheet.objects.get().first_read_at


def six_weeks_pass(session: Session) -> None:
    """What was asked before was answered, and well."""
    rows = CheckIn.objects.filter(session=session)
    now = timezone.now()
    rows.exclude(step__in=["6w", "12w"]).update(state="answered", colour="green", answered_at=now)
    rows.filter(step="6w").update(due_at=now)


def a_picture() -> bytes:
    held = BytesIO()
    Image.new("RGB", (900, 700), "#b98").save(held, "JPEG")
    return held.getvalue()


def tell_of_a_lump(story: Story) -> None:
    """Nothing at all is refused beside its field; then the lump, a score and a photo."""
    today = story.practitioner.go("/today/")
    settled(today)
    expect(today.get_by_text("To call", exact=True)).to_have_count(0)
    story.house.open_check_ins()
    page = story.follow_the_link()
    page.locator("a[href*='/check-ins/']").first.click()
    expect(page.locator("main")).to_contain_text("6 weeks after")
    look(page, "story-check-in")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("none of these")
    look(page, "story-check-in-refused")
    page.get_by_label("There is a new lump").check()
    page.get_by_label("No change").check()
    page.get_by_label("Anything else").fill("It is hard and does not hurt.")
    page.get_by_label("A photo, if you wish").set_input_files(
        {"name": "lump.jpg", "mimeType": "image/jpeg", "buffer": a_picture()}
    )
    page.get_by_role("button", name="Send").dblclick()
    expect(page.locator("main")).to_contain_text("Call the clinic now")
    look(page, "story-check-in-red")
    check_in = CheckIn.objects.get(step="6w")
    assert (check_in.colour, str(check_in.own_value)) == ("red", "4.00")
    assert check_in.photo is not None


def be_told(story: Story) -> None:
    """At once by e-mail, without a name; and on whatever page is open."""
    letter = story.house.letter(story.cast.practitioner.email, 1)
    body = letter.get_body(("plain",)).get_content()
    assert letter["Subject"] == "A check-in needs you"
    assert "/safety/calls/" in body
    assert "Laurent" not in body
    page = story.practitioner.go("/patients/")
    expect(page.get_by_role("alert")).to_contain_text("A check-in needs you at Rive Gauche")
    look(page, "story-alarm")


def work_off(story: Story, session: Session) -> None:
    """On Today: taken, nobody answers, called again, closed."""
    practitioner = story.practitioner
    page = practitioner.go("/today/")
    settled(page)
    expect(page.locator("[aria-labelledby=calls-title]")).to_contain_text("with a photo")
    look(page, "story-today")
    page.get_by_role("button", name="Take this call").click()
    page.wait_for_url(re.compile(r"/safety/calls/\d+/$"))
    expect(page.locator("main")).to_contain_text("Who was told")
    look(page, "story-call")
    page.get_by_label("nobody answered").check()
    page.get_by_role("button", name="Save the call").click()
    page.wait_for_url("**/safety/calls/")
    settled(page)
    look(page, "story-calls")
    page.get_by_role("link", name=re.compile("LAURENT")).first.click()
    page.get_by_label("spoke to the patient").check()
    page.get_by_label("Outcome").fill("Comes in this afternoon.")
    page.get_by_label("How it ended").select_option("seen")
    page.get_by_role("button", name="Save the call").click()
    page.wait_for_url("**/safety/calls/")
    soon(lambda: Call.objects.get().done_at)
    assert Call.objects.get().ending == "seen"
    page = practitioner.go(f"/safety/patients/{story.patient.number}/watch/{session.pk}/")
    settled(page)
    look(page, "story-watch")
