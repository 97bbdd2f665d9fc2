"""The note in a real browser: nothing typed or drawn is lost, and nothing false is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session as LoginSession
from playwright.sync_api import Locator, Page, expect

from clinic.audit.context import SYSTEM, acting
from tests.browser.conftest import (
    DESK,
    PHONE,
    SIZES,
    TABLET,
    Person,
    look,
    settled,
    sign_in,
    sign_in_by_hand,
    sizes,
    soon,
)
from tests.conftest import Cast
from tests.patients.photo_parts import add, allow, sent
from tests.treatments.plan_parts import COMPLETE_NOTE, hand_in_history, signed_note
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.models import Consultation

CUT = ("ERR_INTERNET_DISCONNECTED", "Failed to fetch", "ERR_CONNECTION", "NetworkError", "htmx:")


@pytest.fixture
def note(cast: Cast) -> Consultation:
    with acting(SYSTEM):
        hand_in_history(cast.patient)
        return start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)


@pytest.fixture
def tablet(cast: Cast, person: Callable[..., Person]) -> Person:
    someone = person("practitioner", TABLET).sign_in(cast.practitioner)
    someone.expects(*CUT)
    return someone


def address(note: Consultation) -> str:
    return f"/patients/{note.patient.number}/consultations/{note.pk}/edit/"


def open_note(who: Person, note: Consultation) -> Page:
    page = who.go(address(note))
    settled(page)
    expect(page.locator(".draw-over")).to_be_visible()
    return page


def state(page: Page) -> Locator:
    return page.locator("[data-saving]")


def is_saved(page: Page) -> None:
    expect(state(page)).to_have_text(re.compile(r"^Saved \d\d:\d\d$"), timeout=15_000)


def is_kept_offline(page: Page) -> None:
    words = "Not saved: offline · kept on this device"
    expect(state(page)).to_have_text(words, timeout=15_000)


def draw(page: Page, count: int = 1) -> None:
    """Strokes on the chart, each somewhere else."""
    sheet = page.locator(".draw-over")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box
    for number in range(count):
        x = box["x"] + box["width"] * (0.3 + 0.02 * (number % 20))
        y = box["y"] + box["height"] * (0.3 + 0.015 * (number // 20))
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 6):
            page.mouse.move(x + 3 * step, y + (4 if step % 2 else -4))
        page.mouse.up()


def kept(page: Page) -> list[str]:
    """What this browser keeps, as stored."""
    found: list[str] = page.evaluate(
        "Object.keys(localStorage).filter((name) => name.startsWith('kept:'))"
        ".map((name) => localStorage.getItem(name))"
    )
    return found


def in_sight(page: Page) -> None:
    """Wherever one is on the page, the state of saving stands right below the patient bar."""
    page.locator("#decide").scroll_into_view_if_needed()
    covered = page.evaluate(
        """() => { const box = document.querySelector("[data-saving]").getBoundingClientRect();
           return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
             .closest("[data-saving]") === null; }"""
    )
    assert not covered


def test_typed_and_drawn_without_a_network_then_reloaded(
    note: Consultation, tablet: Person
) -> None:
    page = open_note(tablet, note)
    tablet.context.set_offline(True)
    page.get_by_label("Concern").fill("Written in the lift.")
    page.get_by_label("Advice").fill("Sunscreen.")
    page.locator("[name=f-0-area]").select_option("cheek")
    page.locator("[name=f-0-words]").fill("darker on the left")
    page.get_by_role("button", name="Another area").click()
    page.locator("[name=f-1-area]").select_option("forehead")
    page.locator("[data-finding]").nth(1).get_by_label("Pigment", exact=True).check()
    draw(page, 12)
    is_kept_offline(page)
    (stored,) = kept(page)
    assert "lift" not in stored
    # The browser goes down with the tab still offline; the network is back for the next visit.
    page.close()
    tablet.context.set_offline(False)
    tablet.page = again = tablet.context.new_page()
    again.goto(tablet.base + address(note))
    expect(again.get_by_text("What this device had kept is saved now.")).to_be_visible()
    is_saved(again)
    assert again.get_by_label("Concern").input_value() == "Written in the lift."
    expect(again.locator("[data-mark-list] li")).to_have_count(12)
    assert kept(again) == []
    note.refresh_from_db()
    assert (note.concern, note.advice) == ("Written in the lift.", "Sunscreen.")
    assert [(row["area"], row["signs"]) for row in note.findings] == [
        ("cheek", []),
        ("forehead", ["pigment"]),
    ]
    assert note.findings[0]["words"] == "darker on the left"
    assert note.marks.count() == 12


def test_the_network_comes_back_to_the_open_page(note: Consultation, tablet: Person) -> None:
    page = open_note(tablet, note)
    draw(page)
    is_saved(page)
    tablet.context.set_offline(True)
    page.get_by_label("Examination").fill("Half a sentence")
    draw(page, 2)
    is_kept_offline(page)
    page.get_by_role("button", name="Sign and close").click()
    is_kept_offline(page)
    expect(page).to_have_url(re.compile("/edit/$"))
    tablet.context.set_offline(False)
    is_saved(page)
    assert kept(page) == []
    note.refresh_from_db()
    assert note.examination == "Half a sentence"
    assert note.marks.count() == 3
    assert not note.is_signed


def test_a_server_that_fails_is_no_saved(note: Consultation, tablet: Person) -> None:
    tablet.expects("500")
    page = open_note(tablet, note)
    page.route("**/edit/", lambda route: route.fulfill(status=500, body="<html>broken</html>"))
    page.get_by_label("Concern").fill("Not lost.")
    expect(state(page)).to_contain_text("Not saved: the clinic did not answer · kept")
    page.unroute("**/edit/")
    is_saved(page)


def test_an_answer_that_never_came_is_sent_again_and_kept_once(
    note: Consultation, tablet: Person
) -> None:
    """The server has saved, its answer is lost: the page says not saved, and sends the same."""
    page = open_note(tablet, note)

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/edit/", lose)
    draw(page)
    page.get_by_label("Concern").fill("Once.")
    expect(state(page)).to_contain_text("Not saved")
    page.unroute("**/edit/")
    is_saved(page)
    note.refresh_from_db()
    assert (note.concern, note.marks.count()) == ("Once.", 1)


def test_signed_out_and_in_again_after_a_reload(
    cast: Cast, note: Consultation, tablet: Person
) -> None:
    page = open_note(tablet, note)
    LoginSession.objects.all().delete()
    page.get_by_label("Concern").fill("Before the login ended.")
    draw(page)
    expect(state(page)).to_contain_text("sign in again")
    page.goto(tablet.base + "/today/")
    assert len(kept(page)) == 1
    sign_in_by_hand(page, cast.practitioner)
    page.wait_for_url("**/today/")
    # Today says where words are waiting.
    expect(page.get_by_text("words on this device are not saved yet")).to_be_visible()
    page.get_by_role("link", name="MARTIN, Élodie").last.click()
    is_saved(page)
    note.refresh_from_db()
    assert (note.concern, note.marks.count()) == ("Before the login ended.", 1)


def test_what_one_person_left_another_can_neither_read_nor_send(
    cast: Cast, note: Consultation, tablet: Person
) -> None:
    page = open_note(tablet, note)
    tablet.context.set_offline(True)
    page.get_by_label("Concern").fill("Only hers: CANARY")
    is_kept_offline(page)
    page.close()
    tablet.context.set_offline(False)
    sign_in(tablet.context, tablet.base, cast.colleague)
    tablet.page = other = tablet.context.new_page()
    other.goto(tablet.base + address(note))
    settled(other)
    assert other.get_by_label("Concern").input_value() == ""
    (stored,) = kept(other)
    assert "CANARY" not in stored
    tried = """async (stored) => {
      const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const mine = document.querySelector("[data-key]").dataset.key;
      const key = await crypto.subtle.importKey("raw", bytes(mine), "AES-GCM", false, ["decrypt"]);
      const [, iv, sealed] = stored.split(".");
      return crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv) }, key, bytes(sealed)).then(
        () => "read", () => "noise");
    }"""
    assert other.evaluate(tried, stored) == "noise"
    # The negative control: her own page reads it.
    sign_in(tablet.context, tablet.base, cast.practitioner)
    other.goto(tablet.base + address(note))
    is_saved(other)
    assert other.get_by_label("Concern").input_value() == "Only hers: CANARY"


def test_words_left_behind_by_a_signature_become_an_addendum(
    cast: Cast, note: Consultation, tablet: Person
) -> None:
    page = open_note(tablet, note)
    tablet.context.set_offline(True)
    page.get_by_label("Advice").fill("Too late for the note.")
    is_kept_offline(page)
    page.close()
    tablet.context.set_offline(False)
    with acting(SYSTEM):
        other = {"by": cast.colleague, "consultation": note}
        save_consultation(**other, revision=0, values=dict(COMPLETE_NOTE))
        sign_consultation(**other)
    tablet.page = again = tablet.context.new_page()
    again.goto(tablet.base + address(note))
    expect(again.locator("[data-left]")).to_contain_text("Too late for the note.")
    look(again, "note-left")
    again.get_by_role("button", name="Put them into an addendum").click()
    expect(again.get_by_label("Addendum")).to_have_value("Too late for the note.")
    again.get_by_role("button", name="Throw away").click()
    expect(again.locator("[data-left]")).to_be_hidden()
    assert kept(again) == []


def test_someone_else_signs_in_under_an_open_page(
    cast: Cast, note: Consultation, tablet: Person
) -> None:
    tablet.expects("409", "403")
    page = open_note(tablet, note)
    sign_in(tablet.context, tablet.base, cast.colleague)
    page.get_by_label("Concern").fill("Not under another name.")
    expect(state(page)).to_contain_text("someone else has signed in")
    note.refresh_from_db()
    assert note.concern == ""
    assert len(kept(page)) == 1


def test_two_tabs_write_in_different_sections(note: Consultation, tablet: Person) -> None:
    older = open_note(tablet, note)
    newer = tablet.context.new_page()
    newer.goto(tablet.base + address(note))
    settled(newer)
    newer.get_by_label("Concern").fill("In the newer tab.")
    is_saved(newer)
    older.get_by_label("Advice").fill("In the older tab.")
    is_saved(older)
    note.refresh_from_db()
    assert (note.concern, note.advice) == ("In the newer tab.", "In the older tab.")
    newer.bring_to_front()
    newer.evaluate("dispatchEvent(new Event('focus'))")
    expect(newer.get_by_label("Advice")).to_have_value("In the older tab.")


@pytest.mark.parametrize(
    ("press", "result"),
    [
        ("Keep the saved one", "Theirs."),
        ("Keep both", "Theirs.\n\nMine."),
    ],
)
def test_two_tabs_write_in_the_same_section(
    note: Consultation, tablet: Person, press: str, result: str
) -> None:
    tablet.expects("409")
    older = open_note(tablet, note)
    newer = tablet.context.new_page()
    newer.goto(tablet.base + address(note))
    settled(newer)
    newer.get_by_label("Examination").fill("Theirs.")
    is_saved(newer)
    older.bring_to_front()
    older.get_by_label("Examination").fill("Mine.")
    expect(older.locator(".clash")).to_contain_text("Mine.")
    expect(older.locator(".clash")).to_contain_text("Theirs.")
    expect(state(older)).to_contain_text("Not saved: changed elsewhere")
    if press == "Keep both":
        look(older, "note-clash")
    older.get_by_role("button", name=press).click()
    soon(lambda: Consultation.objects.get(pk=note.pk).examination == result)
    expect(older.locator("[data-clashes]")).to_be_hidden()
    settled(older)
    expect(older.get_by_label("Examination")).to_have_value(result)
    older.wait_for_function(
        "() => !Object.keys(localStorage).some((name) => name.startsWith('kept:'))"
    )


def test_two_people(cast: Cast, note: Consultation, tablet: Person, person: Any) -> None:
    other = person("colleague", DESK).sign_in(cast.colleague)
    other.expects("423")
    tablet.expects("423")
    late = open_note(other, note)
    page = open_note(tablet, note)
    page.get_by_label("Concern").fill("Hers.")
    is_saved(page)
    # He had it open, writes later, and is told who and since when.
    late.get_by_label("Advice").fill("His.")
    expect(late.locator("[data-held]")).to_contain_text("Ada Rossi is writing here since")
    expect(state(late)).to_contain_text("Not saved")
    look(late, "note-held")
    # Opening it now shows it to read.
    reader = other.context.new_page()
    reader.goto(other.base + address(note))
    expect(reader.locator("main")).to_contain_text("Ada Rossi is writing here since")
    expect(reader.locator("main")).to_contain_text("Hers.")
    expect(reader.locator("form#note")).to_have_count(0)
    look(reader, "note-held-read")
    late.bring_to_front()
    late.get_by_role("button", name="Take over").click()
    is_saved(late)
    page.get_by_label("Concern").fill("Hers, and more.")
    expect(page.locator("[data-held]")).to_contain_text("Noor Haddad is writing here since")
    assert page.get_by_label("Concern").input_value() == "Hers, and more."
    note.refresh_from_db()
    assert (note.concern, note.advice) == ("Hers.", "His.")
    page.get_by_role("button", name="Take over").click()
    is_saved(page)
    note.refresh_from_db()
    assert (note.concern, note.advice) == ("Hers, and more.", "His.")


def test_scales_come_with_the_indication_and_are_scored(note: Consultation, tablet: Person) -> None:
    tablet.expects("422")
    page = open_note(tablet, note)
    page.get_by_label("Melasma", exact=True).check()
    masi = page.locator("[data-scale='masi-']")
    expect(masi).to_be_visible()
    worked = {
        "f-a": 3, "f-d": 2, "f-h": 2, "lm-a": 4, "lm-d": 3, "lm-h": 2,
        "rm-a": 4, "rm-d": 3, "rm-h": 3, "c-a": 2, "c-d": 1, "c-h": 1,
    }  # fmt: skip
    for code, value in worked.items():
        page.locator(f"[name=score-masi--{code}]").select_option(str(value))
    expect(masi.locator("[data-score]")).to_have_text("17.2 of 48")
    page.get_by_label("Low back pain", exact=True).check()
    pain = page.locator("[name=score-nrs-pain--value]")
    pain.fill("12")
    expect(page.locator("[data-live-error]")).to_have_text("A number from 0 to 10.")
    expect(state(page)).to_contain_text("some entries need correcting")
    pain.fill("6")
    is_saved(page)
    expect(page.locator("[data-scale='nrs-pain-'] [data-score]")).to_have_text("6 of 10 (moderate)")
    look(page, "note-scales")


def test_marks_by_the_keyboard_undone_and_taken_away(note: Consultation, tablet: Person) -> None:
    page = open_note(tablet, note)
    page.locator("[data-pin-at]").select_option(label="Forehead")
    page.get_by_role("button", name="Add a pin").press("Enter")
    page.get_by_label("In words").last.fill("old scar")
    page.locator("[data-mark-list] select").select_option("scar")
    is_saved(page)
    mark = note.marks.get()
    assert (mark.kind, mark.sign, mark.words) == ("pin", "scar", "old scar")
    draw(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-mark-list] li")).to_have_count(1)
    page.locator("[data-mark-list]").get_by_role("button", name="Remove").click()
    is_saved(page)
    assert note.marks.count() == 0


def test_template_and_last_note_fill_without_overwriting(
    cast: Cast, note: Consultation, tablet: Person
) -> None:
    with acting(SYSTEM):
        save_consultation(
            by=cast.practitioner, consultation=note, revision=0, values={"advice": "Mine."}
        )
    page = open_note(tablet, note)
    page.get_by_label("Concern").fill("Typed just now")
    page.get_by_text("Fill the empty parts from a template").click()
    page.get_by_role("button", name="Melasma").click()
    expect(page.get_by_text("From the template Melasma").first).to_be_visible()
    assert page.get_by_label("Concern").input_value() == "Typed just now"
    assert page.get_by_label("Advice").input_value() == "Mine."
    look(page, "note-template")
    examination = page.locator("[data-origin=examination]")
    expect(examination).to_be_visible()
    page.get_by_label("Examination").fill("Seen and written")
    is_saved(page)
    expect(examination).to_be_hidden()
    page.locator("[data-origin=discussion]").get_by_role("button", name="It holds").click()
    settled(page)
    expect(page.locator("[data-origin=discussion]")).to_have_count(0)


@pytest.mark.parametrize(
    ("size", "language"),
    [
        pytest.param(DESK, "en", id="desk", marks=pytest.mark.soak),
        pytest.param(TABLET, "fr", id="tablet in French", marks=pytest.mark.soak),
        pytest.param(PHONE, "fr", id="phone in French"),
    ],
)
def test_a_full_note_looks_right(
    size: dict[str, int], language: str, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        signed = signed_note(cast, indications=["low-back-pain"])
        draft = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
        values = {**COMPLETE_NOTE, "indications": ["melasma", "alopecia"], "areas": ["cheek"]}
        save_consultation(by=cast.practitioner, consultation=draft, revision=0, values=values)
    someone = person("practitioner", size).sign_in(cast.practitioner)
    someone.context.add_cookies([{"name": "language", "value": language, "url": someone.base}])
    page = open_note(someone, draft)
    expect(page.locator("html")).to_have_attribute("lang", language)
    draw(page, 3)
    expect(state(page)).to_have_attribute("data-state", "saved", timeout=15_000)
    in_sight(page)
    look(page, f"note-edit-{size['width']}")
    someone.go(f"/patients/{cast.patient.number}/consultations/{signed.pk}/")
    look(page, f"note-read-{size['width']}")
    someone.go(f"/patients/{cast.patient.number}/consultations/{draft.pk}/")
    look(page, f"note-draft-{size['width']}")


@pytest.mark.parametrize("size", sizes("desk", "tablet", "phone"))
def test_the_photos_beside_a_note_are_small(
    size: str, cast: Cast, note: Consultation, person: Callable[..., Person]
) -> None:
    allow(cast)
    add(cast, sent=sent((900, 1200)))
    page = open_note(person("doctor", SIZES[size]).sign_in(cast.practitioner), note)
    photo = page.locator(".photo-tile img")
    photo.scroll_into_view_if_needed()
    expect(photo).to_have_js_property("complete", True)
    look(page, f"note-photos-{size}")
    box = photo.bounding_box()
    assert box is not None
    assert box["width"] < 150
