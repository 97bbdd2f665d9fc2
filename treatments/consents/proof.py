"""What proves a signed consent, for its evidence page."""

from __future__ import annotations

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from patients.documents.evidence import Evidence, Signed
from treatments.consents.models import Consent

OWN_DEVICE = "own device"


def evidence_of(consent: Consent) -> Evidence:
    """Who signed what, when and how, in the language in force."""
    zone = consent.plan.location.zone
    signatures = [
        Signed(
            name=consent.signed_name,
            part=_("patient"),
            method=consent.get_method_display(),
            moment=localtime(consent.signed_at, zone),
            place=_place(consent),
            image=consent.signature_svg,
        )
    ]
    if consent.countersigned_at and consent.countersigned_by:
        signatures.append(
            Signed(
                name=consent.countersigned_by.name,
                part=_("practitioner"),
                method=_("signed in with their own account"),
                moment=localtime(consent.countersigned_at, zone),
                place=consent.plan.location.name,
            )
        )
    return Evidence(
        subject=f"{_('Consent')} {consent.pk}: {consent.plan.title}",
        text_sha256=consent.text_sha256,
        template_version=consent.template_version,
        signatures=signatures,
        readable_since=localtime(consent.ready_to_read_at, zone),
    )


def _place(consent: Consent) -> str:
    """The kind of device, and the clinic unless it was the patient's own, wherever they were."""
    device = _(consent.signed_on_device) if consent.signed_on_device else ""
    at = "" if consent.signed_on_device == OWN_DEVICE else consent.plan.location.name
    return ", ".join(one for one in (device, at) if one)
