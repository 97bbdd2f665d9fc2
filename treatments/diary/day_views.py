"""The page of the diary, its refresh, and taking the last change back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic.access import gate
from clinic.access.permissions import Permission, Role, requires
from clinic.access.request import location_id_of, location_of, staff_of, zone_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from treatments.diary.board import BY_PRACTITIONER, BY_ROOM, Board, closed_words
from treatments.diary.ground import Ground, ground_of, stamp_of
from treatments.diary.lines import badges, day_lines
from treatments.diary.replies import answered, back, own_appointment, wants_json
from treatments.diary.slots import Span, midnight
from treatments.diary.undo import read_token
from treatments.diary.undo import undo as undo_it

VIEWS = ("day", "week", "list")
LONGEST_LOOK = 7


@requires(Permission.SEE_DIARY)
@require_GET
def diary(request: HttpRequest) -> HttpResponse:
    """The diary of a location: `?date=YYYY-MM-DD&view=day|week|list&by=practitioner|room`.

    Asked for JSON, the calendar's data alone: it refreshes itself when others change the day.
    """
    location = location_of(request)
    day, view = asked_day(request.GET.get("date", ""), location), request.GET.get("view", "day")
    if view not in VIEWS:
        view = "day"
    by = BY_ROOM if request.GET.get("by") == BY_ROOM and view == "day" else BY_PRACTITIONER
    first = day - timedelta(days=day.weekday()) if view == "week" else day
    days = 7 if view == "week" else 1
    span = _span(location, first, days)
    ground = ground_of(location, first, span)
    lines = day_lines(location.pk, span, location.zone)
    gate.listed(request, [line.patient_id for line in lines])
    context = _frame(request, location, day, view, by) | {
        "stamp": ground.stamp,
        "watched": first,
        "given_up": [line for line in lines if not line.is_live],
        "here_url": request.get_full_path(),
    }
    if view == "list":
        context |= _list(location, day, ground, lines)
        return render(request, "treatments/diary_list.html", context)
    context["board"] = Board(location, first, days, by, ground, lines, timezone.now()).as_json()
    if wants_json(request):
        return HttpResponse(context["board"], content_type="application/json")
    return render(request, "treatments/diary_calendar.html", context)


def asked_day(text: str, location: Location) -> date:
    """The day asked for, else today at the location."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return timezone.localdate(timezone=location.zone)
    return day if 2000 <= day.year <= 2100 else timezone.localdate(timezone=location.zone)


def _span(location: Location, first: date, days: int) -> Span:
    last = first + timedelta(days=days)
    return Span(midnight(first, location.zone), midnight(last, location.zone))


def _frame(
    request: HttpRequest, location: Location, day: date, view: str, by: str
) -> dict[str, Any]:
    base = reverse("diary:day")
    room = f"&by={BY_ROOM}" if by == BY_ROOM else ""

    def there(to: date, kind: str = view, columns: str = room) -> str:
        return f"{base}?date={to.isoformat()}&view={kind}{columns if kind == 'day' else ''}"

    today, step = timezone.localdate(timezone=location.zone), 7 if view == "week" else 1
    me = staff_of(request)
    return {
        "location": location,
        "day": day,
        "today": today,
        "view": view,
        "by": by,
        "me": me.pk if me.role == Role.PRACTITIONER else "",
        "previous_url": there(day - timedelta(days=step)),
        "next_url": there(day + timedelta(days=step)),
        "today_url": there(today),
        "view_urls": {kind: there(day, kind) for kind in VIEWS},
        "by_urls": {kind: there(day, "day", c) for kind, c in _columns().items()},
    }


def _columns() -> dict[str, str]:
    return {BY_PRACTITIONER: "", BY_ROOM: f"&by={BY_ROOM}"}


def _list(location: Location, day: date, ground: Ground, lines: list[Any]) -> dict[str, Any]:
    marks = badges()
    return {
        "rows": [(line, marks[line.status]) for line in lines],
        "blocks": ground.blocks,
        "closed": closed_words(location, ground, day),
    }


@requires(Permission.SEE_DIARY)
@require_GET
def stamp(request: HttpRequest) -> HttpResponse:
    """The stamp of some days: `?date=YYYY-MM-DD&days=1`. Asked every few seconds; shows nobody."""
    zone, pk = zone_of(request), location_id_of(request)
    try:
        first = date.fromisoformat(request.GET.get("date", ""))
        days = min(max(int(request.GET.get("days", "1")), 1), LONGEST_LOOK)
        span = Span(midnight(first, zone), midnight(first + timedelta(days=days), zone))
    except (ValueError, OverflowError):
        return JsonResponse({"stamp": ""}, status=400)
    return JsonResponse({"stamp": stamp_of(pk, span)})


@requires(Permission.BOOK)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what a signed token tells; back to the page one was on."""
    try:
        told = read_token(request.POST.get("undo", ""))
    except ActionRefused as refused:
        return answered(request, refused=refused.message, go=back(request))
    row = own_appointment(request, told["pk"])
    try:
        undo_it(by=staff_of(request), appointment=row, told=told)
    except ActionRefused as refused:
        return answered(request, refused=refused.message, go=back(request, row))
    return answered(request, said=_("Undone."), go=back(request, row))
