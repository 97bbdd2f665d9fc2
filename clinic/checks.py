"""What must be right before the clinic may start; each fault names its cure."""

from __future__ import annotations

import base64
import binascii
import ctypes
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.x509 import load_der_x509_certificate
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.core.exceptions import ImproperlyConfigured

from clinic.rendering.keyfile import UnusableKey, read_p12

SECRET_KEY_LENGTH = 50
SECRET_KEY_LETTERS = 5
SMS_REPORT_SECRET_LENGTH = 32
WEAK_STARTS = ("django-insecure-", "change", "dev-only", "secret", "only-for")
MEDIA_KEY_BYTES = 32
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", ".localhost", "testserver"})

HOW_TO_MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(64))' > secret.key"
HOW_TO_MAKE_A_MEDIA_KEY = (
    "python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())' > media.key"
)
HOW_TO_MAKE_A_SEAL = "make one with `sh deploy/make-secrets.sh`"
SEAL_NOTICE = timedelta(days=30)
PANGO = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def require_production_settings(
    *,
    demo: bool,
    debug: bool,
    secret_key: str,
    allowed_hosts: list[str],
    base_url: str,
    database_url: str,
    redis_url: str,
    email_url: str,
    media_key_file: str,
    default_from_email: str,
    signing_p12_file: str,
    signing_p12_password: str = "",
    signing_tsa_url: str = "",
    sms_report_secret: str = "",
) -> None:
    """Raise `ImproperlyConfigured`, with the cure, for a missing or weak setting."""
    _require_length(secret_key)
    if demo:
        _require_loopback(allowed_hosts)
        return
    if debug:
        _refuse("DEBUG shows source code and settings to visitors: unset it.")
    _require_strength(secret_key)
    _require_hosts(allowed_hosts, base_url)
    _require_address(
        "DATABASE_URL", database_url, ("postgresql", "postgres"), "postgresql://USER:PASS@HOST/DB"
    )
    _require_address("REDIS_URL", redis_url, ("redis", "rediss", "unix"), "redis://HOST:6379/0")
    _require_address(
        "EMAIL_URL",
        email_url,
        ("smtp", "smtp+tls", "smtp+ssl", "smtps"),
        "smtp+tls://USER:PASS@HOST:587",
    )
    _require_sender(default_from_email)
    _require_media_key(media_key_file)
    _require_signing_key(signing_p12_file, signing_p12_password)
    if signing_tsa_url:
        _require_address(
            "SIGNING_TSA_URL", signing_tsa_url, ("https", "http"), "https://tsa.example/tsr"
        )
    if sms_report_secret and len(sms_report_secret) < SMS_REPORT_SECRET_LENGTH:
        _refuse(
            f"SMS_REPORT_SECRET is shorter than {SMS_REPORT_SECRET_LENGTH} characters and could be "
            "guessed: make it longer, or unset it."
        )


def _refuse(message: str) -> None:
    raise ImproperlyConfigured(message)


def _require_length(secret_key: str) -> None:
    if len(secret_key) < SECRET_KEY_LENGTH:
        _refuse(
            f"SECRET_KEY is missing or shorter than {SECRET_KEY_LENGTH} characters. Make one with "
            f"`{HOW_TO_MAKE_A_KEY}` and set SECRET_KEY_FILE to that file. "
            "(`make demo` makes its own.)"
        )


def _require_loopback(allowed_hosts: Sequence[str]) -> None:
    foreign = sorted(set(allowed_hosts) - LOOPBACK)
    if foreign:
        _refuse(
            f"DEMO is set together with ALLOWED_HOSTS={','.join(foreign)}. The demo's passwords "
            "and mailbox are open to anyone: unset DEMO, or unset ALLOWED_HOSTS."
        )


def _require_strength(secret_key: str) -> None:
    few = len(set(secret_key)) < SECRET_KEY_LETTERS
    if few or secret_key.lower().startswith(WEAK_STARTS):
        _refuse(
            f"SECRET_KEY can be guessed. Make one with `{HOW_TO_MAKE_A_KEY}` "
            "and set SECRET_KEY_FILE to that file."
        )


