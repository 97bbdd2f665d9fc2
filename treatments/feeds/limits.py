"""How often a feed may be read, and how often one address may guess at secrets."""

from __future__ import annotations

import hashlib
import logging

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 15 * 60
MOST_READINGS = 60
MOST_GUESSES = 40


def read_too_often(feed_id: int) -> bool:
    """Count this reading of a feed; whether there were too many. Without Redis none is refused."""
    return _counted(f"feed {feed_id}") > MOST_READINGS


def guessed_too_often(request: HttpRequest) -> bool:
    """Whether this address has tried too many secrets that are none; counts nothing."""
    try:
        return int(cache.get(_key(_address(request)), 0)) >= MOST_GUESSES
    except RedisError:
        return False


def note_guess(request: HttpRequest) -> None:
    """Count a secret that was none."""
    _counted(_address(request))


def _address(request: HttpRequest) -> str:
    return f"address {get_adapter().get_client_ip(request)}"


def _key(what: str) -> str:
    return f"feed-try-{hashlib.sha256(what.encode()).hexdigest()}"


def _counted(what: str) -> int:
    try:
        cache.add(_key(what), 0, WINDOW_SECONDS)
        return int(cache.incr(_key(what)))
    except RedisError:
        logger.warning("readings of feeds could not be counted")
    except ValueError:  # it ran out between the two
        return 1
    return 0
