"""What may be done to a plan: make, change, accept or decline it, go on, stop and finish it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.registry.models import Patient
from treatments.catalogue.models import Protocol
from treatments.consultations.models import Consultation
from treatments.plans.cautions import cautions
from treatments.plans.gather import plan_facts
from treatments.plans.models import MixLine, Phase, Plan, PlanArea, StopAnswer, StopRule
from treatments.plans.reading import screen_plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec, StopSpec
from treatments.plans.stops import standing_of
from treatments.screening.engine import UNDER_AGE_LAW, blocking


class StalePlan(ActionRefused):
    """Somebody has saved this plan since it was opened; nothing was overwritten."""


@transaction.atomic
def make_plan(
    *,
    by: Staff,
    patient: Patient,
    location: Location,
    indication: str,
    title: str,
    areas: Sequence[AreaSpec] = (),
    mix: Sequence[MixSpec] = (),
    phases: Sequence[PhaseSpec] = (),
    stop_rules: Sequence[StopSpec] = (),
    also_for: Sequence[str] = (),
    consultation: Consultation | None = None,
    protocol: Protocol | None = None,
    copied_from: Plan | None = None,
) -> Plan:
    """A draft plan. A consultation it comes from is this patient's, and signed; so is the plan
    that it is copied from, signed or not."""
    if consultation is not None:
        if consultation.patient_id != patient.pk:
            raise ActionRefused(_("This consultation belongs to someone else."))
        if not consultation.is_signed:
            raise ActionRefused(_("Sign the consultation note first."))
    if copied_from is not None and copied_from.patient_id != patient.pk:
        raise ActionRefused(_("This plan belongs to someone else."))
    plan = Plan.objects.create(
        patient=patient,
        location=location,
        consultation=consultation,
        protocol=protocol,
        copied_from=copied_from,
        indication=indication,
        also_for=_others(indication, also_for),
        title=title,
        made_by=by,
    )
    _write_parts(plan, areas, mix, phases, stop_rules)
    return plan


@transaction.atomic
def change_plan(
    *,
    by: Staff,
    plan: Plan,
    revision: int,
    indication: str,
    title: str,
    areas: Sequence[AreaSpec],
    mix: Sequence[MixSpec],
    phases: Sequence[PhaseSpec],
    stop_rules: Sequence[StopSpec] = (),
    also_for: Sequence[str] = (),
) -> Plan:
    """Replace a draft's parts. `revision` is the one the writer saw; an older one is refused."""
    draft = _locked(plan)
    if draft.state != Plan.State.DRAFT:
        raise ActionRefused(_("An accepted plan cannot be changed. Make a new plan from it."))
    if draft.revision != revision:
        raise StalePlan(
            _(
                "This plan was changed elsewhere since you opened it. Nothing was overwritten: "
                "your entries are still on this page, but they are not saved."
            )
        )
    draft.indication, draft.title = indication, title
    draft.also_for = _others(indication, also_for)
    draft.revision += 1
    draft.save()
    for parts in (draft.areas, draft.mix, draft.phases, draft.stop_rules):
        parts.all().delete()
    _write_parts(draft, areas, mix, phases, stop_rules)
    return draft


@transaction.atomic
def accept_plan(
    *, by: Staff, plan: Plan, revision: int | None = None, at: datetime | None = None
) -> Plan:
    """Fix the plan: from here the database refuses any change of areas, mix and phases.

    `revision`: the one that was read; a plan changed since is refused, so nobody accepts what they
    have not seen.
    """
    draft = _locked(plan)
    if draft.state == Plan.State.DECLINED:
        raise ActionRefused(_("This plan was declined. Make a new plan from it."))
    if draft.state != Plan.State.DRAFT:
        raise ActionRefused(_("This plan has already been accepted."))
    if revision is not None and draft.revision != revision:
        raise StalePlan(_("This plan was changed since you read it. Read it again, then accept."))
    _refuse_incomplete(draft)
    for caution in cautions(plan_facts(draft)):
        if caution.blocks:
            raise ActionRefused(caution.text)
    _refuse_against_the_law(draft, at or timezone.now())
    draft.state, draft.accepted_at = Plan.State.ACCEPTED, at or timezone.now()
    draft.save()
    return draft


