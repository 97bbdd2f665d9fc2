"""Courses: booked whole on one screen, moved together, shown wherever people work."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import gate
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.courses.actions import (
    Choice,
    Refusals,
    Shift,
    SomeTaken,
    book_course,
    cancel_booked,
    count_in,
    move_course,
)
from treatments.courses.attention import to_book, to_cancel
from treatments.courses.forms import read_slot
from treatments.courses.marks import marks_of
from treatments.courses.models import PlannedVisit
from treatments.courses.screen import MovingScreen, Screen, slot_of
from treatments.courses.standing import Course, course_of, courses_of
from treatments.diary.forms import FIRST_YEAR, LAST_YEAR, CancelForm
from treatments.diary.lines import badges
from treatments.diary.models import Appointment, Service
from treatments.diary.transitions import MOVABLE
from treatments.diary.visit import Visit
from treatments.plans.models import Plan

MOST_MARKS = 500
PANEL_ROWS = 5


def _plan(request: HttpRequest, number: int, plan_id: int) -> Plan:
    mine = Plan.objects.visible_to(staff_of(request)).select_related("patient", "made_by")
    found: Plan = gate.fetch(request, mine, pk=plan_id, patient_id=number)
    return found


@requires(Permission.BOOK)
@require_http_methods(["GET", "HEAD", "POST"])
def course(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """The whole course on one screen: what is wished, what is proposed, and taking it all."""
    plan, location, now = _plan(request, number, plan_id), location_of(request), timezone.now()
    data = _pressed(request.POST) if request.method == "POST" else None
    screen = Screen(course_of(plan), location, now, data)
    if data is None or data.get("do") != "take":
        return _screen_page(request, plan, screen)
    try:
        booked = _take(request, plan, screen)
    except ActionRefused as refused:
        again = Screen(course_of(plan), location, now, data, *_what_is_wrong(refused))
        return _screen_page(request, plan, again, refused)
    said = ngettext("%(n)s session is booked.", "%(n)s sessions are booked.", len(booked))
    messages.success(request, said % {"n": len(booked)})
    return redirect("courses:course", plan.patient.number, plan.pk)


def _pressed(posted: QueryDict) -> QueryDict:
    """What was sent, after a press on one of a row's free times (`pick:<row>:<time>`)."""
    data = posted.copy()
    verb, _colon, rest = data.get("do", "").partition(":")
    if verb == "pick":
        key, _colon, slot = rest.partition(":")
        data[f"slot-{key}"] = slot
        data.setlist("chosen", [*dict.fromkeys([*data.getlist("chosen"), key])])
    return data


def _what_is_wrong(refused: ActionRefused) -> tuple[dict[int, str], list[str]]:
    """What to say at which session, and the rows whose time is gone."""
    problems = refused.problems if isinstance(refused, Refusals) else {}
    gone = [str(row) for row in problems] if isinstance(refused, SomeTaken) else []
    return problems, gone


def _take(request: HttpRequest, plan: Plan, screen: Screen) -> list[PlannedVisit]:
    data = screen.data
    assert data is not None
    if not screen.form.is_valid():
        raise ActionRefused(_("Look at what is marked above."))
    return book_course(
        by=staff_of(request),
        plan=plan,
        location=screen.location,
        service=screen.form.cleaned_data["service"],
        choices=_choices(data, screen),
        key=_key(data),
    )


def _choices(data: QueryDict, screen: Screen) -> list[Choice]:
    """The rows' times as they were shown. One that cannot be read is named, never left out."""
    rows = [name.removeprefix("slot-") for name in data if name.startswith("slot-")]
    numbers = sorted(int(row) for row in rows if row.isascii() and row.isdigit() and len(row) < 4)
    slots = {number: screen.typed_slot(str(number)) for number in numbers}
    if unreadable := [number for number, slot in slots.items() if slot is None]:
        raise SomeTaken(dict.fromkeys(unreadable, _("Choose a time for this session.")))
    return [
        Choice(number, slot.starts_at, slot.practitioner_id, data.get(f"reason-{number}", "")[:300])
        for number, slot in slots.items()
        if slot is not None
    ]