def _require_hosts(allowed_hosts: Sequence[str], base_url: str) -> None:
    if not allowed_hosts:
        _refuse("ALLOWED_HOSTS is missing: set it to the clinic's host name, as in clinic.example.")
    if any(host.strip() in {"*", ""} for host in allowed_hosts):
        _refuse(
            "ALLOWED_HOSTS admits every host, so links in mails could be forged: "
            "name the clinic's own host names, separated by commas."
        )
    address = urlsplit(base_url)
    if address.scheme != "https" or not address.hostname:
        _refuse(
            "BASE_URL is missing or not https: set it to the clinic's public address, "
            "as in https://clinic.example; links in mails begin with it."
        )


def _require_address(name: str, value: str, schemes: Sequence[str], example: str) -> None:
    if not value:
        _refuse(f"{name} is missing: set it, as in {example}. Only the demo has a default.")
    if value.partition("://")[0] not in schemes:
        _refuse(f"{name} begins with none of {', '.join(schemes)}: write it as in {example}.")


def _require_sender(address: str) -> None:
    if "@" not in parseaddr(address)[1]:
        _refuse(
            "DEFAULT_FROM_EMAIL is missing or holds no address: set it to the sender of the "
            "clinic's mail, as in Clinic <clinic@clinic.example>; without it no message leaves."
        )


def _require_media_key(path: str) -> None:
    if not path or not Path(path).is_file():
        _refuse(
            "MEDIA_KEY_FILE is missing or names no file. Make one with "
            f"`{HOW_TO_MAKE_A_MEDIA_KEY}`, and keep a copy apart: "
            "without it no stored file can be read."
        )
    try:
        key = base64.b64decode(Path(path).read_text().strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        key = b""
    if len(key) != MEDIA_KEY_BYTES:
        _refuse(
            f"MEDIA_KEY_FILE must hold {MEDIA_KEY_BYTES} random bytes as base64. "
            f"For a clinic without stored files make one with `{HOW_TO_MAKE_A_MEDIA_KEY}`; "
            "otherwise put the old file back."
        )


def _require_signing_key(path: str, password: str) -> None:
    """Every document is sealed; the process that seals opens the file again, see `sealing`."""
    if not path or not Path(path).is_file():
        _refuse(
            "SIGNING_P12_FILE is missing or names no file; the clinic seals its documents with it. "
            f"Ask your certificate authority for a PKCS#12 file, or {HOW_TO_MAKE_A_SEAL}."
        )
    try:
        read_p12(path, password)
    except OSError:
        _refuse(
            "SIGNING_P12_FILE cannot be read: give it to the user that runs the clinic, mode 0400."
        )
    except UnusableKey:
        _refuse(
            "SIGNING_P12_FILE holds no RSA or elliptic-curve key that SIGNING_P12_PASSWORD opens: "
            f"set the password, put the right file in its place, or {HOW_TO_MAKE_A_SEAL}."
        )


def missing_libraries() -> list[str]:
    """The libraries without which no PDF can be made. Only Linux is looked at."""
    missing = []
    for name in PANGO if sys.platform.startswith("linux") else ():
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    return missing


@register()
def pdf_can_be_made(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A warning when Pango is missing; the clinic works without, but its documents stay queued."""
    missing = missing_libraries()
    if not missing:
        return []
    return [
        Warning(
            f"Documents cannot be rendered: {', '.join(missing)} cannot be loaded.",
            hint=f"apt-get install --no-install-recommends {PANGO_PACKAGES}",
            id="clinic.W001",
        )
    ]


@register()
def seal_is_in_date(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A warning before the certificate of the seal ends; seals set later look wrong to readers."""
    try:
        held = read_p12(settings.SIGNING_P12_FILE, settings.SIGNING_P12_PASSWORD)
    except (OSError, UnusableKey):
        return []  # a demo that has not made its key yet; in production the start has refused
    until = load_der_x509_certificate(held.certificate).not_valid_after_utc
    if until - datetime.now(UTC) > SEAL_NOTICE:
        return []
    return [
        Warning(
            f"The certificate of the seal, SIGNING_P12_FILE, ends on {until:%d %B %Y}.",
            hint="Put a new PKCS#12 file in its place; what was sealed before is still known.",
            id="clinic.W002",
        )
    ]
