"""Screening a stored patient, and deciding about a verdict on the page."""

from __future__ import annotations

from datetime import date

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from clinic.errors import ActionRefused
from patients.intake.models import History
from patients.intake.questions import questions
from tests.conftest import make_patient
from tests.treatments.plan_parts import COMPLETE_NOTE
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Contraindication
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.screening.actions import blocking, override, screen_patient
from treatments.screening.claims import claim
from treatments.screening.engine import Proposal
from treatments.screening.models import Override

pytestmark = pytest.mark.django_db
PLAIN = Proposal(substances=["hyaluronic-acid"], areas=["cheek"], country="FR")


def hand_in(patient, version=1, **said):
    said.setdefault("no_known_allergies", True)
    said.setdefault("pregnant", False)
    return History.objects.create(
        patient=patient, version=version, origin="link", submitted_at=timezone.now(), **said
    )


def verdicts(patient, proposal=PLAIN):
    return screen_patient(patient=patient, proposal=proposal, at=timezone.now())


def decide(client, patient, verdict, reason="discussed with the patient", **sent):
    url = f"/patients/{patient.number}/screening/decide/"
    values = {"claim": claim(verdict, patient.pk), "reason": reason, "next": "/patients/"}
    return client.post(url, {**values, **sent})


def test_the_newest_history_handed_in_counts(cast):
    assert [v.rule for v in verdicts(cast.patient)] == ["screening:no-history"]
    hand_in(cast.patient, 1, pregnant=True)
    History.objects.create(patient=cast.patient, version=2, origin="link")
    assert [v.rule for v in verdicts(cast.patient)] == ["contraindication:pregnancy"]
    History.objects.filter(version=2).delete()
    hand_in(cast.patient, 3)
    assert verdicts(cast.patient) == []


def test_screening_costs_a_fixed_number_of_queries(cast, django_assert_max_num_queries):
    hand_in(cast.patient, conditions=["thrombosis", "keloid", "fainting"], pregnant=True)
    big = Proposal(
        substances=["tranexamic-acid", "lidocaine", "glutathione"],
        areas=["cheek", "chin"],
        anaesthetics=["emla"],
        products=["tranexamic-100"],
        country="FR",
    )
    verdicts(cast.patient, big)  # the standing rules are kept from here on
    with django_assert_max_num_queries(10):
        verdicts(cast.patient, big)


def test_a_decision_holds_for_that_fact_and_that_rule(cast):
    hand_in(cast.patient, pregnant=True)
    (stop,) = blocking(verdicts(cast.patient))
    override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason=" breastfeeding ")
    (decided,) = verdicts(cast.patient)
    assert decided.overridden
    assert "Ada Rossi" in decided.decision
    assert "breastfeeding" in decided.decision
    assert blocking([decided]) == []


def test_a_new_history_asks_again(cast):
    hand_in(cast.patient, pregnant=True)
    (stop,) = blocking(verdicts(cast.patient))
    override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="yes")
    hand_in(cast.patient, 2, pregnant=True)
    assert blocking(verdicts(cast.patient))


def test_an_edited_rule_asks_again(cast):
    hand_in(cast.patient, pregnant=True)
    (stop,) = blocking(verdicts(cast.patient))
    override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="yes")
    row = Contraindication.objects.current().get(code="pregnancy")
    edit_row(by=cast.manager, row=row, values={"source_note": "read again"})
    assert blocking(verdicts(cast.patient))


def test_an_edit_can_make_advice_refuse(cast):
    hand_in(cast.patient, conditions=["keloid"])
    assert blocking(verdicts(cast.patient)) == []
    row = Contraindication.objects.current().get(code="keloid")
    edit_row(by=cast.manager, row=row, values={"blocks": True, "level": "stop"})
    assert blocking(verdicts(cast.patient))


def test_a_decision_keeps_what_the_rule_said(cast):
    hand_in(cast.patient, pregnant=True)
    (stop,) = blocking(verdicts(cast.patient))
    made = override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="agreed")
    row = Contraindication.objects.current().get(code="pregnancy")
    edit_row(by=cast.manager, row=row, values={"name_en": "Other words"})
    made.refresh_from_db()
    assert (made.title, made.source) == (stop.title, stop.source)
    assert "version 1" in made.fact


def test_only_a_registered_practitioner_decides(cast):
    hand_in(cast.patient, pregnant=True)
    (stop,) = blocking(verdicts(cast.patient))
    cast.practitioner.registration_number = ""
    with pytest.raises(ActionRefused, match="registration number"):
        override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason="x")


def test_a_minor_s_verdict_asks_for_the_doctor_on_the_page(cast, client_for):
    minor = make_patient(cast.here, "Otto", "Young", birth_date=date(2015, 1, 1))
    hand_in(minor)
    toxin = Proposal(substances=["botulinum-toxin"], country="GB")
    (stop,) = blocking(verdicts(minor, toxin))
    assert 'name="directed_by"' in shown(cast.practitioner, minor, [stop])
    client = client_for(cast.practitioner)
    page = decide(client, minor, stop)
    assert page.status_code == 422
    assert "Name the doctor who directs this." in page.content.decode()
    assert decide(client, minor, stop, directed_by="Dr Obi").status_code == 302
    assert Override.objects.get().directed_by == "Dr Obi"


