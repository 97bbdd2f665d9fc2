"""The signed consent as a page to print: the words that were read, and how they were signed."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.timezone import localtime

from patients.photos.models import Use
from treatments.consents.models import Consent, ConsentQuestion


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
            "read_local": consent.read_at and localtime(consent.read_at, zone),
            "sent_local": consent.sent_at and localtime(consent.sent_at, zone),
            "signed_local": localtime(consent.signed_at, zone),
            "countersigned_local": consent.countersigned_at
            and localtime(consent.countersigned_at, zone),
            "photo_choices": photo_choices(consent),
            "questions": questions_of(consent),
            "attendants": list(consent.attendants.all()),
        },
    )


def photo_choices(consent: Consent) -> list[tuple[str, bool]]:
    """Each use of photos by its name, and whether the patient allowed it."""
    said = consent.photo_choices
    return [(str(use.label), said[use.value]) for use in Use if use.value in said]


def questions_of(consent: Consent) -> list[dict[str, Any]]:
    """What was asked about this plan up to the signature, with the answers; local times."""
    zone = consent.plan.location.zone
    asked = ConsentQuestion.objects.filter(
        consent__plan_id=consent.plan_id, consent_id__lte=consent.pk
    ).select_related("answered_by")
    return [
        {
            "row": one,
            "asked": localtime(one.asked_at, zone),
            "answered": one.answered_at and localtime(one.answered_at, zone),
        }
        for one in asked
        if consent.signed_at is None or one.asked_at <= consent.signed_at
    ]
