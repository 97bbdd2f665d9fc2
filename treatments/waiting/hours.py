"""When messages of the waiting list may leave: never at night. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

FROM, UNTIL = time(8), time(21)
"""On the clinic's clock."""


def is_quiet(at: datetime, zone: ZoneInfo) -> bool:
    """Whether nothing may be sent now."""
    return not FROM <= at.astimezone(zone).time() < UNTIL


def end_of_quiet(at: datetime, zone: ZoneInfo) -> datetime:
    """The next 08:00 of the clinic."""
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=local.time() >= FROM)
    return datetime.combine(day, FROM, tzinfo=zone)
