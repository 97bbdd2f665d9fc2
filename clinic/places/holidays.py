"""Public holidays by the `holidays` library, and the regions that have holidays of their own."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from holidays import country_holidays

from clinic.places.models import Location

YEARS_SHOWN = 3


class Holiday(NamedTuple):
    """A public holiday, with its name in the language asked for where the library has it."""

    day: date
    name: str


@lru_cache(maxsize=256)
def holidays_of(country: str, region: str, year: int, language: str) -> dict[date, str]:
    """The public holidays of a year by the `holidays` library; none for a country it lacks.

    A region that the library lacks is left out, a language likewise.
    """
    for subdivision in (region or None, None):
        for spoken in (language or None, None):
            try:
                found = country_holidays(
                    country, subdiv=subdivision, years=year, language=spoken, expand=False
                )
            except NotImplementedError:
                continue
            return dict(found)
    return {}


def holiday(location: Location, day: date, language: str = "") -> str:
    """The name of the public holiday on which this location is closed, or nothing."""
    if not location.closes_on_holidays:
        return ""
    days = holidays_of(location.country_id, location.holiday_region, day.year, language)
    return days.get(day, "")


def next_holidays(
    country: str, region: str, today: date, language: str, count: int = 6
) -> list[Holiday]:
    """The first few holidays from `today` on, whether the location closes on them or not."""
    found = (
        Holiday(day, name)
        for year in range(today.year, today.year + YEARS_SHOWN)
        for day, name in sorted(holidays_of(country, region, year, language).items())
        if day >= today
    )
    return list(islice(found, count))


@lru_cache(maxsize=64)
def regions_of(country: str) -> tuple[tuple[str, str], ...]:
    """Code and name of each region that the library knows in a country, by name."""
    try:
        known = country_holidays(country, years=2026)
    except NotImplementedError:
        return ()
    aliases = known.get_subdivision_aliases()
    named = ((code, max(aliases.get(code) or [code], key=len)) for code in known.subdivisions)
    return tuple(sorted(named, key=lambda region: region[1]))
