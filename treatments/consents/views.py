"""Consent at the clinic: prepared, handed over, countersigned, withdrawn; and its state for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch, listed
from clinic.access.limits import address_of
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.tongues import direction_of
from clinic.web.forms import refuse
from patients.registry.models import Patient
from treatments.consents.actions import (
    answer_question,
    ask_question,
    countersign,
    is_time_to_sign,
    open_questions,
    open_text,
    prepare_consent,
    sign_consent,
    signable_from,
    waive_attendant,
    withdraw,
)
from treatments.consents.attending import Beside
from treatments.consents.coverage import CoverageState, coverage
from treatments.consents.evidence import photo_choices, questions_of
from treatments.consents.forms import (
    AnswerForm,
    CountersignForm,
    PrepareForm,
    QuestionForm,
    SignForm,
    WaiveForm,
    WithdrawForm,
    practitioners_at,
)
from treatments.consents.in_force import choice_for
from treatments.consents.models import Consent, ConsentQuestion, Identity
from treatments.consents.signing import AT_THE_CLINIC, missing_of, signer_name
from treatments.consents.states import PlanConsent, running_plans, with_withdrawn, worst
from treatments.consents.tongue import speaking
from treatments.diary.models import Appointment
from treatments.plans.models import Plan
from treatments.plans.reading import screen_plan

IN_PERSON = gettext_noop("in person")
MOST_MARKED = 700
MOST_SHOWN = 12


def _patient(request: HttpRequest, number: int) -> Patient:
    return fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)


def _plan(request: HttpRequest, number: int, plan_id: int) -> Plan:
    mine = Plan.objects.visible_to(staff_of(request)).select_related("patient", "location__country")
    found: Plan = fetch(request, mine, pk=plan_id, patient_id=number)
    return found


def _consent(request: HttpRequest, number: int, consent_id: int) -> Consent:
    mine = Consent.objects.visible_to(staff_of(request)).select_related(
        "patient",
        "plan__location__country",
        "countersigned_by",
        "practitioner",
        "template__approved_by",
        "document",
        "prepared_by",
    )
    found: Consent = fetch(request, mine, pk=consent_id, patient_id=number)
    return found


@requires(Permission.SEE_NOTES)
@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The consents of a patient's running plans, and those that came before."""
    patient = _patient(request, number)
    now = timezone.now()
    context = {
        "patient": patient,
        "running": running_plans([patient.pk], now),
        "earlier": Consent.objects.filter(patient=patient, signed_at__isnull=False)
        .select_related("plan")
        .order_by("-signed_at")[:20],
        "choice": choice_for(patient, location_of(request)),
        "practitioners": practitioners_at(location_of(request)),
    }
    return render(request, "treatments/consent_panel.html", context)


