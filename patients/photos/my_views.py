"""The patient's own page about their photos: what they allow, and taking it back."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic.access.gate import fetch
from clinic.errors import ActionRefused
from clinic.web.files import private_file
from patients.photos.actions import read_photo
from patients.photos.allowing import standing, withdraw
from patients.photos.gallery import by_day
from patients.photos.models import Photo, PhotoPermission, PhotoQuerySet, Use
from patients.photos.naming import Names
from patients.portal.access import by_link, location_of_patient, patient_of, portal_context

UTC = ZoneInfo("UTC")
MOST_PICTURES = 200


def _allowed(request: HttpRequest) -> list[dict[str, object]]:
    said = standing(patient_of(request)).items()
    return [
        {"use": use, "name": Use(use).label, "last": last} for use, last in said if last is not None
    ]


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """For the patient's first page; nothing where they were never asked."""
    context = portal_context(request, allowed=_allowed(request), pictures=_shared(request).count())
    return render(request, "patients/my_photo_panel.html", context)


@by_link
@require_safe
def agreed(request: HttpRequest, token: str) -> HttpResponse:
    """For the page of all that the patient agreed to: each use, and the way to take it back."""
    context = portal_context(request, allowed=_allowed(request))
    return render(request, "patients/my_photo_agreed.html", context)


def _shared(request: HttpRequest) -> PhotoQuerySet:
    """The patient's own photos that the clinic shows them, of earlier files too."""
    return Photo.objects.of_file(patient_of(request).pk).shared()


@by_link
@require_safe
def pictures(request: HttpRequest, token: str) -> HttpResponse:
    """The photos that the clinic shows to the patient, by day."""
    place = location_of_patient(patient_of(request))
    zone = place.zone if place else UTC
    photos = Names().name(_shared(request).newest_first()[:MOST_PICTURES])
    context = portal_context(request, days=by_day(photos, zone))
    return render(request, "patients/my_photo_pictures.html", context)


@by_link
@require_safe
def picture(request: HttpRequest, token: str, public_id: UUID, size: str) -> HttpResponse:
    """One of these pictures; any other is not there."""
    try:
        content = read_photo(fetch(request, _shared(request), public_id=public_id), size)
    except ActionRefused:
        raise Http404 from None
    return private_file(content, kind="image/jpeg", inline=True)


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
