"""The plan in a browser: copied, worked out while it is typed, accepted once by two presses."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from clinic.audit.context import SYSTEM, acting
from patients.messages.models import Message
from tests.browser.conftest import PHONE, TABLET, Person, look
from tests.conftest import Cast
from tests.treatments.plan_parts import D, accepted_plan, back, hand_in_history
from tests.treatments.session_world import current, make_lot
from treatments.catalogue.models import Product
from treatments.consents.models import Consent
from treatments.plans.models import Plan
from treatments.plans.specs import MixSpec, StopSpec


def earlier(cast: Cast) -> Plan:
    """Low back pain: 1 mL lidocaine 2 % and 2 mL ketoprofen, five sessions."""
    with acting(SYSTEM):
        hand_in_history(cast.patient)
        make_lot(cast.here, "lidocaine-2", quantity_ml=D(3))
        return accepted_plan(
            cast,
            mix=[
                MixSpec(current(Product, "lidocaine-2"), D(1)),
                MixSpec(current(Product, "ketoprofen-160"), D(2)),
            ],
            areas=[back()],
            stop_rules=[StopSpec("adverse"), StopSpec("no-effect", after_sessions=3)],
        )


def test_a_plan_is_copied_worked_out_and_accepted_once(
    cast: Cast, person: Callable[..., Person]
) -> None:
    first = earlier(cast)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    page = tablet.go(f"/patients/{cast.patient.number}/plans/new/?plan={first.pk}")
    totals = page.locator("#plan-totals")
    expect(totals).to_contain_text("3 mL drawn, 3 mL injected")
    expect(totals).to_contain_text("of 279 mg")
    expect(page.locator("#changes")).to_contain_text("Nothing: the catalogue")
    page.locator("[name=mix-0-ml]").fill("14")
    expect(totals).to_contain_text("at most 279 mg")
    page.locator("[name=mix-0-ml]").fill("1")
    expect(totals).not_to_contain_text("at most 279 mg")
    only_what_its_kind_needs(page)
    look(page, "plan-copied")
    page.get_by_role("button", name="Save the draft").click()
    page.wait_for_url(re.compile(r"/plans/\d+/$"))
    look(page, "plan-draft")
    accept_twice(page)
    made = Plan.objects.latest("pk")
    assert (made.state, made.copied_from) == (Plan.State.ACCEPTED, first)
    assert Consent.objects.filter(plan=made).count() == 1
    assert Message.objects.filter(kind="link").count() == 1
    page = tablet.go("/catalogue/stock/products/")
    expect(page.locator("#stock-need")).to_contain_text("7 mL lacking")
    look(page, "plan-stock-need")
    phone = person("on the phone", PHONE).sign_in(cast.practitioner)
    look(phone.go(f"/patients/{cast.patient.number}/plans/{made.pk}/"), "plan-accepted")
    look(phone.go(f"/patients/{cast.patient.number}/plans/new/"), "plan-new-phone")


def only_what_its_kind_needs(page: Page) -> None:
    """A stop rule shows its count only where its kind has one."""
    count = page.locator("[data-field=after_sessions]")
    expect(count.nth(0)).to_be_hidden()
    expect(count.nth(1)).to_be_visible()
    page.locator("[name=stops-0-kind]").select_option("no-effect")
    expect(count.nth(0)).to_be_visible()
    page.locator("[name=stops-0-kind]").select_option("wish")


def accept_twice(page: Page) -> None:
    """A double press on the button: one plan, one consent, one link."""
    page.get_by_role("link", name="Accept the plan").click()
    expect(page.get_by_label("By a link")).to_be_checked()
    look(page, "plan-accepting")
    page.get_by_label("Go on to book the dates").uncheck()
    page.get_by_role("button", name="Accept now").dblclick()
    page.wait_for_url(re.compile(r"/plans/\d+/$"))
    expect(page.locator("main")).to_contain_text("Reserved for the coming sessions")
