"""The check-ins on the patient's own pages."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from aftercare.watch.actions import (
    Answer,
    answer_check_in,
    lock_to_answer,
    refuse_unclear,
    urgencies,
)
from aftercare.watch.deadlines import is_open
from aftercare.watch.forms import CheckInForm
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.planning import freeze
from aftercare.watch.signs import is_emergency
from aftercare.watch.tongue import tongue_of
from clinic.access.gate import fetch
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.photos.actions import add_own_photo
from patients.photos.models import Photo
from patients.portal.access import by_link, patient_of, portal_context

PARTS = ("patient", "session__location__country", "own_scale", "time", "call")


@by_link
@require_GET
def my_panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the patient's own page: the questions that wait for an answer."""
    mine = CheckIn.objects.filter(patient=patient_of(request))
    waiting = mine.filter(state=CheckIn.State.OPEN).order_by("due_at")
    return render(request, "aftercare/my_check_ins.html", {"check_ins": waiting, "token": token})


@by_link
@require_http_methods(["GET", "POST"])
def my_check_in(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """The questions of one day; the answer says at once what to do."""
    mine = CheckIn.objects.filter(patient=patient_of(request)).select_related(*PARTS)
    row = fetch(request, mine, pk=pk)
    if not row.asked and row.state == CheckIn.State.OPEN:
        freeze(row)
    tongue = tongue_of(row.patient)
    form = CheckInForm(request.POST or None, request.FILES or None, check_in=row, tongue=tongue)
    if request.method == "POST" and form.is_valid():
        try:
            _answer(row, form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("my-check-ins:check-in", token, pk)
    status = 422 if form.errors else 200
    context = portal_context(request, **_context(row), form=form)
    return render(request, "aftercare/my_check_in.html", context, status=status)


def _context(row: CheckIn) -> dict[str, Any]:
    """What to do now, and which of the clinic's numbers is answered now."""
    place = row.session.location
    call = Call.objects.filter(check_in=row).first()
    return {
        "check_in": row,
        "place": place,
        "zone": place.zone,
        "call": call,
        "is_open": is_open(timezone.now(), place),
        "emergency": is_emergency(row.events, urgencies()),
    }


def _answer(row: CheckIn, said: dict[str, Any]) -> None:
    """Keep the answer; the photo only once nothing speaks against the rest."""
    said = {**said}
    file = said.pop("photo", None)
    answer = Answer(tuple(said["signs"]), said["well"], said.get("note", ""), said.get("own_value"))
    with transaction.atomic():
        refuse_unclear(lock_to_answer(row), answer)
    photo = _photo(row, file.read()) if file else None
    answer_check_in(check_in=row, photo=photo, at=timezone.now(), **said)


def _photo(row: CheckIn, sent: bytes) -> Photo:
    """Filed under the first area that was treated."""
    first = row.session.treated_areas.select_related("area").first()
    area, side = (first.area.code, first.side) if first else ("face", "none")
    try:
        return add_own_photo(
            patient=row.patient,
            location=row.session.location,
            sent=sent,
            area=area,
            side=side if side in ("left", "right") else "none",
        )
    except ActionRefused as refused:
        raise ActionRefused(refused.message, field="photo") from refused
