"""A visit as a calendar file: when and where, and nothing of why."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from treatments.diary.models import Appointment

TYPE = "text/calendar; charset=utf-8"


def calendar_file(row: Appointment, at: datetime) -> bytes:
    """One event on the location's own clock, with its time zone."""
    place = row.location
    event = Event()
    event.add("uid", f"appointment-{row.pk}@clinic.invalid")
    event.add("dtstamp", at)
    event.add("dtstart", row.starts_at.astimezone(place.zone))
    event.add("dtend", row.ends_at.astimezone(place.zone))
    event.add("summary", _("Visit at %(place)s") % {"place": place.name})
    event.add("location", ", ".join([place.name, *place.address.splitlines()]))
    event.add("description", _("To change it, call %(phone)s.") % {"phone": place.phone})
    event.add("status", "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Clinic//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content
