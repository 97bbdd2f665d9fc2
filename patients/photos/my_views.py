"""The patient's own page about their photos: what they allow, and taking it back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic.errors import ActionRefused
from patients.photos.allowing import standing, withdraw
from patients.photos.models import PhotoPermission, Use
from patients.portal.access import by_link, patient_of, portal_context


def _allowed(request: HttpRequest) -> list[dict[str, object]]:
    said = standing(patient_of(request)).items()
    return [
        {"use": use, "name": Use(use).label, "last": last} for use, last in said if last is not None
    ]


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """For the patient's first page; nothing where they were never asked."""
    context = portal_context(request, allowed=_allowed(request))
    return render(request, "patients/my_photo_panel.html", context)


@by_link
@require_safe
def choices(request: HttpRequest, token: str) -> HttpResponse:
    """What they allow, use by use."""
    context = portal_context(request, allowed=_allowed(request))
    return render(request, "patients/my_photo_choices.html", context)


@by_link
@require_POST
def take_back(request: HttpRequest, token: str, use: str) -> HttpResponse:
    """From this moment on the use is not allowed any more."""
    if use not in Use.values:
        raise Http404
    try:
        withdraw(by=None, patient=patient_of(request), use=use, how=PhotoPermission.How.LINK)
        messages.success(request, _("It is not allowed any more, from now on."))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    return redirect("my-photos:choices", token)
