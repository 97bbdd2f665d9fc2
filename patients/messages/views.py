"""What was sent to whom, what went wrong with it, and the button that sends a link."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from patients.documents.models import Document
from patients.messages.actions import resend_message, send_link, settle_message
from patients.messages.forms import RefusalsForm
from patients.messages.kinds import Refusal
from patients.messages.models import Message, MessageQuerySet
from patients.messages.rules import refused_by, save_refusals
from patients.portal.actions import revoke_links
from patients.portal.models import Link
from patients.portal.passkeys import is_only_way
from patients.registry.models import Patient

PAGE_SIZE = 50
PANEL_SIZE = 5
HISTORY_SIZE = 60
FAILURES_SHOWN = 8
TROUBLED = (Message.State.FAILED, Message.State.UNCERTAIN)


@requires(Permission.SEE_MESSAGES)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Messages of one's patients, newest first; `?state=failed` or `uncertain` for those alone."""
    chosen = request.GET.get("state", "")
    found = (
        Message.objects.visible_to(staff_of(request))
        .select_related("patient")
        .defer("body", "calendar")
    )
    if chosen in TROUBLED:
        found = found.filter(state=chosen, settled_at__isnull=True)
    shown = list(_before(found, request.GET.get("before", ""))[: PAGE_SIZE + 1])
    older = f"?state={chosen}&before={shown[PAGE_SIZE - 1].pk}" if len(shown) > PAGE_SIZE else ""
    shown = shown[:PAGE_SIZE]
    listed(request, [message.patient_id for message in shown])
    context = {"shown": shown, "chosen": chosen, "older": older, "zone": location_of(request).zone}
    return render(request, "patients/message_list.html", context)


def _before(found: MessageQuerySet, key: str) -> MessageQuerySet:
    """The page that follows a row, by its key; a key that is none begins at the newest."""
    newest_first = found.order_by("-pk")
    is_key = key.isascii() and key.isdigit() and len(key) < 18
    return newest_first.filter(pk__lt=int(key)) if is_key else newest_first


@requires(Permission.SEE_MESSAGES)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """What one patient was told, newest first: what became of it, and why."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    told = Message.objects.filter(patient=patient).defer("body", "calendar")
    newest = list(told.order_by("-due_at", "-pk")[:HISTORY_SIZE])
    refused = refused_by(patient)
    context = {
        "patient": patient,
        "shown": newest[:PANEL_SIZE],
        "older": newest[PANEL_SIZE:],
        "refused": [Refusal(kind).label for kind in Refusal.values if kind in refused],
        "refuses_all": Refusal.EVERYTHING in refused,
        "zone": location_of(request).zone,
        "passkey_only": is_only_way(patient),
        "open_links": Link.objects.usable(timezone.now()).filter(patient=patient).count(),
    }
    return render(request, "patients/message_panel.html", context)


@requires(Permission.SEND_LINKS)
@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest, number: int) -> HttpResponse:
    """What a patient does not want to be sent, as they say it at the desk."""
    staff = staff_of(request)
    patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    form = RefusalsForm(initial={"kinds": sorted(refused_by(patient))})
    if request.method == "POST":
        form = RefusalsForm(request.POST)
        if form.is_valid():
            save_refusals(by=staff, patient=patient, kinds=form.cleaned_data["kinds"])
            messages.success(request, _("Saved."))
            return redirect("patients:detail", patient.number)
    today = timezone.localdate(timezone=location_of(request).zone)
    context = {"patient": patient, "form": form, "today": today}
    status = 422 if form.errors else 200
    return render(request, "patients/message_choices.html", context, status=status)


@requires(Permission.SEE_MESSAGES)
@require_safe
def failures(request: HttpRequest) -> HttpResponse:
    """For Today: messages and documents that a person must look at."""
    staff = staff_of(request)
    troubled = list(
        Message.objects.visible_to(staff)
        .troubled()
        .select_related("patient")
        .defer("body", "calendar")[: FAILURES_SHOWN + 1]
    )
    failed = list(
        Document.objects.visible_to(staff)
        .failed()
        .select_related("patient")
        .defer("html")[: FAILURES_SHOWN + 1]
    )
    listed(request, {m.patient_id for m in troubled} | {d.patient_id for d in failed})
    context = {
        "troubled": troubled[:FAILURES_SHOWN],
        "documents": failed[:FAILURES_SHOWN],
        "more": len(troubled) > FAILURES_SHOWN or len(failed) > FAILURES_SHOWN,
    }
    return render(request, "patients/message_failures.html", context)


@requires(Permission.SEE_MESSAGES)
@require_POST
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that a message in trouble was dealt with, or send it again: `what` says which."""
    staff = staff_of(request)
    message = fetch(request, Message.objects.visible_to(staff), pk=pk)
    try:
        if request.POST.get("what") == "resend":
            resend_message(by=staff, message=message, at=timezone.now())
            messages.success(request, _("The message is sent again."))
        else:
            settle_message(by=staff, message=message, at=timezone.now())
            messages.success(request, _("The message is marked as dealt with."))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    return redirect(f"{reverse('messages:index')}?state={message.state}")


@requires(Permission.SEND_LINKS)
@require_POST
def send(request: HttpRequest, number: int) -> HttpResponse:
    """Send a patient their personal link."""
    staff = staff_of(request)
    patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    try:
        message = send_link(by=staff, patient=patient, at=timezone.now())
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        text = _("A personal link is on its way to %(recipient)s.")
        messages.success(request, text % {"recipient": message.recipient})
    return redirect("patients:detail", patient.number)


@requires(Permission.SEND_LINKS)
@require_POST
def close(request: HttpRequest, number: int) -> HttpResponse:
    """Close every open link of a patient: a phone was lost, an address was wrong."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    closed = revoke_links(patient=patient, at=timezone.now())
    messages.success(
        request,
        ngettext("%(n)s link was closed.", "%(n)s links were closed.", closed) % {"n": closed},
    )
    return redirect("patients:detail", patient.number)
