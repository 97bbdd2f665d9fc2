"""Keeping the scores of a record: answered while it is open, closed when it is signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.registry.models import Patient
from treatments.catalogue.models import Scale
from treatments.scales.formulas import MISSING, OUTSIDE, BadAnswers, problems, total
from treatments.scales.models import Score
from treatments.scales.reading import ScaleView


@dataclass(frozen=True)
class ScoreEntry:
    """What was answered: a scale's version, the side, a number per item; items may be missing."""

    scale: Scale
    answers: Mapping[str, Decimal]
    side: str = ""


def field_name(scale: str, side: str, item: str) -> str:
    """The form field of an item: `score-masi--f-a`, `score-wsrs-left-grade`."""
    return f"score-{scale}-{side}-{item}"


def value_of(scale: Scale, answers: Mapping[str, Decimal]) -> Decimal | None:
    """The score, None while an item is missing. Raises `ActionRefused` for an impossible answer."""
    wrong = problems(scale.items, answers)
    impossible = [code for code, kind in wrong.items() if kind != MISSING]
    if impossible:
        raise ActionRefused(_("This answer is not on the scale."), field=impossible[0])
    return None if wrong else total(scale.code, scale.items, answers)


@transaction.atomic
def keep_scores(
    *,
    by: Staff,
    patient: Patient,
    entries: Iterable[ScoreEntry],
    at: datetime,
    consultation_id: int | None = None,
    session_id: int | None = None,
) -> list[Score]:
    """Replace the open scores of a record by these. Unchanged ones keep their time and person.

    Raises `ActionRefused` beside the field for an answer that the scale does not have. An entry
    without any answer is no score.
    """
    record = {"consultation_id": consultation_id, "session_id": session_id}
    kept = {
        (row.scale.code, row.side): row
        for row in Score.objects.filter(**record).select_related("scale")
    }
    found = []
    for entry in entries:
        if entry.answers:
            row = kept.pop((entry.scale.code, entry.side), None)
            found.append(
                _keep(row or Score(patient=patient, side=entry.side, **record), entry, by, at)
            )
    for row in kept.values():
        row.delete()
    return found


def _keep(row: Score, entry: ScoreEntry, by: Staff, at: datetime) -> Score:
    scale = row.scale if row.pk else entry.scale
    if entry.side not in ScaleView(scale).sides:
        raise ActionRefused(_("This scale is not graded on that side."))
    answers = written(entry.answers)
    if row.pk and row.answers == answers:
        return row
    try:
        value = value_of(scale, entry.answers)
    except ActionRefused as refused:
        name = field_name(scale.code, entry.side, str(refused.field))
        raise ActionRefused(refused.message, field=name) from refused
    row.scale, row.answers, row.value = scale, answers, value
    row.taken_by, row.taken_at = by, at
    row.save()
    return row


def unfinished(scores: Iterable[Score]) -> dict[str, str]:
    """Field -> what to say beside it, for each item of a begun scale that has no answer."""
    found: dict[str, str] = {}
    for score in scores:
        missing = problems(score.scale.items, read_answers(score.answers))
        for code, kind in missing.items():
            said = _("Answer this item, or clear the whole scale.")
            if kind == OUTSIDE:
                said = _("This answer is not on the scale.")
            found[field_name(score.scale.code, score.side, code)] = said
    return found


def close_scores(*, scores: Sequence[Score], at: datetime) -> None:
    """Close the scores with the record that is being signed. Raises `ActionRefused` for a gap."""
    for field, message in unfinished(scores).items():
        raise ActionRefused(message, field=field)
    for score in scores:
        score.closed_at = at
        score.save(update_fields=["closed_at"])


@transaction.atomic
def record_score(
    *,
    by: Staff,
    patient: Patient,
    scale: Scale,
    answers: Mapping[str, Decimal],
    at: datetime,
    side: str = "",
    session_id: int | None = None,
) -> Score:
    """A score taken outside a draft, whole and closed at once."""
    try:
        value = total(scale.code, scale.items, answers)
    except BadAnswers as bad:
        field, kind = next(iter(bad.problems.items()))
        said = _("Answer every item.") if kind == MISSING else _("This answer is not on the scale.")
        raise ActionRefused(said, field=field) from bad
    if side not in ScaleView(scale).sides:
        raise ActionRefused(_("This scale is not graded on that side."))
    return Score.objects.create(
        patient=patient,
        scale=scale,
        side=side,
        answers=written(answers),
        value=value,
        taken_at=at,
        taken_by=by,
        session_id=session_id,
        closed_at=at,
    )


def written(answers: Mapping[str, Decimal]) -> dict[str, str]:
    """Answers as a row keeps them: plain digits, `10` and never `1E+1`."""
    return {code: format(value.normalize(), "f") for code, value in answers.items()}


def read_answers(kept: Mapping[str, Any]) -> dict[str, Decimal]:
    """Answers as numbers again; what is no number is left out."""
    found = {}
    for code, text in kept.items():
        try:
            found[str(code)] = Decimal(str(text))
        except InvalidOperation:
            continue
    return found
