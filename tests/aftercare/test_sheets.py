"""The sheet that is given: composed from the catalogue, with the five founding pieces of advice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aftercare.sheets.actions import content_of, give_sheet
from clinic.errors import ActionRefused
from patients.messages.models import Message
from tests.access.world import World, make_world
from tests.conftest import Cast
from treatments.catalogue.models import AdviceBlock, Area, Lot, Technique
from treatments.mixes.models import Syringe
from treatments.sessions.models import MixComponent, Session, TreatedArea

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


@pytest.fixture
def draft(world: World) -> Session:
    session: Session = world.patient.sessions.get(number=1)
    session.treated_areas.all().delete()
    return session


def treat(session: Session, area: str, technique: str = "nappage") -> None:
    TreatedArea.objects.create(
        session=session,
        area=Area.objects.current().get(code=area),
        chart="face-front",
        technique=Technique.objects.current().get(code=technique),
        depth_mm=2,
        ml_per_point=Decimal("0.02"),
    )


def said(session: Session, language: str = "en") -> dict[str, str]:
    assert session.started_at
    lines = content_of(session, language=language, at=session.started_at)["lines"]
    return {line["block"]: line["text"] for line in lines}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("area", ["cheek", "vertex", "abdomen", "hand-dorsum"])
def test_the_founding_advice_is_always_there(draft: Session, area: str, language: str) -> None:
    treat(draft, area)
    topics = {
        line["topic"] for line in content_of(draft, language=language, at=draft.started_at)["lines"]
    }
    founding = set(
        AdviceBlock.objects.current().filter(is_founding=True).values_list("topic", flat=True)
    )
    assert len(founding) == 5
    assert founding <= topics


def test_no_line_has_a_place_left_unfilled(draft: Session) -> None:
    treat(draft, "cheek")
    treat(draft, "vertex")
    for text in said(draft).values():
        assert "{" not in text


def test_the_area_decides_what_is_said(draft: Session) -> None:
    treat(draft, "cheek")
    face = set(said(draft))
    draft.treated_areas.all().delete()
    treat(draft, "vertex")
    assert set(said(draft)) != face


def test_a_lot_in_two_syringes_is_listed_once(draft: Session) -> None:
    lot = Lot.objects.first()
    assert lot
    for label in "BC":
        syringe = Syringe.objects.create(session=draft, label=label)
        MixComponent.objects.create(session=draft, syringe=syringe, lot=lot, ml=Decimal(1))
    products = content_of(draft, language="en", at=draft.started_at)["products"]
    assert [one["lot"] for one in products].count(lot.number) == 1


def test_a_sheet_is_given_once_and_sent_as_a_link(cast: Cast, world: World) -> None:
    session = world.patient.sessions.get(number=2)
    first = give_sheet(by=cast.practitioner, session=session)
    assert give_sheet(by=cast.practitioner, session=session) == first


def test_a_new_sheet_brings_its_document_and_its_message(cast: Cast, world: World) -> None:
    plan = world.patient.plans.get()
    signed = Session.objects.create(
        patient=world.patient,
        location=world.place,
        plan=plan,
        consent=plan.consents.get(),
        practitioner=cast.practitioner,
        number=3,
        history_version=1,
        started_at=plan.created_at,
        antiseptic="x",
        adverse_events="none",
        signed_at=plan.created_at,
        signed_by=cast.practitioner,
    )
    sheet = give_sheet(by=cast.practitioner, session=signed)
    assert sheet.document.state == "queued"
    message = Message.objects.get(key=f"sheet-{sheet.pk}")
    assert world.patient.family_name not in message.subject + message.body


def test_an_unsigned_session_gets_no_sheet(cast: Cast, draft: Session) -> None:
    with pytest.raises(ActionRefused):
        give_sheet(by=cast.practitioner, session=draft)
