"""What a visit needs, whichever service or appointment it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from treatments.diary.models import Appointment, Service
from treatments.diary.slots import Shape


@dataclass(frozen=True)
class Visit:
    """How long, by whom, and in what kind of room with what kind of device (empty: any, none)."""

    shape: Shape
    role: str
    room_kind: str = ""
    device_kind: str = ""

    @classmethod
    def of_service(cls, service: Service) -> Visit:
        """As the service is set up today."""
        shape = Shape(
            timedelta(minutes=service.minutes),
            timedelta(minutes=service.before_minutes),
            timedelta(minutes=service.after_minutes),
        )
        return cls(shape, service.role, service.room_kind, service.device_kind)

    @classmethod
    def of_appointment(cls, row: Appointment) -> Visit:
        """As it was booked, whatever its service has become since."""
        shape = Shape(
            row.ends_at - row.starts_at,
            row.hands_on_at - row.starts_at,
            row.clean_at - row.ends_at,
        )
        return replace(cls.of_service(row.service), shape=shape)

    def lasting(self, length: timedelta) -> Visit:
        """The same with another length; the preparation never takes all of it."""
        before = min(self.shape.before, max(timedelta(0), length - timedelta(minutes=5)))
        return replace(self, shape=Shape(length, before, self.shape.after))
