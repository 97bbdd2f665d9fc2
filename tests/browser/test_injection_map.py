"""The injection map in a real browser: by finger, by keyboard alone, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from clinic.audit.context import SYSTEM, acting
from tests.treatments.session_world import World, make_lot, make_world
from treatments.sessions.models import Session

SAVED = re.compile(r"^Saved \d\d:\d\d$")

TOO_SMALL = """
  [...document.querySelectorAll("main button, main select, main input, main summary")]
    .filter((e) => e.checkVisibility())
    .filter((e) => !e.matches(".visually-hidden, [type=checkbox], [type=radio]"))
    .filter((e) => e.getBoundingClientRect().height < 44)
    .map((e) => e.outerHTML.slice(0, 120))
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(cast: Any) -> World:
    with acting(SYSTEM):
        return make_world(cast)


@pytest.fixture
def session(world: World) -> Session:
    with acting(SYSTEM):
        return world.start(at=None)


def signed_in(browser: Any, live_server: Any, cast: Any, **options: Any) -> BrowserContext:
    client = Client()
    client.force_login(cast.practitioner, backend="clinic.access.backend.StaffBackend")
    name = django_settings.SESSION_COOKIE_NAME
    options.setdefault("viewport", {"width": 820, "height": 1180})
    context: BrowserContext = browser.new_context(**options)
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
    )
    return context


@pytest.fixture
def page(browser: Any, live_server: Any, cast: Any) -> Iterator[Page]:
    context = signed_in(browser, live_server, cast)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield opened
    context.close()
    assert faults == []


def go(page: Page, live_server: Any, session: Session, name: str = "edit") -> None:
    path = reverse(f"sessions:{name}", args=[session.patient.number, session.pk])
    page.goto(live_server.url + path)


def saved(page: Page) -> None:
    expect(page.locator("[data-saving] [data-words]")).to_have_text(SAVED, timeout=15_000)


def counts(page: Page) -> list[str]:
    return page.locator("[data-row] [data-count]").all_inner_texts()


def stored(session: Session) -> dict[str, int]:
    rows = session.treated_areas.select_related("area")
    return {f"{row.area.code} {row.side}": len(row.points) for row in rows}


def prepare(page: Page) -> None:
    page.get_by_label("Asked: name and birth date").check()
    page.get_by_label("not needed today").check()
    page.locator("[data-now=id_syr-0-prepared_at]").click()
    page.locator("#id_syr-0-pharmacy").fill("Pharmacie 417")
    page.get_by_label("Asked: nothing has changed").check()
    page.get_by_label("Skin antiseptic").fill("Chlorhexidine 2 %")
    page.locator("[data-now=id_prep-cleansed_at]").click()


def no_barriers(page: Page) -> None:
    """No violation of WCAG 2.2 AA, looked at from the top: a sticky bar covers what is under it."""
    page.evaluate("scrollTo(0, 0)")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_a_session_by_finger(page: Page, live_server: Any, session: Session) -> None:
    go(page, live_server, session)
    no_barriers(page)
    prepare(page)
    page.get_by_role("button", name=re.compile(r"Lay grid\s*: Forehead")).click()
    expect(page.locator("[data-count]").first).not_to_have_text("0")
    laid = int(counts(page)[0])
    forehead = page.locator(".imap-region[data-area=forehead]")
    forehead.click(position={"x": 80, "y": 16})
    assert counts(page)[0] == str(laid + 1)
    page.locator(".imap-marks use").last.click()
    assert counts(page)[0] == str(laid)
    page.get_by_role("button", name="Undo").click()
    assert counts(page)[0] == str(laid + 1)
    page.get_by_role("button", name="Undo").click()
    saved(page)
    assert stored(session) == {"forehead none": laid, "cheek both": 0}

    page.get_by_text("Needle, device, margin and more: Cheek").click()
    page.locator("[name=area-1-count]").fill(str(60 - laid))
    page.get_by_role("button", name=re.compile(r"Spread this number\s*: Cheek")).click()
    expect(page.locator("[data-part=totals]")).to_contain_text("60")
    expect(page.locator("[data-part=totals]")).to_contain_text("20 mg of at most 270 mg")
    expect(page.locator("[data-part=totals]")).to_contain_text("in order")

    page.get_by_role("button", name="Sign and close").click()
    expect(page.locator("[data-sign-problems]")).to_contain_text("adverse events")
    page.get_by_label("None", exact=True).check()
    saved(page)
    no_barriers(page)
    page.get_by_role("button", name="Sign and close").click()
    expect(page.get_by_text("Signed by Ada Rossi")).to_be_visible(timeout=15_000)
    expect(page.locator(".imap-marks use")).to_have_count(60)
    no_barriers(page)
    session.refresh_from_db()
    assert session.is_signed


