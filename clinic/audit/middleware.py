"""Each request has an id and an actor before anything else happens."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from clinic.audit.context import NOBODY, acting, new_request_id, request_id


class RequestContextMiddleware:
    """Gives the request its id; nobody acts until the access middleware knows who it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = request_id.set(new_request_id())
        try:
            with acting(NOBODY):
                response = self.get_response(request)
                response["X-Request-ID"] = request_id.get()
                return response
        finally:
            request_id.reset(token)
