"""The aftercare sheet for the practitioner, and on the patient's phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from aftercare.sheets.actions import give_sheet, mark_read, page_of
from aftercare.sheets.models import Sheet
from clinic.access.gate import fetch, look_up
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.web.notices import refused_notice
from patients.portal.access import by_link
from patients.registry.models import Patient
from treatments.sessions.models import Session


def _session(request: HttpRequest, number: int, session_id: int) -> Session:
    visible = Session.objects.visible_to(staff_of(request)).select_related("patient", "location")
    return fetch(request, visible, pk=session_id, patient_id=number)


@requires(Permission.SEE_NOTES)
@require_GET
def panel(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Under a signed session: the sheet that was given, or the button that gives it."""
    session = _session(request, number, session_id)
    sheet = Sheet.objects.filter(session=session).select_related("document").first()
    return render(request, "aftercare/sheet_panel.html", {"session": session, "sheet": sheet})


@requires(Permission.SEE_NOTES)
@require_GET
def panel_all(request: HttpRequest, number: int) -> HttpResponse:
    """On the patient's page: every sheet they were given."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    known = patient.sheets.select_related("document", "session")
    sheets = known.defer("document__html").order_by("-pk")
    return render(request, "aftercare/sheet_list.html", {"patient": patient, "sheets": sheets})


@requires(Permission.WRITE_NOTES)
@require_POST
def give(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Give the sheet now; the worker would do it within a minute."""
    session = _session(request, number, session_id)
    with refused_notice(request):
        give_sheet(by=staff_of(request), session=session)
    return redirect("sessions:detail", session.patient.number, session.pk)


@requires(Permission.SEE_NOTES)
@require_GET
def detail(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """The sheet as it was given."""
    visible = Sheet.objects.visible_to(staff_of(request)).select_related("patient", "document")
    sheet = fetch(request, visible, pk=pk, patient_id=number)
    context = {"sheet": sheet, "patient": sheet.patient, **_page(sheet)}
    return render(request, "aftercare/sheet_detail.html", context)


@by_link
@require_GET
def my_panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the patient's own page: their sheets, newest first."""
    sheets = Sheet.objects.of_person(request.patient).order_by("-pk")  # type: ignore[attr-defined]
    return render(request, "aftercare/my_sheets.html", {"sheets": sheets, "token": token})


def _mine(request: HttpRequest, pk: int) -> Sheet:
    mine = Sheet.objects.of_person(request.patient)  # type: ignore[attr-defined]
    return look_up(request, mine.select_related("document", "session__location__country"), pk=pk)


@by_link
@require_GET
def my_sheet(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The sheet as a page for the phone, in the language it was given in."""
    sheet = _mine(request, pk)
    context = {
        "sheet": sheet,
        "token": token,
        "location": sheet.session.location,
        **_page(sheet),
    }
    return render(request, "aftercare/my_sheet.html", context)


@by_link
@require_POST
def my_sheet_read(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The patient says they have read it; opening the page alone proves nothing."""
    mark_read(sheet=_mine(request, pk), at=timezone.now())
    return redirect("my-sheets:sheet", token, pk)


def _page(sheet: Sheet) -> dict[str, object]:
    return page_of(sheet.content, language=sheet.language)
