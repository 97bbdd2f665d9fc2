"""The clinic's seal: a PAdES signature with the clinic's own key, set by pyHanko.

It says that the clinic made the file and that nobody has changed it since. It is the seal of an
organisation, not the signature of a person, and is never called advanced or qualified.

The key is held by the process that renders the queue, a Celery worker, from its first document on,
and by no other: not by the cell, which reads whatever people have written; not by the web, which
only checks, and needs certificates for that. The worker hands the cell a hash to make room for, and
gets bytes back that it does not parse: it hashes all of them but the hole, signs the hash and fills
the hole. So nothing in a document can reach the key, and only the worker speaks to a time-stamp
authority, which learns a hash and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.x509 import Certificate, NameOID, load_der_x509_certificate
from django.conf import settings
from django.utils.translation import gettext as _

from clinic.rendering.keyfile import UnusableKey, read_p12

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner

# pyHanko is imported where a seal is set: a web process, which sets none, is 31 MB smaller.

DIGEST = "sha256"
SECONDS_FOR_THE_TIME = 8
ROOM_STEP = 512
DIGEST_TO_COME = hashlib.sha256(b"").digest()
"""Stands in what a seal signs until there is a document."""
ROOM_FOR_A_TIMESTAMP = 12 * 1024
"""Bytes. A token with the authority's chain takes 3 to 7 kB."""


class SealUnavailable(Exception):
    """No seal can be set just now; the message is fit to show."""


@dataclass(frozen=True)
class Hole:
    """Where in a file the seal goes: from its `<` to behind its `>`."""

    start: int
    end: int


@dataclass(frozen=True)
class SealKey:
    """A key with its certificate (DER). `room`: the bytes that a seal by it may take.

    `said`: what each of its seals signs (DER), before and after the digest of the document. Nothing
    else in it changes, and to build it anew takes pyHanko most of the time of a seal.
    """

    name: str
    certificate: bytes
    room: int
    said: tuple[bytes, bytes] = field(repr=False)
    signer: SimpleSigner = field(repr=False)


def _signer(path: str, password: str) -> SimpleSigner:
    from asn1crypto import keys, x509  # noqa: PLC0415
    from pyhanko.sign.signers import SimpleSigner  # noqa: PLC0415
    from pyhanko_certvalidator.registry import SimpleCertificateStore  # noqa: PLC0415

    held = read_p12(path, password)
    known = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    known.register_multiple([x509.Certificate.load(one) for one in held.others])
    return SimpleSigner(
        x509.Certificate.load(held.certificate), keys.PrivateKeyInfo.load(held.private_key), known
    )


def signing_key() -> SealKey:
    """The key of `SIGNING_P12_FILE`. Raises `SealUnavailable` when it cannot be used."""
    if not settings.SIGNING_P12_FILE:
        raise SealUnavailable(_("The clinic has no key to seal documents with."))
    try:
        return _opened(
            settings.SIGNING_P12_FILE, settings.SIGNING_P12_PASSWORD, settings.SIGNING_TSA_URL
        )
    except (OSError, UnusableKey) as error:
        raise SealUnavailable(_("The clinic’s key to seal documents cannot be read.")) from error


@lru_cache(maxsize=4)
def _opened(path: str, password: str, tsa_url: str) -> SealKey:
    signer = _signer(path, password)
    assert signer.signing_cert is not None
    certificate: bytes = signer.signing_cert.dump()
    said = asyncio.run(signer.signed_attrs(DIGEST_TO_COME, DIGEST, use_pades=True)).dump()
    before, after = said.split(DIGEST_TO_COME)
    alone = _message(signer, said)
    # A seal by the same key differs by a few bytes in length.
    room = math.ceil((len(alone) + 64) / ROOM_STEP) * ROOM_STEP
    return SealKey(
        name=name_of(load_der_x509_certificate(certificate)),
        certificate=certificate,
        room=room + (ROOM_FOR_A_TIMESTAMP if tsa_url else 0),
        said=(before, after),
        signer=signer,
    )


def _message(signer: SimpleSigner, said: bytes, timestamper: Any = None) -> bytes:
    """The seal over what it says, in DER."""
    from asn1crypto.cms import CMSAttributes  # noqa: PLC0415

    signed = signer.async_sign_prescribed_attributes(
        DIGEST, CMSAttributes.load(said), timestamper=timestamper
    )
    message: bytes = asyncio.run(signed).dump()
    return message


def name_of(certificate: Certificate) -> str:
    """Whom a certificate names: the organisation, else the common name."""
    for what in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for found in certificate.subject.get_attributes_for_oid(what):
            return str(found.value)
    return ""


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 by which a certificate (DER) is known."""
    return hashlib.sha256(certificate).hexdigest()


def _time_authority() -> Any:
    from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper  # noqa: PLC0415

    url = settings.SIGNING_TSA_URL
    if not url:
        return None
    return RequestsHTTPTimeStamper(url, timeout=SECONDS_FOR_THE_TIME)  # type: ignore[no-untyped-call]


def sealed(pdf: bytes, hole: Hole, key: SealKey) -> bytes:
    """The file with the seal in its hole. Raises `SealUnavailable` without a time-stamp.

    The hole is looked at first: what a cell says of its own work is not taken on trust.
    """
    room = b"<" + b"0" * (2 * key.room) + b">"
    if pdf[hole.start : hole.end] != room:
        raise SealUnavailable(_("The document has no room for the seal."))
    digest = hashlib.sha256(pdf[: hole.start] + pdf[hole.end :]).digest()
    try:
        message = _message(key.signer, digest.join(key.said), _time_authority())
    except (OSError, ValueError, TypeError) as error:
        raise SealUnavailable(_("The time-stamp authority does not answer.")) from error
    if len(message) > key.room:
        raise SealUnavailable(_("The document has no room for the seal."))
    content = message.hex().upper().encode().ljust(2 * key.room, b"0")
    return pdf[: hole.start + 1] + content + pdf[hole.end - 1 :]
