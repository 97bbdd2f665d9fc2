"""Where a staff member is working right now, and whether they are still signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

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


@requires(Permission.USE_CLINIC)
@require_safe
def still_here(request: HttpRequest) -> HttpResponse:
    """Asked before a form leaves its page: the form token in force, while `who` is signed in.

    401 where somebody else is by now.
    """
    if request.GET.get("who") != str(staff_of(request).pk):
        return HttpResponse(status=401)
    return HttpResponse(get_token(request), content_type="text/plain")
