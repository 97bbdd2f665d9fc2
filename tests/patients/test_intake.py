"""The medical history: asked step by step, kept as versions, closed once signed."""

from __future__ import annotations

import pytest
from django.db import Error
from django.urls import reverse

from clinic.errors import ActionRefused
from patients.intake import questions as asked_of
from patients.intake.actions import review_history, save_draft, submit_history
from patients.intake.facts import (
    allergies,
    changed_since,
    draft_of,
    latest_history,
    steps_left,
)
from patients.intake.models import History
from patients.intake.questions import Question
from tests.patients.test_portal import inside

pytestmark = pytest.mark.django_db

COMPLETE = {
    "weight_kg": 61,
    "pregnant": False,
    "conditions": ["asthma"],
    "medicines": [],
    "allergies": ["lidocaine"],
    "no_known_allergies": False,
    "cold_sores": True,
}


@pytest.fixture(autouse=True)
def known_questions(monkeypatch):
    known = [
        Question("asthma", "condition", "Asthma", "Asthme", 1),
        Question("diabetes", "condition", "Diabetes", "Diabète", 2),
        Question("peel", "event", "A peel this month", "Un peeling ce mois-ci", 3),
        Question("aspirin", "medicine", "Aspirin", "Aspirine", 1),
        Question("lidocaine", "allergy", "Local anaesthetics", "Anesthésiques locaux", 1),
    ]
    monkeypatch.setattr(asked_of, "_providers", [lambda: known])


def handed_in(patient, **more):
    draft = save_draft(patient=patient, origin="link", values={**COMPLETE, **more})
    return submit_history(history=draft, signed_name="Élodie Martin")


def test_a_draft_is_one_row_that_grows(cast):
    first = save_draft(patient=cast.patient, origin="link", values={"pregnant": False})
    second = save_draft(patient=cast.patient, origin="link", values={"conditions": []})
    assert first.pk == second.pk
    assert steps_left(second) == ["medicines", "allergies", "skin"]
    assert latest_history(cast.patient) is None


def test_a_history_with_gaps_cannot_be_handed_in(cast):
    draft = save_draft(patient=cast.patient, origin="link", values={"pregnant": False})
    with pytest.raises(ActionRefused):
        submit_history(history=draft, signed_name="Élodie")


def test_no_allergies_must_be_said(cast):
    silent = {**COMPLETE, "allergies": [], "no_known_allergies": False}
    draft = save_draft(patient=cast.patient, origin="link", values=silent)
    assert steps_left(draft) == ["allergies"]
    assert allergies(draft) == ""
    draft = save_draft(patient=cast.patient, origin="link", values={"no_known_allergies": True})
    draft = save_draft(patient=cast.patient, origin="link", values={"allergies": []})
    assert steps_left(draft) == []
    assert allergies(draft) == "None known"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_history_is_signed_by_a_name(cast, name):
    draft = save_draft(patient=cast.patient, origin="link", values=COMPLETE)
    with pytest.raises(ActionRefused) as refused:
        submit_history(history=draft, signed_name=name)
    assert refused.value.field == "signed_name"


@pytest.mark.parametrize("weight", [1, 401])
def test_an_impossible_weight_is_refused_by_name(cast, weight):
    with pytest.raises(ActionRefused):
        save_draft(patient=cast.patient, origin="link", values={"weight_kg": weight})


def test_a_history_handed_in_is_closed_but_can_be_reviewed_once(cast):
    history = handed_in(cast.patient)
    with pytest.raises(ActionRefused):
        submit_history(history=history, signed_name="Again")
    reviewed = review_history(by=cast.practitioner, history=history)
    assert reviewed.reviewed_by == cast.practitioner
    with pytest.raises(ActionRefused):
        review_history(by=cast.colleague, history=history)
    with pytest.raises(Error, match="closed"):
        History.objects.filter(pk=history.pk).update(conditions=[])


def test_each_submission_is_a_version_and_begins_from_the_last(cast):
    first = handed_in(cast.patient)
    draft = save_draft(patient=cast.patient, origin="link", values={"pregnant": True})
    assert draft.version == first.version + 1
    assert draft.conditions == ["asthma"]
    assert draft.weight_kg is None
    assert latest_history(cast.patient) == first
    second = handed_in(cast.patient, pregnant=True, conditions=["asthma", "diabetes"])
    assert latest_history(cast.patient) == second
    changes = {
        str(change.name): (change.before, change.after) for change in changed_since(second, first)
    }
    assert changes == {
        "Pregnant or breastfeeding": ("No", "Yes"),
        "Conditions and events": ("Asthma", "Asthma, Diabetes"),
    }


def step_url(token, step):
    return reverse("my-history:step", args=[token, step])


ANSWERS = [
    ("about", {"weight_kg": "61,5", "pregnant": "no"}),
    ("conditions", {"chosen": ["asthma", "peel"]}),
    ("medicines", {"none": "on"}),
    ("allergies", {"chosen": ["lidocaine"], "other_allergies": "Walnuts"}),
    ("skin", {"cold_sores": "yes", "fear_of_needles": "no", "expectations": "Less fatigue"}),
]


