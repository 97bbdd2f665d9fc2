"""What an appointment holds, as it is read: many are, for each time that is looked for."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from treatments.diary.slots import Span

LIVE = """
    a.starts_at > %(earliest)s AND a.starts_at < %(end)s
    AND coalesce(a.room_until, a.ends_at) > %(start)s AND a.status NOT IN ('cancelled', 'no_show')
"""
"""Of `treatments_appointment a`: holding anything in any moment of [start, end). `earliest` is the
start less `LONGEST_SERVICE`, which lets an index help.
"""


class Held(NamedTuple):
    """The columns of an appointment that say whom and what it needs when: `HELD`, of `a`."""

    practitioner_id: int
    room_id: int
    device_id: int | None
    patient_id: int
    starts_at: datetime
    ends_at: datetime
    practitioner_from: datetime | None
    room_until: datetime | None

    @property
    def patient(self) -> Span:
        """The visit as the patient knows it."""
        return Span(self.starts_at, self.ends_at)

    @property
    def practitioner(self) -> Span:
        """Without the preparation."""
        return Span(self.practitioner_from or self.starts_at, self.ends_at)

    @property
    def room(self) -> Span:
        """With the cleaning."""
        return Span(self.starts_at, self.room_until or self.ends_at)

    @property
    def device(self) -> Span:
        """Without the preparation and with the cleaning."""
        return Span(self.practitioner_from or self.starts_at, self.room_until or self.ends_at)


HELD = ", ".join(f"a.{column}" for column in Held._fields)
