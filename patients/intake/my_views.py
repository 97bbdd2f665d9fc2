"""The questionnaire on the patient's own phone, or on a tablet of the clinic in their hands."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.intake.actions import confirm_unchanged
from patients.intake.facts import (
    draft_of,
    has_answers,
    last_confirmation,
    latest_history,
    lines_to_check,
    steps_left,
)
from patients.intake.forms import SignForm
from patients.intake.models import History
from patients.intake.pages import (
    Questionnaire,
    check_page,
    first_open,
    shown,
    signer_name,
    step_page,
)
from patients.portal.access import by_link, on_tablet, patient_of, portal_context
from patients.portal.actions import close_link


def _questionnaire(request: HttpRequest, token: str) -> Questionnaire:
    place = request.patient_location  # type: ignore[attr-defined]
    return Questionnaire(
        frame="patient_shell.html",
        origin=_origin(request),
        step_url=lambda step: reverse("my-history:step", args=[token, step]),
        check_url=reverse("my-history:check", args=[token]),
        leave_url=reverse("portal:home", args=[token]),
        done_url=reverse("my-history:done", args=[token]),
        sign_in_url=reverse("portal:prove", args=[token]),
        zone=place.zone if place else None,
        context=portal_context(request),
    )


def _origin(request: HttpRequest) -> str:
    return History.Origin.TABLET if on_tablet(request) else History.Origin.LINK


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """For the patient's first page: whether the questionnaire waits."""
    patient = patient_of(request)
    draft, latest = draft_of(patient), latest_history(patient)
    context = portal_context(
        request,
        draft=draft if has_answers(draft) else None,
        left=len(steps_left(draft)),
        latest=latest,
        confirmed=last_confirmation(latest) if latest else None,
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
@require_http_methods(["GET", "HEAD", "POST"])
def unchanged(request: HttpRequest, token: str) -> HttpResponse:
    """Read what was said last, and sign that nothing has changed since."""
    patient = patient_of(request)
    latest = latest_history(patient)
    if latest is None:
        return redirect("my-history:start", token)
    posted = request.POST if request.method == "POST" else None
    form = SignForm(posted, initial={"signed_name": signer_name(patient)})
    if form.is_valid():
        try:
            confirm_unchanged(history=latest, origin=_origin(request), **form.signing)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("my-history:done", token)
    context = portal_context(
        request,
        form=form,
        latest=latest,
        answers=[(line, shown(line.value, False)) for line in lines_to_check(latest)],
    )
    status = 422 if posted is not None else 200
    return render(request, "patients/history_unchanged.html", context, status=status)


@by_link
@require_safe
def done(request: HttpRequest, token: str) -> HttpResponse:
    """Thanks, and what happens next."""
    context = portal_context(request, handed="my-history:handed" in _opened(request))
    return render(request, "patients/history_done.html", context)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def handed(request: HttpRequest, token: str) -> HttpResponseBase:
    """The first page of a tablet that was handed over; posting gives it back, empty."""
    if not on_tablet(request):
        return redirect("portal:home", token)
    if request.method == "POST":
        close_link(token=token, at=timezone.now())
        request.session.flush()
        response = redirect("account_login")
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        return response
    latest = latest_history(patient_of(request))
    context = portal_context(request, latest=latest)
    return render(request, "patients/history_handed.html", context)


def _opened(request: HttpRequest) -> list[str]:
    opened: list[str] = request.tablet_pages  # type: ignore[attr-defined]
    return opened
