"""One patient all the way through the house, each person on a device of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from aftercare.sheets.models import Sheet
from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from patients.documents.models import Document
from patients.intake.models import History
from patients.registry.models import Patient
from tests.browser.conftest import (
    DESK,
    PHONE,
    TABLET,
    House,
    Person,
    draw_signature,
    look,
    morning_zone,
    settled,
    soon,
)
from tests.conftest import PASSWORD, Cast
from treatments.catalogue.models import Lot, Product
from treatments.consents.models import Consent
from treatments.consultations.models import Consultation
from treatments.diary.models import Appointment
from treatments.plans.models import Plan
from treatments.sessions.models import Session

D = Decimal
MAIL = "camille.laurent@example.org"


@dataclass
class Story:
    """Who takes part, and what has come into being so far."""

    cast: Cast
    house: House
    desk: Person
    tablet: Person
    phone: Person
    seen: set[str] = field(default_factory=set)
    letters: int = 0

    def look(self, page: Page, name: str) -> None:
        look(page, name)
        self.seen.add(name)

    @property
    def patient(self) -> Patient:
        return Patient.objects.get(email=MAIL)

    def next_letter(self) -> str:
        """The personal link in the patient's next letter."""
        self.letters += 1
        return self.house.mailbox.link(self.house.letter(MAIL, self.letters))


@pytest.fixture
def clinic(cast: Cast) -> Cast:
    """The first location in the morning, with lots on its shelf, one of them expired."""
    cast.here.timezone = morning_zone()
    cast.here.save()
    for code, number, days in (
        ("ha-1", "HA-77", 400),
        ("polyvitamin-5", "PV-12", 200),
        ("lmx4-30", "LMX-1", 200),
        ("polyvitamin-5", "PV-OLD", -3),
        ("lidocaine-2", "LI-5", 300),
    ):
        Lot.objects.create(
            location=cast.here,
            product=Product.objects.current().get(code=code),
            number=number,
            expires_on=timezone.localdate() + timedelta(days=days),
            quantity_ml=D(50),
        )
    return cast


@pytest.fixture
def story(clinic: Cast, house: House, person: Callable[..., Person]) -> Story:
    return Story(
        cast=clinic,
        house=house,
        desk=person("front desk", DESK).sign_in(clinic.front_desk),
        tablet=person("practitioner", TABLET).sign_in(clinic.practitioner),
        phone=person("patient", PHONE),
    )


def test_one_patient_from_the_telephone_to_the_call_after_treatment(story: Story) -> None:
    register(story)
    book(story)
    fill_in_the_history(story)
    write_the_note(story)
    make_the_plan(story)
    refuse_a_session_without_consent(story)
    take_the_consent(story)
    treat(story)
    read_the_sheet(story)
    answer_the_check_in(story)
    work_off_the_call(story)


def register(story: Story) -> None:
    """A file of the same name and birth date is shown first and wants an explicit tick."""
    desk = story.desk
    desk.expects("422")
    page = desk.go("/patients/")
    story.look(page, "desk-patients")
    page = desk.go("/patients/register/")
    story.look(page, "desk-register")
    page.get_by_label("Family name").fill("Martin")
    page.get_by_label("Given name").fill("Elodie")
    birth_date(page, 15, 3, 1985)
    page.get_by_label("E-mail").fill(MAIL)
    expect(page.locator("#similar")).to_contain_text("There is a file like this already")
    story.look(page, "desk-register-duplicate")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("There may be a file already")
    story.look(page, "desk-register-refused")
    page.get_by_label("Family name").fill("Laurent")
    page.get_by_label("Given name").fill("Camille")
    birth_date(page, 4, 9, 1990)
    page.get_by_label("Mobile phone").fill("06 12 34 56 78")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("h1")).to_contain_text("LAURENT, Camille")
    story.look(page, "desk-patient")
    assert str(story.patient.phone) == "+33612345678"


def birth_date(page: Page, day: int, month: int, year: int) -> None:
    for part, value in enumerate((day, month, year)):
        page.locator(f"#id_birth_date_{part}").fill(str(value))


