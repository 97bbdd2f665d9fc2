"""From one version of the history to the facts that rules are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_date

from patients.intake.bddq import is_positive
from patients.intake.facts import asks_breastfeeding_apart
from patients.intake.models import History
from patients.registry.models import Patient
from treatments.screening.engine import Detail, Facts


def facts_of(
    patient: Patient,
    history: History | None,
    *,
    skin_type: int | None = None,
    zone: ZoneInfo | None = None,
) -> Facts:
    """What is known of a patient, from one version of the history; days by the clock of `zone`.

    Where a history asked for both in one question, what it says of pregnancy holds for both.
    """
    if history is None or history.submitted_at is None:
        return Facts(birth_date=patient.birth_date, skin_type=skin_type)
    breastfeeding = history.breastfeeding
    if not asks_breastfeeding_apart(history) and history.pregnant is not None:
        breastfeeding = False  # a yes is said by `pregnant` already
    return Facts(
        birth_date=patient.birth_date,
        history_version=history.version,
        submitted_on=timezone.localdate(history.submitted_at, zone),
        conditions=frozenset(history.conditions),
        medicines=frozenset(history.medicines),
        allergies=frozenset(history.allergies),
        no_known_allergies=history.no_known_allergies,
        other_allergies=history.other_allergies,
        medicines_text=history.medicines_text,
        pregnancy_applies=history.pregnancy_applies,
        pregnant=history.pregnant,
        breastfeeding=breastfeeding,
        cold_sores=history.cold_sores,
        details={code: _detail(said) for code, said in history.details.items()},
        skin_type=skin_type,
        distress=is_positive(history.psychology),
    )


def _detail(said: Mapping[str, Any]) -> Detail:
    return Detail(on=_day(said.get("on", "")), text=str(said.get("text", "")))


def _day(text: str) -> date | None:
    return parse_date(text) if text else None
