"""The diary, Today, booking, and what happens to an appointment on its day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access import gate
from clinic.access.models import Staff
from clinic.access.permissions import Permission, Role, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.diary import actions
from treatments.diary.forms import BookForm, CancelForm, WhenForm, read_offer
from treatments.diary.free import Free, free_times, next_free
from treatments.diary.lines import badges, columns_of, day_lines, hours_shown, lines_of
from treatments.diary.models import Appointment, Service
from treatments.diary.slots import Span, midnight, whole_day
from treatments.diary.transitions import ALLOWED, MOVABLE
from treatments.diary.visit import Visit

VIEWS = ("day", "week", "list")
PANEL_ROWS = 6
OFFERED = 3


@requires(Permission.SEE_DIARY)
@require_GET
def diary(request: HttpRequest) -> HttpResponse:
    """The diary of a location: `?date=YYYY-MM-DD&view=day|week|list`."""
    location = location_of(request)
    day = _day(request.GET.get("date", ""), location)
    view = request.GET.get("view", "day")
    if view not in VIEWS:
        view = "day"
    first = day - timedelta(days=day.weekday()) if view == "week" else day
    days = 7 if view == "week" else 1
    span = Span(
        midnight(first, location.zone), midnight(first + timedelta(days=days), location.zone)
    )
    lines = day_lines(location.pk, span, location.zone)
    gate.listed(request, [line.patient_id for line in lines])
    context = _frame(location, day, view, days) | {
        "lines": lines,
        "given_up": [line for line in lines if not line.is_live],
        "here_url": request.get_full_path(),
    }
    context |= {"day": _day_grid, "week": _week, "list": _list}[view](location, first, lines)
    return render(request, f"treatments/diary_{view}.html", context)


def _day(text: str, location: Location) -> date:
    """The day asked for, else today at the location."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return timezone.localdate(timezone=location.zone)
    return day if 2000 <= day.year <= 2100 else timezone.localdate(timezone=location.zone)


def _frame(location: Location, day: date, view: str, days: int) -> dict[str, Any]:
    base = reverse("diary:day")

    def there(to: date, kind: str = view) -> str:
        return f"{base}?date={to.isoformat()}&view={kind}"

    today = timezone.localdate(timezone=location.zone)
    return {
        "location": location,
        "day": day,
        "today": today,
        "view": view,
        "previous_url": there(day - timedelta(days=days)),
        "next_url": there(day + timedelta(days=days)),
        "today_url": there(today),
        "view_urls": {kind: there(day, kind) for kind in VIEWS},
    }


