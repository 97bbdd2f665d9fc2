"""A patient's own pages: prove the birth date, see what there is to do, fetch a document."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.permissions import patient_link
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.documents.models import Document
from patients.documents.views import pdf_response
from patients.portal.access import (
    MOST_CLINICS_NAMED,
    asks_for_passkey,
    by_link,
    gone,
    is_proved,
    patient_of,
    portal_context,
    private,
    remember_proof,
    usable_link,
    wanted_page,
)
from patients.portal.actions import prove
from patients.portal.forms import ProofForm
from patients.portal.limits import too_many_tries
from patients.portal.passkeys import can_be_used_at, host_of
from patients.registry.access_log import openings
from patients.registry.models import files_of
from patients.registry.restricting import restriction_of

DOCUMENTS_SHOWN = 30


@patient_link
@require_http_methods(["GET", "HEAD", "POST"])
def prove_birth_date(request: HttpRequest, token: str) -> HttpResponseBase:
    """Ask for the birth date. Looking changes nothing, so mail scanners may look."""
    link = usable_link(token)
    if link is None or link.is_for_tablet:
        return private(gone(request))
    if request.method != "POST" and is_proved(request, link):
        return private(redirect(wanted_page(request, token)))
    if asks_for_passkey(link):
        return private(_ask_for_passkey(request, token))
    if request.method != "POST":
        return private(_form(request, ProofForm()))
    form = ProofForm(request.POST)
    if too_many_tries(request, token):
        form.add_error(None, _("Too many tries. Please wait a quarter of an hour."))
        return private(_form(request, form, status=429))
    if not form.is_valid():
        return private(_form(request, form, status=422))
    proved = prove(token=token, birth_date=form.cleaned_data["birth_date"], at=timezone.now())
    if proved is None:
        return private(gone(request))
    if not proved:
        form.add_error("birth_date", _("This is not the date of birth we have on file."))
        return private(_form(request, form, status=422))
    remember_proof(request, token)
    return private(redirect(wanted_page(request, token)))


def _ask_for_passkey(request: HttpRequest, token: str) -> HttpResponse:
    """The door of a patient who lets nothing but a passkey open; a birth date is not looked at."""
    host = host_of(f"//{request.get_host()}")
    clinics = list(Location.objects.all()[: MOST_CLINICS_NAMED + 1])
    wanted = {"next": wanted_page(request, token)}
    context = {
        "finish": f"{reverse('portal:prove-passkey', args=[token])}?{urlencode(wanted)}",
        "can_use": can_be_used_at(host),
        "clinics": clinics if len(clinics) <= MOST_CLINICS_NAMED else [],
    }
    status = 403 if request.method == "POST" else 200
    return render(request, "patients/portal_passkey.html", context, status=status)


def _form(request: HttpRequest, form: ProofForm, status: int = 200) -> HttpResponse:
    return render(request, "patients/portal_prove.html", {"form": form}, status=status)


@patient_link
@require_safe
def still_here(request: HttpRequest, token: str) -> HttpResponseBase:
    """Asked before a form leaves its page: the form token in force, while the page is still open.

    Not by `by_link`: it shows nothing, and is no reading.
    """
    link = usable_link(token)
    if link is None or not is_proved(request, link):
        return private(HttpResponse(status=401))
    return private(HttpResponse(get_token(request), content_type="text/plain"))


@by_link
@require_safe
def home(request: HttpRequest, token: str) -> HttpResponse:
    """What there is to do and to read."""
    documents = Document.objects.of_person(patient_of(request)).for_patient().defer("html")
    context = portal_context(
        request,
        documents=documents[:DOCUMENTS_SHOWN],
        restriction=restriction_of(patient_of(request)),
    )
    return render(request, "patients/portal_home.html", context)


@by_link
@require_safe
def agreed(request: HttpRequest, token: str) -> HttpResponse:
    """Everything that the patient agreed to, gathered from the rooms, each with its withdrawal."""
    return render(request, "patients/portal_agreed.html", portal_context(request))


@by_link
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Who of the clinic has opened or changed the patient's record, by day and person."""
    me = patient_of(request)
    place = request.patient_location  # type: ignore[attr-defined]
    zone = place.zone if place else ZoneInfo("UTC")
    page = openings(files_of(me), zone, before=request.GET.get("before", ""))
    context = portal_context(request, days=page.days, next_url=page.older)
    return render(request, "patients/portal_opened.html", context)


@by_link
@require_safe
def document(request: HttpRequest, token: str, public_id: UUID) -> HttpResponse:
    """One of the patient's own papers, of an earlier file too; anyone else's is not there."""
    own = Document.objects.of_person(patient_of(request)).for_patient()
    found = own.select_related("patient").filter(public_id=public_id).first()
    if found is None:
        raise Http404
    try:
        return pdf_response(found)
    except ActionRefused:
        raise Http404 from None
