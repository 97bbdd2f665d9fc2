"""A patient's scores over time."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from patients.registry.models import Patient
from treatments.scales.history import HEIGHT, MARGIN, WIDTH, series_of


@requires(Permission.SEE_NOTES)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """Each scale with its scores, as a list and as a small plot."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    frame = {"width": WIDTH, "height": HEIGHT, "floor": HEIGHT - MARGIN, "ceiling": MARGIN}
    context = {"patient": patient, "series": series_of(patient), **frame}
    return render(request, "treatments/scale_panel.html", context)
