"""Which consents of a patient wait to be read and signed."""

from __future__ import annotations

from collections.abc import Iterable

from treatments.consents.models import Consent
from treatments.consents.text import TEMPLATE_VERSION
from treatments.plans.models import Plan


def of_patient(patient_id: int) -> list[Consent]:
    """Every consent of a patient with its plan, newest first; one query."""
    own = Consent.objects.filter(patient_id=patient_id)
    return list(own.select_related("plan__location__country").order_by("-pk"))


def waiting(consents: Iterable[Consent]) -> list[Consent]:
    """Of a patient's consents, newest first, the one to sign for each plan without a signed one."""
    found: dict[int, Consent] = {}
    signed_plans = set()
    for one in consents:
        if one.signed_at and not one.withdrawn_at:
            signed_plans.add(one.plan_id)
        readable = one.signed_at is None and one.template_version == TEMPLATE_VERSION
        if readable and one.plan.state == Plan.State.ACCEPTED:
            found.setdefault(one.plan_id, one)
    return [one for plan, one in found.items() if plan not in signed_plans]
