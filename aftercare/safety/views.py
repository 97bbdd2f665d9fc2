"""Safety at a glance, and what Today says of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from aftercare.safety.models import AdverseEvent, LookBack, Recall
from clinic.access.gate import listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_id_of, staff_of, zone_of

MOST_EVENTS = 50
ON_TODAY = 5


def _events(request: HttpRequest) -> Any:
    mine = AdverseEvent.objects.at_places_of(staff_of(request))
    return mine.filter(location_id=location_id_of(request)).select_related("patient", "kind")


def with_days(events: Iterable[AdverseEvent], day: date) -> list[dict[str, Any]]:
    """Each event with what its dates mean on `day`."""
    return [
        {"event": one, "overdue": one.is_overdue(day), "too_long": one.lasts_too_long(day)}
        for one in events
    ]


@requires(Permission.CALL_EXPOSED)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What waits: open events, recalls under way; and the ways to trace and to look back."""
    staff, place = staff_of(request), location_id_of(request)
    day = timezone.localdate(timezone=zone_of(request))
    may_see = staff.may(Permission.SEE_SAFETY)
    events = list(_events(request).open()[:MOST_EVENTS]) if may_see else []
    listed(request, [event.patient_id for event in events])
    recalls = Recall.objects.visible_to(staff).open().filter(location_id=place)
    context = {
        "tab": "index",
        "may_see": may_see,
        "zone": zone_of(request),
        "rows": with_days(events, day),
        "late": sum(one.is_overdue(day) or one.lasts_too_long(day) for one in events),
        "recalls": recalls.annotate(people=Count("contacts"))[:MOST_EVENTS],
        "look_backs": LookBack.objects.visible_to(staff).filter(location_id=place)[:ON_TODAY]
        if may_see
        else [],
    }
    return render(request, "aftercare/safety_index.html", context)


@requires(Permission.SEE_SAFETY)
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """On Today: events whose follow-up is over or that last too long; or nothing."""
    day = timezone.localdate(timezone=zone_of(request))
    events = list(_events(request).overdue(day)[: ON_TODAY + 1])
    listed(request, [event.patient_id for event in events[:ON_TODAY]])
    context = {
        "rows": with_days(events[:ON_TODAY], day),
        "more": len(events) > ON_TODAY,
        "zone": zone_of(request),
    }
    return render(request, "aftercare/safety_today.html", context)


@requires(Permission.SEE_SAFETY)
@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Every event of the location, newest onset first; `before` pages on."""
    found = _events(request).order_by("-onset_at", "-pk")
    key = request.GET.get("before", "")
    rows = list(_before(found, key)[: MOST_EVENTS + 1])
    listed(request, [event.patient_id for event in rows[:MOST_EVENTS]])
    day = timezone.localdate(timezone=zone_of(request))
    last = rows[MOST_EVENTS - 1] if len(rows) > MOST_EVENTS else None
    context = {
        "tab": "events",
        "zone": zone_of(request),
        "rows": with_days(rows[:MOST_EVENTS], day),
        "first_url": "?" if key else "",
        "next_url": f"?before={last.pk}" if last else "",
    }
    return render(request, "aftercare/safety_events.html", context)


def _before(found: Any, key: str) -> Any:
    """The events behind one known by its id; a strange key starts anew."""
    if not (key.isascii() and key.isdigit() and len(key) < 12):
        return found
    last = found.filter(pk=int(key)).first()
    if last is None:
        return found
    return found.filter(onset_at__lte=last.onset_at).exclude(
        onset_at=last.onset_at, pk__gte=last.pk
    )
