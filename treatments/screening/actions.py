"""Screening a patient, and a physician's decision about a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.intake.facts import latest_history
from patients.intake.models import History
from patients.registry.models import Patient
from treatments.screening.engine import Proposal, Verdict, blocking, screen, unanswered
from treatments.screening.facts import facts_of
from treatments.screening.models import Override
from treatments.screening.rulebook import rules_for
from treatments.screening.skin import skin_type_of

__all__ = [
    "as_data",
    "blocking",
    "facts_of",
    "override",
    "screen_history",
    "screen_patient",
    "unanswered",
]

LONGEST_REASON = 2000
LONGEST_NAME = 200


def screen_patient(
    *,
    patient: Patient,
    proposal: Proposal,
    at: datetime,
    zone: ZoneInfo | None = None,
    skin_type: int | None = None,
) -> list[Verdict]:
    """What the current catalogue says of the newest history handed in; decided ones are marked.

    Days are those of `zone`, the location's clock, else of the one in force. `skin_type`: where
    the asker knows better than the last signed note.
    """
    return screen_history(
        latest_history(patient),
        patient=patient,
        proposal=proposal,
        at=at,
        zone=zone,
        skin_type=skin_type,
    )


def screen_history(
    history: History | None,
    *,
    patient: Patient,
    proposal: Proposal,
    at: datetime,
    zone: ZoneInfo | None = None,
    skin_type: int | None = None,
) -> list[Verdict]:
    """The same where the newest history handed in, or that there is none, has been read already."""
    known = skin_type or skin_type_of(patient)
    facts = facts_of(patient, history, skin_type=known, zone=zone)
    verdicts = screen(facts, proposal, rules_for(proposal), timezone.localdate(at, zone))
    return decided(verdicts, _overrides(patient, history)) if verdicts else []


def decided(verdicts: Iterable[Verdict], overrides: Iterable[Override]) -> list[Verdict]:
    """The verdicts, each with the decision that is bound to it."""
    made = {one.rule: one for one in overrides}
    return [
        replace(verdict, overridden=True, decision=_decision(made[verdict.key]))
        if verdict.overridable and verdict.key in made
        else verdict
        for verdict in verdicts
    ]


def as_data(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as they stand, for a record that keeps the rules of its day; dates as text."""
    return [
        {
            name: value if isinstance(value, bool | int) or value is None else str(value)
            for name, value in asdict(verdict).items()
        }
        for verdict in verdicts
    ]


@transaction.atomic
def override(
    *, by: Staff, patient: Patient, verdict: Verdict, reason: str, directed_by: str = ""
) -> Override:
    """Record that a physician goes on in spite of a verdict, and why.

    Bound to the rule's version and to the history: a new one of either asks again. What the rule
    said is kept with it. `directed_by`: the doctor who directs it, where the law asks for one.
    Raises `ActionRefused` without the right, without a reason, without that name, or where nobody
    may decide.
    """
    if not by.may(Permission.WRITE_NOTES):
        raise ActionRefused(_("Only a practitioner may decide about a verdict."))
    if not by.is_licensed:
        raise ActionRefused(_("Only a practitioner with a registration number may decide."))
    if not verdict.overridable:
        raise ActionRefused(_("Nobody may go on in spite of this verdict."))
    given, doctor = reason.strip(), " ".join(directed_by.split())
    _refuse_words(verdict, given, doctor)
    history = latest_history(patient)
    if history is None:
        raise ActionRefused(_("The patient has not handed in a medical history."))
    if verdict.history != history.version:
        raise ActionRefused(_("The history has changed since. Look at the screening again."))
    made, is_new = Override.objects.get_or_create(
        patient=patient,
        rule=verdict.key,
        history_version=history.version,
        defaults={
            "level": verdict.level,
            "title": verdict.title[:300],
            "fact": verdict.fact,
            "source": verdict.source,
            "reason": given,
            "directed_by": doctor,
            "decided_by": by,
        },
    )
    if not is_new:
        raise ActionRefused(
            _("%(name)s has already decided this.") % {"name": made.decided_by.name}
        )
    return made


def _refuse_words(verdict: Verdict, reason: str, doctor: str) -> None:
    if not reason:
        raise ActionRefused(_("Write the reason for going on."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise ActionRefused(_("The reason is too long: 2000 characters at most."), field="reason")
    if verdict.needs_doctor and not doctor:
        raise ActionRefused(_("Name the doctor who directs this."), field="directed_by")
    if len(doctor) > LONGEST_NAME:
        raise ActionRefused(_("This name is too long."), field="directed_by")


def _overrides(patient: Patient, history: History | None) -> Iterable[Override]:
    if history is None:
        return []
    made = Override.objects.filter(patient=patient, history_version=history.version)
    return cast(Iterable[Override], made.select_related("decided_by"))


def _decision(made: Override) -> str:
    said = _("%(name)s, %(day)s: %(reason)s") % {
        "name": made.decided_by.name,
        "day": date_format(timezone.localtime(made.created_at), "j F Y"),
        "reason": made.reason,
    }
    if not made.directed_by:
        return said
    return _("%(said)s (directed by %(doctor)s)") % {"said": said, "doctor": made.directed_by}
