"""What a patient allows: anyone at work may read it and take a refusal, a practitioner asks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.photos.allowing import give, standing, withdraw
from patients.photos.forms import SaidForm
from patients.photos.models import Photo, PhotoPermission, Use
from patients.registry.models import Patient

MOST_LINES = 60


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


@requires(Permission.SEE_CONSENT_STATE)
@require_safe
def permissions(request: HttpRequest, number: int) -> HttpResponse:
    """The last word on each use, and everything that was said before."""
    return _page(request, _patient(request, number))


def _page(
    request: HttpRequest, patient: Patient, wrong: SaidForm | None = None, status: int = 200
) -> HttpResponse:
    staff, zone = staff_of(request), location_of(request).zone
    wrong_use = wrong.data.get("use") if wrong is not None else ""
    shown = [
        {
            "use": use,
            "name": Use(use).label,
            "last": last,
            "form": wrong if wrong_use == use else _empty_form(use),
            "is_open": wrong_use == use,
        }
        for use, last in standing(patient).items()
    ]
    spoken = PhotoPermission.objects.of_person(patient).select_related("recorded_by", "patient")
    context = {
        "patient": patient,
        "today": timezone.localdate(timezone=zone),
        "shown": shown,
        "form": wrong,
        "lines": spoken.order_by("-pk")[:MOST_LINES],
        "kept": Photo.objects.of_file(patient.pk).kept().count(),
        "may_ask": staff.may(Permission.TAKE_CONSENT),
        "may_see": staff.may(Permission.SEE_PHOTOS),
        "zone": zone,
    }
    return render(request, "patients/photo_permissions.html", context, status=status)


def _empty_form(use: str) -> SaidForm:
    """Each form of the page with ids of its own."""
    today = timezone.localdate()
    return SaidForm(initial={"use": use, "said_on": today}, auto_id=f"id_{use}_%s")


def _sent_form(request: HttpRequest) -> SaidForm:
    use = request.POST.get("use", "")
    return SaidForm(request.POST, auto_id=f"id_{use if use in Use.values else 'use'}_%s")


@requires(Permission.TAKE_CONSENT)
@require_POST
def give_permission(request: HttpRequest, number: int) -> HttpResponse:
    """The patient allows a use."""
    patient, form = _patient(request, number), _sent_form(request)
    if form.is_valid():
        try:
            give(by=staff_of(request), patient=patient, **form.cleaned_data)
            messages.success(request, _("Noted: the patient allows this use."))
            return redirect("photos:permissions", patient.number)
        except ActionRefused as refused:
            refuse(form, refused)
    return _page(request, patient, form, status=422)


@requires(Permission.SEE_CONSENT_STATE)
@require_POST
def withdraw_permission(request: HttpRequest, number: int) -> HttpResponse:
    """The patient refuses a use, or takes back that it was allowed: from now on."""
    patient, form = _patient(request, number), _sent_form(request)
    if form.is_valid():
        try:
            withdraw(by=staff_of(request), patient=patient, **form.cleaned_data)
            messages.success(request, _("Noted: the patient does not allow this use."))
            return redirect("photos:permissions", patient.number)
        except ActionRefused as refused:
            refuse(form, refused)
    return _page(request, patient, form, status=422)
