"""Deny by default: every view carries its access mark, and this is where the mark is obeyed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from clinic.access.actor import actor_of
from clinic.access.permissions import PATIENT_LINK, PUBLIC, Access
from clinic.access.request import zone_of
from clinic.access.third_party import THIRD_PARTY, WITHOUT_SECOND_FACTOR
from clinic.audit.context import become

LAST_SEEN = "last_seen"
RECORD_EVERY_SECONDS = 60
POLLING_HEADER = "X-Polling"


class IdleLogoutMiddleware:
    """Sign a workstation out after `IDLE_MINUTES` without a person; polling is not a person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        now = int(time.time())
        seen = (
            request.session.get(LAST_SEEN)
            if settings.SESSION_COOKIE_NAME in request.COOKIES
            else None
        )
        if seen is not None and now - seen > settings.IDLE_MINUTES * 60:
            logout(request)
        elif seen is not None and now - seen > RECORD_EVERY_SECONDS and not _is_polling(request):
            request.session[LAST_SEEN] = now
        response = self.get_response(request)
        if LAST_SEEN not in request.session and not request.session.is_empty():
            request.session[LAST_SEEN] = now
        return response


def _is_polling(request: HttpRequest) -> bool:
    return POLLING_HEADER in request.headers


class AccessMiddleware:
    """Refuse every view without a mark, and everyone the mark does not admit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        timezone.deactivate()  # the last request of this thread may have been at another location
        response = self.get_response(request)
        if request.session.accessed and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        access = access_of(request, view)
        if access is None:
            raise PermissionDenied
        if access in (PUBLIC, PATIENT_LINK):
            return None
        if not request.user.is_authenticated:
            return ask_to_sign_in(request)
        if step := _second_factor_step(request):
            return redirect(step)
        if access.permission is not None and not request.user.may(access.permission):
            raise PermissionDenied
        become(actor_of(request.user))
        timezone.activate(zone_of(request))
        return None


def _second_factor_step(request: HttpRequest) -> str:
    """What comes before this page: setting a second factor up, giving it, or nothing.

    It is asked of the session and not only of the person: one that was signed in with the
    password alone, before the factor was set up, has never given it.
    """
    if not settings.MFA_REQUIRED or _url_name(request) in WITHOUT_SECOND_FACTOR:
        return ""
    if not is_mfa_enabled(request.user):
        return "mfa_index"
    given = {record["method"] for record in get_authentication_records(request, request.user)}
    return "" if "mfa" in given else "mfa_reauthenticate"


def access_of(request: HttpRequest, view: Callable[..., Any]) -> Access | None:
    """The view's own mark, or the table's word for a view that is not ours."""
    own: Access | None = getattr(view, "access", None)
    return own or THIRD_PARTY.get(_url_name(request))


def ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back; a fragment asks the whole page to go there."""
    if getattr(request, "htmx", False):
        response = HttpResponse(status=401)
        back = redirect_to_login(request.htmx.current_url_abs_path or reverse("home"))  # type: ignore[attr-defined]
        response["HX-Redirect"] = back["Location"]
        return response
    target = request.get_full_path() if request.method == "GET" else request.path
    return redirect_to_login(target)


def _url_name(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.view_name if match else "") or ""
