"""The watch's verbs: plan it, open what is due, take an answer, stop it. Calls: see `calls`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from aftercare.sheets.actions import give_sheet
from aftercare.watch.alerts import tell_of
from aftercare.watch.deadlines import next_working_day
from aftercare.watch.models import Call, CheckIn, rules_of
from aftercare.watch.planning import freeze, is_on_scale, times_of
from aftercare.watch.schedule import due_times
from aftercare.watch.signs import colour_of
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.steps import each_by_itself
from patients.messages.actions import hold_back
from patients.messages.kinds import Kind
from patients.messages.models import Message
from patients.messages.rules import rules_of as message_rules_of
from patients.messages.saying import say
from patients.photos.models import Photo
from treatments.catalogue.models import AdverseEventType
from treatments.sessions.models import Session

BATCH = 100
TOGETHER = timedelta(hours=12)
"""Asked so lately, a patient is not written to for another session: both are on their page."""
STALE = timedelta(days=14)
"""A question that nothing follows is of no use so long after its day: of a record that was signed
or brought over late, nobody is asked as if it were the day."""
NOTHING = "none"
"""The step of the only row of a session after which the catalogue asks nothing."""
TO_COME = (CheckIn.State.PLANNED, CheckIn.State.OPEN)


def urgencies() -> dict[str, str]:
    """Each adverse event's urgency, from the catalogue in force."""
    return dict(AdverseEventType.objects.current().values_list("code", "urgency"))


@transaction.atomic
def plan_watch(*, session: Session) -> list[CheckIn]:
    """The check-ins of a signed session as rows, as the catalogue times them. Once per session.

    Raises `ActionRefused` while the session is not signed.
    """
    treated_at = session.treated_at
    if treated_at is None:
        raise ActionRefused(_("The watch begins when the session is signed."))
    place = session.location
    times = due_times(treated_at, place.zone, times_of(session), message_rules_of(place).quiet)
    rows = [
        CheckIn(
            patient_id=session.patient_id,
            session=session,
            step=time.step,
            hours=time.hours,
            time=time,
            due_at=due_at,
        )
        for time, due_at in times
    ]
    CheckIn.objects.bulk_create(rows or [_nothing(session, treated_at)], ignore_conflicts=True)
    return list(session.check_ins.order_by("due_at"))


def _nothing(session: Session, at: datetime) -> CheckIn:
    """So that it is seen, and not planned again every minute."""
    return CheckIn(
        patient_id=session.patient_id,
        session=session,
        step=NOTHING,
        hours=0,
        due_at=at,
        state=CheckIn.State.CANCELLED,
        stop_reason=_("The catalogue asks nothing after these techniques."),
    )


def follow_up_signed_sessions() -> int:
    """Give every signed session that has none its sheet and its watch; how many were taken up.

    Nothing depends on anyone's remembering: the worker asks every minute.
    """
    waiting = (
        Session.objects.filter(signed_at__isnull=False, check_ins__isnull=True)
        .select_related("location__message_rules", "patient")
        .order_by("signed_at")[:BATCH]
    )
    each_by_itself(partial(_follow_up, session) for session in waiting)
    return len(waiting)


@transaction.atomic
def _follow_up(session: Session) -> None:
    give_sheet(by=None, session=session)
    plan_watch(session=session)


def open_due(*, at: datetime) -> int:
    """Send the question of every check-in that is due by `at`; how many were due."""
    due = list(CheckIn.objects.due(at).values_list("pk", "session_id"))
    each_by_itself(partial(_open, pk, session, at) for pk, session in due)
    return len(due)


