"""Who was exposed, among a million sessions: each kind of trace, and look-backs.

Every session has a patient, an appointment with a room, a syringe with two lots of which one was
drawn from an opened container, an area with a device, and a practitioner; one in five a cream of a
lot. One patient in fifty has an earlier file that was merged into theirs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench.server import environment, free_port

SESSIONS = 1_000_000
SESSIONS_OF_A_PATIENT = 4
PLACES, DOCTORS, ROOMS, DEVICES = 10, 5, 3, 2
LOTS = 2_000
YEARS = 5
ROUNDS = 7
MOST_S = 2.0
"""In the middle of each; of a trace the first time and the longest too."""
LOOK_BACK_DAYS = 90
CASES = 20
FIRST = datetime(2021, 11, 1, 8, tzinfo=UTC)


def multiply(row: Any, count: int, **columns: str) -> int:
    """So many copies of a row by one statement, `columns` computed from `n` (1, 2, …); the first id
    of the copies.
    """
    table = row._meta.db_table
    fields = [f for f in row._meta.local_concrete_fields if not getattr(f, "generated", False)]
    names = [field.column for field in fields if field.column != "id"]
    chosen = ", ".join(columns.get(name, f't."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT coalesce(max(id), 0) + 1 FROM "{table}"')
        (first,) = cursor.fetchone()
        cursor.execute(
            f'INSERT INTO "{table}" (id, {quoted}) SELECT {first} - 1 + n, {chosen}'
            f' FROM "{table}" t, generate_series(1, {count}) n WHERE t.id = {row.pk}'
        )
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first + count]
        )
    return int(first)


class Filling:
    """One session as the product makes it, then copies of it and of all its parts."""

    def __init__(self, sessions: int) -> None:
        # Models can be imported only once the settings are known.
        conftest = importlib.import_module("tests.conftest")
        world = importlib.import_module("tests.aftercare.safety_world")
        self.places = importlib.import_module("clinic.places.models")
        self.catalogue = importlib.import_module("treatments.catalogue.models")
        self.stock = importlib.import_module("treatments.stock.models")
        self.syringe = importlib.import_module("treatments.mixes.models").Syringe
        self.anaesthesia = importlib.import_module("treatments.sessions.models").Anaesthesia
        self.sessions = sessions
        self.all = [conftest.make_location(f"Place {n}") for n in range(PLACES)]
        people = [
            (f"Dr {n}", "practitioner", [self.all[n % PLACES]]) for n in range(PLACES * DOCTORS)
        ]
        self.doctors = conftest.hire(people)
        self.manager = conftest.hire([("Chain Manager", "manager", self.all)])[0]
        self.rooms = [
            self.places.Room.objects.create(location=place, name=f"Room {n}")
            for place in self.all
            for n in range(ROOMS)
        ]
        self.devices = [
            self.places.Device.objects.create(
                location=place,
                kind="mesogun",
                make="Gun",
                model="1",
                serial_number=f"{place.pk}-{n}",
            )
            for place in self.all
            for n in range(DEVICES)
        ]
        service = importlib.import_module("treatments.diary.models").Service.objects.create(
            kind="session", name_en="Session", name_fr="Séance", minutes=30
        )
        self.clinic = world.Clinic(self.all[0], self.doctors[0], service)
        self.make_lot = world.make_lot

    def run(self) -> None:
        """Without triggers and foreign keys, which would only say that all is well."""
        lot = self.make_lot(self.all[0], "L0")
        session = self.clinic.session(
            self.clinic.patient(), [lot, self.make_lot(self.all[0], "L00", "lidocaine-2")],
            room=self.rooms[0], signed=False,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET synchronous_commit = off")
        self._copy(session, lot)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("VACUUM ANALYZE")

    def _copy(self, session: Any, lot: Any) -> None:
        count, patients = self.sessions, self.sessions // SESSIONS_OF_A_PATIENT
        step = timedelta(days=365 * YEARS) / count
        at = (
            f"timestamptz '{FIRST.isoformat()}' + n * interval '{step.total_seconds():.3f} seconds'"
        )
        place = _one_of([one.pk for one in self.all], "n")
        who = multiply(session.patient, patients, family_name="'Family' || n")
        multiply(session.patient.registrations.get(), patients, patient_id=f"{who} - 1 + n")
        plan = multiply(session.plan, patients, patient_id=f"{who} - 1 + n")
        consent = multiply(
            session.consent, patients, patient_id=f"{who} - 1 + n", plan_id=f"{plan} - 1 + n"
        )
        of = f"((n - 1) / {SESSIONS_OF_A_PATIENT})"
        self._merge(who, patients)
        visits = self._visits(session, at, place)
        first = multiply(
            session,
            count,
            patient_id=f"{who} + {of}",
            plan_id=f"{plan} + {of}",
            consent_id=f"{consent} + {of}",
            number=f"1 + (n - 1) % {SESSIONS_OF_A_PATIENT}",
            appointment_id=f"{visits} - 1 + n",
            location_id=place,
            practitioner_id=_one_of([one.pk for one in self.doctors], "n"),
            started_at=at,
            signed_at=at,
            signed_by_id=_one_of([one.pk for one in self.doctors], "n"),
        )
        self._parts(session, lot, first)

    def _merge(self, first: int, patients: int) -> None:
        """Every fiftieth file into the one before it."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE patients_patient SET merged_into_id = id - 1"
                " WHERE id BETWEEN %s AND %s AND (id - %s) %% 50 = 49",
                [first, first + patients - 1, first],
            )

    def _visits(self, session: Any, at: str, place: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname FROM pg_constraint"
                " WHERE conrelid = 'treatments_appointment'::regclass AND contype = 'x'"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE treatments_appointment DROP CONSTRAINT {name}")
        return multiply(
            session.appointment,
            self.sessions,
            starts_at=at,
            ends_at=f"{at} + interval '5 minutes'",
            location_id=place,
            room_id=_one_of([one.pk for one in self.rooms], "n"),
        )

    def _parts(self, session: Any, lot: Any, first: int) -> None:
        """Lots by thousands of sessions each, of five products; mixtures, areas and containers."""
        codes = ("ha-1", "lidocaine-2", "polyvitamin-5", "sodium-chloride-09", "hyaluronidase-150")
        products = {row.code: row.pk for row in self.catalogue.Product.objects.current()}
        lots = multiply(
            lot,
            LOTS,
            number="'L' || n",
            location_id=_one_of([one.pk for one in self.all], "n"),
            product_id=_one_of([products[code] for code in codes], "(n / 10)"),
        )
        count, places = self.sessions, len(self.all)
        # A lot of the same place: the number of the place is the last digit of both.
        of_place = f"{lots} + (n + {places - 1}) % {places} + {places} * "
        sets = LOTS // places
        [one, two] = session.mix.order_by("pk")
        sid = f"{first} - 1 + n"
        syringe = self.syringe.objects.create(session=session, label="A")
        sets_of = {one: f"((n / 97) % {sets // 2})", two: f"({sets // 2} + (n / 89) % {sets // 2})"}
        drawn = multiply(syringe, count, session_id=sid)
        for part, which in sets_of.items():
            multiply(
                part,
                count,
                session_id=sid,
                syringe_id=f"{drawn} - 1 + n",
                lot_id=f"{of_place} {which}",
            )
        [area] = session.treated_areas.all()
        gun = _one_of([one.pk for one in self.devices], "(n / 10)")
        multiply(area, count, session_id=sid, device_id=gun)
        self._cream(session, count // 5, first, f"{lots} + (5 * n + {places - 1}) % {places}")
        container = self.stock.OpenContainer.objects.create(
            lot=lot, opened_at=FIRST, discard_by=FIRST, held_ml=5, left_ml=4
        )
        held = multiply(container, LOTS, lot_id=f"{lots} - 1 + n")
        used = self.stock.Movement.objects.create(
            lot=lot, number=1, kind="used", change_ml=-1, before_ml=2, after_ml=1,
            container=container, session_id=session.pk, at=FIRST,
        )  # fmt: skip
        multiply(
            used,
            count,
            number="1 + n",
            container_id=f"{held} + n % {LOTS}",
            session_id=sid,
        )
        self.lot = self.catalogue.Lot.objects.select_related("product").get(pk=lots + 500)
        self.container = held + 500

    def _cream(self, session: Any, count: int, first: int, lot: str) -> None:
        """On the skin of every fifth."""
        cream = self.anaesthesia.objects.create(
            session=session, anaesthetic=self.catalogue.Anaesthetic.objects.first(),
            lot=None, grams=1, area_cm2=10, on_at=FIRST,
        )  # fmt: skip
        multiply(cream, count, session_id=f"{first} - 1 + 5 * n", lot_id=lot)

    def questions(self) -> dict[str, str]:
        """The query of each kind of trace."""
        month = (FIRST + timedelta(days=700)).date()
        return {
            "lot": f"by=lot&lot={self.lot.number}&product={self.lot.product.code}",
            "container": f"by=container&container={self.container}",
            "mix": "by=mix&mix=ha-1&mix=lidocaine-2",
            "product": "by=product&product=ha-1",
            "device": f"by=device&device={self.devices[0].pk}",
            "room": f"by=room&room={self.rooms[0].pk}",
            "practitioner": f"by=practitioner&practitioner={self.doctors[0].pk}",
            "month": f"by=window&since={month}&until={month + timedelta(days=30)}",
        }


def _one_of(ids: list[int], number: str) -> str:
    """One of these ids in turn, by a number."""
    return f"(ARRAY[{', '.join(map(str, ids))}])[1 + {number} % {len(ids)}]"


def timed(client: Any, path: str) -> dict[str, Any]:
    """How long a page takes, how many statements, and how many sessions it found."""
    seen: list[Any] = []

    def ask() -> None:
        seen.append(client.get(path))
        if seen[-1].status_code != 200 or seen[-1].context.get("extent") is None:
            raise SystemExit(f"{path} answered {seen[-1].status_code}")

    figures = rounds(ask)
    with CaptureQueriesContext(connection) as asked:
        ask()
    found = seen[-1].context["extent"]
    return {
        "sessions": found.sessions, "patients": found.patients, "statements": len(asked), **figures,
    }  # fmt: skip


def rounds(act: Callable[[], Any]) -> dict[str, float]:
    """Seconds: the first time, the middle of the next ones, and the longest but for one in 20."""
    times = []
    for _round in range(ROUNDS + 1):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    # Of fewer than 20 rounds that is the longest one.
    return {"first_s": times[0], "p50_s": median(times[1:]), "p95_s": max(times[1:])}


def listed(client: Any, query: str, extent: dict[str, Any]) -> dict[str, Any]:
    """The whole list as CSV, to its last line."""

    def fetch() -> None:
        response = client.get(f"/safety/trace/csv/?{query}")
        lines = sum(block.count(b"\n") for block in response.streaming_content)
        if lines != extent["sessions"] + 1:
            raise SystemExit(f"The list of {query} has {lines} lines.")

    return extent | {"statements": None} | rounds(fetch)


def recalled(client: Any, filling: Filling) -> dict[str, dict[str, Any]]:
    """A recall of the 20,000 people of one device: begun, and who was reached and who not."""
    recalling = importlib.import_module("aftercare.safety.recalling")
    exposures = importlib.import_module("aftercare.safety.exposures")
    device = exposures.Exposure("device", (str(filling.devices[0].pk),))
    began = time.perf_counter()
    recall = recalling.open_recall(
        by=filling.manager, location=filling.all[0], exposure=device, reason="x"
    )
    took = time.perf_counter() - began
    people = {"patients": recall.contacts.count()}
    people["sessions"] = sum(recall.contacts.values_list("sessions", flat=True))
    path, found = f"/safety/recalls/{recall.pk}/", {}
    found["begin recall"] = people | {
        "statements": None, "first_s": took, "p50_s": took, "p95_s": took,
    }  # fmt: skip
    for name, query in (("recall", ""), ("not reached", "?show=missing")):
        with CaptureQueriesContext(connection) as asked:
            client.get(path + query)
        figures = rounds(lambda query=query: client.get(path + query))  # type: ignore[misc]
        found[name] = people | {"statements": len(asked)} | figures
    return found


def looked_back(filling: Filling, places: list[Any], days: int) -> dict[str, Any]:
    """Twenty cases among so many days of these locations."""
    models = importlib.import_module("aftercare.safety.models")
    look_back = importlib.import_module("aftercare.safety.lookback").look_back
    sessions = importlib.import_module("treatments.sessions.models").Session
    since = (FIRST + timedelta(days=700)).date()
    question = models.LookBack.objects.create(
        location=places[0], title="x", since=since, until=since + timedelta(days=days),
        made_by=filling.manager, made_at=FIRST,
    )  # fmt: skip
    for place in places:
        models.LookBackPlace.objects.create(look_back=question, location=place)
    treated = sessions.objects.filter(location__in=places, started_at__date__gt=since)
    treated = treated.filter(patient__merged_into__isnull=True).order_by("started_at")[:1_000]
    first = {one.patient_id: one for one in reversed(treated)}
    for one in list(first.values())[-CASES:]:
        models.LookBackCase.objects.create(
            look_back=question, patient_id=one.patient_id, added_by=filling.manager,
            onset_on=one.started_at.date() + timedelta(days=30),
        )  # fmt: skip
    answers = []
    figures = rounds(lambda: answers.append(look_back(question)))
    with CaptureQueriesContext(connection) as asked:
        look_back(question)
    return {
        "sessions": answers[-1].sessions, "patients": answers[-1].people,
        "statements": len(asked), **figures,
    }  # fmt: skip


def recall_growth(database: str, home: Path, sessions: int) -> dict[str, Any]:
    """Every question, in a process and a database of its own."""
    home = home / "recall"
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.bench.recall", "--sessions", str(sessions)]
    around = environment(database, free_port(), home)
    done = subprocess.run(command, stdout=subprocess.PIPE, env=around, check=False)
    if done.returncode:
        raise SystemExit(f"Measuring recalls failed (code {done.returncode}).")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    arguments = parser.parse_args()
    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    call_command("load_catalogue", verbosity=0)
    began = time.monotonic()
    filling = Filling(arguments.sessions)
    filling.run()
    filled = time.monotonic() - began
    call_command("collectstatic", interactive=False, verbosity=0)
    # A page's values are kept beside its text only where tests run.
    importlib.import_module("django.test.utils").setup_test_environment()
    client = importlib.import_module("django.test").Client(SERVER_NAME="127.0.0.1")
    client.force_login(filling.manager, backend="clinic.access.backend.StaffBackend")
    asked = filling.questions()
    found: dict[str, dict[str, Any]]
    found = {name: timed(client, f"/safety/trace/?{query}") for name, query in asked.items()}
    found["product, CSV"] = listed(client, asked["product"], found["product"])
    found |= recalled(client, filling)
    found["look-back"] = looked_back(filling, filling.all[:1], LOOK_BACK_DAYS)
    found["look-back, all"] = looked_back(filling, filling.all, LOOK_BACK_DAYS)
    found["a year of all"] = looked_back(filling, filling.all, 365)
    done = {"filled_s": filled, "sessions": arguments.sessions, "traces": [*asked], "found": found}
    json.dump(done, sys.stdout)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
    sys.exit(main())
