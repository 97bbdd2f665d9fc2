"""The medical history: asked step by step, kept as versions, closed once signed."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest
from django.db import Error, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.errors import ActionRefused
from patients.intake import questions as asked_of
from patients.intake.actions import (
    StaleStep,
    confirm_unchanged,
    discard_draft,
    keep_unfinished,
    review_history,
    save_draft,
    submit_history,
)
from patients.intake.facts import (
    STEPS,
    allergies,
    changed_since,
    compared,
    draft_of,
    latest_history,
    lines,
    steps_left,
)
from patients.intake.merging import most_careful
from patients.intake.models import Confirmation, History
from patients.intake.procedures import is_possible
from patients.intake.questions import BDDQ, Question
from patients.portal.models import Link
from tests.conftest import make_patient
from tests.patients.test_portal import inside

pytestmark = pytest.mark.django_db

COMPLETE = {
    "weight_kg": 61,
    "pregnant": False,
    "breastfeeding": False,
    "conditions": ["asthma"],
    "medicines": [],
    "allergies": ["lidocaine"],
    "no_known_allergies": False,
    "cold_sores": True,
}
DRAWING = json.dumps(
    {
        "width": 300,
        "height": 200,
        "strokes": [{"points": [{"x": 10 + i, "y": 20 + i % 7} for i in range(20)]}],
    }
)
DRAWN = {"signed_name": "Élodie Martin", "signature_strokes": DRAWING}
TYPED = {"signed_name": "Élodie Martin", "signature_typed": "Élodie Martin"}
KNOWN = [
    Question("asthma", "condition", "Do you have asthma?", "Asthme ?", 1, "Asthma", "Asthme"),
    Question("diabetes", "condition", "Diabetes?", "Diabète ?", 2, "Diabetes", "Diabète"),
    Question(
        "insulin", "condition", "Insulin?", "Insuline ?", 3, "Insulin", asked_if=("diabetes",)
    ),
    Question("peel", "event", "A peel lately?", "Un peeling ?", 4, "A peel", detail="date"),
    Question("aspirin", "medicine", "Aspirin", "Aspirine", 1, detail="text"),
    Question("lidocaine", "allergy", "Local anaesthetics", "Anesthésiques locaux", 1),
    Question("keloid", "condition", "Thick scars?", "Chéloïdes ?", 5, "Keloid", topic="skin"),
    Question("planning", "condition", "Trying?", "Projet ?", 6, "Planning", topic="pregnancy"),
    Question("fainting", "condition", "Fainted?", "Malaise ?", 7, "Fainting", topic="mind"),
]


@pytest.fixture(autouse=True)
def known_questions(monkeypatch):
    monkeypatch.setattr(asked_of, "_providers", [lambda: KNOWN])


def handed_in(patient, **more):
    draft = save_draft(patient=patient, origin="link", values={**COMPLETE, **more})
    return submit_history(history=draft, signed_name="Élodie Martin")


class TestDraft:
    def test_is_one_row_that_grows(self, cast):
        first = save_draft(patient=cast.patient, origin="link", values={"pregnant": False})
        second = save_draft(patient=cast.patient, origin="link", values={"conditions": []})
        assert first.pk == second.pk
        assert steps_left(second) == ["about", "medicines", "allergies", "skin", "hopes"]
        assert latest_history(cast.patient) is None

    @pytest.mark.parametrize("step", STEPS)
    def test_can_begin_with_any_page(self, cast, step):
        client, token = inside(cast.patient)
        answered = client.post(step_url(token, step), dict(ANSWERS)[step])
        assert answered.status_code == 302
        assert [s for s in STEPS if s not in steps_left(draft_of(cast.patient))] == [step]

    def test_a_history_with_gaps_cannot_be_handed_in(self, cast):
        draft = save_draft(patient=cast.patient, origin="link", values={"pregnant": False})
        with pytest.raises(ActionRefused):
            submit_history(history=draft, signed_name="Élodie")

    def test_no_allergies_must_be_said(self, cast):
        silent = {**COMPLETE, "allergies": [], "no_known_allergies": False}
        draft = save_draft(patient=cast.patient, origin="link", values=silent)
        assert steps_left(draft) == ["allergies"]
        assert allergies(draft) == ""
        save_draft(patient=cast.patient, origin="link", values={"no_known_allergies": True})
        draft = save_draft(patient=cast.patient, origin="link", values={"allergies": []})
        assert steps_left(draft) == []
        assert allergies(draft) == "None known"

    @pytest.mark.parametrize("weight", [1, 401])
    def test_an_impossible_weight_is_refused_by_name(self, cast, weight):
        with pytest.raises(ActionRefused):
            save_draft(patient=cast.patient, origin="link", values={"weight_kg": weight})

    def test_an_update_starts_from_the_last_but_not_what_passes(self, cast):
        """A vaccination or a pregnancy of last year is asked anew, and not shown as ticked."""
        handed_in(
            cast.patient,
            conditions=["asthma", "peel", "planning"],
            details={"peel": {"on": "2026-03-01"}},
            psychology={"cops": 50},
        )
        draft = save_draft(patient=cast.patient, origin="link", values={"weight_kg": None})
        assert draft.version == 2
        assert draft.conditions == ["asthma"]
        assert (draft.details, draft.psychology) == ({}, {})
        assert (draft.weight_kg, draft.pregnant) == (None, None)

    def test_an_update_can_be_thrown_away_a_first_history_not(self, cast):
        save_draft(patient=cast.patient, origin="link", values={"weight_kg": 60})
        with pytest.raises(ActionRefused, match="no earlier"):
            discard_draft(patient=cast.patient)
        draft = save_draft(patient=cast.patient, origin="link", values=COMPLETE)
        first = submit_history(history=draft, signed_name="Élodie")
        save_draft(patient=cast.patient, origin="link", values={"weight_kg": 90})
        discard_draft(patient=cast.patient)
        assert draft_of(cast.patient) is None
        assert latest_history(cast.patient) == first


class TestSubmission:
    @pytest.mark.parametrize("name", ["", "   ", "x" * 201])
    def test_is_signed_by_a_name(self, cast, name):
        draft = save_draft(patient=cast.patient, origin="link", values=COMPLETE)
        with pytest.raises(ActionRefused) as refused:
            submit_history(history=draft, signed_name=name)
        assert refused.value.field == "signed_name"

    def test_a_drawn_signature_needs_its_drawing(self, cast):
        draft = save_draft(patient=cast.patient, origin="link", values=COMPLETE)
        with pytest.raises(ActionRefused) as refused:
            submit_history(history=draft, signed_name="Élodie", how="drawn")
        assert refused.value.field == "signature"
        with pytest.raises(Error, match="history_drawn_has_drawing"):
            History.objects.create(
                patient=cast.stranger, version=1, origin="link", signed_how="drawn"
            )

    def test_only_staff_can_say_that_it_was_told(self, cast):
        draft = save_draft(patient=cast.patient, origin="desk", values=COMPLETE)
        with pytest.raises(ActionRefused):
            submit_history(history=draft, signed_name="Élodie", how="told")
        told = submit_history(history=draft, signed_name="Élodie", how="told", by=cast.front_desk)
        assert told.typed_by == cast.front_desk
        assert not told.is_signed

    def test_closes_the_row(self, cast):
        history = handed_in(cast.patient)
        with pytest.raises(ActionRefused):
            submit_history(history=history, signed_name="Again")
        with pytest.raises(Error, match="closed"):
            History.objects.filter(pk=history.pk).update(conditions=[])

    def test_each_is_a_version(self, cast):
        first = handed_in(cast.patient)
        second = handed_in(cast.patient, pregnant=True, conditions=["asthma", "diabetes"])
        assert latest_history(cast.patient) == second
        changes = {str(one.name): one for one in changed_since(second, first)}
        assert {name: (one.before, one.after) for name, one in changes.items()} == {
            "Pregnant": ("No", "Yes"),
            "Conditions": ("Asthma", "Asthma; Diabetes"),
        }
        assert changes["Conditions"].new == ("Diabetes",)
        assert changes["Conditions"].gone == ()
        assert [pair.changed for pair in compared(second, first)].count(True) == 2


class TestUnfinishedPages:
    def keep(self, cast, seen=None, **raw):
        raw = {name: [value] for name, value in raw.items()} or {"weight_kg": ["6"]}
        return keep_unfinished(
            patient=cast.patient, origin="link", step="about", raw=raw, seen=seen
        )

    def test_a_page_is_kept_as_it_stands_and_counts_as_unanswered(self, cast):
        history = self.keep(cast, weight_kg="not yet a num")
        assert "about" in steps_left(history)
        client, token = inside(cast.patient)
        page = client.get(step_url(token, "about")).content.decode()
        assert "not yet a num" in page
        assert "This page was begun and kept." in page

    def test_sending_the_page_ends_it(self, cast):
        self.keep(cast)
        client, token = inside(cast.patient)
        assert client.post(step_url(token, "about"), {"weight_kg": "61"}).status_code == 302
        draft = draft_of(cast.patient)
        assert "partial" not in draft.answers
        assert draft.weight_kg == 61

    def test_an_answered_page_that_is_changed_must_be_sent_again(self, cast):
        save_draft(patient=cast.patient, origin="link", values=COMPLETE)
        history = self.keep(cast)
        assert steps_left(history) == ["about"]
        with pytest.raises(ActionRefused):
            submit_history(history=history, signed_name="Élodie")

    def test_another_device_is_told_and_overwrites_nothing(self, cast):
        self.keep(cast, seen=0, weight_kg="61")
        with pytest.raises(StaleStep):
            self.keep(cast, seen=0, weight_kg="90")
        draft = draft_of(cast.patient)
        assert draft.answers["partial"]["about"] == {"weight_kg": ["61"]}
        client, token = inside(cast.patient)
        page = client.post(step_url(token, "about"), {"weight_kg": "90", "seen": "0"})
        assert page.status_code == 409
        assert "answered elsewhere" in page.content.decode()

    def test_different_pages_do_not_get_in_each_other_s_way(self, cast):
        self.keep(cast, seen=0)
        client, token = inside(cast.patient)
        sent = client.post(step_url(token, "skin"), dict(ANSWERS)["skin"] | {"seen": "0"})
        assert sent.status_code == 302

    @pytest.mark.parametrize(
        "raw", [{f"f{i}": ["x"] for i in range(301)}, {"weight_kg": ["9" * 4001]}]
    )
    def test_nobody_fills_the_database_with_it(self, cast, raw):
        with pytest.raises(ActionRefused, match="too long"):
            keep_unfinished(patient=cast.patient, origin="link", step="about", raw=raw)

    def test_only_fields_of_the_page_are_kept_and_no_nul(self, cast):
        client, token = inside(cast.patient)
        sent = {"weight_kg": "6\0" + "1", "signed_name": "x", "\0": "y", "__class__": "z"}
        told = client.post(step_url(token, "about"), sent, headers={"X-Autosave": "yes"})
        assert told.status_code == 200
        assert draft_of(cast.patient).answers["partial"] == {"about": {"weight_kg": ["61"]}}

    def test_the_page_is_told_what_is_true(self, cast):
        client, token = inside(cast.patient)
        url, quietly = step_url(token, "conditions"), {"X-Autosave": "yes"}
        told = client.post(url, {"chosen": ["asthma"], "seen": "0"}, headers=quietly)
        assert told.status_code == 200
        assert told.json()["seen"] == 1
        assert re.fullmatch(r"Saved \d\d:\d\d", told.json()["words"])
        stale = client.post(url, {"chosen": ["diabetes"], "seen": "0"}, headers=quietly)
        assert stale.status_code == 409
        page = client.get(url).content.decode()
        assert page.count("checked") == 1
        client.post(url, {"seen": "1"}, headers=quietly)
        assert client.get(url).content.decode().count("checked") == 0


def step_url(token, step):
    return reverse("my-history:step", args=[token, step])


ANSWERS = [
    ("about", {"weight_kg": "61,5"}),
    ("pregnancy", {"pregnant": "no", "breastfeeding": "no", "none": "on"}),
    ("conditions", {"chosen": ["asthma"]}),
    ("medicines", {"none": "on"}),
    ("allergies", {"chosen": ["lidocaine"], "other_allergies": "Walnuts"}),
    (
        "recent",
        {
            "chosen": ["peel"],
            "kind_0": "filler",
            "year_0": "2020",
            "month_0": "5",
            "what_0": "lips",
        },
    ),
    ("skin", {"none": "on", "cold_sores": "yes"}),
    ("hopes", {"none": "on", "fear_of_needles": "no", "expectations": "Less fatigue"}),
]


class TestOnAPhone:
    def test_the_whole_questionnaire(self, cast):
        client, token = inside(cast.patient)
        start = reverse("my-history:start", args=[token])
        for step, answers in ANSWERS:
            assert client.get(start)["Location"] == step_url(token, step)
            assert client.get(step_url(token, step)).status_code == 200
            assert client.post(step_url(token, step), answers).status_code == 302
        check = reverse("my-history:check", args=[token])
        assert client.get(start)["Location"] == check
        page = client.get(check).content.decode()
        for word in ("61.5 kg", "A peel", "Walnuts", "Less fatigue", "Filler, May 2020: lips"):
            assert word in page
        assert client.post(check, {"signed_name": ""}).status_code == 422
        assert client.post(check, {"signed_name": "Élodie Martin"}).status_code == 422
        sent = client.post(check, DRAWN)
        assert sent["Location"] == reverse("my-history:done", args=[token])
        history = latest_history(cast.patient)
        assert sorted(history.conditions) == ["asthma", "peel"]
        assert history.medicines == []
        assert (history.signed_name, history.signed_how) == ("Élodie Martin", "drawn")
        assert history.signature_svg.startswith("<svg")
        assert (history.pregnant, history.breastfeeding) == (False, False)
        assert history.procedures == [
            {"kind": "filler", "on": "2020-05", "what": "lips", "problem": ""}
        ]
        asked = history.answers["asked"]
        assert ["diabetes", "Diabetes?", "no"] in asked["conditions"]
        assert ["insulin", "Insulin?", "not asked"] in asked["conditions"]
        assert ["aspirin", "Aspirin", "no"] in asked["medicines"]

    def test_it_can_be_left_and_come_back_to(self, cast):
        client, token = inside(cast.patient)
        client.post(step_url(token, "about"), ANSWERS[0][1])
        elsewhere, another = inside(cast.patient)
        start = elsewhere.get(reverse("my-history:start", args=[another]))
        assert start["Location"] == step_url(another, "pregnancy")
        panel = elsewhere.get(reverse("my-history:panel", args=[another])).content.decode()
        assert "7 steps are left" in panel

    def test_looking_at_a_step_writes_nothing(self, cast):
        client, token = inside(cast.patient)
        for step in STEPS:
            client.get(step_url(token, step))
        assert not History.objects.exists()

    @pytest.mark.parametrize(
        ("step", "given", "words"),
        [
            ("about", {"weight_kg": "heavy"}, "Enter a number"),
            ("about", {"weight_kg": "-3"}, "greater than or equal to 2"),
            ("about", {"weight_kg": "9" * 50}, "digits"),
            ("about", {"weight_kg": "NaN"}, "Enter a number"),
            ("pregnancy", {"none": "on"}, "Answer yes or no"),
            ("pregnancy", {"pregnant": "no", "none": "on"}, "Answer yes or no"),
            ("pregnancy", {"pregnant": "unasked", "breastfeeding": "no"}, "Select a valid"),
            ("pregnancy", {"pregnant": "no", "breastfeeding": "no"}, "Tick what applies"),
            ("conditions", {}, "Tick what applies to you, or"),
            ("conditions", {"chosen": ["made-up"]}, "Tick only what is on the list"),
            ("conditions", {"chosen": ["asthma"], "none": "on"}, "also ticked this"),
            ("conditions", {"chosen": ["insulin"]}, "Tick what applies to you, or"),
            ("medicines", {"none": "on", "medicines_text": "Aspirin"}, "also ticked this"),
            ("medicines", {"medicines_text": "x" * 2001}, "at most 2000 characters"),
            ("allergies", {"other_allergies": "x" * 501}, "at most 500 characters"),
            ("recent", {"chosen": ["peel"], "on_peel": "2999-01-01"}, "still to come"),
            ("recent", {"chosen": ["peel"], "on_peel": "1999-01-01"}, "more than a year ago"),
            ("recent", {"chosen": ["peel"], "on_peel": "soon"}, "Enter a valid date"),
            ("recent", {"none": "on", "year_0": "2020"}, "Say which treatment"),
            ("recent", {"none": "on", "kind_0": "filler", "month_0": "5"}, "Add the year"),
            ("recent", {"none": "on", "kind_0": "filler", "year_0": "1970"}, "in your past"),
            ("recent", {"none": "on", "kind_0": "spell"}, "Select a valid choice"),
            ("skin", {"none": "on"}, "Answer yes or no"),
            ("hopes", {"none": "on"}, "Answer yes or no"),
        ],
    )
    def test_bad_input_is_explained_and_not_lost(self, cast, step, given, words):
        client, token = inside(cast.patient)
        response = client.post(step_url(token, step), given)
        assert response.status_code == 422
        assert words in response.content.decode()
        assert draft_of(cast.patient) is None

    def test_an_unknown_step_is_not_there(self, cast):
        client, token = inside(cast.patient)
        assert client.get(step_url(token, "nonsense")).status_code == 404
        assert client.post(step_url(token, "nonsense"), {}).status_code == 404

    def test_the_check_page_without_answers_leads_back(self, cast):
        client, token = inside(cast.patient)
        check = reverse("my-history:check", args=[token])
        assert client.get(check)["Location"] == reverse("portal:home", args=[token])
        assert client.post(check, {"signed_name": "x"}).status_code == 302

    def test_an_update_is_thrown_away_by_its_button(self, cast):
        first = handed_in(cast.patient)
        client, token = inside(cast.patient)
        client.post(step_url(token, "about"), {"weight_kg": "90"})
        check = reverse("my-history:check", args=[token])
        assert "Throw this update away" in client.get(check).content.decode()
        assert client.post(check, {"do": "discard"}).status_code == 302
        assert draft_of(cast.patient) is None
        assert latest_history(cast.patient) == first

    def test_questions_are_asked_in_the_patients_language(self, cast):
        cast.patient.language = "fr"
        cast.patient.save()
        client, token = inside(cast.patient)
        assert "Asthme ?" in client.get(step_url(token, "conditions")).content.decode()


class TestWhatDependsOnAnAnswer:
    """The page hides it for convenience; what counts is what the server does."""

    def save(self, cast, step, given):
        client, token = inside(cast.patient)
        assert client.post(step_url(token, step), given).status_code == 302
        return draft_of(cast.patient)

    def test_a_question_that_was_not_to_be_asked_is_dropped(self, cast):
        draft = self.save(cast, "conditions", {"chosen": ["asthma", "insulin"]})
        assert draft.conditions == ["asthma"]
        draft = self.save(cast, "conditions", {"chosen": ["diabetes", "insulin"]})
        assert draft.conditions == ["diabetes", "insulin"]

    def test_a_detail_without_its_tick_is_dropped(self, cast):
        yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
        draft = self.save(cast, "recent", {"none": "on", "on_peel": yesterday})
        assert draft.details == {}
        draft = self.save(cast, "recent", {"chosen": ["peel"], "on_peel": yesterday})
        assert draft.details == {"peel": {"on": yesterday}}
        draft = self.save(cast, "medicines", {"chosen": ["aspirin"], "say_aspirin": "100 mg"})
        assert draft.details["peel"] == {"on": yesterday}  # another page's is left alone
        assert "100 mg" in str([line.value for line in lines(draft)])

    def test_a_page_leaves_alone_what_another_page_has_asked(self, cast):
        self.save(cast, "conditions", {"chosen": ["asthma"]})
        draft = self.save(cast, "skin", {"chosen": ["keloid"], "cold_sores": "no"})
        assert draft.conditions == ["asthma", "keloid"]
        draft = self.save(cast, "skin", {"none": "on", "cold_sores": "no"})
        assert draft.conditions == ["asthma"]

    @pytest.mark.parametrize("sex", ["female", "other", "unknown"])
    def test_pregnancy_is_asked_of_everyone_not_registered_as_male(self, cast, sex):
        cast.patient.sex = sex
        cast.patient.save()
        client, token = inside(cast.patient)
        page = client.get(step_url(token, "pregnancy")).content.decode()
        assert 'name="pregnant"' in page
        assert 'name="applies"' not in page

    def test_who_is_registered_as_male_says_first_whether_it_can_concern_him(self, cast):
        cast.patient.sex = "male"
        cast.patient.save()
        client, token = inside(cast.patient)
        url = step_url(token, "pregnancy")
        assert 'name="applies"' in client.get(url).content.decode()
        assert client.post(url, {}).status_code == 422
        sent = {"applies": "no", "pregnant": "yes", "chosen": ["planning"]}
        draft = self.save(cast, "pregnancy", sent)
        assert (draft.pregnancy_applies, draft.pregnant, draft.breastfeeding) == (False, None, None)
        assert draft.conditions == []
        shown = {str(line.name): line.value for line in lines(draft)}
        assert shown["Pregnant"] == shown["Breastfeeding"] == "Does not apply"
        sent = {"applies": "yes", "pregnant": "yes", "breastfeeding": "no", "none": "on"}
        draft = self.save(cast, "pregnancy", sent)
        assert (draft.pregnancy_applies, draft.pregnant, draft.breastfeeding) == (True, True, False)

    def test_before_breastfeeding_was_a_question_one_answer_held_both(self, cast):
        old = History(patient=cast.patient, version=1, pregnant=False, answers={})
        shown = {str(line.name): line.value for line in lines(old)}
        assert shown["Pregnant or breastfeeding"] == "No"
        assert shown["Breastfeeding"] == "Asked together with pregnancy"


class TestAppearance:
    ITEMS = [Question(f"bddq-{n}", BDDQ, f"Item {n}", f"Point {n}", 100 + n) for n in range(1, 8)]
    ALL = {f"bddq_{n}": "3" if n in (3, 4, 5, 6) else "yes" for n in range(1, 8)}
    REST = {"none": "on", "fear_of_needles": "no"}

    def test_its_items_are_not_invented(self, cast, client_for):
        client, token = inside(cast.patient)
        assert "bddq_1" not in client.get(step_url(token, "hopes")).content.decode()
        here = client_for(cast.practitioner).get(url("step", cast.patient, "hopes"))
        assert "Question 7" in here.content.decode()

    def test_a_clinic_s_own_copy_is_asked_of_the_patient(self, cast, monkeypatch):
        monkeypatch.setattr(asked_of, "_providers", [lambda: [*KNOWN, *self.ITEMS]])
        client, token = inside(cast.patient)
        assert "Item 7" in client.get(step_url(token, "hopes")).content.decode()
        assert client.post(step_url(token, "hopes"), self.ALL | self.REST).status_code == 302
        draft = draft_of(cast.patient)
        assert draft.psychology == {"bddq": [True, True, 3, 3, 3, 3, True]}
        assert "BDDQ-AS positive" in [line.value for line in lines(draft)]

    def test_all_seven_or_none(self, cast, client_for):
        client = client_for(cast.practitioner)
        page = client.post(url("step", cast.patient, "hopes"), {"bddq_1": "yes"} | self.REST)
        assert page.status_code == 422
        assert "Answer all seven" in page.content.decode()
        sent = self.ALL | self.REST | {"cops": "40"}
        assert client.post(url("step", cast.patient, "hopes"), sent).status_code == 302
        assert draft_of(cast.patient).psychology["cops"] == 40
        too_much = self.REST | {"cops": "73"}
        assert client.post(url("step", cast.patient, "hopes"), too_much).status_code == 422


class TestConfirming:
    def test_nothing_changed_is_a_signature_for_that_version(self, cast):
        history = handed_in(cast.patient)
        made = confirm_unchanged(history=history, origin="link", signed_name="Élodie Martin")
        assert made.history == history
        with pytest.raises(Error, match="closed"):
            Confirmation.objects.update(signed_name="Someone")

    def test_not_without_a_signature_nor_for_an_older_version(self, cast):
        first = handed_in(cast.patient)
        with pytest.raises(ActionRefused):
            confirm_unchanged(history=first, origin="link", signed_name=" ")
        with pytest.raises(ActionRefused):
            confirm_unchanged(
                history=first, origin="desk", signed_name="É", how="told", by=cast.practitioner
            )
        second = handed_in(cast.patient)
        with pytest.raises(ActionRefused, match="newer history"):
            confirm_unchanged(history=first, origin="link", signed_name="Élodie")
        confirm_unchanged(history=second, origin="link", signed_name="Élodie")
        assert Confirmation.objects.count() == 1

    def test_not_beside_an_update_that_was_begun(self, cast):
        history = handed_in(cast.patient)
        save_draft(patient=cast.patient, origin="link", values={"weight_kg": 62})
        with pytest.raises(ActionRefused, match="update has been begun"):
            confirm_unchanged(history=history, origin="link", signed_name="Élodie")

    def test_on_the_phone(self, cast):
        client, token = inside(cast.patient)
        page = reverse("my-history:unchanged", args=[token])
        assert client.get(page).status_code == 302  # there is nothing to confirm yet
        handed_in(cast.patient)
        assert "Asthma" in client.get(page).content.decode()
        assert client.post(page, {"signed_name": "Élodie"}).status_code == 422
        assert client.post(page, DRAWN).status_code == 302
        made = Confirmation.objects.get()
        assert (made.signed_how, made.origin, made.taken_by) == ("drawn", "link", None)
        panel = client.get(reverse("my-history:panel", args=[token])).content.decode()
        assert "that nothing had changed" in panel

    def test_in_the_room_the_last_reviewed_version_stands_beside(self, cast, client_for):
        first = handed_in(cast.patient)
        review_history(by=cast.practitioner, history=first)
        handed_in(cast.patient, conditions=["asthma", "diabetes"])
        client = client_for(cast.practitioner)
        page = client.get(url("unchanged", cast.patient)).content.decode()
        assert "Version 1" in page
        assert "Asthma; Diabetes" in page
        assert client.post(url("unchanged", cast.patient), TYPED).status_code == 302
        made = Confirmation.objects.get()
        assert (made.taken_by, made.signed_how) == (cast.practitioner, "typed")
        shown = client.get(url("since", cast.patient)).content.decode()
        assert "Diabetes" in shown
        assert "nothing has changed" in shown
        assert client_for(cast.front_desk).get(url("unchanged", cast.patient)).status_code == 403

    def test_what_a_session_is_told(self, cast, client_for):
        client = client_for(cast.practitioner)
        since = url("since", cast.patient)
        assert "has not filled in" in client.get(since).content.decode()
        first = handed_in(cast.patient)
        assert "No version has been reviewed before" in client.get(since).content.decode()
        review_history(by=cast.practitioner, history=first)
        assert "nothing has come in since" in client.get(since).content.decode()
        save_draft(patient=cast.patient, origin="link", values={"weight_kg": 62})
        assert "begun an update" in client.get(since).content.decode()


class TestReview:
    def test_names_the_first_who_read_it_and_what_was_new(self, cast):
        first = handed_in(cast.patient)
        reviewed = review_history(by=cast.practitioner, history=first, note=" called her ")
        assert (reviewed.reviewed_by, reviewed.review_note) == (cast.practitioner, "called her")
        assert reviewed.review_changes == []
        with pytest.raises(ActionRefused):
            review_history(by=cast.colleague, history=first)
        handed_in(cast.patient, conditions=["asthma", "diabetes"])
        third = handed_in(cast.patient, conditions=["diabetes"], medicines_text="Metformin")
        reviewed = review_history(by=cast.colleague, history=third)
        # Against the last version that anybody read, not against the one before.
        assert reviewed.review_changes == [
            ["Conditions", "Asthma", "Diabetes"],
            ["Medicines", "", "Metformin"],
        ]

    def test_only_the_newest_and_only_by_a_practitioner(self, cast):
        first = handed_in(cast.patient)
        for by in (cast.front_desk, cast.manager):
            with pytest.raises(ActionRefused, match="Only a practitioner"):
                review_history(by=by, history=first)
        second = handed_in(cast.patient)
        with pytest.raises(ActionRefused, match="newer history"):
            review_history(by=cast.practitioner, history=first)
        assert review_history(by=cast.practitioner, history=second).reviewed_at

    def test_those_nobody_has_read_are_listed(self, cast, client_for):
        client = client_for(cast.practitioner)
        page = reverse("histories:to-review")
        assert "Every history has been read" in client.get(page).content.decode()
        first = handed_in(cast.patient)
        handed_in(cast.stranger)  # another location's
        handed_in(cast.patient)  # only the newest counts
        text = client.get(page).content.decode()
        assert text.count("MARTIN") == 1
        assert "KEEFE" not in text
        count = _queries(client, page)
        for n in range(3):
            handed_in(make_patient(cast.here, "Zoë", f"Number {n}"))
        assert _queries(client, page) == count
        assert client.get(page).content.decode().count("version") >= 1
        assert "MARTIN" in client.get(reverse("histories:panel")).content.decode()
        review_history(by=cast.practitioner, history=latest_history(cast.patient))
        assert "MARTIN" not in client.get(page).content.decode()
        assert first.reviewed_at is None
        assert client_for(cast.front_desk).get(page).status_code == 403

    def test_the_list_goes_on(self, cast, client_for, monkeypatch):
        monkeypatch.setattr("patients.intake.review_views.ON_A_PAGE", 2)
        for n in range(3):
            handed_in(make_patient(cast.here, "Zoë", f"Number {n}"))
        client, page = client_for(cast.practitioner), reverse("histories:to-review")
        first = client.get(page).content.decode()
        assert "NUMBER 1" in first
        assert "NUMBER 2" not in first
        further = re.search(r'rel="next" href="(\?after=\d+)"', first)
        assert "NUMBER 2" in client.get(page + further[1]).content.decode()
        assert client.get(page + "?after=x").status_code == 200

    def test_a_review_on_the_page(self, cast, client_for):
        client = client_for(cast.practitioner)
        first = handed_in(cast.patient)
        review_history(by=cast.practitioner, history=first)
        second = handed_in(cast.patient, conditions=["asthma", "diabetes"])
        page = client.get(url("detail", cast.patient)).content.decode()
        assert "Two versions side by side" in page
        signing = url("review", cast.patient, second.pk)
        assert client.post(signing, {"note": "x" * 1001}).status_code == 422
        client.post(signing, {"note": "asked about insulin"})
        page = client.get(url("detail", cast.patient)).content.decode()
        assert "asked about insulin" in page
        assert "What was new to them" in page

    def test_the_page_costs_the_same_for_any_number_of_versions(self, cast, client_for):
        client = client_for(cast.practitioner)
        handed_in(cast.patient)
        handed_in(cast.patient)
        _queries(client, url("detail", cast.patient))  # the first one signs in
        count = _queries(client, url("detail", cast.patient))
        for _n in range(4):
            handed_in(cast.patient)
        assert _queries(client, url("detail", cast.patient)) == count


def _queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def url(name, patient, *args):
    return reverse(f"intake:{name}", args=[patient.number, *args])


class TestAtTheClinic:
    def test_who_reads_what(self, cast, client_for):
        handed_in(cast.patient, expectations="a secret hope")
        reader, desk = client_for(cast.practitioner), client_for(cast.front_desk)
        assert "Asthma" in reader.get(url("detail", cast.patient)).content.decode()
        assert "Asthma" in reader.get(url("panel", cast.patient)).content.decode()
        assert desk.get(url("detail", cast.patient)).status_code == 403
        assert desk.get(url("since", cast.patient)).status_code == 403
        panel = desk.get(url("panel", cast.patient)).content.decode()
        assert "To review" in panel
        assert "Asthma" not in panel
        assert "secret hope" not in panel
        bar = desk.get(url("bar", cast.patient)).content.decode()
        assert "Local anaesthetics" in bar
        assert "Asthma" not in bar
        assert client_for(cast.practitioner2).get(url("detail", cast.patient)).status_code == 404

    def test_the_bar_tells_not_asked_from_none_known(self, cast, client_for):
        reader = client_for(cast.practitioner)
        assert "not known" in reader.get(url("bar", cast.patient)).content.decode()
        handed_in(cast.patient, allergies=[], no_known_allergies=True)
        assert "None known" in reader.get(url("bar", cast.patient)).content.decode()

    def type_it_in(self, client, patient):
        for step, answers in ANSWERS:
            assert client.post(url("step", patient, step), answers).status_code == 302

    def test_a_practitioner_types_it_in_and_reviews(self, cast, client_for):
        reader = client_for(cast.practitioner)
        self.type_it_in(reader, cast.patient)
        assert reader.post(url("check", cast.patient), {"signed_name": "É"}).status_code == 422
        sent = reader.post(url("check", cast.patient), DRAWN)
        assert sent["Location"] == url("detail", cast.patient)
        history = latest_history(cast.patient)
        assert (history.origin, history.typed_by) == ("desk", cast.practitioner)
        assert reader.post(url("review", cast.patient, history.pk)).status_code == 302
        history.refresh_from_db()
        assert history.reviewed_by == cast.practitioner
        wrong = reverse("intake:review", args=[cast.stranger.number, history.pk])
        assert reader.post(wrong).status_code == 404

    def test_the_desk_types_the_first_one_by_telephone(self, cast, client_for):
        desk = client_for(cast.front_desk)
        self.type_it_in(desk, cast.patient)
        both = DRAWN | {"told": "on"}
        assert desk.post(url("check", cast.patient), both).status_code == 422
        told = {"signed_name": "Élodie Martin", "told": "on"}
        sent = desk.post(url("check", cast.patient), told)
        assert sent["Location"] == f"/patients/{cast.patient.number}/"
        history = latest_history(cast.patient)
        assert (history.signed_how, history.typed_by) == ("told", cast.front_desk)
        page = client_for(cast.practitioner).get(url("detail", cast.patient)).content.decode()
        assert "Told to Fleur Petit" in page
        # From here on the pages would show what the desk may not read.
        for name in ("start", "check"):
            assert desk.get(url(name, cast.patient)).status_code == 403
        assert desk.get(url("step", cast.patient, "conditions")).status_code == 403

    def test_the_desk_does_not_see_what_the_patient_has_begun(self, cast, client_for):
        desk = client_for(cast.front_desk)
        assert desk.get(url("step", cast.patient, "conditions")).status_code == 200
        save_draft(patient=cast.patient, origin="link", values={"conditions": ["asthma"]})
        assert desk.get(url("step", cast.patient, "conditions")).status_code == 403
        assert desk.post(url("hand-over", cast.patient)).status_code == 403
        assert "Fill it in now" not in desk.get(url("panel", cast.patient)).content.decode()

    def test_at_the_desk_not_asked_is_an_answer(self, cast, client_for):
        reader = client_for(cast.practitioner)
        sent = {"pregnant": "unasked", "breastfeeding": "no", "none": "on"}
        assert reader.post(url("step", cast.patient, "pregnancy"), sent).status_code == 302
        draft = draft_of(cast.patient)
        assert (draft.pregnant, draft.breastfeeding) == (None, False)
        shown = {str(line.name): line.value for line in lines(draft)}
        assert (shown["Pregnant"], shown["Breastfeeding"]) == ("Not asked", "No")
        page = reader.get(url("step", cast.patient, "pregnancy")).content.decode()
        assert re.search(r'name="pregnant" value="unasked"[^>]* checked', page)

    def test_the_manager_takes_none(self, cast, client_for):
        manager = client_for(cast.manager)
        assert manager.get(url("start", cast.patient)).status_code == 403
        assert manager.post(url("hand-over", cast.patient)).status_code == 403


class TestHandOver:
    def handed(self, cast, client_for, who="practitioner"):
        client = client_for(getattr(cast, who))
        answer = client.post(url("hand-over", cast.patient))
        assert answer.status_code == 302
        return client, answer["Location"]

    @pytest.mark.parametrize("who", ["practitioner", "front_desk"])
    def test_the_device_shows_the_questionnaire_and_nothing_else(self, cast, client_for, who):
        client, home = self.handed(cast, client_for, who)
        token = home.split("/")[2]
        assert "Fill in your health questionnaire" in client.get(home).content.decode()
        assert "sign-in" in client.get("/today/")["Location"]
        assert client.get(f"/my/{token}/")["Location"] == home
        assert client.get(reverse("my-messages:choices", args=[token]))["Location"] == home
        for step, answers in ANSWERS:
            assert client.post(step_url(token, step), answers).status_code == 302
        done = client.post(reverse("my-history:check", args=[token]), DRAWN)["Location"]
        assert "give the device back" in client.get(done).content.decode()
        assert latest_history(cast.patient).origin == "tablet"
        assert "sign-in" in client.post(home)["Location"]
        assert Link.objects.get().revoked_at
        assert "sign-in" in client.get(home)["Location"]

    def test_it_asks_whether_anything_changed(self, cast, client_for):
        handed_in(cast.patient)
        client, home = self.handed(cast, client_for)
        page = client.get(home).content.decode()
        assert "Has anything changed?" in page
        token = home.split("/")[2]
        assert client.post(reverse("my-history:unchanged", args=[token]), DRAWN).status_code == 302
        assert Confirmation.objects.get().origin == "tablet"

    def test_an_ordinary_link_has_no_such_page(self, cast):
        client, token = inside(cast.patient)
        address = reverse("my-history:handed", args=[token])
        assert client.get(address)["Location"] == reverse("portal:home", args=[token])


def test_a_merge_reads_both_with_most_care(cast):
    one = History(
        conditions=["peel"],
        details={"peel": {"on": "2026-03-01"}},
        pregnant=False,
        breastfeeding=False,
        answers={"edition": 2},
        procedures=[{"kind": "filler", "on": "2020"}],
        psychology={"cops": 10},
    )
    other = History(
        conditions=["peel", "asthma"],
        details={"peel": {"on": "2026-03-09", "text": "face"}},
        pregnant=False,
        procedures=[{"kind": "filler", "on": "2020"}, {"kind": "laser", "on": ""}],
        psychology={"cops": 44},
    )
    both = most_careful(one, other)
    assert both["conditions"] == ["peel", "asthma"]
    assert both["details"] == {"peel": {"on": "2026-03-09", "text": "face"}}
    assert both["breastfeeding"] is False
    assert len(both["procedures"]) == 2
    assert both["psychology"] == {"cops": 44}


def test_days_of_procedures_are_possible():
    born, today = date(1985, 3, 15), date(2026, 3, 16)
    assert is_possible(2026, 3, born=born, today=today)
    assert not is_possible(2026, 4, born=born, today=today)
    assert not is_possible(1984, None, born=born, today=today)
    assert is_possible(1985, None, born=born, today=today)
