"""The watch: the patient's check-ins, and the calls that the staff work off."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aftercare.watch.actions import answer_check_in, finish_call, take_call, urgencies
from aftercare.watch.forms import CheckInForm, OutcomeForm
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.signs import is_emergency
from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_id_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.portal.access import by_link
from patients.registry.models import Patient

MOST_CALLS = 50
MOST_SHOWN = 70
LATEST = 5


def _calls(request: HttpRequest) -> list[Call]:
    waiting = (
        Call.objects.visible_to(staff_of(request))
        .waiting()
        .filter(location_id=location_id_of(request))
        .select_related("patient", "check_in__session", "taken_by")
    )
    return list(waiting[:MOST_CALLS])


@requires(Permission.WORK_WATCH)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """On Today: who must be called, red first."""
    calls = _calls(request)
    listed(request, [call.patient_id for call in calls])
    return render(request, "aftercare/watch_today.html", {"calls": calls, "now": timezone.now()})


@requires(Permission.WORK_WATCH)
@require_GET
def safety(request: HttpRequest) -> HttpResponse:
    """The whole call list, and who has stayed silent."""
    calls = _calls(request)
    at = timezone.now()
    silent = list(
        CheckIn.objects.visible_to(staff_of(request))
        .silent(at)
        .filter(session__location_id=location_id_of(request))
        .select_related("patient")[:MOST_CALLS]
    )
    listed(request, [call.patient_id for call in calls] + [row.patient_id for row in silent])
    context = {"calls": calls, "silent": silent, "now": at}
    return render(request, "aftercare/safety.html", context)


def _call(request: HttpRequest, pk: int) -> Call:
    visible = Call.objects.visible_to(staff_of(request)).filter(
        location_id__in=staff_of(request).place_ids
    )
    row: Call = fetch(
        request, visible.select_related("patient", "check_in__session", "taken_by"), pk=pk
    )
    return row


@requires(Permission.WORK_WATCH)
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """I am calling this patient."""
    call = _call(request, pk)
    with refused_notice(request):
        take_call(by=staff_of(request), call=call)
    return redirect("watch:call", call.pk)


@requires(Permission.WORK_WATCH)
@require_http_methods(["GET", "POST"])
def call(request: HttpRequest, pk: int) -> HttpResponse:
    """One call: what the patient said, after what treatment, and what came of it."""
    row = _call(request, pk)
    form = OutcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            finish_call(by=staff_of(request), call=row, outcome=form.cleaned_data["outcome"])
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("watch:safety")
    today = timezone.localdate(timezone=row.location.zone)
    context = {"call": row, "patient": row.patient, "form": form, "today": today}
    return render(request, "aftercare/call.html", context, status=422 if form.errors else 200)


@requires(Permission.SEE_NOTES)
@require_GET
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """On the patient's page: every check-in, silence shown as silence."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    check_ins = list(patient.check_ins.select_related("call").order_by("-due_at")[:MOST_SHOWN])
    planned = [row for row in check_ins if row.state == CheckIn.State.PLANNED]
    asked = [row for row in check_ins if row.state != CheckIn.State.PLANNED]
    context = {
        "patient": patient,
        "next": planned[-1:],
        "asked": asked[:LATEST],
        "rest": planned[:-1] + asked[LATEST:],
    }
    return render(request, "aftercare/watch_panel.html", context)


@requires(Permission.WORK_WATCH)
@require_GET
def bar(request: HttpRequest, number: int) -> HttpResponse:
    """In the patient bar: calls that wait."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    calls = list(Call.objects.filter(patient=patient).waiting())
    return render(request, "aftercare/watch_bar.html", {"calls": calls})


@by_link
@require_GET
def my_panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the patient's own page: the questions that wait for an answer."""
    mine = CheckIn.objects.filter(patient=request.patient)  # type: ignore[attr-defined]
    waiting = mine.filter(state=CheckIn.State.OPEN).order_by("due_at")
    return render(request, "aftercare/my_check_ins.html", {"check_ins": waiting, "token": token})


@by_link
@require_http_methods(["GET", "POST"])
def my_check_in(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The questions of one day; the answer says at once what to do."""
    mine = CheckIn.objects.filter(patient=request.patient)  # type: ignore[attr-defined]
    row = fetch(request, mine.select_related("session__location__country"), pk=pk)
    form = CheckInForm(request.POST or None, step=row.step)
    if request.method == "POST" and form.is_valid():
        try:
            answer_check_in(check_in=row, at=timezone.now(), **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("my-check-ins:check-in", token, pk)
    context = {
        "check_in": row,
        "form": form,
        "token": token,
        "location": row.session.location,
        "emergency": is_emergency(row.signs, urgencies()),
    }
    return render(
        request, "aftercare/my_check_in.html", context, status=422 if form.errors else 200
    )
