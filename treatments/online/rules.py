"""What a patient may do by link, and until when. Pure: the location's settings and a moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from clinic.places.models import Location
from treatments.diary.models import Appointment
from treatments.diary.slots import Span
from treatments.diary.transitions import MOVABLE

MOST_TO_COME = 3
"""Visits to come that one patient may have booked by link."""


def window(location: Location, at: datetime) -> Span:
    """From when to when a visit booked by link may start: notice in hours, days ahead."""
    earliest = at + timedelta(hours=location.online_notice_hours)
    return Span(earliest, at + timedelta(days=location.online_days_ahead))


def is_to_come(row: Appointment, at: datetime) -> bool:
    """Booked or confirmed, and not begun."""
    return row.status in MOVABLE and row.starts_at > at


def may_change(row: Appointment, location: Location, at: datetime) -> bool:
    """Whether its patient may still move or cancel it by link."""
    notice = timedelta(hours=location.change_notice_hours)
    return location.online_booking and is_to_come(row, at) and row.starts_at - at >= notice
