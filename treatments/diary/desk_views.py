"""What the desk does besides booking: someone who walks in, and time that is blocked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import gate
from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Device, Location, Room
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.diary import blocks
from treatments.diary.arrivals import now_at_the_desk, walk_in
from treatments.diary.day_views import asked_day
from treatments.diary.forms import BlockForm, WalkInForm, read_offer
from treatments.diary.free import Free, next_free
from treatments.diary.models import Block
from treatments.diary.slots import instant
from treatments.diary.visit import Visit

OFFERED = 3


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def walked_in(request: HttpRequest) -> HttpResponse:
    """Someone is here without an appointment: found or registered first, then booked for now."""
    location, now = location_of(request), timezone.now()
    number = request.POST.get("patient", "") or request.GET.get("patient", "")
    if not number:
        return redirect(f"{reverse('patients:search')}?for=book&walk=1")
    patient = _patient(request, number)
    data = request.POST if request.method == "POST" else None
    form = WalkInForm(data, initial={"patient": patient.number}, location=location)
    offers: list[Free] = []
    if data is not None and form.is_valid():
        try:
            made = _walked_in(request, location, patient, form.cleaned_data, now)
        except ActionRefused as refused:
            offers = _offers(location, patient, form.cleaned_data, now)
            refuse(form, refused)
        else:
            at = made.starts_at.astimezone(location.zone)
            said = _("Booked for %(time)s with %(who)s in %(room)s, and arrived.")
            who = {"who": made.practitioner.name, "room": made.room.name}
            messages.success(request, said % {"time": f"{at:%H:%M}", **who})
            return redirect(f"{reverse('diary:day')}?date={at:%Y-%m-%d}#a{made.pk}")
    context = {"form": form, "patient": patient, "offers": offers, "location": location}
    context |= {"today": timezone.localdate(timezone=location.zone)}
    status = 200 if data is None else 422
    return render(request, "treatments/appointment_walk_in.html", context, status=status)


def _patient(request: HttpRequest, number: str) -> Patient:
    digits = number[1:]
    visible = Patient.objects.visible_to(staff_of(request))
    pk = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 13 else 0
    return gate.fetch(request, visible, pk=pk)


def _walked_in(
    request: HttpRequest,
    location: Location,
    patient: Patient,
    values: dict[str, Any],
    now: datetime,
) -> Any:
    starts_at, practitioner = now_at_the_desk(now), values["practitioner"]
    if (offer := read_offer(request.POST.get("offer", ""))) is not None:
        day, clock, who = offer
        moment = datetime.fromisoformat(f"{day}T{clock}")
        starts_at = instant(moment.date(), moment.time(), location.zone)
        practitioner = int(who) if who.isdigit() and len(who) < 18 else None
    return walk_in(
        by=staff_of(request),
        location=location,
        patient=patient,
        service=values["service"],
        practitioner=practitioner,
        starts_at=starts_at,
        idempotency_key=values["key"],
        at=now,
    )


def _offers(
    location: Location, patient: Patient, values: dict[str, Any], now: datetime
) -> list[Free]:
    """The next free times of today; tomorrow is not a walk-in."""
    today = timezone.localdate(now, location.zone)
    found = next_free(
        OFFERED,
        location=location,
        day=today,
        visit=Visit.of_service(values["service"]),
        after=now,
        practitioner_id=values["practitioner"],
        patient_id=patient.pk,
    )
    return [one for one in found if one.start.date() == today]


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def block(request: HttpRequest) -> HttpResponse:
    """Keep bookings out of some hours; whoever is booked in them is listed first."""
    location = location_of(request)
    data = request.POST if request.method == "POST" else None
    form = BlockForm(data, initial=_asked(request, location), location=location)
    stranded: list[Any] = []
    if data is not None and form.is_valid():
        try:
            made = _blocked(request, location, form.cleaned_data)
        except blocks.Stranding as strands:
            stranded = _shown(request, location, strands)
        except ActionRefused as refused:
            form.add_error("ends" if refused.field == "ends_at" else None, refused.message)
        else:
            day = made.starts_at.astimezone(location.zone).date()
            messages.success(request, _("The time is blocked."))
            return redirect(f"{reverse('diary:day')}?date={day.isoformat()}")
    context = {"form": form, "stranded": stranded, "location": location}
    status = 200 if data is None else 422
    return render(request, "treatments/block.html", context, status=status)


def _shown(request: HttpRequest, location: Location, strands: blocks.Stranding) -> list[Any]:
    """The appointments in the way, with their times on the location's clock."""
    gate.listed(request, [row.patient_id for row in strands.appointments])
    zone = location.zone
    return [
        (row, row.starts_at.astimezone(zone).replace(tzinfo=None)) for row in strands.appointments
    ]


def _asked(request: HttpRequest, location: Location) -> dict[str, Any]:
    """The form as the address asks for it: what was selected in the calendar."""
    given = request.GET
    what = next((f"{k}-{given[n]}" for n, k in COLUMNS.items() if given.get(n)), "")
    times = {name: given[name] for name in ("starts", "ends") if given.get(name)}
    return {"date": asked_day(given.get("date", ""), location), "what": what} | times


COLUMNS = {"practitioner": "staff", "room": "room"}


def _blocked(request: HttpRequest, location: Location, values: dict[str, Any]) -> Block:
    here = {"location": location}
    staff, room, device = values["staff"], values["room"], values["device"]
    return blocks.block(
        by=staff_of(request),
        location=location,
        starts_at=values["starts_at"],
        ends_at=values["ends_at"],
        staff=Staff.objects.get(pk=staff, memberships__location=location) if staff else None,
        room=Room.objects.get(pk=room, **here) if room else None,
        device=Device.objects.get(pk=device, **here) if device else None,
        reason=values["reason"],
        although_booked=request.POST.get("anyway") == "1",
    )


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def unblock(request: HttpRequest, pk: int) -> HttpResponse:
    """A block, and giving its time back. Leave and the like are for whoever manages the clinic."""
    visible = Block.objects.visible_to(staff_of(request)).select_related(
        "staff", "room", "device", "location", "made_by"
    )
    row = gate.fetch(request, visible, pk=pk)
    may = row.kind == Block.Kind.PAUSE or staff_of(request).may(Permission.MANAGE_CLINIC)
    day: date = row.starts_at.astimezone(row.location.zone).date()
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        blocks.unblock(by=staff_of(request), block=row)
        messages.success(request, _("The time is free again."))
        return redirect(f"{reverse('diary:day')}?date={day.isoformat()}")
    zone = row.location.zone
    context = {"row": row, "may": may, "day": day} | {
        name: moment.astimezone(zone).replace(tzinfo=None)
        for name, moment in (("starts", row.starts_at), ("ends", row.ends_at))
    }
    return render(request, "treatments/block_detail.html", context)
