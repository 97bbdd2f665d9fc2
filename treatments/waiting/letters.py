"""What an offer says: a time and a place, and nothing of why."""

from __future__ import annotations

from datetime import datetime

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from patients.messages.actions import LINK, channel_of, queue_message
from patients.messages.models import Message
from treatments.waiting.models import WaitingOffer

KIND = "waiting-offer"


def queue_offer(offer: WaitingOffer, *, at: datetime) -> Message | None:
    """The message of an offer, in the patient's language; None where no message reaches them."""
    patient, place = offer.patient, offer.entry.location
    channel = channel_of(patient)
    with translation.override(patient.language):
        starts = offer.appointment.starts_at.astimezone(place.zone)
        until = offer.expires_at.astimezone(place.zone)
        facts = {
            "place": place.name,
            "day": date_format(starts, "l j F"),
            "time": f"{starts:%H:%M}",
            "until": f"{until:%H:%M}",
            "link": LINK,
        }
        body = _sms() if channel == Message.Channel.SMS else _letter()
        return queue_message(
            patient=patient,
            kind=KIND,
            key=f"{KIND}-{offer.pk}",
            subject=_("A time has become free"),
            body=body % facts,
            due_at=at,
            channel=channel,
        )


def _letter() -> str:
    return _(
        "Hello,\n\na time has become free at %(place)s: %(day)s at %(time)s. It is held for you "
        "until %(until)s today. Take it or leave it on your personal page:\n\n%(link)s\n\nWithout "
        "an answer by then it is offered to someone else, and you stay on the waiting list.\n"
    )


def _sms() -> str:
    return _("%(place)s: %(day)s at %(time)s is free, held for you until %(until)s. %(link)s")
