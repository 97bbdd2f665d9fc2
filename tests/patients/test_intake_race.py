"""Two devices at once: pages of one questionnaire kept at the same moment are all kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError

from clinic.audit.context import SYSTEM, acting
from clinic.errors import ActionRefused
from patients.intake import actions
from patients.intake.actions import confirm_unchanged, keep_unfinished, save_draft, submit_history
from patients.intake.facts import STEPS, draft_of
from patients.intake.models import Confirmation, History
from patients.registry.models import PatientQuerySet
from tests.at_once import PATIENCE_S, Crowd

pytestmark = pytest.mark.django_db(transaction=True)


def by_the_system(job: Callable[[], object]) -> Callable[[], object]:
    """Signed into the trail: a thread knows of nobody."""

    def run() -> object:
        with acting(SYSTEM):
            return job()

    return run


@pytest.fixture
def crowd(monkeypatch) -> Crowd:
    """Whoever has read the draft goes on when everyone has, or waits for its turn."""
    read, crowd = actions.draft_of, Crowd()

    def reading(patient):
        found = read(patient)
        crowd.stand()
        return found

    monkeypatch.setattr(actions, "draft_of", reading)
    return crowd


def kept_together(patient, crowd: Crowd) -> set[str]:
    def job(step: str) -> Callable[[], object]:
        raw = {"none": ["on"]}
        return lambda: keep_unfinished(patient=patient, origin="link", step=step, raw=raw)

    crowd.run([by_the_system(job(step)) for step in STEPS], (ActionRefused, IntegrityError))
    draft = draft_of(patient)
    return set(draft.answers["partial"]) if draft else set()


def test_every_page_is_kept(cast, crowd):
    assert kept_together(cast.patient, crowd) == set(STEPS)


def test_without_the_lock_pages_would_be_lost(cast, crowd, monkeypatch):
    """Shows that the test above can see it."""
    monkeypatch.setattr(PatientQuerySet, "select_for_update", lambda self, **options: self.all())
    assert kept_together(cast.patient, crowd) != set(STEPS)


def update_and_nothing_changed(patient, monkeypatch) -> list[str]:
    """Both signed at once, the update between what the confirmation reads; who was refused."""
    read, crowd, looked = actions.latest_history, Crowd(), threading.Event()

    def reading(patient):
        found = read(patient)
        looked.set()
        crowd.stand()
        return found

    said = {"weight_kg": 61, "pregnant": False, "conditions": [], "medicines": []}
    said |= {"allergies": [], "no_known_allergies": True, "cold_sores": False}
    with acting(SYSTEM):
        draft = save_draft(patient=patient, origin="link", values=said)
        history = submit_history(history=draft, signed_name="Élodie")
        update = save_draft(patient=patient, origin="link", values=said)
    monkeypatch.setattr(actions, "latest_history", reading)

    def sign_the_update() -> History:
        looked.wait(PATIENCE_S)
        return submit_history(history=update, signed_name="Élodie")

    done = crowd.run(
        [
            by_the_system(sign_the_update),
            by_the_system(
                lambda: confirm_unchanged(history=history, origin="desk", signed_name="Élodie")
            ),
        ]
    )
    return [type(one).__name__ for one in done if isinstance(one, Exception)]


def test_an_update_and_nothing_changed_cannot_both_be(cast, monkeypatch):
    assert update_and_nothing_changed(cast.patient, monkeypatch) == ["ActionRefused"]
    assert Confirmation.objects.count() == 0
    assert History.objects.submitted().count() == 2


def test_without_the_lock_they_could(cast, monkeypatch):
    monkeypatch.setattr(PatientQuerySet, "select_for_update", lambda self, **options: self.all())
    assert update_and_nothing_changed(cast.patient, monkeypatch) == []
