"""A repeat session in few touches, a map that stays fluid, and a draft that no accident loses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from clinic.audit.context import SYSTEM, acting
from tests.browser.conftest import TABLET, Person, look, soon
from tests.conftest import Cast
from tests.treatments.session_world import World, make_world, ready_made
from treatments.diary.models import Appointment
from treatments.sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)
MOST_TOUCHES = 12
FAST_ENOUGH = 50
"""Frames a second while a point is dragged over a map of 500."""
AS_GOOD_AS_STILL = 0.8
"""On a machine too busy for so many, this share of what the page reaches with nothing to do."""
SAVED = re.compile(r"^Saved \d\d:\d\d$")


@pytest.fixture
def world(cast: Cast) -> World:
    with acting(SYSTEM):
        return make_world(cast)


class Hand:
    """Counts every touch of the screen and every field that is typed into."""

    def __init__(self) -> None:
        self.touches = 0

    def tap(self, where: Locator) -> None:
        self.touches += 1
        where.click()

    def write(self, where: Locator, text: str) -> None:
        self.touches += 1
        where.fill(text)


def edit(session: Session) -> str:
    return reverse("sessions:edit", args=[session.patient.number, session.pk])


def saved(page: Page) -> None:
    expect(page.locator("[data-saving] [data-words]")).to_have_text(SAVED, timeout=15_000)


def test_a_repeat_session_takes_at_most_twelve_touches(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        cast.here.country.mixing_in_pharmacy_only = True
        cast.here.country.save()
    session_of_before(world)
    visit = today(cast)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    page, hand = tablet.go("/today/"), Hand()
    row = page.locator(f"#a{visit.pk}")
    hand.tap(row.get_by_role("link", name=re.compile("^Session")))
    hand.tap(page.get_by_role("button", name="Start as session 1 was"))
    hand.tap(page.get_by_label("Asked: name and birth date"))
    hand.tap(page.get_by_label("Asked: nothing has changed"))
    hand.tap(page.get_by_label("not needed today"))
    hand.tap(page.locator("[data-now=id_prep-cleansed_at]"))
    hand.tap(page.locator("[data-now=id_syr-0-prepared_at]"))
    hand.write(page.locator("#id_syr-0-pharmacy"), "Pharmacie des Halles, 2026-0419")
    hand.tap(page.get_by_label("None", exact=True))
    hand.tap(page.locator("[data-now=id_obs-released_at]"))
    hand.tap(page.get_by_role("button", name="Sign and close"))
    expect(page.get_by_text("Signed by Ada Rossi")).to_be_visible(timeout=15_000)
    assert hand.touches <= MOST_TOUCHES, hand.touches
    done = Session.objects.get(number=2)
    assert done.is_signed
    assert done.totals["injected_ml"] == "3"
    visit.refresh_from_db()
    assert visit.status == Appointment.Status.DONE
    look(page, "bench-repeat-signed")


def session_of_before(world: World) -> None:
    """Session 1, fifteen days ago."""
    ago = datetime.now(UTC) - timedelta(days=15)
    with acting(SYSTEM):
        begun = world.start(at=ago)
        world.fill(begun, syringes=[ready_made(prepared_at=ago)])
        world.sign(begun, at=ago)


def today(cast: Cast) -> Appointment:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with acting(SYSTEM):
        visit: Appointment = Appointment.objects.create(
            patient=cast.patient,
            location=cast.here,
            practitioner=cast.practitioner,
            room=cast.room,
            service=cast.treatment,
            starts_at=now,
            ends_at=now + timedelta(minutes=45),
        )
    return visit


# --- the map ----------------------------------------------------------------------------------


def place_of(page: Page, area: str, x: float, y: float) -> tuple[float, float]:
    """Where a share of an area's box is on the screen."""
    region = page.locator(f".imap-region[data-area={area}]").first
    region.scroll_into_view_if_needed()
    box = region.bounding_box()
    assert box
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def count(page: Page, number: int = 0) -> int:
    return int(page.locator("[data-row] [data-count]").nth(number).inner_text())


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def points(page: Page, number: int = 0) -> list[list[float]]:
    found: list[list[float]] = json.loads(
        page.locator("[data-row] [data-points]").nth(number).input_value() or "[]"
    )
    return found


