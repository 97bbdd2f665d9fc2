"""Plans: drafted, fixed by accepting, followed, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.catalogue.models import Protocol, Recipe
from treatments.consultations.models import Consultation
from treatments.plans.actions import (
    StalePlan,
    change_plan,
    decline_plan,
    go_on,
    make_plan,
    stop_plan,
)
from treatments.plans.cautions import PlanFacts, cautions
from treatments.plans.changes import Changed, changes_since, gone_from
from treatments.plans.drafts import from_plan, starting_point
from treatments.plans.forms import GoOnForm, PlanPage, StopForm, with_another_row, with_recipe
from treatments.plans.gather import facts_of, plan_facts
from treatments.plans.models import Plan
from treatments.plans.needs import needs_at, needs_of
from treatments.plans.progress import counted, current_plans, progress_of
from treatments.plans.reading import (
    authority_on,
    evidence_for,
    evidence_on,
    screen_plan,
    shown_parts,
)
from treatments.plans.stops import standing_of

LISTS = ("areas", "mix", "phases", "stops")
MOST_NEEDS = 12


@dataclass(frozen=True)
class Origin:
    """What a plan's form is about: the stored plan, or what a new one begins with."""

    plan: Plan | None = None
    note: Consultation | None = None
    protocol: Protocol | None = None
    earlier: Plan | None = None


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _plan(request: HttpRequest, number: int, plan_id: int) -> Plan:
    mine = Plan.objects.visible_to(staff_of(request)).select_related(
        "patient", "location__country", "consultation", "protocol", "made_by", "copied_from"
    )
    found: Plan = fetch(request, mine, pk=plan_id, patient_id=number)
    return found


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, number: int) -> HttpResponse:
    """A new plan: empty, from a note, from a published course, or from an earlier plan."""
    patient, location = _patient(request, number), location_of(request)
    note = _named_note(request, number)
    earlier = _named_plan(request, number)
    protocol = _named_protocol(request, earlier)
    origin = Origin(note=note, protocol=protocol, earlier=earlier)
    if request.method != "POST":
        known = starting_point(note=note, protocol=protocol, earlier=earlier)
        return _form_page(request, patient, location, PlanPage(initial=known), origin)
    answer = _without_saving(request, patient, location, origin)
    if answer is not None:
        return answer
    page = PlanPage(request.POST)
    if page.is_valid():
        try:
            plan = make_plan(
                by=staff_of(request),
                patient=patient,
                location=location,
                consultation=note,
                protocol=protocol,
                copied_from=earlier,
                **page.values,
            )
        except ActionRefused as refused:
            refuse(page.head, refused)
        else:
            return redirect("plans:detail", patient.number, plan.pk)
    return _form_page(request, patient, location, page, origin, status=422)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """A draft. An accepted plan is only read."""
    plan = _plan(request, number, plan_id)
    origin = Origin(plan=plan, protocol=plan.protocol, earlier=plan.copied_from)
    if plan.state != Plan.State.DRAFT and request.method != "POST":
        return redirect("plans:detail", plan.patient.number, plan.pk)
    if request.method != "POST":
        page = PlanPage(initial=from_plan(plan))
        return _form_page(request, plan.patient, plan.location, page, origin)
    answer = _without_saving(request, plan.patient, plan.location, origin)
    if answer is not None:
        return answer
    page, status = PlanPage(request.POST), 422
    if page.is_valid():
        revision = page.head.cleaned_data["revision"]
        try:
            change_plan(by=staff_of(request), plan=plan, revision=revision, **page.values)
        except ActionRefused as refused:
            refuse(page.head, refused)
            status = 409 if isinstance(refused, StalePlan) else 422
        else:
            return redirect("plans:detail", plan.patient.number, plan.pk)
    return _form_page(request, plan.patient, plan.location, page, origin, status)


