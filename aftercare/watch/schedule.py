"""When the check-ins after a session are due. Pure.

Source: reminder plan of the aftercare proposal: +4 h, +24 h, +72 h, +7 days, then +2, +6 and +12
weeks, since non-tuberculous mycobacteria show one to twelve weeks after injection (Reg. S87).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

STEPS: dict[str, timedelta] = {
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "72h": timedelta(hours=72),
    "7d": timedelta(days=7),
    "2w": timedelta(weeks=2),
    "6w": timedelta(weeks=6),
    "12w": timedelta(weeks=12),
}
QUIET_FROM, QUIET_UNTIL = time(21), time(8)


def due_times(treated_at: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """When each step is due, in real time; never between 21:00 and 08:00 on the clinic's clock."""
    return {step: outside_quiet_hours(treated_at + wait, zone) for step, wait in STEPS.items()}


def outside_quiet_hours(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment itself, or the next 08:00 on the clinic's clock. Questions wait, alarms do not."""
    local = moment.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return moment
    day = local.date() + timedelta(days=1) if local.time() >= QUIET_FROM else local.date()
    return datetime.combine(day, QUIET_UNTIL, tzinfo=zone).astimezone(moment.tzinfo)