def _day_grid(location: Location, day: date, lines: list[Any]) -> dict[str, Any]:
    opens, closes = (at.hour * 60 + at.minute for at in (location.opens_at, location.closes_at))
    live = [line for line in lines if line.is_live]
    first, last = hours_shown(opens, closes, live)
    practitioners = Staff.objects.practising_at(location.pk).values_list("pk", "name")
    return {
        "columns": columns_of(live, practitioners, first),
        "hours": [(f"{m // 60:02d}:00", (m - first) // 5 + 1) for m in range(first, last, 60)],
        "rows": (last - first) // 5,
        "first_minute": first,
    }


def _week(location: Location, first: date, lines: list[Any]) -> dict[str, Any]:
    days: dict[date, list[Any]] = {first + timedelta(days=n): [] for n in range(7)}
    for line in lines:
        if line.is_live:
            days[line.starts.date()].append(line)
    return {"days": list(days.items()), "badges": badges()}


def _list(location: Location, day: date, lines: list[Any]) -> dict[str, Any]:
    marks = badges()
    return {"rows": [(line, marks[line.status]) for line in lines]}


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
    patient = _patient(request, number)
    location = location_of(request)
    data = _asked(request.GET, location)
    form = BookForm(initial=data, location=location)
    free = _free_of(BookForm(data, location=location), location, patient.pk)
    context = {"form": form, "patient": patient, "free": free} | _of(location)
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
        "date": _day(given.get("date", ""), location).isoformat(),
        "time": f"{quarter:%H:%M}",
        "practitioner": "any",
        "room": "any",
    }
    wanted |= {name: given[name] for name in ("service", "time", "practitioner") if given.get(name)}
    return wanted | {"patient": given.get("patient", "")}


def _patient(request: HttpRequest, number: str) -> Patient:
    """The patient of `P000123`, through the gate; 404 for any other text."""
    digits = number[1:]
    if not (number.startswith("P") and digits.isascii() and digits.isdigit() and len(digits) < 13):
        raise Http404
    visible = Patient.objects.visible_to(staff_of(request)).select_related("merged_into")
    return gate.fetch(request, visible, pk=int(digits)).kept


def _book_posted(request: HttpRequest) -> HttpResponse:
    location = location_of(request)
    data = request.POST.copy()
    if (offer := read_offer(data.get("offer", ""))) is not None:
        data["date"], data["time"], data["practitioner"] = offer
    form = BookForm(data, location=location)
    free: list[Free] = []
    patient = None
    if form.is_valid():
        values = form.cleaned_data
        patient = _visible(request, values["patient"])
        try:
            if patient is None:
                raise ActionRefused(_("This patient is not known at your location."))
            made = _book_valid(request, location, patient, values)
        except ActionRefused as refused:
            free = _others(location, patient, values)
            refuse(form, refused)
        else:
            messages.success(request, _booked_words(made, location))
            return redirect(f"{reverse('diary:day')}?date={values['date']}#a{made.pk}")
    else:
        patient = _visible(request, str(data.get("patient", "")))
    of_day = _free_of(BookForm(data, location=location), location, patient.pk if patient else None)
    context = {"form": form, "patient": patient, "offers": free, "free": of_day} | _of(location)
    return render(request, "treatments/appointment_book.html", context, status=422)


def _visible(request: HttpRequest, number: str) -> Patient | None:
    """The patient of a number in a form's body, if the person may see them."""
    digits = number[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
        return None
    visible = Patient.objects.visible_to(staff_of(request)).select_related("merged_into")
    found = visible.filter(pk=int(digits)).first()
    return found.kept if found else None


def _book_valid(
    request: HttpRequest, location: Location, patient: Patient, values: dict[str, Any]
) -> Appointment:
    return actions.book(
        by=staff_of(request),
        location=location,
        patient=patient,
        service=values["service"],
        starts_at=values["starts_at"],
        practitioner=values["practitioner"],
        room=values["room"],
        idempotency_key=values["key"],
    )


def _booked_words(made: Appointment, location: Location) -> str:
    at = made.starts_at.astimezone(location.zone)
    return _("Booked for %(day)s at %(time)s.") % {"day": f"{at:%d-%b-%Y}", "time": f"{at:%H:%M}"}


def _others(location: Location, patient: Patient | None, values: dict[str, Any]) -> list[Free]:
    """The next free times from the one that was refused."""
    return next_free(
        OFFERED,
        location=location,
        day=values["date"],
        visit=Visit.of_service(values["service"]),
        after=max(values["starts_at"], timezone.now()),
        practitioner_id=values["practitioner"],
        patient_id=patient.pk if patient else None,
    )


@requires(Permission.BOOK)
@require_GET
def free(request: HttpRequest) -> HttpResponse:
    """The free times of the day that the booking form shows now; a fragment."""
    location = location_of(request)
    form = BookForm(request.GET, location=location)
    patient = _visible(request, request.GET.get("patient", ""))
    found = _free_of(form, location, patient.pk if patient else None)
    return render(request, "treatments/appointment_book.html#free", {"free": found})


def _free_of(form: BookForm, location: Location, patient_id: int | None) -> list[Free]:
    """Free times of the form's own day; none while the day or the service is not clear."""
    form.full_clean()
    values = form.cleaned_data
    if not (values.get("date") and values.get("service")):
        return []
    return list(
        free_times(
            location=location,
            day=values["date"],
            visit=Visit.of_service(values["service"]),
            after=timezone.now(),
            practitioner_id=values.get("practitioner"),
            patient_id=patient_id,
        )
    )


def _fetch(request: HttpRequest, pk: int) -> Appointment:
    related = ("patient", "practitioner", "room", "service", "location", "booked_by")
    visible = Appointment.objects.visible_to(staff_of(request)).select_related(*related)
    row: Appointment = gate.fetch(request, visible, pk=pk)
    return row


def _writable(request: HttpRequest, pk: int) -> Appointment:
    """Visible to whoever knows the patient; changed only where it takes place."""
    appointment = _fetch(request, pk)
    if appointment.location_id not in staff_of(request).place_ids:
        raise PermissionDenied
    return appointment


@requires(Permission.SEE_DIARY)
@require_GET
def appointment(request: HttpRequest, pk: int) -> HttpResponse:
    """One appointment, and what can happen to it now."""
    return _page(request, _fetch(request, pk), CancelForm())


def _page(
    request: HttpRequest,
    row: Appointment,
    form: CancelForm,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    here = row.location_id in staff_of(request).place_ids
    zone = row.location.zone
    following = [name for name in ALLOWED[row.status] if name != Appointment.Status.CANCELLED]
    context = {
        "appointment": row,
        "patient": row.patient,
        # Without a zone: a template would convert an aware time to the server's.
        "starts": row.starts_at.astimezone(zone).replace(tzinfo=None),
        "ends": row.ends_at.astimezone(zone).replace(tzinfo=None),
        "today": timezone.localdate(timezone=zone),
        "following": following if here else [],
        "may_cancel": here and Appointment.Status.CANCELLED in ALLOWED[row.status],
        "may_move": here and row.status in MOVABLE,
        "may_write": staff_of(request).may(Permission.WRITE_NOTES),
        "form": form,
        "refused": refused,
    }
    return render(request, "treatments/appointment_detail.html", context, status=status)


@requires(Permission.BOOK)
@require_POST
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """Arrived, in room, done and so on; back to the page one was on."""
    row = _writable(request, pk)
    try:
        actions.set_status(
            by=staff_of(request), appointment=row, status=request.POST.get("status", "")
        )
    except ActionRefused as refused:
        return _page(request, row, CancelForm(), refused.message, status=422)
    return redirect(_back(request, row))


def _back(request: HttpRequest, row: Appointment) -> str:
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        return back
    return reverse("diary:appointment", args=[row.pk])


@requires(Permission.BOOK)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel with a reason."""
    row = _writable(request, pk)
    form = CancelForm(request.POST)
    if form.is_valid():
        try:
            actions.cancel(
                by=staff_of(request), appointment=row, reason=form.cleaned_data["reason"]
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The appointment is cancelled and its time is free."))
            return redirect("diary:appointment", row.pk)
    return _page(request, row, form, status=422)


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Another date, time, practitioner or room."""
    row = _writable(request, pk)
    local = row.starts_at.astimezone(row.location.zone).replace(tzinfo=None)
    initial = {
        "date": local.date(),
        "time": local.time(),
        "practitioner": str(row.practitioner_id),
        "room": str(row.room_id),
    }
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and (offer := read_offer(data.get("offer", ""))) is not None:
        data["date"], data["time"], data["practitioner"] = offer
        data["room"] = "any"
    form = WhenForm(data, initial=initial, location=row.location)
    offers: list[Free] = []
    if data is not None and form.is_valid():
        try:
            return _moved(request, row, form.cleaned_data)
        except ActionRefused as refused:
            offers = _other_times(row, form.cleaned_data)
            refuse(form, refused)
    context = {
        "form": form,
        "appointment": row,
        "patient": row.patient,
        "offers": offers,
        "starts": local,
        "today": timezone.localdate(timezone=row.location.zone),
    }
    status = 422 if data is not None else 200
    return render(request, "treatments/appointment_move.html", context, status=status)


def _moved(request: HttpRequest, row: Appointment, values: dict[str, Any]) -> HttpResponse:
    actions.move(
        by=staff_of(request),
        appointment=row,
        starts_at=values["starts_at"],
        practitioner=values["practitioner"],
        room=values["room"],
    )
    messages.success(request, _("The appointment is moved."))
    return redirect("diary:appointment", row.pk)


def _other_times(row: Appointment, values: dict[str, Any]) -> list[Free]:
    return next_free(
        OFFERED,
        location=row.location,
        day=values["date"],
        visit=Visit.of_appointment(row),
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