def _key(data: QueryDict) -> uuid.UUID:
    try:
        return uuid.UUID(data.get("key", ""))
    except ValueError:
        raise ActionRefused(_("Open this form anew.")) from None


def _screen_page(
    request: HttpRequest, plan: Plan, screen: Screen, refused: ActionRefused | None = None
) -> HttpResponse:
    posted = screen.data
    if posted is not None and (row := posted.get("do", "").partition("others:")[2]):
        screen.show_others(row, _day(posted.get(f"look-{row}", "")))
    if refused and not isinstance(refused, Refusals):
        refuse(screen.form, refused)
    wrong = refused is not None or (screen.form.is_bound and not screen.form.is_valid())
    ended = plan.state in (Plan.State.STOPPED, Plan.State.FINISHED)
    context = _about(request, plan, screen) | {
        "form": screen.form,
        "refused": refused if isinstance(refused, Refusals) else None,
        "key": (posted.get("key") if posted else None) or uuid.uuid4(),
        "new_rows": [row for row in screen.rows if row.proposed],
        "can_book": plan.state == Plan.State.ACCEPTED and screen.course.left > 0,
        "ended": ended,
        "cancel_form": CancelForm(),
        "loose": [] if ended else _loose(plan, screen),
        "given_up": _given_up(plan),
    }
    part = "#list" if request.htmx and posted is not None else ""  # type: ignore[attr-defined]
    template = f"treatments/course.html{part}"
    return render(request, template, context, status=422 if wrong else 200)


def _about(request: HttpRequest, plan: Plan, screen: Screen) -> dict[str, Any]:
    return {
        "plan": plan,
        "patient": plan.patient,
        "location": screen.location,
        "today": screen.today,
        "course": screen.course,
        "rows": screen.rows,
        "badges": badges(),
        "may_reason": staff_of(request).may(Permission.WRITE_NOTES),
        "may_read": staff_of(request).may(Permission.SEE_NOTES),
    }


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _loose(plan: Plan, screen: Screen) -> list[tuple[datetime, Appointment]]:
    """Sessions to come that were booked by themselves and could be counted in."""
    if not screen.course.left:
        return []
    rows = Appointment.objects.filter(
        patient=plan.patient_id,
        service__kind=Service.Kind.SESSION,
        status__in=MOVABLE,
        starts_at__gte=screen.at,
        planned_visit__isnull=True,
    )
    found = rows.select_related("location", "practitioner").order_by("starts_at")[:PANEL_ROWS]
    return [(_local(row), row) for row in found]


def _given_up(plan: Plan) -> list[tuple[datetime, Appointment]]:
    """Cancelled and missed appointments, whose session may be booked again."""
    rows = Appointment.objects.filter(
        planned_visit__plan=plan, status__in=Appointment.GIVEN_UP
    ).select_related("location")
    return [(_local(row), row) for row in rows.order_by("-starts_at")[:PANEL_ROWS]]


def _local(row: Appointment) -> datetime:
    """Without a zone: a template would convert an aware time to the server's."""
    return row.starts_at.astimezone(row.location.zone).replace(tzinfo=None)


def _appointment(request: HttpRequest, pk: int) -> Appointment:
    """One that is part of a course."""
    mine: Any = Appointment.objects.visible_to(staff_of(request)).select_related(
        "location", "service", "planned_visit__plan__patient", "planned_visit__plan__made_by"
    )
    found: Appointment = gate.fetch(request, mine, pk=pk, planned_visit__isnull=False)
    return found


@requires(Permission.BOOK)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """The sessions around an appointment that has moved, or is going to (`?to=`)."""
    row = _appointment(request, pk)
    plan = row.planned_visit.plan
    if row.location_id not in staff_of(request).place_ids:
        raise PermissionDenied
    data = _pressed(request.POST) if request.method == "POST" else None
    screen = _moving_screen(request, plan, row, data)
    if data is None or data.get("do") != "take":
        return _moving_page(request, plan, screen)
    try:
        move_course(by=staff_of(request), plan=plan, shifts=_shifts(data, screen))
    except ActionRefused as refused:
        again = _moving_screen(request, plan, row, data)
        problems, gone = _what_is_wrong(refused)
        again.problems, again.gone = _by_number(again, problems, refused), [f"a{n}" for n in gone]
        return _moving_page(request, plan, again, refused)
    messages.success(request, _("The course is moved."))
    return redirect("courses:course", plan.patient.number, plan.pk)


