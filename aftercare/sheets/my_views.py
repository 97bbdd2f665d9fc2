"""The patient's own pages of their sheets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from aftercare.sheets.actions import mark_opened, mark_read
from aftercare.sheets.content import page_of
from aftercare.sheets.models import Sheet
from clinic.access.gate import look_up
from patients.portal.access import by_link, patient_of


@by_link
@require_GET
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the patient's own page: the newest version of each of their sheets, newest first."""
    mine = Sheet.objects.of_person(patient_of(request)).newest_of_each_session()
    sheets = mine.select_related("session").defer("content").order_by("-pk")
    return render(request, "aftercare/my_sheets.html", {"sheets": sheets, "token": token})


def _mine(request: HttpRequest, pk: int) -> Sheet:
    mine = Sheet.objects.of_person(patient_of(request)).defer("document__html")
    return look_up(request, mine.select_related("document", "session__location__country"), pk=pk)


@by_link
@require_GET
def sheet(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """A sheet as a page for the phone, in the language it was given in; what is over says so."""
    shown = _mine(request, pk)
    same = Sheet.objects.filter(session_id=shown.session_id).only("version", "created_at")
    versions = list(same.order_by("-version"))
    context = {
        "sheet": shown,
        "token": token,
        "location": shown.session.location,
        "newer": versions[0] if versions[0].version > shown.version else None,
        "older": [one for one in versions if one.version < shown.version],
        **page_of(shown.content, language=shown.language, at=timezone.now()),
    }
    return render(request, "aftercare/my_sheet.html", context)


@by_link
@require_POST
def opened(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The browser has shown it; sent by the page itself, which a mail scanner does not do."""
    mark_opened(sheet=_mine(request, pk), at=timezone.now())
    return HttpResponse(status=204)


@by_link
@require_POST
def read(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The patient says they have read it; opening the page alone proves nothing."""
    mark_read(sheet=_mine(request, pk), at=timezone.now())
    return redirect("my-sheets:sheet", token, pk)
