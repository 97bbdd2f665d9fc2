"""Someone who comes without an appointment."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from clinic.access.models import Staff
from clinic.places.models import Location
from patients.registry.models import Patient
from treatments.diary.actions import BUSY, book, set_status
from treatments.diary.contention import trying_again
from treatments.diary.models import Appointment, Service

MINUTES = 5
"""A walk-in begins on a multiple of these."""


def now_at_the_desk(at: datetime) -> datetime:
    """The five minutes that are running."""
    return at - timedelta(
        minutes=at.minute % MINUTES, seconds=at.second, microseconds=at.microsecond
    )


@trying_again(BUSY)
@transaction.atomic
def walk_in(
    *,
    by: Staff,
    location: Location,
    patient: Patient,
    service: Service,
    practitioner: int | None,
    starts_at: datetime,
    idempotency_key: uuid.UUID,
    at: datetime | None = None,
) -> Appointment:
    """Book someone who is here already, and say that they are. Raises as `book` does."""
    row = book(
        by=by,
        location=location,
        patient=patient,
        service=service,
        starts_at=starts_at,
        practitioner=practitioner,
        idempotency_key=idempotency_key,
        at=at,
    )
    if row.status != Appointment.Status.BOOKED:
        return row  # the same form again
    return set_status(by=by, appointment=row, status=Appointment.Status.ARRIVED, at=at)