def book(story: Story) -> None:
    """The first booking stands; a second at the same time is refused and offers others."""
    desk, cast = story.desk, story.cast
    page = desk.go(f"/patients/{story.patient.number}/")
    page.get_by_role("link", name="Book", exact=True).first.click()
    settled(page)
    story.look(page, "desk-book")
    starts = fill_booking(page, cast.practitioner, hour=11)
    page.get_by_role("button", name="Book", exact=True).click()
    page.wait_for_url(re.compile(r"/diary/\?date="))
    story.look(page, "desk-diary")
    page = desk.go(f"/diary/book/?patient={cast.patient.number}")
    fill_booking(page, cast.practitioner, hour=11)
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_contain_text("is already booked from 11:00")
    story.look(page, "desk-book-refused")
    assert Appointment.objects.get().starts_at == starts


def fill_booking(page: Page, who: Staff, hour: int, service: str = "Consultation") -> datetime:
    """The booking form for today at the clinic."""
    here = who.memberships.first().location  # type: ignore[union-attr]
    day = timezone.localdate(timezone=here.zone)
    page.get_by_label("What for").select_option(label=f"{service}, 30 min")
    page.get_by_label("Date", exact=True).fill(day.isoformat())
    page.get_by_label("Time", exact=True).fill(f"{hour}:00")
    page.locator("#id_practitioner").select_option(str(who.pk))
    settled(page)
    return datetime.combine(day, time(hour), tzinfo=here.zone)


def fill_in_the_history(story: Story) -> None:
    """The link comes by mail; a wrong birth date opens nothing; eight steps, then a signature."""
    page = story.desk.go(f"/patients/{story.patient.number}/")
    settled(page)
    page.get_by_role("button", name="Send a personal link").click()
    page.wait_for_load_state()
    link = story.next_letter()
    phone = story.phone
    phone.expects("422")
    page = phone.go(link)
    story.look(page, "phone-prove")
    birth_date(page, 4, 9, 1991)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("not the date of birth")
    story.look(page, "phone-prove-refused")
    birth_date(page, 4, 9, 1990)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("h1")).to_contain_text("Hello Camille")
    story.look(page, "phone-home")
    page.get_by_role("link", name="Start").click()
    answer_every_step(story, page)
    history = History.objects.get(patient=story.patient)
    assert history.submitted_at
    assert history.weight_kg == D("62.5")


def answer_every_step(story: Story, page: Page) -> None:
    story.look(page, "phone-history-about")
    page.get_by_label("Your weight").fill("62,5")
    onward(page)
    page.wait_for_url("**/history/pregnancy/")
    onward(page)
    expect(page.locator("[data-error-summary]")).to_contain_text("Answer yes or no")
    page.locator("#id_pregnant_1").check()
    page.locator("#id_breastfeeding_1").check()
    for step, none in (
        ("pregnancy", "None of these applies to me"),
        ("conditions", "None of these applies to me"),
        ("medicines", "I take no medicines"),
        ("allergies", "I have no known allergy"),
        ("recent", "None of these applies to me"),
        ("skin", "None of these applies to me"),
        ("hopes", "None of these applies to me"),
    ):
        page.wait_for_url(f"**/history/{step}/")
        if step == "skin":
            page.locator("#id_cold_sores_1").check()
        if step == "hopes":
            page.locator("#id_fear_of_needles_1").check()
            page.get_by_label("What do you hope for?").fill("Fresher skin.")
        expect(page.get_by_label(none)).to_be_visible()
        story.look(page, f"phone-history-{step}")
        page.get_by_label(none).check()
        onward(page)
    page.wait_for_url("**/history/check/")
    story.look(page, "phone-history-check")
    draw_signature(page)
    page.get_by_role("button", name="Sign and send").click()
    page.wait_for_url("**/history/done/")
    story.look(page, "phone-history-done")


