"""Hours in which nobody is written to. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Quiet(NamedTuple):
    """From one time of the wall clock until another, over midnight or not; alike means never."""

    start: time
    end: time

    def covers(self, at: time) -> bool:
        """Whether a time of the wall clock is quiet."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


USUAL = Quiet(time(21), time(8))


def is_quiet(moment: datetime, zone: ZoneInfo, quiet: Quiet = USUAL) -> bool:
    """Whether the wall clock of a place says that it is quiet."""
    return quiet.covers(moment.astimezone(zone).time())


def outside_quiet_hours(moment: datetime, zone: ZoneInfo, quiet: Quiet = USUAL) -> datetime:
    """The moment itself, or when the quiet hours it lies in end on that clock. Never earlier."""
    local = moment.astimezone(zone)
    if not quiet.covers(local.time()):
        return moment
    day = local.date() + timedelta(days=local.time() >= quiet.end)
    end = datetime.combine(day, quiet.end, tzinfo=zone)
    if end.astimezone(UTC) < moment:
        # The clocks go back, and the end comes twice.
        end = end.replace(fold=1)
    return end.astimezone(moment.tzinfo)
