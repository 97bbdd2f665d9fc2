"""The cookie of a tablet: a signed secret under an address of its own, no one's sign-in."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from patients.portal.actions import token_hash
from treatments.arrival.models import Tablet

logger = logging.getLogger(__name__)

PATH, SALT = "/arrival/", "arrival tablet"
LIFE_SECONDS = 365 * 24 * 3600
WINDOW_SECONDS = 15 * 60
MOST_TRIES = 30


def cookie_name() -> str:
    """Of this installation, as the session's own."""
    return f"{settings.SESSION_COOKIE_NAME.removeprefix('__Host-')}_arrival"


def tablet_of(request: HttpRequest) -> Tablet | None:
    """The tablet that this browser is, unless it was taken back or never was one."""
    token = request.get_signed_cookie(cookie_name(), default="", salt=SALT, max_age=LIFE_SECONDS)
    if not token:
        return None
    in_use = Tablet.objects.in_use().select_related("location__country")
    return in_use.filter(token_hash=token_hash(token)).first()


def give_cookie(response: HttpResponse, token: str) -> None:
    """From the next request on the browser is a tablet."""
    response.set_signed_cookie(
        cookie_name(),
        token,
        salt=SALT,
        max_age=LIFE_SECONDS,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def take_cookie(response: HttpResponse) -> None:
    """And no more."""
    response.delete_cookie(cookie_name(), path=PATH, samesite="Strict")


def too_many_tries(tablet: Tablet) -> bool:
    """Count this try. Without Redis every try is one too many: the desk is near."""
    key = f"arrival-try-{tablet.pk}"
    try:
        cache.add(key, 0, WINDOW_SECONDS)
        return int(cache.incr(key)) > MOST_TRIES
    except (RedisError, ValueError):  # it ran out between the two
        logger.warning("tries could not be counted")
        return True
