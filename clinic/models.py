"""The models of every room of this wing."""

from clinic.access.models import Membership, Staff
from clinic.audit.models import AuditEntry, AuditSeal
from clinic.places.models import CountryProfile, Device, Location, Room
from clinic.web.models import Heartbeat

__all__ = [
    "AuditEntry",
    "AuditSeal",
    "CountryProfile",
    "Device",
    "Heartbeat",
    "Location",
    "Membership",
    "Room",
    "Staff",
]
