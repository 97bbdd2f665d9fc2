"""The diary's day beside more and more appointments: fills one database, and measures several.

The day that is asked for always holds 60 visits of five practitioners. Their own earlier visits
come first (up to 100,000), then those of other locations of the chain; each patient has about ten.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

from tests.bench.measure import WRK, _said
from tests.bench.server import PASSWORD, Browser, Server, environment, free_port

SIZES = (1_000, 100_000, 1_000_000)
PRACTITIONERS, VISITS = 5, 60
VISITS_OF_A_PATIENT = 10
MOST_OF_A_PLACE = 100_000
HALF_HOURS = 20
DESK = "frontdesk@demo.clinic"
COLUMNS = (
    "created_at, location_id, patient_id, practitioner_id, room_id, service_id, starts_at,"
    " ends_at, status, cancel_reason"
)
CONSTRAINTS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = 'treatments_appointment'::regclass AND contype = 'x'"
)


class Filling:
    """One database with so many appointments."""

    def __init__(self, wanted: int) -> None:
        # Models can be imported only once the settings are known.
        self.access = importlib.import_module("clinic.access.models")
        self.places = importlib.import_module("clinic.places.models")
        self.registry = importlib.import_module("patients.registry.models")
        self.diary = importlib.import_module("treatments.diary.models")
        self.slots = importlib.import_module("treatments.diary.slots")
        self.wanted = wanted
        self.country, _made = self.places.CountryProfile.objects.get_or_create(
            code="FR", defaults={"name": "France", "emergency_number": "15", "source": "bench"}
        )
        self.service = self.diary.Service.objects.create(
            kind="consultation", name_en="Consultation", name_fr="Consultation", minutes=30
        )

    def run(self, day: date) -> None:
        """Everything, by COPY and without triggers; the constraints are made again at the end."""
        patients = self._patients(max(VISITS, self.wanted // VISITS_OF_A_PATIENT))
        places = -(-self.wanted // MOST_OF_A_PLACE)
        rows = self._visits([self._place(number) for number in range(places)], patients, day)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
            cursor.execute(CONSTRAINTS)
            kept = cursor.fetchall()
            cursor.execute("ALTER TABLE treatments_appointment DISABLE TRIGGER USER")
            for name, _definition in kept:
                cursor.execute(f"ALTER TABLE treatments_appointment DROP CONSTRAINT {name}")
            with cursor.copy(f"COPY treatments_appointment ({COLUMNS}) FROM STDIN") as pipe:
                for row in itertools.islice(rows, self.wanted):
                    pipe.write_row(row)
            for name, definition in kept:
                cursor.execute(
                    f"ALTER TABLE treatments_appointment ADD CONSTRAINT {name} {definition}"
                )
            cursor.execute("ALTER TABLE treatments_appointment ENABLE TRIGGER USER")
            cursor.execute("ANALYZE")

    def _place(self, number: int) -> tuple[Any, list[Any], list[Any]]:
        clock = self.slots.time
        place = self.places.Location.objects.create(
            name=f"Place {number}",
            country=self.country,
            timezone="Europe/Paris",
            address="1 rue de l’Essai",
            phone="+33123456789",
            phone_out_of_hours="+33198765432",
            email="clinic@example.org",
            opens_at=clock(8),
            closes_at=clock(20),
        )
        doctors = [
            self.access.Staff.objects.create_user(
                f"doctor{number}.{n}@demo.clinic", name=f"Dr {n}", role="practitioner"
            )
            for n in range(PRACTITIONERS)
        ]
        people = [*doctors]
        if number == 0:
            desk = self.access.Staff.objects.create_user(
                DESK, PASSWORD, name="Desk", role="front_desk"
            )
            people.append(desk)
        self.access.Membership.objects.bulk_create(
            self.access.Membership(staff=one, location=place) for one in people
        )
        rooms = self.places.Room.objects.bulk_create(
            self.places.Room(location=place, name=f"{n}") for n in range(PRACTITIONERS)
        )
        return place, doctors, rooms

    def _patients(self, wanted: int) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
            cursor.execute("ALTER TABLE patients_patient DISABLE TRIGGER USER")
            cursor.execute("SELECT pg_get_indexdef('patient_name_trigrams'::regclass)")
            (index,) = cursor.fetchone()
            cursor.execute("DROP INDEX patient_name_trigrams")
            columns = "created_at, given_name, family_name, birth_date, sex, phone, email, language"
            with cursor.copy(f"COPY patients_patient ({columns}) FROM STDIN") as pipe:
                now = self._now()
                for number in range(wanted):
                    born = date(1950, 1, 1) + timedelta(days=number % 18_000)
                    name = (f"Ana{number % 997}", f"López{number}")
                    pipe.write_row((now, *name, born, "unknown", "", "", "en"))
            cursor.execute(index)
            cursor.execute("ALTER TABLE patients_patient ENABLE TRIGGER USER")
            cursor.execute("SELECT id FROM patients_patient ORDER BY id")
            return [pk for (pk,) in cursor.fetchall()]

    def _now(self) -> datetime:
        return datetime.now().astimezone()

    def _visits(
        self, places: list[tuple[Any, list[Any], list[Any]]], patients: list[int], day: date
    ) -> Iterator[tuple[Any, ...]]:
        """The day itself first, then all others: backwards, a day of a place holds 100."""
        # Each place has patients of its own, so that none is at two places at once.
        circles = [itertools.cycle(patients[n :: len(places)]) for n in range(len(places))]
        yield from itertools.islice(self._day(places[0], circles[0], day, "booked"), VISITS)
        for number, (place, who) in enumerate(zip(places, circles, strict=True)):
            share = min(MOST_OF_A_PLACE, self.wanted - number * MOST_OF_A_PLACE)
            days = (day - timedelta(days=60 + n) for n in itertools.count())
            rows = (self._day(place, who, one, "done") for one in days)
            yield from itertools.islice(itertools.chain.from_iterable(rows), share)

    def _day(
        self, place: tuple[Any, list[Any], list[Any]], who: Iterator[int], day: date, status: str
    ) -> Iterator[tuple[Any, ...]]:
        location, doctors, rooms = place
        opens = self.slots.instant(day, location.opens_at, location.zone)
        for half in range(HALF_HOURS):
            start = opens + timedelta(minutes=30 * half)
            for doctor, room in zip(doctors, rooms, strict=True):
                ids = (location.pk, next(who), doctor.pk, room.pk, self.service.pk)
                yield (start, *ids, start, start + timedelta(minutes=30), status, "")


def statements(path: str) -> int:
    """Of one request, the second time it is asked."""
    pages = importlib.import_module("tests.bench.pages")
    staff = importlib.import_module("clinic.access.models").Staff.objects.get(email=DESK)
    client = pages.Client(SERVER_NAME="127.0.0.1")
    client.force_login(staff, backend="clinic.access.backend.StaffBackend")
    client.get(path)
    with pages.CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    shown = answer.content.decode().count("LÓPEZ")
    if answer.status_code != 200 or shown < VISITS:
        raise SystemExit(f"{path} answered {answer.status_code} and shows {shown} visits.")
    return sum(not query["sql"].startswith(pages.FRAME) for query in captured.captured_queries)


def diary_growth(databases: dict[int, str], home: Path, seconds: float) -> dict[str, Any]:
    """Fill each database, then ask all in turn: statements and p50 by number of appointments."""
    found: dict[int, dict[str, Any]] = {}
    for size, url in databases.items():
        command = [sys.executable, "-m", "tests.bench.growth", "--appointments", str(size)]
        command += ["--home", str(home / f"growth-{size}")]
        around = os.environ | {"DATABASE_URL": url}
        done = subprocess.run(command, stdout=subprocess.PIPE, env=around, check=True)
        found[size] = json.loads(done.stdout)
        print(f"{size} appointments, filled in {found[size]['filled_s']:.0f} s", flush=True)
    p50 = _in_turn(databases, {size: one["path"] for size, one in found.items()}, home, seconds)
    for size, rounds in p50.items():
        found[size]["p50_ms"] = median(rounds)
        # Of the same round, since the machine may have been busier in another.
        found[size]["ratio"] = median(
            mine / least for mine, least in zip(rounds, p50[min(p50)], strict=True)
        )
    return {str(size): one for size, one in found.items()}


def _in_turn(
    databases: dict[int, str], paths: dict[int, str], home: Path, seconds: float
) -> dict[int, list[float]]:
    servers: dict[int, Server] = {}
    try:
        for size, url in databases.items():
            port, mine = free_port(), home / f"growth-{size}"
            servers[size] = Server(environment(url, port, mine), port, mine / "gunicorn.log")
        people = {size: Browser(server.url, DESK) for size, server in servers.items()}
        p50: dict[int, list[float]] = {size: [] for size in databases}
        for number in range(7):
            for size in list(servers)[:: 1 if number % 2 else -1]:
                command = ["wrk", "-t1", "-c1", f"-d{max(1, round(seconds))}s", "-s", str(WRK)]
                command += ["-H", f"Cookie: {people[size].cookies}"]
                p50[size].append(_said([*command, servers[size].url + paths[size]])["p50_ms"])
        # The first round finds every cache cold.
        return {size: rounds[1:] for size, rounds in p50.items()}
    finally:
        for server in servers.values():
            server.stop()


def main() -> int:
    """Fills the database of DATABASE_URL and prints the statements of its day as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--appointments", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.home.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(os.environ["DATABASE_URL"], free_port(), arguments.home))
    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    day = importlib.import_module("aftercare.demo.bulk").full_day(
        datetime.now().astimezone().date()
    )
    started = time.monotonic()
    Filling(arguments.appointments).run(day)
    filled = time.monotonic() - started
    call_command("collectstatic", interactive=False, verbosity=0)
    path = f"/diary/?date={day.isoformat()}"
    said = {"path": path, "filled_s": filled, "statements": statements(path)}
    json.dump(said, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
