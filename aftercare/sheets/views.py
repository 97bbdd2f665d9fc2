"""The aftercare sheet for the practitioner: looked at, given, given again; what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aftercare.sheets.actions import give_sheet, give_version, keep_draft, send_again
from aftercare.sheets.content import Wish, blocks_for, content_of, page_of, treatment_of
from aftercare.sheets.forms import SheetForm
from aftercare.sheets.languages import lacking_for, language_for, offered
from aftercare.sheets.models import LONGEST_LINE, Sheet, SheetDraft
from aftercare.sheets.shown import seen_word, versions_of
from aftercare.sheets.wording import plain_fault
from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of, zone_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.registry.models import Patient
from treatments.sessions.models import Session


def _session(request: HttpRequest, number: int, session_id: int) -> Session:
    visible = Session.objects.visible_to(staff_of(request)).select_related(
        "patient", "location__country", "practitioner", "plan"
    )
    return fetch(request, visible, pk=session_id, patient_id=number)


def _sheet(request: HttpRequest, number: int, pk: int) -> Sheet:
    visible = Sheet.objects.visible_to(staff_of(request)).select_related(
        "patient", "document", "session"
    )
    return fetch(request, visible.defer("document__html"), pk=pk, patient_id=number)


def _may_give(request: HttpRequest) -> bool:
    return staff_of(request).may(Permission.WRITE_NOTES)


@requires(Permission.SEE_NOTES)
@require_GET
def panel(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """On a session's page: what was given and what became of it, or the button that gives it."""
    session = _session(request, number, session_id)
    context = {
        "session": session,
        "versions": versions_of(session),
        "draft": SheetDraft.objects.filter(session=session).first(),
        "may_give": _may_give(request),
    }
    return render(request, "aftercare/sheet_panel.html", context)


@requires(Permission.SEE_NOTES)
@require_GET
def bar(request: HttpRequest, number: int) -> HttpResponse:
    """In the patient bar: whether the last session's sheet was given, and seen."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    session = patient.sessions.order_by("-started_at", "-pk").only("pk").first()
    given = Sheet.objects.filter(session=session).defer("content").order_by("-version")
    sheet = given.first() if session else None
    context = {
        "session": session,
        "sheet": sheet,
        "seen": seen_word(sheet) if sheet else "",
        "url": _way(request, patient, session, sheet),
    }
    return render(request, "aftercare/sheet_bar.html", context)


def _way(
    request: HttpRequest, patient: Patient, session: Session | None, sheet: Sheet | None
) -> str:
    """To the sheet; before there is one, to where a line is written for it."""
    if sheet:
        return reverse("sheets:detail", args=[patient.number, sheet.pk])
    if session and _may_give(request):
        return reverse("sheets:prepare", args=[patient.number, session.pk])
    return ""


@requires(Permission.SEE_NOTES)
@require_GET
def panel_all(request: HttpRequest, number: int) -> HttpResponse:
    """On the patient's page: the newest version of every sheet they were given."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    newest = Sheet.objects.filter(patient=patient).newest_of_each_session().order_by("-pk")
    sheets = newest.defer("content").prefetch_related("session__treated_areas__area")
    return render(request, "aftercare/sheet_list.html", {"patient": patient, "sheets": sheets})


