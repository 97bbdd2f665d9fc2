"""`python -m clinic.embedded demo | test -- command... | bench -- command... | reset`."""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from clinic.embedded import urls
from clinic.embedded.child import adopt_orphans
from clinic.embedded.keys import MEDIA_KEY_NAME, SEAL_NAME, SECRET_KEY_NAME, ensure_keys
from clinic.embedded.lock import held
from clinic.embedded.postgres import CHILD, Postgres, private_folder
from clinic.embedded.redis import Redis
from clinic.embedded.steps import say
from clinic.embedded.supervisor import Supervisor, only_demo, wanted_port
from clinic.embedded.trouble import EmbeddedError


def demo() -> int:
    """Open the clinic until it is told to close."""
    base, port = urls.home(), wanted_port()
    with only_demo(base, port):
        Supervisor(base, port).run()
    return 0


def beside_servers(what: str, command: list[str]) -> int:
    """Run a command beside a throw-away PostgreSQL and Redis, and return its exit code.

    For `test` they do not wait for the disk; for `bench` they do, as in production. A server
    whose address is in the environment is used as it is.
    """
    base, durable = urls.home() / what, what == "bench"
    refusal = "A run of this kind is going on in this clone: {note}. Wait for it, or end it."
    with held(urls.home() / f"{what}.lock", " ".join(command), refusal):
        shutil.rmtree(base, ignore_errors=True)
        shutil.rmtree(urls.socket_folder(base), ignore_errors=True)
        private_folder(base)
        ensure_keys(base)
        given = os.environ
        postgres = None if given.get("DATABASE_URL") else Postgres(base, durable=durable)
        redis = None if given.get("REDIS_URL") else Redis(base, durable=durable)
        environment = given | {
            "DEMO": given.get("DEMO", "1"),
            "CLINIC_HOME": str(base),
            "DATABASE_URL": given.get("DATABASE_URL") or urls.database_url("postgres", base),
            "REDIS_URL": given.get("REDIS_URL") or urls.redis_url(base),
            "SECRET_KEY_FILE": str(base / SECRET_KEY_NAME),
            "MEDIA_KEY_FILE": str(base / MEDIA_KEY_NAME),
            "SIGNING_P12_FILE": str(base / SEAL_NAME),
        }
        # A shell starts what it puts in the background with SIGINT ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _as_interrupt)
        adopt_orphans()
        try:
            for server in (postgres, redis):
                if server:
                    server.start()
            return _run(command, environment)
        except KeyboardInterrupt:
            return 130
        finally:
            for server in (redis, postgres):
                if server:
                    server.stop()
            shutil.rmtree(base, ignore_errors=True)
            shutil.rmtree(urls.socket_folder(base), ignore_errors=True)


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _run(command: list[str], environment: dict[str, str]) -> int:
    bound = [sys.executable, str(CHILD), str(os.getpid()), str(int(signal.SIGTERM)), *command]
    process = subprocess.Popen(bound, env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal sent Ctrl-C to the command as well; a SIGTERM came to us alone.
        process.terminate()
        process.wait()
        raise


def reset() -> int:
    """Erase the demo after asking. `YES=1` answers."""
    base = urls.home()
    if not base.exists():
        say("There is no demo to erase.")
        return 0
    running = "A demo or test run of this clone is open ({note}). End it first, then erase."
    with contextlib.ExitStack() as locks:
        for what in ("demo", "test", "bench"):
            locks.enter_context(held(base / f"{what}.lock", "reset", running))
        if os.environ.get("YES") != "1" and not _confirmed(base):
            say("Nothing was erased.")
            return 1
        Postgres(base).end_orphan()
        Redis(base).end_orphan()
        for folder in (urls.socket_folder(base), base):
            shutil.rmtree(folder, ignore_errors=True)
    say("The demo is erased.")
    return 0


def _confirmed(base: Path) -> bool:
    if not sys.stdin.isatty():
        say("Say YES=1 to erase without being asked: `YES=1 make reset`.")
        return False
    answer = input(f"Erase {base} with all patients, documents and mail of the demo? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}


def main() -> int:
    """Do what the command line says; a trouble is told in one paragraph without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m clinic.embedded", description=__doc__)
    parser.add_argument("what", choices=["demo", "test", "bench", "reset"])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run beside them")
    chosen = parser.parse_args()
    command = chosen.command[1:] if chosen.command[:1] == ["--"] else chosen.command
    os.chdir(urls.REPOSITORY)
    try:
        if chosen.what in {"test", "bench"}:
            if not command:
                parser.error(f"{chosen.what} needs a command")
            return beside_servers(chosen.what, command)
        return demo() if chosen.what == "demo" else reset()
    except EmbeddedError as trouble:
        print(f"\n{trouble}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