def _by_number(
    screen: MovingScreen, problems: dict[int, str], refused: ActionRefused
) -> dict[int, str]:
    """Problems by the session's number; those of times that are gone come by the appointment."""
    if not isinstance(refused, SomeTaken):
        return problems
    steps = {step.appointment_id: step.number for step in screen.course.booked}
    return {steps[pk]: said for pk, said in problems.items() if pk in steps}


def _moving_screen(
    request: HttpRequest, plan: Plan, row: Appointment, data: QueryDict | None
) -> MovingScreen:
    """The course with the appointment where it is going to be."""
    before = course_of(plan)
    step = before.step_of(row.pk)
    if step is None or not step.can_move:
        raise Http404
    screen = MovingScreen(before, row.location, timezone.now(), data, appointment=row)
    screen.booked_as = Visit.of_appointment(row)
    if to := read_slot(request.GET.get("to", ""), row.location, screen.names):
        row.starts_at, row.practitioner_id = to.starts_at, to.practitioner_id
        screen.was = slot_of(step)
        screen.course = course_of(plan, moving=row)
    return screen


def _shifts(data: QueryDict, screen: MovingScreen) -> list[Shift]:
    """The rows' times as they were shown, by the appointments of this course alone."""
    shifts: list[Shift] = []
    unreadable: list[int] = []
    for step in screen.movable.values():
        assert step.appointment_id is not None
        slot = screen.typed_slot(f"a{step.appointment_id}")
        if slot is None:
            unreadable.append(step.appointment_id)
        else:
            reason = data.get(f"reason-a{step.appointment_id}", "")[:300]
            shifts.append(Shift(step.appointment_id, slot.starts_at, slot.practitioner_id, reason))
    if unreadable:
        raise SomeTaken(dict.fromkeys(unreadable, _("Choose a time for this session.")))
    return shifts


def _moving_page(
    request: HttpRequest,
    plan: Plan,
    screen: MovingScreen,
    refused: ActionRefused | None = None,
) -> HttpResponse:
    posted = screen.data
    if posted is not None and (row := posted.get("do", "").partition("others:")[2]):
        screen.show_others(row, _day(posted.get(f"look-{row}", "")))
    if refused and not isinstance(refused, Refusals):
        refuse(screen.form, refused)
    wrong = refused is not None or (screen.form.is_bound and not screen.form.is_valid())
    context = _about(request, plan, screen) | {
        "form": screen.form,
        "refused": refused if isinstance(refused, Refusals) else None,
        "new_rows": [row for row in screen.rows if row.proposed and row.has_moved],
        "can_book": True,
        "is_moving": True,
        "appointment": screen.appointment,
    }
    part = "#list" if request.htmx and posted is not None else ""  # type: ignore[attr-defined]
    template = f"treatments/course.html{part}"
    return render(request, template, context, status=422 if wrong else 200)


