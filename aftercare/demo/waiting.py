"""Who waits for a time in the demo, a time that has come free, and one that is held for someone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from clinic.errors import ActionRefused
from patients.registry.models import Patient
from treatments.diary.actions import cancel
from treatments.diary.models import Appointment, Service
from treatments.waiting.actions import WISHES, add_entry, offer_time
from treatments.waiting.freed import times_for
from treatments.waiting.models import WaitingEntry

ONLINE = ("consultation", "review")
HOLD_MINUTES = 60
WANTED: tuple[dict[str, Any], ...] = (
    {"service": "consultation", "note": "Works across the street, can come at once."},
    {"service": "session", "weekdays": [0, 2, 4], "earliest": time(16)},
    {"service": "consultation", "latest": time(12), "notice_hours": 24},
    {"service": "review", "notice_hours": 4},
    {"service": "session", "note": "Any time, even the same day.", "notice_hours": 1},
    {"service": "consultation", "weekdays": [1, 3], "earliest": time(9), "latest": time(14)},
)


def fill_waiting_list(ground: Ground, now: datetime) -> None:
    """Six who wait at each place; by hand at the first, by itself at the second."""
    Service.objects.filter(kind__in=ONLINE, is_active=True).update(is_online=True)
    for number, place in enumerate(ground.places):
        place.location.hold_minutes = HOLD_MINUTES
        place.location.waiting_automatic = number == 1
        place.location.save()
        entries = [
            _add(ground, place, patient, wish, now - timedelta(days=9 - 2 * index))
            for index, (patient, wish) in enumerate(zip(_idle(place, now), WANTED, strict=False))
        ]
        if number == 0:
            _free_one(place, now)
            _offer_one(place, entries, now)


def _idle(place: Place, now: datetime) -> list[Patient]:
    """Patients of a place who can be written to and have nothing booked."""
    known = Patient.objects.filter(registrations__location=place.location).exclude(email="")
    booked = Appointment.objects.live().filter(starts_at__gt=now).values("patient")
    return list(known.exclude(pk__in=booked).order_by("-pk")[: len(WANTED)])


def _add(
    ground: Ground, place: Place, patient: Patient, wish: dict[str, Any], at: datetime
) -> WaitingEntry:
    blank = dict.fromkeys(WISHES) | {"weekdays": [], "notice_hours": 2, "note": ""}
    wishes = (
        blank
        | wish
        | {
            "service": ground.services[wish["service"]],
            "from_date": at.astimezone(place.location.zone).date(),
        }
    )
    with then(at, place.desk):
        return add_entry(by=place.desk, patient=patient, location=place.location, **wishes)


def _free_one(place: Place, now: datetime) -> None:
    """Someone has just cancelled a visit of the coming days; three wait for such a time."""
    soon = Appointment.objects.filter(
        location=place.location,
        status=Appointment.Status.BOOKED,
        service__kind="session",
        starts_at__range=(now + timedelta(hours=26), now + timedelta(days=4)),
    )
    visit = soon.order_by("starts_at", "pk").first()
    if visit is not None:
        with then(now - timedelta(minutes=12), place.desk):
            cancel(by=place.desk, appointment=visit, reason="Has to travel for work.")


def _offer_one(place: Place, entries: list[WaitingEntry], now: datetime) -> None:
    """The first whom a free time suits has it offered, and held for the coming hour."""
    with then(now, place.desk):
        for entry in reversed(entries):
            for free in times_for(entry, now, 1):
                try:
                    offer_time(
                        by=place.desk,
                        entry=entry,
                        starts_at=free.starts_at,
                        practitioner=free.practitioner_id,
                        at=now,
                    )
                except ActionRefused:
                    continue
                return
