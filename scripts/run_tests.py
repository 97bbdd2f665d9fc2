"""Run every test on two cores: rules and pages first, then the browser.

Playwright keeps an event loop open in its process, in which Django refuses to use the database.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent

READY = "clinic_ready"
"""A database as a fresh installation has it, from which each process copies its own."""
FILLING = "clinic_filling"
"""Its name until it is that."""
PYTEST = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "--durations=12"]
# Counting branches makes the run a third longer, so it is asked for: `make coverage`.
COVERAGE = (
    ["--cov", "--cov-branch", "--cov-report=term:skip-covered"]
    if os.environ.get("COVERAGE")
    else []
)
RUNS = (
    ("rules and pages", [*PYTEST, "tests", *COVERAGE]),
    ("browser", [*PYTEST, "tests/browser", "-m", "not soak", "-o", "addopts=--strict-markers -ra"]),
)

FILL = """
import django
from django.core.management import call_command
django.setup()
for command in ("migrate", "database_rights", "load_catalogue"):
    call_command(command, verbosity=0)
"""
COLLECT = """
import sys
import django
django.setup()
from tests.conftest import collect_static_files
collect_static_files(sys.argv[1])
"""


def database_of(name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def collect(static: str) -> None:
    """The static files under their hashed names."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "clinic.settings"}
    subprocess.run([sys.executable, "-c", COLLECT, static], env=environment, cwd=ROOT, check=True)


def on_server(*statements: str) -> None:
    """Outside of every database."""
    with psycopg.connect(database_of("postgres"), autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


def fill() -> None:
    """One database migrated and filled: every process of both runs would else make its own."""
    own = {"DJANGO_SETTINGS_MODULE": "clinic.settings", "DATABASE_URL": database_of(FILLING)}
    command = [sys.executable, "-c", FILL]
    subprocess.run(command, env=os.environ | own, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    on_server(f"ALTER DATABASE {FILLING} RENAME TO {READY}")


def main() -> int:
    """Run both, even when the first fails; the result says which failed and how long each took.

    The database is filled while the first run gathers its tests, which then wait for it.
    """
    failed, lines = False, []
    with tempfile.TemporaryDirectory() as static, ThreadPoolExecutor(1) as beside:
        environment = os.environ | {"TEST_TEMPLATE": READY, "TEST_STATIC": static}
        on_server(*(f"DROP DATABASE IF EXISTS {name}" for name in (READY, FILLING)))
        on_server(f"CREATE DATABASE {FILLING}")
        filled = beside.submit(fill)
        collect(static)
        for name, command in RUNS:
            started = time.monotonic()
            code = subprocess.run(command, env=environment, check=False).returncode
            failed = failed or code != 0
            result = "failed" if code else "passed"
            lines.append(f"  {name:<20} {result} in {time.monotonic() - started:.0f} s")
        filled.result()
    print("\n".join(["", *lines]), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
