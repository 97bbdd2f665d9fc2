"""Reminders of visits to come, and invitations to those who have not come back.

A reminder is made at its hour, from what the diary says then, so there is none to correct when a
visit is moved; one that waits to be sent is held back with the move.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinic.places.models import Location
from clinic.steps import each_by_itself
from patients.messages.kinds import Kind
from patients.messages.quiet import is_quiet
from patients.messages.rules import all_places, rules_of
from patients.messages.saying import say
from treatments.diary.hooks import not_to_invite
from treatments.diary.models import Appointment, AppointmentQuerySet
from treatments.diary.notices import Notice
from treatments.diary.slots import midnight
from treatments.diary.telling import alone_with, note, say_of
from treatments.diary.transitions import MOVABLE

BATCH = 200
LATEST = timedelta(minutes=30)
"""Before the visit; from then on the last reminder would find the patient on the way."""
LONGEST_GAP = timedelta(hours=24)
MONTH = timedelta(days=30.4375)
RECALLED_LATE = timedelta(days=30)
"""Whom the day of their invitation passed by longer ago is left alone: so switching invitations on
does not write to everyone at once."""

Window = tuple[int, timedelta]
"""A reminder: hours before the visit, and how near the visit it may still be sent."""


def remind_due(*, at: datetime) -> int:
    """Remind of every visit whose hour has come by `at`; of how many patients there was one."""
    steps = []
    for (lead, until), places in _windows(at).items():
        due = to_remind(at, lead, until).filter(location__in=places)
        pairs = due.order_by().values_list("patient", "location").distinct()[:BATCH]
        steps += [partial(_remind, one, places[where], lead, until, at) for one, where in pairs]
    each_by_itself(steps)
    return len(steps)


def _windows(at: datetime) -> dict[Window, dict[int, Location]]:
    """The locations that send each reminder, where it is not quiet now.

    One reminder may be sent until the next is due, the last until shortly before the visit.
    """
    found: dict[Window, dict[int, Location]] = defaultdict(dict)
    for place in all_places():
        rules = rules_of(place)
        if is_quiet(at, place.zone, rules.quiet):
            continue
        ends = [timedelta(hours=hours) for hours in rules.leads[1:]] + [LATEST]
        for lead, until in zip(rules.leads, ends, strict=False):
            found[lead, until][place.pk] = place
    return found


def to_remind(at: datetime, lead: int, until: timedelta) -> QuerySet[Appointment]:
    """Visits whose reminder of `lead` hours is due by `at` and was not made.

    One that was booked or moved shortly before that hour is left out: the patient has just been
    told. Shortly is as long as the reminder goes before the visit, a day at most.
    """
    before = timedelta(hours=lead)
    gap = min(before, LONGEST_GAP)
    news = Notice.objects.news().filter(appointment=OuterRef("pk"))
    heard = Coalesce(Subquery(news.values("created_at")[:1]), F("created_at"))
    coming: AppointmentQuerySet = Appointment.objects.filter(
        status__in=MOVABLE,
        notice_due_at__isnull=True,
        starts_at__gt=at + until,
        starts_at__lte=at + before,
    )
    return coming.alias(heard=heard).filter(
        ~Exists(_reminded(lead)), heard__lte=F("starts_at") - before - gap
    )


def _reminded(lead: int) -> QuerySet[Notice]:
    standing = Notice.objects.standing().filter(kind=Kind.REMINDER, lead=lead)
    return standing.filter(appointment=OuterRef("pk"), starts_at=OuterRef("starts_at"))


@transaction.atomic
def _remind(patient_id: int, place: Location, lead: int, until: timedelta, at: datetime) -> None:
    """One message for all that a patient has at the location on that day."""
    patient = alone_with(patient_id)
    if patient is None:
        return
    mine = Appointment.objects.filter(patient=patient_id, location=place)
    due = to_remind(at, lead, until).filter(pk__in=mine.values("pk")).order_by("starts_at").first()
    if due is None:
        return
    day = due.starts_at.astimezone(place.zone).date()
    rows = list(
        mine.between(midnight(day, place.zone), midnight(day + timedelta(days=1), place.zone))
        .filter(~Exists(_reminded(lead)), status__in=MOVABLE)
        .select_related("practitioner")
        .select_for_update(of=("self",), skip_locked=True)
    )
    changing = any(row.notice_due_at for row in rows)
    if changing or due.pk not in {row.pk for row in rows}:
        return
    first = rows[0].starts_at
    message = say_of(Kind.REMINDER, rows, place, patient, at, lead=lead, valid_until=first)
    note(Kind.REMINDER, rows, message, lead)


@transaction.atomic
def note_reminded_before(*, at: datetime) -> int:
    """Note as made every reminder whose hour has come by `at`; how many. Nothing is sent.

    For records brought over from elsewhere, with `note_told_before`.
    """
    made = []
    for place in all_places():
        for lead in rules_of(place).leads:
            due = to_remind(at, lead, timedelta(0)).filter(location=place)
            made += [
                Notice(
                    appointment_id=row.pk,
                    kind=Kind.REMINDER,
                    lead=lead,
                    starts_at=row.starts_at,
                    sequence=row.sequence,
                )
                for row in due.only("pk", "starts_at", "sequence")
            ]
    return len(Notice.objects.bulk_create(made, batch_size=1_000))


def recall_due(*, at: datetime) -> int:
    """Invite whoever has not been back for as long as their location says; how many were due."""
    steps = []
    for place in all_places():
        rules = rules_of(place)
        if rules.recall_months and not is_quiet(at, place.zone, rules.quiet):
            last = to_recall(at, place, rules.recall_months).values_list("patient", "pk")[:BATCH]
            steps += [partial(_recall, one, visit, place, at) for one, visit in last]
    each_by_itself(steps)
    return len(steps)


def to_recall(at: datetime, place: Location, months: int) -> QuerySet[Appointment]:
    """Last visits so long ago, of patients who have nothing booked and were not invited since."""
    until = at - months * MONTH
    later = Appointment.objects.live().filter(
        patient=OuterRef("patient"), starts_at__gt=OuterRef("starts_at")
    )
    invited = Notice.objects.filter(appointment=OuterRef("pk"), kind=Kind.RECALL)
    return Appointment.objects.between(until - RECALLED_LATE, until).filter(
        ~Exists(later),
        ~Exists(invited),
        ~not_to_invite(),
        location=place,
        status=Appointment.Status.DONE,
    )


@transaction.atomic
def _recall(patient_id: int, visit_id: int, place: Location, at: datetime) -> None:
    patient = alone_with(patient_id)
    visit = Appointment.objects.select_for_update(skip_locked=True).filter(pk=visit_id).first()
    if patient is None or visit is None or visit.notices.filter(kind=Kind.RECALL).exists():
        return
    message = say(
        kind=Kind.RECALL, patient=patient, location=place, key=f"recall-{visit.pk}", due_at=at
    )
    note(Kind.RECALL, [visit], message)
