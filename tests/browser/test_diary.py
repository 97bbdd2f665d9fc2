"""The diary in a real browser: by mouse, by keyboard, and with others at work on the same day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, SIZES, Person, look, sizes, soon
from tests.browser.test_pages import LONG_FAMILY, LONG_GIVEN
from tests.conftest import Cast, make_patient
from treatments.diary.actions import book, move
from treatments.diary.blocks import block
from treatments.diary.models import Appointment, Block

pytestmark = pytest.mark.django_db(transaction=True)

SLOT = 24
"""Pixels of a quarter of an hour."""


def tomorrow(cast: Cast) -> date:
    return timezone.localdate(timezone=cast.here.zone) + timedelta(days=1)


def at(cast: Cast, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(tomorrow(cast), time(hour, minute), tzinfo=cast.here.zone)


def booked(cast: Cast, hour: int, minute: int = 0, **wish: Any) -> Appointment:
    wish = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.treatment,
        "starts_at": at(cast, hour, minute),
        "practitioner": cast.practitioner,
    } | wish
    return book(**wish)


@pytest.fixture
def desk(person: Callable[..., Person], cast: Cast) -> Person:
    return person("desk", DESK).sign_in(cast.front_desk)


def opened(someone: Person, cast: Cast, view: str = "day") -> Page:
    page = someone.go(f"/diary/?date={tomorrow(cast)}&view={view}")
    if view != "list":
        expect(page.locator(".calendar .ec-body")).to_be_visible()
    return page


def card(page: Page, row: Appointment) -> Locator:
    return page.locator(f"#a{row.pk}")


def middle(spot: Locator) -> tuple[float, float]:
    spot.scroll_into_view_if_needed()
    box = spot.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], right: float = 0, down: float = 0) -> None:
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2, steps=4)
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def test_a_card_is_moved_and_made_longer_by_mouse_and_taken_back(cast: Cast, desk: Person) -> None:
    row = booked(cast, 9)
    page = opened(desk, cast)
    column = page.locator(".ec-day").first.bounding_box()
    assert column
    drag(page, middle(card(page, row)), column["width"], 4 * SLOT)
    expect(page.locator(".toast-success")).to_contain_text("at 10:00 with Noor Haddad")
    expect(card(page, row)).to_contain_text("10:00")
    row.refresh_from_db()
    assert (row.starts_at, row.practitioner) == (at(cast, 10), cast.colleague)
    edge = card(page, row).locator(".ec-resizer")
    drag(page, middle(edge), 0, 2 * SLOT)
    soon(lambda: Appointment.objects.get().ends_at == at(cast, 11, 15))
    expect(page.locator(".toast-success")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast-success")).to_contain_text("Undone")
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (at(cast, 10), at(cast, 10, 45))


def test_a_refused_card_goes_back_and_another_time_is_one_click(cast: Cast, desk: Person) -> None:
    cast.here.allows_overlap = True
    cast.here.save()
    row = booked(cast, 9)
    booked(cast, 11, patient=make_patient(cast.here, "Ana", "López"))
    desk.expects("422")
    page = opened(desk, cast)
    before = card(page, row).bounding_box()
    drag(page, middle(card(page, row)), 0, 8 * SLOT)
    dialog = page.locator("#refused")
    expect(dialog).to_contain_text("Ada Rossi is already booked from 11:00 to 11:45")
    assert card(page, row).bounding_box() == before
    look(page, "diary-refused")
    dialog.get_by_role("button", name="11:45").click()
    expect(card(page, row)).to_contain_text("11:45")
    drag(page, middle(card(page, row)), 0, -3 * SLOT)
    dialog.get_by_label("Why it is booked over").fill("Acute pain")
    dialog.get_by_role("button", name="Book over it").click()
    expect(card(page, row)).to_contain_text("Booked over")
    row.refresh_from_db()
    assert (row.starts_at, row.overlap_reason) == (at(cast, 11), "Acute pain")


def test_the_second_of_two_tabs_is_told_and_sees_it_as_it_is(cast: Cast, desk: Person) -> None:
    row = booked(cast, 9)
    desk.expects("422")
    page = opened(desk, cast)
    move(by=cast.manager, appointment=row, starts_at=at(cast, 12), practitioner=cast.practitioner)
    drag(page, middle(card(page, row)), 0, 4 * SLOT)
    expect(page.locator("#refused")).to_contain_text("Someone has changed this appointment")
    expect(card(page, row)).to_contain_text("12:00")
    row.refresh_from_db()
    assert row.starts_at == at(cast, 12)


def test_a_card_reached_by_its_address_is_seen_and_keeps_the_keyboard(
    cast: Cast, desk: Person
) -> None:
    row = booked(cast, 9, 30)
    page = desk.go(f"/diary/?date={tomorrow(cast)}#a{row.pk}")
    expect(card(page, row)).to_be_focused()
    page.wait_for_load_state("networkidle")
    expect(card(page, row)).to_be_focused()
    head = page.locator(".ec-col-head").first.bounding_box()
    seen = card(page, row).bounding_box()
    assert head
    assert seen
    assert seen["y"] >= head["y"] + head["height"]


def test_free_time_is_booked_by_a_click_and_blocked_by_a_stroke(cast: Cast, desk: Person) -> None:
    page = opened(desk, cast)
    column = page.locator(".ec-day").first.bounding_box()
    assert column
    x = column["x"] + column["width"] / 2
    drag(page, (x, column["y"] + 4 * SLOT + 4), 0, 4 * SLOT)
    page.locator("#selected").get_by_role("link", name="Block").click()
    page.get_by_label("Reason").fill("Team meeting")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.locator(".is-blocked")).to_contain_text("Team meeting")
    row = Block.objects.get()
    assert (row.staff, row.starts_at, row.ends_at) == (
        cast.practitioner,
        at(cast, 9),
        at(cast, 10, 15),
    )
    page = opened(desk, cast)
    page.mouse.click(x, column["y"] + 5 * SLOT)
    page.get_by_role("button", name="Give the time back").click()
    soon(lambda: not Block.objects.exists())
    page = opened(desk, cast)
    page.mouse.click(x, column["y"] + 8 * SLOT + 4)
    page.get_by_role("link", name="MARTIN, Élodie").click()
    expect(page.get_by_label("Time")).to_have_value("10:00")
    expect(page.get_by_label("Practitioner")).to_have_value(str(cast.practitioner.pk))


def test_the_list_does_it_all_by_keyboard(cast: Cast, desk: Person) -> None:
    row = booked(cast, 9)
    page = opened(desk, cast, "list")
    page.get_by_role("link", name=re.compile(r"Move\s*: 09:00 MARTIN, Élodie")).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Time").fill("14:30")
    page.get_by_label("Minutes").fill("60")
    page.get_by_label("Minutes").press("Enter")
    expect(page.get_by_role("link", name="14:30–15:30")).to_be_visible()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("link", name="09:00–09:45")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Arrived\s*: 09:00 MARTIN, Élodie")).press("Enter")
    expect(page.get_by_role("button", name=re.compile(r"In room\s*: 09:00"))).to_be_visible()
    page.get_by_role("link", name=re.compile(r"More\s*: 09:00")).press("Enter")
    page.locator("summary", has_text="Cancel the appointment").press("Enter")
    page.get_by_label("Reason").fill("ill")
    page.get_by_role("button", name="Yes, cancel it").press("Enter")
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()
    row.refresh_from_db()
    assert row.status == "cancelled"
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Block time")).to_be_visible()


def test_a_card_opens_by_keyboard_and_moves_without_dragging(cast: Cast, desk: Person) -> None:
    row = booked(cast, 9)
    page = opened(desk, cast)
    card(page, row).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#visit")).to_be_visible()
    look(page, "diary-visit")
    page.locator("#visit").get_by_role("link", name="Move to…").press("Enter")
    page.locator("#visit").get_by_label("Time").fill("16:00")
    page.locator("#visit").get_by_role("button", name="Move", exact=True).press("Enter")
    expect(card(page, row)).to_contain_text("16:00")
    assert "/diary/?date=" in page.url


def test_names_are_hidden_and_stay_hidden_and_keys_can_be_off(cast: Cast, desk: Person) -> None:
    booked(cast, 9)
    page = opened(desk, cast)
    name = page.locator("[data-name]").first
    page.keyboard.press("v")
    shown = "(e) => [getComputedStyle(e).fontSize, getComputedStyle(e, '::after').content]"
    assert name.evaluate(shown) == ["0px", '"ÉM"']
    page = opened(desk, cast, "list")
    assert page.locator("[data-name]").first.evaluate(shown) == ["0px", '"ÉM"']
    # Keys count once the script is there, which shows the button that does the same.
    page.wait_for_function("!document.querySelector('[data-hide-names]').hidden")
    page.keyboard.press("v")
    assert page.locator("[data-name]").first.evaluate(shown)[0] != "0px"
    page.keyboard.press("?")
    look(page, "diary-keys")
    page.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("/")
    assert "view=list" in page.url
    expect(page.locator("[data-search]")).not_to_be_focused()


def a_while_later(page: Page) -> None:
    page.clock.fast_forward(21_000)


@pytest.mark.parametrize("view", ["day", "list"])
def test_what_a_colleague_books_appears_by_itself(cast: Cast, desk: Person, view: str) -> None:
    desk.page.clock.install()
    page = opened(desk, cast, view)
    row = booked(cast, 9)
    a_while_later(page)
    expect(card(page, row)).to_contain_text("MARTIN, Élodie")


def test_a_login_that_idled_away_ends_at_the_sign_in(cast: Cast, desk: Person) -> None:
    desk.page.clock.install()
    opened(desk, cast)
    [key] = [
        cookie["value"]
        for cookie in desk.context.cookies()
        if cookie["name"] == settings.SESSION_COOKIE_NAME
    ]
    Session.objects.filter(session_key=key).delete()
    desk.expects("401")  # the browser's own line about the answer that sends it to the sign-in
    a_while_later(desk.page)
    desk.page.wait_for_url("**/sign-in/**")


@pytest.mark.parametrize("size", sizes("desk", "tablet", "phone"))
def test_day_room_week_and_list_at_every_size(
    cast: Cast, person: Callable[..., Person], size: str
) -> None:
    cast.treatment.before_minutes, cast.treatment.after_minutes = 20, 15
    cast.treatment.save()
    booked(cast, 9, patient=make_patient(cast.here, LONG_GIVEN, LONG_FAMILY))
    booked(cast, 9, practitioner=cast.colleague)
    block(
        by=cast.manager,
        location=cast.here,
        staff=cast.practitioner,
        starts_at=at(cast, 12),
        ends_at=at(cast, 13),
        reason="Lunch",
    )
    someone = person(size, SIZES[size]).sign_in(cast.front_desk)
    for view in ("day", "day&by=room", "list"):
        look(opened(someone, cast, view), f"diary-{view.replace('&', '-')}-{size}")
    if size == "desk":
        someone.page.emulate_media(color_scheme="dark")
        look(opened(someone, cast, "week"), "diary-week-dark")


def test_on_paper_a_day_is_a_table_for_each_practitioner(cast: Cast, desk: Person) -> None:
    booked(cast, 9)
    page = opened(desk, cast)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    sheet = page.locator("[data-print-day]")
    expect(sheet.get_by_role("heading", name="Ada Rossi")).to_be_visible()
    expect(sheet.locator("tbody tr")).to_contain_text("09:00–09:45")
    expect(sheet).to_contain_text("Nothing booked")
    expect(page.locator(".calendar")).to_be_hidden()


def test_without_scripts_the_day_is_the_list(cast: Cast, person: Callable[..., Person]) -> None:
    booked(cast, 9)
    plain = person("plain", DESK, java_script_enabled=False).sign_in(cast.front_desk)
    page = plain.go(f"/diary/?date={tomorrow(cast)}")
    page.wait_for_url("**view=list**")
    page.get_by_role("button", name=re.compile(r"Arrived\s*: 09:00")).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    assert Appointment.objects.get().status == "booked"
