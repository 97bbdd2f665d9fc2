"""What a staff view needs from its request: who asks, and where they work."""

from __future__ import annotations

from typing import cast
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from clinic.access.models import Staff
from clinic.places.models import Location

LOCATION_KEY = "location"


def staff_of(request: HttpRequest) -> Staff:
    """The signed-in person; the access middleware has made sure there is one."""
    return cast(Staff, request.user)


def location_id_of(request: HttpRequest) -> int:
    """Id of the chosen location, else one's first. Raises `PermissionDenied` for none."""
    mine = staff_of(request).place_ids
    chosen = request.session.get(LOCATION_KEY)
    if chosen in mine:
        return int(chosen)
    if not mine:
        raise PermissionDenied
    return mine[0]


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The clock of the chosen location, from what was fetched with the person; else UTC."""
    staff = staff_of(request)
    zones = dict(zip(staff.place_ids, getattr(staff, "location_zones", []), strict=False))
    chosen = request.session.get(LOCATION_KEY)
    name = zones[chosen] if chosen in zones else next(iter(zones.values()), "UTC")
    return ZoneInfo(name)


def location_of(request: HttpRequest) -> Location:
    """The location that `location_id_of` names."""
    return Location.objects.get(pk=location_id_of(request))
