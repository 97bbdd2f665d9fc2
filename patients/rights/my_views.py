"""On the patient's own pages: their data, a copy of all of it, and what they ask about it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.portal.access import by_link, patient_of, portal_context
from patients.registry.restricting import restriction_of
from patients.rights.actions import ask
from patients.rights.exporting import ask_export
from patients.rights.forms import AskForm
from patients.rights.giving import json_response, pdf_response, zip_response
from patients.rights.models import Export, RightsRequest

SHOWN = 20
GIVEN = {"zip": zip_response, "json": json_response, "pdf": pdf_response}


@by_link
@require_safe
def index(request: HttpRequest, token: str) -> HttpResponse:
    """The copies there are, what was asked and answered, and the ways to ask."""
    return _page(request, AskForm())


def _page(request: HttpRequest, form: AskForm, status: int = 200) -> HttpResponse:
    me, now = patient_of(request), timezone.now()
    own = RightsRequest.objects.of_person(me).select_related("decided_by")
    context = portal_context(
        request,
        form=form,
        export=Export.objects.of_person(me).order_by("-pk").first(),
        now=now,
        requests=own.order_by("-pk")[:SHOWN],
        restriction=restriction_of(me),
    )
    return render(request, "patients/my_data.html", context, status=status)


@by_link
@require_safe
def state(request: HttpRequest, token: str) -> HttpResponse:
    """Where the copy stands; the fragment asks again until that is final."""
    export = Export.objects.of_person(patient_of(request)).order_by("-pk").first()
    context = portal_context(request, export=export, now=timezone.now())
    return render(request, "patients/my_data_copy.html", context)


@by_link
@require_POST
def copy(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a copy of everything."""
    with refused_notice(request):
        ask_export(by=None, patient=patient_of(request), at=timezone.now())
        messages.success(request, _("Your copy is being made. It takes a minute or two."))
    return redirect("my-data:index", token)


@by_link
@require_safe
def download(request: HttpRequest, token: str, public_id: UUID, kind: str) -> HttpResponseBase:
    """The copy itself: whole, or its data or its PDF alone."""
    own = Export.objects.of_person(patient_of(request)).ready(timezone.now())
    export = fetch(request, own.select_related("patient", "document"), public_id=public_id)
    try:
        return GIVEN[kind](export)
    except ActionRefused:
        raise Http404 from None


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for(request: HttpRequest, token: str) -> HttpResponse:
    """Ask that something be corrected, no longer used, or erased."""
    if request.method != "POST":
        return redirect("my-data:index", token)
    form = AskForm(request.POST)
    if form.is_valid():
        try:
            ask(by=None, patient=patient_of(request), at=timezone.now(), **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("We have your request. You read the answer here."))
            return redirect("my-data:index", token)
    return _page(request, form, status=422)
