"""Stock on a tablet and a phone: received by a scanned code, opened, counted, wasted, on Today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import (
    FLAGS,
    SIZES,
    TABLET,
    LiveServer,
    Person,
    look,
    path_of_chromium,
    settled,
    sizes,
)
from tests.conftest import Cast
from tests.treatments.session_world import D, current
from tests.treatments.stock_world import MULTI, SINGLE, check_ledger, deliver
from treatments.catalogue.models import Lot, Product
from treatments.stock.actions import open_container, set_level
from treatments.stock.models import Movement, OpenContainer

CODE = "]d201095060001343521730063010L77|21S1"
SYMBOL = """
#.#.#.#.#.#.#.#.#.#.
##..####.#.#....####
#...#.#..#..###.##..
#.######......#....#
###.##...######.###.
#....#....#.#.#.##.#
#..#.#..#.....##..#.
#.##.....#.##.#..###
###.#..####...##..#.
##..##.#..###....#.#
###...#..##.#.#..#..
###.##......#..###.#
###..#..###.###.##..
##...###..###..##.##
##..#..####..#...##.
##..#....#.#.....#.#
##..#....####....#..
##.####..#.##.####.#
#..##.#....#.##...#.
####################
"""
"""(01)09506000134352(17)300630(10)L77(21)S1 as a GS1 DataMatrix, drawn once by zxing's writer."""


@pytest.mark.parametrize("size", sizes("tablet", "phone"))
def test_from_the_box_to_today(cast: Cast, person: Callable[..., Person], size: str) -> None:
    someone = person(size, SIZES[size]).sign_in(cast.practitioner)
    someone.expects("422")
    page = someone.go("/catalogue/stock/")
    expect(page.get_by_role("heading", name="No lots here")).to_be_visible()
    page.get_by_role("link", name="Receive a lot").first.click()
    receive(page)
    lot = Lot.objects.get()
    open_one(page, lot, size)
    change(page, "Count", "Counted", "45", "Monthly count")
    change(page, "Throw away", "Amount", "5", "Dropped")
    look(page, f"stock-lot-{size}")
    check_ledger(lot)
    assert lot.quantity_ml == 40
    page = someone.go("/catalogue/stock/products/")
    look(page, f"stock-products-{size}")
    page.get_by_role("link", name="not set").first.click()
    see_on_today(someone, cast, lot, size)


def receive(page: Page) -> None:
    """A bad code loses nothing; the right one fills the form; the product is said once."""
    page.get_by_label("Received from").fill("Example Supplies")
    code = page.get_by_label("Code on the package")
    code.fill("010950600013435210L7717300630")
    code.press("Enter")
    expect(page.locator("#div_id_code .field-error")).to_contain_text("have run together")
    expect(page.get_by_label("Received from")).to_have_value("Example Supplies")
    look(page)
    code.fill(CODE)
    code.press("Enter")
    expect(page.get_by_label("Lot number")).to_have_value("L77")
    expect(page.get_by_label("Expires on")).to_have_value("2030-06-30")
    expect(page.get_by_text("is new here")).to_be_visible()
    look(page)
    page.get_by_label("Product", exact=True).select_option(str(current(Product, MULTI).pk))
    quantity = page.get_by_label("Quantity")
    quantity.fill("50")
    quantity.press("Enter")
    expect(page.get_by_text("Lot L77 is on the shelf.")).to_be_visible()


def open_one(page: Page, lot: Lot, size: str) -> None:
    settled(page)
    look(page, f"stock-lots-{size}")
    page.get_by_role("link", name="Botulinum").first.click()
    page.locator("summary", has_text="Open a container").click()
    page.get_by_role("button", name="Yes, it is open").click()
    expect(page.get_by_text("Opened. Discard by")).to_be_visible()
    expect(page.get_by_text("5 mL left")).to_be_visible()
    assert OpenContainer.objects.get().lot == lot


def change(page: Page, what: str, label: str, amount: str, reason: str) -> None:
    page.get_by_role("link", name=what, exact=True).click()
    look(page)
    page.get_by_label(label).fill(amount)
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_text(reason)).to_be_visible()


