"""Queueing and cancelling messages, and what staff do about those that went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.wake import wake
from patients.messages.models import Message
from patients.portal.passkeys import is_only_way
from patients.registry.models import Patient

SEND_TASK = "patients.send_messages"
LINK = "{link}"


def channel_of(patient: Patient) -> str:
    """How this patient is reached: by e-mail, else by SMS."""
    return Message.Channel.EMAIL if patient.email else Message.Channel.SMS


@transaction.atomic
def queue_message(
    *,
    patient: Patient,
    kind: str,
    key: str,
    subject: str,
    body: str,
    due_at: datetime,
    channel: str = "email",
    location: Location | None = None,
    calendar: str = "",
    valid_until: datetime | None = None,
) -> Message | None:
    """One message for later, or None when the patient has no such address.

    The same key twice is the same row, unchanged. `{link}` in the body becomes a fresh personal
    link at the moment of sending. Subject and body must hold nothing clinical. One of a location
    is sent in its name and outside its quiet hours, unless it is due in them.
    """
    recipient = str(patient.email if channel == Message.Channel.EMAIL else patient.phone)
    if not recipient:
        return None
    message, is_new = Message.objects.get_or_create(
        key=key,
        defaults={
            "patient": patient,
            "kind": kind,
            "channel": channel,
            "language": patient.house_language,
            "recipient": recipient,
            "subject": subject,
            "body": body,
            "calendar": calendar,
            "due_at": due_at,
            "location": location,
            "valid_until": valid_until,
        },
    )
    if is_new and due_at <= timezone.now():
        wake(SEND_TASK)
    return message


@transaction.atomic
def tell_staff(
    *,
    staff: Staff,
    about: Patient,
    location: Location,
    kind: str,
    key: str,
    subject: str,
    body: str,
    sms: str,
    at: datetime,
) -> list[Message]:
    """Messages to somebody who works here, to leave at once and at any hour: by e-mail, and by SMS
    where they have a phone and there is a gateway. The same key twice is the same messages.

    Subject, body and SMS must not say whom it is about.
    """
    ways = [(Message.Channel.EMAIL, staff.email, subject, body)]
    if staff.phone and settings.SMS_URL:
        ways.append((Message.Channel.SMS, str(staff.phone), "", sms))
    told = [
        Message.objects.get_or_create(
            key=f"{key}-{channel}",
            defaults={
                "patient": about,
                "staff": staff,
                "location": location,
                "kind": kind,
                "channel": channel,
                "language": staff.language,
                "recipient": recipient,
                "subject": subject_line,
                "body": text,
                "due_at": at,
            },
        )[0]
        for channel, recipient, subject_line, text in ways
    ]
    wake(SEND_TASK)
    return told


@transaction.atomic
def cancel_messages(*, keys: Iterable[str]) -> int:
    """Cancel those that have not begun to be sent; how many. One on its way cannot be held back."""
    waiting = Message.objects.waiting().filter(key__in=list(keys))
    return waiting.update(state=Message.State.CANCELLED, lease_until=None)


@transaction.atomic
def hold_back(*, messages: Iterable[int]) -> list[int]:
    """Cancel those of these messages that have not begun to be sent, by their ids; which they were.

    To be called where what they say ceases to be true, in that transaction: whoever sends asks the
    locked row before a byte leaves, so what is held back here never goes.
    """
    waiting = (
        Message.objects.waiting()
        .select_for_update(of=("self",))
        .filter(pk__in=list(messages))
        .order_by("pk")
    )
    held = [message.pk for message in waiting.only("pk")]
    Message.objects.filter(pk__in=held).update(state=Message.State.CANCELLED, lease_until=None)
    return held


@transaction.atomic
def note_sent_before(*, keys: Iterable[str]) -> int:
    """Note as sent when they were due what went out before this system kept the record; how many.

    For records brought over from elsewhere: nothing is sent.
    """
    waiting = Message.objects.filter(
        key__in=list(keys), state=Message.State.PENDING, sending_since__isnull=True
    )
    return waiting.update(state=Message.State.SENT, sent_at=F("due_at"), attempts=1)


def proof_words(patient: Patient) -> str:
    """What the door of a link will ask for."""
    if is_only_way(patient):
        return _("You will be asked for your passkey.")
    return _("You will be asked for your date of birth.")


@transaction.atomic
def send_link(*, by: Staff, patient: Patient, at: datetime) -> Message:
    """Queue the message that carries a patient's personal link; once per minute at most.

    By e-mail, else by SMS. Raises `ActionRefused` when the patient has neither.
    """
    channel = channel_of(patient)
    with override(patient.house_language):
        subject = _("Your clinic has something for you")
        body = _(
            "Hello,\n\nyour clinic has something for you to read or to fill in. Open your personal "
            "page here:\n\n%(link)s\n\nThe link works for seven days. %(proof)s Please do not pass "
            "it on.\n"
        ) % {"link": LINK, "proof": proof_words(patient)}
        if channel == Message.Channel.SMS:
            body = _("Your clinic has something for you: %(link)s") % {"link": LINK}
    message = queue_message(
        patient=patient,
        kind="link",
        key=f"link-{patient.pk}-{int(at.timestamp()) // 60}",
        subject=subject,
        body=body,
        due_at=at,
        channel=channel,
    )
    if message is None:
        raise ActionRefused(_("This patient has neither an e-mail address nor a mobile phone."))
    return message


def _locked_trouble(message: Message) -> Message:
    locked = Message.objects.select_for_update().get(pk=message.pk)
    if not locked.is_troubled:
        raise ActionRefused(_("Somebody has already dealt with this message."))
    return locked


@transaction.atomic
def settle_message(*, by: Staff, message: Message, at: datetime) -> Message:
    """Note that a person has dealt with a failed or uncertain message in another way."""
    locked = _locked_trouble(message)
    locked.settled_at, locked.settled_by = at, by
    locked.save(update_fields=["settled_at", "settled_by"])
    return locked


@transaction.atomic
def resend_message(*, by: Staff, message: Message, at: datetime) -> Message:
    """Queue a failed or uncertain message again, because a person wants it, to today's address.

    It keeps its Message-ID, so that a mail program shows a second copy as the same message.
    """
    locked = _locked_trouble(message)
    now_at = locked.address
    if not now_at:
        raise ActionRefused(_("This patient no longer has such an address."))
    locked.state, locked.recipient, locked.error = Message.State.PENDING, now_at, ""
    locked.attempts, locked.due_at, locked.valid_until = 0, at, None
    locked.lease_until = locked.sending_since = None
    locked.save()
    wake(SEND_TASK)
    return locked
