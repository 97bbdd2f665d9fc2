"""The label that is stuck on a syringe."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from treatments.mixes.labels import label_of
from treatments.mixes.models import Syringe


@requires(Permission.WRITE_NOTES)
@require_safe
def label(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """What stands on one syringe: whose, what, how strong, made when and by whom, until when."""
    mine = Syringe.objects.visible_to(staff_of(request)).select_related(
        "session__patient", "session__location", "prepared_by"
    )
    syringe = fetch(request, mine, pk=pk, session__patient_id=number)
    context = {
        "syringe": syringe,
        "patient": syringe.patient,
        "label": label_of(syringe),
        "zone": syringe.session.location.zone,
    }
    return render(request, "treatments/syringe_label.html", context)
