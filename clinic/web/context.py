"""What every page's shell knows. Lazy: a fragment that does not show it does not ask for it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.access.permissions import Permission
from clinic.access.request import LOCATION_KEY
from clinic.places.models import Location


def clinic(request: HttpRequest) -> dict[str, Any]:
    """`demo`; `my_locations` of the signed-in person and `here`, the one they work at now."""
    mine = SimpleLazyObject(lambda: _locations(request))
    return {
        "demo": settings.DEMO,
        "may_run_arrival": SimpleLazyObject(lambda: _may(request, Permission.RUN_ARRIVAL)),
        "my_locations": mine,
        "here": SimpleLazyObject(lambda: _here(request, mine)),
    }


def _may(request: HttpRequest, permission: Permission) -> bool:
    return bool(request.user.is_authenticated and request.user.may(permission))


def _locations(request: HttpRequest) -> list[Location]:
    if not request.user.is_authenticated:
        return []
    names = getattr(request.user, "location_names", None)
    if names is None:
        return list(Location.objects.visible_to(request.user).only("name"))
    # The person was fetched with them; anything but the name is fetched when it is asked for.
    pairs = zip(request.user.place_ids, names, strict=True)
    return [Location.from_db("default", ["id", "name"], pair) for pair in pairs]


def _here(request: HttpRequest, mine: Any) -> Location | str:
    chosen = request.session.get(LOCATION_KEY)
    ordered = sorted(mine, key=lambda location: (location.pk != chosen, location.pk))
    return ordered[0] if ordered else ""
