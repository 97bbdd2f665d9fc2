"""Filling in, handing in, confirming and reviewing a medical history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.intake.facts import (
    APART,
    STEPS,
    changed_since,
    draft_of,
    has_allergies,
    has_answers,
    last_reviewed,
    latest_history,
    steps_left,
)
from patients.intake.models import Confirmation, History, Signing
from patients.intake.questions import EVENT, PREGNANCY, questions
from patients.registry.models import Patient

ANSWERED_BY = {
    "weight_kg": ("about",),
    "pregnant": ("pregnancy",),
    "conditions": ("conditions", "recent"),
    "medicines": ("medicines",),
    "allergies": ("allergies",),
    "cold_sores": ("skin", "hopes"),
}
"""Which steps a field answers, where a whole history is given at once and not page by page."""

FIELDS = frozenset(
    {
        "weight_kg",
        "pregnancy_applies",
        "pregnant",
        "breastfeeding",
        "conditions",
        "medicines",
        "medicines_text",
        "allergies",
        "no_known_allergies",
        "other_allergies",
        "allergy_reaction",
        "details",
        "procedures",
        "psychology",
        "cold_sores",
        "fear_of_needles",
        "expectations",
    }
)
ASKED_ANEW = {"weight_kg", "pregnancy_applies", "pregnant", "breastfeeding", "psychology"}
CARRIED_OVER = FIELDS - ASKED_ANEW
"""Shown again when a history is updated; what changes within weeks is asked anew."""

LONGEST_NAME, LONGEST_NOTE = 200, 1000
MOST_RAW, LONGEST_RAW = 300, 4000


class StaleStep(ActionRefused):
    """The same page was answered elsewhere since it was opened; nothing was overwritten."""


@dataclass(frozen=True)
class Ticks:
    """What was ticked on one page of a list that several pages share.

    `list_name`: conditions, medicines or allergies; `asked`: every code the page asks.
    """

    list_name: str
    asked: Collection[str]
    chosen: Collection[str]
    details: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Signed:
    """A name, and how it was put: drawn, typed, or told to the staff."""

    name: str
    how: str = Signing.TYPED
    svg: str = ""
    strokes: Any = None


def new_draft(*, patient: Patient, origin: str) -> History:
    """An unsaved draft that starts from what the patient said last; nothing counts as answered.

    Events and pregnancy are not carried over: last year's vaccination is not this week's.
    """
    before = latest_history(patient)
    history = History(patient=patient, origin=origin, answers={"done": []})
    if before is None:
        return history
    passing = {q.code for q in questions() if q.kind == EVENT or q.topic == PREGNANCY}
    for name in CARRIED_OVER:
        setattr(history, name, getattr(before, name))
    history.conditions = [code for code in before.conditions if code not in passing]
    history.details = {code: said for code, said in before.details.items() if code not in passing}
    return history


@transaction.atomic
def save_draft(
    *,
    patient: Patient,
    origin: str,
    values: dict[str, Any],
    step: str = "",
    ticks: Ticks | None = None,
    seen: int | None = None,
    by: Staff | None = None,
) -> History:
    """Keep what has been answered so far; a patient has one draft at most.

    `values`: fields of `History`, and optionally `asked`, the questions as they were put:
    `{step: [[code, text, "yes" or "no"], ...]}`. With `step` that page counts as answered;
    without, every page whose fields are given. `seen`: the state of the page that was shown.
    Raises `StaleStep` if it has been answered since, `ActionRefused` naming a wrong field.
    """
    history = _locked_draft(patient, origin, by)
    _refuse_stale(history, step, seen)
    for name in FIELDS & values.keys():
        setattr(history, name, values[name])
    if ticks is not None:
        _tick(history, ticks)
    history.answers = _answers(history, values, step)
    _check(history)
    history.save()
    return history


@transaction.atomic
def keep_unfinished(
    *,
    patient: Patient,
    origin: str,
    step: str,
    raw: Mapping[str, list[str]],
    seen: int | None = None,
    by: Staff | None = None,
) -> History:
    """Keep a page as it stands, finished or not; it counts as unanswered until it is sent."""
    history = _locked_draft(patient, origin, by)
    _refuse_stale(history, step, seen)
    if len(raw) > MOST_RAW or any(len(v) > LONGEST_RAW for values in raw.values() for v in values):
        raise ActionRefused(_("This is too long to be kept."))
    answers = dict(history.answers)
    answers["partial"] = {**answers.get("partial", {}), step: dict(raw)}
    answers["done"] = [one for one in answers.get("done", []) if one != step]
    history.answers = _seen(answers, step)
    history.save()
    return history


def seen_of(history: History, step: str) -> int:
    """The state of one page of a draft; it rises with each save."""
    return int(history.answers.get("seen", {}).get(step, 0))


def _locked_draft(patient: Patient, origin: str, by: Staff | None) -> History:
    Patient.objects.select_for_update().get(pk=patient.pk)
    history = draft_of(patient) or new_draft(patient=patient, origin=origin)
    history.origin = origin
    history.typed_by = by
    if history._state.adding:
        newest = History.objects.filter(patient=patient).aggregate(newest=Max("version"))
        history.version = (newest["newest"] or 0) + 1
    return history


def _refuse_stale(history: History, step: str, seen: int | None) -> None:
    if step and seen is not None and seen != seen_of(history, step):
        raise StaleStep(
            _(
                "This page was answered elsewhere since you opened it. Nothing was overwritten. "
                "Open it again to go on."
            )
        )


def _tick(history: History, ticks: Ticks) -> None:
    """Replace what this page asks, and leave what other pages have asked."""
    before: list[str] = getattr(history, ticks.list_name)
    kept = [code for code in before if code not in ticks.asked]
    setattr(history, ticks.list_name, [*kept, *ticks.chosen])
    others = {c: said for c, said in history.details.items() if c not in ticks.asked}
    history.details = others | {
        code: dict(said) for code, said in ticks.details.items() if code in ticks.chosen
    }


def _answers(history: History, values: dict[str, Any], step: str) -> dict[str, Any]:
    done = set(history.answers.get("done", []))
    given = [step] if step else [s for name in values for s in ANSWERED_BY.get(name, ())]
    done |= set(given)
    if not (has_allergies(history) or history.no_known_allergies):
        done.discard("allergies")
    answers = dict(history.answers)
    answers["done"] = [one for one in STEPS if one in done]
    answers["asked"] = {**answers.get("asked", {}), **values.get("asked", {})}
    if "breastfeeding" in values:
        answers["edition"] = APART
    partial = {one: raw for one, raw in answers.get("partial", {}).items() if one not in given}
    answers.pop("partial", None)
    if partial:
        answers["partial"] = partial
    return _seen(answers, step)


def _seen(answers: dict[str, Any], step: str) -> dict[str, Any]:
    if not step:
        return answers
    seen = answers.get("seen", {})
    return answers | {"seen": {**seen, step: int(seen.get(step, 0)) + 1}}


def _check(history: History) -> None:
    try:
        history.clean_fields(exclude=["patient", "answers"])
        history.validate_constraints(exclude=["patient", "version"])
    except ValidationError as error:
        field_name, messages = next(iter(error.message_dict.items()))
        raise ActionRefused(messages[0], field=field_name) from error


@transaction.atomic
def discard_draft(*, patient: Patient) -> None:
    """Throw an update away; what was handed in before still counts."""
    Patient.objects.select_for_update().get(pk=patient.pk)
    if latest_history(patient) is None:
        raise ActionRefused(_("There is no earlier history to go back to."))
    History.objects.filter(patient=patient, submitted_at__isnull=True).delete()


@transaction.atomic
def submit_history(
    *,
    history: History,
    signed_name: str,
    how: str = Signing.TYPED,
    svg: str = "",
    strokes: Any = None,
    by: Staff | None = None,
) -> History:
    """Hand in a draft, signed; from then on it cannot be changed.

    `by`: who of the staff typed it. Raises `ActionRefused` when a step is unanswered, the name or
    the drawing is missing, or it was handed in.
    """
    signed = _signature(Signed(signed_name, how, svg, strokes))
    # The patient first: who confirms that nothing has changed waits for it, or it for them.
    Patient.objects.select_for_update().get(pk=history.patient_id)
    locked = History.objects.select_for_update().get(pk=history.pk)
    if locked.submitted_at is not None:
        raise ActionRefused(_("This questionnaire has already been sent."))
    if steps_left(locked):
        raise ActionRefused(_("Some questions have not been answered yet."))
    if signed.how == Signing.TOLD and by is None:
        raise ActionRefused(_("Sign in the box, or type your full name."), field="signature")
    locked.answers = {key: v for key, v in locked.answers.items() if key not in ("partial", "seen")}
    locked.signed_name, locked.signed_how = signed.name, signed.how
    locked.signature_svg, locked.signature_strokes = signed.svg, signed.strokes
    locked.typed_by, locked.submitted_at = by, timezone.now()
    locked.save()
    return locked


def _signature(signed: Signed) -> Signed:
    name = " ".join(signed.name.split())
    if not name or len(name) > LONGEST_NAME:
        raise ActionRefused(_("Type your full name to sign."), field="signed_name")
    if signed.how not in Signing.values or (signed.how == Signing.DRAWN and not signed.svg):
        raise ActionRefused(_("Sign in the box, or type your full name."), field="signature")
    drawn = signed.how == Signing.DRAWN
    return Signed(name, signed.how, signed.svg if drawn else "", signed.strokes if drawn else None)


@transaction.atomic
def confirm_unchanged(
    *,
    history: History,
    origin: str,
    signed_name: str,
    how: str = Signing.TYPED,
    svg: str = "",
    strokes: Any = None,
    by: Staff | None = None,
    at: datetime | None = None,
) -> Confirmation:
    """The patient signs that nothing has changed since a version. `by`: who of the staff asked.

    Raises `ActionRefused` without a signature, for a version that is not the newest, and while an
    update has been begun: one of the two cannot be true.
    """
    signed = _signature(Signed(signed_name, how, svg, strokes))
    if signed.how == Signing.TOLD:
        raise ActionRefused(_("Sign in the box, or type your full name."), field="signature")
    patient = Patient.objects.select_for_update().get(pk=history.patient_id)
    newest = latest_history(patient)
    if newest is None or newest.pk != history.pk:
        raise ActionRefused(_("A newer history has come in. Look at that one."))
    if has_answers(draft_of(patient)):
        raise ActionRefused(
            _("An update has been begun. Finish it, or throw it away, before you confirm.")
        )
    return Confirmation.objects.create(
        patient=patient,
        history=newest,
        confirmed_at=at or timezone.now(),
        origin=origin,
        signed_name=signed.name,
        signed_how=signed.how,
        signature_svg=signed.svg,
        signature_strokes=signed.strokes,
        taken_by=by,
    )


@transaction.atomic
def review_history(*, by: Staff, history: History, note: str = "") -> History:
    """A practitioner signs that they have read a history; what was new to them is kept.

    New is what differs from the last version that anybody reviewed. The first to do so is named.
    Raises `ActionRefused` for another's role, an older version, and a second review.
    """
    if not by.may(Permission.WRITE_NOTES):
        raise ActionRefused(_("Only a practitioner reviews a history."))
    Patient.objects.select_for_update().get(pk=history.patient_id)
    locked = History.objects.select_for_update().get(pk=history.pk)
    if locked.submitted_at is None:
        raise ActionRefused(_("This questionnaire has not been sent yet."))
    if locked.reviewed_at is not None:
        raise ActionRefused(_("This questionnaire has already been reviewed."))
    newest = latest_history(locked.patient)
    if newest is not None and newest.version > locked.version:
        raise ActionRefused(_("A newer history has come in. Look at that one."))
    if len(note) > LONGEST_NOTE:
        raise ActionRefused(_("This note is too long."), field="note")
    before = last_reviewed(locked)
    locked.review_changes = [
        [str(change.name), change.before, change.after]
        for change in (changed_since(locked, before) if before else [])
    ]
    locked.review_note = note.strip()
    locked.reviewed_by, locked.reviewed_at = by, timezone.now()
    locked.save(update_fields=["reviewed_by", "reviewed_at", "review_note", "review_changes"])
    return locked
