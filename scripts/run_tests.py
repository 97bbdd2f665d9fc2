"""Run every test on two cores: rules and pages, and beside them the browser.

Playwright keeps an event loop open in its process, in which Django refuses to use the database, so
that the browser has a run of its own. Each waits now and then, for a letter or for a page, and the
other works meanwhile.
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
RUNS = {
    "rules and pages": [*PYTEST, "tests", *COVERAGE],
    "browser": [
        *[*PYTEST, "tests/browser", "-m", "not soak"],
        *["-o", "addopts=--strict-markers -ra"],
    ],
}
OWN_REDIS = 4
"""Databases of Redis that each run may use, one for each of its processes."""

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


def environment_of(number: int, static: str) -> dict[str, str]:
    """What a run is told: where its databases are, which the other run does not touch."""
    redis, _, first = os.environ["REDIS_URL"].partition("?db=")
    return os.environ | {
        "TEST_TEMPLATE": READY,
        "TEST_STATIC": static,
        "DATABASE_URL": database_of(f"clinic_{number}"),
        "REDIS_URL": f"{redis}?db={int(first or 0) + number * OWN_REDIS}",
    }


def finish(name: str, run: subprocess.Popen[bytes], started: float) -> str:
    """How a run ended, and after how long."""
    result = "failed" if run.wait() else "passed"
    return f"  {name:<20} {result} in {time.monotonic() - started:.0f} s"


def main() -> int:
    """Run both, even when one fails; the end says which failed and how long each took.

    What the second says is shown when the first is done. The database is filled while both gather
    their tests, which then wait for it.
    """
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as static,
        tempfile.TemporaryFile() as said,
        ThreadPoolExecutor(3) as beside,
    ):
        on_server(*(f"DROP DATABASE IF EXISTS {name}" for name in (READY, FILLING)))
        on_server(f"CREATE DATABASE {FILLING}")
        filled = beside.submit(fill)
        collect(static)
        runs = {
            name: subprocess.Popen(
                command,
                env=environment_of(number, static),
                stdout=said if number else None,
                stderr=subprocess.STDOUT if number else None,
            )
            for number, (name, command) in enumerate(RUNS.items())
        }
        lines = list(beside.map(lambda name: finish(name, runs[name], started), runs))
        filled.result()
        said.seek(0)
        sys.stdout.write(said.read().decode(errors="replace"))
    print("\n".join(["", *lines]), flush=True)
    return int(any(run.returncode for run in runs.values()))


if __name__ == "__main__":
    sys.exit(main())
