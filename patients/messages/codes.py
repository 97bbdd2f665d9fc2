"""Sending a code of six digits. The digits are put in as the message leaves, and kept nowhere."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.errors import ActionRefused
from patients.messages.actions import queue_message
from patients.messages.models import Message
from patients.portal.codes import ask_for_code, key_of
from patients.portal.models import Code
from patients.registry.models import Patient

CODE = "{code}"


@transaction.atomic
def send_code(*, patient: Patient, channel: str, at: datetime) -> Code:
    """Queue the message that carries a code, by e-mail or SMS.

    Raises `ActionRefused` when the patient has no such address, or asks too often.
    """
    code = ask_for_code(patient=patient, at=at)
    with override(patient.house_language):
        words = _(
            "Your code is %(code)s. Enter it on the page where you asked for it. It is valid for "
            "ten minutes. We never ask for it by phone."
        ) % {"code": CODE}
        subject = _("Your code")
    body = words if channel == Message.Channel.SMS else f"{words}\n"
    message = queue_message(
        patient=patient,
        kind="code",
        key=key_of(code),
        subject=subject,
        body=body,
        due_at=at,
        channel=channel,
    )
    if message is None:
        raise ActionRefused(_("We have no such address of yours. Please call us."))
    return code