@requires(Permission.BOOK)
@require_POST
def cancel(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """Cancel appointments of a course together: those ticked."""
    plan = _plan(request, number, plan_id)
    ids = [int(pk) for pk in request.POST.getlist("appointment") if pk.isdigit() and len(pk) < 19]
    back = redirect("courses:course", plan.patient.number, plan.pk)
    reason = request.POST.get("reason", "")
    _refuse_elsewhere(request, ids)
    try:
        rows = cancel_booked(by=staff_of(request), plan=plan, appointment_ids=ids, reason=reason)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return back
    said = ngettext(
        "%(n)s appointment is cancelled.", "%(n)s appointments are cancelled.", len(rows)
    )
    messages.success(request, said % {"n": len(rows)})
    return back


def _refuse_elsewhere(request: HttpRequest, ids: Iterable[int]) -> None:
    """Visible to whoever knows the patient; changed only where it takes place."""
    elsewhere = Appointment.objects.filter(pk__in=ids).exclude(
        location__in=staff_of(request).place_ids
    )
    if elsewhere.exists():
        raise PermissionDenied


@requires(Permission.BOOK)
@require_POST
def count(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """Count an appointment that was booked by itself as a session of the course."""
    plan = _plan(request, number, plan_id)
    wanted = request.POST.get("appointment", "")
    mine: Any = Appointment.objects.visible_to(staff_of(request)).select_related("location")
    row: Appointment = gate.fetch(request, mine, pk=wanted[:18], patient_id=plan.patient_id)
    _refuse_elsewhere(request, [row.pk])
    try:
        reason = request.POST.get("reason", "")[:300]
        visit = count_in(by=staff_of(request), plan=plan, appointment=row, reason=reason)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        said = _("The appointment is now session %(number)s of the course.")
        messages.success(request, said % {"number": visit.number})
    return redirect("courses:course", plan.patient.number, plan.pk)


@requires(Permission.SEE_DIARY)
@require_safe
def appointment(request: HttpRequest, pk: int) -> HttpResponse:
    """Which session an appointment is, and whether its course still holds; for its page."""
    mine: Any = Appointment.objects.visible_to(staff_of(request)).select_related("patient")
    row: Appointment = gate.fetch(request, mine, pk=pk)
    visit = PlannedVisit.objects.select_related("plan").filter(appointment=row).first()
    found = course_of(visit.plan) if visit else None
    step = found.step_of(pk) if found else None
    context: dict[str, Any] = {"patient": row.patient, "appointment": row}
    context |= {"course": found, "step": step}
    if found and step:
        context |= {
            "words": found.words(step),
            "following": next((s for s in found.booked if s.number == step.number + 1), None),
            "broken": [s for s in found.booked if not s.is_allowed and s.number > 1],
            "may_read": staff_of(request).may(Permission.SEE_NOTES),
            "may_move": step.can_move and row.location_id in staff_of(request).place_ids,
        }
    return render(request, "treatments/course_visit.html", context)


@requires(Permission.SEE_DIARY)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """A patient's courses for whoever books: counts and days, no content."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    plans = Plan.objects.filter(patient=patient).exclude(state=Plan.State.DRAFT)
    plans = plans.select_related("made_by").order_by("-accepted_at")[:PANEL_ROWS]
    found = courses_of(plans)
    shown = [one for one in found.values() if _is_of_interest(one)]
    context = {"patient": patient, "courses": shown}
    return render(request, "treatments/course_panel.html", context)


def _is_of_interest(one: Course) -> bool:
    """Under way, or ended with appointments that still stand."""
    return one.plan.state == Plan.State.ACCEPTED or bool(one.booked)


@requires(Permission.SEE_DIARY)
@require_safe
def plan_panel(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """How a plan's course stands, for the plan's page."""
    plan = _plan(request, number, plan_id)
    context = {"patient": plan.patient, "courses": [course_of(plan)], "is_of_plan": True}
    return render(request, "treatments/course_panel.html", context)


@requires(Permission.BOOK)
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """Courses that need booking, or cancelling; a part of Today."""
    location, now = location_of(request), timezone.now()
    ended, waiting = to_cancel(location, now), to_book(location, now)
    gate.listed(request, [one.plan.patient_id for one in (*ended, *waiting)])
    context = {"ended": ended, "waiting": waiting}
    return render(request, "treatments/course_today.html", context)


@requires(Permission.SEE_DIARY)
@require_safe
def marks(request: HttpRequest) -> JsonResponse:
    """`?appointments=1,2,3`: `3 of 6` and a title by appointment, for lists and the diary."""
    wanted = [
        pk for pk in request.GET.get("appointments", "").split(",") if pk.isascii() and pk.isdigit()
    ]
    ids = [int(pk) for pk in wanted[:MOST_MARKS] if len(pk) < 19]
    return JsonResponse(marks_of(staff_of(request), ids))