@transaction.atomic
def _open(pk: int, session_id: int, at: datetime) -> None:
    """Open one, unless another worker has it or had it; one that is stale, or that a later one of
    its session has overtaken, is never asked.

    An earlier one without an answer is over: one question at a time, and none that is stale.
    """
    rows = list(
        CheckIn.objects.filter(session=session_id, state__in=TO_COME)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related(
            "patient", "time", "session__location__country", "session__location__message_rules"
        )
        .order_by("due_at", "pk")
    )
    check_in = next((row for row in rows if row.pk == pk and row.state == TO_COME[0]), None)
    if check_in is None:
        return
    others = [row for row in rows if row.pk != pk]
    is_stale = check_in.due_at < at - STALE
    if is_stale or any(check_in.due_at < row.due_at <= at for row in others):
        check_in.state = CheckIn.State.MISSED
        check_in.save(update_fields=["state"])
        return
    _end([row for row in others if row.due_at < check_in.due_at])
    freeze(check_in)
    check_in.message = _ask(check_in, at, until=min(_later(others, at), default=None))
    check_in.state = CheckIn.State.OPEN
    check_in.save(update_fields=["message", "state", "asked", "own_scale"])


def _later(rows: Iterable[CheckIn], at: datetime) -> list[datetime]:
    return [row.due_at for row in rows if row.due_at > at]


def _end(earlier: list[CheckIn]) -> None:
    """What was asked stays silence; what never was says so."""
    for row in earlier:
        asked = row.state == CheckIn.State.OPEN
        row.state = CheckIn.State.SILENT if asked else CheckIn.State.MISSED
        row.save(update_fields=["state"])
    _hold_back(earlier)


def _hold_back(check_ins: Iterable[CheckIn]) -> None:
    """Cancel the messages that still wait, unless they ask for something else as well."""
    ids = {row.message_id for row in check_ins if row.message_id}
    wanted = CheckIn.objects.filter(message__in=ids, state=CheckIn.State.OPEN)
    hold_back(messages=ids - set(wanted.values_list("message", flat=True)))


def _ask(check_in: CheckIn, at: datetime, until: datetime | None) -> Message | None:
    """The message; one that asked this patient a moment ago asks for this as well."""
    if lately := _lately_asked(check_in, at):
        return lately
    return say(
        kind=Kind.CHECK_IN,
        patient=check_in.patient,
        location=check_in.session.location,
        key=f"check-in-{check_in.pk}",
        due_at=at,
        valid_until=until,
    )


def _lately_asked(check_in: CheckIn, at: datetime) -> Message | None:
    open_ones = CheckIn.objects.filter(
        patient=check_in.patient_id,
        state=CheckIn.State.OPEN,
        session__location=check_in.session.location_id,
        message__due_at__gt=at - TOGETHER,
        message__state__in=[Message.State.PENDING, Message.State.CLAIMED, Message.State.SENT],
    )
    row = open_ones.exclude(session=check_in.session_id).select_related("message").first()
    return row.message if row else None


@dataclass(frozen=True)
class Answer:
    """What a patient says: signs, or explicitly none of them; words, their own score, a photo."""

    signs: tuple[str, ...]
    well: bool
    note: str = ""
    own_value: Decimal | None = None


@transaction.atomic
def answer_check_in(
    *,
    check_in: CheckIn,
    signs: Iterable[str],
    well: bool,
    note: str = "",
    own_value: Decimal | None = None,
    photo: Photo | None = None,
    at: datetime,
) -> CheckIn:
    """Keep a patient's answer; a red or amber one opens a call at once, of which a red
    one alerts the clinic.

    `well` is the explicit "none of these". Raises `ActionRefused` for an answer that says
    nothing, contradicts itself, comes twice, or names what this check-in does not ask for.
    """
    locked = lock_to_answer(check_in)
    answer = Answer(tuple(sorted(set(signs))), well, note.strip(), own_value)
    refuse_unclear(locked, answer)
    if photo is not None and photo.patient_id != locked.patient_id:
        raise ActionRefused(_("This photo belongs to another patient."), field="photo")
    locked.signs = list(answer.signs)
    locked.answers = {"well": well, "signs": locked.signs}
    locked.note, locked.own_value, locked.photo = answer.note, own_value, photo
    locked.colour = colour_of(locked.events, urgencies())
    if locked.colour == CheckIn.Colour.GREEN and (answer.note or photo):
        # Words that nobody reads would be silence of our own making.
        locked.colour = CheckIn.Colour.AMBER
    locked.state = CheckIn.State.ANSWERED
    locked.answered_at = at
    locked.save()
    _hold_back([locked])
    if locked.colour != CheckIn.Colour.GREEN:
        _open_call(locked, at)
    return locked


