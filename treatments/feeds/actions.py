"""Giving a feed an address, a new one, another content, or none."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Room
from treatments.feeds.models import Feed

TOKEN_BYTES = 32
Subject = Staff | Room


def secret_hash(token: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def open_feed(*, by: Staff, subject: Subject, shows: str) -> str:
    """The address of a subject's feed, fresh; an earlier one is dead from now on.

    The secret exists only in what is returned. Raises `ActionRefused` if it is not `by`'s to give.
    """
    _refuse_others(by, subject)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"token_hash": secret_hash(token), "made_at": timezone.now(), "made_by": by}
    Feed.objects.update_or_create(defaults=values | {"shows": _known(shows)}, **_of(subject))
    return f"{settings.BASE_URL}{reverse('feeds:calendar', args=[token])}"


@transaction.atomic
def set_shows(*, by: Staff, subject: Subject, shows: str) -> int:
    """What a feed tells of each visit, under the address it has; how many feeds there were."""
    _refuse_others(by, subject)
    feeds = Feed.objects.filter(**_of(subject))
    return feeds.update(shows=_known(shows))


@transaction.atomic
def close_feed(*, by: Staff, subject: Subject) -> int:
    """Switch a feed off: its address is dead from now on; how many there were."""
    _refuse_others(by, subject)
    return Feed.objects.filter(**_of(subject)).delete()[0]


def may_keep(by: Staff, subject: Subject) -> bool:
    """Whether a person keeps this feed: a practitioner their own, a manager all of their places."""
    if isinstance(subject, Staff) and subject.pk == by.pk:
        return by.may(Permission.KEEP_FEEDS)
    if not by.may(Permission.MANAGE_CLINIC):
        return False
    if isinstance(subject, Room):
        return subject.location_id in by.place_ids
    return bool(set(subject.place_ids) & set(by.place_ids))


def _refuse_others(by: Staff, subject: Subject) -> None:
    if not may_keep(by, subject):
        raise ActionRefused(_("This calendar feed is not yours to keep."))


def _of(subject: Subject) -> dict[str, Any]:
    return {"staff" if isinstance(subject, Staff) else "room": subject}


def _known(shows: str) -> str:
    if shows not in Feed.Shows.values:
        raise ActionRefused(_("Choose what the feed shows."))
    return shows
