"""Freed times and their takers: the desk phones and books, or sends an offer that is held."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic.access import gate
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.notices import refused_notice
from treatments.diary.forms import read_offer, service_name
from treatments.diary.models import FreedTime
from treatments.diary.slots import NoSuchTimeError, Span, instant
from treatments.waiting import actions
from treatments.waiting.forms import TimeForm
from treatments.waiting.freed import MOST_READ, matches_of, time_of, waiting_at
from treatments.waiting.matching import Match, Time, matches
from treatments.waiting.models import WaitingOffer
from treatments.waiting.views import writable_entry
from treatments.waiting.words import wishes

MOST_FREED = 5
MOST_OFFERS = 8


@requires(Permission.SEE_DIARY)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """On Today and the diary: freed times that someone waits for, and the offers that are out."""
    location, now = location_of(request), timezone.now()
    freed = FreedTime.objects.filter(location=location).open(now).still_free()
    rows = matches_of(freed.select_related("practitioner")[:MOST_FREED], location, now)
    out = WaitingOffer.objects.open().filter(entry__location=location).order_by("expires_at", "pk")
    offers = list(out.select_related("patient", "appointment__practitioner")[:MOST_OFFERS])
    gate.listed(request, [offer.patient_id for offer in offers])
    context = {
        "freed": [(time, len(found)) for time, found in rows if found],
        "offers": offers,
        "zone": location.zone,
        "may_book": staff_of(request).may(Permission.BOOK),
    }
    return render(request, "treatments/waiting_today.html", context)


@requires(Permission.SEE_DIARY)
@require_GET
def takers(request: HttpRequest) -> HttpResponse:
    """Who waits for a free time that the desk names: `?date=&time=&minutes=&practitioner=`."""
    location = location_of(request)
    form = TimeForm(request.GET or None, location=location)
    time = None
    if request.GET and form.is_valid():
        values = form.cleaned_data
        try:
            start = instant(values["date"], values["time"], location.zone)
        except NoSuchTimeError:
            form.add_error("time", _("The clocks skip this time on that day."))
        else:
            end = start + dt.timedelta(minutes=values["minutes"])
            time = Time(Span(start, end), values["practitioner"].pk, location.zone)
    return _takers(request, location, time, {"form": form})


@requires(Permission.SEE_DIARY)
@require_GET
def freed_time(request: HttpRequest, pk: int) -> HttpResponse:
    """Who waits for a time that has come free, and what became of its offers."""
    row = gate.fetch(
        request,
        FreedTime.objects.visible_to(staff_of(request)).select_related("location", "practitioner"),
        pk=pk,
    )
    offers = row.offers.select_related("patient", "appointment__practitioner", "sent_by")
    still = FreedTime.objects.filter(pk=row.pk).open(timezone.now()).still_free().exists()
    time = time_of(row, row.location.zone) if still else None
    more = {"freed": row, "offers": offers, "still_free": still}
    return _takers(request, row.location, time, more)


def _takers(
    request: HttpRequest, location: Location, time: Time | None, more: dict[str, Any]
) -> HttpResponse:
    now = timezone.now()
    waiting = waiting_at(location).visible_to(staff_of(request))
    found = matches(waiting[:MOST_READ], time, now) if time else []
    gate.listed(request, [match.entry.patient_id for match in found])
    context = {
        "location": location,
        "zone": location.zone,
        "time": time,
        "found": [_row(match, time, location) for match in found] if time else [],
        "key": uuid.uuid4(),
        "may_book": staff_of(request).may(Permission.BOOK),
        **more,
    }
    return render(request, "treatments/waiting_takers.html", context)


def _row(match: Match, time: Time, location: Location) -> dict[str, Any]:
    local = match.starts_at.astimezone(location.zone)
    return {
        "entry": match.entry,
        "service": service_name(match.entry.service),
        "wishes": wishes(match.entry),
        "clock": f"{local:%H:%M}",
        "value": f"{local:%Y-%m-%dT%H:%M}|{time.practitioner_id}",
    }


def _asked(request: HttpRequest, location: Location) -> tuple[dt.datetime, int]:
    """The time and practitioner of the button pressed. Raises `ActionRefused` for anything else."""
    offer = read_offer(request.POST.get("time", ""))
    if offer is not None and offer[2].isascii() and offer[2].isdigit() and len(offer[2]) < 16:
        day, clock, who = offer
        try:
            start = instant(dt.date.fromisoformat(day), dt.time.fromisoformat(clock), location.zone)
        except NoSuchTimeError:
            raise ActionRefused(_("The clocks skip this time on that day.")) from None
        return start, int(who)
    raise ActionRefused(_("Choose from the list."))


def _freed_asked(request: HttpRequest) -> FreedTime | None:
    pk = request.POST.get("freed", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 16):
        return None
    return FreedTime.objects.visible_to(staff_of(request)).filter(pk=int(pk)).first()


@requires(Permission.BOOK)
@require_POST
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """They were phoned and take it."""
    row = writable_entry(request, pk)
    try:
        starts_at, who = _asked(request, row.location)
        made = actions.book_waiting(
            by=staff_of(request),
            entry=row,
            starts_at=starts_at,
            practitioner=who,
            at=timezone.now(),
            key=_key(request),
            freed=_freed_asked(request),
        )
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("waiting:entry", row.pk)
    messages.success(request, _("Booked, and off the waiting list."))
    return redirect("diary:appointment", made.pk)


def _key(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None


@requires(Permission.BOOK)
@require_POST
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the offer of a time, and hold it."""
    row = writable_entry(request, pk)
    with refused_notice(request):
        starts_at, who = _asked(request, row.location)
        made = actions.offer_time(
            by=staff_of(request),
            entry=row,
            starts_at=starts_at,
            practitioner=who,
            at=timezone.now(),
            freed=_freed_asked(request),
        )
        until = made.expires_at.astimezone(row.location.zone)
        messages.success(
            request, _("Offered. The time is held until %(time)s.") % {"time": f"{until:%H:%M}"}
        )
    return redirect("waiting:entry", row.pk)


