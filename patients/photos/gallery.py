"""The photos of a patient as they are looked at: by day, by view, and two beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Max, Min, Window
from django.db.models.functions import RowNumber

from patients.photos.models import Photo, PhotoQuerySet
from patients.photos.naming import Names

PAGE = 48
IN_A_STRIP = 8
MOST_OF_A_SERIES = 120


@dataclass(frozen=True)
class Cursor:
    """Where the next page begins: after this photo."""

    taken_at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.taken_at.timestamp():.6f}_{self.pk}"

    @classmethod
    def read(cls, text: str, zone: ZoneInfo) -> Cursor | None:
        """From an address; None for what is none."""
        when, _sep, pk = text[:60].partition("_")
        try:
            return cls(datetime.fromtimestamp(float(when), tz=zone), int(pk))
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True)
class Day:
    """The photos of one day, by the location's clock."""

    day: date
    photos: list[Photo]


@dataclass(frozen=True)
class Series:
    """The photos of one view: the newest few, how many there are, and of when."""

    key: str
    name: str
    count: int
    first: datetime
    last: datetime
    photos: list[Photo]


def page_of(photos: PhotoQuerySet, after: Cursor | None) -> tuple[list[Photo], str]:
    """One page, newest first, and the cursor of the next one or nothing. One query."""
    rows = photos.before(after.taken_at, after.pk) if after else photos
    found = list(rows.newest_first().select_related("patient")[: PAGE + 1])
    shown = found[:PAGE]
    more = len(found) > PAGE
    return shown, str(Cursor(shown[-1].taken_at, shown[-1].pk)) if more else ""


def by_day(photos: Iterable[Photo], zone: ZoneInfo) -> list[Day]:
    """Photos that come newest first, in groups of one day; within it as the patient turned."""
    groups = groupby(photos, key=lambda one: one.taken_at.astimezone(zone).date())
    return [Day(day, list(rows)[::-1]) for day, rows in groups]


def by_series(photos: PhotoQuerySet, names: Names) -> list[Series]:
    """Every view that there are photos of, the most recently taken first. Two queries."""
    same: dict[str, Any] = {"partition_by": [F("area"), F("side"), F("view")]}
    place = Window(RowNumber(), **same, order_by=[F("taken_at").desc(), F("pk").desc()])
    rows = photos.annotate(place=place).filter(place__lte=IN_A_STRIP).select_related("patient")
    strips: dict[str, list[Photo]] = {}
    for photo in rows.newest_first():
        strips.setdefault(photo.key, []).append(photo)
    return [
        Series(key, names.series(*key.split(".")), count, first, last, strips.get(key, []))
        for key, count, first, last in _counted(photos)
    ]


def _counted(photos: PhotoQuerySet) -> list[tuple[str, int, datetime, datetime]]:
    counts = (
        photos.order_by()
        .values("area", "side", "view")
        .annotate(count=Count("pk"), first=Min("taken_at"), last=Max("taken_at"))
        .order_by("-last", "area", "side", "view")
    )
    return [
        (f"{one['area']}.{one['side']}.{one['view']}", one["count"], one["first"], one["last"])
        for one in counts
    ]


@dataclass(frozen=True)
class Comparison:
    """Two photos of one view, the earlier one first, out of all that there are of it."""

    series: list[Photo]
    before: Photo
    after: Photo

    @property
    def days(self) -> int:
        """Whole days from one to the other."""
        return (self.after.taken_at - self.before.taken_at).days


def compared(series: list[Photo], before: str, after: str) -> Comparison | None:
    """The two that were asked for; else the first and the last. None where there are not two."""
    if len(series) < 2:
        return None
    first = _asked(before, series) or series[0]
    last = _asked(after, series) or series[-1]
    if series.index(first) > series.index(last):
        first, last = last, first
    return Comparison(series, first, last)


def _asked(text: str, series: list[Photo]) -> Photo | None:
    try:
        name = UUID(text)
    except ValueError:
        return None
    return next((photo for photo in series if photo.public_id == name), None)
