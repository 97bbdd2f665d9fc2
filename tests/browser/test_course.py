"""The published course for low back pain: five sessions on days 1, 4, 7, 10 and 13.

Each 3 mL with 20 mg lidocaine; methylprednisolone 40 mg twice, then 20 mg (Costantino, S60a). Four
sessions are told by the actions at their own time; the fifth is done on the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import time_machine
from playwright.sync_api import Page, expect

from clinic.audit.context import SYSTEM, acting
from tests.browser.conftest import TABLET, Person, look
from tests.conftest import Cast
from tests.treatments.plan_parts import hand_in_history, signature
from tests.treatments.session_world import current, make_lot
from treatments.catalogue.models import Area, Lot, Product, Technique
from treatments.consents.actions import open_text, prepare_consent, sign_consent
from treatments.plans.actions import accept_plan, make_plan
from treatments.plans.course import mix_for
from treatments.plans.models import Plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec
from treatments.sessions import actions, charts, grid
from treatments.sessions.entries import AreaEntry, MixEntry, Observation, Preparation, SyringeEntry
from treatments.sessions.models import Session

D = Decimal
DAYS = (1, 4, 7, 10, 13)
WEIGHT_KG = D(62)
"""At most 4.5 mg of lidocaine for each kg: 279 mg."""
PRODUCTS = ("lidocaine-2", "ketoprofen-160", "methylprednisolone-40", "sodium-chloride-09")


def test_five_sessions_in_thirteen_days(cast: Cast, person: Callable[..., Person]) -> None:
    last = datetime.now(UTC)
    first = last - timedelta(days=DAYS[-1] - 1)
    with acting(SYSTEM), time_machine.travel(first - timedelta(hours=2)):
        plan = consented_plan(cast)
        lots = {code: make_lot(cast.here, code, f"{code}-1") for code in PRODUCTS}
        make_lot(cast.here, "lmx4-30", "TUBE")
    for number, day in enumerate(DAYS[:-1], start=1):
        with acting(SYSTEM), time_machine.travel(first + timedelta(days=day - 1)):
            treat(plan, lots, number)
    tablet = person("practitioner", TABLET).sign_in(cast.practitioner)
    fifth_on_the_page(tablet, plan)
    figures(plan)


def consented_plan(cast: Cast) -> Plan:
    hand_in_history(cast.patient)
    plan = make_plan(
        by=cast.practitioner,
        patient=cast.patient,
        location=cast.here,
        indication="low-back-pain",
        title="Low back pain, five sessions",
        areas=[
            AreaSpec(
                area=current(Area, "lower-back"),
                technique=current(Technique, "sim-pain"),
                depth_mm=D(4),
                ml_per_point=D("0.15"),
                points=20,
                needle_gauge=27,
                needle_mm=D(4),
            )
        ],
        mix=[
            MixSpec(current(Product, "lidocaine-2"), D(1)),
            MixSpec(current(Product, "ketoprofen-160"), D(1)),
            MixSpec(current(Product, "methylprednisolone-40"), D(1), 1, 2),
            MixSpec(current(Product, "methylprednisolone-40"), D("0.5"), 3, 5),
            MixSpec(current(Product, "sodium-chloride-09"), D("0.5"), 3, 5),
        ],
        phases=[PhaseSpec(5, 3, 3)],
    )
    accept_plan(by=cast.practitioner, plan=plan)
    consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
    open_text(consent=consent, device="tablet")
    sign_consent(**signature(consent))
    return plan


def treat(plan: Plan, lots: dict[str, Lot], number: int) -> Session:
    """One session as planned, filled in and signed."""
    by = plan.made_by
    session = actions.start_session(by=by, plan=plan)
    now = session.started_at
    entry = Preparation(
        "Chlorhexidine 2 %", now, WEIGHT_KG, unchanged=True, identity=True, photos="not-needed"
    )
    actions.save_preparation(by=by, session=session, entry=entry)
    mix = [MixEntry(lots[part.product.code], part.ml) for part in mix_for(plan, number)]
    tray = [SyringeEntry("A", now, pharmacy="Pharmacie 417")]
    actions.save_mix(by=by, session=session, entries=mix, syringes=tray)
    actions.save_areas(by=by, session=session, entries=[lower_back()])
    seen = Observation("Fine papules.", "none", "", D(0))
    actions.save_observation(by=by, session=session, entry=seen)
    return actions.sign_session(by=by, session=session)


def lower_back() -> AreaEntry:
    """Twenty points of 0.15 mL."""
    chart = charts.charts()["body-back"]
    outline = chart.outlines_mm("lower-back", "none")[0]
    return AreaEntry(
        area=current(Area, "lower-back"),
        technique=current(Technique, "sim-pain"),
        depth_mm=D(4),
        ml_per_point=D("0.15"),
        chart="body-back",
        points=[chart.scale.to_fraction(point) for point in grid.spread(outline, 20, margin=2)],
    )


def fifth_on_the_page(tablet: Person, plan: Plan) -> None:
    """The map of the fourth is repeated; a cream too many is refused with the figures."""
    tablet.expects("422")
    page = tablet.go(f"/patients/{plan.patient.number}/sessions/start/{plan.pk}/")
    page.get_by_role("button", name="Start the session", exact=True).click()
    page.wait_for_url(re.compile(r"/sessions/\d+/edit/$"))
    expect(page.locator("h1")).to_contain_text("Session 5 of 5")
    fill_in(page)
    page.locator("#id_cream-0-anaesthetic").select_option(label="LMX4 cream (lidocaine 4 %)")
    tube = page.locator("#id_cream-0-lot option", has_text="TUBE")
    page.locator("#id_cream-0-lot").select_option(tube.get_attribute("value"))
    page.locator("#id_cream-0-grams").fill("8")
    page.locator("#id_cream-0-area_cm2").fill("200")
    page.locator("[data-now=id_cream-0-on_at]").click()
    page.get_by_role("button", name="Sign and close").click()
    refusal = page.locator("[data-sign-problems]")
    expect(refusal).to_contain_text("340 mg")
    expect(refusal).to_contain_text("279 mg")
    look(page, "course-refused")
    page.locator("#id_cream-0-anaesthetic").select_option("")
    page.locator("#id_cream-0-lot").select_option("")
    for field in ("grams", "area_cm2", "on_at"):
        page.locator(f"#id_cream-0-{field}").fill("")
    page.get_by_role("button", name="Sign and close").click()
    page.wait_for_url(re.compile(r"/sessions/\d+/$"))
    look(page, "course-signed")


def fill_in(page: Page) -> None:
    page.get_by_label("Asked: name and birth date").check()
    page.get_by_label("Asked: nothing has changed").check()
    page.get_by_label("not needed today").check()
    page.get_by_label("Weight").fill(str(WEIGHT_KG))
    page.get_by_label("Skin antiseptic").fill("Chlorhexidine 2 %")
    page.locator("[data-now=id_prep-cleansed_at]").click()
    planned = {"lidocaine-2": "1", "ketoprofen-160": "1"}
    planned |= {"methylprednisolone-40": "0.5", "sodium-chloride-09": "0.5"}
    for row, (code, ml) in enumerate(planned.items()):
        if not page.locator(f"#id_mix-{row}-lot").count():
            page.get_by_role("button", name="Another lot").click()
        lot = page.locator(f"#id_mix-{row}-lot option", has_text=f"{code}-1")
        page.locator(f"#id_mix-{row}-lot").select_option(lot.get_attribute("value"))
        page.locator(f"#id_mix-{row}-ml").fill(ml)
    page.locator("[data-now=id_syr-0-prepared_at]").click()
    page.locator("#id_syr-0-pharmacy").fill("Pharmacie 418")
    page.get_by_role("button", name="Repeat the map of session 4").click()
    expect(page.locator("[data-row] [data-count]")).to_have_text("20")
    page.locator("#id_obs-observation").fill("Less pain than last time.")
    page.get_by_label("None", exact=True).check()
    page.locator("#id_syr-0-discarded_ml").fill("0")
    expect(page.locator("[data-saving]")).to_contain_text("Saved")


def figures(plan: Plan) -> None:
    """What the record holds is what was published."""
    sessions = list(plan.sessions.order_by("number"))
    assert [one.number for one in sessions] == [1, 2, 3, 4, 5]
    start = sessions[0].started_at.date()
    assert [(one.started_at.date() - start).days + 1 for one in sessions] == list(DAYS)
    for session in sessions:
        assert session.signed_at
        totals = session.totals
        assert D(str(totals["drawn_ml"])) == D(str(totals["injected_ml"])) == D(3)
        assert D(str(totals["lidocaine_mg"])) == D(20)
        assert totals["points"] == 20
    steroid = [
        D(str(amount["injected"]))
        for one in sessions
        for amount in one.totals["amounts"]
        if "prednisolone" in amount["name"].lower()
    ]
    assert steroid == [D(40), D(40), D(20), D(20), D(20)]