def test_the_skin_type_of_the_last_signed_note_counts(cast):
    hand_in(cast.patient)
    assert verdicts(cast.patient) == []
    note = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
    values = COMPLETE_NOTE | {"fitzpatrick": 5}
    note = save_consultation(by=cast.practitioner, consultation=note, revision=0, values=values)
    assert verdicts(cast.patient) == []  # a draft is nobody's word yet
    sign_consultation(by=cast.practitioner, consultation=note)
    assert [v.rule for v in verdicts(cast.patient)] == ["contraindication:dark-skin"]


def test_who_may_decide_and_about_what(cast):
    hand_in(cast.patient, pregnant=True, conditions=["fainting"])
    found = verdicts(cast.patient, Proposal(substances=["peptides"]))
    stop = next(v for v in found if v.rule == "contraindication:pregnancy")
    fixed = next(v for v in found if v.key.endswith("not-injectable"))
    caution = next(v for v in found if v.level == "caution")
    for by in (cast.front_desk, cast.manager):
        with pytest.raises(ActionRefused, match="practitioner"):
            override(by=by, patient=cast.patient, verdict=stop, reason="x")
    for verdict in (fixed, caution):
        with pytest.raises(ActionRefused, match="Nobody"):
            override(by=cast.practitioner, patient=cast.patient, verdict=verdict, reason="x")
    for reason in ("", "   ", "x" * 2001):
        with pytest.raises(ActionRefused):
            override(by=cast.practitioner, patient=cast.patient, verdict=stop, reason=reason)
    assert not Override.objects.exists()


def test_deciding_on_the_page(cast, client_for):
    hand_in(cast.patient, pregnant=True)
    (stop,) = verdicts(cast.patient)
    client = client_for(cast.practitioner)
    page = decide(client, cast.patient, stop)
    assert (page.status_code, page.url) == (302, "/patients/")
    assert Override.objects.get().decided_by == cast.practitioner
    again = decide(client, cast.patient, stop)
    assert again.status_code == 422
    assert "Ada Rossi has already decided this" in again.content.decode()


@pytest.mark.parametrize(
    "sent", [{"reason": ""}, {"reason": "x" * 2001}, {"claim": "forged"}, {"claim": ""}]
)
def test_bad_input_comes_back_with_what_was_written(cast, client_for, sent):
    hand_in(cast.patient, pregnant=True)
    (stop,) = verdicts(cast.patient)
    page = decide(client_for(cast.practitioner), cast.patient, stop, **sent)
    assert page.status_code == 422
    assert sent.get("reason", "discussed with the patient") in page.content.decode()
    assert not Override.objects.exists()


def test_a_claim_of_another_patient_or_an_older_history_is_refused(cast, client_for):
    hand_in(cast.patient, pregnant=True)
    (stop,) = verdicts(cast.patient)
    client = client_for(cast.practitioner)
    other = claim(stop, cast.stranger.pk)
    assert decide(client, cast.patient, stop, claim=other).status_code == 422
    hand_in(cast.patient, 2, pregnant=True)
    page = decide(client, cast.patient, stop)
    assert "history has changed" in page.content.decode()
    assert not Override.objects.exists()


def test_the_way_back_stays_on_this_site(cast, client_for):
    hand_in(cast.patient, pregnant=True)
    (stop,) = verdicts(cast.patient)
    page = decide(client_for(cast.practitioner), cast.patient, stop, next="//evil.example/")
    assert page.url == f"/patients/{cast.patient.number}/"


@pytest.mark.parametrize(
    ("who", "status"), [("front_desk", 403), ("manager", 403), ("practitioner2", 404)]
)
def test_others_cannot_decide(cast, client_for, who, status):
    hand_in(cast.patient, pregnant=True)
    (stop,) = verdicts(cast.patient)
    assert decide(client_for(getattr(cast, who)), cast.patient, stop).status_code == status
    client = client_for(cast.practitioner)
    assert client.get(f"/patients/{cast.patient.number}/screening/decide/").status_code == 405


def shown(user, patient, found):
    request = RequestFactory().get("/somewhere/")
    request.user = user
    template = Template(
        '{% include "treatments/screening_verdicts.html" with verdicts=verdicts patient=patient %}'
    )
    values = {"verdicts": found, "patient": patient, "request": request}
    return template.render(Context(values))


def test_the_include_offers_a_decision_to_those_who_may(cast):
    hand_in(cast.patient, pregnant=True, conditions=["vaccination"])
    found = verdicts(cast.patient)
    page = shown(cast.practitioner, cast.patient, found)
    assert page.count("Record the decision") == 2
    assert "Nothing goes on until a practitioner has decided." in page
    assert "Rule not verified by a clinician." in page
    assert "Record the decision" not in shown(cast.manager, cast.patient, found)
    assert "Nothing in the history speaks against this." in shown(cast.manager, cast.patient, [])


def test_the_include_shows_verdicts_kept_in_a_note(cast):
    kept = {
        "level": "wait",
        "title": "Vaccination",
        "fact": "stated",
        "source": "S80c",
        "until": "2026-03-17",
        "blocks": False,
        "overridden": False,
        "overridable": True,
        "verified": False,
        "decision": "",
    }
    page = shown(cast.practitioner, cast.patient, [kept])
    assert "17-Mar-2026" in page
    assert "Record the decision" not in page


def test_the_questionnaire_asks_from_the_catalogue(cast):
    codes = [question.code for question in questions()]
    assert "heart-disease" in codes
    assert "allergy-soy" in codes
    assert "under-18" not in codes
    row = Contraindication.objects.current().get(code="heart-disease")
    edit_row(by=cast.manager, row=row, values={"question_en": "Is your heart ill?"})
    assert "Is your heart ill?" in [question.text_en for question in questions("condition")]
