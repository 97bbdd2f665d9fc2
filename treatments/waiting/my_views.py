"""A time offered to a patient, on their own page: take it or leave it. Looking changes nothing."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.gate import fetch
from clinic.errors import ActionRefused
from clinic.web.notices import refused_notice
from patients.portal.access import by_link, patient_of, portal_context
from treatments.diary.models import Appointment
from treatments.diary.transitions import MOVABLE
from treatments.waiting import actions
from treatments.waiting.models import WaitingOffer

OTHERS_SHOWN = 3


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the patient's first page: the time that is held for them now."""
    own = WaitingOffer.objects.filter(patient=patient_of(request)).open()
    rows = own.filter(expires_at__gt=timezone.now()).select_related("appointment__location")
    context = portal_context(request, offers=[(row, _local(row.appointment)) for row in rows])
    return render(request, "treatments/my_offers_panel.html", context)


def _local(row: Appointment) -> dt.datetime:
    """As the location's clock shows it, without a zone: templates leave it alone."""
    return row.starts_at.astimezone(row.location.zone).replace(tzinfo=None)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The time, until when it is held, and the answer."""
    own = WaitingOffer.objects.filter(patient=patient_of(request))
    related = (
        "appointment__location",
        "appointment__practitioner",
        "entry__instead_of__location",
        "entry__appointment__practitioner",
    )
    row: WaitingOffer = fetch(request, own.select_related(*related), pk=pk)
    if request.method == "POST":
        with refused_notice(request):
            _answer(request, row)
        return redirect("my-offers:offer", token, row.pk)
    now, later = timezone.now(), row.entry.instead_of
    others = Appointment.objects.filter(
        patient=row.patient_id, status__in=MOVABLE, starts_at__gt=now
    ).exclude(pk__in=[row.appointment_id, later.pk if later else 0])
    context = portal_context(
        request,
        offer=row,
        visit=row.entry.appointment or row.appointment,
        place=row.appointment.location,
        starts=_local(row.appointment),
        until=row.expires_at.astimezone(row.appointment.location.zone).replace(tzinfo=None),
        is_open=row.is_open(now),
        later=_local(later) if later and later.status in MOVABLE else None,
        others=[
            _local(one)
            for one in others.select_related("location").order_by("starts_at")[:OTHERS_SHOWN]
        ],
    )
    return render(request, "treatments/my_offer.html", context)


def _answer(request: HttpRequest, row: WaitingOffer) -> None:
    said, now = request.POST.get("answer"), timezone.now()
    if said == "accept":
        actions.accept(offer=row, at=now)
        messages.success(request, _("Your visit is booked."))
    elif said in ("decline", "leave"):
        actions.decline(offer=row, at=now, leave=said == "leave")
        messages.success(request, _("Thank you for telling us."))
    else:
        raise ActionRefused(_("Choose an answer."))
