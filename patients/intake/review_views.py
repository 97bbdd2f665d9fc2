"""The histories that no practitioner has read yet."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.gate import listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from patients.intake.models import History

ON_A_PAGE, ON_THE_PANEL = 50, 6
LONGEST_ID = 19


def _waiting(request: HttpRequest, location_id: int) -> QuerySet[History]:
    mine: Any = History.objects.visible_to(staff_of(request))
    found: QuerySet[History] = (
        mine.to_review().filter(patient__locations=location_id).select_related("patient")
    )
    return found


@requires(Permission.SEE_HISTORY)
@require_safe
def to_review(request: HttpRequest) -> HttpResponse:
    """All of this location, the longest waiting first; page by page by `?after=`."""
    location = location_of(request)
    waiting = _waiting(request, location.pk).order_by("pk")
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < LONGEST_ID:
        waiting = waiting.filter(pk__gt=int(after))
    rows = list(waiting[: ON_A_PAGE + 1])
    further = f"?after={rows[ON_A_PAGE - 1].pk}" if len(rows) > ON_A_PAGE else ""
    rows = rows[:ON_A_PAGE]
    listed(request, [history.patient_id for history in rows])
    context = {"rows": rows, "next_url": further, "zone": location.zone, "location": location}
    return render(request, "patients/history_to_review.html", context)


@requires(Permission.SEE_HISTORY)
@require_safe
def panel(request: HttpRequest) -> HttpResponse:
    """The newest few for Today: whoever comes soon has just sent it."""
    location = location_of(request)
    newest = list(_waiting(request, location.pk).order_by("-submitted_at")[:ON_THE_PANEL])
    listed(request, [history.patient_id for history in newest])
    context = {"rows": newest, "zone": location.zone}
    return render(request, "patients/history_to_review_panel.html", context)
