"""Check-ins that many hands want at the same moment; and many of them due at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

from django.core import mail
from django.utils import timezone

from aftercare.watch.actions import open_due, stop_watch
from aftercare.watch.calls import take_call
from aftercare.watch.models import Call, CheckIn
from clinic.errors import ActionRefused
from patients.messages.models import Message, MessageRules
from patients.messages.sending import send_next
from tests import kills
from tests.aftercare.safety_world import make_clinic
from tests.at_once import Crowd
from tests.conftest import Cast
from tests.patients.workers import Sink
from treatments.sessions.models import Session


def never_quiet(cast: Cast) -> None:
    MessageRules.objects.get_or_create(
        location=cast.here, defaults={"quiet_from": time(1), "quiet_until": time(1)}
    )


def due_check_ins(cast: Cast, count: int) -> list[Session]:
    """So many sessions of yesterday, each of another patient, with one check-in due by now."""
    never_quiet(cast)
    clinic, at = make_clinic(cast), timezone.now()
    sessions = [
        clinic.session(
            clinic.patient(email=f"w{cast.here.pk}-{n}-{at.timestamp():.0f}@example.org"),
            at=at - timedelta(hours=25),
        )
        for n in range(count)
    ]
    CheckIn.objects.bulk_create(
        CheckIn(
            patient_id=one.patient_id,
            session=one,
            step="24h",
            hours=24,
            due_at=at - timedelta(minutes=5),
        )
        for one in sessions
    )
    return sessions


def judge(sink: Sink, count: int) -> dict[str, int]:
    """As for any letter, and each question was opened once, by a letter of its own."""
    opened = CheckIn.objects.filter(state=CheckIn.State.OPEN, message__isnull=False)
    assert opened.count() == count
    assert opened.values("message").distinct().count() == count
    return kills.judge(sink, "check-in", count)


def at_once(*work: Callable[[], object], crowd: Crowd | None = None) -> None:
    """All of it at the same moment."""
    (crowd or Crowd()).run(work)


def race(cast: Cast, rounds: int, crowd: Crowd | None = None) -> list[str]:
    """Stop the watch at the very moment in which a worker opens and sends; what was stale.

    Stale is a letter that had not begun to leave when the watch was stopped, and left.
    """
    stale, sessions = [], due_check_ins(cast, rounds)
    # Each comes due in its own round: else an earlier one would send its letter.
    due_at = timezone.now() - timedelta(minutes=5)
    CheckIn.objects.update(due_at=timezone.now() + timedelta(days=1))
    for number, session in enumerate(sessions):
        session.check_ins.update(due_at=due_at)
        address, after = session.patient.email, list[bool]()
        if number % 2:
            open_due(at=timezone.now())  # every other time the message waits already

        def send() -> None:
            open_due(at=timezone.now())
            send_next()

        def stop(session: Session = session, after: list[bool] = after) -> None:
            stop_watch(by=cast.practitioner, session=session, reason="Cared for elsewhere")
            begun = Message.objects.filter(check_ins__session=session)
            after.append(begun.filter(sending_since__isnull=False).exists())

        at_once(send, stop, crowd=crowd)
        send_next()  # whatever still waits would go now
        went = any(address in letter.to for letter in mail.outbox)
        if went and not after[0]:
            stale.append(address)
        assert session.check_ins.get().state == "cancelled"
    return stale


def race_for_a_call(cast: Cast, call: Call) -> int:
    """Two people take one call at the same moment; how many were told that they have it."""
    had: list[int] = []

    def take(by: object) -> None:
        try:
            take_call(by=by, call=call)  # type: ignore[arg-type]
            had.append(1)
        except ActionRefused:
            pass

    at_once(lambda: take(cast.practitioner), lambda: take(cast.colleague))
    return len(had)
