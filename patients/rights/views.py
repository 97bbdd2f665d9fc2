"""For staff: what patients ask about their data, decided; a patient's copies, limits, erasure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of, zone_of
from clinic.audit.models import Erasure
from clinic.errors import ActionRefused
from clinic.web.forms import ClinicForm, refuse
from clinic.web.notices import refused_notice
from patients.portal.models import Passkey
from patients.portal.passkeys import remove_passkeys
from patients.registry.models import Patient
from patients.registry.restricting import lift, restrict, restriction_of
from patients.rights import actions
from patients.rights.erasing import what_stays
from patients.rights.exporting import ask_export
from patients.rights.forms import AnswerForm, AskForm, EraseForm, LiftForm, RestrictForm
from patients.rights.giving import zip_response
from patients.rights.models import Export, RightsRequest
from patients.rights.retention import retention_of

SHOWN = 50
COPIES_SHOWN = 5
WAITING_SHOWN = 8


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _mine(request: HttpRequest) -> Any:
    """The requests of the patients that one may see."""
    return RightsRequest.objects.visible_to(staff_of(request)).select_related("patient")


def _with_days(rows: Iterable[RightsRequest], today: date) -> list[tuple[RightsRequest, int]]:
    """Each request with the days that are left to answer it."""
    return [(row, row.days_left(today)) for row in rows]


@requires(Permission.HANDLE_RIGHTS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What waits for an answer, the next owed first; what was decided; what was erased."""
    mine, today = _mine(request), timezone.localdate(timezone=zone_of(request))
    waiting = list(mine.waiting()[:SHOWN])
    decided = mine.filter(decided_at__isnull=False).select_related("decided_by")
    decided_rows = list(decided.order_by("-decided_at")[:SHOWN])
    listed(request, {row.patient_id for row in (*waiting, *decided_rows)})
    context = {
        "waiting": _with_days(waiting, today),
        "decided": decided_rows,
        "erasures": Erasure.objects.order_by("-pk")[:SHOWN],
        "today": today,
    }
    return render(request, "patients/rights_index.html", context)


@requires(Permission.HANDLE_RIGHTS)
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """For Today: what patients asked about their data, the next owed first; nothing when none."""
    today = timezone.localdate(timezone=zone_of(request))
    rows = list(_mine(request).waiting()[:WAITING_SHOWN])
    listed(request, {row.patient_id for row in rows})
    context = {"waiting": _with_days(rows, today)}
    return render(request, "patients/rights_waiting.html", context)


@requires(Permission.HANDLE_RIGHTS)
@require_safe
def patient_page(request: HttpRequest, number: int) -> HttpResponse:
    """One patient's copies, requests, restriction, passkeys, and until when the file is kept."""
    return _page(request, _patient(request, number))


def _page(
    request: HttpRequest, patient: Patient, *, status: int = 200, **forms: Any
) -> HttpResponse:
    today = timezone.localdate(timezone=zone_of(request))
    retention = retention_of(patient)
    own = RightsRequest.objects.filter(patient=patient).select_related("decided_by")
    context = {
        **_copies(request, patient),
        "today": today,
        "requests": own.order_by("-pk")[:SHOWN],
        "restriction": restriction_of(patient),
        "retention": retention,
        "obliges": retention.obliges(today),
        "stays": what_stays(patient, retention),
        "erasure": Erasure.objects.filter(file=patient.pk).first(),
        "passkeys": Passkey.objects.filter(patient=patient).in_use().count(),
        "ask_form": AskForm(),
        "restrict_form": RestrictForm(),
        "lift_form": LiftForm(),
        "erase_form": EraseForm(),
        **forms,
        "form": next(iter(forms.values()), None),
    }
    return render(request, "patients/rights_patient.html", context, status=status)