def onward(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()
    settled(page)


def write_the_note(story: Story) -> None:
    """From Today to the signed note; the verdicts are beside it."""
    tablet = story.tablet
    page = tablet.go("/today/")
    expect(page.locator(".visit")).to_contain_text("LAURENT, Camille")
    story.look(page, "tablet-today")
    page.get_by_role("button", name="Consultation").click()
    page.wait_for_url(re.compile(r"/consultations/\d+/edit/$"))
    expect(page.locator("[data-verdicts]")).to_be_visible()
    story.look(page, "tablet-note")
    tablet.expects("422")
    page.get_by_label("Concern").fill("Dull skin and fine lines.")
    page.get_by_role("button", name="Sign and close").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    story.look(page, "tablet-note-refused")
    page.get_by_label("Face rejuvenation").check()
    page.get_by_label("Examination").fill("Fine lines of the forehead; no inflammation.")
    page.get_by_label("III: sometimes burns, tans").check()
    page.get_by_label("What was explained").fill("Four sessions; bruises, redness; no promise.")
    page.get_by_label("Alternatives discussed").fill("Creams, waiting.")
    page.get_by_label("Suitable", exact=True).check()
    page.locator("[name=f-0-area]").select_option("forehead")
    page.get_by_label("Lines in motion", exact=True).first.check()
    expect(page.locator("[data-saving]")).to_contain_text("Saved", timeout=15_000)
    page.get_by_role("button", name="Sign and close").click()
    page.wait_for_url(re.compile(r"/consultations/\d+/$"))
    story.look(page, "tablet-note-signed")
    assert Consultation.objects.get().is_signed


def make_the_plan(story: Story) -> None:
    """The published face course: four sessions, 15 days apart."""
    page = story.tablet.go(f"/patients/{story.patient.number}/plans/new/")
    story.look(page, "tablet-plan-new")
    page.get_by_text("Start from a published course").click()
    page.get_by_role("link", name="Face: 4 sessions every 15 days").click()
    page.locator("[name=areas-0-area]").select_option("forehead")
    page.locator("[name=areas-0-technique]").select_option("papule")
    for name, value in {
        "depth_mm": "1.5",
        "spacing_mm": "10",
        "ml_per_point": "0.05",
        "points": "50",
        "needle_gauge": "30",
        "needle_mm": "4",
    }.items():
        page.locator(f"[name=areas-0-{name}]").fill(value)
    page.locator("[name=mix-0-product]").select_option("ha-1")
    page.locator("[name=mix-0-ml]").fill("1.5")
    page.get_by_role("button", name="Another product").click()
    page.locator("[name=mix-1-product]").select_option("polyvitamin-5")
    page.locator("[name=mix-1-ml]").fill("1")
    expect(page.locator("#plan-totals")).to_contain_text("2.5 mL")
    story.look(page, "tablet-plan-filled")
    page.get_by_role("button", name="Save the draft").click()
    page.wait_for_url(re.compile(r"/plans/\d+/$"))
    story.look(page, "tablet-plan-draft")
    page.get_by_role("link", name="Accept the plan").click()
    story.look(page, "tablet-plan-accepting")
    page.get_by_label("Later", exact=True).check()
    page.get_by_label("Go on to book the dates").uncheck()
    page.get_by_role("button", name="Accept now").click()
    expect(page.get_by_role("button", name="Prepare the consent")).to_be_visible()
    story.look(page, "tablet-plan-accepted")
    plan = Plan.objects.get()
    assert [(p.sessions, p.gap_min_days) for p in plan.phases.all()] == [(4, 15)]


def start_page(story: Story) -> Page:
    plan = Plan.objects.get()
    return story.tablet.go(f"/patients/{story.patient.number}/sessions/start/{plan.pk}/")


def refuse_a_session_without_consent(story: Story) -> None:
    page = start_page(story)
    expect(page.locator("main")).to_contain_text("This session cannot start yet")
    expect(page.get_by_role("button", name="Start the session")).to_have_count(0)
    story.look(page, "tablet-session-refused")
    page.get_by_role("link", name="Take the consent").click()
    settled(page)


def take_the_consent(story: Story) -> None:
    """Prepared, handed over, drawn on the tablet, countersigned; the worker makes the PDF."""
    tablet = story.tablet
    page = tablet.page
    page.get_by_role("button", name="Prepare the consent").click()
    page.wait_for_load_state()
    settled(page)
    story.look(page, "tablet-consent-prepared")
    consent = Consent.objects.get()
    page = tablet.go(f"/patients/{story.patient.number}/consents/{consent.pk}/sign/")
    page.get_by_role("button", name="Open the text").click()
    story.look(page, "tablet-consent-sign")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_contain_text("tick every statement")
    for box in page.locator("[name=statements]").all():
        box.check()
    for use in ("record", "teaching", "publicity"):
        page.locator(f"[name=photo_{use}][value=no]").check()
    page.get_by_label("Full name of the person who signs").fill("Camille Laurent")
    draw_signature(page)
    story.look(page, "tablet-consent-drawn")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("h1")).to_contain_text("Thank you")
    story.look(page, "tablet-consent-signed")
    page.get_by_role("link", name="For the clinic").click()
    page.get_by_role("link", name="Countersign").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    draw_signature(page)
    page.get_by_role("button", name="Countersign").click()
    story.house.wait(lambda: Consent.objects.get().document.state == "ready")
    expect(page.get_by_role("link", name="Open PDF")).to_be_visible()
    story.look(page, "tablet-consent")
    consent.refresh_from_db()
    assert consent.method == "drawn"
    assert consent.countersigned_at
    the_pdf_is_whole(tablet, page.get_by_role("link", name="Open PDF").get_attribute("href"))


