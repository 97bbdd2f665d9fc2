"""Which consents of a patient wait to be read and signed."""

from __future__ import annotations

from collections.abc import Iterable

from treatments.consents.in_force import texts_in_force
from treatments.consents.models import Consent
from treatments.plans.models import Plan


def of_patient(patient_id: int) -> list[Consent]:
    """Every consent of a patient with its plan, newest first; one query."""
    own = Consent.objects.filter(patient_id=patient_id)
    return list(own.select_related("plan__location__country").order_by("-pk"))


def waiting(consents: Iterable[Consent]) -> list[Consent]:
    """Of a patient's consents, newest first, the one to sign for each plan: the newest of it.

    Of a plan whose newest is signed, or of an older wording, none waits.
    """
    newest: dict[int, Consent] = {}
    for one in consents:
        newest.setdefault(one.plan_id, one)
    texts = texts_in_force()
    return [
        one
        for one in newest.values()
        if one.signed_at is None
        and one.plan.state == Plan.State.ACCEPTED
        and not texts.is_renewed(one, one.plan.location.country_id)
    ]