def _without_saving(
    request: HttpRequest, patient: Patient, location: Location, origin: Origin
) -> HttpResponse | None:
    """One more row, a mix of the catalogue, or the totals of what is typed so far: answered
    without keeping anything."""
    asked = request.POST.get("do", "")
    if asked == "totals":
        context = _totals(request.POST, patient, location, origin.protocol)
        return render(request, "treatments/plan_form.html#totals", context)
    if asked == "recipe":
        wanted = request.POST.get("recipe", "")
        more = with_recipe(request.POST, Recipe.objects.current().filter(code=wanted).first())
    elif asked.removeprefix("add-") in LISTS:
        more = with_another_row(request.POST, asked.removeprefix("add-"))
    else:
        return None
    page = PlanPage(more)
    page.hush()
    return _form_page(request, patient, location, page, origin)


def _totals(
    data: QueryDict, patient: Patient, location: Location, protocol: Protocol | None
) -> dict[str, Any]:
    page = PlanPage(data)
    for rows in page.lists:
        rows.is_valid()
    facts = facts_of(
        areas=page.areas.specs,
        mix=page.mix.specs,
        phases=page.phases.specs,
        country=location.country,
        patient=patient,
        protocol=protocol,
    )
    return _shown(facts) | _evidence(page, protocol, location)


def _shown(facts: PlanFacts) -> dict[str, Any]:
    """Totals with what limits them, and the remarks."""
    limits = [facts.lidocaine_limit(session) for session in facts.sessions]
    return {
        "facts": facts,
        "sessions": list(zip(facts.sessions, limits, strict=True)),
        "cautions": cautions(facts),
    }


def _evidence(page: PlanPage, protocol: Protocol | None, location: Location) -> dict[str, Any]:
    return {
        "indicated": bool(page.indications),
        "evidence": evidence_on(page.indications, protocol.code if protocol else ""),
        "authority": authority_on(location.country_id),
    }


def _form_page(
    request: HttpRequest,
    patient: Patient,
    location: Location,
    page: PlanPage,
    origin: Origin,
    status: int = 200,
) -> HttpResponse:
    htmx = request.htmx and request.method == "POST"  # type: ignore[attr-defined]
    now, plan, protocol, earlier = timezone.now(), origin.plan, origin.protocol, origin.earlier
    context = {
        "patient": patient,
        "today": timezone.localdate(now, location.zone),
        "page": page,
        "form": page.head,
        "plan": plan,
        "note": origin.note,
        "recipes": Recipe.objects.current().order_by("name_en"),
        "facts": None,
    }
    if not htmx:
        context |= {
            "published": [] if plan else evidence_on(_offered(page)),
            "earlier": earlier,
            "earlier_plans": Plan.objects.filter(patient=patient).order_by("-created_at")[:10],
            "changes": changes_since(earlier, now) if earlier else [],
            "gone": gone_from(plan) if plan else [],
            **_evidence(page, protocol, location),
        }
    if status == 422:
        context |= _totals(request.POST, patient, location, protocol)
    elif plan is not None and not page.head.is_bound:
        context |= _shown(plan_facts(plan))
    template = "treatments/plan_form.html" + ("#rows" if htmx else "")
    return render(request, template, context, status=status)


def _offered(page: PlanPage) -> list[str]:
    """Published courses for what is chosen; before anything is, for everything."""
    choices = page.head.fields["also_for"].choices  # type: ignore[attr-defined]
    return page.indications or [code for code, _name in choices]


