"""The photos of a patient: to look at, to take, to add, to compare, to correct and to remove."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import gate
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.camera import with_camera
from clinic.web.forms import refuse
from patients.photos.actions import correct_photo, put_back, remove_photo
from patients.photos.allowing import is_allowed, standing
from patients.photos.forms import AddForm, CorrectForm, RemoveForm
from patients.photos.gallery import (
    MOST_OF_A_SERIES,
    Cursor,
    by_day,
    by_series,
    compared,
    page_of,
)
from patients.photos.models import Photo, PhotoQuerySet, PhotoShare, Use
from patients.photos.naming import Names
from patients.photos.sending import Sent, send_all, way_back
from patients.photos.standards import SETS, Side, View, parse_key, shot_set
from patients.registry.models import Patient

IN_PANEL = 8
REMOVED_SHOWN = 50
MODES = ("side", "slider", "fade")


def _patient(request: HttpRequest, number: int) -> Patient:
    return gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _shown(patient: Patient) -> PhotoQuerySet:
    """What the record may show of a patient whom the gate has let through."""
    return Photo.objects.of_file(patient.pk).shown()


def _context(request: HttpRequest, patient: Patient, **more: Any) -> dict[str, Any]:
    """What every page of this room needs."""
    staff, zone = staff_of(request), location_of(request).zone
    return {
        "patient": patient,
        "today": timezone.localdate(timezone=zone),
        "zone": zone,
        "may_take": staff.may(Permission.TAKE_PHOTOS) and not patient.is_closed_file,
        "may_remove": staff.may(Permission.REMOVE_PHOTOS),
        **more,
    }


@requires(Permission.SEE_PHOTOS)
@require_safe
def gallery(request: HttpRequest, number: int) -> HttpResponse:
    """Every photo that may be shown, by day or by view; what was removed as a fact."""
    patient, names = _patient(request, number), Names()
    photos, all_of_file = _shown(patient), Photo.objects.of_file(patient.pk)
    context = _context(
        request,
        patient,
        last=standing(patient)[Use.RECORD],
        kept=all_of_file.kept().count(),
        removed=names.name(all_of_file.removed().select_related("removed_by")[:REMOVED_SHOWN]),
    )
    if request.GET.get("by") == "view":
        context |= {"by_view": True, "series": by_series(photos, names)}
    else:
        context |= _by_day(request, photos, names)
    return render(request, "patients/photo_gallery.html", context)


def _by_day(request: HttpRequest, photos: PhotoQuerySet, names: Names) -> dict[str, Any]:
    """A page of photos by day, of one view alone if the address names it."""
    key, zone = request.GET.get("of", ""), location_of(request).zone
    chosen = _series_of(key)
    rows, more = page_of(
        photos.of_series(*chosen) if chosen else photos,
        Cursor.read(request.GET.get("after", ""), zone),
    )
    query = {"of": key} if chosen else {}
    return {
        "days": by_day(names.name(rows), zone),
        "older": f"?{urlencode(query | {'after': more})}" if more else "",
        "chosen": names.series(*chosen) if chosen else "",
        "key": key,
    }


def _series_of(key: str) -> tuple[str, str, str] | None:
    try:
        return parse_key(key)
    except ValueError:
        return None


@requires(Permission.SEE_PHOTOS)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The newest few, for the patient's page."""
    patient = _patient(request, number)
    photos = _shown(patient).newest_first().select_related("patient")
    context = _context(
        request,
        patient,
        photos=Names().name(photos[:IN_PANEL]),
        last=standing(patient)[Use.RECORD],
        count=Photo.objects.of_file(patient.pk).kept().count(),
    )
    return render(request, "patients/photo_panel.html", context)


@requires(Permission.SEE_PHOTOS)
@require_safe
def avatar(request: HttpRequest, number: int) -> HttpResponse:
    """The face for the patient bar, so that nobody works on the wrong person; or nothing."""
    patient = _patient(request, number)
    faces = _shown(patient).of_series("face", Side.NONE, View.FRONT)
    photo = faces.newest_first().first()
    if photo is None:
        return HttpResponse(status=204)
    return render(request, "patients/photo_avatar.html", {"patient": patient, "photo": photo})


@requires(Permission.TAKE_PHOTOS)
@with_camera
@require_safe
def take(request: HttpRequest, number: int) -> HttpResponse:
    """The camera, view after view, with the earlier photo of each as a ghost."""
    patient, names = _patient(request, number), Names()
    if patient.is_closed_file or not is_allowed(patient, Use.RECORD):
        return redirect("photos:permissions", patient.number)
    chosen = shot_set(request.GET.get("set", ""))
    latest = {photo.key: photo for photo in _shown(patient).latest_of_series()}
    shots = [
        {"shot": shot, "name": names.of(shot), "earlier": latest.get(shot.key)}
        for shot in chosen.shots
    ]
    context = _context(
        request, patient, sets=SETS, chosen=chosen, shots=shots, back=way_back(request, patient)
    )
    return render(request, "patients/photo_take.html", context)


@requires(Permission.TAKE_PHOTOS)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, number: int) -> HttpResponse:
    """Send pictures from files, several at once; the scripts of the pages send one at a time."""
    patient, names = _patient(request, number), Names()
    if patient.is_closed_file:
        return redirect("photos:gallery", patient.number)
    if not is_allowed(patient, Use.RECORD):
        return _not_allowed(request, patient)
    back = way_back(request, patient)
    if request.method != "POST":
        form = AddForm(names=names, initial={"shot": request.GET.get("shot", "")})
        return _add_page(request, patient, form, back)
    form = AddForm(request.POST, request.FILES, names=names)
    sent = send_all(request, patient, form) if form.is_valid() else Sent([], [])
    if "X-One-Photo" in request.headers:
        return sent.as_json(patient, form)
    if sent.added:
        count = len(sent.added)
        words = ngettext("%(count)d photo is saved.", "%(count)d photos are saved.", count)
        messages.success(request, words % {"count": count})
    if sent.added and not sent.refused:
        return redirect(back)
    for words in sent.refused:
        form.add_error("pictures", words)
    return _add_page(request, patient, form, back, status=422)


