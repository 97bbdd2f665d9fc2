"""Letting nothing but a passkey open a patient's pages, and taking that back; each is told to them.

The notice goes to every address on file: whoever has got hold of one of them does not keep it from
the patient.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.messages.actions import queue_message
from patients.messages.kinds import PASSKEY
from patients.messages.models import Message
from patients.portal.actions import revoke_links
from patients.portal.models import PasskeyOnly
from patients.portal.passkeys import open_to_links, remove_passkeys, shut_to_links
from patients.registry.models import Patient


@transaction.atomic
def choose_passkey_only(*, patient: Patient, at: datetime) -> None:
    """The patient lets nothing but their passkey open their pages; see `shut_to_links`."""
    if shut_to_links(patient=patient):
        with override(patient.house_language):
            subject = _("How your pages open has changed")
            words = _(
                "From now on your pages open with your passkey alone. If it was not you who chose "
                "this, please call your clinic."
            )
        _tell(patient, subject, words, at)


@transaction.atomic
def let_links_open(*, patient: Patient, at: datetime) -> None:
    """The patient takes that back."""
    if open_to_links(patient=patient, at=at):
        _tell_of_links(patient, at)


@transaction.atomic
def reset_door(
    *, by: Staff, patient: Patient, identity: str, remove_keys: bool, at: datetime
) -> None:
    """Let links open the pages again for a patient who has lost their device.

    `identity` is how `by` has made sure who asks. With `remove_keys` the lost device opens nothing
    any more; links that are open are closed. Raises `ActionRefused`.
    """
    if not by.may(Permission.SEND_LINKS):
        raise ActionRefused(_("You may not do this."))
    if identity not in PasskeyOnly.Identity.values:
        raise ActionRefused(_("Say how you know that it is the patient."), field="identity")
    if not open_to_links(patient=patient, at=at, by=by, identity=identity):
        raise ActionRefused(_("Links open this patient’s pages already."))
    if remove_keys:
        remove_passkeys(patient=patient, at=at)
    revoke_links(patient=patient, at=at)
    _tell_of_links(patient, at)


def _tell_of_links(patient: Patient, at: datetime) -> None:
    with override(patient.house_language):
        subject = _("How your pages open has changed")
        words = _(
            "From now on links with your date of birth open your pages again. If it was not you "
            "who asked for this, please call your clinic."
        )
    _tell(patient, subject, words, at)


def _tell(patient: Patient, subject: str, words: str, at: datetime) -> None:
    """By e-mail and by SMS, whichever there are."""
    for channel, body in ((Message.Channel.EMAIL, f"{words}\n"), (Message.Channel.SMS, words)):
        queue_message(
            patient=patient,
            kind=PASSKEY,
            key=f"passkey-{patient.pk}-{at.timestamp()}-{channel}",
            subject=subject if channel == Message.Channel.EMAIL else "",
            body=body,
            due_at=at,
            channel=channel,
        )
