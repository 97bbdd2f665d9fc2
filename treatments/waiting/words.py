"""What someone waits for, in words short enough for a list."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.places.models import Weekday
from clinic.web.templatetags.clinic_web import clinical_date
from treatments.waiting.models import WaitingEntry


def wishes(entry: WaitingEntry) -> str:
    """Days, hours, dates and notice: `Monday, Friday · from 16:00 · 2 hours of notice`."""
    said = [_days(entry), _hours(entry), _dates(entry), _notice(entry)]
    return " · ".join(part for part in said if part)


def _days(entry: WaitingEntry) -> str:
    if not entry.weekdays:
        return _("any day")
    return ", ".join(str(Weekday(day).label) for day in sorted(entry.weekdays))


def _hours(entry: WaitingEntry) -> str:
    earliest, latest = (f"{time:%H:%M}" if time else "" for time in (entry.earliest, entry.latest))
    if earliest and latest:
        return f"{earliest}–{latest}"
    if earliest:
        return _("from %(time)s") % {"time": earliest}
    return _("until %(time)s") % {"time": latest} if latest else ""


def _dates(entry: WaitingEntry) -> str:
    if entry.until_date is None:
        return ""
    return _("until %(day)s") % {"day": clinical_date(entry.until_date)}


def _notice(entry: WaitingEntry) -> str:
    hours = entry.notice_hours
    return ngettext("%(n)s hour of notice", "%(n)s hours of notice", hours) % {"n": hours}
