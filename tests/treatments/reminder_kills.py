"""Reminders due at once, each of another patient: what the kills of `tests.kills` fall among."""

from __future__ import annotations

from datetime import time, timedelta

from django.utils import timezone

from patients.messages.models import MessageRules
from patients.registry.models import Patient, Registration
from tests import kills
from tests.conftest import Cast
from tests.patients.workers import Sink
from treatments.diary.models import Appointment
from treatments.diary.notices import Notice


def fill_diary(cast: Cast, count: int) -> None:
    """So many visits in two days less an hour, each of another patient, booked long ago."""
    MessageRules.objects.get_or_create(
        location=cast.here, defaults={"quiet_from": time(0), "quiet_until": time(0)}
    )
    patients = Patient.objects.bulk_create(
        Patient(
            given_name="Ana", family_name=f"L{n}", birth_date="1980-01-01", email=f"{n}@example.org"
        )
        for n in range(count)
    )
    Registration.objects.bulk_create(
        Registration(patient=patient, location=cast.here) for patient in patients
    )
    starts = timezone.now() + timedelta(hours=47)
    Appointment.objects.bulk_create(
        Appointment(
            created_at=starts - timedelta(days=30),
            location=cast.here,
            patient=patient,
            practitioner=cast.practitioner,
            room=cast.room,
            service=cast.consultation,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
            overlap_reason="as many at once as a proof needs",
        )
        for patient in patients
    )


def judge(sink: Sink, count: int) -> dict[str, int]:
    """As for any letter, and each is noted in the diary once."""
    assert Notice.objects.filter(kind="reminder").count() == count
    return kills.judge(sink, "reminder", count)
