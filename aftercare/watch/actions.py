"""The watch's verbs: plan it, open what is due, take an answer, work off the calls."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from aftercare.sheets.actions import give_sheet
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.schedule import due_times
from aftercare.watch.signs import asked_at, colour_of
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.steps import each_by_itself
from patients.messages.actions import channel_of, queue_message
from treatments.catalogue.models import AdverseEventType
from treatments.sessions.models import Session

BATCH = 100
OPENING = time(9)


def urgencies() -> dict[str, str]:
    """Each adverse event's urgency, from the catalogue in force."""
    return dict(AdverseEventType.objects.current().values_list("code", "urgency"))


@transaction.atomic
def plan_watch(*, session: Session) -> list[CheckIn]:
    """The check-ins of a signed session as rows, from four hours to twelve weeks. Once per session.

    Raises `ActionRefused` while the session is not signed.
    """
    treated_at = session.treated_at
    if treated_at is None:
        raise ActionRefused(_("The watch begins when the session is signed."))
    CheckIn.objects.bulk_create(
        [
            CheckIn(patient_id=session.patient_id, session=session, step=step, due_at=due_at)
            for step, due_at in due_times(treated_at, session.location.zone).items()
        ],
        ignore_conflicts=True,
    )
    return list(session.check_ins.order_by("due_at"))


def follow_up_signed_sessions() -> int:
    """Give every signed session that has none its sheet and its watch; how many were taken up.

    Nothing depends on anyone's remembering: the worker asks every minute.
    """
    waiting = (
        Session.objects.filter(signed_at__isnull=False, check_ins__isnull=True)
        .select_related("location", "patient")
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
    due = list(CheckIn.objects.due(at).values_list("pk", flat=True))
    each_by_itself(partial(_open, pk, at) for pk in due)
    return len(due)


@transaction.atomic
def _open(pk: int, at: datetime) -> None:
    """Open one, unless another worker has it or had it."""
    check_in = (
        CheckIn.objects.due(at)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("patient")
        .filter(pk=pk)
        .first()
    )
    if check_in is None:
        return
    with translation.override(check_in.patient.language):
        check_in.message = queue_message(
            patient=check_in.patient,
            kind="check-in",
            key=f"check-in-{check_in.pk}",
            subject=_("A short question from your clinic"),
            body=_(
                "Hello,\n\nhow are you after your visit? Please answer a few short questions; "
                "it takes less than a minute:\n\n{link}\n\nYour clinic"
            ),
            due_at=at,
            channel=channel_of(check_in.patient),
        )
    check_in.state = CheckIn.State.OPEN
    check_in.save(update_fields=["message", "state"])


@transaction.atomic
def answer_check_in(
    *, check_in: CheckIn, signs: Iterable[str], well: bool, note: str = "", at: datetime
) -> CheckIn:
    """Keep a patient's answer; a red or amber one opens a call at once.

    `well` is the explicit "none of these". Raises `ActionRefused` for an answer that says
    nothing, contradicts itself, comes twice, or names signs this step does not ask for.
    """
    locked: CheckIn = (
        CheckIn.objects.select_for_update(of=("self",))
        .select_related("session__location")
        .get(pk=check_in.pk)
    )
    ticked = sorted(set(signs))
    _refuse_unclear(locked, ticked, well)
    locked.signs = ticked
    locked.answers = {"well": well, "signs": ticked}
    locked.note = note
    locked.colour = colour_of(ticked, urgencies())
    if locked.colour == CheckIn.Colour.GREEN and note:
        # Words that nobody reads would be silence of our own making.
        locked.colour = CheckIn.Colour.AMBER
    locked.state = CheckIn.State.ANSWERED
    locked.answered_at = at
    locked.save()
    if locked.colour != CheckIn.Colour.GREEN:
        _open_call(locked, at)
    return locked


def _refuse_unclear(check_in: CheckIn, ticked: list[str], well: bool) -> None:
    if check_in.state == CheckIn.State.ANSWERED:
        raise ActionRefused(_("You have already answered. If something has changed, call us."))
    if check_in.state != CheckIn.State.OPEN:
        raise ActionRefused(_("This question is not open."))
    if not ticked and not well:
        raise ActionRefused(_("Tick what you notice, or “none of these”."), field="signs")
    if ticked and well:
        raise ActionRefused(_("Tick either what you notice, or “none of these”."), field="signs")
    if not set(ticked) <= {sign.code for sign in asked_at(check_in.step)}:
        raise ActionRefused(_("This answer does not belong to this question."), field="signs")


def _open_call(check_in: CheckIn, at: datetime) -> Call:
    is_red = check_in.colour == CheckIn.Colour.RED
    place = check_in.session.location
    return Call.objects.create(
        patient_id=check_in.patient_id,
        location=place,
        check_in=check_in,
        is_red=is_red,
        due_at=at if is_red else next_working_day(at, place),
    )


def next_working_day(at: datetime, place: Location) -> datetime:
    """09:00 of the next day that is neither Saturday nor Sunday, on the clinic's clock."""
    day = at.astimezone(place.zone).date() + timedelta(days=1)
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return datetime.combine(day, OPENING, tzinfo=place.zone)


@transaction.atomic
def take_call(*, by: Staff, call: Call, at: datetime | None = None) -> Call:
    """Say that you are calling this patient, so that nobody else does. Raises `ActionRefused`."""
    locked: Call = Call.objects.select_for_update().get(pk=call.pk)
    if locked.done_at is not None:
        raise ActionRefused(_("This call is already done."))
    if locked.taken_by_id not in (None, by.pk):
        raise ActionRefused(_("A colleague has already taken this call."))
    locked.taken_by = by
    locked.taken_at = locked.taken_at or at or timezone.now()
    locked.save(update_fields=["taken_by", "taken_at"])
    return locked


@transaction.atomic
def finish_call(*, by: Staff, call: Call, outcome: str, at: datetime | None = None) -> Call:
    """Close a call with its outcome. Raises `ActionRefused` without one, or when already closed."""
    locked: Call = Call.objects.select_for_update().get(pk=call.pk)
    if locked.done_at is not None:
        raise ActionRefused(_("This call is already done."))
    if not outcome.strip():
        raise ActionRefused(_("Write what came of the call."), field="outcome")
    locked.outcome = outcome.strip()
    locked.done_by = by
    locked.done_at = at or timezone.now()
    locked.save(update_fields=["outcome", "done_by", "done_at"])
    return locked
