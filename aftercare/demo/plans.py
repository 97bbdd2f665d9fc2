"""When the demo's courses stop early, what was answered, and plans that begin as earlier ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.courses import MELASMA, Course
from aftercare.demo.ground import Ground
from treatments.plans.actions import decline_plan, go_on, make_plan
from treatments.plans.drafts import AREA_FIELDS, MIX_FIELDS, PHASE_FIELDS, STOP_FIELDS
from treatments.plans.models import Plan, StopRule
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec, StopSpec
from treatments.plans.stops import standing_of

ANSWERED = 4
"""Of how many courses of each location it was said why they go on; the others still ask."""
COPIES = 2
KIND = StopRule.Kind


def stop_specs(course: Course) -> list[StopSpec]:
    """An adverse event, the patient's wish, and no effect by the middle of the course."""
    judged_by = "mmasi" if course.indication == MELASMA.indication else ""
    return [
        StopSpec(KIND.ADVERSE),
        StopSpec(KIND.WISH),
        StopSpec(KIND.NO_EFFECT, after_sessions=max(course.sessions() // 2, 2), scale=judged_by),
    ]


def tell_plans(ground: Ground, now: datetime) -> None:
    """Some answers to rules that are met, and drafts made from earlier plans, one declined."""
    for place in ground.places:
        here = Plan.objects.filter(location=place.location).order_by("pk")
        running = here.filter(state=Plan.State.ACCEPTED).select_related("made_by", "patient")
        for plan in running[:ANSWERED]:
            _answer(plan, now)
        ended = here.filter(state=Plan.State.FINISHED).exclude(
            patient__plans__state__in=(Plan.State.DRAFT, Plan.State.ACCEPTED)
        )
        for number, plan in enumerate(ended.select_related("made_by", "patient")[:COPIES]):
            _again(plan, now, declined=bool(number))


def _answer(plan: Plan, now: datetime) -> None:
    met = [one for one in standing_of(plan) if one.asks and one.rule.kind == KIND.NO_EFFECT]
    with then(now - timedelta(days=1), plan.made_by) as at:
        for one in met:
            go_on(
                by=plan.made_by,
                plan=plan,
                rule_id=one.rule.pk,
                reason="Seen together in the mirror: better; the rest of the course was agreed.",
                at=at,
            )


def _again(plan: Plan, now: datetime, *, declined: bool) -> None:
    """The same once more, a year's maintenance; the patient of one does not want it."""
    with then(now - timedelta(days=2), plan.made_by):
        copy = make_plan(
            by=plan.made_by,
            patient=plan.patient,
            location=plan.location,
            protocol=plan.protocol,
            copied_from=plan,
            indication=plan.indication,
            title=f"{plan.title}, again",
            areas=[
                AreaSpec(
                    area=one.area,
                    technique=one.technique,
                    **{name: getattr(one, name) for name in AREA_FIELDS},
                )
                for one in plan.areas.select_related("area", "technique")
            ],
            mix=[
                MixSpec(product=one.product, **{name: getattr(one, name) for name in MIX_FIELDS})
                for one in plan.mix.select_related("product")
            ],
            phases=[
                PhaseSpec(**{name: getattr(one, name) for name in PHASE_FIELDS})
                for one in plan.phases.all()
            ],
            stop_rules=[
                StopSpec(**{name: getattr(one, name) for name in STOP_FIELDS})
                for one in plan.stop_rules.all()
            ],
        )
        if declined:
            decline_plan(by=plan.made_by, plan=copy, reason="Wants to wait until after the summer.")
