"""A patient's history at the clinic: read, compared, reviewed, or typed in with the patient."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.intake.actions import confirm_unchanged, review_history
from patients.intake.facts import (
    allergies,
    changed_since,
    compared,
    draft_of,
    has_allergies,
    has_answers,
    last_confirmation,
    last_reviewed,
    latest_history,
    lines,
    lines_to_check,
)
from patients.intake.forms import ReviewForm, SignForm
from patients.intake.models import History
from patients.intake.pages import (
    Questionnaire,
    check_page,
    first_open,
    shown,
    signer_name,
    step_page,
)
from patients.portal.access import remember_proof
from patients.portal.actions import open_on_tablet
from patients.registry.models import Patient
from patients.registry.restricting import restriction_of

VERSIONS_SHOWN = 20
HANDED_OVER = (
    "my-history:handed",
    "my-history:start",
    "my-history:step",
    "my-history:check",
    "my-history:unchanged",
    "my-history:done",
)
"""What a tablet opens that is given into the patient's hands; it comes back to the first."""


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _page(request: HttpRequest, patient: Patient, **more: Any) -> dict[str, Any]:
    zone = location_of(request).zone
    today = timezone.localdate(timezone=zone)
    return {"patient": patient, "today": today, "zone": zone, **more}


@requires(Permission.SEE_PATIENTS)
@require_safe
def bar(request: HttpRequest, number: int) -> HttpResponse:
    """Allergies for the patient bar, and whether the data are restricted: everyone sees both."""
    patient = _patient(request, number)
    latest = latest_history(patient.kept)
    may_read = staff_of(request).may(Permission.SEE_HISTORY)
    context = {
        "value": allergies(latest) if latest else "",
        "alert": bool(latest and has_allergies(latest)),
        "url": reverse("intake:detail", args=[number]) if may_read else "",
        "restriction": restriction_of(patient),
    }
    return render(request, "patients/history_bar.html", context)


@requires(Permission.SEE_PATIENTS)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The history for the patient's page; whoever may not read it sees only where it stands."""
    patient = _patient(request, number)
    staff, latest, draft = staff_of(request), latest_history(patient), draft_of(patient)
    may_read = staff.may(Permission.SEE_HISTORY)
    context = {
        "patient": patient,
        "zone": location_of(request).zone,
        "latest": latest,
        "draft": draft if has_answers(draft) else None,
        "confirmed": last_confirmation(latest) if latest else None,
        "may_read": may_read,
        "may_take": not patient.is_closed_file and may_take(staff, latest, draft),
        "lines": lines(latest) if latest and may_read else [],
    }
    return render(request, "patients/history_panel.html", context)


def may_take(staff: Staff, latest: History | None, draft: History | None) -> bool:
    """Whether this person may type it in or hand over the tablet.

    Whoever may not read histories may take the first one only, and only one begun at the desk:
    the pages show what was answered before.
    """
    if not staff.may(Permission.TAKE_HISTORY):
        return False
    begun_elsewhere = has_answers(draft) and draft and draft.origin != History.Origin.DESK
    return staff.may(Permission.SEE_HISTORY) or (latest is None and not begun_elsewhere)


@requires(Permission.SEE_HISTORY)
@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """The newest history, or `?version=`, beside the last reviewed one before it."""
    patient = _patient(request, number)
    return _detail(request, patient, ReviewForm())


def _detail(
    request: HttpRequest, patient: Patient, form: ReviewForm, status: int = 200
) -> HttpResponse:
    versions = list(
        History.objects.filter(patient=patient)
        .handed_in()
        .select_related("reviewed_by", "typed_by")[:VERSIONS_SHOWN]
    )
    wanted = request.GET.get("version", "")
    counting = [v for v in versions if v.withdrawn_at is None]
    shown_one = next((v for v in versions if str(v.version) == wanted), None) or next(
        iter(counting), None
    )
    before = _before(shown_one, versions)
    draft = draft_of(patient)
    context = _page(
        request,
        patient,
        shown=shown_one,
        is_newest=bool(counting) and shown_one == counting[0],
        lines=lines(shown_one) if shown_one else [],
        changes=changed_since(shown_one, before) if shown_one and before else [],
        pairs=compared(shown_one, before) if shown_one and before else [],
        previous=before,
        versions=versions,
        confirmations=shown_one.confirmations.select_related("taken_by").order_by("-confirmed_at")[
            :VERSIONS_SHOWN
        ]
        if shown_one
        else [],
        draft=draft if has_answers(draft) else None,
        form=form,
    )
    return render(request, "patients/history_detail.html", context, status=status)


