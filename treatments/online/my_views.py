"""A patient's own visits by link: book, move, cancel. Looking changes nothing."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.portal.access import by_link, patient_of, portal_context
from patients.registry.models import Patient
from treatments.diary.candidates import Taken
from treatments.diary.forms import read_offer, service_name
from treatments.diary.invitation import calendar_of
from treatments.diary.models import Appointment, Service
from treatments.diary.slots import NoSuchTimeError, instant
from treatments.diary.transitions import MOVABLE
from treatments.online import actions
from treatments.online.forms import CodeForm, VisitForm, channels_of, hidden, read_week
from treatments.online.models import VisitRequest
from treatments.online.rules import may_change, window
from treatments.online.weeks import WEEK, first_free, week_of

SHOWN = 10


def _places(patient: Patient) -> list[Location]:
    """Where the patient is known and may book by link; where they were registered first, first."""
    found = Location.objects.filter(registrations__patient=patient, online_booking=True)
    return list(found.order_by("registrations__pk"))


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the patient's first page: the visits to come, and the way to a new one."""
    patient, now = patient_of(request), timezone.now()
    own = Appointment.objects.filter(patient=patient, status__in=MOVABLE, starts_at__gt=now)
    rows = own.select_related("location", "practitioner").order_by("starts_at")[:SHOWN]
    services = Service.objects.filter(is_active=True, is_online=True).exists()
    context = portal_context(
        request,
        visits=[(row, _local(row)) for row in rows],
        may_book=services and bool(_places(patient)),
    )
    return render(request, "treatments/my_visits_panel.html", context)


def _local(row: Appointment) -> dt.datetime:
    """As the location's clock shows it, without a zone: templates leave it alone."""
    return row.starts_at.astimezone(row.location.zone).replace(tzinfo=None)


def _own_visit(request: HttpRequest, pk: int) -> Appointment:
    """One of the patient's own, not one that is only held; anyone else's is not there."""
    own = Appointment.objects.filter(patient=patient_of(request)).exclude(
        status=Appointment.Status.HELD
    )
    related = ("location__country", "practitioner", "service", "patient")
    row: Appointment = fetch(request, own.select_related(*related), pk=pk)
    return row