def lock_to_answer(check_in: CheckIn) -> CheckIn:
    """The row, held until the transaction ends, with what it asks."""
    locked: CheckIn = (
        CheckIn.objects.select_for_update(of=("self",))
        .select_related("session__location__watch_rules", "own_scale", "time")
        .get(pk=check_in.pk)
    )
    if not locked.asked and locked.state == CheckIn.State.OPEN:
        freeze(locked)
    return locked


def refuse_unclear(check_in: CheckIn, answer: Answer) -> None:
    """Raise `ActionRefused` for what cannot be kept as an answer."""
    if check_in.state == CheckIn.State.ANSWERED:
        raise ActionRefused(_("You have already answered. If something has changed, call us."))
    if check_in.state != CheckIn.State.OPEN:
        raise ActionRefused(_("This question is not open any more. If you are worried, call us."))
    if not answer.signs and not answer.well:
        raise ActionRefused(_("Tick what you notice, or “none of these”."), field="signs")
    if answer.signs and answer.well:
        raise ActionRefused(_("Tick either what you notice, or “none of these”."), field="signs")
    if not set(answer.signs) <= {sign["code"] for sign in check_in.asked}:
        raise ActionRefused(_("This answer does not belong to this question."), field="signs")
    if answer.own_value is not None and not is_on_scale(check_in, answer.own_value):
        raise ActionRefused(_("This answer is not on the scale."), field="own_value")


def _open_call(check_in: CheckIn, at: datetime) -> Call:
    is_red = check_in.colour == CheckIn.Colour.RED
    place = check_in.session.location
    minutes = timedelta(minutes=rules_of(place).red_minutes)
    due_at = at + minutes if is_red else next_working_day(at, place)
    mine = Call.objects.select_for_update().filter(check_in=check_in)
    call = mine.first()
    call = call or Call(patient_id=check_in.patient_id, location=place, check_in=check_in)
    # Who was to be called for silence has spoken.
    call.reason, call.is_red = Call.Reason.ANSWER, is_red
    call.due_at = min(call.due_at, due_at) if call.pk else due_at
    call.save()
    if is_red:
        tell_of(call, at)
    return call


@transaction.atomic
def stop_watch(*, by: Staff, session: Session, reason: str) -> int:
    """Ask nothing more after a session; how many check-ins. Messages that wait are held back.

    Raises `ActionRefused` without the right or a reason, and where nothing is to come.
    """
    if not by.may(Permission.WORK_WATCH):
        raise ActionRefused(_("Only a practitioner stops the watch."))
    if not reason.strip():
        raise ActionRefused(_("Say why nothing more is asked."), field="reason")
    rows = _locked(session, TO_COME)
    if not rows:
        raise ActionRefused(_("Nothing more is asked after this session."))
    for row in rows:
        row.state, row.stopped_by = CheckIn.State.CANCELLED, by
        row.stop_reason = reason.strip()
        row.save(update_fields=["state", "stopped_by", "stop_reason"])
    _hold_back(rows)
    return len(rows)


@transaction.atomic
def resume_watch(*, by: Staff, session: Session, at: datetime) -> int:
    """Ask again what was stopped and is still to come; how many. Raises `ActionRefused`."""
    if not by.may(Permission.WORK_WATCH):
        raise ActionRefused(_("Only a practitioner resumes the watch."))
    stopped = _locked(session, [CheckIn.State.CANCELLED])
    rows = [row for row in stopped if row.stopped_by_id is not None and row.due_at > at]
    if not rows:
        raise ActionRefused(_("Nothing that was stopped is still to come."))
    for row in rows:
        row.state, row.stopped_by, row.stop_reason = CheckIn.State.PLANNED, None, ""
        row.save(update_fields=["state", "stopped_by", "stop_reason"])
    return len(rows)


def _locked(session: Session, states: Iterable[str]) -> list[CheckIn]:
    rows = CheckIn.objects.select_for_update(of=("self",))
    return list(rows.filter(session=session, state__in=list(states)).order_by("due_at", "pk"))
