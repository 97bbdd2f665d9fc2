"""Consent on the patient's own phone: read, signed, withdrawn by link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.portal.access import by_link, on_tablet
from treatments.consents.actions import sign_consent, signable_from, withdraw
from treatments.consents.forms import SignForm, WithdrawForm
from treatments.consents.models import Consent
from treatments.consents.views import AT_THE_CLINIC, signer_name
from treatments.consents.waiting import of_patient, waiting

ON_THEIR_OWN = gettext_noop("own device")


def _mine(request: HttpRequest, consent_id: int) -> Consent:
    """A consent of the patient whose link this is; anyone else's is not there."""
    own = Consent.objects.filter(patient=request.patient).select_related(  # type: ignore[attr-defined]
        "patient", "plan__location__country", "document"
    )
    found: Consent = fetch(request, own, pk=consent_id)
    return found


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
@require_http_methods(["GET", "HEAD", "POST"])
def read(request: HttpRequest, token: str, consent_id: int) -> HttpResponse:
    """Read it, and sign it when the time to think is over."""
    consent = _mine(request, consent_id)
    here = on_tablet(request)
    if here and consent.signed_at:
        return redirect("portal:home", token)
    with translation.override(consent.language):
        form = SignForm(consent=consent, initial={"signed_name": signer_name(consent)})
        if request.method != "POST":
            return _page(request, token, consent, form)
        form = SignForm(request.POST, consent=consent)
        if form.is_valid():
            try:
                device = AT_THE_CLINIC if here else ON_THEIR_OWN
                sign_consent(consent=consent, device=device, **form.values)
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("my-consents:read", token, consent.pk)
        return _page(request, token, consent, form, status=422)


@by_link
@require_POST
def take_back(request: HttpRequest, token: str, consent_id: int) -> HttpResponse:
    """The patient withdraws; it takes effect at once."""
    consent = _mine(request, consent_id)
    with translation.override(consent.language):
        form = WithdrawForm(request.POST)
        if form.is_valid():
            try:
                withdraw(consent=consent, reason=form.cleaned_data["reason"])
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                return redirect("my-consents:read", token, consent.pk)
        return _page(request, token, consent, None, withdrawing=form, status=422)


def _page(
    request: HttpRequest,
    token: str,
    consent: Consent,
    form: SignForm | None,
    withdrawing: WithdrawForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "token": token,
        "patient": consent.patient,
        "consent": consent,
        "location": consent.plan.location,
        "signable_from": timezone.localtime(signable_from(consent), consent.plan.location.zone),
        "can_sign": timezone.now() >= signable_from(consent),
        "form": form,
        "withdrawing": withdrawing or WithdrawForm(),
    }
    return render(request, "treatments/my_consent_read.html", context, status=status)
