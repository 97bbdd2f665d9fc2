"""What an offer says: a time and a place, in the location's words, and nothing of why."""

from __future__ import annotations

from datetime import datetime

from patients.messages.kinds import Kind
from patients.messages.models import Message
from patients.messages.saying import moment_words, say, times
from treatments.waiting.models import WaitingOffer


def queue_offer(offer: WaitingOffer, *, at: datetime) -> Message | None:
    """The message of an offer; None where no message reaches the patient, or none is wanted.

    It goes at once, for the offer runs out, and not at all once it has.
    """
    patient, place, held = offer.patient, offer.entry.location, offer.appointment
    return say(
        kind=Kind.OFFER,
        patient=patient,
        location=place,
        key=f"offer-{offer.pk}",
        due_at=at,
        valid_until=offer.expires_at,
        even_at_night=True,
        until=moment_words(offer.expires_at, location=place, language=patient.house_language),
        **times(
            [held.starts_at],
            location=place,
            language=patient.house_language,
            practitioners=[held.practitioner.name],
        ),
    )
