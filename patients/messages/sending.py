"""Sending what is due: claim, begin, hand over, note. Never twice, never silently lost.

Four steps, each committed by itself, so that after a crash the row says how far things had got:
claimed but not begun is claimed again; begun but not finished is `uncertain`, for a person to
decide.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.delivery.email import send_email
from clinic.delivery.outcome import DeliveryError, NotHandedOver, Rejected
from clinic.delivery.sms import send_sms
from patients.messages.actions import LINK
from patients.messages.codes import CODE
from patients.messages.kinds import ASKED_LINK
from patients.messages.models import Message
from patients.messages.quiet import is_quiet, outside_quiet_hours
from patients.messages.rules import rules_of
from patients.portal.access import location_of_patient
from patients.portal.actions import ASKED_LIFE, LIFE, open_link
from patients.portal.codes import make_digits

LEASE = timedelta(seconds=90)
"""Longer than an SMTP conversation may take with its timeouts of 15 s each."""
MOST_ATTEMPTS = 5
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))


def send_next(*, at: datetime | None = None) -> Message | None:
    """Send the oldest message that is due; None when nothing is."""
    at = at or timezone.now()
    give_up_lost(at=at)
    message = claim_next(at=at)
    if message is None or message.state != Message.State.CLAIMED:
        return message
    body = _body(message)
    if not _begin(message):
        return message
    try:
        _hand_over(message, body)
    except DeliveryError as error:
        return _note_failure(message, error)
    return _note_sent(message)


@transaction.atomic
def give_up_lost(*, at: datetime) -> int:
    """Mark what a dead worker was sending as uncertain; how many."""
    lost = Message.objects.lost(at).select_for_update(skip_locked=True)
    return Message.objects.filter(pk__in=[message.pk for message in lost]).update(
        state=Message.State.UNCERTAIN,
        lease_until=None,
        error=_("The worker was lost while sending; the message may have arrived."),
    )


@transaction.atomic
def claim_next(*, at: datetime) -> Message | None:
    """The oldest due message, urgent ones first, marked as this worker's until the lease runs out.

    One that has used up its attempts, or is of no use any more, comes back failed instead; one that
    must wait for the end of the quiet hours comes back waiting.
    """
    due = (
        Message.objects.due(at)
        .select_related("location__message_rules")
        .select_for_update(skip_locked=True, of=("self",))
    )
    message = due.urgent().first() or due.first()
    if message is None:
        return None
    if message.valid_until is not None and message.valid_until <= at:
        message.state, message.lease_until = Message.State.FAILED, None
        message.error = message.error or _("It could not be sent before it was of no use any more.")
    elif message.attempts >= MOST_ATTEMPTS:
        message.state, message.lease_until = Message.State.FAILED, None
        message.error = message.error or _("The worker was lost each time it took this message.")
    elif (morning := _after_the_night(message, at)) is not None:
        message.state, message.lease_until, message.due_at = Message.State.PENDING, None, morning
    else:
        message.state, message.lease_until = Message.State.CLAIMED, at + LEASE
        message.attempts += 1
    message.save(update_fields=["state", "attempts", "lease_until", "error", "due_at"])
    return message


def _after_the_night(message: Message, at: datetime) -> datetime | None:
    """When the quiet hours end for one that was late; None for what may go now.

    What was due in quiet hours was meant to go in them, and whoever works here is told at any hour.
    """
    place = message.location
    if place is None or message.staff_id is not None:
        return None
    quiet = rules_of(place).quiet
    if is_quiet(message.due_at, place.zone, quiet) or not is_quiet(at, place.zone, quiet):
        return None
    return outside_quiet_hours(at, place.zone, quiet)


def _body(message: Message) -> str:
    """The text as it will be read, with a fresh link or code where the body asks for one.

    Who works here gets neither, whatever the words are.
    """
    body = message.body
    if message.staff_id is not None:
        return body
    if LINK in body:
        life = ASKED_LIFE if message.kind == ASKED_LINK else LIFE
        body = body.replace(LINK, open_link(message.patient, life))
    if CODE in body:
        body = body.replace(CODE, make_digits(key=message.key, at=timezone.now()))
    return body


def _begin(message: Message) -> bool:
    """Note, committed before a byte leaves, that sending begins. False: cancelled or taken over."""
    return bool(
        Message.objects.filter(
            pk=message.pk,
            state=Message.State.CLAIMED,
            attempts=message.attempts,
            sending_since__isnull=True,
        ).update(sending_since=timezone.now())
    )


def _hand_over(message: Message, body: str) -> None:
    if message.channel == Message.Channel.SMS:
        send_sms(to=message.recipient, body=body, reference=message.reference)
        return
    place = message.location or location_of_patient(message.patient)
    with override(message.language):
        send_email(
            to=message.recipient,
            subject=message.subject,
            body=body,
            message_id=message.message_id,
            language=message.language,
            reply_to=place.email if place else "",
            calendar=message.calendar,
        )


@transaction.atomic
def _finish(message: Message, **values: object) -> Message:
    """Write the outcome, unless the row has meanwhile been given up as uncertain and worked on."""
    Message.objects.filter(
        pk=message.pk,
        state__in=[Message.State.CLAIMED, Message.State.UNCERTAIN],
        attempts=message.attempts,
    ).update(lease_until=None, **values)
    message.refresh_from_db()
    return message


def _note_sent(message: Message) -> Message:
    return _finish(message, state=Message.State.SENT, sent_at=timezone.now(), error="")


def _note_failure(message: Message, error: DeliveryError) -> Message:
    """Back to waiting, failed, or uncertain, as the transport says."""
    reason = str(error)[:500]
    if isinstance(error, NotHandedOver) and message.attempts < MOST_ATTEMPTS:
        return _rest(message, reason)
    certain = isinstance(error, (NotHandedOver, Rejected))
    state = Message.State.FAILED if certain else Message.State.UNCERTAIN
    return _finish(message, state=state, error=reason)


@transaction.atomic
def _rest(message: Message, reason: str) -> Message:
    """Wait before the next try, longer each time."""
    pause = BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1]
    _finish(message, state=Message.State.PENDING, sending_since=None, error=reason)
    Message.objects.filter(pk=message.pk, state=Message.State.PENDING).update(
        lease_until=timezone.now() + pause
    )
    message.refresh_from_db()
    return message
