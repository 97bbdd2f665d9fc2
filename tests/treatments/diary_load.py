"""A crowd at the desk over HTTP: books, moves, cancels, takes back, all wanting the same times."""

from __future__ import annotations

import http.client
import math
import os
import random
import threading
import time
import urllib.parse
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.places.models import Device, Room
from tests.bench.server import Server, environment, free_port
from tests.conftest import Cast, make_patient, make_staff
from tests.patients.workers import test_database_url
from treatments.diary.models import Service

CLIENTS = 32
PRACTITIONERS = 5
DAYS = 5
PAUSE_S = 0.5
"""At most, between two actions of one person; no receptionist is as quick as the mean of it."""
QUARTERS = 40
"""Of a day, from 8 to 18 o'clock."""
TOKEN = "c" * 32
"""The same in cookie and form, as any page would have handed it out."""
FORM = "application/x-www-form-urlencoded"
BY_HTMX = {"HX-Request": "true"}
BY_THE_CALENDAR = {"Accept": "application/json"}
"""As the browser asks: the booking form is sent by htmx, a card is dragged on the calendar."""
NEEDED = {
    "practitioner": ("coalesce({0}.practitioner_from, {0}.starts_at)", "{0}.ends_at"),
    "room": ("{0}.starts_at", "coalesce({0}.room_until, {0}.ends_at)"),
    "device": (
        "coalesce({0}.practitioner_from, {0}.starts_at)",
        "coalesce({0}.room_until, {0}.ends_at)",
    ),
    "patient": ("{0}.starts_at", "{0}.ends_at"),
}


def overlaps() -> dict[str, int]:
    """How many pairs of live visits need the same person or thing at the same time, by kind."""
    found = {}
    with connection.cursor() as cursor:
        for kind, (first, last) in NEEDED.items():
            cursor.execute(f"""
                SELECT count(*) FROM treatments_appointment a JOIN treatments_appointment b
                    ON a.id < b.id AND a.{kind}_id = b.{kind}_id
                    AND {first.format("a")} < {last.format("b")}
                    AND {first.format("b")} < {last.format("a")}
                WHERE a.status NOT IN ('cancelled', 'no_show')
                    AND b.status NOT IN ('cancelled', 'no_show')
            """)
            found[kind] = int(cursor.fetchone()[0])
    return found


