"""Run every linter and check, show the output of those that fail, and say which they were."""

import os
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
MANAGE = [sys.executable, "manage.py"]
WINGS = ("clinic", "patients", "treatments", "aftercare")
TEMPLATES = sorted(map(str, Path("templates").rglob("*.html")))
CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("djade", [str(BIN / "djade"), "--check", "--target-version", "5.2", *TEMPLATES]),
    ("import-linter", [str(BIN / "lint-imports")]),
    ("pip check", [sys.executable, "-m", "pip", "check"]),
    ("mypy", [str(BIN / "mypy"), *WINGS]),
    ("django check", [*MANAGE, "check", "--fail-level", "WARNING"]),
    ("makemigrations", [*MANAGE, "makemigrations", "--check", "--dry-run"]),
    (
        "migration linter",
        [
            *(*MANAGE, "lintmigrations", "--settings", "scripts.check_settings"),
            *("--quiet", "ok", "ignore", "--no-cache", "--include-apps", *WINGS),
            # A lot once per syringe follows from once per session, which held until then; the
            # names of a document's files are drawn at random; a session had one sheet, so that
            # one of each version follows; the code of a check-in's step only has more room.
            *("--ignore-name", "0012_syringes", "0011_document_seals", "0004_sheets_in_versions"),
            "0005_watch_in_full",
        ],
    ),
)


def main() -> int:
    """Run all of them; the exit code is 1 when any failed."""
    failed = []
    for name, command in CHECKS:
        started = time.monotonic()
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=os.environ | {"DEMO": "1", "LOG_LEVEL": "WARNING"},
        )
        seconds = time.monotonic() - started
        print(f"  {name:<20} {'failed' if done.returncode else 'ok'} ({seconds:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout, flush=True)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed", flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
