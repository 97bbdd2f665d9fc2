"""The pages of the questionnaire, the same by link and at the desk; only their frame differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.intake.actions import (
    StaleStep,
    discard_draft,
    keep_unfinished,
    new_draft,
    save_draft,
    seen_of,
    submit_history,
)
from patients.intake.facts import (
    STEPS,
    draft_of,
    latest_history,
    lines_to_check,
    steps_done,
    steps_left,
)
from patients.intake.forms import STEP_FORMS, Asking, DeskSignForm, SignForm, StepForm
from patients.intake.models import History
from patients.intake.questions import questions
from patients.registry.models import Patient

AUTOSAVE = "X-Autosave"
SEEN = "seen"
LARGEST_SEEN = 9


@dataclass(frozen=True)
class Questionnaire:
    """Where a questionnaire is filled in: its frame, its addresses and what its pages show.

    `by`: who of the staff types it; None where the patient does.
    """

    frame: str
    origin: str
    step_url: Callable[[str], str]
    check_url: str
    leave_url: str
    done_url: str
    sign_in_url: str
    zone: ZoneInfo | None = None
    by: Staff | None = None
    context: dict[str, Any] = field(default_factory=dict)


def first_open(questionnaire: Questionnaire, patient: Patient) -> str:
    """The address of the first step without an answer, else of the check page."""
    left = steps_left(draft_of(patient))
    return questionnaire.step_url(left[0]) if left else questionnaire.check_url


def step_page(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient, step: str
) -> HttpResponse:
    """One step: show it, keep it as it stands, or keep its answers and go on."""
    if step not in STEP_FORMS:
        raise Http404
    history = draft_of(patient) or new_draft(patient=patient, origin=questionnaire.origin)
    if AUTOSAVE in request.headers and request.method == "POST":
        form = _form(questionnaire, patient, history, step, None)
        return _kept(request, questionnaire, patient, form)
    form = _form(questionnaire, patient, history, step, _posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                saved = _save(request, questionnaire, patient, form)
            except StaleStep as stale:
                refuse(form, stale)
                status = 409
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect(_after(questionnaire, step, steps_done(saved)))
    context = _step_context(questionnaire, history, form)
    return render(request, "patients/history_step.html", context, status=status)


def _form(
    questionnaire: Questionnaire,
    patient: Patient,
    history: History,
    step: str,
    posted: QueryDict | None,
) -> StepForm:
    """The page's form: as sent, as it stood unfinished, or from the history."""
    form_class = STEP_FORMS[step]
    initial = form_class.initial_of(history)
    for name, values in history.answers.get("partial", {}).get(step, {}).items():
        initial[name] = values if name == "chosen" else values[-1]
    if "chosen" not in history.answers.get("partial", {}).get(step, {"chosen": []}):
        initial["chosen"] = []
    asking = Asking(
        patient=patient,
        today=timezone.localdate(timezone=questionnaire.zone),
        at_desk=questionnaire.by is not None,
    )
    return form_class(posted, initial=initial, asking=asking, known=questions())


def _save(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient, form: StepForm
) -> History:
    return save_draft(
        patient=patient,
        origin=questionnaire.origin,
        values=form.values(),
        step=form.step,
        ticks=form.ticks(),
        seen=_seen(request),
        by=questionnaire.by,
    )


def _seen(request: HttpRequest) -> int | None:
    """The state of the page that was shown, as the page itself tells it."""
    text = request.POST.get(SEEN, "")
    return int(text) if text.isdecimal() and len(text) < LARGEST_SEEN else None


def _kept(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient, form: StepForm
) -> HttpResponse:
    """The answer to a page that saves itself: only what is true.

    Kept are the fields of the page and nothing else, as typed; the database takes no NUL.
    """
    step = form.step
    raw = {
        name: [value.replace("\0", "") for value in request.POST.getlist(name)]
        for name in request.POST
        if name in form.fields
    }
    try:
        history = keep_unfinished(
            patient=patient,
            origin=questionnaire.origin,
            step=step,
            raw=raw,
            seen=_seen(request),
            by=questionnaire.by,
        )
    except StaleStep as stale:
        return JsonResponse({"message": stale.message}, status=409)
    except ActionRefused as refused:
        return JsonResponse({"message": refused.message}, status=422)
    now = timezone.localtime(timezone.now(), questionnaire.zone)
    words = _("Saved %(time)s") % {"time": date_format(now, "H:i")}
    return JsonResponse({"seen": seen_of(history, step), "words": words})


def _step_context(questionnaire: Questionnaire, history: History, form: StepForm) -> dict[str, Any]:
    number = STEPS.index(form.step)
    return {
        **questionnaire.context,
        "frame": questionnaire.frame,
        "form": form,
        "seen": seen_of(history, form.step),
        "was_unfinished": form.step in history.answers.get("partial", {}),
        "number": number + 1,
        "count": len(STEPS) + 1,
        "back_url": questionnaire.step_url(STEPS[number - 1]) if number else "",
        "leave_url": questionnaire.leave_url,
        "sign_in_url": questionnaire.sign_in_url,
    }


def _after(questionnaire: Questionnaire, step: str, done: list[str]) -> str:
    """Once everything is answered a correction leads back to the check page, else to the next."""
    following = STEPS[STEPS.index(step) + 1 :]
    if not following or len(done) == len(STEPS):
        return questionnaire.check_url
    return questionnaire.step_url(following[0])


def check_page(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient
) -> HttpResponse:
    """Everything that was answered, to be checked and signed, or thrown away."""
    history = draft_of(patient)
    if history is None:
        return redirect(questionnaire.leave_url)
    if request.POST.get("do") == "discard":
        return _discard(request, questionnaire, patient)
    form_class = SignForm if questionnaire.by is None else DeskSignForm
    form = form_class(_posted(request), initial={"signed_name": signer_name(patient)})
    if request.method == "POST" and form.is_valid():
        try:
            submit_history(history=history, by=questionnaire.by, **form.signing)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect(questionnaire.done_url)
    status = 422 if request.method == "POST" else 200
    context = _check_context(questionnaire, patient, history, form)
    return render(request, "patients/history_check.html", context, status=status)


def _discard(request: HttpRequest, questionnaire: Questionnaire, patient: Patient) -> HttpResponse:
    try:
        discard_draft(patient=patient)
    except ActionRefused:
        return redirect(questionnaire.check_url)
    return redirect(questionnaire.leave_url)


def _check_context(
    questionnaire: Questionnaire, patient: Patient, history: History, form: SignForm
) -> dict[str, Any]:
    left = steps_left(history)
    answers = [
        (line, questionnaire.step_url(line.step), shown(line.value, line.step in left))
        for line in lines_to_check(history)
    ]
    return {
        **questionnaire.context,
        "frame": questionnaire.frame,
        "form": form,
        "answers": answers,
        "next_open": questionnaire.step_url(left[0]) if left else "",
        "may_discard": latest_history(patient) is not None,
        "number": len(STEPS) + 1,
        "count": len(STEPS) + 1,
        "leave_url": questionnaire.leave_url,
        "back_url": questionnaire.step_url(STEPS[-1]),
    }


def signer_name(patient: Patient) -> str:
    """The patient's own name, as a first guess of who signs."""
    return f"{patient.given_name} {patient.family_name}"


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, even if that is nothing at all."""
    return request.POST if request.method == "POST" else None


def shown(value: str, is_open: bool) -> str:
    """A value as the patient reads it; what was denied is said in a word."""
    if is_open:
        return _("Not answered yet")
    return value or _("None")
