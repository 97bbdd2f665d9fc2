"""The appointments of some days as plain rows: one query, no model objects, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Max, OuterRef, Subquery
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.web.looks import status_look
from clinic.web.templatetags.clinic_web import icon
from patients.intake.models import History
from treatments.diary.models import Appointment, AppointmentQuerySet
from treatments.diary.slots import Span
from treatments.diary.transitions import NEXT

MINUTES_PER_ROW = 5
SHORT_MINUTES = 25


class Line(NamedTuple):
    """One appointment. Times are in the location's zone. `intake`: ok, missing or old."""

    pk: int
    starts: datetime
    ends: datetime
    status: str
    patient_id: int
    given_name: str
    family_name: str
    practitioner_id: int
    practitioner: str
    room: str
    service: str
    kind: str
    intake: str

    @property
    def patient_number(self) -> str:
        return f"P{self.patient_id:06d}"

    @property
    def name(self) -> str:
        """Family name in capitals, then given name."""
        return f"{self.family_name.upper()}, {self.given_name}"

    @property
    def clock(self) -> str:
        return f"{self.starts:%H:%M}"

    @property
    def until(self) -> str:
        return f"{self.ends:%H:%M}"

    @property
    def minutes(self) -> int:
        return int((self.ends - self.starts).total_seconds()) // 60

    @property
    def following(self) -> str:
        """The status that usually comes next, or nothing."""
        return NEXT.get(self.status, "")

    @property
    def is_live(self) -> bool:
        return self.status not in Appointment.GIVEN_UP


def lines_of(appointments: AppointmentQuerySet, zone: ZoneInfo) -> list[Line]:
    """The rows of a queryset in its own order, with whether the history is there and fresh.

    A history is old when the patient has been seen since it was handed in.
    """
    name = "service__name_fr" if (get_language() or "").startswith("fr") else "service__name_en"
    handed_in = History.objects.filter(
        patient=OuterRef("patient_id"), submitted_at__isnull=False, withdrawn_at__isnull=True
    ).values("patient")
    seen_before = Appointment.objects.filter(
        patient=OuterRef("patient_id"),
        status=Appointment.Status.DONE,
        starts_at__lt=OuterRef("starts_at"),
    ).values("patient")
    rows = appointments.annotate(
        handed_in=Subquery(handed_in.annotate(last=Max("submitted_at")).values("last")),
        seen=Subquery(seen_before.annotate(last=Max("starts_at")).values("last")),
    ).values_list(
        "pk",
        "starts_at",
        "ends_at",
        "status",
        "patient_id",
        "patient__given_name",
        "patient__family_name",
        "practitioner_id",
        "practitioner__name",
        "room__name",
        name,
        "service__kind",
        "handed_in",
        "seen",
    )
    return [_line(row, zone) for row in rows]


def _line(row: tuple[Any, ...], zone: ZoneInfo) -> Line:
    pk, starts, ends, *rest, handed_in, seen = row
    if handed_in is None:
        intake = "missing"
    else:
        intake = "old" if seen is not None and seen > handed_in else "ok"
    return Line._make([pk, starts.astimezone(zone), ends.astimezone(zone), *rest, intake])


def badges() -> dict[str, SafeString]:
    """Each status as colour, icon and word, made once for a page and not once for each row."""
    return {
        status: format_html(
            '<span class="badge-status tone-{}">{}{}</span>', look.tone, icon(look.icon), look.word
        )
        for status, look in ((status, status_look(status)) for status in Appointment.Status.values)
    }


CARD = (
    '<a id="a{}" class="appt {}" href="{}/"><span class="appt-top">'
    '<span class="appt-time">{}</span> <span class="appt-name" data-name>{}</span></span>{}{}'
    '<span class="appt-what">{} · {}</span></a>'
)
"""A visit in the day's grid. Through the template engine sixty of these cost more than the rest of
the page together."""


class Column(NamedTuple):
    """A practitioner's day; each card is written out."""

    pk: int
    name: str
    cards: list[SafeString]


def columns_of(
    lines: Iterable[Line], practitioners: Iterable[tuple[int, str]], first_minute: int
) -> list[Column]:
    """One column for each practitioner who works here, and for anyone else who has a visit."""
    shown, missing = badges(), marks()
    tones = {status: status_look(status).tone for status in Appointment.Status.values}
    columns = {pk: Column(pk, name, []) for pk, name in practitioners}
    for line in lines:
        column = columns.setdefault(
            line.practitioner_id, Column(line.practitioner_id, line.practitioner, [])
        )
        css = _place(line, first_minute, tones[line.status])
        badge, mark = shown[line.status], missing[line.intake]
        column.cards.append(
            format_html(
                CARD,
                *(line.pk, css, line.pk, line.clock, line.name),
                *(badge, mark, line.service, line.room),
            )
        )
    return list(columns.values())


def marks() -> dict[str, SafeString]:
    """What is missing, as an icon that is read out; nothing for a history that is there."""
    words = {
        "missing": ("clipboard-x", _("History not handed in")),
        "old": ("clock-history", _("History older than the last visit")),
    }
    mark = '<span class="appt-mark" title="{}">{}<span class="visually-hidden">{}</span></span>'
    made = {
        state: format_html(mark, said, icon(name), said) for state, (name, said) in words.items()
    }
    return {"ok": SafeString(""), **made}


def _place(line: Line, first_minute: int, tone: str) -> str:
    """Classes of css/diary-grid.css: the row it starts at and how many rows it takes."""
    start = line.starts.hour * 60 + line.starts.minute - first_minute
    row = start // MINUTES_PER_ROW + 1
    rows = max(1, line.minutes // MINUTES_PER_ROW)
    short = " appt-short" if line.minutes < SHORT_MINUTES else ""
    return f"tone-{tone} at-{row} for-{rows}{short}"


def hours_shown(opens: int, closes: int, lines: Iterable[Line]) -> tuple[int, int]:
    """First and last minute of the day's grid, whole hours: opening hours and what lies outside."""
    first, last = opens, closes
    for line in lines:
        start = line.starts.hour * 60 + line.starts.minute
        first, last = min(first, start), max(last, min(start + line.minutes, 24 * 60))
    return first // 60 * 60, -(-last // 60) * 60


def day_lines(location_id: int, span: Span, zone: ZoneInfo) -> list[Line]:
    """A location's appointments that start in the span, by time, whatever their status."""
    return lines_of(
        Appointment.objects.filter(location_id=location_id).between(span.start, span.end), zone
    )
