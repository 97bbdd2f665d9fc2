"""Consent states for lists and bars: what may be said to everyone who works here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from treatments.consents.ages import is_minor
from treatments.consents.coverage import Coverage, CoverageState, judge, needed_codes
from treatments.consents.in_force import TextsInForce, texts_in_force
from treatments.consents.models import Consent
from treatments.plans.models import Plan


@dataclass(frozen=True)
class StateLook:
    """How a state is shown: the badge's status, its word."""

    status: str
    word: str | Promise


LOOKS = {
    CoverageState.COVERED: StateLook("signed", _("Signed")),
    CoverageState.MISSING: StateLook("missing", _("Missing")),
    CoverageState.UNSIGNED: StateLook("due", _("Waiting for the signature")),
    CoverageState.EXPIRED: StateLook("expired", _("Text renewed, ask again")),
    CoverageState.AGE: StateLook("expired", _("Signed for another age, ask again")),
    CoverageState.WITHDRAWN: StateLook("withdrawn", _("Withdrawn")),
    CoverageState.PARTIAL: StateLook("not_covering", _("Does not cover the plan")),
}
GRAVITY = list(reversed(LOOKS))
"""The gravest first: of several plans the worst is shown."""


@dataclass(frozen=True)
class PlanConsent:
    """A plan under way, with its coverage."""

    plan: Plan
    coverage: Coverage

    @property
    def look(self) -> StateLook:
        return LOOKS[CoverageState(self.coverage.state)]


def running_plans(patient_ids: Collection[int], at: datetime) -> list[PlanConsent]:
    """Every accepted plan of these patients with its coverage; seven queries for any number."""
    plans = (
        Plan.objects.filter(patient__in=patient_ids, state=Plan.State.ACCEPTED)
        .select_related("patient", "location__country")
        .prefetch_related(
            "areas__area",
            "areas__technique",
            "mix__product__ingredients__substance",
            "consents",
        )
        .order_by("-accepted_at")
    )
    texts = texts_in_force()
    return [PlanConsent(plan, _judged(plan, texts, at)) for plan in plans]


def _judged(plan: Plan, texts: TextsInForce, at: datetime) -> Coverage:
    place = plan.location
    minor = is_minor(plan.patient, place, at)
    papers = plan.consents.all()
    return judge(needed_codes(plan), papers, at, texts, place.country_id, minor=minor)


def with_withdrawn() -> QuerySet[Consent, int]:
    """The ids of patients who have withdrawn a consent to a plan that is under way."""
    withdrawn = Consent.objects.filter(withdrawn_at__isnull=False)
    return withdrawn.filter(plan__state=Plan.State.ACCEPTED).values_list("patient_id", flat=True)


def still_withdrawn() -> QuerySet[Consent, int]:
    """Of these the patients who have not signed anew for that plan since: nobody invites them."""
    since = Consent.objects.filter(
        plan=OuterRef("plan"), pk__gt=OuterRef("pk"), signed_at__isnull=False, withdrawn_at=None
    )
    return with_withdrawn().filter(~Exists(since))


def worst(found: Collection[PlanConsent]) -> PlanConsent | None:
    """The plan whose consent needs most attention."""
    return min(
        found, key=lambda one: GRAVITY.index(CoverageState(one.coverage.state)), default=None
    )
