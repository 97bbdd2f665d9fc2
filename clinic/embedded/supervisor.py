"""Runs the whole clinic as one process tree: servers, web, worker, beat and the mail sink."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psycopg

from clinic.embedded import urls
from clinic.embedded.child import adopt_orphans, end_with_parent
from clinic.embedded.keys import ensure_keys
from clinic.embedded.lock import held
from clinic.embedded.postgres import CHILD, Postgres, private_folder
from clinic.embedded.redis import Redis
from clinic.embedded.services import Service
from clinic.embedded.steps import say, step
from clinic.embedded.trouble import EmbeddedError, descendants

# Seconds. Together the stop stays under ten.
APPLICATION_LIMIT = 4.0
LEFTOVER_LIMIT = 0.5
READY_LIMIT = 90.0
LOOK_EVERY = 0.25

PASSWORD = "mesotherapy-demo"  # noqa: S105  public, and made only where DEMO is set
ACCOUNTS = (
    ("practitioner@demo.clinic", "practitioner"),
    ("frontdesk@demo.clinic", "front desk"),
    ("manager@demo.clinic", "manager"),
    ("practitioner2@demo.clinic", "practitioner of the second location"),
    ("frontdesk2@demo.clinic", "front desk of the second location"),
)


class Supervisor:
    """The demo from its first step to its last process. `run` returns when it has ended."""

    def __init__(self, base: Path, port: int) -> None:
        self.base = base
        self.port = port
        self.postgres = None if os.environ.get("DATABASE_URL") else Postgres(base)
        self.redis = None if os.environ.get("REDIS_URL") else Redis(base)
        self.services: list[Service] = []
        self.stopping = False

    # -- the whole ---------------------------------------------------------------------------

    def run(self) -> None:
        """Open the clinic and keep it open until SIGINT, SIGTERM or SIGHUP.

        Raises EmbeddedError when it cannot be opened; nothing is left running then either.
        """
        self._obey_signals()
        adopt_orphans()
        try:
            self._open()
            self._watch()
        except Interrupted:
            pass
        finally:
            self.stopping = True
            self._close()

    def _obey_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup` asks that a closed terminal be ignored, and it is.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._interrupt)
        if "MAKELEVEL" in os.environ:
            end_with_parent(signal.SIGTERM)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self.stopping:
            self.stopping = True
            raise Interrupted

    # -- opening -----------------------------------------------------------------------------

    def _open(self) -> None:
        started = time.monotonic()
        refuse_busy_port(self.port)
        say("Opening the clinic")
        private_folder(self.base)
        ensure_keys(self.base)
        if self.postgres:
            with step("Starting PostgreSQL"):
                self.postgres.start()
        if self.redis:
            with step("Starting Redis"):
                self.redis.start()
        if "EMAIL_URL" not in os.environ:
            with step("Starting the mail sink"):
                self._start_mailbox()
        # Goes on while the database is made ready.
        gather = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
        gathering = self._begin(gather)
        self._finish("preparing", [sys.executable, "-m", "clinic.embedded.prepare"], owner=True)
        self._fill()
        with step("Gathering static files"):
            self._end("gathering static files", gathering)
        with step("Starting web, worker and beat"):
            for name, command in self._programs():
                self._start(name, command)
            self._wait_until_ready()
        say(f"  Opened in {time.monotonic() - started:.1f} s")
        self._welcome()

    def environment(self, *, owner: bool = False) -> dict[str, str]:
        """What the demo's programs see; as `owner` they connect as the owner of the tables."""
        chosen = os.environ | {
            "DEMO": "1",
            "PORT": str(self.port),
            "CLINIC_HOME": str(self.base),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "clinic.settings",
        }
        # Make's own words would have a nested run of it wait for a job server that is gone.
        for name in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS"):
            chosen.pop(name, None)
        chosen.setdefault("BASE_URL", f"http://127.0.0.1:{self.port}")
        if owner:
            given = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL")
            chosen["DATABASE_URL"] = given or urls.database_url("owner", self.base)
        return chosen

    def _start(self, name: str, command: list[str]) -> Service:
        log = self.base / "log" / f"{name}.log"
        service = Service(name, command, log, self.environment())
        self.services.append(service)
        service.start()
        return service

    def _start_mailbox(self) -> None:
        for name in ("smtp", "sms"):
            # The sink writes the file when it listens; the first port it tries is always the same.
            urls.port_file(name, self.base).unlink(missing_ok=True)
        command = [sys.executable, "-m", "clinic.embedded.mailbox", "--base", str(self.base)]
        service = self._start("mailbox", command)
        deadline = time.monotonic() + READY_LIMIT
        while not urls.port_file("smtp", self.base).exists():
            if service.ended() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"The mail sink did not start:\n{service.last_words()}")
            time.sleep(0.05)

    def _programs(self) -> list[tuple[str, list[str]]]:
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "--app", "clinic"]
        web = ["gunicorn", "--config", "deploy/gunicorn.conf.py", "clinic.wsgi:application"]
        schedule = str(self.base / "celerybeat-schedule")
        quiet = ["--without-gossip", "--without-mingle"]
        return [
            ("web", [*python, *web, "--graceful-timeout", "3"]),
            ("worker", [*celery, "worker", "--concurrency=2", "--loglevel=INFO", *quiet]),
            ("beat", [*celery, "beat", "--loglevel=INFO", "--pidfile=", "--schedule", schedule]),
        ]

    def _begin(self, command: list[str], *, owner: bool = False) -> subprocess.Popen[bytes]:
        """Start a program that will end by itself; what it prints is shown."""
        # What runs before the clinic opens takes as long as it takes; pages may not.
        patient = {"STATEMENT_TIMEOUT_MS": "0", "LOCK_TIMEOUT_MS": "30000"}
        bound = [sys.executable, str(CHILD), str(os.getpid()), str(int(signal.SIGKILL)), *command]
        return subprocess.Popen(
            bound,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=self.environment(owner=owner) | patient,
        )

    def _end(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Wait for a program. Raises EmbeddedError if it failed."""
        code = process.wait()
        if code:
            raise EmbeddedError(f"The clinic did not open: {name} failed (code {code}).")

    def _finish(self, name: str, command: list[str], *, owner: bool = False) -> None:
        """Run a program to its end. Raises EmbeddedError if it fails."""
        process = self._begin(command, owner=owner)
        try:
            self._end(name, process)
        except Interrupted:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def _fill(self) -> None:
        """Make the demo's data in an empty database; a run that was cut short is told."""
        unfinished = self.base / "demo_data.unfinished"
        if not self._is_empty():
            if unfinished.exists():
                say("  The demo data was cut short earlier; `make reset` starts it anew.")
            return
        unfinished.touch()
        say("  Making a believable clinic")
        self._finish("demo_data", [sys.executable, "manage.py", "demo_data"])
        unfinished.unlink()

    def _is_empty(self) -> bool:
        address = self.environment(owner=True)["DATABASE_URL"]
        with psycopg.connect(address) as connection:
            row = connection.execute("SELECT NOT EXISTS (SELECT FROM patients_patient)").fetchone()
        return bool(row and row[0])

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_LIMIT
        answer = ""
        while time.monotonic() < deadline:
            status, answer = ask_ready(self.port)
            if status == http.HTTPStatus.OK:
                return
            self._restart_ended(tolerate=2)
            time.sleep(LOOK_EVERY)
        words = "\n".join(f"-- {one.name}\n{one.last_words()}" for one in self.services)
        raise EmbeddedError(f"The clinic did not get ready: {answer or 'no answer'}\n{words}")

    def _welcome(self) -> None:
        say()
        say(f"Clinic is open at http://127.0.0.1:{self.port}")
        say()
        for address, role in ACCOUNTS:
            say(f"  {address:<28} {role}")
        say(f"  password for all             {PASSWORD}")
        say(f"  what was sent                http://127.0.0.1:{self.port}/demo/mailbox/")
        say(f"  logs                         {self.base / 'log'}")
        say()
        say("Ctrl-C closes it; the data is kept.")

    # -- keeping open ------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            self._revive_servers()
            self._restart_ended()
            self._reap_adopted()

    def _revive_servers(self) -> None:
        for name, server in (("PostgreSQL", self.postgres), ("Redis", self.redis)):
            if server and server.process and server.process.poll() is not None:
                say(f"{name} ended (code {server.process.returncode}); starting it again")
                server.process = None
                server.start()

    def _restart_ended(self, tolerate: int | None = None) -> None:
        """Start again what ended; with `tolerate`, raise EmbeddedError after so many failures."""
        for service in self.services:
            code = service.ended()
            if code is not None:
                service.send(signal.SIGKILL)
                if tolerate is not None and service.failures >= tolerate:
                    words = service.last_words()
                    raise EmbeddedError(f"{service.name} keeps ending (code {code}):\n{words}")
                wait = service.plan_restart()
                say(f"{service.name} ended (code {code}); starting it again in {wait:.0f} s")
            elif service.restart_if_due():
                say(f"{service.name} started again")

    def _reap_adopted(self) -> None:
        """Take leave of grandchildren that became ours; the exit codes of our own stay unread."""
        known = {one.process.pid for one in self.services if one.process}
        known |= {one.process.pid for one in (self.postgres, self.redis) if one and one.process}
        with contextlib.suppress(ChildProcessError):
            while result := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if result.si_pid in known:
                    return
                os.waitpid(result.si_pid, os.WNOHANG)

    # -- closing -----------------------------------------------------------------------------

    def _close(self) -> None:
        started = time.monotonic()
        say("\nClosing the clinic")
        for service in self.services:
            service.ask_to_end()
        deadline = started + APPLICATION_LIMIT
        while time.monotonic() < deadline and any(
            one.process and one.process.poll() is None for one in self.services
        ):
            time.sleep(0.05)
        for service in self.services:
            service.send(signal.SIGKILL)
            if service.process:
                service.process.wait()
        for server in (self.redis, self.postgres):
            if server:
                server.stop()
        self._end_leftovers()
        say(f"Closed in {time.monotonic() - started:.1f} s")

    def _end_leftovers(self) -> None:
        """End whatever a child started and left behind; on Linux these became our children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = descendants(os.getpid())
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            deadline = time.monotonic() + LEFTOVER_LIMIT
            while left and time.monotonic() < deadline and descendants(os.getpid()):
                time.sleep(0.02)
            self._reap_adopted()


class Interrupted(BaseException):
    """Somebody asked the demo to end."""


def refuse_busy_port(port: int) -> None:
    """Raise EmbeddedError when another program listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as refused:
            raise EmbeddedError(
                f"Port {port} may not be used by an ordinary user. "
                "Choose one from 1024 up: `PORT=8001 make demo`."
            ) from refused
        except OSError as busy:
            raise EmbeddedError(
                f"Port {port} is in use by another program. "
                f"Stop that program, or choose another port: `PORT={port + 1} make demo`."
            ) from busy


def ask_ready(port: int) -> tuple[int, str]:
    """The status and body of /health/ready; status 0 while nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def wanted_port() -> int:
    """`PORT` as a number. Raises EmbeddedError when it is none."""
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_535:
        raise EmbeddedError(f"PORT is {text!r}; it must be a number from 1024 to 65534.")
    return int(text)


@contextlib.contextmanager
def only_demo(base: Path, port: int) -> Iterator[None]:
    """Be the only demo of this folder. Raises EmbeddedError when one runs."""
    refusal = (
        "A demo of this clone is open already: {note}. "
        "Use that one, or end it with Ctrl-C in its terminal."
    )
    with held(base / "demo.lock", f"http://127.0.0.1:{port}", refusal):
        yield
