"""Codes of six digits: asked for, made when they leave, and checked."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from patients.portal.models import Code
from patients.registry.models import Patient

LIFE = timedelta(minutes=10)
"""From when the message leaves."""
WINDOW = timedelta(hours=1)
MOST_PER_WINDOW = 5
"""With five tries each, a guess of one in 40,000 per hour at the very most."""
DIGITS = 6


def key_of(code: Code) -> str:
    """The key of the message that carries a code."""
    return f"code-{code.pk}"


@transaction.atomic
def ask_for_code(*, patient: Patient, at: datetime) -> Code:
    """A code to be sent. Raises `ActionRefused` after too many within an hour.

    The patient's row is locked, so that those asked for at the same moment are all counted.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if Code.objects.filter(patient=patient).since(at - WINDOW).count() >= MOST_PER_WINDOW:
        raise ActionRefused(_("Too many codes were asked for. Please wait an hour, or call us."))
    return Code.objects.create(patient=patient, created_at=at)


@transaction.atomic
def make_digits(*, key: str, at: datetime) -> str:
    """The digits of the code whose message leaves now. They exist only in what is returned.

    A message that is tried again gets others, and the last ones count.
    """
    code = Code.objects.select_for_update().get(pk=int(key.removeprefix("code-")))
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    code.code_hash, code.expires_at = _hash(code, digits), at + LIFE
    code.save(update_fields=["code_hash", "expires_at"])
    return digits


def _hash(code: Code, digits: str) -> str:
    """Keyed by the clinic's secret: six digits under a plain hash are tried out in no time."""
    return salted_hmac(
        "patients.portal.code", f"{code.pk}:{digits}", algorithm="sha256"
    ).hexdigest()


@transaction.atomic
def use_code(*, code: Code, digits: str, at: datetime) -> str:
    """Use a code up; empty when it was right, else what is wrong with it, fit to show.

    Each wrong answer counts, and the fifth locks the code. Not raised, so that the count is kept.
    """
    locked: Code = Code.objects.select_for_update().get(pk=code.pk)
    if locked.used_at is not None:
        return _("This code was already used. Ask for a new one.")
    if locked.wrong_answers >= Code.MOST_WRONG_ANSWERS:
        return _("Too many wrong codes. Ask for a new one.")
    if locked.expires_at is None:
        return _("The code is still on its way. Enter it when it has arrived.")
    if at >= locked.expires_at:
        return _("This code is more than ten minutes old. Ask for a new one.")
    if not constant_time_compare(locked.code_hash, _hash(locked, digits)):
        locked.wrong_answers += 1
        locked.save(update_fields=["wrong_answers"])
        return _("This is not the code that we sent.")
    locked.used_at = at
    locked.save(update_fields=["used_at"])
    return ""
