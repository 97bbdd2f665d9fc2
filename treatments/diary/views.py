"""Today, booking, and what happens to an appointment on its day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import chain, islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from clinic.access import gate
from clinic.access.permissions import Permission, Role, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.diary import actions
from treatments.diary.candidates import Taken
from treatments.diary.day_views import asked_day
from treatments.diary.forms import BookForm, CancelForm, MoveForm, directors_at, read_offer
from treatments.diary.free import Free, Ground, free_days, next_free
from treatments.diary.hooks import ReasonWanted
from treatments.diary.lines import badges, lines_of
from treatments.diary.models import Appointment, Service
from treatments.diary.replies import (
    answered,
    back,
    may_be_overridden,
    offers_json,
    own_appointment,
    visible_appointment,
    wants_json,
)
from treatments.diary.slots import whole_day
from treatments.diary.trace import trace_of
from treatments.diary.transitions import ALLOWED, MOVABLE
from treatments.diary.undo import undo_token
from treatments.diary.visit import Visit

PANEL_ROWS = 6
OFFERED = 3
ASKED = ("service", "time", "practitioner", "room")


@requires(Permission.SEE_DIARY)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """A practitioner's visits of the day, everyone's for the desk, and what is missing."""
    location, me = location_of(request), staff_of(request)
    day = timezone.localdate(timezone=location.zone)
    appointments = Appointment.objects.filter(location=location).between(
        *whole_day(day, location.zone)
    )
    mine = me.role == Role.PRACTITIONER and request.GET.get("all") is None
    if mine:
        appointments = appointments.filter(practitioner=me)
    lines = lines_of(appointments, location.zone)
    gate.listed(request, [line.patient_id for line in lines])
    marks = badges()
    context = {
        "location": location,
        "day": day,
        "mine": mine,
        "is_practitioner": me.role == Role.PRACTITIONER,
        "may_write": me.may(Permission.WRITE_NOTES),
        "rows": [(line, marks[line.status]) for line in lines if line.is_live],
        "given_up": [(line, marks[line.status]) for line in lines if not line.is_live],
        "waiting": sum(line.status == Appointment.Status.ARRIVED for line in lines),
        "done": sum(line.status == Appointment.Status.DONE for line in lines),
        "missing": sum(line.is_live and line.intake == "missing" for line in lines),
    }
    return render(request, "treatments/today.html", context)


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def book(request: HttpRequest) -> HttpResponse:
    """Book a visit: the patient is found first, then what, when and with whom."""
    if request.method == "POST":
        return _book_posted(request)
    number = request.GET.get("patient", "")
    if not number:
        return redirect(f"{reverse('patients:search')}?for=book")
    if request.GET.get("walk"):
        return redirect(f"{reverse('diary:walk-in')}?{urlencode({'patient': number})}")
    patient = _patient(request, number)
    location = location_of(request)
    data = _asked(request.GET, location)
    form = BookForm(initial=data, location=location)
    context = {"form": form, "patient": patient} | _of(location)
    context |= _free_context(_so_far(data, location).cleaned_data, form, patient)
    return render(request, "treatments/appointment_book.html", context)


def _of(location: Location) -> dict[str, Any]:
    return {"location": location, "today": timezone.localdate(timezone=location.zone)}


def _asked(given: QueryDict, location: Location) -> dict[str, Any]:
    """The form's values as the address asks for them; a first service and the next quarter."""
    now = timezone.now().astimezone(location.zone)
    first = Service.objects.filter(is_active=True).order_by("pk").first()
    quarter = now + timedelta(minutes=15 - now.minute % 15)
    wanted: dict[str, Any] = {
        "service": first.pk if first else None,
        "date": asked_day(given.get("date", ""), location).isoformat(),
        "time": f"{quarter:%H:%M}",
        "practitioner": "any",
        "room": "any",
    }
    wanted |= {name: given[name] for name in ASKED if given.get(name)}
    return wanted | {"patient": given.get("patient", "")}


def _patient(request: HttpRequest, number: str) -> Patient:
    """The patient of `P000123`, through the gate; 404 for any other text."""
    digits = number[1:]
    if not (number.startswith("P") and digits.isascii() and digits.isdigit() and len(digits) < 13):
        raise Http404
    visible = Patient.objects.visible_to(staff_of(request))
    return gate.fetch(request, visible, pk=int(digits)).kept


