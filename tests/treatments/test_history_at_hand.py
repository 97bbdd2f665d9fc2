"""The history where it is needed: the consent shows what speaks against it, a session knows what
the patient has signed today."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.audit.context import SYSTEM, acting
from patients.intake.actions import confirm_unchanged
from patients.intake.facts import latest_history
from patients.intake.models import History
from tests.treatments.plan_parts import (
    accepted_plan,
    hand_in_history,
    make_pain_plan,
    signed_consent,
)
from tests.treatments.session_world import NOON, make_world
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Contraindication
from treatments.consents.actions import prepare_consent
from treatments.diary.lines import lines_of
from treatments.diary.models import Appointment

pytestmark = pytest.mark.django_db


def hand_in(patient, version=1, **said):
    values = {"no_known_allergies": True, "pregnant": False} | said
    return History.objects.create(
        patient=patient, version=version, origin="link", submitted_at=timezone.now(), **values
    )


def page_of(client, consent):
    address = reverse("consents:detail", args=[consent.patient.number, consent.pk])
    return client.get(address).content.decode()


def test_an_unsigned_consent_shows_what_speaks_against_the_plan(cast, client_for):
    hand_in(cast.patient, conditions=["keloid"], pregnant=True)
    consent = prepare_consent(by=cast.practitioner, plan=accepted_plan(cast), language="en")
    text = page_of(client_for(cast.practitioner), consent)
    assert Contraindication.objects.current().get(code="keloid").name_en in text
    assert "Nothing goes on until a practitioner has decided." in text
    hand_in(cast.patient, 2)
    assert "Nothing goes on until" not in page_of(client_for(cast.practitioner), consent)


def test_a_signed_one_keeps_the_rules_of_its_day(cast, client_for):
    hand_in(cast.patient, conditions=["keloid"])
    consent = signed_consent(cast, accepted_plan(cast))
    (kept,) = [v for v in consent.screening if v["rule"] == "contraindication:keloid"]
    assert (kept["level"], kept["history"], consent.history_version) == ("physician", 1, 1)
    row = Contraindication.objects.current().get(code="keloid")
    edit_row(by=cast.manager, row=row, values={"name_en": "Quite other words"})
    text = page_of(client_for(cast.practitioner), consent)
    now, then = text.split("by the rules of that day")
    assert "Quite other words" in now
    assert kept["title"] in then
    assert "Quite other words" not in then
    assert "Record the decision" not in then


def test_the_day_of_a_signed_consent_is_readable(cast, client_for):
    hand_in_history(cast.patient)
    consent = signed_consent(cast, accepted_plan(cast))
    assert "by the rules of that day" in page_of(client_for(cast.practitioner), consent)


@pytest.mark.parametrize(
    ("ago", "known"), [(timedelta(hours=2), True), (timedelta(days=1), False), (None, False)]
)
def test_nothing_changed_signed_today_is_known_to_the_session(cast, ago, known):
    world = make_world(cast)
    with acting(SYSTEM):
        if ago is not None:
            confirm_unchanged(
                history=latest_history(cast.patient),
                origin="tablet",
                signed_name="Élodie Martin",
                at=NOON - ago,
            )
        session = world.start()
    assert (session.history_confirmed_at is not None) == known


def test_the_plan_page_screens_by_the_clock_of_its_location(cast, client_for):
    hand_in(cast.patient, conditions=["vaccination"])
    plan = make_pain_plan(cast)
    address = reverse("plans:detail", args=[cast.patient.number, plan.pk])
    assert "Vaccination" in client_for(cast.practitioner).get(address).content.decode()


def test_nothing_changed_makes_an_old_history_fresh_for_the_desk(cast):
    now = timezone.now()
    visits = {"location": cast.here, "patient": cast.patient, "practitioner": cast.practitioner}
    visits |= {"room": cast.room, "service": cast.consultation}
    history = hand_in(cast.patient)
    before, today = (
        Appointment.objects.create(
            **visits, starts_at=at, ends_at=at + timedelta(minutes=30), status=status
        )
        for at, status in ((now + timedelta(hours=1), "done"), (now + timedelta(days=2), "booked"))
    )
    rows = Appointment.objects.filter(pk=today.pk)
    assert [line.intake for line in lines_of(rows, cast.here.zone)] == ["old"]
    confirm_unchanged(
        history=history, origin="link", signed_name="É", at=before.starts_at + timedelta(hours=1)
    )
    assert [line.intake for line in lines_of(rows, cast.here.zone)] == ["ok"]


def test_a_session_that_may_start_still_shows_what_to_mind(cast, client_for):
    world = make_world(cast)
    address = reverse("sessions:start", args=[cast.patient.number, world.plan.pk])
    client = client_for(cast.practitioner)
    with acting(SYSTEM):
        hand_in(cast.patient, 2, conditions=["vaccination"])
    text = client.get(address).content.decode()
    assert "Read what screening says below" in text
    assert "Vaccination" in text
    assert "Start the session" in text
