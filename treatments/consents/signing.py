"""What every page on which somebody signs a consent has in common."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_noop

from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from treatments.consents.actions import sign_as_attendant
from treatments.consents.attending import LATER_ROLES, Beside, said_by
from treatments.consents.forms import AttendantForm
from treatments.consents.models import Consent

AT_THE_CLINIC = gettext_noop("clinic device")


def signer_name(consent: Consent) -> str:
    """The patient's own name, as a first guess of who signs."""
    return f"{consent.patient.given_name} {consent.patient.family_name}"


def missing_of(consent: Consent) -> list[dict[str, Any]]:
    """Who was there when the patient signed and has not signed yet."""
    if consent.is_over:
        return []
    return [{"role": role, "label": Beside(role).label} for role in consent.missing_roles]


def later_role(role: str) -> str:
    """The role of one who may sign after the patient. Raises `Http404` for any other."""
    if role not in LATER_ROLES:
        raise Http404
    return role


def attending(consent: Consent, form: AttendantForm) -> dict[str, Any]:
    """What the page has on which one signs after the patient."""
    is_missing = form.role in [one["role"] for one in missing_of(consent)]
    return {
        "patient": consent.patient,
        "consent": consent,
        "form": form,
        "says": said_by(consent, form.role),
        "label": Beside(form.role).label,
        "is_missing": is_missing,
    }


def take(form: AttendantForm, consent: Consent, *, device: str, address: str) -> bool:
    """Whether they have signed by what was sent; else the form says why not."""
    if not form.is_valid():
        return False
    try:
        sign_as_attendant(consent=consent, attendant=form.attendant, device=device, address=address)
    except ActionRefused as refused:
        refuse(form, refused)
        return False
    return True
