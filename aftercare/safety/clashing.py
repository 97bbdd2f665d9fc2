"""An event that two people have changed: both versions in words, and the form to go on from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aftercare.safety.changing import NAMES, PARTS
from aftercare.safety.models import AdverseEvent
from clinic.web.templatetags.clinic_web import clinical_date
from treatments.sessions.page import side_name

IN_THE_FORM = {"onset": ("onset_on", "onset_time")}
"""The fields of the form where they are not those of the event."""


@dataclass(frozen=True)
class Clash:
    """One part: what was sent, and what is saved, by whom and when."""

    label: str
    mine: str
    theirs: str
    by: str
    at: str


def clashes(event: AdverseEvent, parts: Iterable[str], said: Mapping[str, Any]) -> list[Clash]:
    """Both versions of each part; `event` as it is saved, with its rows."""
    typed = copy(event)
    for name in (name for fields in PARTS.values() for name in fields):
        if name in said and name != "photos":
            setattr(typed, name, said[name])
    saved = event.photos.count()
    return [
        Clash(
            str(NAMES[part]),
            _words(typed, part, len(said.get("photos") or ())),
            _words(event, part, saved),
            *_last_change(event, part),
        )
        for part in parts
    ]


def _last_change(event: AdverseEvent, part: str) -> tuple[str, str]:
    """Who last changed a part, and when on the location's clock."""
    of_it = [one for one in event.earlier if set(one["was"]) & set(PARTS[part])]
    if not of_it:
        return "", ""
    at = datetime.fromisoformat(of_it[-1]["at"]).astimezone(event.location.zone)
    return of_it[-1]["by"], f"{clinical_date(at.date())} {at:%H:%M}"


def _words(event: AdverseEvent, part: str, photos: int) -> str:
    if part == "photos":
        return ngettext("%(n)s photo", "%(n)s photos", photos) % {"n": photos}
    if part == "onset":
        began = event.onset_at.astimezone(event.location.zone)
        day = clinical_date(began.date())
        return f"{day} {began:%H:%M}" if event.is_timed else day
    if part == "site":
        return _site(event)
    if part == "kind":
        return str(event.kind.name)
    if part == "follow_up_on":
        return clinical_date(event.follow_up_on) if event.follow_up_on else _("not said")
    shown = getattr(event, f"get_{part}_display", lambda: getattr(event, part))
    return str(shown()) or _("nothing")


def _site(event: AdverseEvent) -> str:
    place = side_name(event.area, event.side) if event.area else _("No one area")
    return place if event.point_x is None else f"{place} · {_('with a point on the chart')}"


def taken_over(sent: QueryDict, saved: Mapping[str, Any], touched: Collection[str]) -> QueryDict:
    """What was sent, with the parts that the writer left alone as they are saved now."""
    data = sent.copy()
    for part, fields in PARTS.items():
        for name in () if part in touched else IN_THE_FORM.get(part, fields):
            data.setlist(name, _typed(saved.get(name)))
    data.setlist("revision", _typed(saved["revision"]))
    return data


def _typed(value: Any) -> list[str]:
    """As a browser sends it."""
    if isinstance(value, list):
        return value
    if isinstance(value, time):
        return [f"{value:%H:%M}"]
    if isinstance(value, date):
        return [value.isoformat()]
    return [] if value is None else [str(value)]
