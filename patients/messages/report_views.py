"""Where an SMS gateway reports: public, known by a secret in its path, off unless one is set."""

from __future__ import annotations

import hashlib
import json
import logging

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from redis.exceptions import RedisError

from clinic.access.permissions import public
from clinic.audit.context import Actor, acting
from patients.messages.reports import note_report

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
MOST_PER_ADDRESS = 1_200
MOST_WRONG = 20
"""Wrong secrets from one address in a minute, from then on answered without a look."""
LARGEST = 16_384
GATEWAY = Actor(kind="system", who="SMS gateway", role="system")


@csrf_exempt
@public
@require_POST
def sms_report(request: HttpRequest, secret: str) -> HttpResponse:
    """Take one report, as a form or as JSON; 204 whether or not it concerned us."""
    address = hashlib.sha256(str(get_adapter().get_client_ip(request)).encode()).hexdigest()
    if _count(f"sms-report-wrong-{address}", 0) >= MOST_WRONG:
        return HttpResponse(status=429)
    if not _is_right(secret):
        _count(f"sms-report-wrong-{address}", 1)
        raise Http404
    if _count(f"sms-report-{address}", 1) > MOST_PER_ADDRESS:
        return HttpResponse(status=429)
    fields = _fields(request)
    if fields is None:
        return HttpResponse(status=400)
    with acting(GATEWAY):
        note_report(fields, at=timezone.now())
    return HttpResponse(status=204)


def _is_right(secret: str) -> bool:
    expected = settings.SMS_REPORT_SECRET
    return bool(expected) and constant_time_compare(secret, expected)


def _fields(request: HttpRequest) -> dict[str, str] | None:
    """The flat fields of the body; None when it cannot be read."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return None
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        said = json.loads(request.body)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    return {key: str(value) for key, value in said.items() if isinstance(value, str | int)}


def _count(key: str, more: int) -> int:
    """How often within the window; without Redis the secret alone is the guard."""
    try:
        cache.add(key, 0, WINDOW_SECONDS)
        return int(cache.incr(key, more))
    except ValueError:  # it ran out between the two
        return more
    except RedisError:
        logger.warning("reports could not be counted")
        return 0