@requires(Permission.SEE_NOTES)
@require_safe
def of_plan(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """The consent of one plan, for the plan's page."""
    plan = _plan(request, number, plan_id)
    context = {
        "patient": plan.patient,
        "one": PlanConsent(plan, coverage(plan.patient, plan, timezone.now())),
        "choice": choice_for(plan.patient, plan.location),
        "practitioners": practitioners_at(plan.location),
    }
    return render(request, "treatments/consent_plan.html", context)


@requires(Permission.SEE_CONSENT_STATE)
@require_safe
def bar(request: HttpRequest, number: int) -> HttpResponse:
    """The state for the patient bar: a word, for everyone who works here."""
    patient = _patient(request, number)
    found = worst(running_plans([patient.pk], timezone.now()))
    return render(request, "treatments/consent_bar.html", {"found": found})


@requires(Permission.SEE_CONSENT_STATE)
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """Who comes today with an accepted plan that no consent covers, and who has withdrawn theirs
    and is still booked for another day.
    """
    location, now = location_of(request), timezone.now()
    day = timezone.localdate(now, location.zone)
    start = datetime.combine(day, time.min, location.zone)
    end = datetime.combine(day + timedelta(days=1), time.min, location.zone)
    booked = Appointment.objects.visible_to(staff_of(request)).live().filter(location=location)
    coming = booked.between(start, end).select_related("patient")
    visits = {one.patient_id: one for one in reversed(coming)}
    later = booked.filter(starts_at__gte=end, patient__in=with_withdrawn()).order_by("-starts_at")
    after = {one.patient_id: one for one in later.select_related("patient")}
    running = running_plans({*visits, *after}, now)
    lacking = [one for one in running if not one.coverage.is_covered]
    rows = _beside(visits, lacking)
    gone = [one for one in lacking if _is_withdrawn(one)]
    kept = _beside({who: visit for who, visit in after.items() if who not in visits}, gone)
    listed(request, [one.plan.patient_id for _visit, one in (*rows, *kept)])
    context = {"rows": rows, "withdrawn": kept, "location": location}
    return render(request, "treatments/consent_today.html", context)


@requires(Permission.TAKE_CONSENT)
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """For a practitioner's day: questions that wait for an answer, and what waits for their own
    signature.
    """
    me, location = staff_of(request), location_of(request)
    asked = ConsentQuestion.objects.filter(
        answered_at__isnull=True,
        consent__signed_at__isnull=True,
        consent__plan__state=Plan.State.ACCEPTED,
        consent__plan__location=location,
    )
    open_ones = asked.select_related("consent__patient").order_by("asked_at")[:MOST_SHOWN]
    unsigned = Consent.objects.visible_to(me).filter(
        practitioner=me,
        signed_at__isnull=False,
        countersigned_at__isnull=True,
        withdrawn_at__isnull=True,
        plan__state=Plan.State.ACCEPTED,
    )
    wait = unsigned.select_related("patient").order_by("-signed_at")[:MOST_SHOWN]
    context = {"questions": open_ones, "unsigned": wait, "location": location}
    listed(request, [*(one.consent.patient_id for one in open_ones), *(o.patient_id for o in wait)])
    return render(request, "treatments/consent_mine.html", context)


def _beside(
    visits: Mapping[int, Appointment], found: Iterable[PlanConsent]
) -> list[tuple[Appointment, PlanConsent]]:
    """Each plan beside its patient's visit, in the order of the visits."""
    rows = [(visits[one.plan.patient_id], one) for one in found if one.plan.patient_id in visits]
    return sorted(rows, key=lambda row: row[0].starts_at)


@requires(Permission.SEE_CONSENT_STATE)
@require_safe
def marks(request: HttpRequest) -> HttpResponse:
    """Of `?appointments=1,2,3` those whose patient's plan no consent covers, for the diary.

    JSON: `{"1": {"icon": ..., "tone": ..., "word": ...}}`, with an icon of the sprite.
    """
    asked = request.GET.get("appointments", "").split(",")[:MOST_MARKED]
    ids = [int(one) for one in asked if one.isascii() and one.isdigit() and len(one) < 19]
    visits = Appointment.objects.visible_to(staff_of(request)).live().filter(pk__in=ids)
    patients = dict(visits.values_list("pk", "patient_id"))
    running = running_plans(set(patients.values()), timezone.now())
    lacking = {one.plan.patient_id for one in running if not one.coverage.is_covered}
    gone = {one.plan.patient_id for one in running if _is_withdrawn(one)}
    listed(request, lacking)
    mark = {"icon": "file-earmark-x", "tone": "stop", "word": _("consent")}
    call = {"icon": "slash-circle", "tone": "stop", "word": _("consent withdrawn")}
    return JsonResponse(
        {
            pk: call if patient in gone else mark
            for pk, patient in patients.items()
            if patient in lacking
        }
    )


def _is_withdrawn(one: PlanConsent) -> bool:
    return one.coverage.state == CoverageState.WITHDRAWN


@requires(Permission.SEE_NOTES)
@require_safe
def standing(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """Whether a consent still stands, for the page of a session that is under way."""
    mine = Consent.objects.visible_to(staff_of(request)).select_related("patient", "plan__location")
    light = mine.defer("html", "signature_svg", "signature_strokes", "screening", "statements")
    consent: Consent = fetch(request, light, pk=consent_id, patient_id=number)
    since = Consent.objects.filter(plan_id=consent.plan_id, pk__gt=consent.pk)
    context = {
        "patient": consent.patient,
        "consent": consent,
        "zone": consent.plan.location.zone,
        "is_asked_again": True,
        "is_replaced": since.filter(signed_at__isnull=False, withdrawn_at__isnull=True).exists(),
    }
    return render(request, "treatments/consent_standing.html", context)


@requires(Permission.SEE_CONSENT_STATE)
@require_safe
def to_call(request: HttpRequest, number: int) -> HttpResponse:
    """At a visit: the patient has withdrawn, and nobody should wait for them to say so again."""
    patient = _patient(request, number)
    found = worst(running_plans([patient.pk], timezone.now()))
    is_withdrawn = found is not None and found.coverage.state == CoverageState.WITHDRAWN
    context = {
        "patient": patient,
        "consent": found.coverage.consent if found and is_withdrawn else None,
        "zone": location_of(request).zone,
    }
    return render(request, "treatments/consent_to_call.html", context)


@requires(Permission.TAKE_CONSENT)
@require_POST
def prepare(request: HttpRequest, number: int, plan_id: int) -> HttpResponse:
    """Compose the text for a plan and go to it."""
    plan = _plan(request, number, plan_id)
    form = PrepareForm(request.POST, location=plan.location)
    form.is_valid()
    said = form.cleaned_data
    try:
        consent = prepare_consent(
            by=staff_of(request),
            plan=plan,
            language=said.get("language", plan.patient.language),
            practitioner=said.get("practitioner"),
        )
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("plans:detail", plan.patient.number, plan.pk)
    return redirect("consents:detail", plan.patient.number, consent.pk)


@requires(Permission.TAKE_CONSENT)
@require_safe
def detail(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """A consent to read, with how it was signed and what can be done with it."""
    return _detail(request, _consent(request, number, consent_id))


def _detail(
    request: HttpRequest, consent: Consent, status: int = 200, **forms: Any
) -> HttpResponse:
    zone = consent.plan.location.zone
    context = {
        **reading(consent),
        "today": timezone.localdate(timezone=zone),
        "plan": consent.plan,
        "zone": zone,
        "missing": _with_forms(consent, forms.get("waive")),
        "verdicts": screen_plan(consent.plan, timezone.now()) if _is_in_use(consent) else [],
        "is_in_use": _is_in_use(consent),
        "photos": photo_choices(consent),
        "attendants": consent.attendants.all(),
        "waived": waived_of(consent),
        "form": forms.get("form") or WithdrawForm(),
        "answer": forms.get("answer") or AnswerForm(),
        "question": forms.get("question") or QuestionForm(prefix="asked"),
        "answering": forms.get("answering"),
    }
    return render(request, "treatments/consent_detail.html", context, status=status)


def reading(consent: Consent) -> dict[str, Any]:
    """What every page that shows a consent says of it."""
    start, zone = signable_from(consent), consent.plan.location.zone
    return {
        "patient": consent.patient,
        "consent": consent,
        "direction": direction_of(consent.language),
        "location": consent.plan.location,
        "signable_from": start and timezone.localtime(start, zone),
        "can_sign": is_time_to_sign(consent, timezone.now()),
        "questions": questions_of(consent),
        "unanswered": open_questions(consent),
        "missing": missing_of(consent),
    }


def _is_in_use(consent: Consent) -> bool:
    """Whether anything can still be done by it, so that what speaks against it now matters."""
    return consent.withdrawn_at is None and consent.plan.state == Plan.State.ACCEPTED


@requires(Permission.TAKE_CONSENT)
@require_POST
def open_here(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """The patient opens the text on the practitioner's tablet."""
    consent = _consent(request, number, consent_id)
    open_text(consent=consent, device=AT_THE_CLINIC)
    return redirect("consents:sign", consent.patient.number, consent.pk)


@requires(Permission.TAKE_CONSENT)
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """The tablet in the patient's hand: this consent and nothing else, in its own language."""
    consent = _consent(request, number, consent_id)
    with speaking(consent.language):
        if request.method != "POST":
            begun = {"signed_name": signer_name(consent)}
            form = SignForm(consent=consent, attended=True, initial=begun)
            return _hand_over(request, consent, form)
        form = SignForm(request.POST, consent=consent, attended=True)
        if form.is_valid():
            try:
                sign_consent(
                    consent=consent,
                    device=AT_THE_CLINIC,
                    address=address_of(request),
                    **form.values,
                )
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("consents:signed", consent.patient.number, consent.pk)
        return _hand_over(request, consent, form, status=422)


def _hand_over(
    request: HttpRequest, consent: Consent, form: SignForm, status: int = 200
) -> HttpResponse:
    context = {**reading(consent), "form": form}
    return render(request, "treatments/consent_sign.html", context, status=status)


@requires(Permission.TAKE_CONSENT)
@require_safe
def signed(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """Thanks; the tablet goes back to the clinic."""
    consent = _consent(request, number, consent_id)
    with speaking(consent.language):
        context = {"patient": consent.patient, "consent": consent}
        return render(request, "treatments/consent_signed.html", context)


def _with_forms(consent: Consent, refused: WaiveForm | None) -> list[dict[str, Any]]:
    """Who has not signed yet, each with the form that says that nobody waits."""
    known = {refused.role: refused} if refused else {}
    return [
        {**one, "form": known.get(one["role"]) or WaiveForm(role=one["role"])}
        for one in missing_of(consent)
    ]


def waived_of(consent: Consent) -> list[dict[str, Any]]:
    """Whom nobody waits for any more: their role, and who said so, when and why."""
    return [
        {"label": Beside(role).label, **said, "at": datetime.fromisoformat(said["at"])}
        for role, said in consent.waived.items()
    ]


@requires(Permission.TAKE_CONSENT)
@require_POST
def waive(request: HttpRequest, number: int, consent_id: int, role: str) -> HttpResponse:
    """The interpreter or witness will not sign: why, and nobody waits any more."""
    consent = _consent(request, number, consent_id)
    form = WaiveForm(request.POST, role=role)
    if form.is_valid():
        said = form.cleaned_data["reason"]
        try:
            waive_attendant(by=staff_of(request), consent=consent, role=role, reason=said)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Nobody waits for this signature any more."))
            return redirect("consents:detail", consent.patient.number, consent.pk)
    return _detail(request, consent, waive=form, status=422)


@requires(Permission.TAKE_CONSENT)
@require_POST
def note_question(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """A question that was asked face to face; its answer is written below it."""
    consent = _consent(request, number, consent_id)
    form = QuestionForm(request.POST, prefix="asked")
    if form.is_valid():
        try:
            ask_question(consent=consent, text=form.cleaned_data["text"], device=IN_PERSON)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("consents:detail", consent.patient.number, consent.pk)
    return _detail(request, consent, question=form, status=422)


@requires(Permission.TAKE_CONSENT)
@require_POST
def answer(request: HttpRequest, number: int, consent_id: int, question_id: int) -> HttpResponse:
    """A practitioner answers what the patient asked."""
    consent = _consent(request, number, consent_id)
    asked = ConsentQuestion.objects.filter(consent__plan_id=consent.plan_id)
    question: ConsentQuestion = fetch(request, asked, pk=question_id)
    form = AnswerForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data["answer"]
        try:
            answer_question(by=staff_of(request), question=question, answer=said)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Answered. The patient reads it where they asked."))
            return redirect("consents:detail", consent.patient.number, consent.pk)
    return _detail(request, consent, answer=form, answering=question.pk, status=422)


@requires(Permission.TAKE_CONSENT)
@require_http_methods(["GET", "HEAD", "POST"])
def countersign_view(request: HttpRequest, number: int, consent_id: int) -> HttpResponseBase:
    """The treating practitioner's own signature, given right after their own password."""
    answered: HttpResponseBase = _countersign(request, _consent(request, number, consent_id))
    return answered


@reauthentication_required
def _countersign(request: HttpRequest, consent: Consent) -> HttpResponse:
    form = CountersignForm(request.POST or None, asks_identity=asks_identity(consent))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data["signature"]
            drawn = {"signature_svg": given.svg, "strokes": given.strokes} if given.is_drawn else {}
            seen = form.cleaned_data.get("identity_seen", "")
            try:
                countersign(
                    by=staff_of(request),
                    consent=consent,
                    identity_seen=seen,
                    address=address_of(request),
                    **drawn,
                )
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                messages.success(request, _("Countersigned. The new PDF carries both names."))
                return redirect("consents:detail", consent.patient.number, consent.pk)
    context = {
        **reading(consent),
        "form": form,
        "plan": consent.plan,
        "attendants": consent.attendants.all(),
    }
    return render(request, "treatments/consent_countersign.html", context, status=status)


def asks_identity(consent: Consent) -> bool:
    """Whether a holder of parental authority signed where nobody of the clinic saw them."""
    found: bool = consent.attendants.filter(role=Beside.GUARDIAN, identity=Identity.LINK).exists()
    return found


@requires(Permission.TAKE_CONSENT)
@require_POST
def withdraw_view(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """The patient said so: it ends at once."""
    consent = _consent(request, number, consent_id)
    form = WithdrawForm(request.POST)
    if form.is_valid():
        try:
            withdraw(consent=consent, reason=form.cleaned_data["reason"])
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(
                request, _("The consent is withdrawn. No session can start or go on with it.")
            )
            return redirect("consents:detail", consent.patient.number, consent.pk)
    return _detail(request, consent, form=form, status=422)