def see_on_today(someone: Person, cast: Cast, lot: Lot, size: str) -> None:
    """A level that is not met, a container that is over, and a lot that expires soon."""
    set_level(by=cast.manager, location=cast.here, product=lot.product, least_ml=D(100))
    then = timezone.now() - timedelta(hours=30)
    open_container(by=cast.practitioner, lot=lot, at=then)
    soon = timezone.localdate() + timedelta(days=9)
    deliver(cast, SINGLE, "SOON-1", expires_on=soon, at=then)
    page = someone.go("/today/")
    settled(page)
    panel = page.locator("#stock-today")
    for words in ("over since", "35 mL left, low below 100 mL", "SOON-1 expires"):
        expect(panel).to_contain_text(words)
    look(page, f"stock-today-{size}")
    panel.get_by_role("link", name="Open the stock").click()
    expect(page.get_by_text("5 mL to throw away")).to_be_visible()
    look(page, f"stock-attention-{size}")


# --- the camera ---------------------------------------------------------------------------------


def film(path: Path) -> None:
    """A camera's view of the symbol, a little off the middle, as uncompressed video."""
    wide, high, module, left, top = 640, 480, 8, 210, 150
    rows = SYMBOL.split()
    picture = bytearray([225]) * (wide * high)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if cell == "#":
                for line in range(top + y * module, top + (y + 1) * module):
                    start = line * wide + left + x * module
                    picture[start : start + module] = bytes([30]) * module
    frame = b"FRAME\n" + bytes(picture) + bytes([128]) * (wide * high // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frame * 5)


@pytest.fixture
def behind_a_camera(
    browser: Browser, live_server: LiveServer, tmp_path: Path
) -> Iterator[Callable[[bool], Person]]:
    """Someone whose browser has a camera that sees the symbol; or who does not allow it."""
    film(tmp_path / "symbol.y4m")
    opened: list[tuple[Browser, Person]] = []

    def make(allowed: bool) -> Person:
        flags = [
            *FLAGS,
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'symbol.y4m'}",
        ]
        if allowed:
            flags.append("--use-fake-ui-for-media-stream")
        launched = browser.browser_type.launch(executable_path=path_of_chromium(), args=flags)
        context = launched.new_context(viewport=TABLET, has_touch=True, reduced_motion="reduce")
        if not allowed:
            context.clear_permissions()
        opened.append((launched, Person("camera", context, live_server.url)))
        return opened[-1][1]

    yield make
    for launched, someone in opened:
        complaints = someone.unexpected()
        launched.close()
        assert not complaints, "\n".join(complaints)


def test_the_camera_reads_the_box(cast: Cast, behind_a_camera: Callable[[bool], Person]) -> None:
    someone = behind_a_camera(True).sign_in(cast.practitioner)
    page = someone.go("/catalogue/stock/receive/")
    page.get_by_label("Received from").fill("Example Supplies")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_label("Lot number")).to_have_value("L77", timeout=20_000)
    expect(page.get_by_label("Expires on")).to_have_value("2030-06-30")
    expect(page.get_by_label("Code on the package")).to_have_value(
        "]d201095060001343521730063010L77␝21S1"
    )
    expect(page.get_by_label("Received from")).to_have_value("Example Supplies")
    page.get_by_label("Product", exact=True).select_option(str(current(Product, SINGLE).pk))
    page.get_by_label("Quantity").fill("25")
    page.get_by_role("button", name="Put it there and scan the next").click()
    expect(page.get_by_text("Lot L77 is on the shelf.")).to_be_visible()
    expect(page.get_by_label("Code on the package")).to_be_focused()
    assert Movement.objects.get().package == "09506000134352 S1"


def test_the_camera_can_be_closed_again(
    cast: Cast, behind_a_camera: Callable[[bool], Person]
) -> None:
    someone = behind_a_camera(False).sign_in(cast.practitioner)
    page = someone.go("/catalogue/stock/receive/")
    page.get_by_role("button", name="Use the camera").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("may not be used")
    look(page, "stock-no-camera")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
