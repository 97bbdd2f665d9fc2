"""One patient's adverse events: open, change, close, add to, report, give out as FHIR."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aftercare.safety.actions import add_to_event, change_event, close_event, open_event
from aftercare.safety.changing import StaleEvent
from aftercare.safety.clashing import clashes, taken_over
from aftercare.safety.fhir import adverse_event
from aftercare.safety.forms import (
    SESSIONS_OFFERED,
    CloseEventForm,
    EventAddendumForm,
    EventForm,
    ReportForm,
    photo_choices,
)
from aftercare.safety.models import AdverseEvent, EventReport
from aftercare.safety.prefill import origin_of, prefilled
from aftercare.safety.reports import make_report
from aftercare.safety.shown import event_shown, site_charts
from aftercare.safety.views import with_days
from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.files import private_file
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.documents.models import Document
from patients.documents.views import pdf_response, state_of
from patients.photos.models import Photo
from patients.photos.naming import Names
from patients.registry.models import Patient
from treatments.sessions.models import Session

PHOTOS_OFFERED = 24
SHOWN = 10


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _event(request: HttpRequest, number: int, pk: int) -> AdverseEvent:
    mine: Any = AdverseEvent.objects.at_places_of(staff_of(request)).select_related(
        "patient", "kind", "area", "location", "opened_by", "closer", "session"
    )
    found: AdverseEvent = fetch(request, mine, pk=pk, patient_id=number)
    return found


def _photos(request: HttpRequest, patient: Patient) -> list[Photo]:
    mine = Photo.objects.visible_to(staff_of(request)).of_file(patient.pk).shown()
    return Names().name(mine.filter(patient=patient).newest_first()[:PHOTOS_OFFERED])


def _sessions(request: HttpRequest, patient: Patient) -> Any:
    """The newest sessions at one's own locations, to choose from."""
    mine = Session.objects.filter(patient=patient, location_id__in=staff_of(request).place_ids)
    newest = mine.order_by("-started_at").values("pk")[:SESSIONS_OFFERED]
    rows = Session.objects.filter(pk__in=newest).order_by("-started_at")
    return rows.select_related("plan", "location")


