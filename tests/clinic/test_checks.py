"""A missing or weak setting stops the start, and the message holds the cure."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from clinic import checks
from clinic.embedded.urls import REPOSITORY

GOOD_KEY = "kV9-xT2qLw7Zr4Nf8Yb3Hc6Jd1Mg5Ps0Qe_Ua-Ri2To4Wy6Xz8Bn1Cv3"


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """The settings of a clinic that may start."""
    key = tmp_path / "production-media.key"
    key.write_text(base64.b64encode(bytes(range(32))).decode() + "\n")
    secret = tmp_path / "production-secret.key"
    secret.write_text(GOOD_KEY + "\n")
    return {
        "SECRET_KEY_FILE": str(secret),
        "ALLOWED_HOSTS": "clinic.example",
        "BASE_URL": "https://clinic.example",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "EMAIL_URL": "smtp+tls://user:pass@mail.example:587",
        "DEFAULT_FROM_EMAIL": "Clinic <clinic@clinic.example>",
        "MEDIA_KEY_FILE": str(key),
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
]


@pytest.mark.parametrize(("name", "value", "said"), FAULTS)
def test_a_fault_stops_the_start_with_its_cure(
    production: dict[str, str], name: str, value: str, said: str
) -> None:
    done = start(production | {name: value})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert said in last
    assert GOOD_KEY not in last


@pytest.mark.parametrize("content", ["", "not base64!", base64.b64encode(bytes(16)).decode()])
def test_a_wrong_media_key_stops_the_start(
    production: dict[str, str], tmp_path: Path, content: str
) -> None:
    wrong = tmp_path / "wrong.key"
    wrong.write_text(content)
    done = start(production | {"MEDIA_KEY_FILE": str(wrong)})
    assert done.returncode == 1
    assert "32 random bytes as base64" in done.stderr


def test_a_signing_file_that_is_not_there_is_told(production: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="SIGNING_P12_FILE"):
        checks.require_production_settings(
            demo=False,
            debug=False,
            secret_key=GOOD_KEY,
            allowed_hosts=["clinic.example"],
            base_url="https://clinic.example",
            database_url="postgresql://clinic_app@postgres/clinic",
            redis_url="redis://redis:6379/0",
            email_url="smtp://mail:1025",
            media_key_file=production["MEDIA_KEY_FILE"],
            default_from_email=production["DEFAULT_FROM_EMAIL"],
            signing_p12_file="/nowhere/signing.p12",
        )


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
