"""Look-backs: ask one, read its answer, say who its cases are."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aftercare.safety.forms import CaseForm, LookBackForm
from aftercare.safety.lookback import ORDERS, Answer, Finding, look_back
from aftercare.safety.models import LookBack, LookBackCase
from aftercare.safety.questions import add_case, ask_look_back, drop_case
from aftercare.safety.trace_views import address
from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.registry.models import Patient

SHOWN = 40
"""Findings on the page; the rest is behind `?all`."""


def _question(request: HttpRequest, pk: int) -> LookBack:
    mine: Any = LookBack.objects.visible_to(staff_of(request))
    mine = mine.select_related("location", "made_by").prefetch_related("places")
    found: LookBack = fetch(request, mine, pk=pk)
    return found


@requires(Permission.RUN_RECALLS)
@require_http_methods(["GET", "POST"])
def look_backs(request: HttpRequest) -> HttpResponse:
    """The look-backs that compare the location, and a new one over it and others of one's own."""
    place, staff = location_of(request), staff_of(request)
    form = LookBackForm(request.POST or None, staff=staff)
    if request.method == "POST" and form.is_valid():
        try:
            question = ask_look_back(by=staff, location=place, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("safety:look-back", question.pk)
    rows = LookBack.objects.visible_to(staff).filter(places=place)
    context = {
        "tab": "look-backs",
        "rows": rows.select_related("made_by").prefetch_related("places")[:SHOWN],
        "form": form,
        "zone": place.zone,
    }
    return render(request, "aftercare/look_backs.html", context, status=422 if form.errors else 200)


@requires(Permission.SEE_SAFETY)
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What the cases had in common; `order` ranks, `thing` opens one of them."""
    return _detail(request, _question(request, pk), CaseForm())


def _detail(request: HttpRequest, question: LookBack, form: CaseForm) -> HttpResponse:
    order = request.GET.get("order", "")
    order = order if order in ORDERS else ORDERS[0]
    mine: Any = LookBackCase.objects.visible_to(staff_of(request)).filter(look_back=question)
    cases = list(mine.select_related("patient__merged_into", "event__kind"))
    listed(request, [case.patient_id for case in cases])
    answer, refusal = _answered(question, order)
    findings = list(answer.findings) if answer else []
    shown = findings if "all" in request.GET else findings[:SHOWN]
    context = {
        "tab": "look-backs",
        "question": question,
        "cases": [
            (case, bool(answer and case.patient.kept.pk in answer.outside)) for case in cases
        ],
        "answer": answer,
        "refusal": refusal,
        "order": order,
        "rows": [_row(one) for one in shown],
        "more": len(findings) - len(shown),
        "opened": _opened(findings, request.GET.get("thing", "")),
        "may_run": staff_of(request).may(Permission.RUN_RECALLS),
        "form": form,
        "zone": question.location.zone,
    }
    status = 422 if form.errors else 200
    return render(request, "aftercare/look_back.html", context, status=status)


def _answered(question: LookBack, order: str) -> tuple[Answer | None, str]:
    try:
        return look_back(question, order), ""
    except ActionRefused as refused:
        return None, refused.message


def _row(one: Finding) -> dict[str, Any]:
    return {"finding": one, "risk": one.risk, "trace": address(one.exposure)}


def _opened(findings: list[Finding], ident: str) -> dict[str, Any] | None:
    """The one thing that is looked at closely; nothing for a strange address."""
    found = next((one for one in findings if one.exposure.ident == ident), None)
    return _row(found) if found else None


@requires(Permission.RUN_RECALLS)
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Count a patient as a case."""
    question, form = _question(request, pk), CaseForm(request.POST)
    if form.is_valid():
        number = form.cleaned_data["number"]
        mine = Patient.objects.visible_to(staff_of(request)).select_related("merged_into")
        patient = mine.filter(pk=number).first()
        if patient is None:
            form.add_error("number", _("There is no such patient here."))
        else:
            try:
                add_case(
                    by=staff_of(request),
                    question=question,
                    patient=patient,
                    onset_on=form.cleaned_data["onset_on"],
                )
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("safety:look-back", question.pk)
    return _detail(request, question, form)


@requires(Permission.RUN_RECALLS)
@require_POST
def drop(request: HttpRequest, pk: int, case_id: int) -> HttpResponse:
    """No longer count a patient as a case."""
    question = _question(request, pk)
    mine: Any = LookBackCase.objects.visible_to(staff_of(request)).select_related("look_back")
    case: LookBackCase = fetch(request, mine, pk=case_id, look_back=question)
    with refused_notice(request):
        drop_case(by=staff_of(request), case=case)
        messages.success(request, _("The patient no longer counts as a case."))
    return redirect("safety:look-back", question.pk)
