"""The pages of the questionnaire, the same by link and at the desk; only their frame differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.intake.actions import new_draft, save_draft, submit_history
from patients.intake.facts import STEPS, draft_of, lines, steps_done, steps_left
from patients.intake.forms import STEP_FORMS, SignForm
from patients.registry.models import Patient


@dataclass(frozen=True)
class Questionnaire:
    """Where a questionnaire is filled in: its frame, its addresses and what its pages show."""

    frame: str
    origin: str
    step_url: Callable[[str], str]
    check_url: str
    leave_url: str
    done_url: str
    context: dict[str, Any] = field(default_factory=dict)


def first_open(questionnaire: Questionnaire, patient: Patient) -> str:
    """The address of the first step without an answer, else of the check page."""
    left = steps_left(draft_of(patient))
    return questionnaire.step_url(left[0]) if left else questionnaire.check_url


def step_page(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient, step: str
) -> HttpResponse:
    """One step: show it, or keep its answers and go on."""
    if step not in STEP_FORMS:
        raise Http404
    form_class = STEP_FORMS[step]
    history = draft_of(patient) or new_draft(patient=patient, origin=questionnaire.origin)
    form = form_class(_posted(request), initial=form_class.initial_of(history))
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_draft(patient=patient, origin=questionnaire.origin, values=form.values())
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect(_after(questionnaire, step, steps_done(saved)))
    number = STEPS.index(step)
    context = {
        **questionnaire.context,
        "frame": questionnaire.frame,
        "form": form,
        "number": number + 1,
        "count": len(STEPS) + 1,
        "back_url": questionnaire.step_url(STEPS[number - 1]) if number else "",
        "leave_url": questionnaire.leave_url,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/history_step.html", context, status=status)


def _after(questionnaire: Questionnaire, step: str, done: list[str]) -> str:
    """Once everything is answered a correction leads back to the check page, else to the next."""
    following = STEPS[STEPS.index(step) + 1 :]
    if not following or len(done) == len(STEPS):
        return questionnaire.check_url
    return questionnaire.step_url(following[0])


def check_page(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient
) -> HttpResponse:
    """Everything that was answered, to be checked and signed."""
    history = draft_of(patient)
    if history is None:
        return redirect(questionnaire.leave_url)
    form = SignForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            submit_history(history=history, signed_name=form.cleaned_data["signed_name"])
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect(questionnaire.done_url)
    left = steps_left(history)
    answers = [
        (line, questionnaire.step_url(line.step), _shown(line.value, line.step in left))
        for line in lines(history)
    ]
    context = {
        **questionnaire.context,
        "frame": questionnaire.frame,
        "form": form,
        "answers": answers,
        "next_open": questionnaire.step_url(left[0]) if left else "",
        "number": len(STEPS) + 1,
        "count": len(STEPS) + 1,
        "leave_url": questionnaire.leave_url,
        "back_url": questionnaire.step_url(STEPS[-1]),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/history_check.html", context, status=status)


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, even if that is nothing at all."""
    return request.POST if request.method == "POST" else None


def _shown(value: str, is_open: bool) -> str:
    if is_open:
        return _("Not answered yet")
    return value or _("None")
