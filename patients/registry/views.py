"""Finding, registering, correcting patients; the page of one; who saw it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access import gate
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from patients.registry import access_log as trail
from patients.registry.actions import (
    EDITABLE,
    edit_patient,
    link_patient,
    register_patient,
    same_person,
    similar_patients,
)
from patients.registry.finder import Cursor, find
from patients.registry.forms import PatientForm, RegisterForm
from patients.registry.models import Merge, Patient
from patients.registry.search import LONGEST_QUERY, MOST_WORDS, Query, parse

LOG_PAGE = 50
LOG_PANEL = 8
MOST_SIMILAR = 5
SHORTEST_NAME = 2
CARRIED = ("date", "time", "practitioner", "room", "service", "walk")


@requires(Permission.SEE_PATIENTS)
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Search while typing: at most 20 rows, and the next 20 by key."""
    text = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    query = parse(text, today=timezone.localdate())
    after = Cursor.read(request.GET.get("after", ""))
    page = find(Patient.objects.visible_to(staff_of(request)), query, after)
    gate.listed(request, [row.pk for row in page.rows])
    following = f"?{urlencode({'q': text, 'after': page.following})}" if page.following else ""
    context = {"q": text, "rows": page.rows, "next_url": following, "is_empty": query.is_empty}
    only_results = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    template = "patients/patient_search.html" + ("#results" if only_results else "")
    return render(request, template, context | _purpose(request))


def _purpose(request: HttpRequest) -> dict[str, Any]:
    """Where a patient leads: to their page, or on to the visit they are searched for."""
    if request.GET.get("for") != "book":
        return {}
    carried = [(name, request.GET[name][:20]) for name in CARRIED if request.GET.get(name)]
    return {"purpose": "book", "carried": carried, "carried_query": urlencode(carried)}


@requires(Permission.REGISTER_PATIENTS)
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Register a patient; files like the new one are shown first and want an explicit tick."""
    location = location_of(request)
    form = RegisterForm(_sent(request), location=location, initial=_typed(request))
    found: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        found = _similar(request, form.cleaned_data)
        if found and not form.cleaned_data["anyway"]:
            form.ask_about_duplicates()
            form.add_error(None, _("There may be a file already. Look at it first."))
        else:
            values = {name: form.cleaned_data[name] for name in EDITABLE}
            patient = register_patient(by=staff_of(request), location=location, **values)
            messages.success(request, _("%(number)s is registered.") % {"number": patient.number})
            return redirect(_onward(request, patient))
    context = {"form": form} | _purpose(request) | found
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/patient_register.html", context, status=status)


def _sent(request: HttpRequest) -> QueryDict | None:
    """The form as sent, empty or not; None while it is only looked at."""
    return request.POST if request.method == "POST" else None


def _typed(request: HttpRequest) -> dict[str, str]:
    """What was typed into the search is not typed again."""
    words = parse(request.GET.get("q", ""), today=timezone.localdate()).words
    return dict(zip(("family_name", "given_name"), map(str.title, words), strict=False))


def _onward(request: HttpRequest, patient: Patient) -> str:
    if purpose := _purpose(request):
        asked = urlencode([("patient", patient.number), *purpose["carried"]])
        return f"{reverse('diary:book')}?{asked}"
    return reverse("patients:detail", args=[patient.number])


def _similar(request: HttpRequest, who: dict[str, Any]) -> dict[str, Any]:
    """Similar files the person may see; of any other, only that one exists."""
    identity = {name: who[name] for name in ("given_name", "family_name", "birth_date")}
    me = staff_of(request)
    alike = similar_patients(**identity).visible_to(me).select_related("merged_into")
    mine = list(dict.fromkeys(patient.kept for patient in alike[:MOST_SIMILAR]))
    gate.listed(request, [patient.pk for patient in mine])
    theirs = same_person(**identity).exclude(registrations__location__in=me.place_ids)
    elsewhere = theirs.exists()
    return {"similar": mine, "elsewhere": elsewhere} if mine or elsewhere else {}


@requires(Permission.REGISTER_PATIENTS)
@require_POST
def similar(request: HttpRequest) -> HttpResponse:
    """The files like what has been typed so far: by the names alone until the date is there.

    An empty fragment until both names have begun. A POST, so that the name is in no address.
    """
    form = RegisterForm(request.POST, location=location_of(request))
    form.full_clean()
    typed = form.cleaned_data
    found: dict[str, Any] = {}
    if {"given_name", "family_name", "birth_date"} <= set(typed):
        found = _similar(request, typed)
    elif {"given_name", "family_name"} <= set(typed):
        found = _namesakes(request, typed)
    return render(request, "patients/patient_register.html#similar", found)


def _namesakes(request: HttpRequest, who: dict[str, Any]) -> dict[str, Any]:
    """Files with names like these, whatever their date; what is typed may still grow."""
    words = tuple(f"{who['family_name']} {who['given_name']}".split())[:MOST_WORDS]
    if min(map(len, words)) < SHORTEST_NAME:
        return {}
    page = find(Patient.objects.visible_to(staff_of(request)), Query(words=words))
    gate.listed(request, [row.pk for row in page.rows[:MOST_SIMILAR]])
    return {"similar": page.rows[:MOST_SIMILAR], "by_name": True} if page.rows else {}


@requires(Permission.MANAGE_CLINIC)
@require_POST
def link(request: HttpRequest) -> HttpResponse:
    """Open another location's file of the same person to this location."""
    form = RegisterForm(request.POST, location=location_of(request))
    try:
        if not form.is_valid():
            raise ActionRefused(_("Fill in the name and the date of birth first."))
        identity = {n: form.cleaned_data[n] for n in ("given_name", "family_name", "birth_date")}
        patient = link_patient(by=staff_of(request), location=location_of(request), **identity)
    except ActionRefused as refused:
        form.add_error(None, refused.message)
        return render(request, "patients/patient_register.html", {"form": form}, status=422)
    messages.success(request, _("%(number)s is now known here.") % {"number": patient.number})
    return redirect("patients:detail", patient.number)


