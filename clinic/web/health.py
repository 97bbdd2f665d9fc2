"""Whether this process lives, and whether the clinic as a whole can do its work."""

import contextlib

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from clinic.access.permissions import public
from clinic.celery import app
from clinic.web.heartbeat import WORKER, WORKER_LIMIT, overdue_tasks
from clinic.web.models import Heartbeat

OK = "ok"
# Seconds for Redis to answer.
PATIENCE = 2


@public
@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anyone else, so that a slow database restarts no web."""
    return HttpResponse("live\n", content_type="text/plain")


@public
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Each part with `ok` or what is wrong; 503 when any part is not ok."""
    parts = states()
    ready = all(state == OK for state in parts.values())
    response = JsonResponse({"ready": ready} | parts, status=200 if ready else 503)
    # Django would log each 503 as an error; whoever asks every second knows.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def states() -> dict[str, str]:
    """What each part of the clinic says of itself: `ok`, or what is wrong."""
    return {"redis": _redis()} | _background()


def _redis() -> str:
    with (
        contextlib.suppress(redis.RedisError),
        redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        ) as client,
    ):
        client.ping()
        return OK
    return "does not answer"


def _background() -> dict[str, str]:
    """The database, and what it knows of worker and beat."""
    at = timezone.now()
    try:
        seen = Heartbeat.objects.times()
    except Error:
        connection.close()
        unknown = "unknown without the database"
        return {"database": "does not answer", "worker": unknown, "beat": unknown}
    last = seen.get(WORKER)
    overdue = overdue_tasks(app, seen, at)
    return {
        "database": OK,
        "worker": OK if last and at - last <= WORKER_LIMIT else "no sign for a minute",
        "beat": f"overdue: {', '.join(overdue)}" if overdue else OK,
    }
