"""Run every test on two cores: rules and pages with branch coverage, then the browser.

Playwright keeps an event loop open in its process, in which Django refuses to use the database.
"""

import subprocess
import sys
import time

RUNS = (
    (
        "rules and pages",
        [
            "tests",
            # One more than the cores: many a test waits for a worker, a lock or a clock.
            "-n",
            "3",
            "--dist",
            "worksteal",
            "--cov",
            "--cov-branch",
            "--cov-report=term:skip-covered",
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