@requires(Permission.SEE_PATIENTS)
@require_GET
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """The page of one patient: who they are, and a panel from every room.

    The number of an earlier file leads to the file it was merged into.
    """
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    if patient.is_closed_file:
        kept = reverse("patients:detail", args=[patient.kept_number])
        return redirect(f"{kept}?{urlencode({'was': patient.number})}")
    context = {
        "patient": patient,
        "today": timezone.localdate(timezone=location_of(request).zone),
        "merges": Merge.objects.making_up(patient).select_related("merged", "made_by"),
        "was": request.GET.get("was", ""),
        "may_merge": staff_of(request).may(Permission.MERGE_PATIENTS),
    }
    return render(request, "patients/patient_detail.html", context)


@requires(Permission.REGISTER_PATIENTS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, number: int) -> HttpResponse:
    """Correct who a patient is."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    location = location_of(request)
    initial = {name: getattr(patient, name) for name in EDITABLE}
    form = PatientForm(_sent(request), location=location, initial=initial)
    if request.method == "POST" and form.is_valid():
        edit_patient(by=staff_of(request), patient=patient, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("patients:detail", patient.number)
    today = timezone.localdate(timezone=location.zone)
    context = {"patient": patient, "form": form, "today": today}
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/patient_edit.html", context, status=status)


@requires(Permission.SEE_ACCESS_LOG)
@require_GET
def access_log(request: HttpRequest, number: int) -> HttpResponse:
    """Who saw or changed this patient's record, newest first; as a panel the last few."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    before = request.GET.get("before", "")
    entries = AuditEntry.objects.about(patient.pk)
    if before.isascii() and before.isdigit() and len(before) < 16:
        entries = entries.filter(pk__lt=int(before))
    is_panel = bool(request.htmx)  # type: ignore[attr-defined]
    if is_panel:
        # A list of photos leaves a line for each of them; the few here are for the rest.
        entries = entries.exclude(what="photos:thumb")
    size = LOG_PANEL if is_panel else LOG_PAGE
    rows = list(entries[: size + 1])
    location = location_of(request)
    context = {
        "patient": patient,
        "today": timezone.localdate(timezone=location.zone),
        "lines": [trail.readable(row, location.zone) for row in rows[:size]],
        "next_url": f"?before={rows[size - 1].pk}" if len(rows) > size else "",
    }
    template = "patients/patient_access_log.html" + ("#panel" if is_panel else "")
    return render(request, template, context)
