"""The pages of a patient of many years: 10 plans, 80 sessions and 300 photos, each with its time.

Two workers of gunicorn as in the demo; every page is asked for by one and by four connections.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from tests.bench.measure import WRK, _said
from tests.bench.server import Browser, Server, environment, free_port

PAGES = ("patient", "story", "reactions", "session", "photos", "views", "plan", "start", "edit")
CONNECTIONS = (1, 4)
SIZES = {"one": (1, 4, 1), "long": (10, 8, 30)}
"""Plans, sessions of each, photos of each."""


class Filling:
    """A demo of scale 1 with a short and a long record beside everyone else's."""

    def __init__(self) -> None:
        # Models can be imported only once the settings are known.
        record = importlib.import_module("tests.bench.long_record").LongRecord
        actions = importlib.import_module("treatments.sessions.actions")
        staff = importlib.import_module("clinic.access.models").Staff
        self.doctor = staff.objects.get(email="practitioner@demo.clinic")
        place = self.doctor.memberships.get().location
        self.patients = {
            name: record(place, self.doctor, plans, sessions, photos).write()
            for name, (plans, sessions, photos) in SIZES.items()
        }
        self.drafts = {
            name: actions.start_session(by=self.doctor, plan=patient.plans.get(state="accepted")).pk
            for name, patient in self.patients.items()
        }

    def addresses(self, name: str) -> dict[str, str]:
        """Each page of a patient."""
        patient = self.patients[name]
        home = f"/patients/{patient.number}/"
        session = patient.sessions.filter(signed_at__isnull=False).latest("pk").pk
        plan = patient.plans.latest("pk").pk
        return {
            "patient": home,
            "story": f"{home}story/",
            "reactions": f"{home}story/?kind=reaction",
            "session": f"{home}sessions/{session}/",
            "photos": f"{home}photos/",
            "views": f"{home}photos/?by=view",
            "plan": f"{home}plans/{plan}/",
            "start": f"{home}sessions/start/{plan}/",
            "edit": f"{home}sessions/{self.drafts[name]}/edit/",
        }


def statements(filling: Filling, path: str) -> int:
    """Of one request, the second time it is asked."""
    pages = importlib.import_module("tests.bench.pages")
    client = pages.Client(SERVER_NAME="127.0.0.1")
    client.force_login(filling.doctor, backend="clinic.access.backend.StaffBackend")
    client.get(path)
    with pages.CaptureQueriesContext(pages.connection) as captured:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return len(captured)


def timed(home: Path, paths: dict[str, str], seconds: float) -> dict[str, Any]:
    """What wrk finds of each page, by connections."""
    server = Server(dict(os.environ), int(os.environ["PORT"]), home / "gunicorn.log")
    try:
        browser = Browser(server.url, "practitioner@demo.clinic")
        found: dict[str, Any] = {}
        for page in PAGES:
            for connections in CONNECTIONS:
                command = ["wrk", "-t1", f"-c{connections}", "-s", str(WRK)]
                command += ["-H", f"Cookie: {browser.cookies}"]
                url = server.url + paths[page]
                _said([*command, "-d1s", url])
                cell = _said([*command, f"-d{max(1, round(seconds))}s", url])
                found.setdefault(page, {})[str(connections)] = cell
        return found
    finally:
        server.stop()


def long_record(database: str, home: Path, seconds: float) -> dict[str, Any]:
    """Every page with its statements for a short and a long record, and its times for the long."""
    home = home / "record"
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.bench.record", "--home", str(home)]
    done = subprocess.run(
        [*command, "--seconds", str(seconds)],
        stdout=subprocess.PIPE,
        env=environment(database, free_port(), home),
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"Measuring the long record failed (code {done.returncode}).")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    call_command("demo_data", scale=1, stdout=sys.stderr)
    filling = Filling()
    importlib.import_module("aftercare.demo.bulk").count_anew()
    call_command("collectstatic", interactive=False, verbosity=0)
    short, long = filling.addresses("one"), filling.addresses("long")
    counts = {p: (statements(filling, short[p]), statements(filling, long[p])) for p in PAGES}
    times = timed(arguments.home, long, arguments.seconds)
    json.dump(
        {p: {"statements": counts[p], "connections": times[p]} for p in PAGES}, sys.stdout, indent=1
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
