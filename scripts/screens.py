"""Take the README's screenshots from a running demo: `python scripts/screens.py [BASE]`.

BASE is http://127.0.0.1:8000 unless said otherwise. Needs Chromium and the demo's own people.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parents[1] / "docs" / "screens"
PASSWORD = "mesotherapy-demo"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
DESK, TABLET, PHONE = (1280, 800), (820, 1180), (390, 844)


def main() -> None:
    base = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        sys.exit("No Chromium found: install the chromium package.")
    HERE.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        desk = signed_in(browser, base, "frontdesk", DESK)
        practitioner = signed_in(browser, base, "practitioner", DESK)
        tablet = signed_in(browser, base, "practitioner", TABLET)
        phone = signed_in(browser, base, "practitioner", PHONE)
        take(practitioner, f"{base}/today/", "today")
        take(desk, f"{base}/diary/", "diary")
        session(tablet, base)
        history(phone, practitioner, base)
        browser.close()


def signed_in(browser: Browser, base: str, who: str, size: tuple[int, int]) -> Page:
    """A page of a demo person on a device."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{base}/sign-in/")
    page.locator("#id_login").fill(f"{who}@demo.clinic")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_url(f"{base}/today/")
    return page


def take(page: Page, address: str | None, name: str) -> None:
    """What fits on the screen, when everything has arrived."""
    if address:
        page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(HERE / f"{name}.png"))


def session(page: Page, base: str) -> None:
    """A signed session with its map; one of a face, if today has such a patient."""
    page.goto(f"{base}/today/?all")
    names = [one.get_attribute("href") for one in page.locator(".visit-name a").all()]
    fallback = ""
    for address in names:
        page.goto(f"{base}{address}")
        page.wait_for_load_state("networkidle")
        links = [str(a.get_attribute("href")) for a in page.locator("a[href*='/sessions/']").all()]
        found = [link for link in links if re.search(r"/sessions/\d+/$", link)]
        if not found:
            continue
        fallback = fallback or found[0]
        page.goto(base + found[0])
        if page.locator("figcaption", has_text="Face, front").count():
            return take(page, None, "session")
    if not fallback:
        sys.exit("No patient of today has a session yet: run demo_data first.")
    return take(page, base + fallback, "session")


def history(phone: Page, practitioner: Page, base: str) -> None:
    """The questionnaire on a phone, by the newest link in the demo's mailbox."""
    link, born = newest_link(practitioner, base)
    phone.context.clear_cookies()
    phone.goto(link)
    for part, value in enumerate(born):
        phone.locator(f"#id_birth_date_{part}").fill(value)
    phone.locator("main form button.btn-primary").click()
    phone.wait_for_load_state("networkidle")
    phone.goto(re.sub(r"(/my/[^/]+/).*", r"\1history/medicines/", link))
    take(phone, None, "history")


def newest_link(page: Page, base: str) -> tuple[str, list[str]]:
    """Send a link to a patient of today, read it in the mailbox; with the birth date."""
    page.goto(f"{base}/today/?all")
    page.locator(".visit-name a").first.click()
    page.wait_for_load_state("networkidle")
    number = re.search(r"P\d{6,}", page.url)
    assert number
    page.goto(f"{base}/patients/{number.group()}/edit/")
    born = [page.locator(f"#id_birth_date_{part}").input_value() for part in range(3)]
    address = page.locator("#id_email").input_value()
    page.goto(f"{base}/patients/{number.group()}/")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Send a personal link").click()
    page.wait_for_load_state("networkidle")
    for _try in range(30):
        page.goto(f"{base}/demo/mailbox/")
        letter = page.locator("a.list-group-item", has_text=address).first
        if letter.count():
            letter.click()
            page.wait_for_load_state()
            found = re.search(r"https?://\S+/my/[^\s\"<]+", page.content())
            if found:
                return found.group(), born
        page.wait_for_timeout(1000)
    sys.exit("The personal link did not arrive in the demo's mailbox.")


if __name__ == "__main__":
    main()
