"""The iCalendar file of a feed: when a person or a room is taken, and no name.

A practitioner is taken from when they are needed, a room until it is clean again, so preparation is
in the room's feed and not in the practitioner's. What was given up is not there, which takes it
out of a subscribed calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from clinic.access.models import Membership
from clinic.places.zones import vtimezone
from treatments.diary.invitation import local
from treatments.diary.models import Appointment, Block
from treatments.feeds.models import Feed

DAYS_BACK = timedelta(days=30)
DAYS_AHEAD = timedelta(days=180)
READ_AGAIN = timedelta(minutes=15)


class Entry(NamedTuple):
    """One stretch of taken time. `key` names its row; `zone` is that of its place."""

    key: str
    starts: datetime
    ends: datetime
    sequence: int
    summary: str
    place: str
    zone: str


def calendar_of(feed: Feed, at: datetime) -> bytes:
    """The file, from `DAYS_BACK` before a moment to `DAYS_AHEAD` after it; two queries."""
    language = feed.staff.language if feed.staff else feed.room.location.language  # type: ignore[union-attr]
    with override(language):
        entries = [*_visits(feed, at - DAYS_BACK, at + DAYS_AHEAD)]
        entries += _blocks(feed, at - DAYS_BACK, at + DAYS_AHEAD)
        return _written(feed, entries, at)


def _visits(feed: Feed, start: datetime, end: datetime) -> Iterator[Entry]:
    of_person = feed.staff_id is not None
    mine = Q(practitioner=feed.staff_id) if of_person else Q(room=feed.room_id)
    needed = {
        "begins": Coalesce("practitioner_from", "starts_at") if of_person else F("starts_at"),
        "over": F("ends_at") if of_person else Coalesce("room_until", "ends_at"),
    }
    french = (get_language() or "").startswith("fr")
    service = F("service__name_fr") if french else F("service__name_en")
    rows = Appointment.objects.filter(mine).live().between(start, end).annotate(**needed)
    columns = ["pk", "begins", "over", "sequence", "room__name"]
    columns += ["location__name", "location__timezone"]
    if feed.shows == Feed.Shows.INITIALS:
        # Where nothing is shown of a patient nothing is read of one.
        columns += ["patient__given_name", "patient__family_name"]
        rows = rows.annotate(what=service)
        columns.append("what")
    for pk, begins, over, sequence, room, place, zone, *who in rows.values_list(*columns):
        summary = _summary(*who) if who else _("Busy")
        yield Entry(f"appointment-{pk}", begins, over, sequence, summary, f"{room}, {place}", zone)


def _summary(given: str, family: str, service: str) -> str:
    return f"{given[:1]}{family[:1]}".upper() + f" {service}"


def _blocks(feed: Feed, start: datetime, end: datetime) -> Iterator[Entry]:
    whole = Q(staff__isnull=True, room__isnull=True, device__isnull=True)
    if feed.staff_id is not None:
        places = Membership.objects.filter(staff=feed.staff_id).values("location")
        mine = Q(staff=feed.staff_id) | (whole & Q(location__in=places))
    else:
        mine = Q(room=feed.room_id) | (whole & Q(location=feed.room.location_id))  # type: ignore[union-attr]
    rows = Block.objects.filter(mine).overlapping(start, end).select_related("location")
    for row in rows:
        # The kind and never the reason: someone else's calendar is not the place for it.
        summary = str(row.get_kind_display()) if feed.shows == Feed.Shows.INITIALS else _("Busy")
        place = row.location
        yield Entry(
            f"block-{row.pk}", row.starts_at, row.ends_at, 0, summary, place.name, place.timezone
        )


def _written(feed: Feed, entries: Iterable[Entry], at: datetime) -> bytes:
    rows = list(entries)
    calendar = Calendar()
    calendar.add("prodid", "-//Mesotherapy clinic//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    name = feed.staff.name if feed.staff else str(feed.room)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", READ_AGAIN, {"value": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    years = {moment.year for row in rows for moment in (row.starts, row.ends)} or {at.year}
    for zone in sorted({row.zone for row in rows}):
        calendar.add_component(vtimezone(zone, min(years) - 1, max(years) + 1))
    host = urlsplit(settings.BASE_URL).hostname or "clinic"
    for row in rows:
        calendar.add_component(_event(row, host, at))
    return bytes(calendar.to_ical())


def _event(row: Entry, host: str, at: datetime) -> Event:
    zone = ZoneInfo(row.zone)
    event = Event()
    event.add("uid", f"{row.key}@{host}")
    event.add("sequence", row.sequence)
    event.add("dtstamp", at.astimezone(UTC))
    event.add("dtstart", local(row.starts, zone))
    event.add("dtend", local(row.ends, zone))
    event.add("summary", row.summary)
    event.add("location", row.place)
    event.add("status", "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    return event
