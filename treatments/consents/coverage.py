"""Whether a plan is covered by what its patient signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from patients.registry.models import Patient
from treatments.consents.ages import is_minor
from treatments.consents.in_force import TextsInForce, texts_in_force
from treatments.consents.models import Consent
from treatments.plans.models import Plan


class CoverageState(StrEnum):
    """What may be said about a plan's consent to anyone who works here."""

    COVERED = "covered"
    MISSING = "missing"
    UNSIGNED = "unsigned"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    PARTIAL = "partial"
    AGE = "age"


@dataclass(frozen=True)
class Coverage:
    """The state, the consent it comes from, and the codes that it does not cover."""

    state: str
    consent: Consent | None = None
    missing: list[str] = field(default_factory=list)

    @property
    def is_covered(self) -> bool:
        return self.state == CoverageState.COVERED


def coverage(patient: Patient, plan: Plan, at: datetime) -> Coverage:
    """Whether `patient` has consented to all of `plan` at that moment.

    Expired means: signed, but the consent's wording has been renewed since. Partial means: signed,
    but not for every substance, technique and area. Age means: signed by a minor who is of age now,
    or without a holder of parental authority though the patient is a minor.
    """
    if plan.patient_id != patient.pk:
        return Coverage(CoverageState.MISSING)
    needed = stored_codes(plan)
    minor = is_minor(patient, plan.location, at)
    texts, country = texts_in_force(), plan.location.country_id
    return judge(needed, plan.consents.all(), at, texts, country, minor=minor)


def judge(
    needed: Mapping[str, set[str]],
    consents: Iterable[Consent],
    at: datetime,
    texts: TextsInForce,
    country: str,
    *,
    minor: bool = False,
) -> Coverage:
    """The newest signed consent decides; without one, the newest that was prepared.

    Where the signed one does not cover and another was prepared since, that one waits.
    """
    known = sorted(
        (one for one in consents if one.ready_to_read_at <= at),
        key=lambda one: one.pk,
        reverse=True,
    )
    signed = next((one for one in known if one.signed_at and one.signed_at <= at), None)
    if signed is None:
        return _without_signature(known)
    found = _of_signed(needed, signed, at, texts, country)
    if found.is_covered and signed.is_of_minor != minor:
        found = Coverage(CoverageState.AGE, signed)
    asked_again = known[0].pk != signed.pk
    if asked_again and not found.is_covered:
        return Coverage(CoverageState.UNSIGNED, known[0])
    return found


def _of_signed(
    needed: Mapping[str, set[str]],
    signed: Consent,
    at: datetime,
    texts: TextsInForce,
    country: str,
) -> Coverage:
    if signed.withdrawn_at and signed.withdrawn_at <= at:
        return Coverage(CoverageState.WITHDRAWN, signed)
    missing = uncovered_codes(needed, signed)
    if missing:
        return Coverage(CoverageState.PARTIAL, signed, missing)
    if texts.is_renewed(signed, country):
        return Coverage(CoverageState.EXPIRED, signed)
    return Coverage(CoverageState.COVERED, signed)


def _without_signature(known: list[Consent]) -> Coverage:
    if not known:
        return Coverage(CoverageState.MISSING)
    return Coverage(CoverageState.UNSIGNED, known[0])


def uncovered_codes(needed: Mapping[str, set[str]], consent: Consent) -> list[str]:
    """Codes of the plan that the consent does not name."""
    return sorted(
        code for kind, codes in needed.items() for code in codes - set(getattr(consent, kind))
    )


def stored_codes(plan: Plan) -> dict[str, set[str]]:
    """The same as `needed_codes`, of one plan with nothing loaded; two queries."""
    spots = list(plan.areas.order_by().values_list("technique__code", "area__code"))
    substances = plan.mix.order_by().values_list("product__ingredients__substance__code", flat=True)
    return {
        "substances": set(substances) - {None},
        "techniques": {technique for technique, _area in spots},
        "areas": {area for _technique, area in spots},
    }


def needed_codes(plan: Plan) -> dict[str, set[str]]:
    """The substance, technique and area codes that a consent for this plan must name.

    Reads what is loaded with the plan: for lists, and for plans that were read with their parts.
    """
    areas = plan.areas.all()
    return {
        "substances": {
            part.substance.code
            for line in plan.mix.all()
            for part in line.product.ingredients.all()
        },
        "techniques": {part.technique.code for part in areas},
        "areas": {part.area.code for part in areas},
    }
