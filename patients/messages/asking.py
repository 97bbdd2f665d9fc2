"""A patient's link, asked for anew by themselves. Nobody is told whether an address is known.

The page writes down what was asked and answers the same to everyone; the worker looks whose it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Func, TextField
from django.utils.translation import gettext as _
from django.utils.translation import override
from phonenumber_field.phonenumber import PhoneNumber
from phonenumbers import NumberParseException

from clinic.wake import wake
from patients.messages.actions import LINK, channel_of, proof_words, queue_message
from patients.messages.kinds import ASKED_LINK
from patients.messages.models import Message
from patients.portal.actions import ASKED_LIFE, token_hash
from patients.portal.models import Link, LinkRequest
from patients.registry.models import Patient

ANSWER_TASK = "patients.answer_link_requests"
MOST_OF_ONE_ADDRESS = 4
"""A family may share an address; one that stands in more files than this is nobody's own."""
ONCE_IN_SECONDS = 300
MOST_PER_DAY = 10


def read_contact(text: str) -> str:
    """An e-mail address as it is, a phone number as it is kept; empty for neither."""
    typed = text.strip()
    if "@" in typed:
        try:
            validate_email(typed)
        except ValidationError:
            return ""
        return typed[:254]
    try:
        number = PhoneNumber.from_string(typed, region=settings.PHONENUMBER_DEFAULT_REGION)
    except NumberParseException:
        return ""
    return number.as_e164 if number.is_valid() else ""


@transaction.atomic
def ask_by_contact(*, contact: str, at: datetime) -> None:
    """Somebody wants a link to be sent to an address; see `read_contact`."""
    LinkRequest.objects.create(contact=contact, asked_at=at)
    wake(ANSWER_TASK)


@transaction.atomic
def ask_by_token(*, token: str, at: datetime) -> None:
    """Somebody has a link that no longer works, or never did."""
    LinkRequest.objects.create(token_hash=token_hash(token), asked_at=at)
    wake(ANSWER_TASK)


@transaction.atomic
def answer_next(*, at: datetime) -> LinkRequest | None:
    """Answer the oldest request, if it is anybody's, and forget it. None: none waits."""
    waiting = LinkRequest.objects.select_for_update(skip_locked=True).order_by("pk")
    request = waiting.first()
    if request is None:
        return None
    for patient in _meant(request):
        _send(patient, at)
    request.delete()
    return request


def _meant(request: LinkRequest) -> list[Patient]:
    """Whose link is asked for: the files that count of those with this address, or of this link."""
    if request.token_hash:
        old = Link.objects.filter(token_hash=request.token_hash)
        return [link.patient.kept for link in old.select_related("patient__merged_into")]
    found = Patient.objects.in_use()
    if "@" in request.contact:
        found = found.filter(email__iexact=request.contact)
    else:
        # The one index there is of numbers has them backwards.
        backwards = Func(F("phone"), function="reverse", output_field=TextField())
        found = found.alias(backwards=backwards).filter(backwards=request.contact[::-1])
    rows = list(found.order_by("pk")[: MOST_OF_ONE_ADDRESS + 1])
    return rows if len(rows) <= MOST_OF_ONE_ADDRESS else []


def _send(patient: Patient, at: datetime) -> None:
    """One link in five minutes and ten in a day at most, to the address on file."""
    asked = Message.objects.filter(patient=patient, kind=ASKED_LINK)
    if asked.filter(due_at__gt=at - timedelta(days=1)).count() >= MOST_PER_DAY:
        return
    channel = channel_of(patient)
    with override(patient.house_language):
        subject = _("Your personal link")
        body = _(
            "Hello,\n\nhere is the link that you asked for:\n\n%(link)s\n\nIt works for one hour. "
            "%(proof)s If it was not you who asked, you need do nothing.\n"
        ) % {"link": LINK, "proof": proof_words(patient)}
        if channel == Message.Channel.SMS:
            body = _("Your link, for one hour: %(link)s") % {"link": LINK}
    queue_message(
        patient=patient,
        kind=ASKED_LINK,
        key=f"asked-link-{patient.pk}-{int(at.timestamp()) // ONCE_IN_SECONDS}",
        subject=subject,
        body=body,
        due_at=at,
        valid_until=at + ASKED_LIFE,
        channel=channel,
    )
