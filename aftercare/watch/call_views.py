"""The call list: who must be called, who has stayed silent, and what came of calling."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aftercare.watch.calls import (
    call_for_silence,
    give_back,
    may_take_over,
    note_attempt,
    take_call,
)
from aftercare.watch.forms import CallForm
from aftercare.watch.models import Call, CheckIn, rules_of
from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_id_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice

MOST_CALLS = 50
OF_A_CALL = (
    "patient",
    "check_in__session",
    "check_in__photo",
    "check_in__message",
    "taken_by",
    "location",
)


def _list(request: HttpRequest, last: str = "") -> dict[str, Any]:
    """The calls of all one's locations, or of the one asked for: the first of them, or those behind
    the call `last`, and how many there are and are overdue; each location with its number of calls.
    """
    at, staff = timezone.now(), staff_of(request)
    all_mine = Call.objects.visible_to(staff).filter(location_id__in=staff.place_ids)
    mine = all_mine.waiting()
    places = list(
        mine.order_by("location__name", "location")
        .values_list("location", "location__name")
        .annotate(n=Count("pk"), late=Count("pk", filter=Q(due_at__lte=at)))
    )
    chosen = _chosen(request)
    waiting = mine.filter(location_id=chosen) if chosen else mine
    before = all_mine.filter(pk=last).first() if last.isdecimal() else None
    if before:
        waiting = waiting.after(before)
    waiting = waiting.select_related(*OF_A_CALL).prefetch_related("attempts")
    calls = list(waiting[: MOST_CALLS + 1])
    for call in calls:
        call.late = call.is_overdue(at)  # type: ignore[attr-defined]
    return {
        "calls": calls[:MOST_CALLS],
        "more": len(calls) > MOST_CALLS,
        "is_behind": before is not None,
        "late": sum(late for pk, _name, _n, late in places if chosen in (0, pk)),
        "places": [(pk, name, n) for pk, name, n, _late in places],
        "place": chosen,
        "name_places": len(staff.place_ids) > 1,
        "now": at,
        "me": staff,
    }


def _chosen(request: HttpRequest) -> int:
    """The one of one's locations that `place` names; 0 for all."""
    asked = request.GET.get("place", "")
    return next((pk for pk in staff_of(request).place_ids if str(pk) == asked), 0)


@requires(Permission.WORK_WATCH)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """On Today: who must be called, red first. The page asks again each minute, and is told only
    of what has changed.
    """
    context = _list(request)
    seen = _fingerprint(context["calls"])
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    listed(request, [call.patient_id for call in context["calls"]])
    return render(request, "aftercare/watch_today.html", context | {"seen": seen})


def _fingerprint(calls: list[Call]) -> str:
    """The same as long as the list would look the same."""
    rows = [(c.pk, c.taken_by_id, c.due_at.isoformat(), c.late) for c in calls]  # type: ignore[attr-defined]
    return sha256(repr(rows).encode()).hexdigest()[:16]


@requires(Permission.WORK_WATCH)
@require_GET
def alarm(request: HttpRequest) -> HttpResponse:
    """On every open page: red flags that nobody has taken, at any of one's locations.

    Asked again each minute, and told only of what has changed. Today says nothing of them: it lists
    them itself, and asks for its list each minute.
    """
    waiting = Call.objects.alarming().filter(location_id__in=staff_of(request).place_ids)
    if _is_today(request):
        waiting = waiting.none()
    found = list(waiting.select_related("location").order_by("pk")[:MOST_CALLS])
    seen = _seen(found)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    context = {"calls": found, "first": next(iter(found), None), "seen": seen}
    return render(request, "aftercare/watch_alarm.html", context)


def _seen(alarming: Iterable[Call]) -> str:
    """The same as long as the same calls alarm."""
    return sha256(repr(sorted(call.pk for call in alarming)).encode()).hexdigest()[:16]


def _is_today(request: HttpRequest) -> bool:
    page = getattr(request, "htmx").current_url_abs_path or ""  # noqa: B009
    return page.partition("?")[0] == reverse("diary:today")


