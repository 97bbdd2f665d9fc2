"""The file that holds the clinic's key to seal with. Reads no settings: they ask it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import Certificate


class UnusableKey(Exception):
    """The PKCS#12 file is none, is locked with another password, or holds no key to seal with."""


@dataclass(frozen=True)
class KeyFile:
    """What a PKCS#12 file holds, as DER: a private key, its certificate, and those above it."""

    private_key: bytes
    certificate: bytes
    others: tuple[bytes, ...]

    def __repr__(self) -> str:
        return "KeyFile()"


def read_p12(path: str, password: str) -> KeyFile:
    """An RSA or elliptic-curve key with its certificate. Raises `UnusableKey` or `OSError`."""
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(
            Path(path).read_bytes(), password.encode() or None
        )
    except ValueError as error:
        raise UnusableKey from error
    if certificate is None or not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise UnusableKey
    return KeyFile(
        private_key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        certificate=_der(certificate),
        others=tuple(_der(one) for one in others),
    )


def _der(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
