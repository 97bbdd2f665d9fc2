"""Opening a link, proving a birth date, closing links."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from patients.portal.models import Link, PasskeyOnly
from patients.registry.models import Patient

LIFE = timedelta(days=7)
"""Of a link that is sent with news; one that the patient asks for is wanted at once."""
ASKED_LIFE = timedelta(hours=1)
PASSKEY_LIFE = timedelta(hours=12)
TABLET_LIFE = timedelta(minutes=30)
PHONE_LIFE = timedelta(minutes=15)
TOKEN_BYTES = 32


def token_hash(token: str) -> str:
    """What is kept of a token: enough to know it again, not enough to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def open_link(patient: Patient, life: timedelta = LIFE) -> str:
    """A fresh personal address that works for `life`. Its token exists only in what is returned.

    It opens the file that counts now, should this one have been merged in the meantime.
    """
    kept = Patient.objects.select_related("merged_into").get(pk=patient.pk).kept
    token = _fresh(kept, expires_at=timezone.now() + life)
    return f"{settings.BASE_URL}{reverse('portal:home', args=[token])}"


def _fresh(patient: Patient, **fields: object) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    Link.objects.create(patient=patient, token_hash=token_hash(token), **fields)
    return token


@transaction.atomic
def open_on_tablet(
    *, patient: Patient, pages: tuple[str, ...], at: datetime, only: str = ""
) -> str:
    """The token of a link that opens these pages alone, for `TABLET_LIFE`; for `remember_proof`."""
    return _fresh(
        patient, opens=" ".join(pages), only=only, opened_at=at, expires_at=at + TABLET_LIFE
    )


@transaction.atomic
def open_on_phone(*, patient: Patient, pages: tuple[str, ...], only: str, at: datetime) -> str:
    """An address for the patient's own phone that opens one thing alone, for `PHONE_LIFE`.

    It asks for the birth date like any other. The one shown before for the same thing is closed.
    """
    opens = " ".join(pages)
    Link.objects.usable(at).filter(
        patient=patient, opens=opens, only=only, asks_birth_date=True
    ).update(revoked_at=at)
    token = _fresh(
        patient, opens=opens, only=only, asks_birth_date=True, expires_at=at + PHONE_LIFE
    )
    return f"{settings.BASE_URL}{reverse(pages[0], args=[token, only])}"


@transaction.atomic
def open_by_passkey(*, patient: Patient, at: datetime) -> str:
    """The token of a link for whoever has just used their passkey; for `remember_proof`."""
    kept = Patient.objects.select_related("merged_into").get(pk=patient.pk).kept
    return _fresh(kept, opened_at=at, expires_at=at + PASSKEY_LIFE)


@transaction.atomic
def prove_by_passkey(*, token: str, patient: Patient, at: datetime) -> bool:
    """Whether the link is that of the patient whose passkey has just answered; if so, noted."""
    link = (
        Link.objects.usable(at)
        .select_for_update(of=("self",))
        .select_related("patient__merged_into")
        .filter(token_hash=token_hash(token))
        .first()
    )
    if link is None or link.patient.kept.pk != patient.pk:
        return False
    link.opened_at = link.opened_at or at
    link.save(update_fields=["opened_at"])
    return True


@transaction.atomic
def close_link(*, token: str, at: datetime) -> None:
    """Close one link, whose page is left."""
    Link.objects.usable(at).filter(token_hash=token_hash(token)).update(revoked_at=at)


@transaction.atomic
def revoke_links(*, patient: Patient, at: datetime) -> int:
    """Close every open link of a patient, for a changed address or a lost phone; how many."""
    return Link.objects.usable(at).filter(patient=patient).update(revoked_at=at)


@transaction.atomic
def prove(*, token: str, birth_date: date, at: datetime) -> bool | None:
    """Whether the birth date is that of the link's patient; None when the link is of no use, and
    where the patient lets nothing but a passkey open it.

    Each wrong answer counts; the fifth closes the link. The row is locked, so that answers given
    at the same moment are counted one after the other.
    """
    link = (
        Link.objects.usable(at)
        .select_for_update(of=("self",))
        .select_related("patient")
        .filter(token_hash=token_hash(token))
        .first()
    )
    if link is None or PasskeyOnly.objects.in_force().filter(patient=link.patient_id).exists():
        return None
    if link.patient.birth_date != birth_date:
        link.wrong_answers += 1
        link.save(update_fields=["wrong_answers"])
        return False
    link.opened_at = link.opened_at or at
    link.save(update_fields=["opened_at"])
    return True