@requires(Permission.WORK_WATCH)
@require_GET
def safety(request: HttpRequest) -> HttpResponse:
    """The calls of all one's locations, or of `place`, from the first or behind the call `after`;
    who has stayed silent there, or here, the newest or those before the check-in `silent`.

    The page does not ask for its list again, so the alarm speaks on it as soon as others alarm than
    those it lists; at once where it does not list all.
    """
    context = _list(request, request.GET.get("after", ""))
    place = _place(context["place"] or location_id_of(request))
    context |= _silent(request, place, context["now"])
    seen = [*context["calls"], *context["silent"]]
    listed(request, [row.patient_id for row in seen])
    context |= {
        "previous_url": _page(context["place"]) if context["is_behind"] else "",
        "next_url": _page(context["place"], after=context["calls"][-1]) if context["more"] else "",
        "alarm_seen": "" if context["place"] else _seen(filter(Call.is_alarming, context["calls"])),
    }
    return render(request, "aftercare/safety.html", context)


def _silent(request: HttpRequest, place: Location, at: datetime) -> dict[str, Any]:
    """Who has stayed silent at a location: one page of them, and where the others are."""
    there = CheckIn.objects.visible_to(staff_of(request)).filter(session__location=place)
    key = request.GET.get("silent", "")
    last = there.filter(pk=key).first() if key.isdecimal() else None
    silent = there.silent(at, rules_of(place).silent_hours)
    if last:
        silent = silent.before(last)
    rows = list(silent.select_related("patient", "message")[: MOST_CALLS + 1])
    more = len(rows) > MOST_CALLS
    chosen = _chosen(request)
    return {
        "silent": rows[:MOST_CALLS],
        "silent_at": place.name,
        "silent_first": _page(chosen) if last else "",
        "silent_next": _page(chosen, silent=rows[MOST_CALLS - 1]) if more else "",
    }


def _page(place: int, **behind: Call | CheckIn) -> str:
    """The address of the lists from their start, or of what stands behind a row of one."""
    chosen = {"place": place} if place else {}
    return "?" + urlencode(chosen | {name: row.pk for name, row in behind.items()})


def _place(pk: int) -> Location:
    return Location.objects.select_related("watch_rules").get(pk=pk)


def _call(request: HttpRequest, pk: int) -> Call:
    visible = Call.objects.visible_to(staff_of(request)).filter(
        location_id__in=staff_of(request).place_ids
    )
    rows = visible.select_related(*OF_A_CALL, "location__watch_rules", "done_by")
    row: Call = fetch(request, rows, pk=pk)
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
@require_POST
def return_call(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else may take it."""
    call = _call(request, pk)
    with refused_notice(request):
        give_back(by=staff_of(request), call=call)
    return redirect("watch:safety")


@requires(Permission.WORK_WATCH)
@require_POST
def call_silent(request: HttpRequest, pk: int) -> HttpResponse:
    """Put somebody who does not answer on the call list."""
    visible = CheckIn.objects.visible_to(staff_of(request)).filter(
        session__location__in=staff_of(request).place_ids
    )
    check_in = fetch(request, visible.select_related("patient"), pk=pk)
    try:
        call = call_for_silence(by=staff_of(request), check_in=check_in, at=timezone.now())
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("watch:safety")
    return redirect("watch:call", call.pk)


@requires(Permission.WORK_WATCH)
@require_http_methods(["GET", "POST"])
def call(request: HttpRequest, pk: int) -> HttpResponse:
    """One call: what the patient said, after what treatment, and what came of it."""
    row, at = _call(request, pk), timezone.now()
    form = CallForm(request.POST or None, zone=row.location.zone)
    if request.method == "POST" and form.is_valid():
        try:
            done = note_attempt(by=staff_of(request), call=row, at=at, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _said(done))
            return redirect("watch:safety")
    context = {
        "call": row,
        "patient": row.patient,
        "form": form,
        "attempts": row.attempts.select_related("by"),
        "alerts": row.alerts.select_related("message__staff").defer("message__body"),
        "mine": row.taken_by_id == staff_of(request).pk,
        "may_take_over": may_take_over(row, at),
        "late": row.is_overdue(at),
        "today": timezone.localdate(timezone=row.location.zone),
        "zone": row.location.zone,
    }
    return render(request, "aftercare/call.html", context, status=422 if form.errors else 200)


def _said(call: Call) -> str:
    return _("The call is done.") if call.done_at else _("Noted. The call is due again.")
