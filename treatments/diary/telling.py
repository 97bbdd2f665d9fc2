"""Telling patients what is new of their appointments, three minutes after it became so.

The appointment itself is the row for later. A tick takes what is due, patient by patient, compares
what was told with what is, and queues one message for everything of one kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, Min, OuterRef

from clinic.places.models import Location
from clinic.steps import each_by_itself
from patients.messages.kinds import Kind
from patients.messages.models import Message
from patients.messages.quiet import outside_quiet_hours
from patients.messages.rules import rules_of, words_of
from patients.messages.saying import say, times
from patients.registry.models import Patient
from treatments.diary.invitation import calendar_of
from treatments.diary.models import Appointment
from treatments.diary.news import Told, news_of
from treatments.diary.notices import Notice

BATCH = 100
LONGEST_SETTLING = timedelta(minutes=10)
"""So long at most news wait for more of the same patient, to be told together."""
TOO_LATE = timedelta(hours=2)
"""News that the end of the quiet hours would leave less time than this are told at once."""
KEY = 120

News = list[tuple[Appointment, Kind]]


def tell_due(*, at: datetime) -> int:
    """Tell every patient of whom something is due by `at`; of how many there was."""
    due = (
        Appointment.objects.filter(notice_due_at__lte=at)
        .values("patient", "location")
        .annotate(first=Min("notice_due_at"))
        .order_by("first")[:BATCH]
    )
    pairs = [(row["patient"], row["location"]) for row in due]
    each_by_itself(partial(_tell, patient, location, at) for patient, location in pairs)
    return len(pairs)


def alone_with(patient_id: int) -> Patient | None:
    """The patient, locked against other ticks until the transaction ends; None if one has it.

    Not against anyone who books: that needs only the key to stay.
    """
    rows = Patient.objects.select_for_update(no_key=True, skip_locked=True)
    return rows.filter(pk=patient_id).first()


@transaction.atomic
def _tell(patient_id: int, location_id: int, at: datetime) -> None:
    patient = alone_with(patient_id)
    if patient is None:
        return
    rows = list(
        Appointment.objects.filter(
            patient=patient_id, location=location_id, notice_due_at__isnull=False
        )
        .select_related("practitioner")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("starts_at", "pk")
    )
    due = [row for row in rows if row.notice_due_at and row.notice_due_at <= at]
    if not due or _more_is_coming(rows, at):
        return
    place = Location.objects.select_related("message_rules").get(pk=location_id)
    told = _told(due)
    news = _news(due, told, at)
    done = Appointment.objects.filter(pk__in=[row.pk for row in due])
    if (morning := _can_wait_until(news, told, place, at)) is not None:
        done.update(notice_due_at=morning)
        return
    for group in _together(news, place, patient):
        _say(group, place, patient, at)
    done.update(notice_due_at=None)


def _more_is_coming(rows: Sequence[Appointment], at: datetime) -> bool:
    """Whether something of this patient was changed so lately that it may yet change again."""
    times = [row.notice_due_at for row in rows if row.notice_due_at]
    return max(times) > at and min(times) > at - LONGEST_SETTLING


def _told(rows: Iterable[Appointment]) -> dict[int, Told]:
    """The last news of each appointment."""
    newest = (
        Notice.objects.news()
        .filter(appointment__in=[row.pk for row in rows])
        .order_by("appointment_id", "-pk")
        .distinct("appointment_id")
    )
    return {one.appointment_id: Told(one.kind, one.starts_at) for one in newest}


def _news(rows: Iterable[Appointment], told: dict[int, Told], at: datetime) -> News:
    every = ((row, news_of(row.status, row.starts_at, told.get(row.pk), at)) for row in rows)
    return [(row, kind) for row, kind in every if kind is not None]


def _can_wait_until(
    news: News, told: dict[int, Told], place: Location, at: datetime
) -> datetime | None:
    """The end of the quiet hours, unless it is not quiet or that would leave too little time."""
    end = outside_quiet_hours(at, place.zone, rules_of(place).quiet)
    if end == at or not news:
        return None
    moments = [row.starts_at for row, _kind in news]
    moments += [told[row.pk].starts_at for row, _kind in news if row.pk in told]
    coming = [moment for moment in moments if moment > at]
    return end if not coming or min(coming) >= end + TOO_LATE else None


def _together(news: News, place: Location, patient: Patient) -> list[News]:
    """One message for each kind; for each day of it where the text cannot tell of several days."""
    groups: dict[tuple[str, object], News] = defaultdict(list)
    for row, kind in news:
        day = row.starts_at.astimezone(place.zone).date()
        words = words_of(place, kind, patient.house_language)
        lists_all = "{when}" in words.body and "{when}" in words.sms
        groups[kind, "" if lists_all else day].append((row, kind))
    return list(groups.values())


def _say(news: News, place: Location, patient: Patient, at: datetime) -> None:
    rows, kind = [row for row, _kind in news], news[0][1]
    sent = kind != Kind.NO_SHOW
    message = say_of(
        kind,
        rows,
        place,
        patient,
        at,
        calendar=calendar_of(rows, place, patient.house_language, at) if sent else "",
        valid_until=max(row.starts_at for row in rows) if sent else None,
    )
    note(kind, rows, message)


def say_of(
    kind: Kind,
    rows: Sequence[Appointment],
    place: Location,
    patient: Patient,
    at: datetime,
    *,
    lead: int = 0,
    calendar: str = "",
    valid_until: datetime | None = None,
) -> Message | None:
    """One message of several appointments, due at once."""
    which = "-".join(f"{row.pk}.{row.sequence}" for row in rows)
    return say(
        kind=kind,
        patient=patient,
        location=place,
        key=f"{kind}{lead or ''}-{int(at.timestamp())}-{which}"[:KEY],
        due_at=at,
        calendar=calendar,
        valid_until=valid_until,
        even_at_night=True,
        **times(
            [row.starts_at for row in rows],
            location=place,
            language=patient.house_language,
            practitioners=[row.practitioner.name for row in rows],
        ),
    )


def note(kind: Kind, rows: Iterable[Appointment], message: Message | None, lead: int = 0) -> None:
    """Keep what was told of each."""
    Notice.objects.bulk_create(
        Notice(
            appointment=row,
            message=message,
            kind=kind,
            lead=lead,
            starts_at=row.starts_at,
            sequence=row.sequence,
        )
        for row in rows
    )


@transaction.atomic
def note_told_before(*, at: datetime) -> int:
    """Note that patients know of what is in the diary by `at`; of how many appointments to come.

    For records brought over from elsewhere: nothing is sent.
    """
    Appointment.objects.filter(notice_due_at__isnull=False).update(notice_due_at=None)
    known = Notice.objects.news().filter(appointment=OuterRef("pk"))
    # A time held for somebody is an offer, of which nobody knows as an appointment.
    there = Appointment.objects.live().exclude(status=Appointment.Status.HELD)
    unknown = there.filter(~Exists(known), starts_at__gt=at)
    told = [
        Notice(
            appointment_id=row.pk,
            kind=Kind.CONFIRMATION,
            starts_at=row.starts_at,
            sequence=row.sequence,
            created_at=row.created_at,
        )
        for row in unknown.only("pk", "starts_at", "sequence", "created_at").iterator()
    ]
    return len(Notice.objects.bulk_create(told, batch_size=1_000))