@transaction.atomic
def decline_plan(*, by: Staff, plan: Plan, reason: str) -> Plan:
    """The patient does not want what was proposed. It stays readable and is never begun."""
    draft = _locked(plan)
    if draft.state != Plan.State.DRAFT:
        raise ActionRefused(_("Only a draft can be declined. Stop a plan that is under way."))
    if not reason.strip():
        raise ActionRefused(_("Say why the plan is declined."), field="reason")
    draft.state, draft.stop_reason = Plan.State.DECLINED, reason.strip()
    draft.save()
    return draft


@transaction.atomic
def go_on(
    *, by: Staff, plan: Plan, rule_id: int, reason: str, at: datetime | None = None
) -> StopAnswer:
    """Say why a course goes on although a stop rule is met. It holds for what met it, no longer.

    Said twice for the same, the first answer stands.
    """
    running = _locked(plan)
    if running.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("This plan is no longer under way."))
    if not reason.strip():
        raise ActionRefused(_("Say why the course goes on."), field="reason")
    found = next((one for one in standing_of(running) if one.rule.pk == rule_id), None)
    if found is None or not found.is_met:
        raise ActionRefused(_("This stop rule asks nothing now."))
    return StopAnswer.objects.get_or_create(
        rule=found.rule,
        fact=found.fact,
        defaults={
            "after_session": found.done,
            "reason": reason.strip(),
            "decided_by": by,
            "decided_at": at or timezone.now(),
        },
    )[0]


@transaction.atomic
def stop_plan(*, by: Staff, plan: Plan, reason: str) -> Plan:
    """End a course before its time, and say why."""
    running = _locked(plan)
    if running.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("Only a plan that is under way can be stopped."))
    if not reason.strip():
        raise ActionRefused(_("Say why the plan is stopped."), field="reason")
    running.state, running.stop_reason = Plan.State.STOPPED, reason.strip()
    running.save()
    return running


@transaction.atomic
def finish_plan(*, by: Staff, plan: Plan) -> Plan:
    """The last session is signed: the course is over. Done twice, it stays finished."""
    running = _locked(plan)
    if running.state == Plan.State.ACCEPTED:
        running.state = Plan.State.FINISHED
        running.save()
    return running


def _locked(plan: Plan) -> Plan:
    return Plan.objects.select_for_update().get(pk=plan.pk)


def _others(indication: str, also_for: Sequence[str]) -> list[str]:
    """Each further indication once, without the main one."""
    return [code for code in dict.fromkeys(also_for) if code and code != indication]


def _write_parts(
    plan: Plan,
    areas: Sequence[AreaSpec],
    mix: Sequence[MixSpec],
    phases: Sequence[PhaseSpec],
    stop_rules: Sequence[StopSpec],
) -> None:
    PlanArea.objects.bulk_create([PlanArea(plan=plan, **vars(area)) for area in areas])
    MixLine.objects.bulk_create([MixLine(plan=plan, **vars(line)) for line in mix])
    Phase.objects.bulk_create(
        [
            Phase(plan=plan, position=position, **asdict(phase))
            for position, phase in enumerate(phases, start=1)
        ]
    )
    StopRule.objects.bulk_create(
        [
            StopRule(plan=plan, position=position, **asdict(rule))
            for position, rule in enumerate(stop_rules, start=1)
        ]
    )


def _refuse_against_the_law(plan: Plan, at: datetime) -> None:
    """Toxin and filler under 18 (S71a): booking is the offence already, so there is no course.

    A doctor's direction, recorded as the decision about this verdict, opens the way.
    """
    for verdict in blocking(screen_plan(plan, at)):
        if verdict.rule == f"contraindication:{UNDER_AGE_LAW}":
            raise ActionRefused(_("Screening: %(title)s") % {"title": verdict.title})


def _refuse_incomplete(plan: Plan) -> None:
    if not plan.areas.exists():
        raise ActionRefused(_("Add at least one area."))
    if not plan.phases.exists():
        raise ActionRefused(_("Add at least one phase."))
    wet = {area.syringe for area in plan.areas.all() if area.ml_per_point > 0}
    if wet and not plan.mix.exists():
        raise ActionRefused(_("Add at least one product, or plan 0 mL per point."))
    if empty := sorted(wet - {line.syringe for line in plan.mix.all()}):
        text = _("Nothing is planned for syringe %(label)s, but an area is treated from it.")
        raise ActionRefused(text % {"label": ", ".join(empty)})
