"""What a gateway reports of a text: delivered, or not.

A gateway is given our reference (`{ref}` in SMS_URL) and names it in its report. Field names are
those that gateways use; what is reported twice, or late, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from patients.messages.models import Message

REFERENCE = "message-"
LONGEST_REF = 100
REF_FIELDS = ("ref", "reference", "client_ref", "client-ref", "clientref")
STATUS_FIELDS = ("status", "MessageStatus", "SmsStatus", "message_status", "delivery_status")
ID_FIELDS = ("id", "message_id", "messageId", "message-id", "MessageSid")
DELIVERED = frozenset({"delivered", "delivrd", "read"})
UNDELIVERED = frozenset(
    {"undelivered", "undeliv", "failed", "rejected", "rejectd", "expired", "undeliverable"}
)


def note_report(fields: Mapping[str, str], *, at: datetime) -> bool:
    """Keep what a report says of a message; whether it named one that was sent by SMS."""
    pk = _pk(_first(fields, REF_FIELDS))
    if pk is None:
        return False
    return _note(
        pk, _first(fields, STATUS_FIELDS).lower(), _first(fields, ID_FIELDS)[:LONGEST_REF], at
    )


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((str(fields[name]).strip() for name in names if fields.get(name)), "")


def _pk(reference: str) -> int | None:
    number = reference.removeprefix(REFERENCE)
    is_ours = reference.startswith(REFERENCE) and number.isascii() and number.isdigit()
    return int(number) if is_ours and len(number) < 18 else None


@transaction.atomic
def _note(pk: int, status: str, provider_ref: str, at: datetime) -> bool:
    """Delivered is the last word; not delivered is a failure that the desk is shown."""
    S = Message.State
    message = (
        Message.objects.select_for_update()
        .filter(pk=pk, channel=Message.Channel.SMS, sending_since__isnull=False)
        .first()
    )
    if message is None:
        return False
    message.provider_ref = provider_ref or message.provider_ref
    if status in DELIVERED and message.delivered_at is None:
        message.delivered_at, message.error = at, ""
        message.sent_at, message.state, message.lease_until = message.sent_at or at, S.SENT, None
    elif status in UNDELIVERED and message.delivered_at is None and message.state != S.FAILED:
        message.state, message.lease_until = S.FAILED, None
        message.error = _("The SMS gateway reports that it was not delivered.")
    message.save()
    return True