def _book_posted(request: HttpRequest) -> HttpResponse:
    location = location_of(request)
    data = request.POST.copy()
    if (offer := read_offer(data.get("offer", ""))) is not None:
        data["date"], data["time"], data["practitioner"] = offer
    form = BookForm(data, location=location)
    is_valid, values = form.is_valid(), form.cleaned_data
    patient = _visible(request, str(values.get("patient", "")))
    refused: ActionRefused | None = None
    if is_valid:
        try:
            made = _book_valid(request, location, patient, values)
        except ActionRefused as no:
            refused = no
        else:
            messages.success(request, _booked_words(made, location))
            there = f"{reverse('diary:day')}?date={values['date']}#a{made.pk}"
            return HttpResponseClientRedirect(there) if request.htmx else redirect(there)  # type: ignore[attr-defined]
    context = {"form": form, "patient": patient} | _of(location)
    context |= _free_context(values, form, patient, refused)
    if refused:
        context |= _other_ways(location, values, refused)
        # Last: the field that is to blame loses its value.
        refuse(form, refused)
    part = "#book" if request.htmx else ""  # type: ignore[attr-defined]
    return render(request, f"treatments/appointment_book.html{part}", context, status=422)


def _other_ways(
    location: Location, values: dict[str, Any], refused: ActionRefused
) -> dict[str, Any]:
    """What the desk may still do about a refusal: book over it, or name who directs."""
    minor = refused.field == "service" and values["service"].adults_only
    return {
        "may_overlap": may_be_overridden(location, refused) and not values["overlap_reason"],
        "directors": directors_at(location.pk) if minor else [],
    }


