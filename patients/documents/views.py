"""A patient's documents: their state for everyone at work, their content for practitioners."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.files import private_file
from patients.documents.actions import read_pdf, retry_document
from patients.documents.models import Document
from patients.registry.models import Patient

SHOWN = 20


def pdf_response(document: Document) -> HttpResponse:
    """The PDF as a download that no cache keeps and no page can run."""
    return private_file(read_pdf(document), kind="application/pdf", name=document.download_name)


def _document(request: HttpRequest, number: int, public_id: UUID) -> Document:
    visible = Document.objects.visible_to(staff_of(request)).select_related("patient").defer("html")
    return fetch(request, visible, patient_id=number, public_id=public_id)


@requires(Permission.SEE_DOCUMENTS)
@require_safe
def open_document(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """The PDF itself, or the patient's page with a word about why not."""
    document = _document(request, number, public_id)
    if document.state != Document.State.READY:
        messages.warning(request, _("This document is not ready yet."))
        return redirect("patients:detail", document.patient.number)
    try:
        return pdf_response(document)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("patients:detail", document.patient.number)


@requires(Permission.SEE_PATIENTS)
@require_safe
def document_state(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """Where a document stands; the fragment asks again until that is final."""
    document = _document(request, number, public_id)
    return render(request, "patients/document_state.html", state_of(request, document))


@requires(Permission.SEE_PATIENTS)
@require_POST
def document_retry(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """Queue a failed document once more."""
    document = _document(request, number, public_id)
    try:
        retry_document(by=staff_of(request), document=document)
        messages.success(request, _("The document is being made again."))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    return redirect(_back(request, document))


@requires(Permission.SEE_PATIENTS)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The newest documents of a patient."""
    staff = staff_of(request)
    patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    documents = (
        Document.objects.filter(patient=patient)
        .select_related("patient")
        .defer("html")
        .order_by("-created_at")[:SHOWN]
    )
    shown = [state_of(request, document) for document in documents]
    context = {"patient": patient, "shown": shown, "zone": location_of(request).zone}
    return render(request, "patients/document_panel.html", context)


def state_of(request: HttpRequest, document: Document) -> dict[str, object]:
    """What the state component needs; the title may be clinical, so it needs the permission."""
    may_open = staff_of(request).may(Permission.SEE_DOCUMENTS)
    way = (document.patient.number, document.public_id)
    return {
        "document": document,
        "label": document.title if may_open else document.get_kind_display(),
        "reason": document.error,
        "poll_url": reverse("documents:state", args=way),
        "download_url": reverse("documents:open", args=way) if may_open else "",
        "retry_url": reverse("documents:retry", args=way),
    }


def _back(request: HttpRequest, document: Document) -> str:
    """The page one came from, else the patient's."""
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}):
        return came_from
    return reverse("patients:detail", args=[document.patient.number])
