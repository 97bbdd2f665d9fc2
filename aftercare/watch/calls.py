"""The call list's verbs: take a call, give it back, note what came of calling, close it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercare.watch.alerts import put_off, tell_no_more
from aftercare.watch.deadlines import next_working_day
from aftercare.watch.models import Call, CallAttempt, CheckIn, rules_of
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused

FURTHEST = timedelta(days=31)
"""A call is put off so far at most: longer would be forgetting."""


@transaction.atomic
def take_call(*, by: Staff, call: Call, at: datetime | None = None) -> Call:
    """Say that you are calling this patient, so that nobody else does.

    A call that a colleague took and left until it was overdue can be taken over. Raises
    `ActionRefused` when it is done, or a colleague has it.
    """
    at = at or timezone.now()
    locked = _locked(by, call)
    if locked.taken_by_id == by.pk:
        return locked
    if locked.taken_by_id is not None and not may_take_over(locked, at):
        raise ActionRefused(_("A colleague has already taken this call."))
    locked.taken_by, locked.taken_at = by, at
    locked.save(update_fields=["taken_by", "taken_at"])
    tell_no_more(locked)
    return locked


def may_take_over(call: Call, at: datetime) -> bool:
    """Whether the one who took it has left it lying: overdue, and nothing done for a while."""
    minutes = timedelta(minutes=rules_of(call.location).red_minutes)
    return call.is_overdue(at) and call.taken_at is not None and call.taken_at <= at - minutes


@transaction.atomic
def give_back(*, by: Staff, call: Call) -> Call:
    """Let others take a call that you took. Raises `ActionRefused` for one that is not yours."""
    locked = _locked(by, call)
    if locked.taken_by_id != by.pk:
        raise ActionRefused(_("This call is not yours."))
    locked.taken_by = locked.taken_at = None
    locked.save(update_fields=["taken_by", "taken_at"])
    return locked


@transaction.atomic
def note_attempt(
    *,
    by: Staff,
    call: Call,
    result: str,
    outcome: str = "",
    ending: str = "",
    again_at: datetime | None = None,
    at: datetime | None = None,
) -> Call:
    """Note that the patient was called. With an `ending` the call is done, else it is due again.

    Without `again_at`, one that reached nobody is due again in as many minutes as a red flag may
    wait, an amber one by the next working day. Raises `ActionRefused` beside the field to blame,
    and when a colleague has the call.
    """
    at = at or timezone.now()
    locked = take_call(by=by, call=call, at=at)
    words = outcome.strip()
    _refuse_half_said(result, words, ending, again_at, at)
    again = None if ending else again_at or _again(locked, at)
    CallAttempt.objects.create(
        call=locked, at=at, by=by, result=result, words=words, again_at=again
    )
    if again is None:
        locked.outcome, locked.ending = words, ending
        locked.done_by, locked.done_at = by, at
        _end_the_question(locked)
    else:
        locked.due_at, locked.taken_by, locked.taken_at = again, None, None
        put_off(locked, again)
    locked.save()
    return locked


def finish_call(*, by: Staff, call: Call, outcome: str, at: datetime | None = None) -> Call:
    """The patient was spoken to, and advice was enough. Raises `ActionRefused`."""
    return note_attempt(
        by=by,
        call=call,
        result=CallAttempt.Result.REACHED,
        outcome=outcome,
        ending=Call.Ending.ADVICE,
        at=at,
    )


def _end_the_question(call: Call) -> None:
    """Who has been spoken to about their silence is not waited for any more."""
    open_one = CheckIn.objects.filter(pk=call.check_in_id, state=CheckIn.State.OPEN)
    open_one.update(state=CheckIn.State.SILENT)


def _refuse_half_said(
    result: str, words: str, ending: str, again_at: datetime | None, at: datetime
) -> None:
    reached = result == CallAttempt.Result.REACHED
    if result not in CallAttempt.Result.values:
        raise ActionRefused(_("Say whether anybody answered."), field="result")
    if ending and ending not in Call.Ending.values:
        raise ActionRefused(_("Choose how it ended."), field="ending")
    if reached and not ending and again_at is None:
        raise ActionRefused(
            _("Say how it ended, or when the patient is called again."), field="ending"
        )
    if not reached and ending not in ("", Call.Ending.GIVEN_UP, Call.Ending.EMERGENCY):
        raise ActionRefused(
            _("Nobody was spoken to: it cannot have ended like this."), field="ending"
        )
    if reached and ending == Call.Ending.GIVEN_UP:
        raise ActionRefused(_("You spoke to the patient: choose what came of it."), field="ending")
    if (reached or ending) and not words:
        raise ActionRefused(_("Write what came of the call."), field="outcome")
    if ending and again_at is not None:
        raise ActionRefused(
            _("Either it has ended, or the patient is called again."), field="again_on"
        )
    if again_at is not None and not at < again_at <= at + FURTHEST:
        raise ActionRefused(_("Call again within the next 31 days."), field="again_on")


def _again(call: Call, at: datetime) -> datetime:
    if call.is_red:
        return at + timedelta(minutes=rules_of(call.location).red_minutes)
    return next_working_day(at, call.location)


@transaction.atomic
def call_for_silence(*, by: Staff, check_in: CheckIn, at: datetime) -> Call:
    """Put a patient who does not answer on the call list, due by the next working day.

    Asked twice it is the same call. Raises `ActionRefused` for one who has answered.
    """
    if not by.may(Permission.WORK_WATCH):
        raise ActionRefused(_("Only a practitioner works off the calls."))
    locked = (
        CheckIn.objects.select_for_update(of=("self",))
        .select_related("session__location__watch_rules")
        .get(pk=check_in.pk)
    )
    if not locked.is_silence:
        raise ActionRefused(_("This patient has answered, or was not asked yet."))
    place = locked.session.location
    call, _is_new = Call.objects.get_or_create(
        check_in=locked,
        defaults={
            "patient_id": locked.patient_id,
            "location": place,
            "reason": Call.Reason.SILENCE,
            "is_red": False,
            "due_at": next_working_day(at, place),
        },
    )
    return call


def _locked(by: Staff, call: Call) -> Call:
    if not by.may(Permission.WORK_WATCH):
        raise ActionRefused(_("Only a practitioner works off the calls."))
    # The question before its call, as an answer locks them.
    CheckIn.objects.select_for_update(of=("self",)).get(pk=call.check_in_id)
    locked: Call = (
        Call.objects.select_for_update(of=("self",))
        .select_related("location__watch_rules")
        .get(pk=call.pk)
    )
    if locked.done_at is not None:
        raise ActionRefused(_("This call is already done."))
    return locked
