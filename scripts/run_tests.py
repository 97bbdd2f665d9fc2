"""Run every test on two cores: rules and pages first, then the browser.

Playwright keeps an event loop open in its process, in which Django refuses to use the database.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent

READY = "clinic_ready"
"""A database as a fresh installation has it, from which each process copies its own."""
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


def make_ready(static: str) -> dict[str, str]:
    """One database migrated and filled, and the static files under their hashed names, at once:
    every process of both runs would else make its own. Returns where they are.
    """
    with psycopg.connect(database_of("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {READY}")
        connection.execute(f"CREATE DATABASE {READY}")
    collecting = [sys.executable, "-c", COLLECT, static]
    filling = [sys.executable, "-c", FILL]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "clinic.settings"}
    own = environment | {"DATABASE_URL": database_of(READY)}
    with subprocess.Popen(collecting, env=environment, cwd=ROOT) as beside:
        subprocess.run(filling, env=own, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    if beside.returncode:
        raise SystemExit("The static files could not be collected.")
    return {"TEST_TEMPLATE": READY, "TEST_STATIC": static}


def main() -> int:
    """Run both, even when the first fails; the result says which failed and how long each took."""
    failed, lines = False, []
    with tempfile.TemporaryDirectory() as static:
        started = time.monotonic()
        environment = os.environ | make_ready(static)
        lines.append(f"  {'made ready':<20} in {time.monotonic() - started:.0f} s")
        for name, command in RUNS:
            started = time.monotonic()
            code = subprocess.run(command, env=environment, check=False).returncode
            failed = failed or code != 0
            result = "failed" if code else "passed"
            lines.append(f"  {name:<20} {result} in {time.monotonic() - started:.0f} s")
    print("\n".join(["", *lines]), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
