"""A missing or weak setting stops the start, and the message holds the cure."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_der_x509_certificate

from clinic import checks
from clinic.embedded.keys import SEAL_LASTS, make_seal
from clinic.embedded.urls import REPOSITORY
from clinic.rendering.keyfile import UnusableKey, read_p12

GOOD_KEY = "kV9-xT2qLw7Zr4Nf8Yb3Hc6Jd1Mg5Ps0Qe_Ua-Ri2To4Wy6Xz8Bn1Cv3"


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """The settings of a clinic that may start."""
    key = tmp_path / "production-media.key"
    key.write_text(base64.b64encode(bytes(range(32))).decode() + "\n")
    secret = tmp_path / "production-secret.key"
    secret.write_text(GOOD_KEY + "\n")
    seal = tmp_path / "production-seal.p12"
    seal.write_bytes(make_seal("Clinic", datetime.now(UTC)))
    return {
        "SECRET_KEY_FILE": str(secret),
        "ALLOWED_HOSTS": "clinic.example",
        "BASE_URL": "https://clinic.example",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "EMAIL_URL": "smtp+tls://user:pass@mail.example:587",
        "DEFAULT_FROM_EMAIL": "Clinic <clinic@clinic.example>",
        "MEDIA_KEY_FILE": str(key),
        "SIGNING_P12_FILE": str(seal),
    }


def start(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Start Django with these settings and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *(command or ("-c", "import django; django.setup()"))],
        env=kept | {"DJANGO_SETTINGS_MODULE": "clinic.settings"} | environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


EACH = """
import json, os, sys, tempfile
import django, environ
import django.conf, django.core.management
for environment in json.load(sys.stdin):
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if not child:
            os.environ.update(environment)
            os.dup2(said.fileno(), 2)
            django.setup()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        print(json.dumps([code, said.read()]), flush=True)
"""
"""Starts Django once with each of the settings, every time in a process of its own, without having
Python load its libraries anew."""


def start_each(environments: list[dict[str, str]]) -> list[tuple[int, str]]:
    """Start Django with each of these settings and no others: exit code and what was said."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", EACH],
        env=kept | {"DJANGO_SETTINGS_MODULE": "clinic.settings"},
        input=json.dumps(environments),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [(code, said) for code, said in map(json.loads, done.stdout.splitlines())]


