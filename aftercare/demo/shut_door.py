"""A patient of the demo whose pages open with a passkey alone, which nobody here has."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import AttestedCredentialData

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground
from patients.messages.door import choose_passkey_only
from patients.portal.models import Passkey
from patients.registry.models import Patient

NOT_THE_LAST = 12
"""The last ones registered have stories of their own."""


def shut_a_door(ground: Ground, now: datetime) -> None:
    """Somebody of the first location who can be written to."""
    place = ground.places[0].location
    reachable = Patient.objects.in_use().filter(registrations__location=place).exclude(email="")
    patient = next(iter(reachable.order_by("-pk")[NOT_THE_LAST : NOT_THE_LAST + 1]), None)
    if patient is None:
        return
    made, used = now - timedelta(days=9), now - timedelta(days=2)
    with then(made, patient):
        Passkey.objects.create(
            patient=patient,
            credential_id=(name := os.urandom(32)),
            credential=_credential(name),
            sign_count=3,
            name="Phone",
            last_used_at=used,
        )
    with then(used, patient) as at:
        choose_passkey_only(patient=patient, at=at)


def _credential(name: bytes) -> bytes:
    """The public half of a key whose other half is thrown away."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = ES256.from_cryptography_key(public)  # type: ignore[no-untyped-call]
    return bytes(AttestedCredentialData.create(b"\0" * 16, name, key))
