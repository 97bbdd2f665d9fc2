"""The iCalendar file that goes with a message (RFC 5545). It says where and when, never why.

Its method is PUBLISH: the clinic takes no answers by calendar, and a REQUEST would invite one
("declined") that nobody would read as the cancellation it was meant to be. A later file with the
same UID and a higher SEQUENCE changes the entry, one with STATUS:CANCELLED cancels it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override
from icalendar import Calendar, Event, vCalAddress

from clinic.places.models import Location
from clinic.places.zones import vtimezone
from clinic.tongues import house_language
from treatments.diary.models import Appointment


def uid_of(appointment: Appointment) -> str:
    """What a calendar knows the appointment by: the same for ever, and nobody else's."""
    return f"appointment-{appointment.pk}@{urlsplit(settings.BASE_URL).hostname or 'clinic'}"


def calendar_of(
    appointments: Iterable[Appointment], place: Location, language: str, at: datetime
) -> str:
    """The file for these appointments of one patient, made at `at`, on the location's clock."""
    rows = list(appointments)
    calendar = Calendar()
    calendar.add("prodid", "-//Mesotherapy clinic//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    years = {row.starts_at.year for row in rows}
    calendar.add_component(vtimezone(place.timezone, min(years) - 1, max(years) + 1))
    with override(house_language(language)):
        for row in rows:
            calendar.add_component(_event(row, place, at))
    return str(calendar.to_ical().decode())


def _event(row: Appointment, place: Location, at: datetime) -> Event:
    event = Event()
    event.add("uid", uid_of(row))
    event.add("sequence", row.sequence)
    event.add("dtstamp", at.astimezone(UTC))
    event.add("dtstart", local(row.starts_at, place.zone))
    event.add("dtend", local(row.ends_at, place.zone))
    event.add("summary", _("Appointment at %(clinic)s") % {"clinic": place.name})
    event.add("location", ", ".join(place.address.split("\n")))
    event.add("description", _("Phone: %(phone)s") % {"phone": place.phone})
    is_off = row.status in Appointment.GIVEN_UP
    event.add("status", "CANCELLED" if is_off else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("organizer", _organizer(place))
    return event


def _organizer(place: Location) -> vCalAddress:
    organizer = vCalAddress(f"mailto:{place.email}")
    organizer.params["cn"] = place.name
    return organizer


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment on the wall clock of a zone; in UTC where that clock shows it a second time."""
    there = moment.astimezone(zone)
    return moment.astimezone(UTC) if there.fold else there