def test_the_whole_questionnaire_on_a_phone(cast):
    client, token = inside(cast.patient)
    start = reverse("my-history:start", args=[token])
    for step, answers in ANSWERS:
        assert client.get(start)["Location"] == step_url(token, step)
        assert client.get(step_url(token, step)).status_code == 200
        assert client.post(step_url(token, step), answers).status_code == 302
    check = reverse("my-history:check", args=[token])
    assert client.get(start)["Location"] == check
    page = client.get(check).content.decode()
    for word in ("61.5 kg", "A peel this month", "Walnuts", "Less fatigue"):
        assert word in page
    assert client.post(check, {"signed_name": ""}).status_code == 422
    sent = client.post(check, {"signed_name": "Élodie Martin"})
    assert sent["Location"] == reverse("my-history:done", args=[token])
    history = latest_history(cast.patient)
    assert history.conditions == ["asthma", "peel"]
    assert history.medicines == []
    assert history.signed_name == "Élodie Martin"
    assert ["diabetes", "Diabetes", "no"] in history.answers["asked"]["conditions"]
    assert ["aspirin", "Aspirin", "no"] in history.answers["asked"]["medicines"]


def test_it_can_be_left_and_come_back_to(cast):
    client, token = inside(cast.patient)
    client.post(step_url(token, "about"), ANSWERS[0][1])
    elsewhere, another = inside(cast.patient)
    start = elsewhere.get(reverse("my-history:start", args=[another]))
    assert start["Location"] == step_url(another, "conditions")
    panel = elsewhere.get(reverse("my-history:panel", args=[another])).content.decode()
    assert "4 steps are left" in panel


def test_looking_at_a_step_writes_nothing(cast):
    client, token = inside(cast.patient)
    client.get(step_url(token, "about"))
    assert not History.objects.exists()


@pytest.mark.parametrize(
    ("step", "given", "words"),
    [
        ("about", {}, "Answer yes or no"),
        ("about", {"pregnant": "perhaps"}, "Select a valid choice"),
        ("about", {"pregnant": "no", "weight_kg": "heavy"}, "Enter a number"),
        ("about", {"pregnant": "no", "weight_kg": "-3"}, "greater than or equal to 2"),
        ("about", {"pregnant": "no", "weight_kg": "9" * 50}, "digits"),
        ("about", {"pregnant": "no", "weight_kg": "NaN"}, "Enter a number"),
        ("conditions", {}, "Tick what applies to you, or"),
        ("conditions", {"chosen": ["made-up"]}, "Tick only what is on the list"),
        ("conditions", {"chosen": ["asthma"], "none": "on"}, "also ticked this"),
        ("medicines", {"none": "on", "medicines_text": "Aspirin"}, "also ticked this"),
        ("medicines", {"medicines_text": "x" * 2001}, "at most 2000 characters"),
        ("allergies", {"other_allergies": "x" * 501}, "at most 500 characters"),
        ("skin", {"cold_sores": "yes"}, "Answer yes or no"),
    ],
)
def test_bad_input_is_explained_and_not_lost(cast, step, given, words):
    client, token = inside(cast.patient)
    response = client.post(step_url(token, step), given)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert draft_of(cast.patient) is None


def test_an_unknown_step_is_not_there(cast):
    client, token = inside(cast.patient)
    assert client.get(step_url(token, "nonsense")).status_code == 404


def test_the_check_page_without_answers_leads_back(cast):
    client, token = inside(cast.patient)
    check = reverse("my-history:check", args=[token])
    assert client.get(check)["Location"] == reverse("portal:home", args=[token])
    assert client.post(check, {"signed_name": "x"}).status_code == 302


def test_questions_are_asked_in_the_patients_language(cast):
    cast.patient.language = "fr"
    cast.patient.save()
    client, token = inside(cast.patient)
    assert "Asthme" in client.get(step_url(token, "conditions")).content.decode()


def url(name, patient, *args):
    return reverse(f"intake:{name}", args=[patient.number, *args])


def test_who_reads_what(cast, client_for):
    handed_in(cast.patient, expectations="a secret hope")
    reader, desk = client_for(cast.practitioner), client_for(cast.front_desk)
    assert "Asthma" in reader.get(url("detail", cast.patient)).content.decode()
    assert "Asthma" in reader.get(url("panel", cast.patient)).content.decode()
    assert desk.get(url("detail", cast.patient)).status_code == 403
    panel = desk.get(url("panel", cast.patient)).content.decode()
    assert "To review" in panel
    assert "Asthma" not in panel
    assert "secret hope" not in panel
    bar = desk.get(url("bar", cast.patient)).content.decode()
    assert "Local anaesthetics" in bar
    assert "Asthma" not in bar
    assert client_for(cast.practitioner2).get(url("detail", cast.patient)).status_code == 404


def test_the_bar_tells_not_asked_from_none_known(cast, client_for):
    reader = client_for(cast.practitioner)
    assert "not known" in reader.get(url("bar", cast.patient)).content.decode()
    handed_in(cast.patient, allergies=[], no_known_allergies=True)
    assert "None known" in reader.get(url("bar", cast.patient)).content.decode()


def test_a_practitioner_reviews_and_types_it_in(cast, client_for):
    reader = client_for(cast.practitioner)
    for step, answers in ANSWERS:
        assert reader.post(url("step", cast.patient, step), answers).status_code == 302
    sent = reader.post(url("check", cast.patient), {"signed_name": "Élodie Martin"})
    assert sent["Location"] == url("detail", cast.patient)
    history = latest_history(cast.patient)
    assert history.origin == "desk"
    assert reader.post(url("review", cast.patient, history.pk)).status_code == 302
    history.refresh_from_db()
    assert history.reviewed_by == cast.practitioner
    wrong = reverse("intake:review", args=[cast.stranger.number, history.pk])
    assert reader.post(wrong).status_code == 404
    assert client_for(cast.front_desk).get(url("start", cast.patient)).status_code == 403
