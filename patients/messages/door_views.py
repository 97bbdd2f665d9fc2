"""What opens a patient's pages: their choice of passkeys alone, and the desk's way out of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.messages.door import choose_passkey_only, let_links_open, reset_door
from patients.messages.forms import DoorForm
from patients.portal.access import by_link, opened_by_passkey, patient_of
from patients.portal.passkeys import is_only_way
from patients.registry.models import Patient


@by_link
@require_POST
def my_door(request: HttpRequest, token: str) -> HttpResponse:
    """The patient lets nothing but their passkey open their pages, or links again.

    Only who has come in with a passkey chooses so.
    """
    me, now = patient_of(request), timezone.now()
    if not opened_by_passkey(request):
        messages.error(request, _("Come in with your passkey first."))
    elif request.POST.get("what") == "shut":
        with refused_notice(request):
            choose_passkey_only(patient=me, at=now)
            messages.success(request, _("From now on only your passkey opens your pages."))
    else:
        let_links_open(patient=me, at=now)
        messages.success(request, _("Links open your pages again."))
    return redirect("portal:passkeys", token)


@requires(Permission.SEND_LINKS)
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, number: int) -> HttpResponse:
    """A device is lost: let links open the pages again, once it is sure who asks."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    form = DoorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reset_door(
                by=staff_of(request), patient=patient, at=timezone.now(), **form.cleaned_data
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Links open their pages again. The patient is told."))
            return redirect("patients:detail", patient.number)
    today = timezone.localdate(timezone=location_of(request).zone)
    context = {"patient": patient, "form": form, "today": today, "is_shut": is_only_way(patient)}
    status = 422 if form.errors else 200
    return render(request, "patients/door_reset.html", context, status=status)
