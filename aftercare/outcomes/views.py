"""Outcomes: one course of a patient on one page, and results by protocol on the clinic's data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from aftercare.outcomes.actions import summarise_course
from aftercare.outcomes.cases import Gathered, gather
from aftercare.outcomes.courses import course_of, plans_of
from aftercare.outcomes.models import CourseSummary
from aftercare.outcomes.plots import HEIGHT as STRIP_HEIGHT
from aftercare.outcomes.plots import WIDTH as STRIP_WIDTH
from aftercare.outcomes.results import result_of
from aftercare.watch.models import rules_of
from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_id_of, staff_of
from clinic.places.models import Location
from clinic.web.notices import refused_notice
from patients.documents.views import state_of
from patients.photos.models import Photo
from patients.registry.models import Patient
from treatments.plans.models import Plan
from treatments.scales.history import HEIGHT, MARGIN, WIDTH

YEAR = timedelta(days=365)
PERIODS = {"1": YEAR, "2": 2 * YEAR, "5": 5 * YEAR, "all": None}
USUAL_PERIOD = "2"
SUMMARIES_SHOWN = 3


@requires(Permission.SEE_NOTES)
@require_safe
def course(request: HttpRequest, number: int) -> HttpResponse:
    """Scales, the patient's own score, photos and events over a course; `?plan=` chooses it."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    plans = plans_of(patient)
    wanted = request.GET.get("plan", "")
    plan = next((one for one in plans if str(one.pk) == wanted), next(iter(plans), None))
    photos = None
    if staff_of(request).may(Permission.SEE_PHOTOS):
        photos = Photo.objects.of_file(patient.pk).shown()
    zone = plan.location.zone if plan else None
    context = {
        "patient": patient,
        "plans": plans,
        "plan": plan,
        "course": course_of(patient, plan, photos) if plan else None,
        "states": _summaries(request, plan) if plan else [],
        "zone": zone,
        "today": timezone.localdate(timezone=zone),
        "width": WIDTH,
        "height": HEIGHT,
        "floor": HEIGHT - MARGIN,
        "ceiling": MARGIN,
    }
    return render(request, "aftercare/outcome_course.html", context)


def _summaries(request: HttpRequest, plan: Plan) -> list[dict[str, object]]:
    """Where the last summaries of a course stand."""
    rows = (
        CourseSummary.objects.filter(plan=plan)
        .select_related("document__patient")
        .defer("document__html")
        .order_by("-pk")[:SUMMARIES_SHOWN]
    )
    return [state_of(request, row.document) for row in rows]


@requires(Permission.SEE_NOTES)
@require_POST
def summarise(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """Ask for a course as a PDF; its page says where that stands."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    plan = next((one for one in plans_of(patient) if one.pk == plan_id), None)
    if plan is None:
        raise Http404
    with refused_notice(request):
        summarise_course(by=staff_of(request), patient=patient, plan=plan)
        messages.success(request, _("The summary is being made into a PDF."))
    back = reverse("outcomes:course", args=[patient.number])
    return redirect(f"{back}?plan={plan.pk}#printed")


def _gathered(request: HttpRequest) -> tuple[Gathered, dict[str, Any]]:
    """The courses that the page counts, and what it says of the choice."""
    place = Location.objects.select_related("watch_rules").get(pk=location_id_of(request))
    everywhere = "everywhere" in request.GET
    places = staff_of(request).place_ids if everywhere else [place.pk]
    asked = request.GET.get("years", "")
    period = asked if asked in PERIODS else USUAL_PERIOD
    at = timezone.now()
    found = gather(places, _since(period, at), at)
    return found, {
        "place": place,
        "everywhere": everywhere,
        "several": len(staff_of(request).place_ids) > 1,
        "period": period,
        "periods": _period_words(),
        "least": rules_of(place).least_patients,
        "cut": found.cut,
    }


def _since(period: str, at: datetime) -> datetime | None:
    length = PERIODS[period]
    return at - length if length else None


def _period_words() -> list[tuple[str, str]]:
    return [
        ("1", _("1 year")),
        ("2", _("2 years")),
        ("5", _("5 years")),
        ("all", _("from the beginning")),
    ]


@requires(Permission.SEE_SAFETY)
@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Every protocol with what it came to here, and what is too little to show."""
    found, context = _gathered(request)
    rows = [
        result_of(group, found.cases[key], found.scales, context["least"])
        for key, group in found.groups.items()
    ]
    rows.sort(key=lambda row: (not row.shown, -row.courses, row.group.name))
    shown, hidden = [row for row in rows if row.shown], [row for row in rows if not row.shown]
    context |= {"rows": shown, "hidden": hidden}
    return render(request, "aftercare/outcome_results.html", context)


@requires(Permission.SEE_SAFETY)
@require_safe
def result(request: HttpRequest, key: str) -> HttpResponse:
    """One protocol: change by scale, the patients' own score, how courses ended, what happened."""
    found, context = _gathered(request)
    if key not in found.groups:
        raise Http404
    row = result_of(found.groups[key], found.cases[key], found.scales, context["least"])
    context |= {"row": row, "width": STRIP_WIDTH, "height": STRIP_HEIGHT}
    return render(request, "aftercare/outcome_result.html", context)
