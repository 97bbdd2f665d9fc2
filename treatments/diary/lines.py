"""The appointments of some days as plain rows: one query, no model objects, ready to be shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Greatest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from clinic.web.looks import status_look
from clinic.web.templatetags.clinic_web import icon
from patients.intake.models import History
from treatments.diary.models import Appointment, AppointmentQuerySet
from treatments.diary.slots import Span
from treatments.diary.trace import trace
from treatments.diary.transitions import MOVABLE, NEXT

LAST_SAID = (Max("submitted_at"), Max("confirmations__confirmed_at"))


class Line(NamedTuple):
    """One appointment. Times are in the location's zone. `intake`: ok, missing or old.

    `hands_on` is when the practitioner comes and `clean` when the room can be used again, where
    these are not the patient's own times.
    """

    pk: int
    starts: datetime
    ends: datetime
    status: str
    patient_id: int
    given_name: str
    family_name: str
    practitioner_id: int
    practitioner: str
    room_id: int
    room: str
    service: str
    kind: str
    hands_on: datetime | None
    clean: datetime | None
    overlap_reason: str
    intake: str

    @property
    def patient_number(self) -> str:
        return f"P{self.patient_id:06d}"

    @property
    def name(self) -> str:
        """Family name in capitals, then given name."""
        return f"{self.family_name.upper()}, {self.given_name}"

    @property
    def initials(self) -> str:
        """What is shown of the name where others can see the screen."""
        return f"{self.given_name[:1]}{self.family_name[:1]}".upper()

    @property
    def trace(self) -> str:
        """What the card says, to notice that someone else has changed it."""
        return trace(self.starts, self.ends, self.practitioner_id, self.room_id, self.status)

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

    @property
    def is_movable(self) -> bool:
        return self.status in MOVABLE


def lines_of(appointments: AppointmentQuerySet, zone: ZoneInfo) -> list[Line]:
    """The rows of a queryset in its own order, with whether the history is there and fresh.

    A history is old when the patient has been seen since it was handed in, or since they signed
    that nothing had changed.
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
        handed_in=Subquery(handed_in.annotate(last=Greatest(*LAST_SAID)).values("last")),
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
        "room_id",
        "room__name",
        name,
        "service__kind",
        "practitioner_from",
        "room_until",
        "overlap_reason",
        "handed_in",
        "seen",
    )
    return [_line(row, zone) for row in rows]


def _line(row: tuple[Any, ...], zone: ZoneInfo) -> Line:
    pk, starts, ends, *rest, hands_on, clean, reason, handed_in, seen = row
    if handed_in is None:
        intake = "missing"
    else:
        intake = "old" if seen is not None and seen > handed_in else "ok"
    times = [moment and moment.astimezone(zone) for moment in (hands_on, clean)]
    return Line._make(
        [pk, starts.astimezone(zone), ends.astimezone(zone), *rest, *times, reason, intake]
    )


def badges() -> dict[str, SafeString]:
    """Each status as colour, icon and word, made once for a page and not once for each row."""
    return {
        status: format_html(
            '<span class="badge-status tone-{}">{}{}</span>', look.tone, icon(look.icon), look.word
        )
        for status, look in ((status, status_look(status)) for status in Appointment.Status.values)
    }


def day_lines(location_id: int, span: Span, zone: ZoneInfo) -> list[Line]:
    """A location's appointments that start in the span, by time, whatever their status."""
    return lines_of(
        Appointment.objects.filter(location_id=location_id).between(span.start, span.end), zone
    )