@contextmanager
def dropped(constraint: str) -> Iterator[None]:
    """The table without one constraint; emptied before it is put back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint]
        )
        definition = cursor.fetchone()[0]
        cursor.execute(f"ALTER TABLE treatments_appointment DROP CONSTRAINT {constraint}")
        try:
            yield
        finally:
            cursor.execute("TRUNCATE treatments_appointment CASCADE")
            cursor.execute(
                f"ALTER TABLE treatments_appointment ADD CONSTRAINT {constraint} {definition}"
            )


@dataclass
class Clinic:
    """What the crowd may ask for."""

    services: list[int]
    practitioners: list[int]
    rooms: list[int]
    patients: list[str]
    cookies: list[str]


def furnish(cast: Cast, client_for: Callable[[Staff], Client], port: int) -> Clinic:
    """Five practitioners, six rooms, two devices, 120 patients, three services, a desk of 32."""
    make = (
        make_staff(f"Doctor {n}", Role.PRACTITIONER, cast.here) for n in range(2, PRACTITIONERS)
    )
    doctors = [cast.practitioner, cast.colleague, *make]
    Room.objects.bulk_create(Room(location=cast.here, name=f"Extra {n}") for n in range(4))
    Device.objects.bulk_create(
        Device(location=cast.here, kind="mesogun", serial_number=f"S{n}") for n in range(2)
    )
    numbing = Service.objects.create(
        kind="session",
        name_en="With numbing",
        name_fr="Avec anesthésie",
        minutes=60,
        before_minutes=20,
        after_minutes=15,
        device_kind="mesogun",
    )
    sessions = [client_for(cast.front_desk).session.session_key for _n in range(CLIENTS)]
    return Clinic(
        [cast.consultation.pk, cast.treatment.pk, numbing.pk],
        [doctor.pk for doctor in doctors],
        list(Room.objects.filter(location=cast.here).values_list("pk", flat=True)),
        [make_patient(cast.here, f"Ana{n}", "López").number for n in range(120)],
        [f"clinic_session_{port}={key}; clinic_csrf_{port}={TOKEN}" for key in sessions],
    )


def slot(number: int) -> dict[str, Any]:
    """Day and time of a quarter of an hour, counted on from a week from now."""
    day, quarter = divmod(number, QUARTERS)
    return {
        "date": (timezone.localdate() + timedelta(days=7 + day)).isoformat(),
        "time": f"{8 + quarter // 4:02}:{quarter % 4 * 15:02}",
    }


@dataclass
class Crowd:
    """32 people and what they were answered."""

    clinic: Clinic
    port: int
    until: float
    booked: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        threads = [
            threading.Thread(target=self._person, args=(number,)) for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _person(self, number: int) -> None:
        dice = random.Random(number)
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            while time.monotonic() < self.until:
                self._one(line, dice, self.clinic.cookies[number])
                time.sleep(dice.uniform(0, PAUSE_S))
        finally:
            line.close()

    def _one(self, line: http.client.HTTPConnection, dice: random.Random, cookie: str) -> None:
        chance, rush, how = dice.random(), dice.random() < 0.4, dict[str, str]()
        pk = dice.choice(self.booked[-60:]) if self.booked else 0
        if rush or chance < 0.4 or not pk:
            what, path, values, how = "book", "/diary/book/", self._wish(dice), BY_HTMX
            values |= self._wanted_by_all(dice) if rush else {}
        elif chance < 0.7:
            what, path, values = "move", f"/diary/{pk}/move/", self._when(dice)
            how = dice.choice((BY_THE_CALENDAR, {}))
        elif chance < 0.9:
            what, path, values = "cancel", f"/diary/{pk}/cancel/", {"reason": "ill"}
        else:
            what, path, values = "back", f"/diary/{pk}/status/", {"status": "booked"}
        began = time.perf_counter()
        status, location = self._post(line, path, values, {"Cookie": cookie} | how)
        spent = time.perf_counter() - began
        with self.lock:
            self.seconds.append(spent)
            lost = what == "book" and status == 200 and not location
            self.answers[f"{what} {'nowhere' if lost else status}"] += 1
            if what == "book" and location:
                self.booked.append(int(location.rpartition("#a")[2]))

    def _post(
        self,
        line: http.client.HTTPConnection,
        path: str,
        values: dict[str, Any],
        headers: dict[str, str],
    ) -> tuple[int, str]:
        """Status, and where to go next: said to htmx in a header of its own."""
        body = urllib.parse.urlencode({**values, "csrfmiddlewaretoken": TOKEN})
        try:
            answer = self._sent(line, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server closes a line that was silent for its five seconds, as with any browser.
            line.close()
            answer = self._sent(line, path, body, headers)
        answer.read()
        to = answer.headers.get("HX-Redirect", answer.headers.get("Location", ""))
        return answer.status, to

    def _sent(
        self, line: http.client.HTTPConnection, path: str, body: str, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        line.request("POST", path, body, {"Content-Type": FORM} | headers)
        return line.getresponse()

    def _when(self, dice: random.Random) -> dict[str, Any]:
        """Some time of five days that fill up."""
        doctor = dice.choice([*map(str, self.clinic.practitioners), "any"])
        room = dice.choice(["any", "any", str(dice.choice(self.clinic.rooms))])
        when = slot(dice.randrange(DAYS * QUARTERS))
        return when | {"practitioner": doctor, "room": room}

    def _wish(self, dice: random.Random) -> dict[str, Any]:
        return self._when(dice) | {
            "patient": dice.choice(self.clinic.patients),
            "service": str(dice.choice(self.clinic.services)),
            "key": str(uuid.uuid4()),
        }

    def _wanted_by_all(self, dice: random.Random) -> dict[str, Any]:
        """Waits for the next full second, and then for all the same: a time that nobody has yet,
        with one practitioner or for one patient, each in another room: else the room would decide.
        """
        now = time.monotonic()
        time.sleep(math.ceil(now) - now)
        number = math.ceil(now) - math.floor(self.began)
        # Two hours apart, so that no two of them meet: each is won by someone.
        wish = slot(DAYS * QUARTERS + number * 8)
        wish["room"] = str(dice.choice(self.clinic.rooms))
        if number % 2:
            return wish | {"patient": self.clinic.patients[number % len(self.clinic.patients)]}
        doctors = self.clinic.practitioners
        return wish | {"practitioner": str(doctors[number // 2 % len(doctors)])}

    def p95(self) -> float:
        """Milliseconds."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)] * 1000

    def errors(self) -> dict[str, int]:
        """Every answer that is neither done nor refused."""
        fine = ("200", "302", "422")
        return {said: n for said, n in self.answers.items() if said.split()[1] not in fine}


@contextmanager
def serving(port: int, home: Path) -> Iterator[None]:
    """gunicorn as in the demo, on the test database."""
    own = {
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "STATIC_ROOT": str(settings.STATIC_ROOT),
        "MEDIA_KEY_FILE": str(settings.MEDIA_KEY_FILE),
    }
    log = home / "gunicorn.log"
    server = Server(environment(test_database_url(), port, home) | own, port, log)
    try:
        yield
    finally:
        server.stop()
    assert "Traceback" not in log.read_text()


def loaded(
    cast: Cast, client_for: Callable[[Staff], Client], home: Path, seconds: float
) -> tuple[Crowd, dict[str, int]]:
    """A crowd for so many seconds, and the overlaps it left."""
    port = free_port()
    clinic = furnish(cast, client_for, port)
    with serving(port, home):
        crowd = Crowd(clinic, port, time.monotonic() + seconds)
        crowd.run()
    done = sum(crowd.answers.values())
    print(
        f"\n{done} requests in {seconds:.0f} s by {CLIENTS} clients, p95 {crowd.p95():.0f} ms,"
        f" load {os.getloadavg()[0]:.1f}: {dict(sorted(crowd.answers.items()))}"
    )
    return crowd, overlaps()