def test_production_settings_pass_the_deployment_check(production: dict[str, str]) -> None:
    done = start(production, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_set_at_all_names_the_first_cure() -> None:
    done = start({})
    assert done.returncode == 1
    assert "SECRET_KEY_FILE" in done.stderr
    assert "make demo" in done.stderr


FAULTS = [
    ("SECRET_KEY_FILE", "", "SECRET_KEY is missing"),
    ("SECRET_KEY", "short", "shorter than 50"),
    ("SECRET_KEY", "x" * 60, "can be guessed"),
    ("SECRET_KEY", "django-insecure-" + GOOD_KEY, "can be guessed"),
    ("SECRET_KEY", "change-me-" + GOOD_KEY, "can be guessed"),
    ("DEBUG", "1", "DEBUG shows"),
    ("DEMO", "1", "unset DEMO"),
    ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS is missing"),
    ("ALLOWED_HOSTS", "*", "admits every host"),
    ("ALLOWED_HOSTS", "clinic.example,*", "admits every host"),
    ("BASE_URL", "", "BASE_URL is missing"),
    ("BASE_URL", "http://clinic.example", "not https"),
    ("DATABASE_URL", "", "DATABASE_URL is missing"),
    ("DATABASE_URL", "sqlite:///db.sqlite3", "DATABASE_URL begins with none of"),
    ("REDIS_URL", "", "REDIS_URL is missing"),
    ("EMAIL_URL", "", "EMAIL_URL is missing"),
    ("EMAIL_URL", "consolemail://", "EMAIL_URL begins with none of"),
    ("DEFAULT_FROM_EMAIL", "", "DEFAULT_FROM_EMAIL is missing"),
    ("DEFAULT_FROM_EMAIL", "Clinic", "DEFAULT_FROM_EMAIL is missing or holds no address"),
    ("MEDIA_KEY_FILE", "", "MEDIA_KEY_FILE is missing"),
    ("MEDIA_KEY_FILE", "/nowhere/media.key", "MEDIA_KEY_FILE is missing or names no file"),
    ("SIGNING_P12_FILE", "", "SIGNING_P12_FILE is missing"),
    ("SIGNING_P12_FILE", "/nowhere/seal.p12", "SIGNING_P12_FILE is missing or names no file"),
    ("SIGNING_P12_FILE", "/etc/hostname", "that SIGNING_P12_PASSWORD opens"),
    ("SIGNING_P12_PASSWORD", "another", "that SIGNING_P12_PASSWORD opens"),
    ("SIGNING_TSA_URL", "tsa.example", "SIGNING_TSA_URL begins with none of"),
]


def test_a_fault_stops_the_start_with_its_cure(production: dict[str, str]) -> None:
    """Each by itself; and with none of them the start goes on."""
    faulty = [production | {name: value} for name, value, _said in FAULTS]
    *found, whole = start_each([*faulty, production])
    assert whole == (0, "")
    for (name, value, expected), (code, said) in zip(FAULTS, found, strict=True):
        last = said.strip().splitlines()[-1]
        assert (name, value, code) == (name, value, 1)
        assert "ImproperlyConfigured" in last, (name, value)
        assert expected in last, (name, value)
        assert GOOD_KEY not in last, (name, value)


def test_a_wrong_media_key_stops_the_start(production: dict[str, str], tmp_path: Path) -> None:
    contents = ["", "not base64!", base64.b64encode(bytes(16)).decode()]
    wrong = [tmp_path / f"wrong-{number}.key" for number in range(len(contents))]
    for path, content in zip(wrong, contents, strict=True):
        path.write_text(content)
    for code, said in start_each([production | {"MEDIA_KEY_FILE": str(path)} for path in wrong]):
        assert code == 1
        assert "32 random bytes as base64" in said


def test_the_key_that_the_script_makes_opens(production: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy")
    make = ["sh", str(tmp_path / "deploy/make-secrets.sh")]
    subprocess.run(make, check=True, capture_output=True, env=os.environ | {"CLINIC_NAME": "Our"})
    path = tmp_path / "secrets/seal_p12"
    held = load_der_x509_certificate(read_p12(str(path), "").certificate)
    assert held.subject.rfc4514_string() == "CN=Our"
    assert start(production | {"SIGNING_P12_FILE": str(path)}).returncode == 0


def test_a_key_without_a_certificate_or_of_another_kind_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ed.p12"
    key = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(serialize_key_and_certificates(b"x", key, None, None, NoEncryption()))
    with pytest.raises(UnusableKey):
        read_p12(str(path), "")


def test_the_demo_needs_only_its_key(tmp_path: Path) -> None:
    done = start({"DEMO": "1", "SECRET_KEY": GOOD_KEY, "CLINIC_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr


def test_settings_start_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    start({"DEMO": "1", "SECRET_KEY": GOOD_KEY, "CLINIC_HOME": str(home)})
    assert not home.exists()


def test_missing_pango_is_a_warning_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PANGO", ("libnowhere.so.0",))
    monkeypatch.setattr(sys, "platform", "linux")
    (warning,) = checks.pdf_can_be_made(None)
    assert "libnowhere" in warning.msg
    assert "apt-get install --no-install-recommends libpango-1.0-0" in str(warning.hint)


def test_with_pango_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PANGO", ())
    assert checks.pdf_can_be_made(None) == []


@pytest.mark.parametrize(("days_left", "warned"), [(-1, True), (29, True), (31, False)])
def test_a_seal_that_ends_soon_is_a_warning(
    settings: Any, tmp_path: Path, days_left: int, warned: bool
) -> None:
    path = tmp_path / "seal.p12"
    made = datetime.now(UTC) - SEAL_LASTS + timedelta(days=days_left, minutes=1)
    path.write_bytes(make_seal("Clinic", made))
    settings.SIGNING_P12_FILE = str(path)
    found = checks.seal_is_in_date(None)
    assert [one.id for one in found] == (["clinic.W002"] if warned else [])
