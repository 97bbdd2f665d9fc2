"""Consent on the patient's own phone, or on a device handed over: opened, asked about, signed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.limits import address_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.portal.access import by_link, on_tablet
from patients.portal.actions import close_link
from treatments.consents.actions import ask_question, open_text, sign_consent, withdraw
from treatments.consents.evidence import photo_choices
from treatments.consents.forms import AttendantForm, QuestionForm, SignForm, WithdrawForm
from treatments.consents.models import Consent
from treatments.consents.signing import AT_THE_CLINIC, attending, later_role, signer_name, take
from treatments.consents.tongue import speaking
from treatments.consents.views import reading
from treatments.consents.waiting import of_patient, waiting

ON_THEIR_OWN = gettext_noop("own device")
SECONDS_TO_READ = 300
"""A device that was handed over for this text alone waits so long for a touch: people read."""


def _mine(request: HttpRequest, consent_id: int) -> Consent:
    """A consent of the patient whose link this is; anyone else's is not there."""
    own = Consent.objects.filter(patient=request.patient).select_related(  # type: ignore[attr-defined]
        "patient", "plan__location__country", "document", "practitioner", "template"
    )
    found: Consent = fetch(request, own, pk=consent_id)
    return found


def _device(request: HttpRequest) -> str:
    return AT_THE_CLINIC if on_tablet(request) else ON_THEIR_OWN


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """What waits to be read and signed, and what was signed."""
    patient = request.patient  # type: ignore[attr-defined]
    own = of_patient(patient.pk)
    context = {
        "token": token,
        "waiting": waiting(own),
        "signed": [one for one in own if one.signed_at],
    }
    return render(request, "treatments/my_consent_panel.html", context)


@by_link
@require_safe
def agreed(request: HttpRequest, token: str) -> HttpResponse:
    """For the page of all that the patient agreed to: each signed consent, and its PDF."""
    signed = Consent.objects.of_person(request.patient).filter(  # type: ignore[attr-defined]
        signed_at__isnull=False
    )
    rows = signed.select_related("plan", "document").defer("html", "document__html")
    context = {"token": token, "signed": rows.order_by("-signed_at")}
    return render(request, "treatments/my_consent_agreed.html", context)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def read(request: HttpRequest, token: str, consent_id: int) -> HttpResponse:
    """Read it, and sign it when the time to think is over."""
    consent = _mine(request, consent_id)
    here = on_tablet(request)
    if here and consent.signed_at:
        return redirect("portal:home", token)
    with speaking(consent.language):
        if request.method != "POST":
            begun = {"signed_name": signer_name(consent)}
            form = SignForm(consent=consent, attended=here, initial=begun)
            return _page(request, token, consent, form=form)
        form = SignForm(request.POST, consent=consent, attended=here)
        if form.is_valid():
            try:
                sign_consent(
                    consent=consent,
                    device=_device(request),
                    address=address_of(request),
                    **form.values,
                )
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("my-consents:read", token, consent.pk)
        return _page(request, token, consent, form=form, status=422)


@by_link
@require_POST
def open_it(request: HttpRequest, token: str, consent_id: int) -> HttpResponse:
    """The patient opens the text; the time to think runs from here."""
    consent = open_text(consent=_mine(request, consent_id), device=_device(request))
    return redirect("my-consents:read", token, consent.pk)


@by_link
@require_POST
def ask(request: HttpRequest, token: str, consent_id: int) -> HttpResponse:
    """The patient asks the practitioner; they sign when it is answered."""
    consent = _mine(request, consent_id)
    with speaking(consent.language):
        form = QuestionForm(request.POST, prefix="asked")
        if form.is_valid():
            said = form.cleaned_data["text"]
            try:
                ask_question(consent=consent, text=said, device=_device(request))
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("my-consents:read", token, consent.pk)
        return _page(request, token, consent, question=form, status=422)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def attend(request: HttpRequest, token: str, consent_id: int, role: str) -> HttpResponse:
    """An interpreter or a witness signs after the patient, on the same phone."""
    consent = _mine(request, consent_id)
    with speaking(consent.language):
        form, status = AttendantForm(request.POST or None, role=later_role(role)), 200
        if request.method == "POST":
            if take(form, consent, device=_device(request), address=address_of(request)):
                return redirect("my-consents:read", token, consent.pk)
            status = 422
        context = {"token": token, **attending(consent, form)}
        return render(request, "treatments/my_consent_attend.html", context, status=status)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def handed(request: HttpRequest, token: str, consent_id: int) -> HttpResponseBase:
    """Where a device that was handed over ends; posting gives it back, empty."""
    consent = _mine(request, consent_id)
    if not on_tablet(request):
        return redirect("my-consents:read", token, consent_id)
    if request.method == "POST":
        close_link(token=token, at=timezone.now())
        request.session.flush()
        response = redirect("account_login")
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        return response
    with speaking(consent.language):
        context = {"token": token, **reading(consent)}
        return render(request, "treatments/my_consent_handed.html", context)


@by_link
@require_POST
def take_back(request: HttpRequest, token: str, consent_id: int) -> HttpResponse:
    """The patient withdraws; it takes effect at once."""
    consent = _mine(request, consent_id)
    with speaking(consent.language):
        form = WithdrawForm(request.POST)
        if form.is_valid():
            try:
                withdraw(consent=consent, reason=form.cleaned_data["reason"])
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("my-consents:read", token, consent.pk)
        return _page(request, token, consent, withdrawing=form, status=422)


def _page(
    request: HttpRequest, token: str, consent: Consent, status: int = 200, **forms: Any
) -> HttpResponse:
    context = {
        **reading(consent),
        "token": token,
        "idle_seconds": SECONDS_TO_READ if request.opens_one_thing else None,  # type: ignore[attr-defined]
        "photos": photo_choices(consent),
        "form": forms.get("form") or SignForm(consent=consent, attended=on_tablet(request)),
        "question": forms.get("question") or QuestionForm(prefix="asked"),
        "withdrawing": forms.get("withdrawing") or WithdrawForm(),
    }
    return render(request, "treatments/my_consent_read.html", context, status=status)
