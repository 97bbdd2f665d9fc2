"""The diary as the calendar in the browser gets it: one JSON text. Pure.

Times are what the location's clock shows, without a zone: the calendar knows no zones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.places.holidays import holiday
from clinic.places.models import Location
from clinic.web.looks import status_look
from treatments.diary.ground import Blocked, Ground
from treatments.diary.lines import Line
from treatments.diary.models import Appointment
from treatments.diary.slots import Span, outside, whole_day

BY_PRACTITIONER, BY_ROOM = "practitioner", "room"
ESCAPES = {ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&\u2028\u2029"}
"""So that no text can end the script it stands in."""


@dataclass(frozen=True)
class Board:
    """Some days of a location, by practitioner or by room."""

    location: Location
    first: date
    days: int
    by: str
    ground: Ground
    lines: list[Line]
    now: datetime

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    def as_json(self) -> SafeString:
        """Fit to stand in a `<script type="application/json">`; names stay readable."""
        text = json.dumps(self._data(), ensure_ascii=False, separators=(",", ":"))
        return mark_safe(text.translate(ESCAPES))  # noqa: S308  (escaped here)

    def _data(self) -> dict[str, Any]:
        first, last = self._shown()
        return {
            "stamp": self.ground.stamp,
            "date": self.first.isoformat(),
            "days": self.days,
            "by": self.by,
            "offset": _offset(self.now.astimezone(self.location.zone)),
            "first": _clock(first),
            "last": _clock(last),
            "columns": self._columns(),
            "looks": {
                status: [look.tone, look.icon, str(look.word)]
                for status, look in (
                    (name, status_look(name)) for name in Appointment.Status.values
                )
            },
            "lines": [_card(line) for line in self.lines if line.is_live],
            "blocks": [_block(block) for block in self._blocks()],
            "shades": self._shades(),
            "closed": [[day.isoformat(), why] for day, why in self._closed()],
        }

    def _columns(self) -> list[tuple[int, str]]:
        """Who works here, or the rooms in use; and any other that has a visit."""
        if self.by == BY_ROOM:
            columns = dict(self.ground.rooms)
            seen = [(line.room_id, line.room) for line in self.lines if line.is_live]
        else:
            columns = dict(self.ground.practitioners)
            seen = [
                (line.practitioner_id, line.practitioner) for line in self.lines if line.is_live
            ]
        for pk, name in seen:
            columns.setdefault(pk, name)
        return list(columns.items())

    def _blocks(self) -> list[Blocked]:
        """Those that lie on a column shown, and the whole location's."""
        if self.by == BY_ROOM:
            return [b for b in self.ground.blocks if b.room_id or b.is_of_all]
        return [b for b in self.ground.blocks if b.staff_id or b.is_of_all]

    def _shades(self) -> list[tuple[str, str, int | None]]:
        """[start, end, column or None for all]: when it is closed, or someone is off duty."""
        shades: list[tuple[str, str, int | None]] = []
        zone, hours = self.location.zone, self.ground.hours
        for day in self.dates:
            whole, opening = whole_day(day, zone), hours.opening(day)
            closed = outside(whole, [opening] if opening else [])
            shades += [(*self._local(span), None) for span in closed if span.start < span.end]
            if opening is None or self.by == BY_ROOM or self.days > 1:
                continue
            for pk, _name in self.ground.practitioners:
                off = outside(opening, hours.working(pk, day))
                shades += [(*self._local(span), pk) for span in off if span.start < span.end]
        return shades

    def _local(self, span: Span) -> tuple[str, str]:
        zone = self.location.zone
        return _plain(span.start.astimezone(zone)), _plain(span.end.astimezone(zone))

    def _closed(self) -> list[tuple[date, str]]:
        found = ((day, closed_words(self.location, self.ground, day)) for day in self.dates)
        return [(day, why) for day, why in found if why]

    def _shown(self) -> tuple[int, int]:
        """First and last minute, whole hours: what is open and whatever lies outside of it."""
        zone = self.location.zone
        opened = [span for day in self.dates if (span := self.ground.hours.opening(day))]
        times = [(s.start.astimezone(zone), s.end.astimezone(zone)) for s in opened] or [
            (
                datetime.combine(self.first, self.location.opens_at),
                datetime.combine(self.first, self.location.closes_at),
            )
        ]
        times += [(line.starts, line.clean or line.ends) for line in self.lines if line.is_live]
        first = min(start.hour * 60 + start.minute for start, _end in times)
        last = max(_last_minute(start, end) for start, end in times)
        return first // 60 * 60, -(-last // 60) * 60


def closed_words(location: Location, ground: Ground, day: date) -> str:
    """Why a day is closed, in words; nothing when it is open."""
    if ground.hours.opening(day) is not None:
        return ""
    entry = ground.hours.days.get(day)
    reason = entry.reason if entry else holiday(location, day, get_language() or "")
    if reason:
        return _("Closed: %(reason)s") % {"reason": reason}
    return _("Closed on this day")


def _last_minute(start: datetime, end: datetime) -> int:
    """Of the day on which it starts."""
    if end.date() > start.date():
        return 24 * 60
    return end.hour * 60 + end.minute


def _card(line: Line) -> tuple[Any, ...]:
    return (
        line.pk,
        _plain(line.starts),
        _plain(line.ends),
        line.practitioner_id,
        line.room_id,
        line.status,
        line.name,
        line.initials,
        line.service,
        line.practitioner,
        line.room,
        line.intake,
        _plain(line.hands_on) if line.hands_on else "",
        _plain(line.clean) if line.clean else "",
        line.overlap_reason,
        line.trace,
        line.is_movable,
    )


def _block(block: Blocked) -> tuple[Any, ...]:
    return (
        block.pk,
        _plain(block.starts),
        _plain(block.ends),
        block.staff_id or block.room_id,
        block.word,
        block.reason,
        block.is_here,
    )


def _plain(moment: datetime) -> str:
    """`2026-05-19T14:30`, as the clock on the wall shows it."""
    return moment.isoformat()[:16]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _offset(local: datetime) -> str:
    """`+02:00`: by how much the location's clock is ahead, for the line of now."""
    text = local.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"
