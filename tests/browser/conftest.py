"""A real browser, a real server, a real worker and a real mailbox.

Playwright keeps an event loop open in its process, in which Django refuses the database; these
tests therefore run in a pytest process of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from axe_playwright_python.sync_playwright import Axe
from celery import current_app
from django.contrib.sessions.backends.db import SessionStore
from django.test.testcases import LiveServerThread
from django.test.utils import modify_settings
from django.utils import timezone
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from aftercare.watch.models import CheckIn
from clinic.access.models import Staff
from tests.conftest import PASSWORD
from tests.patients.workers import QUEUE, Worker, forget_wake_ups, free_port, until

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

DESK = {"width": 1280, "height": 800}
TABLET = {"width": 820, "height": 1180}
PHONE = {"width": 390, "height": 844}
SIZES = {"desk": DESK, "tablet": TABLET, "phone": PHONE}


def sizes(*names: str) -> list[Any]:
    """Sizes by name, for `parametrize`: at the first everyday, at all of them in `make soak`."""
    others = [pytest.param(name, marks=pytest.mark.soak) for name in names[1:]]
    return [names[0], *others]


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera that shows a green sheet with a clock; a page still has to be allowed to use it.
    "--use-fake-device-for-media-stream",
]
NAMES_OF_CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
)
"""The first draws the same pages for a third less work, having no windows of its own."""
WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # The rest is neither described nor sent.
    "resultTypes": ["violations"],
}
CSP_LISTENER = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`);
});
"""
ADDRESS = re.compile(r"https?://[^\s/]+(/my/\S+)")
PATIENCE_MS = 10_000
ALARM = "/safety/alarm/"


class LiveServer:
    """The whole application on a loopback port, static files by WhiteNoise as in production."""

    def __init__(self) -> None:
        self.thread = LiveServerThread("127.0.0.1", static_handler=lambda app: app)
        self.thread.daemon = True
        self._live_server_modified_settings = modify_settings(ALLOWED_HOSTS={"append": "127.0.0.1"})
        self.thread.start()
        self.thread.is_ready.wait()
        if self.thread.error:
            raise self.thread.error

    @property
    def url(self) -> str:
        return f"http://{self.thread.host}:{self.thread.port}"


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, collected_static_files: None) -> Iterator[LiveServer]:
    server = LiveServer()
    yield server
    server.thread.terminate()


def path_of_chromium() -> str:
    path = next(filter(None, map(shutil.which, NAMES_OF_CHROMIUM)), None)
    if path is None:
        pytest.fail(f"No browser found: none of {', '.join(NAMES_OF_CHROMIUM)} is installed.")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path_of_chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def filming_browser(browser: Browser) -> Iterator[Browser]:
    """One in which everybody has let the page use the camera."""
    flags = [*FLAGS, "--use-fake-ui-for-media-stream"]
    launched = browser.browser_type.launch(executable_path=path_of_chromium(), args=flags)
    yield launched
    launched.close()


class Person:
    """Someone with a device of their own: pages, and what their browser complained about."""

    def __init__(self, name: str, context: BrowserContext, base: str) -> None:
        self.name, self.context, self.base = name, context, base
        self.complaints: list[str] = []
        self.expected: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(CSP_LISTENER)
        context.on("page", self._listen)
        self.page: Page = context.new_page()

    def _listen(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: dialog.accept())

    def _heard(self, message: ConsoleMessage) -> None:
        asked = message.location.get("url", "")
        # What asks each minute is told so as soon as the sign-in has ended, whatever the test does.
        signed_out = ALARM in asked and "401" in message.text
        if message.type == "error" and not signed_out:
            page = self.page.url if hasattr(self, "page") else ""
            self.complaints.append(f"{page}: {message.text}")

    def expects(self, *words: str) -> None:
        """Console errors that belong to the test: a 422 after wrong input, a cut network."""
        self.expected += words

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def path(self) -> str:
        return self.page.url.removeprefix(self.base)

    def sign_in(self, staff: Staff) -> Person:
        """By a session made on the server; that the sign-in page works is a test of its own."""
        sign_in(self.context, self.base, staff)
        return self

    def unexpected(self) -> list[str]:
        return [line for line in self.complaints if not any(word in line for word in self.expected)]


def sign_in(context: BrowserContext, base: str, staff: Staff) -> str:
    """A database session in this browser; returns its key."""
    from django.conf import settings  # noqa: PLC0415

    session = SessionStore()
    session["_auth_user_id"] = str(staff.pk)
    session["_auth_user_backend"] = "clinic.access.backend.StaffBackend"
    session["_auth_user_hash"] = staff.get_session_auth_hash()
    session.create()
    assert session.session_key
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": base}]
    )
    return session.session_key


@pytest.fixture
def person(
    request: pytest.FixtureRequest, live_server: LiveServer
) -> Iterator[Callable[..., Person]]:
    """Make people: `person("desk", DESK)`. Fails the test for anything their consoles said."""
    people: list[Person] = []

    def make(name: str, size: dict[str, int], camera: bool = False, **options: Any) -> Person:
        touch = size is not DESK
        launched = request.getfixturevalue("filming_browser" if camera else "browser")
        context = launched.new_context(
            viewport=size,
            has_touch=touch,
            is_mobile=size is PHONE,
            locale="en-GB",
            # A colour on its way to another has no contrast worth measuring.
            reduced_motion="reduce",
            **options,
        )
        people.append(Person(name, context, live_server.url))
        return people[-1]

    yield make
    complaints = [f"{one.name}: {line}" for one in people for line in one.unexpected()]
    for one in people:
        picture(one.page, f"last-{one.name}")
        one.context.close()
    assert not complaints, "The browser complained:\n" + "\n".join(complaints)


