"""The models of every room of this wing."""

from clinic.access.models import Membership, Staff
from clinic.audit.models import AuditEntry, AuditSeal, Erasure
from clinic.places.models import (
    CountryProfile,
    DayHours,
    Device,
    DeviceCleaning,
    Location,
    LocationDay,
    Room,
    WorkingHours,
)
from clinic.web.models import Heartbeat

__all__ = [
    "AuditEntry",
    "AuditSeal",
    "CountryProfile",
    "DayHours",
    "Device",
    "DeviceCleaning",
    "Erasure",
    "Heartbeat",
    "Location",
    "LocationDay",
    "Membership",
    "Room",
    "Staff",
    "WorkingHours",
]
