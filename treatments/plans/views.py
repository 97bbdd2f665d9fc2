"""Plans: drafted, fixed by accepting, followed, stopped."""

from __future__ import annotations

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
from treatments.catalogue.models import Protocol
from treatments.consultations.models import Consultation
from treatments.plans.actions import StalePlan, accept_plan, change_plan, make_plan, stop_plan
from treatments.plans.cautions import cautions
from treatments.plans.drafts import from_plan, starting_point
from treatments.plans.forms import PlanPage, StopForm, with_another_row
from treatments.plans.gather import facts_of, plan_facts
from treatments.plans.models import Plan
from treatments.plans.progress import counted, current_plans, progress_of
from treatments.plans.reading import evidence_for, screen_plan, shown_parts

LISTS = ("areas", "mix", "phases")


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _plan(request: HttpRequest, number: int, plan_id: int) -> Plan:
    mine = Plan.objects.visible_to(staff_of(request)).select_related(
        "patient", "location__country", "consultation", "protocol", "made_by"
    )
    found: Plan = fetch(request, mine, pk=plan_id, patient_id=number)
    return found


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, number: int) -> HttpResponse:
    """A new plan: empty, from a note, from a published course, or from an earlier plan."""
    patient, location = _patient(request, number), location_of(request)
    note = _named_note(request, number)
    protocol = _named_protocol(request)
    if request.method != "POST":
        earlier = _named_plan(request, number)
        known = starting_point(note=note, protocol=protocol, earlier=earlier)
        return _form_page(request, patient, location, PlanPage(initial=known), note=note)
    answer = _without_saving(request, patient, location, note=note)
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
                **page.values,
            )
        except ActionRefused as refused:
            refuse(page.head, refused)
        else:
            return redirect("plans:detail", patient.number, plan.pk)
    return _form_page(request, patient, location, page, note=note, status=422)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """A draft. An accepted plan is only read."""
    plan = _plan(request, number, plan_id)
    if plan.state != Plan.State.DRAFT and request.method != "POST":
        return redirect("plans:detail", plan.patient.number, plan.pk)
    if request.method != "POST":
        page = PlanPage(initial=from_plan(plan))
        return _form_page(request, plan.patient, plan.location, page, plan=plan)
    answer = _without_saving(request, plan.patient, plan.location, plan=plan)
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
    return _form_page(request, plan.patient, plan.location, page, plan=plan, status=status)


def _without_saving(
    request: HttpRequest,
    patient: Patient,
    location: Location,
    plan: Plan | None = None,
    note: Consultation | None = None,
) -> HttpResponse | None:
    """One more row, or the totals of what is typed so far: answered without keeping anything."""
    asked = request.POST.get("do", "")
    if asked == "totals":
        return render(request, "treatments/plan_form.html#totals", _totals(request.POST, location))
    if asked.removeprefix("add-") in LISTS:
        page = PlanPage(with_another_row(request.POST, asked.removeprefix("add-")))
        page.hush()
        return _form_page(request, patient, location, page, plan=plan, note=note)
    return None


def _totals(data: QueryDict, location: Location) -> dict[str, Any]:
    page = PlanPage(data)
    for rows in page.lists:
        rows.is_valid()
    facts = facts_of(
        areas=page.areas.specs,
        mix=page.mix.specs,
        phases=page.phases.specs,
        country=location.country,
    )
    return {"facts": facts, "cautions": cautions(facts)}


def _form_page(
    request: HttpRequest,
    patient: Patient,
    location: Location,
    page: PlanPage,
    plan: Plan | None = None,
    note: Consultation | None = None,
    status: int = 200,
) -> HttpResponse:
    htmx = request.htmx and request.method == "POST"  # type: ignore[attr-defined]
    context = {
        "patient": patient,
        "today": timezone.localdate(timezone=location.zone),
        "page": page,
        "form": page.head,
        "plan": plan,
        "note": note,
        "protocols": Protocol.objects.current(),
        "earlier": Plan.objects.filter(patient=patient).order_by("-created_at")[:10],
        "facts": None,
    }
    if status == 422:
        context |= _totals(request.POST, location)
    elif plan is not None and not page.head.is_bound:
        facts = plan_facts(plan)
        context |= {"facts": facts, "cautions": cautions(facts)}
    template = "treatments/plan_form.html" + ("#rows" if htmx else "")
    return render(request, template, context, status=status)


@requires(Permission.SEE_NOTES)
@require_safe
def detail(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """A plan to read: what, where, how much, what speaks for and against it, and how far it is."""
    return _detail(request, _plan(request, number, plan_id))


def _detail(
    request: HttpRequest, plan: Plan, form: StopForm | None = None, status: int = 200
) -> HttpResponse:
    facts = plan_facts(plan)
    found = cautions(facts)
    context = {
        "patient": plan.patient,
        "today": timezone.localdate(timezone=plan.location.zone),
        "plan": plan,
        "facts": facts,
        "cautions": found,
        "is_blocked": any(caution.blocks for caution in found),
        "progress": progress_of(plan),
        "evidence": evidence_for(plan),
        "verdicts": screen_plan(plan, timezone.now()),
        "form": form or StopForm(),
        **shown_parts(plan),
    }
    return render(request, "treatments/plan_detail.html", context, status=status)


@requires(Permission.WRITE_NOTES)
@require_POST
def accept(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """Fix the plan."""
    plan = _plan(request, number, plan_id)
    try:
        accept_plan(by=staff_of(request), plan=plan)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("The plan is accepted. Next: the consent, and the dates."))
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
    found: Plan = fetch(
        request, Plan.objects.visible_to(staff_of(request)), pk=wanted, patient_id=number
    )
    return found


def _named_protocol(request: HttpRequest) -> Protocol | None:
    wanted = request.GET.get("protocol", "")
    return Protocol.objects.current().filter(code=wanted).first() if wanted else None
