"""The first page, and the pages for when something is wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from clinic.access.permissions import Permission, requires
from clinic.audit.context import request_id


@requires(Permission.USE_CLINIC)
def home(request: HttpRequest) -> HttpResponse:
    """A signed-in person's first page."""
    return redirect("diary:today")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: whatever failed must not be asked again."""
    return HttpResponse(render_to_string("500.html", {"request_id": request_id.get()}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
