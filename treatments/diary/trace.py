"""What a card says of its row, in short: two people with the same card have the same trace."""

from __future__ import annotations

from datetime import datetime

from treatments.diary.models import Appointment


def trace(
    starts_at: datetime, ends_at: datetime, practitioner_id: int, room_id: int, status: str
) -> str:
    """Equal for as long as time, practitioner, room and status are."""
    start, end = int(starts_at.timestamp()), int(ends_at.timestamp())
    return f"{start}-{end}-{practitioner_id}-{room_id}-{status}"


def trace_of(row: Appointment) -> str:
    """The trace of an appointment as it is stored."""
    return trace(row.starts_at, row.ends_at, row.practitioner_id, row.room_id, row.status)
