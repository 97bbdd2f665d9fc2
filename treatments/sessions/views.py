"""The session page: one page from “anything changed?” to the signature, and the record after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.audit.actions import record_refusal
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.local_copy import copy_key, copy_name
from patients.registry.models import Patient
from treatments.consents.coverage import coverage
from treatments.diary.models import Appointment
from treatments.plans.course import total
from treatments.plans.gather import is_face
from treatments.plans.models import Plan
from treatments.plans.stops import standing_of
from treatments.screening.actions import blocking
from treatments.screening.engine import Verdict
from treatments.sessions import page
from treatments.sessions.actions import (
    NotSignable,
    StaleSession,
    add_addendum,
    save_sections,
    sign_session,
    start_session,
    verdicts_of,
)
from treatments.sessions.editing import added, edited, repeated, with_syringe, without_syringe
from treatments.sessions.entries import AreaEntry, Attempt, Sections
from treatments.sessions.filling import left_out
from treatments.sessions.forms import AddendumForm, SessionForms, Shelf
from treatments.sessions.gather import due_after, given
from treatments.sessions.lines import written
from treatments.sessions.models import Session
from treatments.sessions.parts import Parts, last_signed
from treatments.sessions.points import read_points
from treatments.sessions.readiness import (
    NotReady,
    Obstacle,
    consent_obstacles,
    obstacles,
    planned_verdicts,
)
from treatments.sessions.totals import totals_of
from treatments.sessions.withdrawal import withdrawn_from

AUTOSAVE = "X-Autosave"
LARGEST_ID = 2**63 - 1
MOST_UNFINISHED = 30
MOST_UNANSWERED = 200


def _session(request: HttpRequest, number: int, pk: int) -> Session:
    mine: Any = (
        Session.objects.visible_to(staff_of(request))
        .select_related("patient", "location__country", "plan", "consent")
        .defer("consent__html", "consent__signature_svg", "consent__signature_strokes")
        .prefetch_related("plan__phases")
    )
    found: Session = fetch(request, mine, pk=pk, patient_id=number)
    if found.plan.location_id == found.location_id:
        found.plan.location = found.location
    return found


@requires(Permission.WRITE_NOTES)
@require_safe
def following(request: HttpRequest, number: int) -> HttpResponse:
    """From Today to the session of the visit: the plan under way, or the choice between several."""
    patient = fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    plans = list(Plan.objects.filter(patient=patient, state=Plan.State.ACCEPTED).order_by("-pk"))
    if len(plans) == 1:
        return redirect("sessions:start", patient.number, plans[0].pk)
    return render(request, "treatments/session_next.html", {"patient": patient, "plans": plans})


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Whether this plan's next session may start, and what stands in its way; POST starts it."""
    plan: Plan = fetch(
        request,
        Plan.objects.visible_to(staff_of(request)).select_related("patient", "location"),
        pk=pk,
        patient_id=number,
    )
    if request.method != "POST":
        done = plan.sessions.filter(signed_at__isnull=False).count()
        now = timezone.now()
        verdicts = planned_verdicts(plan, done + 1, plan.location, now)
        found = obstacles(plan, done + 1, plan.location, now, verdicts)
        return _start_page(request, plan, found, verdicts=verdicts)
    try:
        session = start_session(
            by=staff_of(request),
            plan=plan,
            appointment=_appointment(request, number),
            as_last="as_last" in request.POST,
        )
    except NotReady as no:
        return _start_page(request, plan, no.obstacles, status=422)
    except ActionRefused as no:
        return _start_page(request, plan, [Obstacle("", no.message)], status=422)
    return redirect("sessions:edit", plan.patient.number, session.pk)


def _appointment(request: HttpRequest, number: int) -> Appointment | None:
    wanted = request.POST.get("appointment", "")
    if not wanted:
        return None
    if not wanted.isdecimal() or int(wanted) > LARGEST_ID:
        raise Http404
    mine: Any = Appointment.objects.visible_to(staff_of(request))
    found: Appointment = fetch(request, mine, pk=int(wanted), patient_id=number)
    return found


