"""How often one address may try to prove a link. The lock on the link itself is the last word."""

from __future__ import annotations

import hashlib
import logging

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 15 * 60
MOST_PER_LINK = 10
MOST_PER_ADDRESS = 40


def too_many_tries(request: HttpRequest, token: str) -> bool:
    """Count this try; whether the address has tried this link, or links at all, too often.

    Without Redis nobody is refused here: a link still locks after five wrong answers.
    """
    address = get_adapter().get_client_ip(request)
    try:
        return _count(f"{address} {token}") > MOST_PER_LINK or _count(address) > MOST_PER_ADDRESS
    except RedisError:
        logger.warning("tries could not be counted")
        return False


def _count(what: str) -> int:
    key = f"portal-try-{hashlib.sha256(what.encode()).hexdigest()}"
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        return 1
