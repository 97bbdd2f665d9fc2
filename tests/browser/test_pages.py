"""Every staff page for each role: empty, with one row, with many, with a very long name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from clinic.audit.context import SYSTEM, acting
from tests.browser.conftest import (
    SIZES,
    Person,
    axe,
    morning_zone,
    no_overflow,
    picture,
    settled,
)
from tests.conftest import Cast, make_patient
from tests.treatments.plan_parts import COMPLETE_NOTE, hand_in_history
from tests.treatments.session_world import NOON, make_world
from treatments.catalogue.models import Area, Lot, Product, Technique
from treatments.consents.actions import prepare_consent
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.diary.actions import book
from treatments.plans.actions import accept_plan, make_plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec

D = Decimal
LONG_GIVEN = "Maria Immaculata Theodora Konstantina Alexandrina Wilhelmina"
LONG_FAMILY = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren-Montgomery"
EVERYONE = ["/today/", "/diary/", "/patients/"]
ROLES = {
    "front_desk": ["/diary/?view=week", "/diary/?view=list", "/patients/?q=o", "/messages/"],
    "practitioner": ["/today/?all", "/catalogue/", "/safety/", "/catalogue/stock/"],
    "manager": [
        "/catalogue/substances/",
        "/catalogue/stock/receive/",
        "/catalogue/products/new/",
    ],
}
"""What each role works with, besides what everybody opens."""
SAME_FOR_ALL = ["/patients/register/", "/account/password/", "/account/second-factor/"]
"""Whoever looks, and whatever there is."""


def nothing(cast: Cast) -> list[str]:
    """Nobody has done anything yet."""
    return []


def one(cast: Cast) -> list[str]:
    """One patient with a bit of everything; the pages of it."""
    return [*of_one(cast, cast.patient, hour=9)]


def many(cast: Cast) -> list[str]:
    """A full day, a long list, and a name longer than any line."""
    # What is long past is not booked any more: of an evening that would be the whole day.
    cast.here.timezone = morning_zone()
    cast.here.save()
    patients = [make_patient(cast.here, f"Given{n}", f"Otherwise{n}") for n in range(25)]
    long = make_patient(cast.here, LONG_GIVEN, LONG_FAMILY, email=f"{'long' * 12}@example.org")
    today = timezone.localdate(timezone=cast.here.zone)
    for number, patient in enumerate([long, *patients[:9]]):
        book(
            by=cast.front_desk,
            location=cast.here,
            patient=patient,
            service=cast.treatment,
            starts_at=datetime.combine(today, time(10 + number), tzinfo=cast.here.zone)
            + timedelta(days=1 if number > 9 else 0),
            practitioner=cast.practitioner,
        )
    for number in range(30):
        Lot.objects.create(
            location=cast.here,
            product=Product.objects.current().get(code="ha-1"),
            number=f"LOT-{number:04d}-WITH-A-LONG-NUMBER",
            expires_on=today + timedelta(days=20 * number - 40),
            quantity_ml=D(number),
        )
    return [*of_one(cast, long, hour=8), *of_sessions(cast)]


def of_sessions(cast: Cast) -> list[str]:
    """The record of a signed session, and the page of one that is open."""
    world = make_world(cast)
    signed = world.sign(world.fill(world.start()))
    begun = world.fill(world.start(at=NOON + timedelta(days=15)))
    base = f"practitioner:/patients/{cast.patient.number}/sessions/"
    return [f"{base}{signed.pk}/", f"{base}{begun.pk}/edit/"]


def of_one(cast: Cast, patient: Any, hour: int) -> list[str]:
    """Pages of a patient with an appointment, a note, a plan and a consent to sign."""
    hand_in_history(patient)
    me = cast.practitioner
    today = timezone.localdate(timezone=cast.here.zone)
    visit = book(
        by=cast.front_desk,
        location=cast.here,
        patient=patient,
        service=cast.consultation,
        starts_at=datetime.combine(today, time(hour), tzinfo=cast.here.zone) + timedelta(days=1),
        practitioner=me,
    )
    note = start_consultation(by=me, patient=patient, location=cast.here)
    values = dict(COMPLETE_NOTE)
    note = save_consultation(by=me, consultation=note, revision=note.revision, values=values)
    sign_consultation(by=me, consultation=note)
    draft = start_consultation(by=me, patient=patient, location=cast.here)
    plan = make_plan(
        by=me,
        patient=patient,
        location=cast.here,
        indication="face-rejuvenation",
        title="Face, forehead and both cheeks, with a title that is longer than most",
        areas=[
            AreaSpec(
                area=Area.objects.current().get(code="forehead"),
                technique=Technique.objects.current().get(code="papule"),
                depth_mm=D("1.5"),
                ml_per_point=D("0.05"),
                points=40,
            )
        ],
        mix=[MixSpec(Product.objects.current().get(code="ha-1"), D(2))],
        phases=[PhaseSpec(4, 15, 15)],
    )
    accept_plan(by=me, plan=plan)
    consent = prepare_consent(by=me, plan=plan, language="en")
    base = f"/patients/{patient.number}/"
    everyone = [base, f"/diary/{visit.pk}/"]
    desk = [f"{base}edit/", f"/diary/book/?patient={patient.number}", f"/diary/{visit.pk}/move/"]
    notes = [
        f"{base}history/",
        f"{base}history/new/about/",
        f"{base}consultations/{note.pk}/",
        f"{base}consultations/{draft.pk}/edit/",
        f"{base}plans/new/",
        f"{base}plans/{plan.pk}/",
        f"{base}consents/{consent.pk}/",
        f"{base}consents/{consent.pk}/sign/",
        f"{base}sessions/start/{plan.pk}/",
    ]
    return [
        *everyone,
        *(f"front_desk:{path}" for path in desk),
        *(f"practitioner:{path}" for path in notes),
        f"manager:{base}access-log/",
    ]


WORLDS = {"nothing": nothing, "one": one, "many": many}


def pages(role: str, world: str, extra: list[str]) -> list[str]:
    """What this role may open."""
    found = [*EVERYONE, *ROLES[role]]
    if (role, world) == ("front_desk", "many"):
        found += SAME_FOR_ALL
    for path in extra:
        owner, _sep, rest = path.rpartition(":")
        if owner in ("", role):
            found.append(rest)
    return found


AXE_AT = {("phone", "light"), ("desk", "dark")}
"""Colours do not depend on the size, and the phone has every part that the desk has. The long
proof asks at every size."""


# What one row shows is among the many; whether a list of one looks right is for `make soak`.
@pytest.mark.parametrize("world", ["nothing", pytest.param("one", marks=pytest.mark.soak), "many"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_whole_at_every_size(
    role: str, world: str, cast: Cast, person: Callable[..., Person]
) -> None:
    with acting(SYSTEM):
        extra = WORLDS[world](cast)
    someone = person(role, SIZES["desk"]).sign_in(getattr(cast, role))
    faults: list[str] = []
    for path in pages(role, world, extra):
        page = someone.go(path)
        settled(page)
        for size, box in SIZES.items():
            page.set_viewport_size(box)  # type: ignore[arg-type]
            faults += found_at(page, size, "light", role, world, path)
        page.set_viewport_size(SIZES["desk"])  # type: ignore[arg-type]
        if world == "many":
            page.emulate_media(color_scheme="dark")
            page.wait_for_timeout(200)  # until it has been painted anew
            faults += found_at(page, "desk", "dark", role, world, path)
            page.emulate_media(color_scheme="light")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


def found_at(page: Page, size: str, scheme: str, role: str, world: str, path: str) -> list[str]:
    """What is wrong with a page at one size, in light or dark."""
    picture(page, f"pages-{role}-{world}-{name_of(path)}-{size}-{scheme}")
    asked = world == "one" or (size, scheme) in AXE_AT
    checks = [no_overflow, axe] if asked else [no_overflow]
    found = []
    for check in checks:
        try:
            check(page)
        except (AssertionError, pytest.fail.Exception) as fault:
            found.append(f"{size}, {scheme}: {fault}")
    return found


def name_of(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("?", "_") or "home"