def _start_page(
    request: HttpRequest,
    plan: Plan,
    found: list[Obstacle],
    status: int = 200,
    verdicts: list[Verdict] | None = None,
) -> HttpResponse:
    begun = Session.objects.filter(plan=plan, signed_at__isnull=True).first()
    number = 1 + plan.sessions.filter(signed_at__isnull=False).count()
    if begun is not None or any(obstacle.cure == "history" for obstacle in found):
        verdicts = []
    elif verdicts is None:
        verdicts = planned_verdicts(plan, number, plan.location, timezone.now())
    today = timezone.localdate(timezone=plan.location.zone)
    visits = Appointment.objects.filter(
        patient=plan.patient, location=plan.location, session__isnull=True
    ).exclude(status__in=[*Appointment.GIVEN_UP, Appointment.Status.HELD])
    context = {
        "plan": plan,
        "patient": plan.patient,
        "today": today,
        "obstacles": found,
        "begun": begun,
        "visit": visits.filter(starts_at__date=today).order_by("starts_at").first(),
        "verdicts": verdicts,
        "number": number,
        "planned": total(plan.phases.all()),
        "last": last_signed(plan, before=number),
        "stops": standing_of(plan) if plan.state == Plan.State.ACCEPTED else [],
    }
    return render(request, "treatments/session_start.html", context, status=status)


