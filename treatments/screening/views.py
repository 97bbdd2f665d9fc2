"""Recording a decision about a verdict."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.screening.actions import override
from treatments.screening.claims import verdict_of
from treatments.screening.forms import DecisionForm


@requires(Permission.WRITE_NOTES)
@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """A practitioner goes on in spite of a verdict, with a reason."""
    staff = staff_of(request)
    patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    form = DecisionForm(request.POST)
    back = _way_back(request, number)
    if form.is_valid():
        given = form.cleaned_data
        stale = _("This page is out of date. Look at the screening again.")
        try:
            verdict = verdict_of(given["claim"], patient.pk, stale)
            override(
                by=staff,
                patient=patient,
                verdict=verdict,
                reason=given["reason"],
                directed_by=given["directed_by"],
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect(back)
    page = {"patient": patient, "form": form, "back": back, "today": timezone.localdate()}
    return render(request, "treatments/screening_decide.html", page, status=422)


def _way_back(request: HttpRequest, number: int) -> str:
    """Where the verdict was shown, if that is on this site; else the patient's page."""
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, request.is_secure()
    ):
        return wanted
    return reverse("patients:detail", args=[number])