@by_link
@require_safe
def visit(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """One visit: when, where, with whom, and what can be changed."""
    row, now = _own_visit(request, pk), timezone.now()
    context = portal_context(
        request,
        visit=row,
        service=service_name(row.service),
        place=row.location,
        starts=_local(row),
        to_come=row.status in MOVABLE and row.starts_at > now,
        may_change=may_change(row, row.location, now),
    )
    return render(request, "treatments/my_visit.html", context)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, token: str) -> HttpResponse:
    """What for and with whom; then the times are shown."""
    patient, sent = patient_of(request), request.POST if request.method == "POST" else None
    places = _places(patient)
    form = VisitForm(sent, places=places)
    if sent is not None and form.is_valid():
        try:
            made = actions.ask_for_visit(patient=patient, at=timezone.now(), **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("my-visits:times", token, made.public_id)
    offered = bool(places) and bool(form.fields["service"].queryset)  # type: ignore[attr-defined]
    context = portal_context(request, form=form, offered=offered)
    return render(
        request, "treatments/my_visit_book.html", context, status=422 if form.errors else 200
    )


@by_link
@require_POST
def move(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """Another time for one's own visit: the times are shown."""
    row = _own_visit(request, pk)
    try:
        made = actions.ask_to_move(appointment=row, at=timezone.now())
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("my-visits:visit", token, row.pk)
    return redirect("my-visits:times", token, made.public_id)


@by_link
@require_POST
def cancel(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """Cancel one's own visit."""
    row = _own_visit(request, pk)
    with refused_notice(request):
        actions.cancel_own(appointment=row, at=timezone.now())
        messages.success(request, _("Your visit is cancelled."))
    return redirect("my-visits:visit", token, row.pk)


@by_link
@require_safe
def calendar(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The visit for the patient's own calendar: the entry that its messages carry, too."""
    row = _own_visit(request, pk)
    made = calendar_of([row], row.location, patient_of(request).house_language, timezone.now())
    response = HttpResponse(made, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return response


def _own_request(request: HttpRequest, public_id: UUID) -> VisitRequest:
    own = VisitRequest.objects.filter(patient=patient_of(request)).usable(timezone.now())
    related = ("location__country", "patient", "service", "practitioner", "code", "moves__service")
    row: VisitRequest = fetch(request, own.select_related(*related), public_id=public_id)
    return row


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def times(request: HttpRequest, token: str, public_id: UUID) -> HttpResponse:
    """The free times of a week; one is chosen, or any practitioner will do."""
    row = _own_request(request, public_id)
    if row.appointment_id is not None:
        return redirect("my-visits:visit", token, row.appointment_id)
    if request.method == "POST":
        return _chosen(request, token, row)
    now, zone = timezone.now(), row.location.zone
    today = timezone.localdate(now, zone)
    first = read_week(request.GET.get("from", _around(row)), today)
    days = week_of(row, first, now)
    last = window(row.location, now).end.astimezone(zone).date()
    empty = not any(day.count for day in days)
    context = portal_context(
        request,
        row=row,
        service=service_name(row.service),
        days=days,
        open_day=next((day.day for day in days if day.count), None),
        before=max(today, first - dt.timedelta(days=WEEK)) if first > today else None,
        after=first + dt.timedelta(days=WEEK) if first + dt.timedelta(days=WEEK) <= last else None,
        elsewhere=first_free(row, first, now) if empty else None,
        place=row.location,
    )
    return render(request, "treatments/my_visit_times.html", context)


def _around(row: VisitRequest) -> str:
    """The day of the time chosen before, or of the visit that is moved; nothing for a new one."""
    known = row.starts_at or (row.moves.starts_at if row.moves else None)
    return known.astimezone(row.location.zone).date().isoformat() if known else ""


def _chosen(request: HttpRequest, token: str, row: VisitRequest) -> HttpResponse:
    """On to the code; back to the times with what was refused, or with anyone's times."""
    there = "my-visits:times"
    with refused_notice(request):
        if request.POST.get("who") == "any":
            actions.take_anyone(request=row)
        else:
            _choose(request, row)
            there = "my-visits:confirm"
    return redirect(there, token, row.public_id)


def _choose(request: HttpRequest, row: VisitRequest) -> None:
    """Note the time of the button pressed, and send the code if one is needed."""
    starts_at = _asked(request, row.location)
    fresh = actions.choose_time(request=row, starts_at=starts_at, at=timezone.now())
    if not actions.is_confirmed(fresh, timezone.now()):
        _send(fresh, channels_of(row.patient)[:1])


def _asked(request: HttpRequest, location: Location) -> dt.datetime:
    """The time of the button pressed. Raises `ActionRefused` for anything else."""
    offer = read_offer(request.POST.get("time", ""))
    if offer is None:
        raise ActionRefused(_("Choose a time."))
    day, clock, _who = offer
    try:
        return instant(dt.date.fromisoformat(day), dt.time.fromisoformat(clock), location.zone)
    except NoSuchTimeError:
        raise ActionRefused(_("The clocks skip this time on that day.")) from None


def _send(row: VisitRequest, channels: list[str]) -> None:
    if not channels:
        raise ActionRefused(
            _("We have no address to send a code to. Please call us: %(phone)s")
            % {"phone": row.location.phone}
        )
    actions.send_request_code(request=row, channel=channels[0], at=timezone.now())


@by_link
@require_POST
def code(request: HttpRequest, token: str, public_id: UUID) -> HttpResponse:
    """Send the code again, or by the other way."""
    row = _own_request(request, public_id)
    asked = [way for way in channels_of(row.patient) if way == request.POST.get("channel")]
    with refused_notice(request):
        _send(row, asked or channels_of(row.patient)[:1])
        messages.success(request, _("The code is on its way."))
    return redirect("my-visits:confirm", token, row.public_id)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str, public_id: UUID) -> HttpResponse:
    """What was chosen; the code books it, a move needs none."""
    row = _own_request(request, public_id)
    if row.appointment_id is not None:
        return redirect("my-visits:visit", token, row.appointment_id)
    if row.starts_at is None:
        return redirect("my-visits:times", token, row.public_id)
    confirmed = actions.is_confirmed(row, timezone.now())
    form = CodeForm(request.POST if request.method == "POST" and not confirmed else None)
    problem = ""
    if request.method == "POST" and (confirmed or form.is_valid()):
        try:
            return _carry_out(request, token, row, "" if confirmed else form.cleaned_data["code"])
        except Taken:
            return _taken(request, token, row, row.starts_at)
        except ActionRefused as refused:
            if form.is_bound and refused.field == "code":
                refuse(form, refused)
            else:
                problem = refused.message
    return _confirm_page(request, row, form, row.starts_at, problem)


def _taken(
    request: HttpRequest, token: str, row: VisitRequest, starts_at: dt.datetime
) -> HttpResponse:
    """Back to the times of that day; the wish and the code stay good."""
    messages.error(
        request, _("This time has just been taken. Choose another one; you need no new code.")
    )
    day = starts_at.astimezone(row.location.zone).date()
    there = reverse("my-visits:times", args=[token, row.public_id])
    return redirect(f"{there}?from={day.isoformat()}")


def _carry_out(request: HttpRequest, token: str, row: VisitRequest, digits: str) -> HttpResponse:
    now = timezone.now()
    if digits:
        actions.confirm(request=row, digits=digits, at=now)
    made = actions.carry_out(request=row, at=now)
    said = _("Your visit is moved.") if row.moves_id else _("Your visit is booked.")
    messages.success(request, said)
    return redirect("my-visits:visit", token, made.pk)


def _confirm_page(
    request: HttpRequest, row: VisitRequest, form: CodeForm, starts_at: dt.datetime, problem: str
) -> HttpResponse:
    patient = patient_of(request)
    addresses = {"email": str(patient.email), "sms": str(patient.phone)}
    context = portal_context(
        request,
        row=row,
        form=form,
        problem=problem,
        confirmed=actions.is_confirmed(row, timezone.now()),
        place=row.location,
        service=service_name(row.service),
        starts=starts_at.astimezone(row.location.zone).replace(tzinfo=None),
        was=_local(row.moves) if row.moves else None,
        ways=[(way, hidden(addresses[way])) for way in channels_of(patient)],
    )
    status = 422 if problem or form.errors else 200
    return render(request, "treatments/my_visit_confirm.html", context, status=status)
