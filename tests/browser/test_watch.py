"""Home again: a lump at week six, on the phone; and the call, worked off on Today."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from aftercare.watch.actions import plan_watch
from aftercare.watch.models import Call, CheckIn
from tests.aftercare.safety_world import make_clinic
from tests.browser.conftest import PHONE, House, Person, look, morning_zone, settled, soon
from tests.conftest import Cast
from treatments.sessions.models import Session

MAIL = "camille.laurent@example.org"


@pytest.fixture
def clinic(cast: Cast, house: House) -> Cast:
    """The first location in the morning. The worker takes a tick of the test's alone."""
    cast.here.timezone = morning_zone()
    cast.here.save()
    return cast


@pytest.fixture
def session(clinic: Cast) -> Session:
    """Treated six weeks and an hour ago."""
    made = make_clinic(clinic)
    patient = made.patient("Camille", email=MAIL, phone="+33612345678")
    at = timezone.now() - timedelta(weeks=6, hours=1)
    session = made.session(patient, at=at)
    plan_watch(session=session)
    early = timezone.now() - timedelta(days=5)
    CheckIn.objects.filter(session=session).exclude(step__in=["6w", "12w"]).update(
        state="answered", colour="green", answered_at=early
    )
    CheckIn.objects.filter(session=session, step="6w").update(due_at=timezone.now())
    return session


def a_picture() -> bytes:
    held = BytesIO()
    Image.new("RGB", (900, 700), "#b98").save(held, "JPEG")
    return held.getvalue()


def test_a_lump_at_week_six_is_told_on_the_phone_and_the_patient_is_called(
    clinic: Cast, house: House, person: Callable[..., Person], session: Session
) -> None:
    phone = person("patient", PHONE)
    practitioner = person("practitioner", PHONE).sign_in(clinic.practitioner)
    today = practitioner.go("/today/")
    settled(today)
    expect(today.get_by_text("To call", exact=True)).to_have_count(0)
    house.open_check_ins()
    page = prove(phone, house, session)
    page.locator("a[href*='/check-ins/']").first.click()
    expect(page.locator("main")).to_contain_text("6 weeks after")
    look(page, "watch-phone-check-in")
    tell(page, phone)
    check_in = CheckIn.objects.get(session=session, step="6w")
    assert (check_in.colour, str(check_in.own_value)) == ("red", "4.00")
    assert check_in.photo is not None
    work_off(practitioner, check_in)
    soon(lambda: Call.objects.get().done_at)
    assert Call.objects.get().ending == "seen"


def prove(phone: Person, house: House, session: Session) -> Page:
    """The message comes; its link asks for the birth date and nothing else."""
    page = phone.go(house.mailbox.link(house.letter(MAIL, 1)))
    born = session.patient.birth_date
    for part, value in enumerate((born.day, born.month, born.year)):
        page.locator(f"#id_birth_date_{part}").fill(str(value))
    page.get_by_role("button", name="Continue").click()
    settled(page)
    return page


def tell(page: Page, phone: Person) -> None:
    """Nothing at all is refused beside its field; then the lump, a score and a photo."""
    phone.expects("422")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("none of these")
    look(page, "watch-phone-refused")
    page.get_by_label("There is a new lump").check()
    page.get_by_label("No change").check()
    page.get_by_label("Anything else").fill("It is hard and does not hurt.")
    page.get_by_label("A photo, if you wish").set_input_files(
        {"name": "lump.jpg", "mimeType": "image/jpeg", "buffer": a_picture()}
    )
    page.get_by_role("button", name="Send").dblclick()
    expect(page.locator("main")).to_contain_text("Call the clinic now")
    look(page, "watch-phone-red")


def work_off(practitioner: Person, check_in: CheckIn) -> None:
    """On Today, on a phone as well: taken, nobody answers, called again, closed."""
    page = practitioner.go("/today/")
    settled(page)
    expect(page.locator("[aria-labelledby=calls-title]")).to_contain_text("with a photo")
    look(page, "watch-phone-today")
    page.get_by_role("button", name="Take this call").click()
    page.wait_for_url(re.compile(r"/safety/calls/\d+/$"))
    look(page, "watch-phone-call")
    page.get_by_label("nobody answered").check()
    page.get_by_role("button", name="Save the call").click()
    page.wait_for_url("**/safety/calls/")
    settled(page)
    look(page, "watch-phone-calls")
    page.get_by_role("link", name=re.compile("FAMILY")).first.click()
    page.get_by_label("spoke to the patient").check()
    page.get_by_label("Outcome").fill("Comes in this afternoon.")
    page.get_by_label("How it ended").select_option("seen")
    page.get_by_role("button", name="Save the call").click()
    page.wait_for_url("**/safety/calls/")
    page = practitioner.go(
        f"/safety/patients/{check_in.patient.number}/watch/{check_in.session_id}/"
    )
    settled(page)
    look(page, "watch-phone-session")