@requires(Permission.RECORD_EVENTS)
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, number: int) -> HttpResponse:
    """A new event, prefilled from a session, a check-in or a call where it began there."""
    patient, place = _patient(request, number), location_of(request)
    origin = origin_of(patient, staff_of(request), request.GET)
    photos, sessions = _photos(request, patient), _sessions(request, patient)
    form = EventForm(
        request.POST or None,
        initial=prefilled(origin, place.zone),
        zone=place.zone,
        sessions=sessions,
        photos=photo_choices(photos),
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            event = open_event(
                by=staff_of(request),
                patient=patient,
                location=said["session"].location if said["session"] else place,
                said=said,
                session=said["session"],
                check_in=origin.check_in,
                call=origin.call,
                photos=_chosen(photos, said),
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The adverse event is open."))
            return redirect("events:detail", patient.number, event.pk)
    context = _form_context(patient, form, _("Open an adverse event")) | {"origin": origin}
    return render(request, "aftercare/event_edit.html", context, status=_status(form))


def _chosen(photos: list[Photo], said: dict[str, Any]) -> list[Photo]:
    wanted = set(said.get("photos") or ())
    return [one for one in photos if str(one.public_id) in wanted]


def _form_context(patient: Patient, form: EventForm, title: str) -> dict[str, Any]:
    return {
        "patient": patient,
        "today": timezone.localdate(timezone=form.zone),
        "form": form,
        "title": title,
        "charts": site_charts(),
    }


def _status(form: EventForm) -> int:
    return 422 if form.errors else 200


@requires(Permission.RECORD_EVENTS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Change an open event; a closed one is only added to."""
    event = _event(request, number, pk)
    if not event.is_open and request.method == "GET":
        messages.info(request, _("This event is closed. Add to it instead."))
        return redirect("events:detail", event.patient.number, event.pk)
    photos = _photos(request, event.patient)
    form = EventForm(
        request.POST or None,
        initial=_initial(event),
        zone=event.location.zone,
        photos=photo_choices(photos),
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            change_event(
                by=staff_of(request),
                event=event,
                said=said,
                photos=_chosen(photos, said),
                revision=said["revision"],
            )
        except StaleEvent as stale:
            return _clashed(request, event, form, photos, stale)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("events:detail", event.patient.number, event.pk)
    context = _form_context(event.patient, form, _("Change the adverse event")) | {"event": event}
    return render(request, "aftercare/event_edit.html", context, status=_status(form))


def _clashed(
    request: HttpRequest,
    event: AdverseEvent,
    form: EventForm,
    photos: list[Photo],
    stale: StaleEvent,
) -> HttpResponse:
    """Both versions of each part, one beside the other; saving again keeps what stands in the form,
    in which the parts that the writer left alone are as others have made them.
    """
    event.refresh_from_db()
    initial = _initial(event)
    data = taken_over(request.POST, initial, stale.touched)
    again = EventForm(data, initial=initial, zone=event.location.zone, photos=photo_choices(photos))
    again.full_clean()
    refuse(again, stale)
    context = _form_context(event.patient, again, _("Change the adverse event"))
    context |= {"event": event, "clashes": clashes(event, stale.parts, form.cleaned_data)}
    return render(request, "aftercare/event_edit.html", context, status=409)


def _initial(event: AdverseEvent) -> dict[str, Any]:
    began = event.onset_at.astimezone(event.location.zone)
    same = ("grade", "relatedness", "side", "chart", "point_x", "point_y", "description")
    same += ("action_taken", "outcome", "follow_up_on", "revision")  # type: ignore[assignment]
    return {name: getattr(event, name) for name in same} | {
        "kind": event.kind_id,
        "area": event.area_id,
        "onset_on": began.date(),
        "onset_time": began.time() if event.is_timed else None,
        "photos": [str(one.photo.public_id) for one in event.photos.select_related("photo")],
    }


@requires(Permission.SEE_SAFETY)
@require_safe
def detail(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """One event with everything that its session's record gave."""
    return _detail(request, _event(request, number, pk))


def _detail(
    request: HttpRequest,
    event: AdverseEvent,
    *,
    closing: CloseEventForm | None = None,
    addendum: EventAddendumForm | None = None,
) -> HttpResponse:
    day = timezone.localdate(timezone=event.location.zone)
    shown = [one.photo for one in event.photos.select_related("photo").order_by("photo__taken_at")]
    reports = event.reports.select_related("document__patient").defer("document__html")
    may_record = staff_of(request).may(Permission.RECORD_EVENTS)
    context = {
        "patient": event.patient,
        "today": day,
        "event": event,
        "shown": event_shown(event),
        "zone": event.location.zone,
        "overdue": event.is_overdue(day),
        "too_long": event.lasts_too_long(day),
        "photos": Names().name(shown),
        "addenda": event.addenda.select_related("written_by"),
        "reports": [_report(request, event, one) for one in reports[:SHOWN]],
        "may_record": may_record and not event.patient.is_closed_file,
        "closing": closing
        or CloseEventForm(initial={"outcome": event.outcome, "revision": event.revision}),
        "addendum": addendum or EventAddendumForm(),
        "recipients": EventReport.To.choices,
    }
    bad = any(form is not None and form.errors for form in (closing, addendum))
    return render(request, "aftercare/event_detail.html", context, status=422 if bad else 200)


def _report(request: HttpRequest, event: AdverseEvent, report: EventReport) -> dict[str, Any]:
    """Where a report stands; whoever sees the event may open it."""
    from_here = ("events:report-pdf", [event.patient.number, event.pk, report.pk])
    return state_of(request, report.document) | {"report": report, "open_at": from_here}


@requires(Permission.RECORD_EVENTS)
@require_POST
def close(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Close it, with its outcome and in words."""
    event, form = _event(request, number, pk), CloseEventForm(request.POST)
    if form.is_valid():
        try:
            close_event(by=staff_of(request), event=event, **form.cleaned_data)
        except ActionRefused as refused:
            # The page shows the event as it is now: sent again from there, it has been seen.
            form.data = {**request.POST.dict(), "revision": event.revision}
            refuse(form, refused)
        else:
            return redirect("events:detail", event.patient.number, event.pk)
    return _detail(request, event, closing=form)


@requires(Permission.RECORD_EVENTS)
@require_POST
def addendum(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """A later word on a closed event."""
    event, form = _event(request, number, pk), EventAddendumForm(request.POST)
    if form.is_valid():
        try:
            add_to_event(by=staff_of(request), event=event, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("events:detail", event.patient.number, event.pk)
    return _detail(request, event, addendum=form)


@requires(Permission.SEE_SAFETY)
@require_POST
def report(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Ask for a report as PDF."""
    event, form = _event(request, number, pk), ReportForm(request.POST)
    with refused_notice(request):
        if form.is_valid():
            make_report(by=staff_of(request), event=event, to=form.cleaned_data["to"])
            messages.success(request, _("The report is being made into a PDF."))
    return redirect("events:detail", event.patient.number, event.pk)


@requires(Permission.SEE_SAFETY)
@require_safe
def report_pdf(request: HttpRequest, number: int, pk: int, report_id: int) -> HttpResponse:
    """A report that is ready; whoever may see the event may open it."""
    event = _event(request, number, pk)
    found = fetch(
        request,
        event.reports.filter(document__state=Document.State.READY).select_related(
            "document__patient"
        ),
        pk=report_id,
    )
    try:
        return pdf_response(found.document)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("events:detail", event.patient.number, event.pk)


@requires(Permission.SEE_SAFETY)
@require_safe
def fhir(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """The event as a FHIR R4 file."""
    event = _event(request, number, pk)
    text = json.dumps(adverse_event(event), ensure_ascii=False, indent=2)
    name = f"adverse-event-{event.pk}.fhir.json"
    return private_file(text.encode(), kind="application/fhir+json", name=name)


@requires(Permission.SEE_SAFETY)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """On the patient's page: their events, newest first."""
    patient = _patient(request, number)
    return _panel(request, patient, AdverseEvent.objects.filter(patient=patient))


@requires(Permission.SEE_SAFETY)
@require_safe
def of_session(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """On a session's page: the events that followed it."""
    mine: Any = Session.objects.visible_to(staff_of(request)).select_related("patient")
    session: Session = fetch(request, mine, pk=session_id, patient_id=number)
    rows = AdverseEvent.objects.filter(session=session)
    return _panel(request, session.patient, rows, session=session)


def _panel(
    request: HttpRequest, patient: Patient, rows: Any, session: Session | None = None
) -> HttpResponse:
    here = rows.filter(location_id__in=staff_of(request).place_ids)
    found = here.select_related("kind", "area", "location").order_by("-onset_at", "-pk")[:SHOWN]
    day = timezone.localdate()
    context = {
        "patient": patient,
        "session": session,
        "rows": with_days(found, day),
        "may_record": staff_of(request).may(Permission.RECORD_EVENTS)
        and not patient.is_closed_file,
    }
    return render(request, "aftercare/event_panel.html", context)