def test_line_fan_drag_erase_and_zoom(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    page = person("practitioner", TABLET).sign_in(cast.practitioner).go(edit(session))
    start, end = place_of(page, "forehead", 0.2, 0.5), place_of(page, "forehead", 0.8, 0.5)
    page.get_by_role("button", name="Line", exact=True).click()
    start, end = place_of(page, "forehead", 0.2, 0.5), place_of(page, "forehead", 0.8, 0.5)
    drag(page, start, end)
    along = count(page)
    assert 4 <= along <= 20
    page.get_by_role("button", name="Fan", exact=True).click()
    drag(page, place_of(page, "forehead", 0.5, 0.85), place_of(page, "forehead", 0.5, 0.2))
    assert count(page) > along
    page.get_by_role("button", name="Undo").click()
    assert count(page) == along

    page.get_by_role("button", name="Points", exact=True).click()
    mark = page.locator(".imap-marks use").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = points(page)
    drag(page, middle, (middle[0] + 3, middle[1] + 24))
    assert count(page) == along
    assert points(page)[0] != before[0]
    assert points(page)[1:] == before[1:]

    page.get_by_role("button", name="Erase", exact=True).click()
    drag(page, place_of(page, "forehead", 0.15, 0.5), place_of(page, "forehead", 0.6, 0.5), 40)
    assert count(page) < along

    page.get_by_role("button", name="Points", exact=True).click()
    left = points(page)
    page.get_by_role("button", name="Closer").click()
    page.mouse.click(*place_of(page, "forehead", 0.5, 0.3))
    assert count(page) == len(left) + 1
    x, y = points(page)[-1]
    assert 0.3 < x < 0.7
    assert y < 0.4
    saved(page)
    area = session.treated_areas.get(area__code="forehead")
    assert len(area.points) == len(left) + 1
    look(page, "bench-map")


def test_the_figures_beside_the_map_are_live(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    page = person("practitioner", TABLET).sign_in(cast.practitioner).go(edit(session))
    page.get_by_role("button", name=re.compile(r"Lay grid\s*: Forehead")).click()
    saved(page)
    laid = count(page)
    live = page.locator("[data-live-totals]")
    expect(live).to_contain_text(f"{laid * 0.05:.10g} of 3 mL")
    page.mouse.click(*place_of(page, "forehead", 0.37, 0.63))
    # At once, before anything is sent.
    assert f"{(laid + 1) * 0.05:.10g} of 3 mL" in live.inner_text().replace("\u202f", " ")
    row = page.locator("[data-row]").first
    assert "Lidocaine" in row.locator("[data-amounts]").inner_text()
    page.locator("[name=area-0-ml_per_point]").fill("1")
    # Above what was drawn, and above what a face is given.
    expect(live.locator(".is-over")).to_have_count(2)


STILL = """
() => new Promise((done) => {
  const times = [];
  const stop = performance.now() + 1000;
  const step = (now) => {
    times.push(now);
    return now < stop ? requestAnimationFrame(step) : done(times);
  };
  requestAnimationFrame(step);
})
"""
FRAMES = """
() => new Promise((done) => {
  const times = [];
  const stop = performance.now() + 1500;
  const chart = document.querySelector(".imap-over");
  const mark = document.querySelectorAll(".imap-marks use")[250];
  const box = mark.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const tell = (type, at, target) => target.dispatchEvent(new PointerEvent(type, {
    bubbles: true, cancelable: true, pointerId: 7, pointerType: "mouse",
    clientX: at[0], clientY: at[1],
  }));
  tell("pointerdown", [x, y], mark);
  let turn = 0;
  const step = (now) => {
    times.push(now);
    turn += 1;
    for (let n = 0; n < 3; n += 1) {
      tell("pointermove", [x + 20 * Math.sin(turn / 9 + n), y + 12 * Math.cos(turn / 9)], chart);
    }
    if (now < stop) return requestAnimationFrame(step);
    tell("pointerup", [x, y], chart);
    return done(times);
  };
  requestAnimationFrame(step);
})
"""


@pytest.mark.soak
def test_500_points_stay_fluid_while_one_is_dragged(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
        world.fill(session, areas=world.areas(500, "0.005"))
    page = person("practitioner", TABLET).sign_in(cast.practitioner).go(edit(session))
    expect(page.locator(".imap-marks use")).to_have_count(500)
    page.locator(".imap-over").first.scroll_into_view_if_needed()
    still, moving = rate_of(page.evaluate(STILL)), rate_of(page.evaluate(FRAMES))
    print(f"{moving:.1f} frames a second with 500 points, {still:.1f} with nothing to do")
    assert moving >= min(FAST_ENOUGH, AS_GOOD_AS_STILL * still)


def rate_of(times: list[float]) -> float:
    return 1000 * (len(times) - 1) / (times[-1] - times[0])


# --- draft safety -----------------------------------------------------------------------------


def cut(page: Page) -> None:
    """Nothing reaches the clinic any more."""
    page.context.set_offline(True)


def tapped(page: Page, many: int, first: int = 0) -> None:
    """So many points, one tap each, in rows over the forehead."""
    for number in range(first, first + many):
        x, y = 0.12 + 0.76 * (number % 16) / 15, 0.28 + 0.5 * (number // 16) / 5
        page.mouse.click(*place_of(page, "forehead", x, y))


def test_a_dead_network_in_the_middle_of_80_points_loses_none(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    tablet.expects("ERR_INTERNET_DISCONNECTED", "Failed to load resource")
    page = tablet.go(edit(session))
    page.locator(".imap-region[data-area=forehead]").scroll_into_view_if_needed()
    tapped(page, 30)
    saved(page)
    at_cut = count(page)
    cut(page)
    tapped(page, 50, first=30)
    expect(page.locator("[data-saving]")).to_contain_text("Kept on this device", timeout=10_000)
    assert not SAVED.match(page.locator("[data-saving] [data-words]").inner_text())
    drawn = points(page)
    assert len(drawn) >= at_cut + 45
    session.refresh_from_db()
    assert len(session.treated_areas.get(area__code="forehead").points) == at_cut

    # The tab dies with the network down; a second one opens when it is back.
    page.close(run_before_unload=False)
    tablet.context.set_offline(False)
    second = tablet.context.new_page()
    second.goto(tablet.base + edit(session))
    expect(second.locator("[data-kept]")).to_contain_text("have been put back")
    assert points(second) == drawn
    saved(second)
    assert session.treated_areas.get(area__code="forehead").points == drawn
    second.reload()
    expect(second.locator("[data-kept]")).to_be_hidden()
    assert points(second) == drawn
    tablet.page = second


def test_signing_out_with_entries_unsent_loses_none_and_leaves_nothing_readable(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    tablet.expects("ERR_INTERNET_DISCONNECTED", "Failed to load resource", "401", "403", "409")
    page = tablet.go(edit(session))
    page.locator(".imap-region[data-area=forehead]").scroll_into_view_if_needed()
    name = django_settings.SESSION_COOKIE_NAME
    page.context.clear_cookies(name=name)
    tapped(page, 12)
    page.locator("[name=obs-observation]").fill("Slight redness.")
    expect(page.locator("[data-signed-out]")).to_be_visible(timeout=10_000)
    drawn = points(page)
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "redness" not in kept
    assert f"{drawn[0][0]}" not in kept
    page.close(run_before_unload=False)

    tablet.sign_in(cast.practitioner)
    again = tablet.context.new_page()
    tablet.page = again
    again.goto(tablet.base + edit(session))
    expect(again.locator("[data-kept]")).to_contain_text("have been put back")
    assert points(again) == drawn
    assert again.locator("[name=obs-observation]").input_value() == "Slight redness."
    saved(again)
    # Somebody else's device key reads nothing of it.
    soon(lambda: session.treated_areas.get(area__code="forehead").points == drawn)


def test_an_answer_that_was_lost_on_the_way_is_not_a_conflict(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    tablet.expects("ERR_FAILED", "Failed to load resource")
    page = tablet.go(edit(session))
    lost: list[str] = []

    def swallow(route: Route) -> None:
        """The clinic saves it; the page never hears of it."""
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort()

    page.route("**/save/", swallow)
    page.get_by_label("Skin antiseptic").fill("Iodine")
    expect(page.locator("[data-saving]")).to_contain_text("Not saved: offline", timeout=10_000)
    assert Session.objects.get(pk=session.pk).antiseptic == "Iodine"
    page.get_by_label("Skin antiseptic").fill("Iodine 10 %")
    saved(page)
    assert Session.objects.get(pk=session.pk).antiseptic == "Iodine 10 %"


def test_entries_of_a_session_that_moved_on_are_offered_not_forced(
    world: World, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    tablet.expects("ERR_INTERNET_DISCONNECTED", "Failed to load resource")
    page = tablet.go(edit(session))
    cut(page)
    page.get_by_label("Skin antiseptic").fill("Kept here")
    expect(page.locator("[data-saving]")).to_contain_text("Kept on this device", timeout=10_000)
    page.close(run_before_unload=False)
    tablet.context.set_offline(False)
    Session.objects.filter(pk=session.pk).update(revision=7, antiseptic="From elsewhere")
    again = tablet.context.new_page()
    tablet.page = again
    again.goto(tablet.base + edit(session))
    expect(again.locator("[data-kept]")).to_contain_text("never reached the clinic")
    assert again.get_by_label("Skin antiseptic").input_value() == "From elsewhere"
    again.get_by_role("button", name="Put them back").click()
    assert again.get_by_label("Skin antiseptic").input_value() == "Kept here"
    saved(again)


# --- two syringes -----------------------------------------------------------------------------


def test_two_syringes_by_finger(world: World, cast: Cast, person: Callable[..., Person]) -> None:
    with acting(SYSTEM):
        session = world.start(at=None)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    page: Any = tablet.go(edit(session))
    page.get_by_role("button", name="Another syringe").click()
    tray = page.locator("[data-tray=B]")
    expect(tray).to_be_visible()
    lot = tray.locator("select[name$=-lot] option", has_text="Hyaluronic acid 1 %")
    tray.locator("select[name$=-lot]").select_option(lot.get_attribute("value"))
    tray.locator("[name$=-ml]").fill("1")
    tray.locator("[data-now$=prepared_at]").click()
    saved(page)
    expect(page.locator("[data-part=bench] [data-syringe=B]")).to_contain_text("10 mg/mL")
    assert page.locator("[name=area-0-syringe]").is_visible()
    page.locator("[name=area-0-syringe]").select_option("B")
    page.get_by_role("button", name=re.compile(r"Lay grid\s*: Forehead")).click()
    saved(page)
    expect(page.locator("[data-live-totals]")).to_contain_text("Syringe B")
    assert session.treated_areas.get(area__code="forehead").syringe.label == "B"
    page.get_by_role("button", name="All that is left (B)").click()
    saved(page)
    assert session.syringes.get(label="B").discarded_ml is not None
    look(page, "bench-two-syringes")
    with page.context.expect_page() as opened:
        tray.get_by_role("link", name=re.compile("Print the label")).click()
    label = opened.value
    expect(label.get_by_text("Discard by")).to_be_visible()
    look(label, "bench-label")
