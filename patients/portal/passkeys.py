"""Passkeys of patients: made on their own page, used in place of a link. WebAuthn is fido2's work.

What a device shows of a passkey is the clinic's name and a word without a person in it; the handle
that it keeps is a keyed hash, which says nothing to who reads it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.portal.models import Passkey, PasskeyOnly
from patients.registry.models import Patient

MOST_PASSKEYS = 10
WITHOUT_TLS = ("localhost",)
"""The one host that a browser takes for safe without TLS."""

BROKEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error)
"""What fido2 raises at an answer that is none, or not to what was asked."""

State = dict[str, Any]


def host_of(origin: str) -> str:
    """The host of `https://host:port`, empty for what is none."""
    return urlsplit(origin).hostname or ""


def can_be_used_at(host: str) -> bool:
    """Whether a browser makes passkeys for this host: it must have a name, not a number."""
    return not host.replace(".", "").isdigit() and ":" not in host


def _server(host: str) -> Fido2Server:
    """The server for one of the clinic's hosts; the origin must be exactly that host, by TLS."""
    entity = PublicKeyCredentialRpEntity(id=host, name=_("Your clinic"))
    return Fido2Server(entity, verify_origin=lambda origin: _is_ours(origin, host))


def _is_ours(origin: str, host: str) -> bool:
    if host_of(origin) != host:
        return False
    plain = settings.DEMO and host in WITHOUT_TLS
    return urlsplit(origin).scheme == "https" or plain


def _handle(patient: Patient) -> bytes:
    """The same for a person each time, so that a second passkey on a device replaces the first."""
    key = salted_hmac("patients.portal.passkeys", str(patient.pk), algorithm="sha256")
    return key.digest()


def _known(patient: Patient) -> list[AttestedCredentialData]:
    rows = Passkey.objects.filter(patient=patient).in_use()
    return [AttestedCredentialData(bytes(row.credential)) for row in rows]


def begin_making(*, patient: Patient, host: str) -> tuple[dict[str, Any], State]:
    """What the browser needs to make one, and what must be kept until it comes back.

    Raises `ActionRefused` after too many.
    """
    known = _known(patient)
    if len(known) >= MOST_PASSKEYS:
        raise ActionRefused(_("You have many passkeys already. Remove one first."))
    word = _("My pages")
    options, state = _server(host).register_begin(
        PublicKeyCredentialUserEntity(id=_handle(patient), name=word, display_name=word),
        credentials=known,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options), state


@transaction.atomic
def finish_making(
    *, patient: Patient, host: str, state: State | None, answer: Mapping[str, Any], name: str
) -> Passkey:
    """Keep the passkey that a device made. Raises `ActionRefused` for what is no answer to `state`.

    `name`: what the patient calls the device.
    """
    if not name.strip():
        raise ActionRefused(_("Give the device a name."), field="name")
    if state is None:
        raise ActionRefused(_unusable())
    try:
        made = _server(host).register_complete(state, RegistrationResponse.from_dict(answer))
    except BROKEN:
        raise ActionRefused(_unusable()) from None
    credential = made.credential_data
    if credential is None:
        raise ActionRefused(_unusable())
    try:
        with transaction.atomic():
            return Passkey.objects.create(
                patient=patient,
                credential_id=credential.credential_id,
                credential=bytes(credential),
                sign_count=made.counter,
                name=" ".join(name.split())[:60],
            )
    except IntegrityError:
        raise ActionRefused(_("This device has a passkey for these pages already.")) from None


def _unusable() -> str:
    return _("The passkey could not be checked. Please try again.")


def begin_using(*, host: str) -> tuple[dict[str, Any], State]:
    """What the browser needs to ask for any passkey of this host; whose it is, nobody has said."""
    options, state = _server(host).authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED
    )
    return dict(options), state


@transaction.atomic
def finish_using(
    *, host: str, state: State | None, answer: Mapping[str, Any], at: datetime
) -> Patient:
    """Whose passkey answered. Raises `ActionRefused`, in the same words whatever was wrong.

    The row is locked, so that a counter which stands still or goes back is seen.
    """
    try:
        said = AuthenticationResponse.from_dict(answer)
    except BROKEN:
        raise ActionRefused(_unusable()) from None
    row = (
        Passkey.objects.in_use()
        .select_for_update(of=("self",))
        .select_related("patient__merged_into")
        .filter(credential_id=said.raw_id)
        .first()
    )
    if row is None or state is None:
        raise ActionRefused(_unusable())
    try:
        _server(host).authenticate_complete(
            state, [AttestedCredentialData(bytes(row.credential))], said
        )
    except BROKEN:
        raise ActionRefused(_unusable()) from None
    counter = said.response.authenticator_data.counter
    if counter <= row.sign_count and (counter or row.sign_count):
        raise ActionRefused(_unusable())
    row.sign_count, row.last_used_at = counter, at
    row.save(update_fields=["sign_count", "last_used_at"])
    return row.patient.kept


@transaction.atomic
def remove_passkey(*, patient: Patient, pk: int, at: datetime) -> bool:
    """Take one away, so that it opens nothing any more; whether it was there.

    Raises `ActionRefused` for the last that is known to open, where nothing else opens the pages.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    mine = Passkey.objects.filter(patient=patient).in_use()
    others = mine.exclude(pk=pk).filter(last_used_at__isnull=False)
    if is_only_way(patient) and not others.exists():
        raise ActionRefused(_("Nothing else opens your pages. Let links open them again first."))
    return bool(mine.filter(pk=pk).update(removed_at=at))


def is_only_way(patient: Patient) -> bool:
    """Whether the patient lets nothing but a passkey open their pages."""
    return PasskeyOnly.objects.in_force().filter(patient=patient).exists()


@transaction.atomic
def shut_to_links(*, patient: Patient) -> bool:
    """From now on a passkey alone opens the patient's pages; whether that is new.

    Raises `ActionRefused` while none of theirs has ever opened them.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    tried = Passkey.objects.filter(patient=patient, last_used_at__isnull=False).in_use()
    if not tried.exists():
        raise ActionRefused(_("Open your pages with your passkey once, so that we know it works."))
    if is_only_way(patient):
        return False
    PasskeyOnly.objects.create(patient=patient)
    return True


@transaction.atomic
def open_to_links(
    *, patient: Patient, at: datetime, by: Staff | None = None, identity: str = ""
) -> bool:
    """Links with a birth date open the pages again; whether they did not. `by`: see the model."""
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    rows = PasskeyOnly.objects.in_force().filter(patient=patient)
    return bool(rows.update(ended_at=at, ended_by=by, identity=identity))


@transaction.atomic
def remove_passkeys(*, patient: Patient, at: datetime) -> int:
    """Take all of a patient's away, for a lost device; how many.

    Where nothing else opened the pages, nothing does until `open_to_links`.
    """
    return Passkey.objects.filter(patient=patient).in_use().update(removed_at=at)
