"""The story of a patient on one page, and its printing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from aftercare.story.actions import print_record, print_session
from aftercare.story.areas import AreaTree, named_areas
from aftercare.story.forms import StoryForm, read_day
from aftercare.story.kinds import Kind, kinds_for
from aftercare.story.models import Printing
from aftercare.story.timeline import Page, Wish, story
from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of, zone_of
from clinic.web.notices import refused_notice
from patients.documents.views import state_of
from patients.photos.naming import Names
from patients.registry.models import Patient, files_of
from treatments.sessions.models import Session
from treatments.sessions.small_maps import SmallMap

PRINTINGS_SHOWN = 3


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _session(request: HttpRequest, number: int, session_id: int) -> Session:
    mine: Any = Session.objects.visible_to(staff_of(request)).select_related("patient", "location")
    found: Session = fetch(request, mine, pk=session_id, patient_id=number)
    return found


@requires(Permission.SEE_NOTES)
@require_safe
def page(request: HttpRequest, number: int) -> HttpResponse:
    """Everything that happened, newest first, narrowed to what is asked for."""
    patient, staff, zone = _patient(request, number), staff_of(request), zone_of(request)
    names, kinds, files = Names(), kinds_for(staff), files_of(patient)
    tree = AreaTree(names)
    form = StoryForm(request.GET, kinds=kinds, areas=tree.choices(named_areas(files)))
    wish = _wish(form, kinds, tree, request.GET.get("before", ""))
    told = story(patient, files, wish, zone, names)
    context = {
        "patient": patient,
        "today": timezone.localdate(timezone=zone),
        "zone": zone,
        "form": form,
        "may_watch": Kind.AFTERCARE in kinds,
        "is_narrowed": form.is_narrowed,
        "told": told,
        "charts": _charts(told),
        "older": _address(request, told),
        "is_first": wish.before is None,
        "newest": _address(request, None),
        "printings": _states(request, Printing.objects.filter(patient=patient, session=None)),
    }
    return render(request, "aftercare/story_page.html", context)


def _wish(form: StoryForm, kinds: list[Kind], tree: AreaTree, before: str) -> Wish:
    """What the valid fields say; a field that cannot be read narrows nothing."""
    form.is_valid()
    said = form.cleaned_data
    chosen = frozenset(Kind(kind) for kind in said.get("kind", []))
    everything = frozenset(kinds) - {Kind.REACTION}
    area = said.get("area")
    return Wish(
        kinds=chosen or everything,
        areas=tree.within(area) if area else (),
        since=said.get("since"),
        until=said.get("until"),
        before=read_day(before),
    )


def _address(request: HttpRequest, told: Page | None) -> str:
    """The same filters from the end of this page on, or from the newest day; empty for no more."""
    query = request.GET.copy()
    query.pop("before", None)
    if told is not None:
        if told.older is None:
            return ""
        query["before"] = told.older.isoformat()
    return f"?{query.urlencode()}"


def _charts(told: Page) -> list[SmallMap]:
    """Each chart of the page's maps once: their lines are drawn once and used by all."""
    maps = {
        one.code: one
        for day in told.days
        for entry in day.entries
        if entry.source == "session"
        for one in entry.shown.maps
    }
    return list(maps.values())


def _states(request: HttpRequest, printings: Any) -> list[dict[str, object]]:
    """Where the last printings stand."""
    rows: Iterable[Printing] = (
        printings.select_related("document__patient")
        .defer("document__html")
        .order_by("-pk")[:PRINTINGS_SHOWN]
    )
    return [state_of(request, row.document) | {"printing": row} for row in rows]


@requires(Permission.SEE_NOTES)
@require_POST
def print_whole(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for the whole record as a PDF; the page says where it stands."""
    patient = _patient(request, number)
    with refused_notice(request):
        print_record(by=staff_of(request), patient=patient, with_photos="photos" in request.POST)
        messages.success(request, _("The whole record is being made into a PDF."))
    return redirect(reverse("story:page", args=[patient.number]) + "#printings")


@requires(Permission.SEE_NOTES)
@require_POST
def print_one(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Ask for one signed session as a PDF."""
    session = _session(request, number, session_id)
    with refused_notice(request):
        print_session(by=staff_of(request), session=session)
        messages.success(request, _("The session is being made into a PDF."))
    back = reverse("sessions:detail", args=[session.patient.number, session.pk])
    return redirect(f"{back}#printed")


@requires(Permission.SEE_NOTES)
@require_safe
def printed(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """On a session's page: its printings, and the button for another."""
    session = _session(request, number, session_id)
    context = {
        "session": session,
        "patient": session.patient,
        "printings": _states(request, Printing.objects.filter(session=session)),
    }
    return render(request, "aftercare/story_printed.html", context)