def _before(version: History | None, versions: list[History]) -> History | None:
    """The last reviewed version before this one; where none was reviewed, the one before."""
    if version is None:
        return None
    reviewed = last_reviewed(version)
    older = (v for v in versions if v.version < version.version and v.withdrawn_at is None)
    return reviewed or next(older, None)


@requires(Permission.WRITE_NOTES)
@require_POST
def review(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """A practitioner signs that they have read it."""
    staff = staff_of(request)
    history = fetch(request, History.objects.visible_to(staff), pk=pk, patient_id=number)
    form = ReviewForm(request.POST)
    if form.is_valid():
        try:
            review_history(by=staff, history=history, note=form.cleaned_data["note"])
            messages.success(request, _("The history is marked as reviewed."))
        except ActionRefused as refused:
            messages.error(request, refused.message)
        return redirect("intake:detail", number)
    return _detail(request, history.patient, form, status=422)


@requires(Permission.SEE_HISTORY)
@require_safe
def since(request: HttpRequest, number: int) -> HttpResponse:
    """For the start of a session: what differs since the last review, and who confirmed it."""
    patient = _patient(request, number)
    latest = latest_history(patient)
    before = last_reviewed(latest) if latest else None
    draft = draft_of(patient)
    context = _page(
        request,
        patient,
        latest=latest,
        previous=before,
        changes=changed_since(latest, before) if latest and before else [],
        confirmed=last_confirmation(latest) if latest else None,
        draft=draft if has_answers(draft) else None,
    )
    return render(request, "patients/history_since.html", context)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def unchanged(request: HttpRequest, number: int) -> HttpResponse:
    """Ask again with the patient in the room: side by side, and that nothing changed, signed."""
    patient = _patient(request, number)
    latest = latest_history(patient)
    if latest is None:
        return redirect("intake:detail", number)
    posted = request.POST if request.method == "POST" else None
    form = SignForm(posted, initial={"signed_name": signer_name(patient)})
    if form.is_valid():
        try:
            confirm_unchanged(
                history=latest, origin=History.Origin.DESK, by=staff_of(request), **form.signing
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Confirmed: nothing has changed."))
            return redirect("intake:detail", number)
    before = last_reviewed(latest)
    context = _page(
        request,
        patient,
        form=form,
        latest=latest,
        previous=before,
        pairs=compared(latest, before) if before else [],
        answers=[(line, shown(line.value, False)) for line in lines_to_check(latest)],
    )
    status = 422 if posted is not None else 200
    return render(request, "patients/history_unchanged_here.html", context, status=status)


@requires(Permission.TAKE_HISTORY)
@require_POST
def hand_over(request: HttpRequest, number: int) -> HttpResponse:
    """Give this very device to the patient: it shows their questionnaire and nothing else."""
    patient = _patient(request, number)
    _refuse_taking(request, patient)
    token = open_on_tablet(patient=patient, pages=HANDED_OVER, at=timezone.now())
    logout(request)
    remember_proof(request, token)
    return redirect("my-history:handed", token)


def _refuse_taking(request: HttpRequest, patient: Patient) -> None:
    if not may_take(staff_of(request), latest_history(patient), draft_of(patient)):
        raise PermissionDenied


def _at_the_desk(request: HttpRequest, patient: Patient) -> Questionnaire:
    number, staff = patient.number, staff_of(request)
    _refuse_taking(request, patient)
    may_read = staff.may(Permission.SEE_HISTORY)
    home = reverse("intake:detail" if may_read else "patients:detail", args=[number])
    page = _page(request, patient)
    return Questionnaire(
        frame="patient_page.html",
        origin=History.Origin.DESK,
        step_url=lambda step: reverse("intake:step", args=[number, step]),
        check_url=reverse("intake:check", args=[number]),
        leave_url=home,
        done_url=home,
        sign_in_url=reverse("account_login"),
        zone=page["zone"],
        by=staff,
        context=page,
    )


@requires(Permission.TAKE_HISTORY)
@require_safe
def start(request: HttpRequest, number: int) -> HttpResponse:
    """To the first step that has no answer yet."""
    patient = _patient(request, number)
    return redirect(first_open(_at_the_desk(request, patient), patient))


@requires(Permission.TAKE_HISTORY)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, number: int, step: str) -> HttpResponse:
    """One step, typed in with the patient."""
    patient = _patient(request, number)
    return step_page(request, _at_the_desk(request, patient), patient, step)


@requires(Permission.TAKE_HISTORY)
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, number: int) -> HttpResponse:
    """Check the answers with the patient and sign."""
    patient = _patient(request, number)
    return check_page(request, _at_the_desk(request, patient), patient)
