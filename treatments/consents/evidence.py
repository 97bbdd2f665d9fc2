"""The signed consent as a page to print: the words that were read, and how they were signed."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.timezone import localtime

from treatments.consents.models import Consent


def evidence_page(consent: Consent) -> str:
    """The whole HTML page of the PDF, in the language in force.

    The frozen text goes in as it was read; the drawing was rebuilt from numbers by the form field.
    """
    zone = consent.plan.location.zone
    return render_to_string(
        "pdf/consent.html",
        {
            "consent": consent,
            "language": consent.language,
            "patient": consent.patient,
            "location": consent.plan.location,
            "zone": zone.key,
            "signed_local": localtime(consent.signed_at, zone),
            "countersigned_local": consent.countersigned_at
            and localtime(consent.countersigned_at, zone),
        },
    )
