"""Freed times and who could take them: the rows behind `matching`, few queries for many times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain, groupby, islice
from zoneinfo import ZoneInfo

from clinic.places.models import Location
from treatments.diary.free import Free, free_times
from treatments.diary.models import FreedTime
from treatments.diary.slots import Span
from treatments.diary.visit import Visit
from treatments.waiting.matching import Match, Time, length_of, matches, wants
from treatments.waiting.models import WaitingEntry, WaitingEntryQuerySet

MOST_READ = 500
"""Of those waiting at a location, the longest waiting."""
DAYS_LOOKED_AT = 21
MOST_OF_A_DAY = 3


def time_of(freed: FreedTime, zone: ZoneInfo) -> Time:
    """A freed time as something to match."""
    return Time(Span(freed.starts_at, freed.ends_at), freed.practitioner_id, zone)


def waiting_at(location: Location) -> WaitingEntryQuerySet:
    """Those who may be offered a time here; not who has been booked otherwise since."""
    entries = WaitingEntry.objects.filter(location=location, service__is_active=True).waiting()
    related = ("patient", "service", "practitioner", "instead_of")
    return entries.unmet().select_related(*related)


def matches_of(
    times: Iterable[FreedTime], location: Location, at: datetime
) -> list[tuple[FreedTime, list[Match]]]:
    """Each freed time with those whom it suits; one query for all of them."""
    wanted = list(times)
    entries = list(waiting_at(location)[:MOST_READ]) if wanted else []
    zone = location.zone
    return [(freed, matches(entries, time_of(freed, zone), at)) for freed in wanted]


def times_for(entry: WaitingEntry, at: datetime, count: int) -> list[Free]:
    """The first free times of the coming weeks that suit one who waits, over some days."""
    soonest = at + timedelta(hours=entry.notice_hours)
    zone, length = entry.location.zone, length_of(entry)
    free = free_times(
        location=entry.location,
        day=max(entry.from_date, at.astimezone(zone).date()),
        visit=Visit.of_service(entry.service),
        after=soonest,
        practitioner_id=entry.practitioner_id,
        patient_id=entry.patient_id,
        days=DAYS_LOOKED_AT,
    )
    wanted = (
        time for time in free if wants(entry, Span(time.starts_at, time.starts_at + length), zone)
    )
    days = groupby(wanted, key=lambda time: time.start.date())
    spread = chain.from_iterable(islice(times, MOST_OF_A_DAY) for _day, times in days)
    return list(islice(spread, count))
