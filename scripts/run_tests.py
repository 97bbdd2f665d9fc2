"""Run every test on two cores: rules and pages first, then the browser.

Playwright keeps an event loop open in its process, in which Django refuses to use the database.
"""

import os
import subprocess
import sys
import time

# Counting branches makes the run a third longer, so it is asked for: `make coverage`.
COVERAGE = (
    ("--cov", "--cov-branch", "--cov-report=term:skip-covered")
    if os.environ.get("COVERAGE")
    else ()
)
RUNS = (
    (
        "rules and pages",
        [
            "tests",
            "-n",
            "2",
            "--dist",
            "worksteal",
            *COVERAGE,
        ],
    ),
    (
        "browser",
        [
            "tests/browser",
            "-o",
            "addopts=--strict-markers -ra",
            "-n",
            "2",
            "--dist",
            "worksteal",
        ],
    ),
)


def main() -> int:
    """Run both, even when the first fails; the result says which failed and how long each took."""
    failed, lines = False, []
    for name, arguments in RUNS:
        started = time.monotonic()
        code = subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode
        failed = failed or code != 0
        result = "failed" if code else "passed"
        lines.append(f"  {name:<20} {result} in {time.monotonic() - started:.0f} s")
    print("\n".join(["", *lines]), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
