"""The demo's own secrets: made once, kept under the demo's folder, readable by their owner only."""

import base64
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

SECRET_KEY_NAME = "secret.key"  # noqa: S105  a file name
MEDIA_KEY_NAME = "media.key"
MEDIA_KEY_BYTES = 32
SEAL_NAME = "seal.p12"
SEAL_LASTS = timedelta(days=3650)
SEALED_BY = "Demo clinic"


def ensure_keys(base: Path) -> None:
    """Make the keys of the demo where they do not exist yet: secret, stored files, seal."""
    _write_once(base / SECRET_KEY_NAME, f"{secrets.token_urlsafe(64)}\n".encode())
    random = secrets.token_bytes(MEDIA_KEY_BYTES)
    _write_once(base / MEDIA_KEY_NAME, base64.b64encode(random) + b"\n")
    if not (base / SEAL_NAME).exists():
        _write_once(base / SEAL_NAME, make_seal(SEALED_BY, datetime.now(UTC)))


def make_seal(name: str, at: datetime) -> bytes:
    """A PKCS#12 file without a password: a new key, and a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(names, names, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + SEAL_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_only_to_sign(), critical=True)
        .sign(key, SHA256())
    )
    return pkcs12.serialize_key_and_certificates(
        name.encode(), key, certificate, None, NoEncryption()
    )


def _only_to_sign() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    # A link fails when another process was first, so no key is ever replaced.
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