def the_pdf_is_whole(person: Person, path: str | None) -> None:
    """Its hash is the one that was stored, and it can be read back."""
    answer = person.context.request.get(person.base + str(path))
    assert answer.ok
    document = Document.objects.get(public_id=str(path).split("/documents/")[1].strip("/"))
    assert hashlib.sha256(answer.body()).hexdigest() == document.sha256
    words = "".join(page.extract_text() for page in PdfReader(BytesIO(answer.body())).pages)
    assert len(words) > 500


def treat(story: Story) -> None:
    """From the start to the signature; what is missing or expired cannot be signed."""
    tablet = story.tablet
    tablet.expects("422")
    page = start_page(story)
    story.look(page, "tablet-session-start")
    page.get_by_role("button", name="Start the session").click()
    page.wait_for_url(re.compile(r"/sessions/\d+/edit/$"))
    story.look(page, "tablet-session-empty")
    prepare(page)
    mix(page)
    draw_the_map(page)
    story.look(page, "tablet-session-map")
    page.get_by_role("button", name="Sign and close").click()
    expect(page.locator("[data-sign-problems]")).to_contain_text("dverse event")
    page.locator("#id_obs-observation").fill("Fine papules, no bleeding.")
    page.get_by_label("None", exact=True).check()
    # What is left counts the volume typed just before.
    page.locator("#id_mix-1-ml").fill("1.2")
    page.get_by_role("button", name="All that is left").click()
    expect(page.locator("#id_syr-0-discarded_ml")).not_to_have_value("")
    expect(page.locator("[data-saving]")).to_contain_text("Saved")
    left = page.locator("[data-left]").get_attribute("data-left") or ""
    assert D(page.locator("#id_syr-0-discarded_ml").input_value()) == D(left)
    story.look(page, "tablet-session-filled")
    page.get_by_role("button", name="Sign and close").click()
    page.wait_for_url(re.compile(r"/sessions/\d+/$"))
    story.look(page, "tablet-session-signed")
    session = Session.objects.get()
    assert session.is_signed
    assert {row.lot.number for row in session.mix.all()} == {"HA-77", "PV-12"}


def prepare(page: Page) -> None:
    page.get_by_label("Asked: name and birth date").check()
    page.get_by_label("Asked: nothing has changed").check()
    page.get_by_label("not needed today").check()
    page.get_by_label("Skin antiseptic").fill("Chlorhexidine 2 %")
    page.locator("[data-now=id_prep-cleansed_at]").click()
    page.locator("#id_cream-0-anaesthetic").select_option(label="LMX4 cream (lidocaine 4 %)")
    tube = page.locator("#id_cream-0-lot option", has_text="LMX-1")
    page.locator("#id_cream-0-lot").select_option(tube.get_attribute("value"))
    page.locator("#id_cream-0-grams").fill("3")
    page.locator("#id_cream-0-area_cm2").fill("60")
    page.locator("[data-now=id_cream-0-on_at]").click()
    expect(page.locator("[data-wait]")).to_contain_text("ready at")
    page.locator("[data-now=id_cream-0-off_at]").click()


def mix(page: Page) -> None:
    lots = page.locator("#id_mix-0-lot")
    assert "PV-OLD" not in (lots.text_content() or ""), "an expired lot can be chosen"
    choose_lot(page, 0, "HA-77", "1.5")
    if not page.locator("#id_mix-1-lot").count():
        page.get_by_role("button", name="Another lot").click()
    choose_lot(page, 1, "PV-12", "1")
    page.locator("[data-now=id_syr-0-prepared_at]").click()
    page.locator("#id_syr-0-pharmacy").fill("Pharmacie 417")