@requires(Permission.WRITE_NOTES)
@require_safe
def edit(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """The open session. A signed one is shown as its record."""
    session = _session(request, number, pk)
    if session.is_signed:
        return redirect("sessions:detail", session.patient.number, session.pk)
    parts = Parts.of(session)
    forms = SessionForms.of(page.shelf_of(parts, timezone.now()))
    return _page(request, parts, forms)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Save what the page holds, after the map button that was pressed, if one was."""
    session = _session(request, number, pk)
    if request.method != "POST":
        return redirect("sessions:edit", session.patient.number, session.pk)
    forms = SessionForms.of(page.shelf_of(Parts.of(session), timezone.now()), request.POST)
    outcome = _store(request, session, forms)
    if AUTOSAVE in request.headers:
        return _answer(request, session, forms, outcome)
    if outcome.is_clean:
        return redirect(
            reverse("sessions:edit", args=[session.patient.number, session.pk]) + outcome.anchor
        )
    return _page(request, Parts.of(session), forms, outcome)


@requires(Permission.WRITE_NOTES)
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Save what the page holds and sign it; what stands in the way is listed."""
    session = _session(request, number, pk)
    if request.method != "POST":
        return redirect("sessions:edit", session.patient.number, session.pk)
    forms = SessionForms.of(page.shelf_of(Parts.of(session), timezone.now()), request.POST)
    outcome = _store(request, session, forms)
    if outcome.is_clean:
        try:
            sign_session(by=staff_of(request), session=session, revision=outcome.revision)
        except NotSignable as no:
            outcome.problems = no.problems
        except ActionRefused as no:
            outcome.problems = [no.message]
    if outcome.is_clean:
        messages.success(request, _("The session is signed and closed."))
        done = reverse("sessions:detail", args=[session.patient.number, session.pk])
        return JsonResponse({"go": done}) if AUTOSAVE in request.headers else redirect(done)
    if AUTOSAVE in request.headers:
        return _answer(request, session, forms, outcome)
    return _page(request, Parts.of(session), forms, outcome)


class Outcome:
    """What came of a save: refused sections, field errors, problems with the signature."""

    def __init__(self) -> None:
        self.revision = 0
        self.saved_at: datetime | None = None
        self.refused: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.problems: list[str] = []
        self.is_stale = False
        self.anchor = ""
        self.line = ""

    @property
    def is_clean(self) -> bool:
        return not (self.refused or self.errors or self.problems or self.is_stale)

    @property
    def status(self) -> int:
        return 409 if self.is_stale else 200 if self.is_clean else 422


def _store(request: HttpRequest, session: Session, forms: SessionForms) -> Outcome:
    outcome = Outcome()
    sections = _sections(forms)
    outcome.errors = errors_of(forms)
    do = request.POST.get("do", "")
    try:
        sections = _pressed(request.POST, do, session, forms, sections)
        outcome.anchor = ("#mix" if do.startswith("syringe") else "#map") if do else ""
    except ActionRefused as no:
        outcome.refused["mix" if do.startswith("syringe") else "areas"] = no.message
        outcome.line = request.POST.get("new_line", "")[:300]
    try:
        stored, refused = save_sections(
            by=staff_of(request),
            session=session,
            revision=_revision(request.POST),
            sections=sections,
            attempt=_attempt(request.POST),
        )
    except StaleSession as no:
        _note_refusal(request, session)
        outcome.is_stale, outcome.problems = True, [no.message]
        return outcome
    except ActionRefused as no:
        outcome.problems = [no.message]
        return outcome
    outcome.refused = {**refused, **outcome.refused}
    outcome.revision, outcome.saved_at = stored.revision, stored.saved_at
    session.refresh_from_db()
    return outcome


def _note_refusal(request: HttpRequest, session: Session) -> None:
    """An attempt to change a signed session is refused, and leaves a trace."""
    session.refresh_from_db(fields=["signed_at"])
    if session.is_signed:
        what = request.resolver_match.view_name if request.resolver_match else "sessions"
        record_refusal(what=what, patients=[session.patient_id], object_id=str(session.pk))


def _revision(data: QueryDict) -> int:
    """The revision the page was opened with; without a readable one it counts as stale."""
    text = data.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _attempt(data: QueryDict) -> Attempt:
    """What the page calls this save, and those it had no answer to."""
    lost = [name for name in data.get("unanswered", "").split(",") if name]
    return Attempt(data.get("attempt", "")[:36], lost[-MOST_UNANSWERED:])


def _sections(forms: SessionForms) -> Sections:
    """What the valid forms hold; an invalid section stays as it was stored."""
    return Sections(
        preparation=forms.preparation.entry() if forms.preparation.is_valid() else None,
        creams=forms.creams.entries() if forms.creams.is_valid() else None,
        mix=forms.mix.entries() if _mix_is_valid(forms) else None,
        syringes=forms.syringes.entries() if _mix_is_valid(forms) else None,
        areas=forms.areas.entries() if forms.areas.is_valid() else None,
        observation=forms.observation.entry() if forms.observation.is_valid() else None,
    )


def _mix_is_valid(forms: SessionForms) -> bool:
    """Syringes and what is in them are stored together."""
    return forms.syringes.is_valid() and forms.mix.is_valid()


def errors_of(forms: SessionForms) -> dict[str, str]:
    """Every field error by the id of its control; a section's own by the section's name."""
    found: dict[str, str] = {}
    rows = {
        "creams": forms.creams,
        "syringes": forms.syringes,
        "mix": forms.mix,
        "areas": forms.areas,
    }
    single = [forms.preparation, forms.observation]
    for name, formset in rows.items():
        if formset.non_form_errors():
            found[name] = " ".join(str(error) for error in formset.non_form_errors())
    for form in [*single, *(form for formset in rows.values() for form in formset.forms)]:
        for name, errors in form.errors.items():
            found[form[name].auto_id if name in form.fields else form.prefix or ""] = str(errors[0])
    return found


def _pressed(
    data: QueryDict, do: str, session: Session, forms: SessionForms, sections: Sections
) -> Sections:
    """The sections after a button. A part that could not be read is left alone."""
    if not do or do in ("save", "sign"):
        return sections
    if do.startswith("syringe"):
        return _with_tray(do, sections)
    if sections.areas is None:
        return sections
    entries: list[AreaEntry] = list(sections.areas)
    if do == "repeat":
        last = last_signed(session.plan, before=session.number)
        if last is None:
            raise ActionRefused(_("There is no earlier session of this plan."))
        entries = repeated(last, [row.label for row in forms.shelf.syringes])
    elif do == "add":
        entries = _with_area(data, session, forms.shelf, entries)
    elif do == "line":
        entries = [*entries, written(data.get("new_line", ""), session, forms.shelf, entries)]
    else:
        counts = [form.cleaned_data.get("count") for form in forms.areas.forms]
        entries = edited(entries, do, counts)
    return Sections(**{**vars(sections), "areas": entries})


def _with_tray(do: str, sections: Sections) -> Sections:
    """One more syringe, or one less with what is in it."""
    if sections.syringes is None or sections.mix is None:
        return sections
    _verb, _colon, label = do.partition(":")
    if label:
        return without_syringe(sections, label)
    return with_syringe(sections)


def _with_area(
    data: QueryDict, session: Session, shelf: Shelf, entries: list[AreaEntry]
) -> list[AreaEntry]:
    key, _colon, side = data.get("new_area", "").partition(":")
    area = next((a for a in shelf.areas if key in (str(a.pk), a.code)), None)
    if area is None or side not in ("none", "left", "right", "both"):
        raise ActionRefused(_("Choose an area that the consent names."))
    return added(entries, session, area, side, data.get("new_at", ""))


def _page(
    request: HttpRequest,
    parts: Parts,
    forms: SessionForms,
    outcome: Outcome | None = None,
) -> HttpResponse:
    outcome = outcome or Outcome()
    context = _context(request, parts, forms, outcome)
    return render(request, "treatments/session_edit.html", context, status=outcome.status)


def _context(
    request: HttpRequest, parts: Parts, forms: SessionForms, outcome: Outcome
) -> dict[str, Any]:
    session, now = parts.session, timezone.now()
    verdicts = verdicts_of(parts, now)
    zone, me = session.location.zone, staff_of(request)
    totals = totals_of(given(parts, now, verdicts))
    doing = page.doing_of(parts.syringes, totals, parts.areas)
    return {
        "session": session,
        "patient": session.patient,
        "today": now.astimezone(zone).date(),
        "forms": forms,
        "outcome": outcome,
        "revision": outcome.revision or session.revision,
        "saved_at": session.saved_at and session.saved_at.astimezone(zone),
        "planned": total(session.plan.phases.all()),
        "history": parts.history,
        "consent_problems": [
            obstacle.message
            for obstacle in consent_obstacles(coverage(session.patient, session.plan, now))
        ],
        "withdrawn_at": withdrawn_from(session),
        "keep": {"name": copy_name(me, session), "key": copy_key(me, session)},
        "verdicts": verdicts,
        "blocked": bool(blocking(verdicts)),
        "charts": page.charts_of(parts.areas, forms.shelf),
        "rows": area_rows(forms, doing),
        "tray": page.tray_of(forms, session, parts.syringes, totals),
        "pharmacy_only": session.location.country.mixing_in_pharmacy_only,
        "due": due_after(session),
        "new_areas": page.new_areas(forms),
        "waits": page.waits_of(session, parts.creams),
        "last": parts.last,
        "totals": page.totals_view(totals),
        "left_out": left_out(parts, now),
        "stops": standing_of(session.plan),
    }


def area_rows(forms: SessionForms, doing: dict[str, page.Doing]) -> list[dict[str, Any]]:
    """Each area form with its name and mark, for the list beside the map."""
    areas = {str(area.pk): area for area in forms.shelf.areas}
    found = []
    for number, form in enumerate(forms.areas.forms):
        area = areas.get(str(form["area"].value()))
        side = str(form["side"].value() or "")
        known = area is not None and side in ("none", "left", "right", "both")
        found.append(
            {
                "number": number,
                "shape": number % page.SHAPES,
                "form": form,
                "code": area.code if area else "",
                "side": side,
                "chart": form["chart"].value(),
                "name": page.side_name(area, side) if known and area else _("Unknown area"),
                "count": _count(form),
                "can_mirror": side in ("left", "right", "both"),
                "is_face": area is not None and is_face(area),
                "doing": doing.get(f"{area.pk}:{side}") if area else None,
                "cm2": page.size_cm2(str(form["chart"].value()), area.code, side)
                if area and known
                else None,
            }
        )
    return found


def _count(form: Any) -> int:
    """How many points a row's text holds; none when it cannot be read."""
    try:
        return len(read_points(str(form["points"].value() or "")))
    except ActionRefused:
        return 0


def _answer(
    request: HttpRequest, session: Session, forms: SessionForms, outcome: Outcome
) -> JsonResponse:
    """What a page that saves by itself needs to know: truthfully, and the parts that changed."""
    do = request.POST.get("do", "")
    fresh = bool(do) and do != "sign" and not outcome.errors and not outcome.is_stale
    stored = Parts.of(session)
    if fresh:
        forms = SessionForms.of(page.shelf_of(stored, timezone.now()))
    context = _context(request, stored, forms, outcome)
    parts = {"totals": "totals", "waits": "waits", "bench": "bench"}
    if fresh:
        parts["rows"] = "rows"
    if fresh and do.startswith("syringe"):
        parts |= {"mix": "mix", "discard": "discard"}
    if fresh and [c.code for c in context["charts"]] != request.POST.get("charts", "").split(","):
        parts["charts"] = "charts"
    name = "treatments/session_edit.html"
    saved = outcome.saved_at and outcome.saved_at.astimezone(session.location.zone)
    data = {
        "revision": outcome.revision,
        "saved": saved and saved.strftime("%H:%M"),
        "stale": outcome.is_stale,
        "refused": outcome.refused,
        "errors": outcome.errors,
        "problems": outcome.problems,
        "parts": {
            key: render_to_string(f"{name}#{part}", context, request) for key, part in parts.items()
        },
    }
    return JsonResponse(data, status=outcome.status)


@requires(Permission.SEE_NOTES)
@require_safe
def detail(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """The record of a signed session; a draft's link leads to the open page."""
    return _detail(request, _session(request, number, pk), AddendumForm())


def _detail(
    request: HttpRequest, session: Session, form: AddendumForm, status: int = 200
) -> HttpResponse:
    zone = session.location.zone
    rows = list(
        session.treated_areas.select_related("area", "technique", "device", "modality", "syringe")
    )
    creams = session.anaesthesia.select_related("anaesthetic", "lot").order_by("pk")
    context = {
        "session": session,
        "patient": session.patient,
        "today": timezone.localdate(timezone=zone),
        "rows": [
            {
                "row": row,
                "name": page.side_name(row.area, row.side),
                "shape": n % page.SHAPES,
                "settings": page.settings_said(row),
            }
            for n, row in enumerate(rows)
        ],
        "charts": page.charts_of(rows),
        "mix": session.mix.select_related("lot__product", "syringe").order_by(
            "syringe__label", "pk"
        ),
        "syringes": page.syringes_read(session),
        "waits": page.waits_of(session, creams),
        "creams": creams,
        "addenda": session.addenda.select_related("written_by"),
        "planned": total(session.plan.phases.all()),
        "zone": zone,
        "form": form,
    }
    return render(request, "treatments/session_detail.html", context, status=status)


@requires(Permission.WRITE_NOTES)
@require_POST
def addendum(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """A later word on a signed session."""
    session = _session(request, number, pk)
    form = AddendumForm(request.POST)
    if form.is_valid():
        try:
            add_addendum(by=staff_of(request), session=session, **form.cleaned_data)
        except ActionRefused as no:
            refuse(form, no)
        else:
            return redirect("sessions:detail", session.patient.number, session.pk)
    return _detail(request, session, form, status=422)


@requires(Permission.SEE_NOTES)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The sessions of a patient, newest first, for the patient page."""
    staff = staff_of(request)
    patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    mine: Any = Session.objects.visible_to(staff).filter(patient=patient)
    sessions = mine.select_related("plan", "location", "practitioner").order_by("-started_at")
    context = {"patient": patient, "sessions": list(sessions[:12])}
    return render(request, "treatments/session_panel.html", context)


@requires(Permission.WRITE_NOTES)
@require_safe
def unfinished(request: HttpRequest) -> HttpResponse:
    """Sessions begun here and not signed, oldest first, until each is closed."""
    location = location_of(request)
    mine: Any = Session.objects.visible_to(staff_of(request))
    rows = list(
        mine.filter(location=location, signed_at__isnull=True)
        .select_related("patient", "plan", "practitioner")
        .order_by("started_at")[:MOST_UNFINISHED]
    )
    listed(request, [row.patient_id for row in rows])
    context = {
        "rows": rows,
        "location": location,
        "today": timezone.localdate(timezone=location.zone),
    }
    return render(request, "treatments/session_unfinished.html", context)
