"""The waiting list at the desk: who waits, for what, and what they were offered."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access import gate
from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.diary.forms import service_name
from treatments.diary.models import Service
from treatments.waiting import actions
from treatments.waiting.forms import EntryForm, wishes_of
from treatments.waiting.freed import times_for
from treatments.waiting.models import WaitingEntry, WaitingEntryQuerySet
from treatments.waiting.words import wishes

TABS = {
    "current": WaitingEntry.CURRENT,
    "booked": (WaitingEntry.State.BOOKED,),
    "withdrawn": (WaitingEntry.State.WITHDRAWN,),
}
ROWS = 50
TIMES = 6
PANEL_ROWS = 4
RELATED = ("patient", "service", "practitioner", "location")


@requires(Permission.SEE_DIARY)
@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """Who waits at this location, the longest waiting first; `?show=current|booked|withdrawn`."""
    location, given = location_of(request), request.GET
    tab = given.get("show", "current")
    if tab not in TABS:
        tab = "current"
    mine = WaitingEntry.objects.visible_to(staff_of(request)).filter(location=location)
    rows = _page(_filtered(mine, tab, given), tab, given.get("from", ""))
    gate.listed(request, [row.patient_id for row in rows])
    shown, more = rows[:ROWS], rows[ROWS:]
    following = {**given.dict(), "from": str(shown[-1].pk)} if more else {}
    context = {
        "location": location,
        "tab": tab,
        "rows": [(row, service_name(row.service), wishes(row)) for row in shown],
        "next_url": f"?{urlencode(following)}" if following else "",
        "services": [
            (str(one.pk), service_name(one))
            for one in Service.objects.filter(is_active=True).order_by("pk")
        ],
        "practitioners": [
            (str(pk), name)
            for pk, name in Staff.objects.practising_at(location.pk).values_list("pk", "name")
        ],
        "service": given.get("service", ""),
        "practitioner": given.get("practitioner", ""),
    }
    return render(request, "treatments/waiting_list.html", context)


def _filtered(mine: WaitingEntryQuerySet, tab: str, given: QueryDict) -> WaitingEntryQuerySet:
    found = mine.filter(state__in=TABS[tab])
    if (service := _number(given.get("service", ""))) is not None:
        found = found.filter(service=service)
    if (who := _number(given.get("practitioner", ""))) is not None:
        found = found.filter(practitioner=who)
    return found.with_booking().select_related(*RELATED)


def _page(found: WaitingEntryQuerySet, tab: str, start: str) -> list[WaitingEntry]:
    """One row more than is shown; who waits from the oldest, who does not from the newest."""
    pk = _number(start)
    if tab == "current":
        found = found.filter(pk__gt=pk) if pk is not None else found
        return list(found.order_by("pk")[: ROWS + 1])
    found = found.filter(pk__lt=pk) if pk is not None else found
    return list(found.order_by("-pk")[: ROWS + 1])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, number: int) -> HttpResponse:
    """Put a patient on the list; a refused booking brings its wishes along."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    location = location_of(request)
    sent = request.POST if request.method == "POST" else None
    asked = {name: request.GET[name] for name in ("service", "practitioner") if name in request.GET}
    form = EntryForm(sent, initial=asked, location=location, patient=patient)
    if sent is not None and form.is_valid():
        try:
            made = actions.add_entry(
                by=staff_of(request), patient=patient, location=location, **form.cleaned_data
            )
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("On the waiting list."))
            return redirect("waiting:entry", made.pk)
    return _form(request, form, patient, location, _("Add to the waiting list"))


def _form(
    request: HttpRequest, form: EntryForm, patient: Patient, location: Location, title: str
) -> HttpResponse:
    context = {
        "form": form,
        "patient": patient,
        "location": location,
        "title": title,
        "today": timezone.localdate(timezone=location.zone),
    }
    status = 422 if form.errors else 200
    return render(request, "treatments/waiting_edit.html", context, status=status)


def fetch_entry(request: HttpRequest, pk: int) -> WaitingEntry:
    """One entry of a patient one may see."""
    visible = WaitingEntry.objects.visible_to(staff_of(request)).with_booking()
    related = (*RELATED, "location__country", "appointment", "instead_of")
    row: WaitingEntry = gate.fetch(request, visible.select_related(*related), pk=pk)
    return row


def writable_entry(request: HttpRequest, pk: int) -> WaitingEntry:
    """Visible to whoever knows the patient; changed only where they wait."""
    row = fetch_entry(request, pk)
    if row.location_id not in staff_of(request).place_ids:
        raise PermissionDenied
    return row


@requires(Permission.SEE_DIARY)
@require_GET
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One who waits: the wishes, the free times that suit, and every offer there was."""
    row = fetch_entry(request, pk)
    now, zone = timezone.now(), row.location.zone
    here = row.location_id in staff_of(request).place_ids
    offers = row.offers.select_related("appointment__practitioner", "message", "sent_by")
    may_book = here and row.state in WaitingEntry.CURRENT
    context = {
        "entry": row,
        "service": service_name(row.service),
        "wishes": wishes(row),
        "patient": row.patient,
        "offers": offers,
        "open_offer": next((one for one in offers if one.is_open(now)), None),
        "times": times_for(row, now, TIMES) if may_book else [],
        "may_book": may_book,
        "may_offer": may_book and row.state == WaitingEntry.State.WAITING,
        "key": uuid.uuid4(),
        "zone": zone,
        "today": timezone.localdate(timezone=zone),
    }
    return render(request, "treatments/waiting_entry.html", context)


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other wishes."""
    row = writable_entry(request, pk)
    sent = request.POST if request.method == "POST" else None
    form = EntryForm(sent, initial=wishes_of(row), location=row.location, patient=row.patient)
    if sent is not None and form.is_valid():
        try:
            actions.change_entry(by=staff_of(request), entry=row, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("waiting:entry", row.pk)
    return _form(request, form, row.patient, row.location, _("What they wait for"))


@requires(Permission.BOOK)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """They no longer wait."""
    row = writable_entry(request, pk)
    actions.withdraw(by=staff_of(request), entry=row, at=timezone.now())
    messages.success(request, _("Off the waiting list."))
    return redirect(f"{reverse('waiting:list')}#list")


@requires(Permission.SEE_DIARY)
@require_GET
def patient_panel(request: HttpRequest, number: int) -> HttpResponse:
    """What a patient waits for; a fragment of the patient page."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    rows = WaitingEntry.objects.filter(patient=patient).current().select_related(*RELATED)
    context = {
        "patient": patient,
        "rows": [
            (row, service_name(row.service), wishes(row))
            for row in rows.order_by("pk")[:PANEL_ROWS]
        ],
    }
    return render(request, "treatments/waiting_panel.html", context)