@requires(Permission.WRITE_NOTES)
@require_POST
def give(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Give the sheet now; the worker would do it within a minute."""
    session = _session(request, number, session_id)
    with refused_notice(request):
        give_sheet(by=staff_of(request), session=session)
    return redirect("sessions:detail", session.patient.number, session.pk)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def prepare(request: HttpRequest, number: int, session_id: int) -> HttpResponse:
    """Write a line for the sheet, look at it, and give it. `what` is give, or show."""
    session = _session(request, number, session_id)
    is_shown = request.POST.get("what") == "show"
    form = SheetForm(request.POST or None, initial=_begun(session))
    status = 200
    if request.method == "POST" and not is_shown:
        status = 422
        if form.is_valid():
            try:
                where = _give(request, session, form)
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect(where)
    return _prepare_page(request, session, form, status)


def _begun(session: Session) -> dict[str, Any]:
    """What the form begins with: the last version, else the draft, else what the patient speaks."""
    last = Sheet.objects.filter(session=session).order_by("-version").first()
    if last:
        line = last.content.get("personal", "")
        return {"personal_line": line, "language": last.language, "known": last.version}
    draft = SheetDraft.objects.filter(session=session).first()
    language = draft.language if draft else language_for(session.patient)
    line = draft.personal_line if draft else ""
    return {"personal_line": line, "language": language, "known": 0}


def _give(request: HttpRequest, session: Session, form: SheetForm) -> str:
    """Give it, or keep it for later; where to go then. Raises `ActionRefused`."""
    by, number = staff_of(request), session.patient.number
    if not session.is_signed:
        keep_draft(by=by, session=session, wish=form.wish)
        messages.success(request, _("Kept. It goes on the sheet once the session is signed."))
        return reverse("sessions:detail", args=[number, session.pk])
    known = form.cleaned_data["known"]
    sheet = give_version(by=by, session=session, wish=form.wish, known=known)
    messages.success(request, _("Given: version %(n)s.") % {"n": sheet.version})
    return reverse("sheets:detail", args=[number, sheet.pk])


def _prepare_page(
    request: HttpRequest, session: Session, form: SheetForm, status: int
) -> HttpResponse:
    wish = _wish_shown(form)
    sample = _sample(session, wish) if wish else None
    blocks = blocks_for(treatment_of(session)) if sample else []
    foreign = [line for part in (sample or {"sections": []})["sections"] for line in part["lines"]]
    context = {
        "session": session,
        "patient": session.patient,
        "today": timezone.localdate(timezone=zone_of(request)),
        "form": form,
        "lacking": lacking_for(session.patient),
        "versions": versions_of(session),
        "sample": sample,
        "unapproved": sum(not block.is_approved for block in blocks),
        "untranslated": sum(line["is_foreign"] for line in foreign),
    }
    is_part = request.POST.get("what") == "show" and getattr(request, "htmx", False)
    template = "aftercare/sheet_prepare.html" + ("#preview" if is_part else "")
    return render(request, template, context, status=status)


def _wish_shown(form: SheetForm) -> Wish | None:
    """What the preview shows: nothing while the line cannot stand."""
    said = form.data if form.is_bound else form.initial
    line = str(said.get("personal_line", "")).replace("\r\n", "\n").strip()
    language = said.get("language", "")
    if language not in dict(offered()) or plain_fault(line, LONGEST_LINE):
        return None
    return Wish(language, line)


def _sample(session: Session, wish: Wish) -> dict[str, Any]:
    content = content_of(
        session, language=wish.language, at=timezone.now(), personal_line=wish.personal_line
    )
    return page_of(content, language=wish.language)


@requires(Permission.SEE_NOTES)
@require_GET
def detail(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """A version as it was given, and what became of it."""
    sheet = _sheet(request, number, pk)
    versions = versions_of(sheet.session)
    context = {
        "sheet": sheet,
        "patient": sheet.patient,
        "today": timezone.localdate(timezone=zone_of(request)),
        "versions": versions,
        "is_newest": versions[0].sheet.pk == sheet.pk,
        "may_give": _may_give(request),
        **page_of(sheet.content, language=sheet.language),
    }
    return render(request, "aftercare/sheet_detail.html", context)


@requires(Permission.WRITE_NOTES)
@require_POST
def send(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Send the patient the link once more."""
    sheet = _sheet(request, number, pk)
    with refused_notice(request):
        send_again(by=staff_of(request), sheet=sheet)
        messages.success(request, _("The link is on its way."))
    return redirect("sheets:detail", sheet.patient.number, sheet.pk)
