"""The consultation: begun, written with autosave, signed, and added to later."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.consultations.actions import (
    StaleDraft,
    add_addendum,
    save_consultation,
    screen_note,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.forms import AddendumForm, ConsultationForm, StartForm
from treatments.consultations.missing import missing_parts
from treatments.consultations.models import Consultation
from treatments.consultations.reading import note_facts
from treatments.diary.models import Appointment

AUTOSAVE = "X-Autosave"


def _note(request: HttpRequest, number: int, consultation_id: int) -> Consultation:
    mine = Consultation.objects.visible_to(staff_of(request)).select_related(
        "patient", "location__country", "practitioner", "signed_by"
    )
    found: Consultation = fetch(request, mine, pk=consultation_id, patient_id=number)
    return found


@requires(Permission.WRITE_NOTES)
@require_POST
def start(request: HttpRequest, number: int) -> HttpResponse:
    """Begin a note, for an appointment of this patient or for none, and go to it."""
    staff = staff_of(request)
    patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    form = StartForm(request.POST)
    if not form.is_valid():
        raise Http404
    appointment = None
    if wanted := form.cleaned_data["appointment"]:
        mine = Appointment.objects.visible_to(staff)
        appointment = fetch(request, mine, pk=wanted, patient_id=number)
    note = start_consultation(
        by=staff, patient=patient, location=location_of(request), appointment=appointment
    )
    return redirect("consultations:edit", patient.number, note.pk)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int, consultation_id: int) -> HttpResponse:
    """The draft. Autosave posts to this address too and is answered in JSON."""
    note = _note(request, number, consultation_id)
    if request.method == "POST":
        return _autosave(request, note) if AUTOSAVE in request.headers else _save(request, note)
    if note.is_signed:
        return redirect("consultations:detail", note.patient.number, note.pk)
    return _page(request, note, ConsultationForm(note=note))


def _save(request: HttpRequest, note: Consultation) -> HttpResponse:
    """Save, and sign when asked to. What is missing is named beside its field."""
    form = ConsultationForm(request.POST, note=note)
    if not form.is_valid():
        return _page(request, note, form, status=422)
    signing = request.POST.get("do") == "sign"
    try:
        note = save_consultation(
            by=staff_of(request),
            consultation=note,
            revision=form.cleaned_data["revision"],
            values=form.values,
        )
        if not signing:
            return redirect("consultations:edit", note.patient.number, note.pk)
        form = _reopened(request.POST, note)
        for field, message in missing_parts(note).items():
            form.add_error(field, message)
        if form.is_valid():
            sign_consultation(by=staff_of(request), consultation=note)
            messages.success(request, _("The note is signed and closed."))
            return redirect("consultations:detail", note.patient.number, note.pk)
    except StaleDraft as stale:
        refuse(form, stale)
        return _page(request, note, form, status=409)
    except ActionRefused as refused:
        refuse(form, refused)
    return _page(request, note, form, status=422)


def _reopened(sent: QueryDict, note: Consultation) -> ConsultationForm:
    """The same entries with the revision that has just been saved."""
    data = sent.copy()
    data["revision"] = str(note.revision)
    again = ConsultationForm(data, note=note)
    again.full_clean()
    return again


def _autosave(request: HttpRequest, note: Consultation) -> HttpResponse:
    form = ConsultationForm(request.POST, note=note)
    if not form.is_valid():
        problems = [str(error) for errors in form.errors.values() for error in errors]
        return JsonResponse({"message": " ".join(problems)}, status=422)
    try:
        note = save_consultation(
            by=staff_of(request),
            consultation=note,
            revision=form.cleaned_data["revision"],
            values=form.values,
        )
    except ActionRefused as refused:
        return JsonResponse({"message": refused.message}, status=409)
    saved_at = timezone.localtime(timezone.now(), note.location.zone)
    words = _("Saved %(time)s") % {"time": date_format(saved_at, "H:i")}
    computed = (note.fitzpatrick_answers or {}).get("computed")
    return JsonResponse({"revision": note.revision, "words": words, "computed": computed})


def _page(
    request: HttpRequest, note: Consultation, form: ConsultationForm, status: int = 200
) -> HttpResponse:
    template = "treatments/consultation_edit.html"
    if request.htmx and request.method == "GET":  # type: ignore[attr-defined]
        template += "#verdicts"
    context = {
        "consultation": note,
        "patient": note.patient,
        "today": timezone.localdate(timezone=note.location.zone),
        "form": form,
        "verdicts": screen_note(consultation=note, at=timezone.now()),
        "computed": (note.fitzpatrick_answers or {}).get("computed"),
    }
    return render(request, template, context, status=status)


@requires(Permission.SEE_NOTES)
@require_safe
def detail(request: HttpRequest, number: int, consultation_id: int) -> HttpResponse:
    """A note to read: signed and closed, with its addenda; or somebody's draft."""
    note = _note(request, number, consultation_id)
    return _detail(request, note, AddendumForm())


def _detail(
    request: HttpRequest, note: Consultation, form: AddendumForm, status: int = 200
) -> HttpResponse:
    context = {
        "consultation": note,
        "patient": note.patient,
        "today": timezone.localdate(timezone=note.location.zone),
        "facts": note_facts(note),
        "addenda": note.addenda.select_related("written_by"),
        "plans": note.plans.all(),
        "form": form,
    }
    return render(request, "treatments/consultation_detail.html", context, status=status)


@requires(Permission.WRITE_NOTES)
@require_POST
def addendum(request: HttpRequest, number: int, consultation_id: int) -> HttpResponse:
    """A dated later word; the note itself stays as it was."""
    note = _note(request, number, consultation_id)
    form = AddendumForm(request.POST)
    if form.is_valid():
        try:
            add_addendum(by=staff_of(request), consultation=note, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The addendum is kept with the note."))
            return redirect("consultations:detail", note.patient.number, note.pk)
    return _detail(request, note, form, status=422)


@requires(Permission.SEE_NOTES)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The notes of a patient, newest first, for the patient's page."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    notes = (
        Consultation.objects.visible_to(staff_of(request))
        .filter(patient=patient)
        .select_related("practitioner")
        .order_by("-created_at")[:20]
    )
    context = {"patient": patient, "notes": notes, "here": location_of(request)}
    return render(request, "treatments/consultation_panel.html", context)
