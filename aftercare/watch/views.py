"""The watch on a patient's pages: their check-ins, the watch of one session, stopping it."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from aftercare.watch.actions import resume_watch, stop_watch
from aftercare.watch.forms import StopForm
from aftercare.watch.models import UNANSWERED, Call, CheckIn
from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.registry.models import Patient
from treatments.sessions.models import Session

MOST_SHOWN = 70
LATEST = 5
OF_A_ROW = ("call", "message", "own_scale", "photo", "stopped_by")


@requires(Permission.SEE_NOTES)
@require_GET
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """On the patient's page: every check-in, silence shown as silence."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    rows = patient.check_ins.select_related(*OF_A_ROW)
    check_ins = list(rows.order_by("-due_at")[:MOST_SHOWN])
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
    """In the patient bar: calls that wait, and questions without an answer."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    calls = list(Call.objects.filter(patient=patient).waiting())
    open_ones = CheckIn.objects.filter(patient=patient, state=CheckIn.State.OPEN).count()
    context = {"calls": calls, "open": open_ones}
    return render(request, "aftercare/watch_bar.html", context)


def _session(request: HttpRequest, number: int, session_id: int) -> Session:
    visible = Session.objects.visible_to(staff_of(request)).select_related(
        "patient", "plan", "location"
    )
    return fetch(request, visible, pk=session_id, patient_id=number)


@requires(Permission.WORK_WATCH)
@require_GET
def session(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """The watch of one session: when it asks, what was heard, and the way to stop it."""
    return _page(request, _session(request, number, session_id), StopForm())


def _page(request: HttpRequest, row: Session, form: StopForm) -> HttpResponse:
    known = row.check_ins.select_related(*OF_A_ROW)
    rows = list(known.order_by("due_at"))
    counts = row.check_ins.aggregate(
        to_come=Count("pk", filter=Q(state__in=["planned", "open"])),
        silent=Count("pk", filter=Q(state__in=UNANSWERED)),
    )
    stopped = [one for one in rows if one.stopped_by_id and one.due_at > timezone.now()]
    context = {
        "session": row,
        "patient": row.patient,
        "rows": rows,
        "form": form,
        "may_resume": bool(stopped),
        "zone": row.location.zone,
        "today": timezone.localdate(timezone=row.location.zone),
        **counts,
    }
    status = 422 if form.errors else 200
    return render(request, "aftercare/watch_session.html", context, status=status)


@requires(Permission.WORK_WATCH)
@require_POST
def stop(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Ask nothing more after this session."""
    row, form = _session(request, number, session_id), StopForm(request.POST)
    if form.is_valid():
        try:
            stop_watch(by=staff_of(request), session=row, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
    if form.errors:
        return _page(request, row, form)
    return redirect("watch:session", row.patient.number, row.pk)


@requires(Permission.WORK_WATCH)
@require_POST
def resume(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Ask again what is still to come."""
    row = _session(request, number, session_id)
    with refused_notice(request):
        resume_watch(by=staff_of(request), session=row, at=timezone.now())
    return redirect("watch:session", row.patient.number, row.pk)
