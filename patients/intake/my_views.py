"""The questionnaire on the patient's own phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from patients.intake.facts import draft_of, latest_history, steps_left
from patients.intake.models import History
from patients.intake.pages import Questionnaire, check_page, first_open, step_page
from patients.portal.access import by_link, patient_of, portal_context


def _questionnaire(request: HttpRequest, token: str) -> Questionnaire:
    return Questionnaire(
        frame="patient_shell.html",
        origin=History.Origin.LINK,
        step_url=lambda step: reverse("my-history:step", args=[token, step]),
        check_url=reverse("my-history:check", args=[token]),
        leave_url=reverse("portal:home", args=[token]),
        done_url=reverse("my-history:done", args=[token]),
        context=portal_context(request),
    )


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """For the patient's first page: whether the questionnaire waits."""
    patient = patient_of(request)
    draft = draft_of(patient)
    context = portal_context(
        request, draft=draft, left=len(steps_left(draft)), latest=latest_history(patient)
    )
    return render(request, "patients/history_my_panel.html", context)


@by_link
@require_safe
def start(request: HttpRequest, token: str) -> HttpResponse:
    """To the first step that has no answer yet."""
    return redirect(first_open(_questionnaire(request, token), patient_of(request)))


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, token: str, step: str) -> HttpResponse:
    """One step of the questionnaire."""
    return step_page(request, _questionnaire(request, token), patient_of(request), step)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, token: str) -> HttpResponse:
    """Check the answers and sign."""
    return check_page(request, _questionnaire(request, token), patient_of(request))


@by_link
@require_safe
def done(request: HttpRequest, token: str) -> HttpResponse:
    """Thanks, and what happens next."""
    return render(request, "patients/history_done.html", portal_context(request))
