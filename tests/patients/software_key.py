"""A device with a passkey, made of fido2's own parts: what a phone would answer."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

Flag = AuthenticatorData.FLAG


@dataclass
class Device:
    """One key pair for one host; `counter` as the device counts its uses."""

    host: str = "localhost"
    origin: str = "http://localhost"
    counter: int = 0
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    flags: Any = Flag.UP | Flag.UV

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    @property
    def _rp(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    @property
    def credential(self) -> bytes:
        """The public half, as the clinic keeps it."""
        public = ES256.from_cryptography_key(self.key.public_key())
        return bytes(AttestedCredentialData.create(b"\0" * 16, self.credential_id, public))

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """What comes back when a passkey is made."""
        credential = AttestedCredentialData(self.credential)
        data = AuthenticatorData.create(self._rp, self.flags | Flag.AT, self.counter, credential)
        client = self._client("webauthn.create", options["publicKey"]["challenge"])
        return self._answer(
            clientDataJSON=client,
            attestationObject=bytes(AttestationObject.create("none", data, {})),
        )

    def use(self, options: dict[str, Any]) -> dict[str, Any]:
        """What comes back when it is used; a use is counted where the device counts."""
        self.counter += 1
        data = AuthenticatorData.create(self._rp, self.flags, self.counter)
        client = self._client("webauthn.get", options["publicKey"]["challenge"])
        signed = bytes(data) + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=bytes(data), signature=signature
        )

    def _answer(self, **response: bytes) -> dict[str, Any]:
        name = websafe_encode(self.credential_id)
        told = {key: websafe_encode(value) for key, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": told}
