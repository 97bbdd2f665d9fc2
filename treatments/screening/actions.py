"""Screening a patient, and a physician's decision about a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import cast

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
from treatments.screening.engine import Facts, Proposal, Verdict, blocking, screen
from treatments.screening.models import Override
from treatments.screening.rulebook import rules_for

__all__ = ["blocking", "facts_of", "override", "screen_patient"]

LONGEST_REASON = 2000


def screen_patient(*, patient: Patient, proposal: Proposal, at: datetime) -> list[Verdict]:
    """What the current catalogue says of the newest history handed in; decided ones are marked."""
    history = latest_history(patient)
    facts = facts_of(patient, history)
    verdicts = screen(facts, proposal, rules_for(proposal), timezone.localdate(at))
    return decided(verdicts, _overrides(patient, history)) if verdicts else []


def facts_of(patient: Patient, history: History | None) -> Facts:
    """What is known of a patient, from one version of the history."""
    if history is None or history.submitted_at is None:
        return Facts(birth_date=patient.birth_date)
    return Facts(
        birth_date=patient.birth_date,
        history_version=history.version,
        submitted_on=timezone.localdate(history.submitted_at),
        conditions=frozenset(history.conditions),
        medicines=frozenset(history.medicines),
        allergies=frozenset(history.allergies),
        no_known_allergies=history.no_known_allergies,
        other_allergies=history.other_allergies,
        pregnant=history.pregnant,
        cold_sores=history.cold_sores,
    )


def decided(verdicts: Iterable[Verdict], overrides: Iterable[Override]) -> list[Verdict]:
    """The verdicts, each with the decision that is bound to it."""
    made = {one.rule: one for one in overrides}
    return [
        replace(verdict, overridden=True, decision=_decision(made[verdict.key]))
        if verdict.overridable and verdict.key in made
        else verdict
        for verdict in verdicts
    ]


@transaction.atomic
def override(*, by: Staff, patient: Patient, verdict: Verdict, reason: str) -> Override:
    """Record that a physician goes on in spite of a verdict, and why.

    Bound to the rule's version and to the history: a new one of either asks again. Raises
    `ActionRefused` without the right, without a reason, or where nobody may decide.
    """
    if not by.may(Permission.WRITE_NOTES):
        raise ActionRefused(_("Only a practitioner may decide about a verdict."))
    if not verdict.overridable:
        raise ActionRefused(_("Nobody may go on in spite of this verdict."))
    given = reason.strip()
    if not given:
        raise ActionRefused(_("Write the reason for going on."), field="reason")
    if len(given) > LONGEST_REASON:
        raise ActionRefused(_("The reason is too long: 2000 characters at most."), field="reason")
    history = latest_history(patient)
    if history is None:
        raise ActionRefused(_("The patient has not handed in a medical history."))
    if verdict.history != history.version:
        raise ActionRefused(_("The history has changed since. Look at the screening again."))
    made, is_new = Override.objects.get_or_create(
        patient=patient,
        rule=verdict.key,
        history_version=history.version,
        defaults={"level": verdict.level, "reason": given, "decided_by": by},
    )
    if not is_new:
        raise ActionRefused(
            _("%(name)s has already decided this.") % {"name": made.decided_by.name}
        )
    return made


def _overrides(patient: Patient, history: History | None) -> Iterable[Override]:
    if history is None:
        return []
    made = Override.objects.filter(patient=patient, history_version=history.version)
    return cast(Iterable[Override], made.select_related("decided_by"))


def _decision(made: Override) -> str:
    return _("%(name)s, %(day)s: %(reason)s") % {
        "name": made.decided_by.name,
        "day": date_format(timezone.localtime(made.created_at), "j F Y"),
        "reason": made.reason,
    }
