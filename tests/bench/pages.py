"""What is asked of the product and of the floor, and how many statements a page takes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aftercare.demo.bulk import full_day
from clinic.access.models import Staff
from clinic.places.models import Location
from patients.registry.models import Patient
from tests.bench.floor import TABLE
from treatments.diary.hours import Hours
from treatments.diary.models import Appointment, Service
from treatments.diary.slots import Shape, Span, whole_day
from treatments.diary.visit import Visit

PAGES = ("today", "diary", "search", "patient", "book")
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
SEARCHED = "mar"


@dataclass(frozen=True)
class Slot:
    """A free time, as the desk would type it."""

    day: date
    at: time
    practitioner: int
    room: int
    patient: int


class Asked:
    """The addresses and the bookings of one database."""

    def __init__(self) -> None:
        self.staff = Staff.objects.get(email="practitioner@demo.clinic")
        self.place = Location.objects.get(memberships__staff=self.staff)
        self.today = timezone.localdate(timezone=self.place.zone)
        self.day = full_day(self.today)
        self.service = Service.objects.get(kind="consultation")
        known = Patient.objects.filter(registrations__location=self.place)
        self.patients = list(known.order_by("pk").values_list("pk", flat=True)[:150])
        self.patient = self._busiest()
        with connection.cursor() as cursor:
            cursor.execute(TABLE)
        self._slots = self._free()

    def _busiest(self) -> int:
        """A patient with a finished course: the page with the most on it."""
        found = Patient.objects.filter(plans__state="finished", registrations__location=self.place)
        first = found.order_by("pk").first()
        return first.pk if first else self.patients[0]

    def in_diary(self) -> int:
        """How many visits the measured diary day holds."""
        span = whole_day(self.day, self.place.zone)
        return Appointment.objects.filter(location=self.place).between(*span).count()

    def product(self, page: str) -> str:
        return {
            "today": "/today/",
            "diary": f"/diary/?date={self.day.isoformat()}",
            "search": f"/patients/?q={SEARCHED}",
            "patient": f"/patients/P{self.patient:06d}/",
            "book": "/diary/book/",
        }[page]

    def floor(self, page: str, fill: int) -> str:
        if page == "book":
            return "/floor/book/"
        start, end = whole_day(self.today if page == "today" else self.day, self.place.zone)
        values = {
            "location": self.place.pk,
            "practitioner": self.staff.pk,
            "patient": self.patient,
            "text": SEARCHED,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "fill": fill,
        }
        return f"/floor/{page}/?{urlencode(values)}"

    def _free(self) -> Iterator[Slot]:
        """Times of years to come at which everyone needed is on duty, each given out once."""
        needed = Visit.of_service(self.service)
        rooms = self.place.rooms.filter(is_active=True)
        if needed.room_kind:
            rooms = rooms.filter(kind=needed.room_kind)
        pairs = list(zip(Staff.objects.practising_at(self.place.pk), rooms, strict=False))
        step = needed.shape.length + needed.shape.after
        patients = cycle(self.patients)
        first = self.today + timedelta(days=3 * 365)
        while True:
            last = first + timedelta(days=366)
            hours = Hours.of(self.place, first, last)
            while first <= last:
                for doctor, room in pairs:
                    for start in times(hours.working(doctor.pk, first), needed.shape, step):
                        there = start.astimezone(self.place.zone)
                        yield Slot(first, there.time(), doctor.pk, room.pk, next(patients))
                first += timedelta(days=1)

    def booking(self, token: str, *, floor: bool = False) -> dict[str, str]:
        """The next free time as a form."""
        slot = next(self._slots)
        common = {"csrfmiddlewaretoken": token}
        who = {"practitioner": str(slot.practitioner), "room": str(slot.room)}
        if floor:
            start = datetime.combine(slot.day, slot.at, tzinfo=self.place.zone)
            return common | {
                "location": str(self.place.pk),
                "patient": str(slot.patient),
                **who,
                "service": str(self.service.pk),
                "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(minutes=30)).isoformat(),
            }
        return common | {
            "service": str(self.service.pk),
            "date": slot.day.isoformat(),
            "time": f"{slot.at:%H:%M}",
            **who,
            "patient": f"P{slot.patient:06d}",
            "key": str(uuid.uuid4()),
        }

    def statements(self, page: str) -> dict[str, Any]:
        """SQL statements of one request in this process, the second time it is asked."""
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(self.staff, backend="clinic.access.backend.StaffBackend")
        found: list[str] = []
        status = 0
        for _twice in range(2):
            with CaptureQueriesContext(connection) as captured:
                if page == "book":
                    status = client.post(self.product(page), self.booking("")).status_code
                else:
                    status = client.get(self.product(page)).status_code
            found = [query["sql"] for query in captured.captured_queries]
        said = [sql for sql in found if not sql.startswith(FRAME)]
        return {"status": status, "count": len(said), "with_frame": len(found), "sql": said}


def times(spans: list[Span], shape: Shape, step: timedelta) -> Iterator[datetime]:
    """The starts of visits one after the other inside these spans."""
    for span in spans:
        start = span.start
        while span.holds(shape.needs(start).patient):
            yield start
            start += step


def bodies(asked: Asked, token: str, count: int, *, floor: bool) -> str:
    """So many bookings, one to a line."""
    lines = (urlencode(asked.booking(token, floor=floor)) for _number in range(count))
    return "\n".join(lines) + "\n"


def as_json(thing: Any) -> str:
    return json.dumps(asdict(thing) if hasattr(thing, "__dataclass_fields__") else thing, indent=1)
