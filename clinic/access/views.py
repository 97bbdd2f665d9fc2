"""Where a staff member is working right now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from clinic.access.permissions import Permission, requires
from clinic.access.request import LOCATION_KEY, staff_of


@requires(Permission.USE_CLINIC)
@require_POST
def set_location(request: HttpRequest) -> HttpResponse:
    """Switch to another of one's own locations, then go back to the page one was on."""
    chosen = request.POST.get("location", "")
    if chosen.isdigit() and int(chosen) in staff_of(request).place_ids:
        request.session[LOCATION_KEY] = int(chosen)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return redirect(back if safe else "home")