def _copies(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    """What the fragment of a patient's copies shows."""
    copies = Export.objects.filter(patient=patient).select_related("asked_by")
    return {
        "patient": patient,
        "exports": list(copies.order_by("-pk")[:COPIES_SHOWN]),
        "now": timezone.now(),
        "zone": location_of(request).zone,
        "may_open": staff_of(request).may(Permission.SEE_NOTES),
    }


@requires(Permission.HANDLE_RIGHTS)
@require_safe
def copies(request: HttpRequest, number: int) -> HttpResponse:
    """Where the copies stand; the fragment asks again while one is being made."""
    context = _copies(request, _patient(request, number))
    return render(request, "patients/rights_copies.html", context)


@requires(Permission.HANDLE_RIGHTS)
@require_POST
def export(request: HttpRequest, number: int) -> HttpResponse:
    """Have a copy of everything made; the patient finds it on their own page."""
    patient = _patient(request, number)
    with refused_notice(request):
        ask_export(by=staff_of(request), patient=patient, at=timezone.now())
        messages.success(request, _("The copy is being made. The patient finds it on their page."))
    return redirect("rights:patient", patient.number)


@requires(Permission.SEE_NOTES)
@require_safe
def download(request: HttpRequest, number: int, public_id: UUID) -> HttpResponseBase:
    """The copy, to be handed over: to who may read what is in it."""
    visible = Export.objects.visible_to(staff_of(request)).ready(timezone.now())
    row = fetch(request, visible, patient_id=number, public_id=public_id)
    try:
        return zip_response(row)
    except ActionRefused:
        raise Http404 from None


def _sent(
    request: HttpRequest,
    number: int,
    name: str,
    form: ClinicForm,
    act: Callable[[Patient, dict[str, Any]], HttpResponse],
) -> HttpResponse:
    """A form of a patient's page was sent: `act` does what it says and goes on from there; where it
    is not fit or refused, the page comes back with it as `name`.
    """
    patient = _patient(request, number)
    if form.is_valid():
        try:
            return act(patient, form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
    return _page(request, patient, status=422, **{name: form})


@requires(Permission.HANDLE_RIGHTS)
@require_POST
def ask(request: HttpRequest, number: int) -> HttpResponse:
    """Put down what the patient asked at the desk, by letter or by telephone."""

    def act(patient: Patient, said: dict[str, Any]) -> HttpResponse:
        row = actions.ask(by=staff_of(request), patient=patient, at=timezone.now(), **said)
        return redirect("rights:request", patient.number, row.pk)

    return _sent(request, number, "ask_form", AskForm(request.POST), act)


@requires(Permission.HANDLE_RIGHTS)
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """One request: the patient's words, what it would mean, and the decision."""
    visible = _mine(request).select_related("decided_by")
    row: RightsRequest = fetch(request, visible, pk=pk, patient_id=number)
    sent = request.POST if request.method == "POST" else None
    form = AnswerForm(sent, request=row)
    if request.method == "POST" and form.is_valid():
        try:
            _settle(request, row, form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Decided. The patient is told that there is an answer."))
            return redirect("rights:request", row.patient.number, row.pk)
    retention = retention_of(row.patient)
    today = timezone.localdate(timezone=zone_of(request))
    context = {
        "row": row,
        "patient": row.patient,
        "form": form,
        "today": today,
        "retention": retention,
        "obliges": retention.obliges(today),
        "days_left": row.days_left(today),
    }
    status = 422 if form.errors else 200
    return render(request, "patients/rights_request.html", context, status=status)


def _settle(request: HttpRequest, row: RightsRequest, said: dict[str, Any]) -> None:
    """Do what was decided. Raises `ActionRefused`."""
    who: dict[str, Any] = {
        "by": staff_of(request),
        "request": row,
        "words": said["words"],
        "at": timezone.now(),
    }
    if said["answer"] == RightsRequest.Answer.REFUSED:
        actions.refuse_request(**who)
    elif row.kind == RightsRequest.Kind.CORRECTION:
        partly = said["answer"] == RightsRequest.Answer.PARTLY
        actions.settle_correction(**who, partly=partly)
    elif row.kind == RightsRequest.Kind.RESTRICTION:
        actions.settle_restriction(**who, ground=said["ground"])
    else:
        actions.settle_erasure(**who, contact=said["contact"])


@requires(Permission.HANDLE_RIGHTS)
@require_POST
def restrict_now(request: HttpRequest, number: int) -> HttpResponse:
    """Restrict the use of a patient's data."""

    def act(patient: Patient, said: dict[str, Any]) -> HttpResponse:
        restrict(by=staff_of(request), patient=patient, at=timezone.now(), **said)
        messages.success(request, _("The data are restricted from now on."))
        return redirect("rights:patient", patient.number)

    return _sent(request, number, "restrict_form", RestrictForm(request.POST), act)


@requires(Permission.HANDLE_RIGHTS)
@require_POST
def lift_now(request: HttpRequest, number: int) -> HttpResponse:
    """Lift the restriction."""

    def act(patient: Patient, said: dict[str, Any]) -> HttpResponse:
        lift(by=staff_of(request), patient=patient, **said)
        messages.success(request, _("The restriction is lifted."))
        return redirect("rights:patient", patient.number)

    return _sent(request, number, "lift_form", LiftForm(request.POST), act)


@requires(Permission.HANDLE_RIGHTS)
@require_POST
def erase(request: HttpRequest, number: int) -> HttpResponse:
    """Erase the whole file, where nothing obliges the clinic to keep it."""

    def act(patient: Patient, said: dict[str, Any]) -> HttpResponse:
        actions.settle_whole(by=staff_of(request), patient=patient, at=timezone.now(), **said)
        messages.success(request, _("The file is being erased. Nothing brings it back."))
        return redirect("all-rights:index")

    return _sent(request, number, "erase_form", EraseForm(request.POST), act)


@requires(Permission.SEND_LINKS)
@require_POST
def passkeys_off(request: HttpRequest, number: int) -> HttpResponse:
    """A device was lost: none of the patient's passkeys opens anything any more."""
    patient = _patient(request, number)
    remove_passkeys(patient=patient, at=timezone.now())
    messages.success(request, _("The patient’s passkeys open nothing any more."))
    return redirect("patients:detail", patient.number)
