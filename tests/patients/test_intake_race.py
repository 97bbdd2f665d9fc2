"""Two devices at once: pages of one questionnaire kept at the same moment are all kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection

from clinic.audit.context import SYSTEM, acting
from clinic.errors import ActionRefused
from patients.intake import actions
from patients.intake.actions import confirm_unchanged, keep_unfinished, save_draft, submit_history
from patients.intake.facts import STEPS, draft_of
from patients.intake.models import Confirmation, History
from patients.registry.models import PatientQuerySet

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(jobs: list[Callable[[], object]]) -> list[str]:
    """Run each in a thread of its own, begun together; what each of them raised."""
    start, raised = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait()
            with acting(SYSTEM):
                job()
        except (ActionRefused, IntegrityError) as error:
            raised.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.fixture
def slowly(monkeypatch):
    """Some time passes between reading the draft and writing it."""
    read = actions.draft_of

    def reading(patient):
        found = read(patient)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(actions, "draft_of", reading)


def kept_together(patient) -> set[str]:
    def job(step: str) -> Callable[[], object]:
        raw = {"none": ["on"]}
        return lambda: keep_unfinished(patient=patient, origin="link", step=step, raw=raw)

    at_once([job(step) for step in STEPS])
    draft = draft_of(patient)
    return set(draft.answers["partial"]) if draft else set()


def test_every_page_is_kept(cast, slowly):
    assert kept_together(cast.patient) == set(STEPS)


def test_without_the_lock_pages_would_be_lost(cast, slowly, monkeypatch):
    """Shows that the test above can see it."""
    monkeypatch.setattr(PatientQuerySet, "select_for_update", lambda self, **options: self.all())
    assert kept_together(cast.patient) != set(STEPS)


def update_and_nothing_changed(patient, monkeypatch) -> list[str]:
    """Both signed at once, time passing between what the confirmation reads; who was refused."""
    read = actions.latest_history

    def reading(patient):
        found = read(patient)
        time.sleep(0.2)
        return found

    said = {"weight_kg": 61, "pregnant": False, "conditions": [], "medicines": []}
    said |= {"allergies": [], "no_known_allergies": True, "cold_sores": False}
    with acting(SYSTEM):
        draft = save_draft(patient=patient, origin="link", values=said)
        history = submit_history(history=draft, signed_name="Élodie")
        update = save_draft(patient=patient, origin="link", values=said)
    monkeypatch.setattr(actions, "latest_history", reading)
    return at_once(
        [
            lambda: submit_history(history=update, signed_name="Élodie"),
            lambda: confirm_unchanged(history=history, origin="desk", signed_name="Élodie"),
        ]
    )


def test_an_update_and_nothing_changed_cannot_both_be(cast, monkeypatch):
    assert update_and_nothing_changed(cast.patient, monkeypatch) == ["ActionRefused"]
    assert Confirmation.objects.count() == 0
    assert History.objects.submitted().count() == 2


def test_without_the_lock_they_could(cast, monkeypatch):
    monkeypatch.setattr(PatientQuerySet, "select_for_update", lambda self, **options: self.all())
    assert update_and_nothing_changed(cast.patient, monkeypatch) == []
