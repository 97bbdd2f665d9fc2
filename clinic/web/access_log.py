"""One log line for each request: the route, not the address; the person's id, not the name."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger("clinic.requests")
QUIET_PREFIX = "/health/"


class AccessLogMiddleware:
    """Logs what was asked for, by whom and how it went. Stands after RequestContextMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        response = self.get_response(request)
        if not request.path.startswith(QUIET_PREFIX):
            match = request.resolver_match
            logger.info(
                "request",
                extra={
                    "route": match.route if match else "",
                    "method": request.method,
                    "status": response.status_code,
                    "ms": round((time.monotonic() - started) * 1000),
                    "user_id": _user_id(request),
                },
            )
        return response


def _user_id(request: HttpRequest) -> int | None:
    """The signed-in person's id, without asking the database for someone nobody asked for."""
    known = getattr(request, "_cached_user", None)
    return known.pk if known is not None else None
