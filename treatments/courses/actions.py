"""What may be done to a course: book its sessions whole, move them together, give them up.

Whoever changes a course holds its plan's row, so that its sessions are counted once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from treatments.courses.models import PlannedVisit
from treatments.courses.standing import BOOKED, Course, Step, course_of, day_of
from treatments.diary import actions as diary
from treatments.diary.contention import trying_again
from treatments.diary.hooks import ReasonWanted
from treatments.diary.models import Appointment, Service
from treatments.plans.models import Plan
from treatments.plans.progress import days_words


@dataclass(frozen=True)
class Choice:
    """A time chosen for one session; `reason` where it lies outside its gap."""

    number: int
    starts_at: datetime
    practitioner_id: int | None
    reason: str = ""


@dataclass(frozen=True)
class Shift:
    """Another time for an appointment of the course."""

    appointment_id: int
    starts_at: datetime
    practitioner_id: int | None
    reason: str = ""


class Refusals(ActionRefused):
    """Nothing was done. `problems`: why, by the session's number, or by the appointment's id."""

    def __init__(self, problems: dict[int, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(dict.fromkeys(problems.values())))


class SomeTaken(Refusals):
    """One or more of the times are gone; others have to be chosen."""


class OutsideGap(Refusals):
    """One or more of the times lie outside their gap, without a reason that counts."""


@trying_again(diary.BUSY)
@transaction.atomic
def book_course(
    *,
    by: Staff,
    plan: Plan,
    location: Location,
    service: Service,
    choices: Sequence[Choice],
    key: uuid.UUID,
    at: datetime | None = None,
) -> list[PlannedVisit]:
    """Book sessions of an accepted plan: all of them, or none.

    The same key with the same times again answers with what was booked the first time. Raises
    `SomeTaken` and `OutsideGap` naming the sessions, and `ActionRefused` past the plan's last.
    """
    plan = _locked(plan)
    if not choices:
        raise ActionRefused(_("Choose at least one time."))
    if earlier := _booked_before(plan, choices, key):
        return earlier
    _refuse_ended(plan)
    course = course_of(plan)
    if len(choices) > course.left:
        raise ActionRefused(_too_many(course))
    booked = _book_all(by, plan, location, service, choices, key, at)
    _write_numbers(plan)
    _keep_reasons(by, plan, {row.appointment_id: reason for row, reason in booked})
    return [row for row, _reason in booked]


def _too_many(course: Course) -> str:
    return _("The plan holds %(total)s sessions, of which %(left)s can still be booked.") % {
        "total": course.total,
        "left": course.left,
    }


def _locked(plan: Plan) -> Plan:
    return Plan.objects.select_for_update(of=("self",)).select_related("patient").get(pk=plan.pk)


def _refuse_ended(plan: Plan) -> None:
    if plan.state == Plan.State.DRAFT:
        raise ActionRefused(_("The plan has not been accepted yet."))
    if plan.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("This plan has ended. Make a new one to go on."))


def _keys(choices: Sequence[Choice], key: uuid.UUID) -> list[uuid.UUID]:
    return [uuid.uuid5(key, str(choice.number)) for choice in choices]


def _booked_before(plan: Plan, choices: Sequence[Choice], key: uuid.UUID) -> list[PlannedVisit]:
    """What this very form has booked already; refused if it then asked for something else."""
    rows = PlannedVisit.objects.filter(
        plan=plan, appointment__idempotency_key__in=_keys(choices, key)
    )
    earlier = list(rows.select_related("appointment").order_by("appointment__starts_at"))
    if earlier and [row.appointment.starts_at for row in earlier] != sorted(
        choice.starts_at for choice in choices
    ):
        raise ActionRefused(_("This form was already used for another course. Open it anew."))
    return earlier


def _book_all(
    by: Staff,
    plan: Plan,
    location: Location,
    service: Service,
    choices: Sequence[Choice],
    key: uuid.UUID,
    at: datetime | None,
) -> list[tuple[PlannedVisit, str]]:
    """In order of time, so that two desks wait for each other and not in a circle."""
    problems: dict[int, str] = {}
    made: list[tuple[PlannedVisit, str]] = []
    keys = dict(zip((choice.number for choice in choices), _keys(choices, key), strict=True))
    for choice in sorted(choices, key=lambda choice: choice.starts_at):
        try:
            appointment = diary.book(
                by=by,
                location=location,
                patient=plan.patient,
                service=service,
                starts_at=choice.starts_at,
                practitioner=choice.practitioner_id,
                idempotency_key=keys[choice.number],
                at=at,
            )
        except ActionRefused as refused:
            problems[choice.number] = refused.message
        else:
            row = PlannedVisit.objects.create(plan=plan, appointment=appointment)
            made.append((row, choice.reason))
    if problems:
        raise SomeTaken(problems)
    return made


@trying_again(diary.BUSY)
@transaction.atomic
def move_course(
    *, by: Staff, plan: Plan, shifts: Sequence[Shift], at: datetime | None = None
) -> list[Step]:
    """Move appointments of a course together: all of them, or none. Raises as `book_course` does.

    One that has its time already stays untouched.
    """
    plan = _locked(plan)
    _refuse_ended(plan)
    course = course_of(plan)
    rows = {
        step.appointment_id: step.visit.appointment
        for step in course.booked
        if step.visit and step.can_move
    }
    if any(shift.appointment_id not in rows for shift in shifts):
        raise ActionRefused(_("The course has changed since this page was opened. Look again."))
    moved = [shift for shift in shifts if _differs(shift, rows[shift.appointment_id])]
    problems: dict[int, str] = {}
    for shift in _out_of_each_others_way(moved, rows):
        try:
            diary.move(
                by=by,
                appointment=rows[shift.appointment_id],
                starts_at=shift.starts_at,
                practitioner=shift.practitioner_id,
                gap_reason=None,
                at=at,
            )
        except ActionRefused as refused:
            problems[shift.appointment_id] = refused.message
    if problems:
        raise SomeTaken(problems)
    _write_numbers(plan)
    return _keep_reasons(by, plan, {shift.appointment_id: shift.reason for shift in moved})


def _differs(shift: Shift, row: Appointment) -> bool:
    return shift.starts_at != row.starts_at or shift.practitioner_id not in (
        None,
        row.practitioner_id,
    )


def _out_of_each_others_way(
    shifts: Sequence[Shift], rows: dict[int | None, Appointment]
) -> list[Shift]:
    """First those that move later, the last of them first; then those that move earlier.

    So none is put where another, which has still to make room, stands.
    """
    ordered = sorted(shifts, key=lambda shift: rows[shift.appointment_id].starts_at)
    later = [one for one in ordered if one.starts_at > rows[one.appointment_id].starts_at]
    return [*reversed(later), *(one for one in ordered if one not in later)]


def _write_numbers(plan: Plan) -> None:
    """Give each appointment of the course the number that its date has now."""
    course = course_of(plan)
    numbers = {
        step.appointment_id: step.number for step in course.steps if step.number <= course.total
    }
    for row in PlannedVisit.objects.filter(plan=plan):
        number = numbers.get(row.appointment_id)
        if row.number != number:
            row.number = number
            row.save(update_fields=["number"])


def _keep_reasons(by: Staff, plan: Plan, reasons: dict[int, str]) -> list[Step]:
    """The reasons of those outside their gap; raises `OutsideGap` where one is missing."""
    problems: dict[int, str] = {}
    course = course_of(plan)
    changed = [step for step in course.booked if step.appointment_id in reasons]
    for step in changed:
        assert step.appointment_id is not None
        try:
            _keep_reason(by, course, step, reasons[step.appointment_id].strip())
        except ActionRefused as refused:
            problems[step.number] = refused.message
    if problems:
        raise OutsideGap(problems)
    return changed


def _keep_reason(by: Staff | None, course: Course, step: Step, reason: str) -> None:
    """Within the gap a reason is not needed, and an old one goes."""
    row = step.visit
    assert row is not None
    if not step.is_lawful:
        _refuse_outside(by, course, step, reason)
    kept = reason if not step.is_lawful else ""
    row.gap_reason, row.gap_allowed_by = kept, by if kept else None
    row.save(update_fields=["gap_reason", "gap_allowed_by"])


def _refuse_outside(by: Staff | None, course: Course, step: Step, reason: str) -> None:
    assert step.due is not None
    named = {
        "number": step.number,
        "total": course.total,
        "days": days_words(*step.due),
    }
    if by is None or not by.may(Permission.WRITE_NOTES):
        said = _(
            "Session %(number)s of %(total)s is due %(days)s. To leave that, ask the practitioner, "
            "who gives the reason."
        )
        raise ReasonWanted(said % named, may_give=False)
    if not reason:
        said = _(
            "Session %(number)s of %(total)s is due %(days)s. Say why it may lie outside, or "
            "choose another time."
        )
        raise ReasonWanted(said % named, may_give=True)


def ask_before_moving(*, by: Staff | None, appointment: Appointment, reason: str) -> None:
    """One session moves by itself, see `treatments.diary.hooks`: within its gap, or with a reason.

    The sessions after it may then lie outside theirs, which their course shows and offers to mend.
    """
    row = PlannedVisit.objects.select_related("plan", "appointment__location").filter(
        appointment=appointment
    )
    visit = row.first()
    if visit is None or day_of(visit.appointment) == day_of(appointment):
        return
    course = course_of(visit.plan, moving=appointment)
    step = course.step_of(appointment.pk)
    if step is not None and step.state == BOOKED:
        _keep_reason(by, course, step, reason)


@trying_again(diary.BUSY)
@transaction.atomic
def count_in(*, by: Staff, plan: Plan, appointment: Appointment, reason: str = "") -> PlannedVisit:
    """Make an appointment that was booked by itself a session of the course."""
    plan = _locked(plan)
    _refuse_ended(plan)
    if appointment.patient_id != plan.patient_id:
        raise ActionRefused(_("This appointment belongs to someone else."))
    if appointment.status in Appointment.GIVEN_UP:
        raise ActionRefused(_("This appointment was cancelled or missed."))
    if row := PlannedVisit.objects.filter(appointment=appointment).first():
        if row.plan_id != plan.pk:
            raise ActionRefused(_("This appointment is part of another course."))
        return row
    course = course_of(plan)
    if not course.left:
        raise ActionRefused(_too_many(course))
    row = PlannedVisit.objects.create(plan=plan, appointment=appointment)
    _write_numbers(plan)
    _keep_reasons(by, plan, {appointment.pk: reason})
    row.refresh_from_db()
    return row


@trying_again(diary.BUSY)
@transaction.atomic
def cancel_booked(
    *, by: Staff, plan: Plan, appointment_ids: Sequence[int], reason: str
) -> list[Appointment]:
    """Cancel appointments of a course together, with one reason; those of others are refused."""
    plan = _locked(plan)
    rows = {step.appointment_id: step.visit for step in course_of(plan).booked}
    if any(pk not in rows for pk in appointment_ids):
        raise ActionRefused(_("The course has changed since this page was opened. Look again."))
    if not appointment_ids:
        raise ActionRefused(_("Choose what is to be cancelled."))
    cancelled = [
        diary.cancel(by=by, appointment=visit.appointment, reason=reason)
        for pk, visit in rows.items()
        if visit is not None and pk in appointment_ids
    ]
    _write_numbers(plan)
    return cancelled