def test_by_keyboard_alone(page: Page, live_server: Any, session: Session) -> None:
    go(page, live_server, session)
    button = page.get_by_role("button", name=re.compile(r"Add point\s*: Forehead"))
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]").first).to_have_text("1")
    saved(page)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]").first).to_have_text("2")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]").first).to_have_text("1")
    saved(page)
    assert stored(session)["forehead none"] == 1


def test_a_wrong_figure_is_told_beside_it_and_the_rest_is_kept(
    page: Page, live_server: Any, session: Session
) -> None:
    go(page, live_server, session)
    page.locator("[name=mix-0-ml]").fill("much")
    page.get_by_label("Skin antiseptic").fill("Iodine")
    expect(page.locator("#id_mix-0-ml_live")).to_have_text("Enter a number.", timeout=10_000)
    expect(page.locator("[data-saving]")).to_contain_text("Not saved")
    session.refresh_from_db()
    assert session.antiseptic == "Iodine"
    page.locator("[name=mix-0-ml]").fill("1,5")
    saved(page)
    assert page.locator("#id_mix-0-ml_live").count() == 0


def test_an_expired_sign_in_loses_nothing(
    page: Page, live_server: Any, session: Session, cast: Any
) -> None:
    go(page, live_server, session)
    name = django_settings.SESSION_COOKIE_NAME
    cookie = next(c for c in page.context.cookies() if c["name"] == name)
    page.context.clear_cookies(name=name)
    page.locator("[name=obs-observation]").fill("Slight redness.")
    expect(page.locator("[data-signed-out]")).to_be_visible(timeout=10_000)
    expect(page.locator("[data-saving]")).to_contain_text("signed out")
    page.context.add_cookies([cookie])
    page.evaluate("dispatchEvent(new Event('focus'))")
    saved(page)
    assert page.locator("[name=obs-observation]").input_value() == "Slight redness."
    session.refresh_from_db()
    assert session.observation == "Slight redness."


def test_two_windows_do_not_overwrite_each_other(
    page: Page, live_server: Any, session: Session
) -> None:
    go(page, live_server, session)
    other = page.context.new_page()
    go(other, live_server, session)
    page.get_by_label("Skin antiseptic").fill("Iodine")
    saved(page)
    other.get_by_label("Skin antiseptic").fill("Alcohol")
    expect(other.locator("[data-saving]")).to_contain_text("changed elsewhere", timeout=10_000)
    assert other.get_by_label("Skin antiseptic").input_value() == "Alcohol"
    session.refresh_from_db()
    assert session.antiseptic == "Iodine"


def test_without_scripts(
    browser: Any, live_server: Any, session: Session, cast: Any, page: Page
) -> None:
    context = signed_in(browser, live_server, cast, java_script_enabled=False)
    plain = context.new_page()
    go(plain, live_server, session)
    plain.get_by_label("Skin antiseptic").fill("Iodine")
    plain.get_by_role("button", name=re.compile(r"Lay grid\s*: Forehead")).click()
    assert int(counts(plain)[0]) > 20
    assert plain.get_by_label("Skin antiseptic").input_value() == "Iodine"
    plain.get_by_role("button", name="Sign and close").click()
    expect(plain.get_by_text("There is a problem")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_it_fits(page: Page, live_server: Any, session: Session, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    with acting(SYSTEM):
        make_lot(session.location, "lidocaine-2", "A-lot-number-that-goes-on-and-on-0123456789")
    go(page, live_server, session)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(TOO_SMALL) == []
