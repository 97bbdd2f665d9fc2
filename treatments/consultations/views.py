"""The consultation: begun, written with autosave, signed, and added to later."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.catalogue.models import NoteTemplate
from treatments.consultations import filling
from treatments.consultations.actions import (
    HeldElsewhere,
    StaleDraft,
    add_addendum,
    screen_note,
    sign_consultation,
    start_consultation,
    take_over,
)
from treatments.consultations.forms import AddendumForm, ConsultationForm, StartForm
from treatments.consultations.missing import missing_parts
from treatments.consultations.models import Consultation
from treatments.consultations.page import edit_context, read_context
from treatments.consultations.reading import clashes
from treatments.consultations.saving import autosave, holder_words, keep
from treatments.diary.models import Appointment

AUTOSAVE = "X-Autosave"
MOST_UNSIGNED = 10


def _note(request: HttpRequest, number: int, consultation_id: int) -> Consultation:
    mine = Consultation.objects.visible_to(staff_of(request)).select_related(
        "patient", "location__country", "practitioner", "signed_by", "editor"
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
        return autosave(request, note) if AUTOSAVE in request.headers else _save(request, note)
    if note.is_signed:
        return redirect("consultations:detail", note.patient.number, note.pk)
    fragment = request.htmx  # type: ignore[attr-defined]
    if note.is_held_from(staff_of(request), timezone.now()) and not fragment:
        return _detail(request, note, AddendumForm(), held=holder_words(note))
    return _page(request, note, ConsultationForm(note=note, writer=staff_of(request).pk))


def _save(request: HttpRequest, note: Consultation) -> HttpResponse:
    """Save, then do what the pressed button says. What is wrong is named beside its field."""
    form = ConsultationForm(request.POST, note=note)
    if not form.is_valid():
        return _page(request, note, form, status=422, written="*")
    verb, _colon, what = request.POST.get("do", "save").partition(":")
    try:
        note = keep(request, note, form)
        if verb == "sign":
            return _sign(request, note)
        place = _do(request, note, verb, what)
    except StaleDraft as stale:
        return _clashed(request, note, form, stale)
    except HeldElsewhere as held:
        refuse(form, held)
        return _page(request, note, form, status=423, held=holder_words(held.note), written="*")
    except ActionRefused as refused:
        refuse(form, refused)
        return _page(request, note, form, status=422, written="*")
    there = redirect("consultations:edit", note.patient.number, note.pk)
    there["Location"] += place
    return there


def _do(request: HttpRequest, note: Consultation, verb: str, what: str) -> str:
    """A button beside a section; where on the page to go on."""
    staff = staff_of(request)
    if verb == "template":
        template = NoteTemplate.objects.current().filter(code=what).first()
        if template is not None:
            filling.use_template(by=staff, consultation=note, template=template)
        return "#reason"
    if verb == "copy" and (source := filling.last_signed(note)):
        filling.copy_section(by=staff, consultation=note, source=source, section=what)
    if verb == "holds":
        filling.confirm_section(by=staff, consultation=note, section=what)
    return f"#section-{what}" if verb in ("copy", "holds") else ""


def _sign(request: HttpRequest, note: Consultation) -> HttpResponse:
    form = _reopened(request, note)
    today = timezone.localdate(timezone=note.location.zone)
    for field, message in missing_parts(note, today).items():
        form.add_error(field if field in form.fields else None, message)
    if form.is_valid():
        try:
            sign_consultation(by=staff_of(request), consultation=note)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The note is signed and closed."))
            return redirect("consultations:detail", note.patient.number, note.pk)
    return _page(request, note, form, status=422)


def _reopened(request: HttpRequest, note: Consultation) -> ConsultationForm:
    """The same entries with the revision that counts now."""
    data: QueryDict = request.POST.copy()
    data["revision"] = str(note.revision)
    again = ConsultationForm(data, note=note)
    again.full_clean()
    return again


def _clashed(
    request: HttpRequest, note: Consultation, form: ConsultationForm, stale: StaleDraft
) -> HttpResponse:
    """Both texts, one under the other; saving again keeps what stands in the form."""
    note.refresh_from_db()
    both = clashes(note, stale.sections, form.values, form.entries)
    again = _reopened(request, note)
    refuse(again, stale)
    return _page(request, note, again, status=409, clashes=both, written="*")


def _page(
    request: HttpRequest,
    note: Consultation,
    form: ConsultationForm,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    template = "treatments/consultation_edit.html"
    if request.htmx and request.method == "GET":  # type: ignore[attr-defined]
        template += "#verdicts"
    verdicts = screen_note(consultation=note, at=timezone.now())
    context = {**edit_context(note, form, staff_of(request)), "verdicts": verdicts, **more}
    return render(request, template, context, status=status)


@requires(Permission.WRITE_NOTES)
@require_POST
def take(request: HttpRequest, number: int, consultation_id: int) -> HttpResponse:
    """Go on with a draft that somebody else is writing."""
    note = _note(request, number, consultation_id)
    try:
        take_over(by=staff_of(request), consultation=note)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("consultations:detail", note.patient.number, note.pk)
    return redirect("consultations:edit", note.patient.number, note.pk)


@requires(Permission.WRITE_NOTES)
@require_safe
def state(request: HttpRequest, number: int, consultation_id: int) -> HttpResponse:
    """Whether a page that was looked at again still shows what is saved."""
    note = _note(request, number, consultation_id)
    held = note.is_held_from(staff_of(request), timezone.now())
    told = {
        "revision": note.revision,
        "signed": note.is_signed,
        "writer": staff_of(request).pk,
        "held": holder_words(note) if held else "",
    }
    return JsonResponse(told)


@requires(Permission.SEE_NOTES)
@require_safe
def detail(request: HttpRequest, number: int, consultation_id: int) -> HttpResponse:
    """A note to read: signed and closed, with its addenda; or somebody's draft."""
    note = _note(request, number, consultation_id)
    held = note.is_held_from(staff_of(request), timezone.now())
    return _detail(request, note, AddendumForm(), held=holder_words(note) if held else "")


def _detail(
    request: HttpRequest, note: Consultation, form: AddendumForm, status: int = 200, held: str = ""
) -> HttpResponse:
    context = {**read_context(note, staff_of(request)), "form": form, "held": held}
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


@requires(Permission.WRITE_NOTES)
@require_safe
def unsigned(request: HttpRequest) -> HttpResponse:
    """One's own notes that are not signed yet, oldest first, for Today."""
    staff = staff_of(request)
    mine = Consultation.objects.visible_to(staff).unsigned_of(staff)
    rows = list(mine.select_related("patient", "location")[: MOST_UNSIGNED + 1])
    listed(request, [note.patient_id for note in rows[:MOST_UNSIGNED]])
    context = {"notes": rows[:MOST_UNSIGNED], "more": len(rows) > MOST_UNSIGNED, "staff": staff}
    return render(request, "treatments/consultation_unsigned.html", context)
