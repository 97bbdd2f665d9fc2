"""Which forms a patient can still fill in at the door."""

from __future__ import annotations

from datetime import datetime

from patients.intake.facts import draft_of, latest_history, steps_done
from patients.registry.models import Patient
from treatments.consents.actions import is_time_to_sign
from treatments.consents.models import Consent
from treatments.consents.waiting import of_patient, waiting

HOME = "my-arrival:home"
HISTORY = ("my-history:start", "my-history:step", "my-history:check")
CONSENT = ("my-consents:read", "my-consents:open", "my-consents:ask")


def history_is_missing(patient: Patient) -> bool:
    """Whether there is no history at all. One that was begun elsewhere is not shown at the door:
    a name and a birth date are too little for what it says.
    """
    draft = draft_of(patient)
    begun = draft is not None and bool(steps_done(draft))
    return not begun and latest_history(patient) is None


def history_is_open(patient: Patient) -> bool:
    """Whether it has still not been handed in, for one that was missing on arrival."""
    return latest_history(patient) is None


def consents_to_sign(patient: Patient, at: datetime) -> list[Consent]:
    """Those that wait and whose time to think is over."""
    return [one for one in waiting(of_patient(patient.pk)) if is_time_to_sign(one, at)]


def pages_for(patient: Patient, at: datetime) -> tuple[str, ...]:
    """The names of the pages that a tablet may show to this patient now."""
    history = HISTORY if history_is_missing(patient) else ()
    consents = CONSENT if consents_to_sign(patient, at) else ()
    return (HOME, *history, *consents)