def _visible(request: HttpRequest, number: str) -> Patient | None:
    """The patient of a number in a form's body, if the person may see them."""
    digits = number[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
        return None
    visible = Patient.objects.visible_to(staff_of(request))
    found = visible.filter(pk=int(digits)).first()
    return found.kept if found else None


def _book_valid(
    request: HttpRequest, location: Location, patient: Patient | None, values: dict[str, Any]
) -> Appointment:
    if patient is None:
        raise ActionRefused(_("This patient is not known at your location."))
    return actions.book(
        by=staff_of(request),
        location=location,
        patient=patient,
        service=values["service"],
        starts_at=values["starts_at"],
        practitioner=values["practitioner"],
        room=values["room"],
        idempotency_key=values["key"],
        overlap_reason=values["overlap_reason"],
        directed_by=values["directed_by"],
    )


def _booked_words(made: Appointment, location: Location) -> str:
    at = made.starts_at.astimezone(location.zone)
    return _("Booked for %(day)s at %(time)s.") % {"day": f"{at:%d-%b-%Y}", "time": f"{at:%H:%M}"}


@requires(Permission.BOOK)
@require_GET
def free(request: HttpRequest) -> HttpResponse:
    """The free times of the day that the booking form shows now; a fragment."""
    location = location_of(request)
    patient = _visible(request, request.GET.get("patient", ""))
    form = _so_far(request.GET, location)
    found = _free_context(form.cleaned_data, form, patient)
    return render(request, "treatments/appointment_book.html#free", found)


def _so_far(data: Mapping[str, Any], location: Location) -> BookForm:
    """A booking form that says what is right of it so far."""
    form = BookForm(data, location=location)
    form.full_clean()
    return form


def _free_context(
    values: dict[str, Any],
    form: BookForm,
    patient: Patient | None,
    refused: ActionRefused | None = None,
) -> dict[str, Any]:
    """Free times of the form's own day, or of the next that has any; none while the day or the
    service is not clear. After a refusal also the next ones from the time that was refused.
    """
    if not (values.get("date") and values.get("service")):
        return {"free": [], "is_later": False}
    ground = Ground.of(form.location, Visit.of_service(values["service"]), values["date"])
    form.choose_from(ground)
    days = free_days(
        ground,
        values["date"],
        after=timezone.now(),
        practitioner_id=values.get("practitioner"),
        patient_id=patient.pk if patient else None,
    )
    free = next(days, [])
    context = {"free": free, "is_later": bool(free) and free[0].start.date() != values["date"]}
    if refused:
        times = chain(free, chain.from_iterable(days))
        later = (time for time in times if time.starts_at >= values["starts_at"])
        context["offers"] = list(islice(later, OFFERED))
    return context


@requires(Permission.SEE_DIARY)
@require_GET
def appointment(request: HttpRequest, pk: int) -> HttpResponse:
    """One appointment, and what can happen to it now; the calendar's dialog gets it alone."""
    return _page(request, visible_appointment(request, pk), CancelForm())


def _page(
    request: HttpRequest,
    row: Appointment,
    form: CancelForm,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    here = row.location_id in staff_of(request).place_ids
    following = [name for name in ALLOWED[row.status] if name != Appointment.Status.CANCELLED]
    context = _times(row) | {
        "appointment": row,
        "patient": row.patient,
        "today": timezone.localdate(timezone=row.location.zone),
        "following": following if here else [],
        "may_cancel": here and Appointment.Status.CANCELLED in ALLOWED[row.status],
        "may_move": here and row.status in MOVABLE,
        "may_write": staff_of(request).may(Permission.WRITE_NOTES),
        "form": form,
        "refused": refused,
        "next": request.GET.get("next") or request.POST.get("next", ""),
    }
    part = "#card" if request.htmx else ""  # type: ignore[attr-defined]
    template = f"treatments/appointment_detail.html{part}"
    return render(request, template, context, status=status)


def _times(row: Appointment) -> dict[str, Any]:
    """On the location's clock, without a zone: a template would convert to the server's."""
    zone = row.location.zone
    times = {
        "starts": row.starts_at,
        "ends": row.ends_at,
        "hands_on": row.practitioner_from,
        "clean": row.room_until,
    }
    return {
        name: moment and moment.astimezone(zone).replace(tzinfo=None)
        for name, moment in times.items()
    }


@requires(Permission.BOOK)
@require_POST
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """Arrived, in room, done and so on; back to the page one was on."""
    row = own_appointment(request, pk)
    wanted = request.POST.get("status", "")
    try:
        changed = actions.set_status(by=staff_of(request), appointment=row, status=wanted)
    except ActionRefused as refused:
        return _page(request, row, CancelForm(), refused.message, status=422)
    said = _("%(time)s is now “%(status)s”.") % {
        "time": f"{row.starts_at.astimezone(row.location.zone):%H:%M}",
        "status": changed.get_status_display(),
    }
    token = undo_token(row, changed) if row.status != changed.status else ""
    return answered(request, said=said, undo=token, go=back(request, row))


@requires(Permission.BOOK)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel with a reason."""
    row = own_appointment(request, pk)
    form = CancelForm(request.POST)
    if form.is_valid():
        try:
            gone = actions.cancel(
                by=staff_of(request), appointment=row, reason=form.cleaned_data["reason"]
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            said = _("The appointment is cancelled and its time is free.")
            token = undo_token(row, gone)
            return answered(request, said=said, undo=token, go=back(request, row))
    return _page(request, row, form, status=422)


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Another date, time, length, practitioner or room; a card that was dragged asks in JSON."""
    row = own_appointment(request, pk)
    data = _sent_move(request)
    form = MoveForm(data, initial=_as_it_is(row), location=row.location)
    context: dict[str, Any] = {}
    if data is not None and form.is_valid():
        try:
            moved = _moved(request, row, form.cleaned_data)
        except ActionRefused as refused:
            if isinstance(refused, actions.Changed):
                data["seen"] = trace_of(Appointment.objects.get(pk=row.pk))
            if isinstance(refused, ReasonWanted) and refused.may_give:
                form.ask_for_reason()
            context = _instead(row, form.cleaned_data, refused)
            refuse(form, refused)
        else:
            said, token = _moved_words(row, moved), undo_token(row, moved)
            return answered(request, said=said, undo=token, go=back(request, row))
    if data is not None and wants_json(request):
        return JsonResponse(_refused_json(form, context), status=422)
    context |= {"form": form, "appointment": row, "patient": row.patient} | _times(row)
    context |= {"today": timezone.localdate(timezone=row.location.zone)}
    context |= {"next": request.GET.get("next") or request.POST.get("next", "")}
    part = "#form" if request.htmx else ""  # type: ignore[attr-defined]
    template = f"treatments/appointment_move.html{part}"
    return render(request, template, context, status=200 if data is None else 422)


def _sent_move(request: HttpRequest) -> QueryDict | None:
    """The form as sent, an offered time put in; None while it is only looked at."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    if (offer := read_offer(data.get("offer", ""))) is not None:
        data["date"], data["time"], data["practitioner"] = offer
        data["room"] = "any"
    return data


def _as_it_is(row: Appointment) -> dict[str, Any]:
    local = row.starts_at.astimezone(row.location.zone).replace(tzinfo=None)
    return {
        "date": local.date(),
        "time": local.time(),
        "minutes": int((row.ends_at - row.starts_at).total_seconds()) // 60,
        "practitioner": str(row.practitioner_id),
        "room": str(row.room_id),
        "seen": trace_of(row),
    }


def _moved(request: HttpRequest, row: Appointment, values: dict[str, Any]) -> Appointment:
    """Moved as asked; a card dragged to another time takes another room where its own is taken."""

    def to(room: int | None) -> Appointment:
        return actions.move(
            by=staff_of(request),
            appointment=row,
            starts_at=values["starts_at"],
            practitioner=values["practitioner"],
            room=room,
            minutes=values["minutes"],
            overlap_reason=values["overlap_reason"],
            seen=values["seen"],
            gap_reason=values["gap_reason"],
        )

    try:
        return to(values["room"])
    except Taken as refused:
        if not values["or_any_room"]:
            raise
        try:
            return to(None)
        except Taken:
            raise refused from None


def _moved_words(before: Appointment, after: Appointment) -> str:
    at = after.starts_at.astimezone(after.location.zone)
    now = {"day": f"{at:%d-%b-%Y}", "time": f"{at:%H:%M}", "who": after.practitioner.name}
    now["room"] = after.room.name
    if before.room_id != after.room_id:
        return _("Moved to %(day)s at %(time)s with %(who)s, now in %(room)s.") % now
    return _("Moved to %(day)s at %(time)s with %(who)s.") % now


def _instead(row: Appointment, values: dict[str, Any], refused: ActionRefused) -> dict[str, Any]:
    """What a refused move can be instead: other times, over what is taken, the course with it."""
    if isinstance(refused, ReasonWanted):
        return {"around": _as_offer(row, values), "refused": refused}
    allowed = may_be_overridden(row.location, refused) and not values["overlap_reason"]
    return {"offers": _other_times(row, values), "may_overlap": allowed, "refused": refused}


def _refused_json(form: MoveForm, context: dict[str, Any]) -> dict[str, Any]:
    said = [str(error) for errors in form.errors.values() for error in errors]
    return {
        "refused": " ".join(said),
        "offers": offers_json(context.get("offers", [])),
        "over": context.get("may_overlap", False),
        "changed": isinstance(context.get("refused"), actions.Changed),
        "around": context.get("around", ""),
        "reason": getattr(context.get("refused"), "may_give", False),
    }


def _as_offer(row: Appointment, values: dict[str, Any]) -> str:
    """The time asked for, as other pages read it; without a practitioner, the one it has."""
    who = values["practitioner"] or row.practitioner_id
    return f"{values['date']:%Y-%m-%d}T{values['time']:%H:%M}|{who}"


def _other_times(row: Appointment, values: dict[str, Any]) -> list[Free]:
    visit = Visit.of_appointment(row)
    if values["minutes"]:
        visit = visit.lasting(timedelta(minutes=values["minutes"]))
    return next_free(
        OFFERED,
        location=row.location,
        day=values["date"],
        visit=visit,
        after=max(values["starts_at"], timezone.now()),
        practitioner_id=values["practitioner"],
        patient_id=row.patient_id,
        apart_from=row.pk,
    )


@requires(Permission.SEE_DIARY)
@require_GET
def patient_panel(request: HttpRequest, number: int) -> HttpResponse:
    """A patient's appointments, to come and past; a fragment of the patient page."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    zone, now = location_of(request).zone, timezone.now()
    every = Appointment.objects.filter(patient=patient)
    marks = badges()

    def shown(rows: Any) -> list[Any]:
        return [(line, marks[line.status]) for line in lines_of(rows, zone)]

    context = {
        "patient": patient,
        "to_come": shown(every.filter(starts_at__gte=now).order_by("starts_at")[:PANEL_ROWS]),
        "past": shown(every.filter(starts_at__lt=now).order_by("-starts_at")[:PANEL_ROWS]),
    }
    return render(request, "treatments/appointment_panel.html", context)
