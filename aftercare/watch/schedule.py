"""When the check-ins after a session are due. Pure.

Source: reminder plan of the aftercare proposal: +4 h, +24 h, +72 h, +7 days, then +2, +6 and +12
weeks, since non-tuberculous mycobacteria show one to twelve weeks after injection (Reg. S87).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from patients.messages.quiet import outside_quiet_hours

STEPS: dict[str, timedelta] = {
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "72h": timedelta(hours=72),
    "7d": timedelta(days=7),
    "2w": timedelta(weeks=2),
    "6w": timedelta(weeks=6),
    "12w": timedelta(weeks=12),
}


def due_times(treated_at: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """When each step is due, in real time; never between 21:00 and 08:00 on the clinic's clock.

    Questions wait for the morning, alarms do not.
    """
    return {step: outside_quiet_hours(treated_at + wait, zone) for step, wait in STEPS.items()}
