"""The page that accepts a plan: what speaks against it, and what accepting makes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from treatments.consents.accepting import Asking, accept_and_ask
from treatments.consents.forms import AcceptForm
from treatments.consents.in_force import Choice, choice_for
from treatments.consents.models import Consent
from treatments.plans.cautions import cautions
from treatments.plans.course import total
from treatments.plans.gather import plan_facts
from treatments.plans.models import Plan
from treatments.plans.needs import needs_of
from treatments.plans.reading import screen_plan


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """Accept a plan, ask for the consent, go on to the dates. Pressed twice, accepted once."""
    mine = Plan.objects.visible_to(staff_of(request)).select_related(
        "patient", "location__country", "protocol"
    )
    plan: Plan = fetch(request, mine, pk=plan_id, patient_id=number)
    if plan.state != Plan.State.DRAFT:
        messages.info(request, _("This plan is no draft any more: it stands as it is shown here."))
        return redirect("plans:detail", plan.patient.number, plan.pk)
    choice = choice_for(plan.patient, plan.location)
    form = AcceptForm(request.POST or None, plan=plan, choice=choice)
    if request.method != "POST" or not form.is_valid():
        return _page(request, plan, form, choice, 200 if request.method != "POST" else 422)
    asked = form.cleaned_data
    try:
        consent = accept_and_ask(
            by=staff_of(request),
            plan=plan,
            asking=asked["asking"],
            language=asked["language"],
            revision=asked["revision"],
        )
    except ActionRefused as refused:
        refuse(form, refused)
        return _page(request, plan, form, choice, 422)
    messages.success(request, _said(asked["asking"]))
    return _onwards(plan, consent, asked)


def _said(asking: str) -> str:
    if asking == Asking.LINK:
        return _("The plan is accepted. The consent waits behind the link that is being sent.")
    if asking == Asking.TABLET:
        return _("The plan is accepted, and the consent is ready to be read and signed.")
    return _("The plan is accepted. Next: the consent, and the dates.")


def _onwards(plan: Plan, consent: Consent | None, asked: dict[str, Any]) -> HttpResponse:
    """The tablet first while the patient is here; else the dates, else the plan."""
    number = plan.patient.number
    if consent is not None and asked["asking"] == Asking.TABLET:
        return redirect("consents:sign", number, consent.pk)
    if asked["book"]:
        return redirect("courses:course", number, plan.pk)
    return redirect("plans:detail", number, plan.pk)


def _page(
    request: HttpRequest, plan: Plan, form: AcceptForm, choice: Choice, status: int
) -> HttpResponse:
    now, facts = timezone.now(), plan_facts(plan)
    found = cautions(facts)
    context = {
        "patient": plan.patient,
        "today": timezone.localdate(now, plan.location.zone),
        "plan": plan,
        "form": form,
        "lacking": choice.lacking,
        "planned": total(plan.phases.all()),
        "cautions": found,
        "is_blocked": any(caution.blocks for caution in found),
        "verdicts": screen_plan(plan, now),
        "needs": needs_of(plan, 0, now),
        "hours": plan.location.hours_to_think,
    }
    return render(request, "treatments/plan_accept.html", context, status=status)