def _not_allowed(request: HttpRequest, patient: Patient) -> HttpResponse:
    refused = _("The patient does not allow photos in the record.")
    if "X-One-Photo" in request.headers:
        return Sent([], [refused]).as_json(patient, None)
    messages.warning(request, refused)
    return redirect("photos:permissions", patient.number)


def _add_page(
    request: HttpRequest, patient: Patient, form: AddForm, back: str, status: int = 200
) -> HttpResponse:
    context = _context(request, patient, form=form, back=back)
    return render(request, "patients/photo_add.html", context, status=status)


@requires(Permission.SEE_PHOTOS)
@require_safe
def compare(request: HttpRequest, number: int) -> HttpResponse:
    """Two photos of one view: side by side, under a slider, or one fading into the other."""
    patient, names = _patient(request, number), Names()
    photos, get = _shown(patient), request.GET
    offered = [one for one in by_series(photos, names) if one.count > 1]
    keys = [one.key for one in offered]
    key = get["of"] if get.get("of") in keys else next(iter(keys), "")
    mode = get["mode"] if get.get("mode") in MODES else MODES[0]
    context = _context(request, patient, offered=offered, key=key, mode=mode)
    if key:
        newest = photos.of_series(*key.split(".")).newest_first().select_related("patient")
        series = list(newest[:MOST_OF_A_SERIES])[::-1]
        pair = compared(series, get.get("before", ""), get.get("after", ""))
        context |= {"pair": pair, "name": names.series(*key.split("."))}
    return render(request, "patients/photo_compare.html", context)


PARTS = ("patient__merged_into", "location", "taken_by")


def _photo(request: HttpRequest, number: int, public_id: UUID) -> Photo:
    visible = Photo.objects.visible_to(staff_of(request)).of_file(number).shown()
    return gate.fetch(request, visible.select_related(*PARTS), public_id=public_id)


def _whose(photo: Photo, number: int) -> Patient:
    """The file it is looked at from: its own, or the one that its own was merged into."""
    kept = photo.patient.merged_into
    return kept if kept is not None and kept.pk == number else photo.patient


@requires(Permission.SEE_PHOTOS)
@require_safe
def detail(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """One photo: large, with what is known about it."""
    photo = _photo(request, number, public_id)
    return _detail_page(request, _whose(photo, number), photo, Names())


def _detail_page(
    request: HttpRequest, patient: Patient, photo: Photo, names: Names, **forms: Any
) -> HttpResponse:
    zone = location_of(request).zone
    day = photo.taken_at.astimezone(zone).date()
    allowed = standing(patient)
    context = _context(
        request,
        patient,
        photo=photo,
        name=names.of(photo),
        correct_form=CorrectForm(names=names, initial={"shot": photo.key, "taken_on": day}),
        remove_form=RemoveForm(),
        share=PhotoShare.objects.filter(photo=photo).in_force().first(),
        may_share=staff_of(request).may(Permission.SHARE_PHOTOS),
        outside=[
            {"use": use, "name": Use(use).label, "is_allowed": said is not None and said.is_given}
            for use, said in allowed.items()
            if use != Use.RECORD
        ],
    )
    status = 422 if forms else 200
    form = next(iter(forms.values()), None)
    return render(
        request, "patients/photo_detail.html", context | forms | {"form": form}, status=status
    )


@requires(Permission.TAKE_PHOTOS)
@require_POST
def correct(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """What it shows, or its day, was wrong."""
    photo, names = _photo(request, number, public_id), Names()
    form = CorrectForm(request.POST, names=names)
    if form.is_valid():
        area, side, view = form.cleaned_data["shot"]
        given = {"area": area, "side": side, "view": view}
        try:
            day = form.cleaned_data["taken_on"]
            correct_photo(by=staff_of(request), photo=photo, taken_on=day, **given)
            messages.success(request, _("Saved."))
            return redirect("photos:detail", f"P{number:06d}", photo.public_id)
        except ActionRefused as refused:
            refuse(form, refused)
    return _detail_page(request, _whose(photo, number), photo, names, correct_form=form)


@requires(Permission.REMOVE_PHOTOS)
@require_POST
def remove(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """Out of sight at once. An earlier file's photo too: it may show somebody else."""
    visible = Photo.objects.visible_to(staff_of(request)).of_file(number).kept()
    photo = gate.look_up(request, visible.select_related(*PARTS), public_id=public_id)
    form = RemoveForm(request.POST)
    if form.is_valid():
        try:
            remove_photo(by=staff_of(request), photo=photo, **form.cleaned_data)
            messages.success(request, _("The photo is removed."))
            return redirect("photos:gallery", f"P{number:06d}")
        except ActionRefused as refused:
            refuse(form, refused)
    return _detail_page(request, _whose(photo, number), photo, Names(), remove_form=form)


@requires(Permission.REMOVE_PHOTOS)
@require_POST
def restore(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """A removed photo is wanted after all."""
    visible = Photo.objects.visible_to(staff_of(request)).of_file(number)
    photo = gate.look_up(request, visible.removed(), public_id=public_id)
    try:
        put_back(by=staff_of(request), photo=photo)
        messages.success(request, _("The photo is back."))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    return redirect("photos:gallery", f"P{number:06d}")
