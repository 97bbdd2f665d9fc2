"""How often one address may try something. Counted in Redis; without it nobody is refused."""

from __future__ import annotations

import hashlib
import logging

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 15 * 60


def address_of(request: HttpRequest) -> str:
    """The address that a request came from, behind the proxies that are trusted."""
    return str(get_adapter().get_client_ip(request))


def tried_too_often(what: str, *limits: tuple[str, int]) -> bool:
    """Count this try for each of `limits`: who tries, and how often in a quarter of an hour.

    True where one is exceeded. Without Redis it says no: it is never the only lock.
    """
    try:
        counted = [(_count(f"{what}-try", who), most) for who, most in limits]
    except RedisError:
        logger.warning("tries could not be counted")
        return False
    return any(count > most for count, most in counted)


def _count(what: str, who: str) -> int:
    key = f"{what}-{hashlib.sha256(who.encode()).hexdigest()}"
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        return 1
