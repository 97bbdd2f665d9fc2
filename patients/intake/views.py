"""A patient's history at the clinic: read, compared, reviewed, or typed in with the patient."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from patients.intake.actions import review_history
from patients.intake.facts import (
    allergies,
    changed_since,
    draft_of,
    has_allergies,
    latest_history,
    lines,
)
from patients.intake.models import History
from patients.intake.pages import Questionnaire, check_page, first_open, step_page
from patients.registry.models import Patient

VERSIONS_SHOWN = 20


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _page(request: HttpRequest, patient: Patient, **more: Any) -> dict[str, Any]:
    zone = location_of(request).zone
    today = timezone.localdate(timezone=zone)
    return {"patient": patient, "today": today, "zone": zone, **more}


@requires(Permission.SEE_PATIENTS)
@require_safe
def bar(request: HttpRequest, number: int) -> HttpResponse:
    """Allergies for the patient bar. Everyone sees them: they are a matter of safety."""
    latest = latest_history(_patient(request, number).kept)
    may_read = staff_of(request).may(Permission.SEE_HISTORY)
    context = {
        "value": allergies(latest) if latest else "",
        "alert": bool(latest and has_allergies(latest)),
        "url": reverse("intake:detail", args=[number]) if may_read else "",
    }
    return render(request, "patients/history_bar.html", context)


@requires(Permission.SEE_PATIENTS)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The history for the patient's page; whoever may not read it sees only where it stands."""
    patient = _patient(request, number)
    latest = latest_history(patient)
    may_read = staff_of(request).may(Permission.SEE_HISTORY)
    context = {
        "patient": patient,
        "zone": location_of(request).zone,
        "latest": latest,
        "draft": draft_of(patient),
        "may_read": may_read,
        "lines": lines(latest) if latest and may_read else [],
    }
    return render(request, "patients/history_panel.html", context)


@requires(Permission.SEE_HISTORY)
@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """The newest history, or `?version=`, with what changed since the one before."""
    patient = _patient(request, number)
    versions = list(
        History.objects.filter(patient=patient)
        .handed_in()
        .select_related("reviewed_by")[:VERSIONS_SHOWN]
    )
    wanted = request.GET.get("version", "")
    counting = [v for v in versions if v.withdrawn_at is None]
    shown = next((v for v in versions if str(v.version) == wanted), None) or next(
        iter(counting), None
    )
    older = [v for v in versions if shown and v.version < shown.version]
    context = _page(
        request,
        patient,
        shown=shown,
        lines=lines(shown) if shown else [],
        changes=changed_since(shown, older[0]) if shown and older else [],
        previous=older[0] if older else None,
        versions=versions,
        draft=draft_of(patient),
    )
    return render(request, "patients/history_detail.html", context)


@requires(Permission.WRITE_NOTES)
@require_POST
def review(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Note that a practitioner has read it."""
    staff = staff_of(request)
    history = fetch(request, History.objects.visible_to(staff), pk=pk, patient_id=number)
    try:
        review_history(by=staff, history=history)
        messages.success(request, _("The history is marked as reviewed."))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    return redirect("intake:detail", number)


def _at_the_desk(request: HttpRequest, patient: Patient) -> Questionnaire:
    number = patient.number
    return Questionnaire(
        frame="patient_page.html",
        origin=History.Origin.DESK,
        step_url=lambda step: reverse("intake:step", args=[number, step]),
        check_url=reverse("intake:check", args=[number]),
        leave_url=reverse("intake:detail", args=[number]),
        done_url=reverse("intake:detail", args=[number]),
        context=_page(request, patient),
    )


@requires(Permission.WRITE_NOTES)
@require_safe
def start(request: HttpRequest, number: int) -> HttpResponse:
    """To the first step that has no answer yet."""
    patient = _patient(request, number)
    return redirect(first_open(_at_the_desk(request, patient), patient))


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, number: int, step: str) -> HttpResponse:
    """One step, typed in with the patient."""
    patient = _patient(request, number)
    return step_page(request, _at_the_desk(request, patient), patient, step)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, number: int) -> HttpResponse:
    """Check the answers with the patient and sign."""
    patient = _patient(request, number)
    return check_page(request, _at_the_desk(request, patient), patient)
