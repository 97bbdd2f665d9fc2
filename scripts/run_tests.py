"""Run every test on two cores: rules and pages first, then the browser.

Playwright keeps an event loop open in its process, in which Django refuses to use the database.
"""

import os
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg

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


def database_of(name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def make_ready() -> None:
    """Migrate and fill one database, which every process of both runs would else do for itself."""
    with psycopg.connect(database_of("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {READY}")
        connection.execute(f"CREATE DATABASE {READY}")
    own = os.environ | {"DATABASE_URL": database_of(READY)}
    for command in ("migrate", "database_rights", "load_catalogue"):
        done = [sys.executable, "manage.py", command, "--verbosity", "0"]
        subprocess.run(done, env=own, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Run both, even when the first fails; the result says which failed and how long each took."""
    failed, lines = False, []
    make_ready()
    environment = os.environ | {"TEST_TEMPLATE": READY}
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