def choose_lot(page: Page, row: int, lot: str, ml: str) -> None:
    option = page.locator(f"#id_mix-{row}-lot option", has_text=lot).get_attribute("value")
    page.locator(f"#id_mix-{row}-lot").select_option(option)
    page.locator(f"#id_mix-{row}-ml").fill(ml)


def draw_the_map(page: Page) -> None:
    """A tap adds the area with its first point; a grid fills it; one more tap, and one undone."""
    tap_on(page, "forehead", 0.5, 0.5)
    expect(page.locator("[data-row][data-area=forehead]")).to_be_visible()
    page.locator("#id_area-0-spacing_mm").fill("10")
    page.get_by_role("button", name="Lay grid").click()
    count = page.locator("[data-row] [data-count]")
    expect(count).not_to_have_text("1")
    laid = int(count.inner_text())
    assert laid > 10
    page.get_by_role("button", name="Add point").click()
    expect(page.locator("[data-errors=areas]")).to_contain_text("full at this spacing")
    tap_on(page, "forehead", 0.47, 0.5)
    expect(count).to_have_text(str(laid + 1))
    page.get_by_role("button", name="Undo").click()
    expect(count).to_have_text(str(laid))
    expect(page.locator("[data-saving]")).to_contain_text("Saved")


def tap_on(page: Page, area: str, x: float, y: float) -> None:
    """Tap a region of the chart, at a share of its box."""
    region = page.locator(f".imap-region[data-area={area}]").first
    region.scroll_into_view_if_needed()
    box = region.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)


def read_the_sheet(story: Story) -> None:
    """It goes out by itself after the signature; read on the phone, kept as a PDF."""
    story.house.open_check_ins()
    story.house.wait(lambda: Sheet.objects.filter(document__state="ready").exists())
    link = story.next_letter()
    page = story.phone.go(link)
    if "/prove/" in page.url:
        birth_date(page, 4, 9, 1990)
        page.get_by_role("button", name="Continue").click()
    settled(page)
    story.look(page, "phone-home-after")
    page.get_by_role("link", name="Aftercare sheet of").click()
    story.look(page, "phone-sheet")
    with page.expect_download() as download:
        page.evaluate(
            """() => {
              const links = [...document.querySelectorAll("a")];
              const link = links.find((a) => a.textContent.includes("Download as PDF"));
              link.download = "";
              link.click();
            }"""
        )
    kept = download.value.path().read_bytes()
    assert hashlib.sha256(kept).hexdigest() == Sheet.objects.get().document.sha256
    page.get_by_role("button", name="I have read this").click()
    expect(page.locator("main")).to_contain_text("Thank you for reading it")
    assert Sheet.objects.get().first_read_at


def answer_the_check_in(story: Story) -> None:
    """A day passes; the question comes by mail; a red flag is on Today at once."""
    check_in = CheckIn.objects.filter(session__signed_at__isnull=False).get(step="24h")
    CheckIn.objects.filter(pk=check_in.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    story.house.open_check_ins()
    link = story.next_letter()
    page = story.phone.go(link)
    if "/prove/" in page.url:
        birth_date(page, 4, 9, 1990)
        page.get_by_role("button", name="Continue").click()
    settled(page)
    page.locator("a[href*='/check-ins/']").first.click()
    story.look(page, "phone-check-in")
    page.get_by_label("Redness is spreading").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("Call the clinic now")
    story.look(page, "phone-check-in-red")
    check_in.refresh_from_db()
    assert check_in.colour == "red"


def work_off_the_call(story: Story) -> None:
    page = story.tablet.go("/today/")
    settled(page)
    expect(page.locator("[aria-labelledby=calls-title]")).to_contain_text("LAURENT, Camille")
    story.look(page, "tablet-today-call")
    page.get_by_role("button", name="Take this call").click()
    page.wait_for_url(re.compile(r"/safety/calls/\d+/$"))
    story.look(page, "tablet-call")
    page.get_by_label("spoke to the patient").check()
    page.get_by_label("Outcome").fill("Seen the same afternoon; no infection.")
    page.get_by_label("How it ended").select_option("seen")
    page.get_by_role("button", name="Save the call").click()
    soon(lambda: Call.objects.get().done_at)
    settled(page)
    story.look(page, "tablet-call-done")
    page = story.tablet.go("/today/")
    settled(page)
    expect(page.locator("[aria-labelledby=calls-title]")).to_have_count(0)
