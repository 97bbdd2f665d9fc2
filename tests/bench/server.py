"""gunicorn as in the demo, and what it and PostgreSQL spend."""

from __future__ import annotations

import http.cookiejar
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil

from clinic.embedded import urls

READY_LIMIT = 60.0
PASSWORD = "mesotherapy-demo"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Two workers; requests are never counted towards a restart, so that none falls in a round."""

    def __init__(self, environment: dict[str, str], port: int, log: Path) -> None:
        self.port = port
        command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"]
        command += ["--workers", "2", "--max-requests", "0", "clinic.wsgi:application"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=urls.REPOSITORY, env=environment, stdout=output, stderr=output
            )
        self._wait(log)
        self.master = psutil.Process(self.process.pid)

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + READY_LIMIT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health/live", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"gunicorn did not start:\n{log.read_text()[-2000:]}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu(self) -> float:
        """Seconds that the master and its workers have spent, user and system."""
        return spent(self.master)

    def memory(self) -> dict[str, float]:
        """MB of the two workers: resident, and with shared pages counted by their share."""
        workers = self.master.children()
        full = [worker.memory_full_info() for worker in workers]
        return {
            "workers": len(workers),
            "rss_mb": sum(one.rss for one in full) / 2**20,
            "pss_mb": sum(getattr(one, "pss", one.uss) for one in full) / 2**20,
            "master_pss_mb": getattr(self.master.memory_full_info(), "pss", 0) / 2**20,
        }


def spent(parent: psutil.Process) -> float:
    """CPU seconds of a process and its children; those that have ended count through the parent."""
    own = parent.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in parent.children(recursive=True):
        try:
            used = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return float(total)


class Browser:
    """One signed-in person, as cookies and a form token."""

    def __init__(self, base: str, email: str) -> None:
        self.base = base
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        form = {
            "login": email,
            "password": PASSWORD,
            "csrfmiddlewaretoken": self.token("/sign-in/"),
        }
        status, _body = self.open("/sign-in/", form)
        if status != 200 or "session" not in self.cookies:
            raise SystemExit(f"{email} could not sign in ({status})")

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body; redirections are followed."""
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self.opener.open(self.base + path, data, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def token(self, path: str) -> str:
        """The token of the form on a page."""
        status, body = self.open(path)
        found = TOKEN.search(body.decode())
        if status != 200 or found is None:
            raise SystemExit(f"{path} holds no form ({status})")
        return found[1]

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def environment(database_url: str, port: int, home: Path) -> dict[str, str]:
    """What manage.py and gunicorn see."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        "DEMO": "1",
        "PORT": str(port),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "STATIC_ROOT": str(home / "static"),
        "WEB_CONCURRENCY": "2",
    }
