"""What the desk does about a consent: send it, hand a device over, show a code for a phone.

Nothing clinical stands on these pages: they are for those who may not read notes too.
"""

from __future__ import annotations

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.limits import address_of
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from patients.portal.access import remember_proof
from patients.portal.actions import PHONE_LIFE, open_on_phone, open_on_tablet
from patients.registry.models import Patient
from treatments.consents.actions import is_time_to_sign, send_consent, signable_from
from treatments.consents.forms import AttendantForm
from treatments.consents.models import Consent
from treatments.consents.signing import AT_THE_CLINIC, attending, later_role, missing_of, take
from treatments.consents.tongue import speaking
from treatments.consents.waiting import of_patient, waiting

ON_A_PHONE = ("my-consents:read", "my-consents:open", "my-consents:ask", "my-consents:attend")
HANDED_OVER = ("my-consents:handed", *ON_A_PHONE)


def _consent(request: HttpRequest, number: int, consent_id: int) -> Consent:
    mine = Consent.objects.visible_to(staff_of(request)).select_related(
        "patient", "plan__location__country"
    )
    found: Consent = fetch(request, mine, pk=consent_id, patient_id=number)
    return found


def _back(request: HttpRequest, consent: Consent) -> HttpResponse:
    """To the consent for whoever may read it, else to the patient."""
    number = consent.patient.number
    if staff_of(request).may(Permission.TAKE_CONSENT):
        return redirect("consents:detail", number, consent.pk)
    return redirect("patients:detail", number)


@requires(Permission.HAND_OVER_CONSENT)
@require_safe
def to_sign(request: HttpRequest, number: int) -> HttpResponse:
    """What waits for this patient's signature; for the desk, without a clinical word."""
    staff = staff_of(request)
    patient: Patient = fetch(request, Patient.objects.visible_to(staff), pk=number)
    rows: list[dict[str, Any]] = []
    half: list[dict[str, Any]] = []
    if not staff.may(Permission.TAKE_CONSENT):
        own = of_patient(patient.pk)
        rows = [_row(one) for one in waiting(own)]
        half = [{"consent": one, "missing": missing_of(one)} for one in own if one.awaits]
    context = {
        "patient": patient,
        "rows": rows,
        "half": [one for one in half if one["missing"]],
        "zone": location_of(request).zone,
    }
    return render(request, "treatments/consent_to_sign.html", context)


def _row(consent: Consent) -> dict[str, Any]:
    now = timezone.now()
    return {
        "consent": consent,
        "signable_from": signable_from(consent),
        "can_sign": is_time_to_sign(consent, now),
    }


@requires(Permission.HAND_OVER_CONSENT)
@require_POST
def send(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """Send the patient the link behind which the text waits."""
    consent = _consent(request, number, consent_id)
    try:
        send_consent(by=staff_of(request), consent=consent)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("The link is on its way."))
    return _back(request, consent)


@requires(Permission.HAND_OVER_CONSENT)
@require_POST
def hand_over(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """Give this very device to the patient: it shows this consent and nothing else."""
    consent = _consent(request, number, consent_id)
    if consent.signed_at:
        messages.info(request, _("This consent has already been signed."))
        return _back(request, consent)
    token = open_on_tablet(
        patient=consent.patient, pages=HANDED_OVER, only=str(consent.pk), at=timezone.now()
    )
    logout(request)
    remember_proof(request, token)
    return redirect("my-consents:read", token, consent.pk)


@requires(Permission.HAND_OVER_CONSENT)
@require_POST
def code(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """A code to photograph with the patient's own phone. Each press makes a new one."""
    consent = _consent(request, number, consent_id)
    if consent.signed_at:
        messages.info(request, _("This consent has already been signed."))
        return _back(request, consent)
    address = open_on_phone(
        patient=consent.patient, pages=ON_A_PHONE, only=str(consent.pk), at=timezone.now()
    )
    drawing = segno.make(address, error="m").svg_inline(border=3, light="#fff", omitsize=True)
    context = {
        "patient": consent.patient,
        "consent": consent,
        "code": mark_safe(drawing),  # noqa: S308  drawn from numbers
        "minutes": int(PHONE_LIFE.total_seconds() // 60),
        "zone": consent.plan.location.zone,
    }
    return render(request, "treatments/consent_code.html", context)


@requires(Permission.HAND_OVER_CONSENT)
@require_http_methods(["GET", "HEAD", "POST"])
def attend(request: HttpRequest, number: int, consent_id: int, role: str) -> HttpResponse:
    """An interpreter or a witness signs after the patient, on a device of the clinic."""
    consent = _consent(request, number, consent_id)
    with speaking(consent.language):
        form, status = AttendantForm(request.POST or None, role=later_role(role)), 200
        if request.method == "POST":
            if take(form, consent, device=AT_THE_CLINIC, address=address_of(request)):
                messages.success(request, _("Thank you. Please give the device back."))
                return _back(request, consent)
            status = 422
        context = attending(consent, form)
        return render(request, "treatments/consent_attend.html", context, status=status)


@requires(Permission.HAND_OVER_CONSENT)
@require_safe
def state(request: HttpRequest, number: int, consent_id: int) -> HttpResponse:
    """Whether it was opened and signed by now, for the screen beside the code."""
    consent = _consent(request, number, consent_id)
    context = {
        "patient": consent.patient,
        "consent": consent,
        "zone": consent.plan.location.zone,
        "missing": missing_of(consent),
    }
    return render(request, "treatments/consent_state.html", context)
