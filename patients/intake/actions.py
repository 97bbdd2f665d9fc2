"""Filling in, handing in and reviewing a medical history."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.intake.facts import STEPS, draft_of, has_allergies, latest_history, steps_left
from patients.intake.models import History
from patients.registry.models import Patient

ANSWERED_BY = {
    "about": "pregnant",
    "conditions": "conditions",
    "medicines": "medicines",
    "allergies": "allergies",
    "skin": "cold_sores",
}
"""The field of each step that shows that the step was answered."""

FIELDS = frozenset(
    {
        "weight_kg",
        "pregnant",
        "conditions",
        "medicines",
        "medicines_text",
        "allergies",
        "no_known_allergies",
        "other_allergies",
        "cold_sores",
        "fear_of_needles",
        "expectations",
    }
)
CARRIED_OVER = FIELDS - {"weight_kg", "pregnant"}
"""Shown again when a history is updated; weight and pregnancy are asked anew."""

LONGEST_NAME = 200


def new_draft(*, patient: Patient, origin: str) -> History:
    """An unsaved draft that starts from what the patient said last; nothing counts as answered."""
    before = latest_history(patient)
    carried = {name: getattr(before, name) for name in CARRIED_OVER} if before else {}
    return History(patient=patient, origin=origin, answers={"done": []}, **carried)


@transaction.atomic
def save_draft(*, patient: Patient, origin: str, values: dict[str, Any]) -> History:
    """Keep what has been answered so far; a patient has one draft at most.

    `values`: fields of `History`, and optionally `asked`, the questions as they were put:
    `{step: [[code, text, "yes" or "no"], ...]}`. Raises `ActionRefused` naming a wrong field.
    """
    Patient.objects.select_for_update().get(pk=patient.pk)
    history = draft_of(patient) or new_draft(patient=patient, origin=origin)
    history.origin = origin
    if history._state.adding:
        newest = History.objects.filter(patient=patient).aggregate(newest=Max("version"))
        history.version = (newest["newest"] or 0) + 1
    for name in FIELDS & values.keys():
        setattr(history, name, values[name])
    history.answers = _answers(history, values)
    _check(history)
    history.save()
    return history


def _answers(history: History, values: dict[str, Any]) -> dict[str, Any]:
    done = set(history.answers.get("done", []))
    done |= {step for step, field in ANSWERED_BY.items() if field in values}
    if not (has_allergies(history) or history.no_known_allergies):
        done.discard("allergies")
    asked = {**history.answers.get("asked", {}), **values.get("asked", {})}
    return {"done": [step for step in STEPS if step in done], "asked": asked}


def _check(history: History) -> None:
    try:
        history.clean_fields(exclude=["patient", "answers"])
        history.validate_constraints(exclude=["patient", "version"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise ActionRefused(messages[0], field=field) from error


@transaction.atomic
def submit_history(*, history: History, signed_name: str) -> History:
    """Hand in a draft, signed by a typed name; from then on it cannot be changed.

    Raises `ActionRefused` when a step is unanswered, the name is missing, or it was handed in.
    """
    name = " ".join(signed_name.split())
    locked = History.objects.select_for_update().get(pk=history.pk)
    if locked.submitted_at is not None:
        raise ActionRefused(_("This questionnaire has already been sent."))
    if steps_left(locked):
        raise ActionRefused(_("Some questions have not been answered yet."))
    if not name or len(name) > LONGEST_NAME:
        raise ActionRefused(_("Type your full name to sign."), field="signed_name")
    locked.signed_name, locked.submitted_at = name, timezone.now()
    locked.save(update_fields=["signed_name", "submitted_at"])
    return locked


@transaction.atomic
def review_history(*, by: Staff, history: History) -> History:
    """Note that a practitioner has read a history. The first to do so is named."""
    locked = History.objects.select_for_update().get(pk=history.pk)
    if locked.submitted_at is None:
        raise ActionRefused(_("This questionnaire has not been sent yet."))
    if locked.reviewed_at is not None:
        raise ActionRefused(_("This questionnaire has already been reviewed."))
    locked.reviewed_by, locked.reviewed_at = by, timezone.now()
    locked.save(update_fields=["reviewed_by", "reviewed_at"])
    return locked
