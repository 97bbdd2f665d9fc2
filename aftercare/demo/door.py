"""The tablet that stands at the door of each location."""

from __future__ import annotations

from datetime import datetime

from aftercare.demo.ground import Ground
from treatments.arrival.actions import set_up


def put_tablets(ground: Ground, now: datetime) -> None:
    """One for each location, as the desk would see it; nobody holds its secret."""
    for place in ground.places:
        set_up(by=place.desk, location=place.location, name="Entrance", at=now)