# The library's own axe.min.js is put in by evaluate, which a content security policy permits.
AXE = Axe().axe_script


def settled(page: Page) -> None:
    """A form that was sent has left; every part that loads by itself has arrived, or says that it
    could not.
    """
    expect(page.locator("form[data-asks], form[data-sent]")).to_have_count(0)
    page.wait_for_load_state("load")
    expect(page.locator("[data-slot]:not(:has(.slot-error))")).to_have_count(0)
    expect(page.locator(".htmx-request, .htmx-swapping")).to_have_count(0)


def axe(page: Page) -> None:
    """Fail for any WCAG 2.0 to 2.2 A or AA violation on the page as it is now."""
    settled(page)
    # What has scrolled half under the patient bar is not too small.
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    # Put in once for all looks at a page: it is half a megabyte to read.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("(options) => axe.run(options)", WCAG)["violations"]
    lines = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n    "
        + "\n    ".join(
            f"{' '.join(map(str, node['target']))}: {node['html'][:160]}\n      "
            + node["failureSummary"].replace("\n", " ")[:300]
            for node in violation["nodes"][:4]
        )
        for violation in found
    ]
    assert not found, f"{page.url} breaks WCAG:\n" + "\n".join(lines)


CUT_OFF = """() => [...document.querySelectorAll("main .panel-flush")].flatMap((panel) => {
  const edge = panel.getBoundingClientRect().right + 1;
  const over = (e) => Math.round(e.getBoundingClientRect().right - edge);
  const scrolls = (e) => e !== panel
    && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...panel.querySelectorAll("table, .btn")]
    .filter((e) => over(e) > 0 && !scrolls(e))
    .map((e) => `${over(e)} px: ${e.outerHTML.slice(0, 140)}`);
})"""


def no_overflow(page: Page) -> None:
    """Nothing sticks out sideways, of the page or of a panel that would cut it off."""
    cut_off = page.evaluate(CUT_OFF)
    assert not cut_off, f"{page.url} cuts off:\n" + "\n".join(cut_off[:6])
    wide, room = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    if wide <= room:
        return
    widest = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *, nav *")]
          .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
          .slice(0, 6).map((e) => e.outerHTML.slice(0, 140))"""
    )
    pytest.fail(f"{page.url} is {wide} px wide on {room} px:\n" + "\n".join(widest))


def look(page: Page, name: str = "") -> None:
    """axe and width on the page as it is; a picture too, where SHOTS names a folder."""
    axe(page)
    no_overflow(page)
    picture(page, name)


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder and name:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


class Mailbox:
    """An SMTP server that keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[Any]:
        return [letter for letter in self.letters if address in str(letter["To"])]

    def link(self, letter: Any) -> str:
        """The path of the personal link in a letter."""
        body = letter.get_body(("plain",)).get_content()
        found = ADDRESS.search(body)
        assert found, body
        return found.group(1)


class House:
    """The worker and the mailbox of one test; `wait` lets both work until something is true."""

    def __init__(self, mailbox: Mailbox, worker: Worker) -> None:
        self.mailbox, self.worker = mailbox, worker

    def wait(self, condition: Callable[[], Any], seconds: float = 30) -> None:
        if not until(lambda: bool(condition()), seconds):
            log = self.worker.log.read_text()[-3000:] if self.worker.log.exists() else ""
            pytest.fail(f"Waited {seconds} s in vain. The worker said:\n{log}")

    def letter(self, address: str, number: int) -> Any:
        """The letter of this number (from 1) to an address, when it has come."""
        self.wait(lambda: len(self.mailbox.to(address)) >= number)
        return self.mailbox.to(address)[number - 1]

    def open_check_ins(self) -> None:
        """What beat does every minute, until the worker has done it: a wake-up may be lost with a
        worker that was killed as it came.
        """

        def none_due() -> bool:
            return not CheckIn.objects.due(timezone.now()).exists()

        for _minute in range(6):
            current_app.send_task("aftercare.open_check_ins", queue=QUEUE, ignore_result=True)
            if until(none_due, 5):
                return
        self.wait(none_due, 1)


@pytest.fixture
def house(transactional_db: None, fresh_surroundings: None, tmp_path: Path) -> Iterator[House]:
    forget_wake_ups()
    mailbox = Mailbox()
    mailbox.controller.start()
    worker = Worker(mailbox.controller.port, tmp_path / "worker.log")
    worker.start()
    yield House(mailbox, worker)
    worker.end()
    mailbox.controller.stop()


def morning_zone() -> str:
    """A zone in which it is morning now, whenever the tests run."""
    ahead = max(10 - datetime.now(UTC).hour, -11)
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


def sign_in_by_hand(page: Page, staff: Staff) -> None:
    page.get_by_label("Email").fill(staff.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def soon(condition: Callable[[], Any], seconds: float = 5) -> None:
    """Wait for something in the database."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    assert condition()


def draw_signature(page: Page) -> None:
    """A few strokes in the signature box, as a pen makes them."""
    canvas = page.locator("[data-signature] canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 15):
        wave = 20 if step % 2 else -20
        page.mouse.move(box["x"] + 30 + step * 12, box["y"] + box["height"] / 2 + wave, steps=2)
    page.mouse.up()