@requires(Permission.SEE_NOTES)
@require_safe
def detail(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """A plan to read: what, where, how much, what speaks for and against it, and how far it is."""
    return _detail(request, _plan(request, number, plan_id))


def _detail(
    request: HttpRequest, plan: Plan, form: StopForm | None = None, status: int = 200
) -> HttpResponse:
    now, progress = timezone.now(), progress_of(plan)
    is_open = plan.state in (Plan.State.DRAFT, Plan.State.ACCEPTED)
    shown = _shown(plan_facts(plan))
    context = {
        "patient": plan.patient,
        "today": timezone.localdate(now, plan.location.zone),
        "plan": plan,
        **shown,
        "is_blocked": any(caution.blocks for caution in shown["cautions"]),
        "progress": progress,
        "evidence": evidence_for(plan),
        "authority": authority_on(plan.location.country_id),
        "verdicts": screen_plan(plan, now),
        "stops": standing_of(plan),
        "needs": needs_of(plan, progress.done, now) if is_open else [],
        "changes": _changes(plan, now),
        "form": form or StopForm(),
        **shown_parts(plan),
    }
    return render(request, "treatments/plan_detail.html", context, status=status)


def _changes(plan: Plan, at: datetime) -> list[Changed]:
    """What a draft has to be told: what has changed since the plan it was copied from."""
    if plan.state != Plan.State.DRAFT:
        return []
    return changes_since(plan.copied_from, at) if plan.copied_from else gone_from(plan)


@requires(Permission.WRITE_NOTES)
@require_POST
def decline(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """The patient does not want it."""
    plan = _plan(request, number, plan_id)
    form = StopForm(request.POST)
    if form.is_valid():
        try:
            decline_plan(by=staff_of(request), plan=plan, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The plan is noted as declined."))
            return redirect("plans:detail", plan.patient.number, plan.pk)
    return _detail(request, plan, form, status=422)


@requires(Permission.WRITE_NOTES)
@require_POST
def answer_stop(request: HttpRequest, number: int, plan_id: int, rule_id: int) -> HttpResponse:
    """Why the course goes on although this stop rule is met."""
    plan = _plan(request, number, plan_id)
    form = GoOnForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        go_on(by=staff_of(request), plan=plan, rule_id=rule_id, reason=reason)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Noted: the course goes on."))
    return redirect("plans:detail", plan.patient.number, plan.pk)


@requires(Permission.WRITE_NOTES)
@require_POST
def stop(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """End a course before its time."""
    plan = _plan(request, number, plan_id)
    form = StopForm(request.POST)
    if form.is_valid():
        try:
            stop_plan(by=staff_of(request), plan=plan, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The plan is stopped."))
            return redirect("plans:detail", plan.patient.number, plan.pk)
    return _detail(request, plan, form, status=422)


@requires(Permission.SEE_NOTES)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The plans of a patient, for the patient's page."""
    patient = _patient(request, number)
    plans = Plan.objects.visible_to(staff_of(request)).filter(patient=patient)
    rows = [(plan, progress_of(plan)) for plan in counted(plans).order_by("-created_at")[:20]]
    return render(request, "treatments/plan_panel.html", {"patient": patient, "rows": rows})


@requires(Permission.SEE_CATALOGUE)
@require_safe
def stock_need(request: HttpRequest) -> HttpResponse:
    """What accepted plans still need here, for the stock page: products and amounts, no patient."""
    location, now = location_of(request), timezone.now()
    needs = needs_at(location, now)
    context = {
        "needs": needs[:MOST_NEEDS],
        "more": max(len(needs) - MOST_NEEDS, 0),
        "short": sum(need.is_short for need in needs),
    }
    return render(request, "treatments/plan_stock.html", context)


@requires(Permission.SEE_DIARY)
@require_safe
def bar(request: HttpRequest, number: int) -> HttpResponse:
    """How far the newest course is, for everyone who books: counts and days, no content."""
    patient = _patient(request, number)
    plans = current_plans(patient)
    words = progress_of(plans[0]).words if plans else ""
    context = {
        "number": patient.number,
        "plan": plans[0] if plans else None,
        "words": words,
        "others": len(plans) - 1,
    }
    return render(request, "treatments/plan_bar.html", context)


def _named_note(request: HttpRequest, number: int) -> Consultation | None:
    """The note in the address; another patient's is not there."""
    wanted = request.GET.get("consultation")
    if not wanted:
        return None
    mine = Consultation.objects.visible_to(staff_of(request))
    found: Consultation = fetch(request, mine, pk=wanted, patient_id=number)
    return found


def _named_plan(request: HttpRequest, number: int) -> Plan | None:
    wanted = request.GET.get("plan")
    if not wanted:
        return None
    mine = Plan.objects.visible_to(staff_of(request)).select_related(
        "patient", "location", "protocol"
    )
    found: Plan = fetch(request, mine, pk=wanted, patient_id=number)
    return found


def _named_protocol(request: HttpRequest, earlier: Plan | None) -> Protocol | None:
    """The published course in the address, else that of the earlier plan; in force, or none."""
    wanted = request.GET.get("protocol", "")
    if not wanted and earlier is not None and earlier.protocol is not None:
        wanted = earlier.protocol.code
    return Protocol.objects.current().filter(code=wanted).first() if wanted else None
