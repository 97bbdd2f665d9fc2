"""Until when an opened container may be used, and how much of one is thrown away."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment that is no longer that day, on the location's clock."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)


def discard_by(
    opened_at: datetime, in_use_hours: int | None, expires_on: date, zone: ZoneInfo
) -> datetime:
    """When an opened container is over: after its in-use life, in hours, never past its expiry.

    A product whose in-use life nobody has entered (None) lasts until it expires.
    """
    expiry = end_of_day(expires_on, zone)
    if in_use_hours is None:
        return expiry
    return min(opened_at + timedelta(hours=in_use_hours), expiry)


def containers_for(amount: Decimal, sealed: Decimal, container: Decimal) -> list[Decimal]:
    """The sealed containers that must be opened to take an amount, each with what it holds.

    The last sealed one may hold less than a whole: stock is counted by what is in it. Together they
    hold at least `amount`, unless `sealed` is less than that.
    """
    opened: list[Decimal] = []
    taken = Decimal(0)
    while taken < amount and sealed > 0:
        size = min(container, sealed)
        opened.append(size)
        taken += size
        sealed -= size
    return opened