def _offer(request: HttpRequest, pk: int) -> WaitingOffer:
    visible = WaitingOffer.objects.visible_to(staff_of(request)).select_related("entry__location")
    row: WaitingOffer = gate.fetch(request, visible, pk=pk)
    if row.entry.location_id not in staff_of(request).place_ids:
        raise PermissionDenied
    return row


@requires(Permission.BOOK)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """What the patient said on the phone: `accepted`, `declined`; or `taken_back` by the desk."""
    row = _offer(request, pk)
    with refused_notice(request):
        messages.success(request, _answered(request, row))
    return redirect("waiting:entry", row.entry_id)


def _answered(request: HttpRequest, row: WaitingOffer) -> str:
    """Carry the answer out, and say what happened. Raises `ActionRefused`."""
    me, now, said = staff_of(request), timezone.now(), request.POST.get("answer", "")
    if said == WaitingOffer.Answer.ACCEPTED:
        actions.accept(offer=row, at=now, by=me)
        return _("Booked, and off the waiting list.")
    if said == WaitingOffer.Answer.DECLINED:
        actions.decline(offer=row, at=now, by=me)
    elif said == WaitingOffer.Answer.TAKEN_BACK:
        actions.take_back(by=me, offer=row, at=now)
    else:
        raise ActionRefused(_("Choose from the list."))
    return _("Noted. The time is free again.")


@requires(Permission.BOOK)
@require_POST
def leave_free(request: HttpRequest, pk: int) -> HttpResponse:
    """Nobody is to be asked for this time."""
    visible = FreedTime.objects.visible_to(staff_of(request))
    row = gate.fetch(request, visible, pk=pk)
    actions.leave_free(by=staff_of(request), freed=row, at=timezone.now())
    return redirect("diary:today")
